"""How much of the real examples made ones reach, and how much of what is made looks real, by balls around nearest neighbours.

    B(x)       the ball around x up to its k-th nearest neighbour among its own kind
    precision  share of made examples in some B(real)          what is made looks real       (Kynkaanniemi et al. 2019)
    recall     share of real examples in some B(made)          what is real is also made     (the same)
    density    mean over made of #{real: made in B(real)} / k  precision that outliers do not spoil; about 1 at best, may exceed it
    coverage   share of real examples with a made one in B     recall that outliers do not spoil        (Naeem et al. 2020)

Features are compared in float64, a block of rows at a time: memory grows with n, not with n^2.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from pushforward.core import BadInput

NEAREST = 5
TOGETHER = 1_000
"""Rows whose distances to all others are held at a time."""


def neighbourhoods(
    real: Float[Tensor, "n d"], made: Float[Tensor, "m d"], nearest: int = NEAREST, around_real: Float[Tensor, " n"] | None = None
) -> dict[str, float]:
    """precision, recall, density and coverage of made examples, k = `nearest`.

    around_real: `radii` of the real ones, where they were found before.

    Two samples of one distribution reach neither 1: measure that floor with real examples for made ones.

    Raises:
        BadInput: no more examples of a kind than neighbours.
    """
    check(real, made, nearest, least=nearest + 1)
    real, made = real.double(), made.double()
    around_made = radii(made, nearest)
    around_real = radii(real, nearest) if around_real is None else around_real
    inside = torch.zeros(len(made), dtype=torch.int64, device=real.device)  # how many balls around real ones hold it
    recalled = covered = 0
    for part, radius in zip(real.split(TOGETHER), around_real.split(TOGETHER), strict=True):
        distance = torch.cdist(part, made)
        within = distance < radius[:, None]
        inside += within.sum(0)
        covered += int(within.any(1).sum())
        recalled += int((distance < around_made).any(1).sum())
    return {
        "precision": float((inside > 0).double().mean()),
        "recall": recalled / len(real),
        "density": float(inside.double().mean()) / nearest,
        "coverage": covered / len(real),
    }


def coverage(real: Float[Tensor, "n d"], made: Float[Tensor, "m d"], nearest: int = NEAREST) -> float:
    """Share of real examples that have a made one nearer than their k-th nearest real neighbour, k = `nearest`, in [0, 1].

    Two samples of one distribution do not reach 1, but about 1 - 2^-k where n = m: measure that floor with real examples for made ones.

    Raises:
        BadInput: no more real examples than neighbours, or none made.
    """
    check(real, made, nearest, least=1)
    real, made = real.double(), made.double()
    parts = zip(real.split(TOGETHER), radii(real, nearest).split(TOGETHER), strict=True)
    return sum(int((torch.cdist(part, made).amin(1) < radius).sum()) for part, radius in parts) / len(real)


def radii(x: Float[Tensor, "n d"], nearest: int) -> Float[Tensor, " n"]:
    """The distance of each row to its k-th nearest other row, in float64."""
    x = x.double()
    near = nearest + 1  # the nearest is the row itself
    return torch.cat([torch.cdist(part, x).topk(near, largest=False, sorted=False).values.amax(1) for part in x.split(TOGETHER)])


def check(real: Tensor, made: Tensor, nearest: int, least: int) -> None:
    """Refuse too few examples.

    Raises:
        BadInput: saying how many there are, and how many it takes.
    """
    if len(real) <= nearest or len(made) < least:
        raise BadInput(
            f"{len(real)} real and {len(made)} made examples are too few for neighbourhoods of {nearest}; give at least {nearest + 1} real "
            f"and {least} made ones."
        )
