"""Images side by side."""

from collections.abc import Sequence
from math import ceil, isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from pushforward.core import BadInput
from pushforward.figures.canvas import MUTED, PALETTE, PAPER, array, coloured, font, legible, pixels, stacked

TILE = 56
"""Pixels that the longer side of a tile has at least, so that digits of 8 x 8 can be seen."""
CROWD = 28
"""The same in a manifold, which is looked at as a whole."""
READABLE = 140
"""The same where each tile has a caption of its own."""
BLOCKS = 12
"""Pixels between blocks of rows."""
UNSEEN = (-0.3, -0.1, 0.1)
"""A slate blue, in [-1, 1]: places that a completion was not shown."""


def sheet(images: Any, columns: int | None = None, rows: Sequence[str] = (), heads: Sequence[str] = ()) -> Image.Image:
    """A contact sheet of images [N, C, H, W] in [-1, 1], row by row, on white with thin gaps.

    Small images are enlarged by a whole factor, each pixel becoming a square. columns: about as many as rows where None.
    rows, heads: captions, one at the left of each row and one above each column.
    """
    tiles = _enlarged(pixels(images), TILE)
    gap = max(2, tiles.shape[1] // 28)
    grid = _grid(tiles, columns or ceil(len(tiles) ** 0.5), gap)
    return _captioned(grid, tiles.shape[2], tiles.shape[1], gap, rows, heads) if rows or heads else grid


def labelled(images: Any, captions: Sequence[str], columns: int = 5) -> Image.Image:
    """Images [N, C, H, W], `columns` to a line, each with its caption below, of which the end is shown where it is too long."""
    tiles = _enlarged(pixels(images), READABLE)
    height, width = tiles.shape[1:3]
    letters, gap = font(13), 12
    below = int(letters.size) + 6
    page = Image.new("RGB", (columns * (width + gap) - gap, ceil(len(tiles) / columns) * (height + below + gap) - gap), PAPER)
    pen = ImageDraw.Draw(page)
    most = int(width / letters.getlength("0"))
    for place, (tile, caption) in enumerate(zip(tiles, captions, strict=True)):
        row, column = divmod(place, columns)
        left, top = column * (width + gap), row * (height + below + gap)
        page.paste(Image.fromarray(tile), (left, top))
        shown = caption if len(caption) <= most else "…" + caption[1 - most :]
        pen.text((left + width // 2, top + height + below - 4), legible(shown, most), MUTED, letters, "ms")
    return page


def pairs(images: Any, reconstructions: Any, columns: int = 8) -> Image.Image:
    """Images [N, C, H, W] and below each its reconstruction, `columns` to a line."""
    return _walls([array(images), array(reconstructions)], ["input", "output"], columns)


def as_picture(source: Any) -> NDArray[Any]:
    """A source [N, S, H, W] as pictures: itself, but of maps of 0 and 1 a colour for the one that is 1 at each pixel."""
    maps = array(source)
    of_parts = maps.shape[1] > 1 and np.isin(maps, (0, 1)).all() and (maps.sum(1) == 1).all()
    return in_colours(maps) if of_parts else maps


def in_colours(maps: NDArray[Any]) -> NDArray[Any]:
    """A colour for the map [N, P, H, W] that is largest at each pixel."""
    names = part_colours(maps.shape[1])
    colours = np.array([[int(name[place : place + 2], 16) / 127.5 - 1 for place in (1, 3, 5)] for name in names], np.float32)
    return colours[maps.argmax(1)].transpose(0, 3, 1, 2)


def part_colours(count: int) -> list[str]:
    """The colours `#rrggbb` in which maps of so many parts are drawn: a palette, then the same halfway to white, then halfway to black."""
    found = []
    for number in range(count):
        name, towards = PALETTE[number % len(PALETTE)], (None, 255, 0)[number // len(PALETTE) % 3]
        parts = [int(name[place : place + 2], 16) for place in (1, 3, 5)]
        found.append("#" + "".join(f"{part if towards is None else (part + towards) // 2:02x}" for part in parts))
    return found


def parsed(images: Any, answers: Any, truth: Any, parts: int) -> Image.Image:
    """Images [N, C, H, W], and below each the parts [N, H, W] that were found in it and those that are there, a colour each."""
    maps = [np.eye(parts, dtype=np.float32)[array(each).astype(int)].transpose(0, 3, 1, 2) for each in (answers, truth)]
    shown = coloured(array(images))
    painted = [np.broadcast_to(in_colours(each), shown.shape) for each in maps]
    return sheet(np.concatenate([shown, *painted]), len(shown), rows=["image", "found", "truth"])


def completions(source: Any, answers: Any, truth: Any = None, mask: Any = None) -> Image.Image:
    """An example a column: what was seen [N, S, H, W], then answers [A, N, C, H, W] and, where given, the truth [N, C, H, W].

    mask [N, 1, H, W]: 1 where nothing was seen; these places are slate blue in the first row. Answers that are all alike are shown once.
    """
    seen, guesses = as_picture(source), array(answers)
    guesses = guesses[:1] if (guesses == guesses[:1]).all() else guesses
    if mask is not None:
        seen = coloured(seen)
        hidden = np.broadcast_to(array(mask) > 0.5, seen.shape)
        seen = np.where(hidden, np.array(UNSEEN, np.float32).reshape(1, 3, 1, 1), seen)
    names = ["seen"] + ["answer" if len(guesses) == 1 else f"answer {i + 1}" for i in range(len(guesses))]
    rows = [seen, *guesses]
    if truth is not None:
        names, rows = [*names, "truth"], [*rows, array(truth)]
    return sheet(np.concatenate([coloured(row) for row in rows]), len(seen), rows=names)


def interpolation(images: Any, captions: Sequence[str]) -> Image.Image:
    """Walks [P, R, S, C, H, W] of S steps from t = 0 at the left to 1 at the right: for each of P pairs of ends R walks, each a row
    with its caption [R]."""
    walks = array(images)
    steps = walks.shape[2]
    heads = ["0"] + [""] * (steps - 2) + ["1"]
    if steps % 2:
        heads[steps // 2] = "½"
    blocks = [sheet(pair.reshape(-1, *pair.shape[2:]), steps, captions, () if number else heads) for number, pair in enumerate(walks)]
    return stacked(blocks, BLOCKS)


def manifold(images: Any) -> Image.Image:
    """The images [S * S, C, H, W] of a grid of codes, edge to edge."""
    tiles = _enlarged(pixels(images), CROWD)
    side = isqrt(len(tiles))
    if side * side != len(tiles):
        raise BadInput(f"A manifold is a square of images, and {len(tiles)} is no square number; give {side * side}.")
    return _grid(tiles, side, 0)


def _enlarged(tiles: NDArray[np.uint8], least: int) -> NDArray[np.uint8]:
    factor = ceil(least / max(tiles.shape[1:3]))
    return tiles.repeat(factor, axis=1).repeat(factor, axis=2)


def _grid(tiles: NDArray[np.uint8], columns: int, gap: int) -> Image.Image:
    height, width = tiles.shape[1:3]
    lines = ceil(len(tiles) / columns)
    picture = Image.new("RGB", (columns * (width + gap) - gap, lines * (height + gap) - gap), PAPER)
    for place, tile in enumerate(tiles):
        row, column = divmod(place, columns)
        picture.paste(Image.fromarray(tile), (column * (width + gap), row * (height + gap)))
    return picture


def _captioned(grid: Image.Image, width: int, height: int, gap: int, rows: Sequence[str], heads: Sequence[str]) -> Image.Image:
    """`grid`, whose tiles are `width` x `height`, with a margin of captions at the left and above."""
    letters = font(min(24, max(13, height * 2 // 7)))
    space, size = int(letters.size) // 2, int(letters.size)
    names = [legible(row) for row in rows]
    left = ceil(max(letters.getlength(name) for name in names)) + 2 * space if names else 0
    top = size + space if heads else 0
    picture = Image.new("RGB", (left + grid.width, top + grid.height), PAPER)
    picture.paste(grid, (left, top))
    pen = ImageDraw.Draw(picture)
    for row, name in enumerate(names):
        pen.text((left - space, top + row * (height + gap) + height // 2), name, MUTED, letters, "rm")
    for column, head in enumerate(heads):
        name = legible(head, max(2, int(width / letters.getlength("0"))))
        pen.text((left + column * (width + gap) + width // 2, size), name, MUTED, letters, "ms")
    return picture


def _walls(groups: Sequence[NDArray[Any]], captions: Sequence[str], columns: int) -> Image.Image:
    """Blocks of `columns` images of each group, a captioned row for each group, blocks a little apart."""
    blocks: list[Image.Image] = []
    for start in range(0, len(groups[0]), columns):
        cut = [group[start : start + columns] for group in groups]
        missing = columns - len(cut[0]) if blocks else 0
        paper = np.ones((missing, *cut[0].shape[1:]), np.float32)
        blocks.append(sheet(np.concatenate([np.concatenate([part, paper]) for part in cut]), len(cut[0]) + missing, captions))
    return stacked(blocks, BLOCKS)
