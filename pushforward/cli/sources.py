"""What a run that edits images is shown of a user's. Imports torch: loaded when needed."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor
from torch.nn.functional import adaptive_max_pool2d, interpolate

from pushforward import figures
from pushforward.cli.opening import say
from pushforward.cli.predicting import decoded, suited
from pushforward.cli.sampled import ARRAYS
from pushforward.core import BadInput, Batch
from pushforward.data import Dataset, arrays, label_maps, pairs
from pushforward.data.decode import NoImage, loses
from pushforward.data.resize import resized
from pushforward.runs import Run

COMPARED = 64
"""Training pairs that a user's images are compared with."""
WHITE = 225
"""Brightness from which on paper is white."""
LEVELS = 8
"""Of each channel that the colours of an image are counted in."""


def shown_of(run: Run, path: Path, drawn: bool = False) -> tuple[list[str], Batch]:
    """Names of a user's images, and the sources that the run's system makes of them, as in training; drawn: they are sources as they are.

    Raises:
        BadInput: no image that can be used.
    """
    if drawn and run.recipe.data.pairs != "edges":
        raise BadInput(f"{run} was not trained on outlines (--pairs edges), and takes images as they are. Leave --drawn out.")
    if drawn:
        return drawings(run, path)
    if path.suffix.lower() in ARRAYS:
        return of_array(run, path)
    if run.recipe.data.palette or run.recipe.data.pairs == "parts":
        return maps(run, path)
    height, width = run.recipe.config["shape"][1:]
    channels, way = channels_of(run), run.recipe.data.pairs
    if channels not in (1, 3):
        raise BadInput(f"Sources of {run} have {channels} channels, which no picture holds. Give them as .npy or .npz.")
    files, images = [], []
    for name, pixels in given(run, path):
        try:
            planes, _ = suited(pixels, (channels, height, width))
        except NoImage as reason:
            raise BadInput(f"'{name}' has {reason}; resize it.") from None
        files.append(name)
        images.append(torch.from_numpy(planes.copy()))
    data = Dataset(path.name, image=torch.stack(images), names=tuple(files))
    if way == "edges" and (count := sum(map(like_a_drawing, images))) > len(images) / 2:
        say(f"{count} of {len(images)} images look like drawings, and outlines were found of their lines; --drawn takes them as they are.")
    if way in ("edges", "grey"):
        found = pairs.part_of(data, way)
    else:
        found = replace(data, source=data.image)
        say_backwards(run, found)
    return files, {"source": replace(found, translate=True).batch(torch.arange(len(data)))["source"]}


def of_array(run: Run, path: Path) -> tuple[list[str], Batch]:
    """Numbers of the images of an array, and the sources that the run's system makes of them.

    Raises:
        BadInput: no such file, or images of other channels or, where the run's are not square, of another size.
    """
    way, (height, width) = run.recipe.data.pairs, run.recipe.config["shape"][1:]
    data = arrays.read_sources(path, "image" if way in ("edges", "grey") else "source")
    for note in data.notes:
        say(note)
    if data.image is not None and way in pairs.HALVES and data.shape[2] * height == 2 * width * data.shape[1]:
        data = replace(data, image=pairs.halved(data, way == "left-to-right").source)
    of_parts, shape = bool(run.recipe.data.palette) or way == "parts", (channels_of(run), height, width)
    known = (1, 3) if of_parts else (shape[0],)
    if data.image is None or data.shape[0] not in known or (height != width and data.shape[1:] != shape[1:]):
        asked = f"maps of parts of {width}x{height}" if of_parts else f"arrays [n, c, h, w] of {list(shape)}"
        raise BadInput(f"'{path}' holds examples of {list(data.shape)}, but {run} takes {asked}.")
    numbers = [str(number) for number in range(len(data))]
    if of_parts:
        return numbers, {"source": as_maps(run, replace(data, source=data.image, notes=()))[0]}
    data = resized(data, height if height == width else 0)
    found = pairs.part_of(data, way) if way in ("edges", "grey") else replace(data, source=data.image)
    if way not in ("edges", "grey"):
        say_backwards(run, found)
    return numbers, {"source": replace(found, translate=True).batch(torch.arange(len(data)))["source"]}


def like_a_drawing(image: UInt8[Tensor, "c h w"]) -> bool:
    """Whether an image is mostly white, with little that is neither white nor dark."""
    grey = image.float().mean(0)
    return bool((grey > WHITE).float().mean() > 0.6 and ((grey > 255 - WHITE) & (grey < WHITE)).float().mean() < 0.25)


