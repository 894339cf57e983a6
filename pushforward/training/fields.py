"""Fields: what each of several weights is moved by, and sums over all of them."""

import torch
from torch import Tensor

Field = dict[Tensor, Tensor]
"""A gradient for each weight that moves."""


def dot(a: Field, b: Field) -> Tensor:
    """The inner product of two fields over all weights."""
    return torch.stack([(value * b[w]).sum() for w, value in a.items()]).sum()


def flat(values: Field, order: Field) -> Tensor:
    """All numbers of a field in one row, in the order of another."""
    return torch.cat([values[w].flatten() for w in order])


def unflat(row: Tensor, order: Field) -> Field:
    """The field of which `flat` made a row."""
    parts = row.split([w.numel() for w in order])
    return {w: part.view_as(w) for w, part in zip(order, parts, strict=True)}
