"""Reading a user's images as a run's classifier sees them. Imports torch: loaded when needed."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from pushforward import metrics
from pushforward.cli.opening import classes_of, say, spoken
from pushforward.core import BadInput, Classifies, Describes, Parses, Samples, System
from pushforward.data import Dataset
from pushforward.data.archive import Entry, opened
from pushforward.data.decode import NoImage, decode, loses
from pushforward.data.images import printable
from pushforward.data.resize import fitted
from pushforward.runs import Run

LISTED = 10
"""Files that are named when they are left out."""
FAMILIAR = 64
"""Images of a run's own kind whose edges are looked at."""
DARK, LIGHT = 0.3, 0.7
"""Mean brightness, in 0..1, up to which an edge is dark and from which on it is light."""


def predicted(run: Run, system: System, path: Path, invert: bool = False) -> tuple[list[str], list[list[str]], list[str]]:
    """A head for each column; for each image its file, its class and the probability of each, or its attributes; and sentences to say.

    invert: read each image's negative.

    Raises:
        BadInput: a system that neither classifies images nor describes them, a path that is not there, or no image in it.
    """
    shape = system.config.shape
    if not isinstance(system, Classifies | Describes) or len(shape) != 3:
        how = f"Use `{spoken('edit', run, path)}` for maps of their parts" if isinstance(system, Parses) else "Train classification_vae"
        raise BadInput(f"{run} is a {type(system).__name__}, which does not classify images. {how}.")
    files, image, notes = usable(path, shape)
    image = 255 - image if invert else image
    images = Dataset(path.name, image=image, binarise=run.recipe.data.binarise)
    heads, found = classified(run, system, images) if isinstance(system, Classifies) else described(run, system, images)
    notes += [inverted(image, run, system, "leave --invert out" if invert else "give --invert")]
    return ["file", *heads], [[file, *row] for file, row in zip(files, found, strict=True)], [note for note in notes if note]


def classified(run: Run, system: Classifies, images: Dataset) -> tuple[list[str], list[list[str]]]:
    """The class of each image and the probability of each class."""
    assert isinstance(system, System)
    p = metrics.probabilities(system, images)
    names, p = together(classes_of(run, p.shape[1]), p)
    return ["class", *names], [[names[int(row.argmax())], *(f"{value:.6f}" for value in row.tolist())] for row in p]


def described(run: Run, system: Describes, images: Dataset) -> tuple[list[str], list[list[str]]]:
    """The attributes of each image, as `--attributes-file` reads them."""
    read = [system.describe(batch["image"]) for batch in metrics.batches(system, images, 250)]
    return list(run.recipe.attributes), [[f"{value:.6f}" for value in row.tolist()] for row in torch.cat(read)]


def inverted(image: torch.Tensor, run: Run, system: System, remedy: str) -> str:
    """A sentence where most grey images uint8 [n, 1, h, w] are light around the edge and those of the run dark, or the reverse; else ''.

    Writing is read by what is lighter than its ground: dark writing on paper is read wrongly, and with confidence, where training had light
    writing on a dark ground.
    """
    known = familiar(run, system) if image.shape[1] == 1 else None
    if known is None:
        return ""
    usual, given = edges(known).median(), edges(image / 255)
    for here, there, opposite in (("light", "dark", (given > LIGHT) & (usual < DARK)), ("dark", "light", (given < DARK) & (usual > LIGHT))):
        if (count := int(opposite.sum())) > len(image) / 2:
            told = f"{count} of {len(image)} images have a {here} ground, but those of {run} a {there} one"
            return f"{told}, so they are read wrongly: {remedy}."
    return ""


def familiar(run: Run, system: System) -> torch.Tensor | None:
    """Images [n, c, h, w] in [0, 1] of the kind that a run has learned: made by it, so that no data need be at hand, or from its data; None
    where neither can be had."""
    if isinstance(system, Samples):
        return (system.sample(FAMILIAR, seed=0) + 1) / 2
    try:
        train, _ = run.data()
    except BadInput:
        return None
    assert train.image is not None
    return train.image[torch.linspace(0, len(train) - 1, FAMILIAR).long()] / 255


def edges(x: torch.Tensor) -> torch.Tensor:
    """The mean [n] of the outermost pixels of x [n, c, h, w]."""
    outermost = torch.ones(x.shape[2:], dtype=torch.bool, device=x.device)
    outermost[1:-1, 1:-1] = False
    return x[..., outermost].mean((1, 2))


