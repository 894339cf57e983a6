"""Folders and zips of images. The class of an image is the sub-folder that it lies in; without sub-folders there are no classes."""

import os
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pushforward.core import UNLABELLED, BadInput
from pushforward.data.archive import Entry, opened
from pushforward.data.checks import check_memory, sorted_naturally
from pushforward.data.dataset import Dataset
from pushforward.data.decode import NoImage, decode, loses, sides

TOLERATED = 0.05
"""Share of files that may be no images."""
LISTED = 20
SKEWED = 0.02
"""Difference of proportions, as a share, that rounding leaves in pairs of several sizes."""
THREADED = 500
CHUNK = 256
GROUP = 16


class SeveralSizes(BadInput):
    """Images that were to be of one size and are not."""


def read_pairs(path: Path, size: int, source: str, target: str, maps: bool) -> tuple[Dataset, Dataset | None]:
    """The same, of two folders of pairs: where images have several sizes each is fitted to `size`; maps: sources by their nearest pixels.

    Raises:
        BadInput: what `read` refuses, or pairs of other proportions.
    """
    try:
        return read(path)
    except SeveralSizes:
        alike(path, source, target)
        return read(path, size, source if maps else "")


def alike(path: Path, source: str, target: str) -> None:
    """Refuse pairs whose images do not have the same proportions.

    Raises:
        BadInput: naming them.
    """
    found: dict[str, dict[str, tuple[int, int]]] = {source: {}, target: {}}
    with opened(path) as entries:
        for entry in entries:
            *folders, file = entry.name.split("/")
            if kind := next((folder for folder in folders if folder in found), ""):
                found[kind][file.rpartition(".")[0]] = sides(entry.read())
    both = sorted(found[source].keys() & found[target].keys())
    apart = [name for name in both if abs(skew(*found[source][name]) / skew(*found[target][name]) - 1) > SKEWED]
    if apart:
        (a, b), (c, d) = found[source][apart[0]], found[target][apart[0]]
        told = f"{len(apart)} pairs of '{path}' have other proportions than each other, {printable(apart[0])} first"
        raise BadInput(f"{told}: {a}x{b} in '{source}' and {c}x{d} in '{target}'; cut them alike.")


def skew(width: int, height: int) -> float:
    """Width as a multiple of height."""
    return max(width, 1) / max(height, 1)


def read(path: Path, size: int = 0, maps: str = "") -> tuple[Dataset, Dataset | None]:
    """The images below `path`, a folder or zip: grey if all are grey, else RGB. Files that are no images are left out and noted.

    Folders `train` and `test` (or `val`) on top are the parts; below them, or below `path`, each folder is a class. Images beside the
    class folders are UNLABELLED. maps: the folder whose images are made smaller by nearest pixels.

    Raises:
        BadInput: no image; more than 5 % of the files no images; several sizes while `size` is 0; too large for the memory;
            a class that is only in the test part; an unsafe zip (`archive.opened`).
    """
    image, names, notes = _images(path, size, maps)
    parts = _layout(names)
    left_out = Counter(part for part, _ in parts if part not in ("train", "test"))
    notes += [
        f"{count} images in '{printable(part)}' were left out, because 'train' and another part are there."
        for part, count in left_out.items()
    ]
    classes = _classes(path, parts)
    number = {kind: place for place, kind in enumerate(classes)}
    label = torch.tensor([number.get(kind, UNLABELLED) for _, kind in parts])
    name = printable(path.stem if path.is_file() else path.resolve().name)
    shown, files = tuple(map(printable, classes)), tuple(map(printable, names))
    whole = Dataset(name, image=image, label=label if classes else None, classes=shown, names=files, notes=tuple(notes))
    if all(part == "train" for part, _ in parts):
        return whole, None
    train, test = (torch.tensor([place for place, (part, _) in enumerate(parts) if part == wanted]) for wanted in ("train", "test"))
    return whole.part(train), whole.part(test, f"{name} test")


