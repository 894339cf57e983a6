"""Arrays: .npy and .npz files, and tensors in memory."""

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from numpy.lib import format as npy
from torch import Tensor

from pushforward.core import BadInput
from pushforward.data.checks import check_labels, check_memory, check_sides
from pushforward.data.dataset import Dataset

KEYS = {
    **dict.fromkeys(("image", "images", "x"), "image"),
    **dict.fromkeys(("label", "labels", "y"), "label"),
    **dict.fromkeys(("source", "sources"), "source"),
}
CHANNELS = 16
"""Of images, at the most: a longer side of an array is one of pixels."""
DEEP = 257
"""16 bits hold 0..65535, 257 times what 8 hold."""


def from_memory(memory: Any) -> Dataset:
    """Images [n, h, w], [n, h, w, c] or [n, c, h, w] with up to 16 channels, or rows [n, d]; alone, or in a pair with labels [n].

    Images are whole numbers 0..255, or 0..65535 as uint16, of which the upper 8 bits are kept, or floating-point numbers in [0, 1];
    rows are any finite numbers.

    Raises:
        BadInput: another shape, kind or range; labels that do not fit.
    """
    if memory is None:
        raise BadInput("The path is 'memory', but no tensor was given; give one, or name a file.")
    content, label = memory if isinstance(memory, tuple) and len(memory) == 2 else (memory, None)
    return dataset("memory", _array(content), None if label is None else _array(label))


def _array(value: Any) -> np.ndarray:
    if isinstance(value, Tensor):
        value = value.detach().cpu()
        return (value.float() if value.dtype == torch.bfloat16 else value).numpy()
    try:
        return np.asarray(value)
    except ValueError as error:
        raise BadInput(f"What was given as 'memory' is no array ({error}); give a tensor or an array of numbers.") from error


def read(path: Path) -> tuple[Dataset, Dataset | None]:
    """A .npy file of images or rows, or an .npz with the keys image, images or x, perhaps label, labels or y, and perhaps source or
    sources, what each image is to be made from; keys that begin or end in `test` hold the test part.

    Raises:
        BadInput: a file that is broken, holds objects, lacks images, or holds what `from_memory` refuses.
    """
    if path.suffix.lower() == ".npz":
        return _parts(path)
    with _readable(path), path.open("rb") as file:
        return dataset(path.stem, _read_npy(file, str(path))), None


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """What a broken file raises, as a sentence."""
    try:
        yield
    except BadInput:
        raise
    except Exception as error:  # numpy, zipfile and zlib raise nearly every kind on broken files
        raise BadInput(f"'{path}' cannot be read as {path.suffix} ({error or type(error).__name__}); save it again.") from error


def _read_npy(file: IO[bytes], name: str) -> np.ndarray:
    """An array whose size is checked before any of it is read."""
    version = npy.read_magic(file)
    header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran, kind = header(file)
    if kind.hasobject:
        raise BadInput(f"'{name}' holds Python objects, which are never loaded; save an array of numbers.")
    if min(shape, default=0) < 0:
        raise BadInput(f"'{name}' announces the shape {shape}, which is impossible; save it again.")
    check_memory(name, shape, kind.itemsize)
    content = file.read(prod(shape) * kind.itemsize)
    array = np.frombuffer(content, kind)
    return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)


def read_sources(path: Path, kind: str) -> Dataset:
    """What a run of pairs is to answer: a .npy, or of an .npz all examples of the key of this kind (source, image), or else of the other.

    Raises:
        BadInput: what `read` refuses, but that either key may be missing.
    """
    if not path.exists():
        raise BadInput(f"There is no file '{path}'. Give an image, a folder or zip of images, a .npy or an .npz.")
    if path.suffix.lower() == ".npy":
        return read(path)[0]
    found, notes = _in_archive(path)
    known = [each for each in (kind, "source", "image") if ("train", each) in found]
    if not known:
        raise BadInput(f"'{path}' has no key source or image; give it one.")
    both = [found[part, known[0]] for part in ("train", "test") if (part, known[0]) in found]
    if len({each.shape[1:] for each in both}) > 1:
        raise BadInput(f"'{path}' holds examples of shape {both[0].shape[1:]} and of shape {both[1].shape[1:]}; make them equal.")
    whole = dataset(path.stem, np.concatenate(both), numbers=True)
    return replace(whole, notes=(*notes, *whole.notes))


