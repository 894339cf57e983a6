"""Walks between two codes."""

import torch
from jaxtyping import Float
from torch import Tensor

NEARLY_PARALLEL = 1e-4
"""Radians. Below it (or this near to opposite) the great circle is not determined by rounding numbers."""


def lerp(a: Float[Tensor, "*n d"], b: Float[Tensor, "*n d"], t: float | Tensor) -> Float[Tensor, "*n d"]:
    """The point at share t of the straight line from a to b. t: a number, or a tensor that broadcasts against [*n]."""
    t = torch.as_tensor(t, dtype=a.dtype, device=a.device)[..., None]
    return (1 - t) * a + t * b


def slerp(a: Float[Tensor, "*n d"], b: Float[Tensor, "*n d"], t: float | Tensor) -> Float[Tensor, "*n d"]:
    """The point at share t of the arc from a to b (Shoemake 1985; for codes of generator nets White 2016).

    sin((1 - t) w) / sin(w) a + sin(t w) / sin(w) b, w the angle between a and b. In many dimensions codes from N(0, I) lie near
    a sphere, which a straight line leaves and this arc does not. Where a and b are (nearly) parallel, opposite, or zero there is
    no one arc, and it is `lerp`. t: a number, or a tensor that broadcasts against [*n].
    """
    t = torch.as_tensor(t, dtype=a.dtype, device=a.device)[..., None]
    u, v = torch.nn.functional.normalize(a, dim=-1), torch.nn.functional.normalize(b, dim=-1)
    # Kahan's angle: an arc cosine loses half of the digits where u and v are close
    angle = 2 * torch.atan2((u - v).norm(dim=-1, keepdim=True), (u + v).norm(dim=-1, keepdim=True))
    lengths = a.norm(dim=-1, keepdim=True) * b.norm(dim=-1, keepdim=True)
    sine = angle.sin()
    arc = (sine > NEARLY_PARALLEL) & (lengths > 0)
    sine = torch.where(arc, sine, 1)
    return torch.where(arc, ((1 - t) * angle).sin() / sine * a + (t * angle).sin() / sine * b, (1 - t) * a + t * b)