def usable(path: Path, shape: tuple[int, int, int]) -> tuple[list[str], torch.Tensor, list[str]]:
    """Of the images that a user means: their names, uint8 [n, *shape], and what is to be said of those that were fitted or are no image.

    Raises:
        BadInput: a path that is not there, or no image in it.
    """
    files, images, changed, bad, lost = [], [], 0, [], Counter[str]()
    with entries(path) as found:
        for entry in found:
            try:
                content = content_of(entry)
                pixels, as_it_was = suited(decode(content), shape)
            except NoImage as reason:
                bad.append(f"{printable(entry.name)} ({reason})")
                continue
            files.append(printable(entry.name))
            images.append(pixels)
            changed += not as_it_was
            lost.update(filter(None, [loses(content)]))
    if not images:
        raise BadInput(f"There is no image in '{path}' that can be used: {listed(bad)}. Give an image file, a folder or a zip.")
    for what, often in lost.items():
        say(f"{often} of {len(files)} images: {what}.")
    size = f"{shape[2]}x{shape[1]}"
    notes = [f"{changed} of {len(files)} images were fitted to the run's {size} pixels and {shape[0]} channels."] if changed else []
    notes += [f"{len(bad)} files were left out: {listed(bad)}."] if bad else []
    return files, torch.from_numpy(np.stack(images)), notes


def together(names: tuple[str, ...], p: torch.Tensor) -> tuple[tuple[str, ...], torch.Tensor]:
    """Each name once, and p [N, K] with the probabilities of classes of one name added up."""
    each = tuple(dict.fromkeys(names))
    belongs = torch.tensor([[float(name == one) for one in each] for name in names])
    return each, p @ belongs


@contextmanager
def entries(path: Path) -> Iterator[list[Entry]]:
    """The files that a user means: one image, or those of a folder or zip."""
    if not path.exists():
        raise BadInput(f"There is no image or folder '{path}'. Give an image file, a folder or a zip.")
    if path.is_dir() or path.suffix.lower() == ".zip":
        with opened(path) as found:
            yield found
    else:
        yield [Entry(path.name, path.read_bytes)]


def suited(pixels: np.ndarray, shape: tuple[int, int, int]) -> tuple[np.ndarray, bool]:
    """An image, as `decode` gives it, as uint8 of `shape` [c, h, w], and whether it was so already.

    Raises:
        NoImage: why it cannot be used.
    """
    channels, height, width = shape
    if channels not in (1, 3):
        raise NoImage(f"no picture has {channels} channels, as images of the run have")
    image = Image.fromarray(pixels).convert("L" if channels == 1 else "RGB")
    same = image.size == (width, height)
    if not same and width != height:
        raise NoImage(f"{image.width}x{image.height} pixels, but the run was trained on {width}x{height}")
    planes = np.asarray(image if same else fitted(image, width)).reshape(height, width, channels).transpose(2, 0, 1)
    return planes, same and (pixels.ndim == 3) == (channels == 3)


def decoded(path: Path, quietly: bool = False) -> Iterator[tuple[str, bytes, np.ndarray]]:
    """Name, bytes and pixels, as `decode` gives them, of every image that a user means; the files left out are named at the end, unless
    they are to be seen again.

    Raises:
        BadInput: a path that is not there, or no image in it.
    """
    good, bad = 0, []
    with entries(path) as found:
        for entry in found:
            name = printable(entry.name)
            try:
                content = content_of(entry)
                pixels = decode(content)
            except NoImage as reason:
                bad.append(f"{name} ({reason})")
                continue
            good += 1
            yield name, content, pixels
    if not good:
        raise BadInput(f"There is no image in '{path}' that can be used: {listed(bad)}. Give an image file, a folder or a zip.")
    if bad and not quietly:
        say(f"Files left out: {listed(bad)}.")


def content_of(entry: Entry) -> bytes:
    """The bytes of a file.

    Raises:
        NoImage: why they cannot be had.
    """
    try:
        return entry.read()
    except Exception as error:  # zipfile and zlib raise nearly every kind on broken members
        raise NoImage(f"unreadable: {error or type(error).__name__}") from error


def listed(items: list[str]) -> str:
    """The first few of them."""
    return ", ".join(items[:LISTED]) + (f" and {len(items) - LISTED} more" if len(items) > LISTED else "") if items else "it is empty"
