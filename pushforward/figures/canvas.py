"""What all pictures share: colours, lettering, the way from numbers to pixels, and to a file."""

from __future__ import annotations

import os
import warnings
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFont

from pushforward.core import BadInput

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PAPER = "#ffffff"
INK = "#24292f"
MUTED = "#5c646d"
HAIRLINE = "#d5d9de"
UNKNOWN = "#b4b9bf"
"""Examples whose class is not known."""
REAL, MADE = "#4477aa", "#d55e00"
"""The two colours of data beside what a system made, far apart in brightness too."""

PALETTE = ("#4477aa", "#ffa90e", "#882255", "#7bccb5", "#332288", "#997700", "#66ccee", "#a96b59", "#ddcc77", "#661100")
"""Ten colours that stay apart (CIE76 difference >= 28) for normal, red-blind and green-blind eyes, simulated after Machado et al. 2009."""
MARKERS = "o^sDvP*X"
"""From the eleventh class on, colours come again with another shape."""

DPI = 200
"""Charts have two pixels for each one on the page, so that they are sharp on fine screens and in print."""
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


def array(values: Any) -> NDArray[Any]:
    """A tensor (on any device), an array, or a list of such as a numpy array."""
    if isinstance(values, list | tuple):
        return np.array([array(value) for value in values])
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)


def coloured(values: NDArray[Any]) -> NDArray[Any]:
    """Images [N, C, H, W] as [N, 3, H, W]: of one channel or two the first as grey, else the first three."""
    return np.broadcast_to(values[:, : 3 if values.shape[1] >= 3 else 1], (len(values), 3, *values.shape[2:]))


def pixels(images: Any) -> NDArray[np.uint8]:
    """Images [N, C, H, W] in [-1, 1] as pixels [N, H, W, 3] in 0..255. NaN and infinity become magenta.

    Of two channels the first is shown, of more than three the first three.

    Raises:
        BadInput: no images, or another shape.
    """
    values = array(images).astype(np.float32)
    if values.ndim != 4 or values.size == 0:
        raise BadInput(f"A picture needs images [N, C, H, W], not shape {list(values.shape)}.")
    values = coloured(values).transpose(0, 2, 3, 1)
    broken = np.logical_not(np.isfinite(values).all(axis=-1, keepdims=True))
    found = np.rint((np.where(broken, 0, values).clip(-1, 1) + 1) * 127.5).astype(np.uint8)
    return np.where(broken, np.array((255, 0, 255), np.uint8), found)


def legible(text: object, length: int = 22) -> str:
    """`text` on one line, cut to `length` characters, without characters that cannot be printed."""
    line = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in " ".join(str(text).split()))
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """The lettering of sheets, the same as that of charts: matplotlib brings it along, with Greek and Cyrillic."""
    import matplotlib

    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", size)


def stacked(pictures: list[Image.Image], space: int) -> Image.Image:
    """Pictures one below the other, flush right, `space` pixels apart."""
    width = max(picture.width for picture in pictures)
    found = Image.new("RGB", (width, sum(picture.height + space for picture in pictures) - space), PAPER)
    top = 0
    for picture in pictures:
        found.paste(picture, (width - picture.width, top))
        top += picture.height + space
    return found


def save(picture: Image.Image, path: str | os.PathLike[str]) -> Path:
    """Write `picture` to `path` (PNG, JPEG or WebP by its ending), whole or not at all; folders are made where missing.

    Raises:
        BadInput: another ending.
    """
    target = Path(path)
    if target.suffix.lower() not in SUFFIXES:
        raise BadInput(f"Pictures are not written as '{target.name}'; end the name in one of {', '.join(SUFFIXES)}.")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{os.getpid()}-{target.name}")
    try:
        picture.save(part, optimize=True)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    return target


def blank(width: float, height: float) -> Figure:
    """An empty chart of so many inches, apart from pyplot's global list of figures."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor=PAPER)
    FigureCanvasAgg(figure)
    return figure


def plain(axes: Axes, across: str = "", up: str = "") -> None:
    """Quiet axes: hairlines at the left and below, small grey numbers, labels that are never read as formulas."""
    axes.set_facecolor(PAPER)
    axes.tick_params(labelsize=8, labelcolor=MUTED, color=HAIRLINE, length=3, width=0.8)
    for side, spine in axes.spines.items():
        spine.set(visible=side in ("left", "bottom"), color=HAIRLINE, linewidth=0.8)
    axes.set_xlabel(across, fontsize=9, color=MUTED, parse_math=False)
    axes.set_ylabel(up, fontsize=9, color=MUTED, parse_math=False)


def legend(owner: Axes | Figure, handles: list[Any], names: list[str], length: int = 22, **place: Any) -> None:
    """A legend whose names are shown as they are, also where they hold `$` or begin with `_` (which matplotlib would leave out)."""
    drawn = owner.legend(handles, [str(i) for i in range(len(names))], frameon=False, fontsize=8.5, labelcolor=INK, **place)
    for text, name in zip(drawn.get_texts(), names, strict=True):
        text.set_parse_math(False)
        text.set_text(legible(name, length))


def drawn(figure: Figure) -> Image.Image:
    """The chart as a picture."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a class named in a script that the lettering lacks shows as boxes
        figure.canvas.draw()
    return Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")  # type: ignore[attr-defined]
