"""What of an image is hidden, and must be painted: a mask is 1 there and 0 where the image is seen.

square                     half as high and wide as the image, at a random place           (Li et al. 2017)
centre                     the same in the middle
left, right, upper, lower  a half of the image
left-face, right-face, lower-face   half a face, and a border around it is seen: of faces whose eyes lie as in CelebA's aligned images
eyes, left-eye, right-eye  of the same faces; left and right as one sees them
strokes                    random brush strokes                                             (Yu et al. 2019, "free-form")
mixed                      for each image one of all these: what to train on for holes of any kind
some.png                   your own: white is painted, black is seen; grey counts as white from 128 on
"""

from math import pi
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from pushforward.core import BadInput, nearest

BOXES = {
    "centre": (0.25, 0.75, 0.25, 0.75),
    "left": (0.0, 1.0, 0.0, 0.5),
    "right": (0.0, 1.0, 0.5, 1.0),
    "upper": (0.0, 0.5, 0.0, 1.0),
    "lower": (0.5, 1.0, 0.0, 1.0),
    "left-face": (0.12, 0.9, 0.1, 0.5),
    "right-face": (0.12, 0.9, 0.5, 0.9),
    "lower-face": (0.56, 0.92, 0.13, 0.87),
    "eyes": (0.35, 0.56, 0.12, 0.88),
    "left-eye": (0.35, 0.56, 0.12, 0.5),
    "right-eye": (0.35, 0.56, 0.5, 0.88),
}
"""Top, bottom, left and right of each, as shares of the sides."""
RANDOM = ("square", "strokes", "mixed")
NAMES = (*RANDOM, *BOXES)
STROKES, CORNERS = 4, 5
"""Brush strokes of a mask, and pieces of each."""
LONG, THICK, TURN = (0.1, 0.3), (0.04, 0.1), pi / 3
"""Length of a piece and half its thickness, as shares of the shorter side; how far it turns at a corner."""


def check(name: str) -> None:
    """Refuse what is no mask.

    Raises:
        BadInput: neither a name nor a .png that is there.
    """
    if name not in NAMES and not (name.lower().endswith(".png") and Path(name).expanduser().is_file()):
        raise BadInput(f"mask is '{name}'; choose {', '.join(NAMES)}, or a .png of your own, white where to paint{nearest(name, NAMES)}")


def holes(name: str, count: int, height: int, width: int, chance: torch.Generator) -> Float[Tensor, "n 1 h w"]:
    """`count` masks of a name, where `chance` lies; those that are not random are all the same."""
    if name == "mixed":
        return mixed(count, height, width, chance)
    if name == "strokes":
        return strokes(count, height, width, chance)
    if name == "square":
        return squares(count, height, width, chance)
    hidden = torch.zeros(1, 1, height, width, device=chance.device)
    top, bottom, left, right = BOXES[name]
    hidden[..., round(top * height) : round(bottom * height), round(left * width) : round(right * width)] = 1
    return hidden.expand(count, -1, -1, -1).contiguous()


def mixed(count: int, height: int, width: int, chance: torch.Generator) -> Float[Tensor, "n 1 h w"]:
    """A mask of any kind for each."""
    kinds = [name for name in NAMES if name != "mixed"]
    chosen = torch.randint(len(kinds), (count,), generator=chance, device=chance.device)
    found = torch.empty(count, 1, height, width, device=chance.device)
    for number, name in enumerate(kinds):
        if len(place := (chosen == number).nonzero().flatten()):
            found[place] = holes(name, len(place), height, width, chance)
    return found


def squares(count: int, height: int, width: int, chance: torch.Generator) -> Float[Tensor, "n 1 h w"]:
    """Rectangles of half the sides at random places."""
    inside = []
    for side in (height, width):
        long = max(1, side // 2)
        start = (torch.rand(count, 1, generator=chance, device=chance.device) * (side - long + 1)).floor()
        place = torch.arange(side, device=chance.device)
        inside.append((place >= start) & (place < start + long))
    return (inside[0][:, None, :, None] & inside[1][:, None, None, :]).float()


def strokes(count: int, height: int, width: int, chance: torch.Generator) -> Float[Tensor, "n 1 h w"]:
    """Polylines with round ends: every pixel nearer to a piece than its half thickness."""
    short = min(height, width)

    def between(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(count, *shape, generator=chance, device=chance.device)

    corner = between(0, 1, STROKES, 2) * torch.tensor([height, width], device=chance.device)
    angle, thick = between(0, 2 * pi, STROKES), between(*THICK, STROKES) * short
    rows, columns = torch.meshgrid(*(torch.arange(side, device=chance.device) + 0.5 for side in (height, width)), indexing="ij")
    hidden = torch.zeros(count, height, width, dtype=torch.bool, device=chance.device)
    for _ in range(CORNERS):
        step = torch.stack([angle.sin(), angle.cos()], 2) * (between(*LONG, STROKES) * short)[..., None]
        away = [grid - corner[..., axis, None, None] for axis, grid in enumerate((rows, columns))]
        along = sum(a * step[..., axis, None, None] for axis, a in enumerate(away)) / step.square().sum(-1)[..., None, None]
        share = torch.as_tensor(along).clamp(0, 1)
        square = sum((a - share * step[..., axis, None, None]).square() for axis, a in enumerate(away))
        hidden |= (torch.as_tensor(square) < thick.square()[..., None, None]).any(1)
        corner, angle = corner + step, angle + between(-TURN, TURN, STROKES)
    return hidden[:, None].float()