def load_images(path: Path, shape: tuple[int, int, int]) -> tuple[tuple[str, ...], Tensor, tuple[str, ...]]:
    """Names, images uint8 [n, *shape] and notes, of an image file or of all images below a folder or zip, for a system of images
    of `shape` (c, h, w): cropped and resized where that is square, grey made colour and colour grey (ITU-R 601) as `shape` asks.

    Raises:
        BadInput: what `read` refuses, or, where `shape` is not square, images of another size.
    """
    channels, height, width = shape
    if channels not in (1, 3):
        raise BadInput(f"The system was trained on images of {channels} channels, which no picture has; open it in Python.")
    if not os.path.exists(path):
        raise BadInput(f"There is no file or folder '{path}'; give an image, or a folder or zip of images.")
    image, names, notes = _images(path, height if height == width else 0)
    if tuple(image.shape[2:]) != (height, width):
        found = f"{image.shape[3]}x{image.shape[2]}"
        raise BadInput(
            f"The images in '{path}' have {found} pixels, but the system was trained on images of {width}x{height}; resize them."
        )
    if image.shape[1] > channels:
        weights = torch.tensor([299, 587, 114]).view(3, 1, 1)
        image = torch.stack([((one * weights).sum(0, keepdim=True) + 500) // 1000 for one in image]).byte()
    return tuple(map(printable, names)), image.expand(-1, channels, -1, -1), tuple(notes)


def printable(name: str) -> str:
    """A file name with the bytes that are not UTF-8 written as escapes."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _images(path: Path, size: int, maps: str = "") -> tuple[Tensor, list[str], list[str]]:
    """The pixels uint8 [n, c, h, w] and the names of all images below `path`, and notes on what was lost and left out."""
    with opened(path) as entries:
        if not entries:
            raise BadInput(f"There is no file in '{path}'; give a folder or zip of images.")
        stack, names, notes = _decode_all(path, entries, size, maps)
    return torch.from_numpy(stack.finished()), names, notes


def _decode_all(path: Path, entries: list[Entry], size: int, maps: str) -> tuple["_Stack", list[str], list[str]]:
    stack, names, bad, lost = _Stack(str(path), len(entries)), [], [], Counter[str]()
    for done, (entry, (pixels, what)) in enumerate(_decoded(entries, size, maps), 1):
        lost[what] += 1
        if isinstance(pixels, str):
            bad.append(f"{printable(entry.name)} ({pixels})")
        else:
            stack.add(pixels)
            names.append(entry.name)
        if len(bad) > TOLERATED * len(entries) and (done == len(entries) or len(bad) >= LISTED):
            first = "" if done == len(entries) else "first "
            raise BadInput(
                f"{len(bad)} of the {first}{done} files in '{path}' are no images that can be used, and at most 5 % of "
                f"{len(entries)} may be: {_listed(bad, 5)}; remove them, or give another folder."
            )
    notes = [f"{often} of {len(entries)} images: {what}." for what, often in lost.items() if what]
    if bad:
        notes.append(f"{len(bad)} of {len(entries)} files were no images that can be used and were left out: {_listed(bad, LISTED)}.")
    return stack, names, notes


def _listed(items: list[str], most: int) -> str:
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more


def _decoded(entries: list[Entry], size: int, maps: str) -> Iterator[tuple[Entry, tuple[np.ndarray | str, str]]]:
    """Each entry with its pixels, or with the reason why there are none, and what could not be kept.

    Threads: Pillow decodes without the interpreter's lock.
    """
    one = partial(_decode_entry, size=size, maps=maps)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of bad EXIF data and of large images, for which there are rules here
        if len(entries) <= THREADED:
            yield from zip(entries, map(one, entries), strict=True)
            return
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as threads:
            for start in range(0, len(entries), CHUNK):  # so that no more than a chunk waits decoded
                chunk = entries[start : start + CHUNK]
                groups = [chunk[first : first + GROUP] for first in range(0, len(chunk), GROUP)]
                yield from zip(chunk, chain.from_iterable(threads.map(lambda group: list(map(one, group)), groups)), strict=True)


def _decode_entry(entry: Entry, size: int, maps: str) -> tuple[np.ndarray | str, str]:
    try:
        content = entry.read()
    except Exception as error:  # zipfile and zlib raise nearly every kind on broken members
        return f"unreadable: {error or type(error).__name__}", ""
    try:
        nearest = maps and maps in entry.name.split("/")[:-1]
        way = Image.Resampling.NEAREST if nearest else Image.Resampling.LANCZOS
        return decode(content, size, way=way), loses(content)
    except NoImage as reason:
        return str(reason), ""


class _Stack:
    """Images of one size, written one by one into an array made at the first; it gets colours at the first coloured one."""

    def __init__(self, name: str, capacity: int) -> None:
        self.name, self.capacity = name, capacity
        self.count = 0
        self.sizes: Counter[tuple[int, int]] = Counter()
        self.array = np.empty((0, 0, 0, 0), np.uint8)

    def add(self, pixels: np.ndarray) -> None:
        """pixels: uint8 [h, w] or [h, w, 3]."""
        planes = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
        self.sizes[pixels.shape[1], pixels.shape[0]] += 1
        if not self.count:
            self._grow(planes.shape)
        if len(self.sizes) == 1:  # else only the sizes are counted, to be named
            if len(planes) > self.array.shape[1]:
                self._grow(planes.shape)
            self.array[self.count] = planes
        self.count += 1

    def _grow(self, shape: tuple[int, ...]) -> None:
        check_memory(self.name, (self.capacity, *shape))
        old, self.array = self.array, np.empty((self.capacity, *shape), np.uint8)
        if self.count:
            self.array[: self.count] = old[: self.count]

    def finished(self) -> np.ndarray:
        """uint8 [n, c, h, w]."""
        if len(self.sizes) > 1:
            (first, many), (second, some) = self.sizes.most_common(2)
            raise SeveralSizes(
                f"The images in '{self.name}' have {len(self.sizes)} sizes, most often {first[0]}x{first[1]} ({many}) and "
                f"{second[0]}x{second[1]} ({some}); make them one size with --size 64, say, or, if they are pairs, before training."
            )
        return self.array[: self.count]


def _layout(names: list[str]) -> list[tuple[str, str]]:
    """For each path its part (train, test, or the folder of what belongs to neither) and its class ("" where it has none)."""
    paths = [name.split("/") for name in names]
    while all(len(path) > 1 for path in paths) and len({path[0] for path in paths}) == 1:
        paths = [path[1:] for path in paths]
    tops = {path[0].lower() for path in paths if len(path) > 1}
    test = "test" if "test" in tops else "val"
    if not {"train", test} <= tops:
        return [("train", path[0] if len(path) > 1 else "") for path in paths]
    part_of = {"train": "train", test: "test"}
    tops_and_rest = [(path[0] if len(path) > 1 else "", path[1:]) for path in paths]
    return [(part_of.get(top.lower(), top or "."), rest[0] if len(rest) > 1 else "") for top, rest in tops_and_rest]


def _classes(path: Path, parts: list[tuple[str, str]]) -> list[str]:
    """Names of the classes of the training part, which must be those of the test part too; one class is as good as none."""
    kinds: dict[str, set[str]] = {wanted: {kind for part, kind in parts if part == wanted and kind} for wanted in ("train", "test")}
    if len(kinds["train"] | kinds["test"]) < 2:
        return []
    alone = sorted(kinds["test"] - kinds["train"])
    if alone:
        raise BadInput(
            f"The class '{printable(alone[0])}' of '{path}' has images in the test part but none in train; add some or remove it."
        )
    return sorted_naturally(kinds["train"])
