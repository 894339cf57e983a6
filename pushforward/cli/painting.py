"""Paints what a mask hides of photos of any size. Imports torch: loaded when needed.

A system sees a square of a photo, the central one or that nearest to it around all that is hidden, in the size that it was trained on; what
it paints there is enlarged, and replaces what is hidden. Where no square of the photo holds all that is hidden and something else, it sees
the whole photo, made square by mirroring its edges. Every other pixel of the photo stays as it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torch.nn.functional import adaptive_max_pool2d, interpolate, pad

from pushforward.cli.hiding import Hidden, central
from pushforward.cli.opening import say
from pushforward.cli.predicting import decoded
from pushforward.core import BadInput, Batch
from pushforward.data.decode import loses
from pushforward.data.resize import fitted
from pushforward.figures.canvas import pixels as pixels_of
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
    """Of the part; below 0 where it has edges mirrored."""
    side: tuple[int, int]
    """Of the part."""
    seen: str
    """The part in words."""
    shown: Batch
    """`source` and `mask` of the part, in the size of the run."""
    profile: bytes | None = None
    """How the file says that its colours are meant (ICC)."""

    def put(self, painted: Float[Tensor, "1 c p q"]) -> Float[Tensor, "1 c h w"]:
        """What was painted of the part, enlarged to its place; around it its rim goes on, so that there is no slope to be blended."""
        if painted.shape[2:] != self.side:
            painted = interpolate(painted, self.side, mode="bicubic", antialias=True).clamp(-1, 1)
        tall, wide = self.image.shape[2:]
        painted = painted[:, :, max(0, -self.top) : tall - self.top, max(0, -self.left) : wide - self.left]
        bottom, right = (
            max(0, whole - start - side) for whole, start, side in zip((tall, wide), (self.top, self.left), self.side, strict=True)
        )
        return pad(painted, (max(0, self.left), right, max(0, self.top), bottom), mode="replicate")

    def picture(self, made: Float[Tensor, "1 c h w"]) -> Image.Image:
        """An answer as it is written."""
        picture = Image.fromarray(pixels_of(made)[0]).convert("L" if made.shape[1] == 1 else "RGB")
        picture.info |= {"icc_profile": self.profile} if self.profile else {}
        return picture


def photos(run: Run, path: Path, mask: Path | None, largest: int | None = None) -> Iterator[Photo]:
    """A user's photos one by one, with what a mask hides, or what was hidden in training.

    mask: a picture, a folder of them, each called as its photo, or the name of a hole. largest: pixels of a hole.

    Raises:
        BadInput: no photo, or a mask that is not there, does not fit one, or hides too much; before the first is given.
    """
    channels, *size = run.recipe.config["shape"]
    if channels not in (1, 3):
        raise BadInput(f"{run} completes images of {channels} channels, which no photo has. Open it in Python, and call its edit.")
    hidden = Hidden.by(mask and mask.expanduser(), (size[0], size[1]), run.recipe.data.mask, path)
    if hidden.drawn or largest:
        hidden.look_through(path, largest)
    for name, content, pixels in decoded(path):
        told = "" if (channels == 3) == (pixels.ndim == 3) else UNLIKE[channels == 3]
        if lost := ", and ".join(filter(None, (loses(content), told))):
            say(f"{name}: {lost}; all else that is seen stays as it is.")
        yield replace(photo_of(run, name, pixels, hidden), profile=profile(content, channels == 3))


def photo_of(run: Run, name: str, pixels: np.ndarray, hidden: Hidden) -> Photo:
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
    side = central(tall, wide, (height, width))
    middle = top, left = (tall - side[0]) // 2, (wide - side[1]) // 2
    hole = hidden.of(name, tall, wide)
    if hidden.drawn:
        top, left = (around(hole.amax((0, 1, axis)), edge, start) for axis, edge, start in ((3, side[0], top), (2, side[1], left)))
    inside = hole[0, 0, top : top + side[0], left : left + side[1]]
    words = "its central square" if (top, left) == middle else "a square of it around what is hidden"
    if float(inside.sum()) < float(hole.sum()) or bool(inside.all()):
        side, words = (max(tall, wide),) * 2, "all of it, its edges mirrored to make a square,"
        top, left = (tall - side[0]) // 2, (wide - side[1]) // 2
    seen, unseen = (cut(each, top, left, side) for each in (np.asarray(picture), hole[0, 0].numpy()))
    small = torch.from_numpy(unseen)[None, None]
    small = small if same else smaller(small, (height, width))
    known = Image.fromarray(without(seen, unseen > 0))
    shown = as_values(known if same else fitted(known, width))
    source = shown * (1 - small) + 0.0
    return Photo(name, as_values(picture), hole, top, left, (side[0], side[1]), words, {"source": source, "mask": small})


def cut(pixels: np.ndarray, top: int, left: int, side: tuple[int, ...]) -> np.ndarray:
    """A part of a picture [h, w] or [h, w, c]; beyond its edges what is there is mirrored, be it hidden."""
    ends = [(top, top + side[0], pixels.shape[0]), (left, left + side[1], pixels.shape[1])]
    beyond = [(max(0, -start), max(0, end - whole)) for start, end, whole in ends]
    if any(map(any, beyond)):
        pixels = np.pad(pixels, [*beyond, *[(0, 0)] * (pixels.ndim - 2)], mode="symmetric")
    return pixels[max(0, top) : max(0, top) + side[0], max(0, left) : max(0, left) + side[1]].copy()


def profile(content: bytes, colours: bool) -> bytes | None:
    """The ICC profile of a picture, where what is written is of the kind that it speaks of: coloured, or grey."""
    with Image.open(BytesIO(content)) as picture:
        return picture.info.get("icc_profile") if picture.mode in (("RGB", "RGBA") if colours else ("L", "LA")) else None


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


def smaller(hole: Float[Tensor, "1 1 p q"], size: tuple[int, int]) -> Float[Tensor, "1 1 h w"]:
    """A mask in the size of the run: hidden wherever some of it is."""
    return adaptive_max_pool2d(hole, size) if hole.shape[2] >= size[0] else interpolate(hole, size, mode="nearest-exact")
