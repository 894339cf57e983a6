"""A mask that a user drew: white is painted, black is seen."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from pushforward.core import BadInput
from pushforward.data.decode import NoImage, decode

WHITE = 128
"""Grey level from which on pixels are painted."""
FAINT = 0.02
"""Share of a mask's pixels, those of smooth edges, that may be neither black nor white without a word."""


def grey_of(path: Path) -> np.ndarray:
    """A user's mask as it was drawn, uint8 [h, w]; what is transparent is black.

    Raises:
        BadInput: no file, or one that is no picture.
    """
    if not path.is_file():
        raise BadInput(f"There is no file '{path}'; a mask is a PNG here, as large as the photo, white where to paint.")
    try:
        return np.asarray(Image.fromarray(decode(path.read_bytes(), ground="black")).convert("L"))
    except (OSError, NoImage) as error:
        raise BadInput(f"The mask '{path}' cannot be read as a picture ({error}); give another PNG.") from error


def half_tones(grey: np.ndarray) -> float:
    """The share of a drawn mask that is neither black nor white, within an eighth."""
    return float(((grey > 32) & (grey < 223)).mean())


def greys(path: Path) -> str:
    """What is to be said of a drawn mask that is more than black and white."""
    if half_tones(grey_of(path)) <= FAINT:
        return ""
    return f"The mask '{path}' is not black and white alone: what is middling grey or lighter is painted."


def drawn(path: Path, height: int, width: int) -> Float[Tensor, "h w"]:
    """A user's mask: 1 from middling grey on.

    Raises:
        BadInput: no file, or one that is no picture, of another size, empty or full.
    """
    grey = grey_of(path)
    if grey.shape != (height, width):
        found = f"{grey.shape[1]}x{grey.shape[0]}"
        raise BadInput(f"The mask '{path}' has {found} pixels, but images have {width}x{height}; draw it in that size.")
    hidden = torch.from_numpy((grey >= WHITE).astype(np.float32))
    if not 0 < float(hidden.mean()) < 1:
        what = "nothing: it is black all over" if not bool(hidden.any()) else "everything: it is white all over"
        raise BadInput(f"The mask '{path}' hides {what}; white is what to paint, black what is seen.")
    return hidden
