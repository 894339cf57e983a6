"""What a generator net does to the plane: clouds of points, and a grid of codes stretched like a cloth."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pushforward.core import BadInput
from pushforward.figures.canvas import INK, MADE, MUTED, REAL, array, blank, drawn, legible

FAINT = 0.06
"""Opacity of the most stretched pieces of a line: what lies between two clouds carries next to no points."""
THREADS = ("viridis", "plasma")
"""Colours of the lines along which the second code changes, and of those along which the first does."""


def latent_grid(lines: int = 25, reach: float = 2.6, steps: int = 401) -> NDArray[np.float64]:
    """A square grid of codes [2 * lines, steps, 2]: `lines` upright lines from -reach to reach, then as many level ones."""
    place, along = np.linspace(-reach, reach, lines), np.linspace(-reach, reach, steps)
    upright = np.stack(np.broadcast_arrays(place[:, None], along[None]), -1)
    return np.concatenate([upright, upright[..., ::-1]])


def cloth(grid: Any, image: Any, reach: float = 0.0) -> Image.Image:
    """A grid of codes [L, S, 2] beside its image under G [L, S, 2], each line in the same colour: the more it is stretched, the fainter.

    reach: the image is shown from -reach to reach; 0: as far as it goes. Pictures with the same reach have the same size.
    """
    before, after = array(grid), array(image)
    figure = blank(7.2, 3.7)
    left, right = figure.subplots(1, 2)
    for axes, lines, name in ((left, before, "z"), (right, after, "x = G(z)")):
        _threads(axes, lines, np.linalg.norm(np.diff(after, axis=1), axis=-1))
        _frame(axes, name)
    low, high = (-reach, reach) if reach else (after.min() - 0.1, after.max() + 0.1)
    right.set(xlim=(low, high), ylim=(low, high))
    left.set(xlim=(1.04 * before.min(), 1.04 * before.max()), ylim=(1.04 * before.min(), 1.04 * before.max()))
    return drawn(figure)


def _threads(axes: Any, lines: NDArray[Any], stretch: NDArray[Any]) -> None:
    """Lines [L, S, 2] in the colours of their family, of which each piece is as faint as it is stretched [L, S - 1]."""
    import matplotlib
    from matplotlib.collections import LineCollection

    family = len(lines) // 2
    usual = np.median(stretch)
    solid = np.clip(usual / np.maximum(stretch, 1e-12), FAINT, 1) * 0.85
    for number, name in enumerate(THREADS):
        mine = slice(number * family, (number + 1) * family)
        colours = matplotlib.colormaps[name](np.linspace(0.08, 0.85, family))
        pieces = np.stack([lines[mine, :-1], lines[mine, 1:]], 2)
        shades = np.broadcast_to(colours[:, None], (*pieces.shape[:2], 4)).copy()
        shades[..., 3] = solid[mine]
        axes.add_collection(LineCollection(list(pieces.reshape(-1, 2, 2)), colors=shades.reshape(-1, 4), linewidths=0.7))


def clouds(rows: Sequence[Sequence[Any]], names: Sequence[str], heads: Sequence[str]) -> Image.Image:
    """Points of the plane: rows of clouds [N, 2], each row with its name at the left, each column with its head above and one scale."""
    figure = blank(1.7 * len(heads) + 0.3, 1.75 * len(rows) + 0.2)
    grid = figure.subplots(len(rows), len(heads), squeeze=False)
    for column, head in enumerate(heads):
        both = np.concatenate([array(row[column]) for row in rows])
        middle, reach = (both.max(0) + both.min(0)) / 2, np.ptp(both, 0).max() * 0.52
        for row, name in enumerate(names):
            axes, cloud = grid[row, column], array(rows[row][column])
            axes.scatter(cloud[:, 0], cloud[:, 1], s=0.5, c=MADE if row else REAL, alpha=0.45, linewidths=0)
            _frame(axes, head if row == 0 else "")
            axes.set(xlim=(middle[0] - reach, middle[0] + reach), ylim=(middle[1] - reach, middle[1] + reach))
            if column == 0:
                axes.set_ylabel(legible(name), fontsize=9, color=MUTED, parse_math=False)
    return drawn(figure)


def _frame(axes: Any, head: str) -> None:
    """A square without axes, under its name."""
    axes.set(xticks=[], yticks=[], aspect="equal")
    axes.spines[:].set_visible(False)
    axes.set_title(legible(head, 40), fontsize=9, color=INK, parse_math=False)


def animation(
    pictures: Sequence[Image.Image], path: str | os.PathLike[str], seconds: float = 6.0, width: int = 720, held: float = 2.0
) -> Path:
    """Write pictures of one size as an animated GIF of `width` pixels that runs for ever, the last one held for a while; or as MP4.

    Raises:
        BadInput: no pictures, a name that ends in neither .gif nor .mp4, or an MP4 where PyAV is not installed.
    """
    target = Path(path)
    if target.suffix.lower() not in (".gif", ".mp4") or not pictures:
        raise BadInput(f"An animation is at least one picture in a .gif or .mp4, not {len(pictures)} in '{target.name}'.")
    if target.suffix.lower() == ".mp4":
        return video(pictures, target, seconds, width)
    height = round(pictures[0].height * width / pictures[0].width)
    frames = [picture.resize((width, height), Image.Resampling.LANCZOS).quantize(64, dither=Image.Dither.NONE) for picture in pictures]
    times = [round(1000 * seconds / len(frames))] * len(frames)
    times[-1] = max(times[-1], round(1000 * held))
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{os.getpid()}-{target.name}")
    try:
        frames[0].save(part, save_all=True, append_images=frames[1:], duration=times, loop=0, optimize=True)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    return target


def video(pictures: Sequence[Image.Image], target: Path, seconds: float, width: int) -> Path:
    """Write pictures of one size as an MP4 (H.264) of about `width` pixels.

    Raises:
        BadInput: PyAV is not installed.
    """
    try:
        import av
    except ImportError:
        raise BadInput(f"'{target.name}' needs PyAV: pip install 'pushforward[video]', or write a .gif.") from None
    width -= width % 2
    height = 2 * round(pictures[0].height * width / pictures[0].width / 2)  # the codec takes even sides only
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{os.getpid()}-{target.name}")
    try:
        with av.open(str(part), "w", format="mp4") as file:
            stream = file.add_stream("h264", rate=max(1, round(len(pictures) / seconds)))
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for picture in pictures:
                frame = av.VideoFrame.from_image(picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS))
                file.mux(stream.encode(frame))
            file.mux(stream.encode())
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    return target
