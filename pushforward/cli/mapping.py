"""Maps of the parts of a user's photos, as pictures that a run on such maps takes. Imports torch: loaded when needed."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from pushforward.cli.opening import say
from pushforward.cli.predicting import usable
from pushforward.cli.sources import colours_of
from pushforward.core import BadInput, Parses
from pushforward.data import Dataset
from pushforward.data.palettes import palette_of
from pushforward.metrics import batches
from pushforward.runs import Run


def maps_of(run: Run, system: Parses, path: Path) -> Iterator[tuple[str, Image.Image]]:
    """File and map of each photo: its central square in the size of the run, each pixel in the colour of its likeliest part.

    Raises:
        BadInput: no photo that can be used.
    """
    shape = run.recipe.config["shape"]
    if shape[0] not in (1, 3):
        raise BadInput(f"{run} parses images of {shape[0]} channels, which no photo has. Open it in Python, and call its parse.")
    files, image, notes = usable(path, shape)
    for note in notes:
        say(note)
    colours, names = part_colours(run), iter(files)
    for batch in batches(system, Dataset(path.name, image=image), 64):
        for parts in system.parse(batch["image"]).argmax(1).cpu().numpy():
            yield next(names), Image.fromarray(colours[parts])


def part_colours(run: Run) -> np.ndarray:
    """uint8 [parts, 3]: what each part is drawn in; of several colours that are one part the first."""
    palette = palette_of(colours_of(run))
    assert palette is not None
    return palette.colours.byte().numpy()[[palette.kinds.index(part) for part in range(len(palette.names))]]
