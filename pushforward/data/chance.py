"""Random numbers without state: every draw is a function of what it is for."""

from hashlib import blake2b

import torch
from torch import Tensor

from pushforward.core import UNLABELLED


def generator(*purpose: int | str, device: torch.device | str = "cpu") -> torch.Generator:
    """A fresh generator on `device`, seeded by a hash of `purpose` (its seed, stream, images seen and the like)."""
    digest = blake2b(repr(purpose).encode(), digest_size=8).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(digest, "big") >> 1)


def split(count: int, share: float, seed: int, label: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Which of `count` examples stay and which are held out: two ascending int64 tensors, the second of floor(count * share).

    Stratified: of each class of `label` int64 [count] the same share is held out, give or take one example; a class never
    loses its only example.
    """
    label = torch.zeros(count, dtype=torch.int64) if label is None else label
    order = torch.randperm(count, generator=generator("split", seed))
    order = order[torch.sort(label[order], stable=True).indices]
    # every (1 / share)-th example of the list sorted by class
    steps = torch.floor(torch.arange(count + 1, dtype=torch.float64) * share)
    out = steps[1:] > steps[:-1]
    for value in label[order].unique().tolist():
        members = label[order] == value
        if value != UNLABELLED and out[members].all():
            out[members.nonzero()[0]] = False
    return order[~out].sort().values, order[out].sort().values
