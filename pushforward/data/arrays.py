"""Arrays: .npy and .npz files, and tensors in memory."""

import re
import zipfile
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

KEYS = {"image": "image", "images": "image", "x": "image", "label": "label", "labels": "label", "y": "label"}


def from_memory(memory: Any) -> Dataset:
    """Images [n, h, w], [n, h, w, c] or [n, c, h, w] with c = 1 or 3, or rows [n, d]; alone, or in a pair with labels [n].

    Images are whole numbers 0..255 or floating-point numbers in [0, 1]; rows are any finite numbers.

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
    """A .npy file of images or rows, or an .npz with the keys image, images or x, and label, labels or y; keys that begin or end in
    `test` hold the test part.

    Raises:
        BadInput: a file that is broken, holds objects, lacks images, or holds what `from_memory` refuses.
    """
    try:
        with path.open("rb") as file:
            if path.suffix.lower() == ".npy":
                return dataset(path.stem, _read_npy(file, str(path))), None
            with zipfile.ZipFile(file) as archive:
                return _parts(path, archive)
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


def _parts(path: Path, archive: zipfile.ZipFile) -> tuple[Dataset, Dataset | None]:
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
    if ("train", "image") not in found:
        raise BadInput(f"'{path}' has no key image, images or x; its keys are {', '.join(names)[:300]}.")
    train = dataset(path.stem, found["train", "image"], found.get(("train", "label")))
    if ("test", "image") not in found:
        return train, None
    test = dataset(f"{path.stem} test", found["test", "image"], found.get(("test", "label")) if train.classes else None, train.classes)
    if test.shape != train.shape:
        raise BadInput(f"'{path}' has training examples of shape {train.shape} but test examples of shape {test.shape}; make them equal.")
    return train, test


def dataset(name: str, content: np.ndarray, label: np.ndarray | None = None, classes: tuple[str, ...] = ()) -> Dataset:
    """Images, or rows where `content` has two dimensions; see `from_memory`."""
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
    image = torch.from_numpy(np.ascontiguousarray(_bytes(name, _channels_first(name, content))))
    return Dataset(name, image=image, **known)


def _labels(name: str, label: np.ndarray) -> Tensor:
    if label.ndim != 1 or label.dtype.kind not in "ui":
        raise BadInput(f"The labels of '{name}' are {label.dtype} of shape {label.shape}; give one whole number for each example.")
    return torch.from_numpy(label.astype(np.int64))


def _channels_first(name: str, image: np.ndarray) -> np.ndarray:
    if image.ndim == 3:
        image = image[:, None]
    if image.ndim != 4 or (image.shape[1] not in (1, 3) and image.shape[3] not in (1, 3)):
        raise BadInput(f"'{name}' has the shape {image.shape}; give [n, h, w], or [n, h, w, c] or [n, c, h, w] with 1 or 3 channels.")
    image = image if image.shape[1] in (1, 3) else image.transpose(0, 3, 1, 2)
    check_sides(name, image.shape)
    return image


def _bytes(name: str, image: np.ndarray) -> np.ndarray:
    """To uint8: whole numbers as they are, truth values and [0, 1] times 255."""
    low, high = image.min(), image.max()
    top = 1 if image.dtype.kind in "fb" else 255
    if low < 0 or high > top:
        raise BadInput(
            f"The images of '{name}' are {image.dtype} in [{low:g}, {high:g}]; "
            "give floating-point numbers in [0, 1] or whole numbers 0..255."
        )
    if top == 255 and high == 1:
        raise BadInput(
            f"The images of '{name}' are {image.dtype} with no value but 0 and 1, nearly black; give truth values, or 0 and 255."
        )
    return image.astype(np.uint8) if top == 255 else np.rint(image.astype(np.float32) * 255).astype(np.uint8)
