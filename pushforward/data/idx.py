"""IDX files, the format of MNIST: a magic number, big-endian sizes, then bytes."""

import gzip
import os
import struct
import zlib
from math import prod
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from pushforward.core import BadInput
from pushforward.data.checks import check_labels, check_memory, check_sides
from pushforward.data.dataset import Dataset

SETS = {
    "mnist": tuple("0123456789"),
    "fashion-mnist": (
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ),
}  # fmt: skip


def cache_folder() -> Path:
    """Where downloads go: `pushforward` in XDG_CACHE_HOME, or in ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pushforward"


def folders(name: str) -> list[Path]:
    """Where the set `name` is looked for, in this order: $PUSHFORWARD_DATA/NAME, then the cache folder."""
    given = os.environ.get("PUSHFORWARD_DATA")
    return [*([Path(given) / name] if given else []), cache_folder() / name]


def find(folder: Path, stem: str) -> Path | None:
    """`stem` or `stem`.gz in `folder`."""
    return next((path for path in (folder / f"{stem}.gz", folder / stem) if path.is_file()), None)


def read_idx(path: Path, dimensions: int) -> Tensor:
    """The bytes of an IDX file, gzipped or not: uint8 with `dimensions` dimensions.

    Raises:
        BadInput: not an IDX file of unsigned bytes, another number of dimensions, too few or too many bytes, or a broken gzip stream.
    """
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            stream: Any = gzip.GzipFile(fileobj=file) if zipped else file
            return _parse(stream, path, dimensions)
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(f"'{path}' cannot be read ({error}); download it again.") from error


def _parse(stream: IO[bytes], path: Path, dimensions: int) -> Tensor:
    magic = stream.read(4)
    if magic[:3] != b"\x00\x00\x08" or len(magic) < 4:
        raise BadInput(f"'{path}' starts with the bytes '{magic.hex()}', but an IDX file of unsigned bytes starts with '000008'.")
    if magic[3] != dimensions:
        what = {1: "labels", 3: "images"}[dimensions]
        raise BadInput(f"'{path}' has {magic[3]} dimensions; a file of {what} has {dimensions}.")
    sizes = stream.read(4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise BadInput(f"'{path}' ends within its header; download or copy it again.")
    shape = struct.unpack(f">{dimensions}I", sizes)
    if not prod(shape):
        raise BadInput(f"'{path}' says that it holds {'x'.join(map(str, shape))} numbers; give a file that is not empty.")
    check_memory(str(path), shape)
    # one byte more than is due: it shows whether something follows, and makes gzip check its sum
    content = stream.read(prod(shape) + 1)
    if len(content) != prod(shape):
        found = f"only {len(content)} follow" if len(content) < prod(shape) else "more follow"
        raise BadInput(f"'{path}' announces {prod(shape)} bytes ({'x'.join(map(str, shape))}), but {found}; download or copy it again.")
    return torch.from_numpy(np.frombuffer(content, np.uint8).reshape(shape).copy())


def read_named(name: str) -> tuple[Dataset, Dataset]:
    """MNIST or Fashion-MNIST: train (60,000) and test (10,000), 28x28.

    Raises:
        BadInput: the files are not there, or not as they should be.
    """
    for folder in folders(name):
        paths = [find(folder, f"{part}-{what}-ubyte") for part in ("train", "t10k") for what in ("images-idx3", "labels-idx1")]
        if all(paths):
            return _dataset(name, paths[0], paths[1], SETS[name]), _dataset(f"{name} test", paths[2], paths[3], SETS[name])
    looked = " and ".join(f"'{folder}'" for folder in folders(name))
    raise BadInput(f"The set '{name}' was looked for in {looked} and is not there; get it with: pushforward data get {name}")


def read_file(path: Path) -> Dataset:
    """The images of an IDX file, with the labels of the file beside it whose name says `labels` for `images` and `idx1` for `idx3`."""
    stem = path.name.removesuffix(".gz")
    other = stem.replace("images", "labels").replace("idx3", "idx1")
    labels = find(path.parent, other) if other != stem else None
    return _dataset(stem, path, labels)


def _dataset(name: str, images: Path | None, labels: Path | None, classes: tuple[str, ...] = ()) -> Dataset:
    assert images is not None
    image = read_idx(images, 3)[:, None]
    check_sides(name, tuple(image.shape))
    if labels is None:
        return Dataset(name, image=image)
    label = read_idx(labels, 1).long()
    return Dataset(name, image=image, label=label, classes=check_labels(name, label, len(image), classes))