def _in_archive(path: Path) -> tuple[dict[tuple[str, str], np.ndarray], tuple[str, ...]]:
    """The arrays of an .npz by part and kind, images and sources in 8 bits, and notes."""
    with _readable(path), zipfile.ZipFile(path) as archive:
        found = _arrays(path, archive)
    notes: tuple[str, ...] = ()
    for kind in ("image", "source"):
        there = [key for key in found if key[1] == kind]
        small, told = _eight_bits(f"{path.stem}: {kind}", [found[key] for key in there])
        found |= dict(zip(there, small, strict=True))
        notes += told
    return found, notes


def _arrays(path: Path, archive: zipfile.ZipFile) -> dict[tuple[str, str], np.ndarray]:
    found: dict[tuple[str, str], np.ndarray] = {}
    names = [name.removesuffix(".npy") for name in archive.namelist()]
    for name in names:
        word = name.lower()
        part = "test" if "test" in word else "train"
        kind = KEYS.get(re.sub(r"^(train|test)_|_(train|test)$", "", word))
        if kind and (part, kind) in found:
            raise BadInput(f"'{path}' holds more than one array of {kind}s for {part}: {', '.join(names)[:300]}; keep one.")
        if kind:
            with archive.open(f"{name}.npy") as file:
                found[part, kind] = _read_npy(file, f"{path}: {name}")  # type: ignore[arg-type]
    if not found:
        raise BadInput(f"'{path}' has no key image, images or x; its keys are {', '.join(names)[:300]}.")
    return found


def _parts(path: Path) -> tuple[Dataset, Dataset | None]:
    found, notes = _in_archive(path)
    if ("train", "image") not in found:
        raise BadInput(f"'{path}' has no key image, images or x for training.")
    train = beside(dataset(path.stem, found["train", "image"], found.get(("train", "label"))), found.get(("train", "source")))
    train = replace(train, notes=(*notes, *train.notes))
    if ("test", "image") not in found:
        if ("test", "source") in found:
            raise BadInput(f"'{path}' has sources to test on, but no images beside them; add the key test_image.")
        return train, None
    test = dataset(f"{path.stem} test", found["test", "image"], found.get(("test", "label")) if train.classes else None, train.classes)
    test = beside(test, found.get(("test", "source")))
    if test.shape != train.shape:
        raise BadInput(f"'{path}' has training examples of shape {train.shape} but test examples of shape {test.shape}; make them equal.")
    if (train.source is None) != (test.source is None):
        raise BadInput(f"'{path}' has sources for training or for test images, but not for both; add those that are missing.")
    return train, test


