"""Which examples are kept apart, to choose by them what others are learned with."""

import torch
from jaxtyping import Bool
from torch import Tensor

BLOCKS = 10


def kept_apart(count: int, number: int) -> Bool[Tensor, " count"]:
    """True for `number` of more examples, or nearly so many: ten runs of neighbours at the most, spread evenly.

    Files may be in an order, so that the last are of one kind; and those beside each other alike, so that one would tell of the other.
    """
    return torch.arange(count) * min(BLOCKS, number) % max(1, count) >= max(1, count - number)
