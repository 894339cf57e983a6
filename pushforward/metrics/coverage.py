"""How much of the real examples a set of made ones reaches (Naeem, Oh, Uh, Choi & Yoo 2020)."""

import torch
from jaxtyping import Float
from torch import Tensor

from pushforward.core import BadInput

NEAREST = 5
TOGETHER = 1_000


def coverage(real: Float[Tensor, "n d"], made: Float[Tensor, "m d"], nearest: int = NEAREST) -> float:
    """Share of real examples that have a made one nearer than their k-th nearest real neighbour, k = `nearest`, in [0, 1].

    Two samples of one distribution do not reach 1, but about 1 - 2^-k where n = m: measure that floor with real examples for made ones.

    Raises:
        BadInput: no more real examples than neighbours, or none made.
    """
    if len(real) <= nearest or not len(made):
        raise BadInput(f"Coverage of {len(real)} real by {len(made)} made examples at k = {nearest} says nothing; give more than k, and 1.")
    reached = 0
    for part in real.split(TOGETHER):
        radius = torch.cdist(part, real).kthvalue(nearest + 1, 1).values  # the nearest is the example itself
        reached += int((torch.cdist(part, made).amin(1) <= radius).sum())
    return reached / len(real)
