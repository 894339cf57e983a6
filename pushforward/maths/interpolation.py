"""Walks between two codes."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

UNDECIDED = 1e-4
"""Sine of an angle below which rounding, rather than the two codes, would choose the great circle."""


def lerp(a: Float[Tensor, "*n d"], b: Float[Tensor, "*n d"], t: float | Tensor) -> Float[Tensor, "*m d"]:
    """The point at share t of the straight line from a to b. t: a number, or a tensor that broadcasts against [*n] to [*m]."""
    t = torch.as_tensor(t, dtype=a.dtype, device=a.device)[..., None]
    return (1 - t) * a + t * b


def slerp(a: Float[Tensor, "*n d"], b: Float[Tensor, "*n d"], t: float | Tensor) -> Float[Tensor, "*m d"]:
    """The point at share t of the arc from a to b (Shoemake 1985; for the codes of generator nets White 2016).

    Direction: sin((1 - t) w) / sin(w) a/|a| + sin(t w) / sin(w) b/|b|, w the angle between a and b; length: from |a| to |b| evenly.
    In many dimensions codes from N(0, I) lie near a sphere, which a straight line leaves and this arc does not. Where a and b are
    (nearly) parallel, opposite, or zero there is no one arc, and it is `lerp`. t: a number, or a tensor that broadcasts with [*n] to [*m].

    Departure: White puts a and b themselves into the formula. For equal lengths that is the same; for unequal ones and a wide angle
    it grows beyond both by as much as 1 / sin(w).
    """
    t = torch.as_tensor(t, dtype=a.dtype, device=a.device)[..., None]
    long_a, long_b = a.norm(dim=-1, keepdim=True), b.norm(dim=-1, keepdim=True)
    u, v = normalize(a, dim=-1), normalize(b, dim=-1)
    # Kahan's angle: an arc cosine loses half of the digits where u and v are close
    angle = 2 * torch.atan2((u - v).norm(dim=-1, keepdim=True), (u + v).norm(dim=-1, keepdim=True))
    decided = (angle.sin() > UNDECIDED) & (long_a * long_b > 0)
    sine = torch.where(decided, angle.sin(), 1)
    direction = ((1 - t) * angle).sin() / sine * u + (t * angle).sin() / sine * v
    return torch.where(decided, ((1 - t) * long_a + t * long_b) * direction, (1 - t) * a + t * b)
