"""Paints what a mask hides of photos of any size. Imports torch: loaded when needed.

A system sees a square of a photo, the central one or that nearest to it around all that is hidden, in the size that it was trained on; what
it paints there is enlarged, and replaces what is hidden. Every other pixel of the photo stays as it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torch.nn.functional import adaptive_max_pool2d, interpolate, pad

from pushforward.cli.opening import say
from pushforward.cli.predicting import decoded
from pushforward.core import BadInput, Batch
from pushforward.data import drawn_masks, masks
from pushforward.data.decode import loses
from pushforward.data.resize import fitted
from pushforward.runs import Run

UNLIKE = {False: "it was made grey, as the run's images are", True: "it is grey, and the run paints in colours"}


@dataclass(frozen=True)
class Photo:
    """A user's photo, what is hidden of it, and the part that a system sees."""

    name: str
    image: Float[Tensor, "1 c h w"]
    """In [-1, 1]."""
    hole: Float[Tensor, "1 1 h w"]
    top: int
    left: int
    side: tuple[int, int]
    """Of the part."""
    central: bool
    """Whether it lies in the middle."""
    shown: Batch
    """`source` and `mask` of the part, in the size of the run."""

    def put(self, painted: Float[Tensor, "1 c p q"]) -> Float[Tensor, "1 c h w"]:
        """What was painted of the part, enlarged to its place; around it its rim goes on, so that there is no slope to be blended."""
        if painted.shape[2:] != self.side:
            painted = interpolate(painted, self.side, mode="bicubic", antialias=True).clamp(-1, 1)
        bottom, right = self.image.shape[2] - self.top - self.side[0], self.image.shape[3] - self.left - self.side[1]
        return pad(painted, (self.left, right, self.top, bottom), mode="replicate")


def photos(run: Run, path: Path, mask: Path | None) -> Iterator[Photo]:
    """A user's photos one by one, with what a mask hides, or what was hidden in training.

    Raises:
        BadInput: no photo, or a mask that does not fit one.
    """
    if mask and (told := drawn_masks.greys(mask.expanduser())):
        say(told)
    for name, content, pixels in decoded(path):
        colours = run.recipe.config["shape"][0] == 3
        told = "" if colours == (pixels.ndim == 3) else UNLIKE[colours]
        if lost := ", and ".join(filter(None, (loses(content), told))):
            say(f"{name}: {lost}; all else that is seen stays as it is.")
        yield photo_of(run, name, pixels, mask)


def photo_of(run: Run, name: str, pixels: np.ndarray, mask: Path | None) -> Photo:
    """One photo.

    Raises:
        BadInput: a run of images that are not square and a photo of another size, or a mask that does not fit.
    """
    channels, height, width = run.recipe.config["shape"]
    picture = Image.fromarray(pixels).convert("L" if channels == 1 else "RGB")
    tall, wide = picture.height, picture.width
    same = (tall, wide) == (height, width)
    if not same and height != width:
        raise BadInput(f"'{name}' has {wide}x{tall} pixels, but the run was trained on {width}x{height}; resize it.")
    side = (height, width) if same else (min(tall, wide),) * 2
    middle = top, left = (tall - side[0]) // 2, (wide - side[1]) // 2
    if mask:
        hole = drawn_masks.drawn(mask.expanduser(), tall, wide)[None, None]
        top, left = (around(hole.amax((0, 1, axis)), edge, start) for axis, edge, start in ((3, side[0], top), (2, side[1], left)))
    else:
        hole = pad(hidden(run.recipe.data.mask, side, (height, width)), (left, wide - left - side[1], top, tall - top - side[0]))
    inside = hole[:, :, top : top + side[0], left : left + side[1]]
    if float(inside.sum()) < float(hole.sum()):
        raise BadInput(
            f"What the mask hides of '{name}' fits into no square of {side[0]} pixels, the most that the run sees; paint it in parts."
        )
    small = inside if same else smaller(inside, (height, width))
    image = as_values(picture)
    seen = Image.fromarray(without(np.asarray(picture.crop((left, top, left + side[1], top + side[0]))), inside[0, 0].numpy() > 0))
    shown = as_values(seen if same else fitted(seen, width))
    source = shown * (1 - small) + 0.0
    return Photo(name, image, hole, top, left, (side[0], side[1]), (top, left) == middle, {"source": source, "mask": small})


def around(hidden: Tensor, side: int, start: int) -> int:
    """Where a square of this side begins along a photo, as near to `start` as it can and still hold all that is hidden there."""
    places = hidden.nonzero()
    return min(max(start, int(places[-1]) + 1 - side), int(places[0]))


def without(pixels: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """A photo in which each hidden pixel has the colour of the nearest seen one: what is hidden must not show where others are mixed."""
    from scipy.ndimage import distance_transform_edt

    if hole.all():
        return np.full_like(pixels, 128)
    row, column = distance_transform_edt(hole, return_distances=False, return_indices=True)
    return pixels[row, column]


def as_values(picture: Image.Image) -> Float[Tensor, "1 c h w"]:
    """A picture in [-1, 1], as batches hold them."""
    pixels = torch.from_numpy(np.asarray(picture).copy())
    return (pixels[None, None] if pixels.ndim == 2 else pixels.permute(2, 0, 1)[None]).float().div(127.5).sub(1)


def hidden(mask: str, side: tuple[int, int], size: tuple[int, int]) -> Float[Tensor, "1 1 p q"]:
    """What was hidden in training, in a square of this side."""
    if mask in masks.NAMES:
        return masks.holes(mask, 1, *side, torch.Generator().manual_seed(0))
    return interpolate(drawn_masks.drawn(Path(mask).expanduser(), *size)[None, None], side, mode="nearest-exact")


def smaller(hole: Float[Tensor, "1 1 p q"], size: tuple[int, int]) -> Float[Tensor, "1 1 h w"]:
    """A mask in the size of the run: hidden wherever some of it is."""
    return adaptive_max_pool2d(hole, size) if hole.shape[2] >= size[0] else interpolate(hole, size, mode="nearest-exact")