def given(run: Run, path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Names and pixels of a user's images, of a pair side by side those of its source; what is not kept as it was is said at the end.

    Raises:
        BadInput: a path that is not there, or no image in it.
    """
    data, (height, width) = run.recipe.data, run.recipe.config["shape"][1:]
    coloured = not data.palette and data.pairs not in ("edges", "grey", "parts") and channels_of(run) == 3
    said, count = Counter[str](), 0
    for name, content, pixels in decoded(path):
        count += 1
        if data.pairs in pairs.HALVES and pixels.shape[1] * height == 2 * width * pixels.shape[0]:
            side = data.pairs.partition("-")[0]
            pixels = np.split(pixels, 2, 1)[side == "right"]
            said[f"a pair side by side, of which the {side} half was taken"] += 1
        if lost := loses(content):
            said[lost] += 1
        if pixels.shape[:2] != (height, width):
            said[f"fitted to {width}x{height} pixels"] += 1
        if coloured and pixels.ndim == 2:
            said["grey, but sources of the run have colours"] += 1
        yield name, pixels
    for what, often in said.items():
        say(f"{often} of {count} images: {what}.")


def say_backwards(run: Run, data: Dataset) -> None:
    """A sentence where most images look like what the run makes rather than like what it makes it of, if its pairs can still be read."""
    try:
        train, _ = run.data()
    except BadInput:
        return
    if train.source is None or train.image is None or data.source is None or train.source.shape[1] != train.image.shape[1]:
        return
    some = torch.linspace(0, len(train) - 1, COMPARED).long()
    sources, targets = (torch.cdist(colours(data.source), colours(each[some]), 1).amin(1) for each in (train.source, train.image))
    if (count := int((targets < sources / 2).sum())) > len(data) / 2:
        told = f"{count} of {len(data)} images look like what {run} makes, not like what it makes it of"
        say(f"{told}. For the other direction, train with the sides of --pairs exchanged.")


def colours(x: UInt8[Tensor, "n c h w"]) -> Float[Tensor, "n b"]:
    """How often each level of each channel occurs in an image."""
    level = (x.long() * LEVELS // 256).flatten(2)
    return torch.nn.functional.one_hot(level, LEVELS).float().mean(2).flatten(1)


def channels_of(run: Run) -> int:
    """Channels of the images that sources are made of."""
    data, config = run.recipe.data, run.recipe.config
    return int(config["shape"][0] if data.pairs in ("edges", "grey") else config["source"])


def drawings(run: Run, path: Path) -> tuple[list[str], Batch]:
    """Names and sources of a user's drawings, dark lines on white: the central square, each pixel as dark as the darkest that it covers, so
    that lines do not fade.

    Raises:
        BadInput: there is none.
    """
    height, width = run.recipe.config["shape"][1:]
    files, sources = [], []
    for name, pixels in given(run, path):
        picture = Image.fromarray(pixels).convert("L")
        scale = min(picture.height / height, picture.width / width)
        tall, wide = max(1, round(scale * height)), max(1, round(scale * width))
        top, left = (picture.height - tall) // 2, (picture.width - wide) // 2
        dark = 1 - torch.from_numpy(np.asarray(picture.crop((left, top, left + wide, top + tall))).copy())[None].float() / 127.5
        larger = tall >= height and wide >= width
        sources.append(-(adaptive_max_pool2d(dark, (height, width)) if larger else interpolate(dark[None], (height, width))[0]))
        files.append(name)
    return files, {"source": torch.stack(sources)}


def colours_of(run: Run) -> str:
    """The palette in which a run's maps are drawn: that of its recipe, that which was found, or of drawn faces that of sheets."""
    recipe = run.recipe
    if not recipe.data.palette:
        return ",".join(f"{colour}={part}" for colour, part in zip(figures.part_colours(len(recipe.parts)), recipe.parts, strict=True))
    # of a palette that was found, the colours are the names
    return ",".join(recipe.parts) if recipe.data.palette.isdecimal() else recipe.data.palette


def maps(run: Run, path: Path) -> tuple[list[str], Batch]:
    """Names and sources of a user's label maps, uint8: there may be many, of many parts.

    Raises:
        BadInput: there is none, or one whose colours are far from the run's.
    """
    files, sources, photos = [], [], []
    for name, read in given(run, path):
        pixels = torch.from_numpy(np.asarray(Image.fromarray(read).convert("RGB")).transpose(2, 0, 1).copy())[None]
        source, photo = as_maps(run, Dataset(name, image=pixels, source=pixels))
        files.append(name)
        sources.append(source.byte())
        photos.append(photo)
    if any(photos):
        say(f"{sum(photos)} of {len(files)} images have many colours, as photos do, and were taken for maps of parts.")
    return files, {"source": torch.cat(sources)}


def as_maps(run: Run, drawn: Dataset) -> tuple[Float[Tensor, "n p h w"], bool]:
    """Label maps, snapped to a run's colours before they are resized, as in training, and whether they look like photos.

    Raises:
        BadInput: colours that are far from the run's.
    """
    assert drawn.source is not None
    palette = colours_of(run)
    drawn = replace(drawn, source=drawn.source.expand(-1, 3, -1, -1))
    if label_maps.holds_numbers(drawn, palette):
        drawn = label_maps.numbers_as_colours(drawn, palette)
    meant = label_maps.palette_for(palette, drawn)
    looked = label_maps.drawn_in(meant, replace(drawn, notes=()))
    for note in (*drawn.notes, *looked.notes):
        say(note)
    height, width = run.recipe.config["shape"][1:]
    return pairs.as_source(label_maps.snapped(looked, meant), height, width), label_maps.like_a_photo(looked, meant)
