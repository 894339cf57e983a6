"""What is hidden of a user's photos. Imports torch: loaded when needed."""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate, pad

from pushforward.cli.opening import say
from pushforward.cli.predicting import decoded, listed
from pushforward.core import BadInput
from pushforward.data import drawn_masks, masks
from pushforward.data.images import printable


@dataclass(frozen=True)
class Hidden:
    """A hole for every photo: as one picture says, or a picture for each; or one that has a name, in the central square."""

    size: tuple[int, int]
    """Height and width of the run's images."""
    name: str
    """Of the hole, or the picture that training had; where the user gave none."""
    one: Path | None = None
    """The user's picture,"""
    each: dict[str, Path] | None = None
    """or theirs by what their photos are called, without ending."""

    @classmethod
    def by(cls, mask: Path | None, size: tuple[int, int], trained: str, images: Path) -> "Hidden":
        """mask: a picture, a folder of them, or a name; else what was hidden in training.

        Raises:
            BadInput: none of these, or the folder of the photos.
        """
        if mask is None or str(mask) in masks.NAMES:
            return cls(size, str(mask or trained))
        if not mask.is_dir():
            if not mask.is_file() and not mask.suffix:
                masks.check(str(mask))
            return cls(size, "", one=mask)
        if mask.resolve() == images.expanduser().resolve():
            raise BadInput(f"'{mask}' is the folder of the photos; give one that holds masks alone, each called as its photo.")
        files = [file for file in mask.rglob("*") if file.is_file() and not file.name.startswith(".")]
        files.sort(key=lambda file: (file.suffix.lower() == ".png", file))  # of two of one name the PNG
        return cls(size, "", each={printable(str(file.relative_to(mask).with_suffix(""))): file for file in files})

    @property
    def drawn(self) -> bool:
        """Whether a user has drawn it."""
        return not self.name

    def picture(self, photo: str) -> Path | None:
        """The picture of a photo's hole: that of the same path, or else of the same name."""
        if self.each is None:
            return self.one
        stem = Path(photo).with_suffix("")
        return self.each.get(str(stem)) or self.each.get(stem.name)

    def of(self, photo: str, tall: int, wide: int) -> Float[Tensor, "1 1 h w"]:
        """The hole of a photo.

        Raises:
            BadInput: a picture that does not fit it.
        """
        if picture := self.picture(photo):
            return drawn_masks.drawn(picture, tall, wide)[None, None]
        side = central(tall, wide, self.size)
        top, left = (tall - side[0]) // 2, (wide - side[1]) // 2
        if self.name in masks.NAMES:
            hole = masks.holes(self.name, 1, *side, torch.Generator().manual_seed(0))
        else:
            hole = interpolate(drawn_masks.drawn(Path(self.name).expanduser(), *self.size)[None, None], side, mode="nearest-exact")
        return pad(hole, (left, wide - left - side[1], top, tall - top - side[0]))

    def look_through(self, images: Path, largest: int | None) -> None:
        """Look at all holes of a user's photos before one is painted, and say which masks are more than black and white.

        Raises:
            BadInput: photos without a mask, or a mask that does not fit its photo, or hides more than `largest` pixels.
        """
        missing, pictures, count = [], dict[Path, float](), 0
        for name, _, pixels in decoded(images, quietly=True):
            count += 1
            if self.drawn and self.picture(name) is None:
                missing.append(name)
                continue
            if (picture := self.picture(name)) and picture not in pictures:
                pictures[picture] = drawn_masks.half_tones(drawn_masks.grey_of(picture))
            hidden = int(self.of(name, *pixels.shape[:2]).sum())
            if largest and hidden > largest:
                told = f"The hole of '{name}' has {hidden:,} pixels, but no more than {largest:,} are blended"
                raise BadInput(f"{told}. Make the photo smaller, or leave --blend out.")
        if missing:
            told = f"There is no mask for {len(missing)} of {count} photos: {listed(missing)}"
            raise BadInput(f"{told}. Draw them, each called as its photo, white where to paint.")
        if grey := [path.name for path, share in pictures.items() if share > drawn_masks.FAINT]:
            told = f"{len(grey)} of {len(pictures)} masks are not black and white alone"
            say(f"{told}, and what is middling grey or lighter is painted: {listed(grey)}.")


def central(tall: int, wide: int, size: tuple[int, int]) -> tuple[int, int]:
    """Height and width of the central part that a run sees of a photo: all of one of its size, else the largest square."""
    return size if (tall, wide) == size else (min(tall, wide),) * 2
