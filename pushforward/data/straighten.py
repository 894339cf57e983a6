"""Images brought to one normal form: centred, upright, and as wide and high as the others.

Two digits written with another slant or size are far apart pixel by pixel; straightened ones are near. The moments of the brightness tell
how an image lies (LeCun et al. 1998 deslant their digits by them).
"""

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample

CHUNK = 500
"""Images worked on at a time."""
LEAST, MOST = 0.7, 1.5
"""How much a width or height may be changed: that of a dot or a stroke says little."""


def straightened(image: UInt8[Tensor, "n 1 h w"]) -> UInt8[Tensor, "n 1 h w"]:
    """Images on a dark ground, moved, sheared and stretched so that their brightness is centred, has no slant, and is as wide and as high
    as that of all images on average. An image that is dark all over stays as it is."""
    across, down, slant, width, height = torch.cat([moments(part.float()) for part in image.split(CHUNK)]).T
    wide, high = ((size / size.mean()).clamp(LEAST, MOST) for size in (width, height))
    none = torch.zeros_like(wide)
    # the straightened image at (x, y) is the image at (wide x + slant high y + across, high y + down)
    place = torch.stack([wide, slant * high, across, none, high, down], 1).view(-1, 2, 3)
    made = torch.empty_like(image)  # filled part by part: results that lie between what was needed for them cost three times the memory
    for out, part, there in zip(made.split(CHUNK), image.split(CHUNK), place.split(CHUNK), strict=True):
        out.copy_(sampled(part, there))
    return made


def moments(x: Float[Tensor, "n 1 h w"]) -> Float[Tensor, "n 5"]:
    """Mean place across and down, slant dx/dy, and standard deviations across (along the slant) and down, in half sides."""
    h, w = x.shape[2:]
    y_place, x_place = (torch.linspace(1 / side - 1, 1 - 1 / side, side) for side in (h, w))
    mass = x.sum((1, 2, 3))
    p = x[:, 0] / mass.clamp(min=1e-6)[:, None, None]  # a distribution over places
    over_x, over_y = p.sum(1), p.sum(2)
    across, down = over_x @ x_place, over_y @ y_place
    dx, dy = x_place - across[:, None], y_place - down[:, None]
    xx, yy = (over_x * dx.square()).sum(1), (over_y * dy.square()).sum(1).clamp(min=1e-6)
    xy = (torch.einsum("nhw,nw->nh", p, dx) * dy).sum(1)
    width, height = (xx - xy.square() / yy).clamp(min=1e-6).sqrt(), yy.sqrt()
    return torch.stack([across, down, (xy / yy).clamp(-1, 1), width, height], 1) * (mass > 0)[:, None]


def sampled(image: UInt8[Tensor, "n 1 h w"], place: Float[Tensor, "n 2 3"]) -> UInt8[Tensor, "n 1 h w"]:
    """`image` at the places that an affine map gives, dark beyond its border."""
    grid = affine_grid(place, list(image.shape), align_corners=False)
    return grid_sample(image.float(), grid, align_corners=False).round().to(torch.uint8)