def _eight_bits(name: str, arrays: list[np.ndarray]) -> tuple[list[np.ndarray], tuple[str, ...]]:
    """Arrays of one kind, images of 16 bits in 8, and a note about these: they are of 8 bits where no value of any of them needs more."""
    deep = [at for at, each in enumerate(arrays) if each.dtype.kind == "u" and each.dtype.itemsize == 2 and each.size and each.ndim > 2]
    if not deep:
        return arrays, ()
    high = max(int(arrays[place].max()) for place in deep)
    if high <= 255:
        return arrays, (f"'{name}' has 16 bits and no value above 255, and was taken for 8 bits.",)
    small = [((each.astype(np.uint32) + DEEP // 2) // DEEP).astype(np.uint8) if at in deep else each for at, each in enumerate(arrays)]
    return small, (f"Of the 16 bits of '{name}' 8 were kept (its largest value is {high:,} of 65,535).",)


def beside(data: Dataset, content: np.ndarray | None) -> Dataset:
    """The data, each image with a source of its own.

    Raises:
        BadInput: sources that are no images, or not as many.
    """
    if content is None:
        return data
    sources = dataset(f"{data.name}: source", content, numbers=True)
    if data.image is None or sources.image is None or len(sources) != len(data):
        shapes = f"{list(sources.shape)}, {len(sources)} of them, beside {len(data)} of {list(data.shape)}"
        raise BadInput(f"The sources of '{data.name}' have the shape {shapes}; give an image as source of each image.")
    return replace(data, source=sources.image, notes=(*data.notes, *sources.notes))


def dataset(
    name: str, content: np.ndarray, label: np.ndarray | None = None, classes: tuple[str, ...] = (), numbers: bool = False
) -> Dataset:
    """Images, or rows where `content` has two dimensions; see `from_memory`. numbers: pixels may be numbers of parts, such as 0 and 1."""
    if content.dtype.kind not in "buif":
        raise BadInput(f"'{name}' holds {content.dtype}; give whole or floating-point numbers.")
    if not content.size:
        raise BadInput(f"'{name}' has the shape {content.shape}, which holds nothing; give at least one example.")
    if content.dtype.kind == "f" and not np.isfinite(content).all():
        raise BadInput(f"'{name}' holds NaN or infinity; clean the data first.")
    known: dict[str, Any] = {}
    if label is not None:
        known["label"] = _labels(name, label)
        known["classes"] = check_labels(name, known["label"], len(content), classes)
    if content.ndim == 2:
        columns = tuple(str(place) for place in range(content.shape[1]))
        return Dataset(name, row=torch.from_numpy(content.astype(np.float64)), columns=columns, **known)
    (content,), told = _eight_bits(name, [content])
    either = set(content.shape[1:2] + content.shape[-1:]) if content.ndim == 4 else {1}
    content = _channels_first(name, content)
    if max(either) <= CHANNELS and not either & {1, 3}:
        told = (*told, f"Images of '{name}' were taken for {content.shape[1]} channels of {content.shape[3]}x{content.shape[2]} pixels.")
    known["notes"] = told
    image = torch.from_numpy(np.ascontiguousarray(_bytes(name, content, numbers)))
    return Dataset(name, image=image, **known)


def _labels(name: str, label: np.ndarray) -> Tensor:
    if label.ndim != 1 or label.dtype.kind not in "ui":
        raise BadInput(f"The labels of '{name}' are {label.dtype} of shape {label.shape}; give one whole number for each example.")
    return torch.from_numpy(label.astype(np.int64))


def _channels_first(name: str, image: np.ndarray) -> np.ndarray:
    """Images [n, c, h, w]: of the second side and the last the one that is likelier a number of channels counts as that."""
    if image.ndim == 3:
        image = image[:, None]
    likely = (1, 3, *range(1, CHANNELS + 1))
    places = [likely.index(size) if size in likely else len(likely) for size in (image.shape[1:2] + image.shape[-1:])]
    if image.ndim != 4 or min(places) == len(likely):
        known = f"[n, h, w], or [n, h, w, c] or [n, c, h, w] with 1 to {CHANNELS} channels"
        raise BadInput(f"'{name}' has the shape {image.shape}; give {known}.")
    image = image if places[0] <= places[1] else image.transpose(0, 3, 1, 2)
    check_sides(name, image.shape)
    return image


def _bytes(name: str, image: np.ndarray, numbers: bool) -> np.ndarray:
    """To uint8: whole numbers as they are, truth values and [0, 1] times 255."""
    low, high = image.min(), image.max()
    top = 1 if image.dtype.kind in "fb" else 255
    if low < 0 or high > top:
        raise BadInput(
            f"The images of '{name}' are {image.dtype} in [{low:g}, {high:g}]; "
            "give floating-point numbers in [0, 1] or whole numbers 0..255."
        )
    if top == 255 and high == 1 and not numbers:
        raise BadInput(
            f"The images of '{name}' are {image.dtype} with no value but 0 and 1, nearly black; give truth values, or 0 and 255."
        )
    return image.astype(np.uint8) if top == 255 else np.rint(image.astype(np.float32) * 255).astype(np.uint8)
