"""What a discriminator may see in place of an image when images are few, so that it cannot learn them by heart: the same random changes of
real and generated images, through which slopes flow (Zhao et al. 2020, DiffAugment; Karras et al. 2020, ADA).

    colour       brightness + U(-1/2, 1/2), saturation x U(0, 2), contrast x U(1/2, 3/2)
    translation  up to an eighth of the side in both directions
    cutout       a square of half the side, at a random place, painted grey

Departure: what comes in from outside an image is its edge repeated, not grey. Random numbers come from torch's default generator, which
the trainer seeds for every step.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

SHIFT, HOLE = 1 / 8, 1 / 2
"""Of the side: the longest translation, and the side of the hole."""


def shown(x: Float[Tensor, "n c h w"], strength: float | Tensor = 1.0) -> Float[Tensor, "n c h w"]:
    """Images as a discriminator sees them: each kind of change is made to each image with probability `strength`."""
    return cut_out(translated(coloured(x, chosen(x, strength)), chosen(x, strength)), chosen(x, strength))


def chosen(x: Float[Tensor, "n c h w"], strength: float | Tensor) -> Bool[Tensor, "n 1 1 1"]:
    """Which images are changed."""
    return uniform(x) < strength


def uniform(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 1 1 1"]:
    """A number in [0, 1) for each image."""
    return torch.rand(len(x), 1, 1, 1, device=x.device)


def coloured(x: Float[Tensor, "n c h w"], which: Bool[Tensor, "n 1 1 1"]) -> Float[Tensor, "n c h w"]:
    """Images in another light; they may leave [-1, 1]."""
    brightness, saturation, contrast = uniform(x) - 0.5, 2 * uniform(x), 0.5 + uniform(x)
    grey = x.mean(1, keepdim=True)
    lit = grey + (x - grey) * saturation + brightness if x.shape[1] > 1 else x + brightness
    mean = lit.mean((1, 2, 3), keepdim=True)
    return torch.where(which, mean + (lit - mean) * contrast, x)


def translated(x: Float[Tensor, "n c h w"], which: Bool[Tensor, "n 1 1 1"]) -> Float[Tensor, "n c h w"]:
    """Images moved by whole pixels."""
    for dimension in (2, 3):
        side = x.shape[dimension]
        most = int(SHIFT * side + 0.5)
        shift = torch.randint(-most, most + 1, (len(x), 1, 1, 1), device=x.device) * which
        place = torch.arange(side, device=x.device).view(-1, *[1] * (3 - dimension))
        x = torch.take_along_dim(x, (place + shift).clamp(0, side - 1), dimension)
    return x


def cut_out(x: Float[Tensor, "n c h w"], which: Bool[Tensor, "n 1 1 1"]) -> Float[Tensor, "n c h w"]:
    """Images with a grey square, which may reach over the edge."""
    inside = which
    for dimension in (2, 3):
        side = x.shape[dimension]
        middle = (uniform(x) * (side + 1)).floor()
        place = torch.arange(side, device=x.device).view(-1, *[1] * (3 - dimension))
        inside = inside & ((place - middle + 0.5).abs() <= HOLE * side / 2)
    return x.masked_fill(inside, 0.0)
