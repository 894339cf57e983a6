"""What a run that edits images is shown of a user's. Imports torch: loaded when needed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.nn.functional import adaptive_max_pool2d, interpolate

from pushforward import figures
from pushforward.cli.opening import say
from pushforward.cli.predicting import decoded, listed, usable
from pushforward.core import BadInput, Batch
from pushforward.data import Dataset, pairs
from pushforward.runs import Run


def shown_of(run: Run, path: Path, drawn: bool = False) -> tuple[list[str], Batch]:
    """Names of a user's images, and the sources that the run's system makes of them, as in training; drawn: they are sources as they are.

    Raises:
        BadInput: no image that can be used.
    """
    if drawn and run.recipe.data.pairs != "edges":
        raise BadInput(f"{run} was not trained on outlines (--pairs edges), and takes images as they are. Leave --drawn out.")
    if drawn:
        return drawings(run, path)
    if run.recipe.data.palette or run.recipe.data.pairs == "parts":
        return label_maps(run, path)
    shape = run.recipe.config["shape"]
    files, image, changed, bad = usable(path, (channels_of(run), *shape[1:]))
    if changed or bad:
        how = f"fitted to {shape[2]}x{shape[1]} pixels and {channels_of(run)} channels"
        say(f"{changed} of {len(files)} images were {how}; files left out: {listed(bad) if bad else 'none'}.")
    data, way = Dataset(path.name, image=image, names=tuple(files)), run.recipe.data.pairs
    found = pairs.part_of(data, way) if way in ("edges", "grey") else replace(data, source=data.image)
    return files, {"source": replace(found, translate=True).batch(torch.arange(len(data)))["source"]}


def channels_of(run: Run) -> int:
    """Channels of the images that sources are made of."""
    data, config = run.recipe.data, run.recipe.config
    if data.pairs == "edges":
        return int(config["shape"][0])
    return 3 if data.pairs == "grey" else int(config["source"])


def drawings(run: Run, path: Path) -> tuple[list[str], Batch]:
    """Names and sources of a user's drawings, dark lines on white: the central square, each pixel as dark as the darkest that it covers, so
    that lines do not fade.

    Raises:
        BadInput: there is none.
    """
    height, width = run.recipe.config["shape"][1:]
    files, sources = [], []
    for name, _, pixels in decoded(path):
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
    if recipe.data.pairs == "parts":
        return ",".join(f"{colour}={part}" for colour, part in zip(figures.part_colours(len(recipe.parts)), recipe.parts, strict=True))
    # of a palette that was found, the colours are the names
    return ",".join(recipe.parts) if recipe.data.palette.isdecimal() else recipe.data.palette


def label_maps(run: Run, path: Path) -> tuple[list[str], Batch]:
    """Names and sources of a user's label maps, each snapped to the run's colours before it is resized, as in training.

    Raises:
        BadInput: there is none, or one whose colours are far from the run's.
    """
    height, width = run.recipe.config["shape"][1:]
    palette = colours_of(run)
    files, sources = [], []
    for name, _, read in decoded(path):
        pixels = torch.from_numpy(np.asarray(Image.fromarray(read).convert("RGB")).transpose(2, 0, 1).copy())[None]
        drawn = Dataset(name, image=pixels, source=pixels)
        snapped = pairs.snapped(drawn, pairs.palette_for(palette, drawn))
        sources.append(pairs.as_source(snapped, height, width))
        files.append(name)
    return files, {"source": torch.cat(sources)}
