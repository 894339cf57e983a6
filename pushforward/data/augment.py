"""Views of images: small random changes that leave the class as it is, on whole batches of tensors (no workers, no loops).

Random numbers come from torch's default generator, which the trainer seeds for every step.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, interpolate


@dataclass(frozen=True)
class View:
    """How much a view may differ. All draws are uniform in [-v, v] but for `bend`, the standard deviation of a normal."""

    turn: float = 0.0
    """Degrees. More than 30 would make a 6 a 9."""
    zoom: float = 0.0
    """Share of the size, in each direction on its own."""
    shear: float = 0.0
    shift: float = 0.0
    """Share of the side."""
    bend: float = 0.0
    """Elastic displacement, as a share of half the side, on a coarse grid."""
    erase: float = 0.0
    """Side of an erased square, as a share of the side."""
    flip: bool = False
    """Left-right."""
    light: float = 0.0
    """Brightness, added to all pixels alike; they lie in [-1, 1]."""
    contrast: float = 0.0
    """Share by which pixels move away from, or to, the image's mean."""
    mirrored: bool = False
    """What comes in from outside the picture is its mirror image. Else it is the darkest value, the ground of a digit."""


ViewsName = Literal["none", "digits", "small-digits", "photos"]

VIEWS: dict[str, tuple[View, View, View]] = {
    # weak (what the teacher sees), labelled, strong (what the student must still read)
    "digits": (
        View(turn=7, zoom=0.07, shift=0.055),
        View(turn=12, zoom=0.12, shear=0.15, shift=0.1, bend=0.03),
        View(turn=20, zoom=0.12, shear=0.2, shift=0.125, bend=0.05, erase=0.25),
    ),
    "small-digits": (
        View(turn=3, zoom=0.03, shift=0.02),
        View(turn=8, zoom=0.08, shear=0.08, shift=0.05),
        View(turn=10, zoom=0.1, shear=0.12, shift=0.08),
    ),
    "photos": (
        View(shift=0.06, flip=True, mirrored=True),
        View(turn=5, zoom=0.1, shift=0.08, flip=True, light=0.1, contrast=0.1, mirrored=True),
        View(turn=10, zoom=0.2, shear=0.1, shift=0.125, erase=0.3, flip=True, light=0.3, contrast=0.3, mirrored=True),
    ),
}


def spread(count: int, most: float, like: Tensor) -> Tensor:
    """Uniform numbers in [-most, most]."""
    return (torch.rand(count, device=like.device) * 2 - 1) * most


@torch.no_grad()
def see(x: Float[Tensor, "n c h w"], view: View) -> Float[Tensor, "n c h w"]:
    """A random view of each image, in [-1, 1] like x."""
    n, _, h, w = x.shape
    if n == 0:
        return x
    turn = torch.deg2rad(spread(n, view.turn, x))
    zoom_x, zoom_y = (1 / (1 + spread(n, view.zoom, x)) for _ in range(2))
    shear = spread(n, view.shear, x)
    cos, sin = turn.cos(), turn.sin()
    if view.flip:
        zoom_x = zoom_x * (torch.rand(n, device=x.device) < 0.5).float().mul(2).sub(1)
    tall = h / w  # affine_grid measures in half sides; a turn needs the same unit in both directions
    across = [cos * zoom_x, (shear - sin) * tall * zoom_x, 2 * spread(n, view.shift, x)]
    down = [sin / tall * zoom_y, cos * zoom_y, 2 * spread(n, view.shift, x)]
    grid = affine_grid(torch.stack([*across, *down], 1).view(n, 2, 3), [n, 1, h, w], align_corners=False)
    if view.bend:
        coarse = torch.randn(n, 2, 6, 6, device=x.device) * view.bend
        grid = grid + interpolate(coarse, (h, w), mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
    outside = "reflection" if view.mirrored else "zeros"
    seen = grid_sample(x + 1, grid, mode="bilinear", padding_mode=outside, align_corners=False) - 1
    seen = lit(seen, view) if view.light or view.contrast else seen
    return erase(seen, view.erase) if view.erase else seen


def lit(x: Float[Tensor, "n c h w"], view: View) -> Float[Tensor, "n c h w"]:
    """Images in another light: contrast about each one's mean, then brightness; clamped to [-1, 1]."""
    mean = x.mean((1, 2, 3), keepdim=True)
    contrast, light = (spread(len(x), most, x).view(-1, 1, 1, 1) for most in (view.contrast, view.light))
    return (mean + (x - mean) * (1 + contrast) + light).clamp(-1, 1)


def erase(x: Float[Tensor, "n c h w"], share: float) -> Float[Tensor, "n c h w"]:
    """Images with a square, its side `share` of the image's, set to -1 at a random place."""
    n, _, h, w = x.shape
    inside = []
    for side in (h, w):
        length = max(1, round(share * side))
        start = (torch.rand(n, 1, device=x.device) * (side - length + 1)).floor()
        place = torch.arange(side, device=x.device)
        inside.append((place >= start) & (place < start + length))
    hole = inside[0][:, None, :, None] & inside[1][:, None, None, :]
    return x.masked_fill(hole, -1.0)
