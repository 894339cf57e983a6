"""What every reader asks of images and labels before it makes a data set of them."""

import os
from collections.abc import Iterator
from contextlib import suppress
from math import prod
from pathlib import Path, PurePosixPath

import torch
from torch import Tensor

from pushforward.core import UNLABELLED, BadInput

ROOT = Path("/")
"""Where Linux tells of this process."""
UNTOLD = 24 << 30
"""Bytes of memory that a machine is taken to have where it does not tell."""


def memory_limit() -> int:
    """Bytes that decoded data may take: a third of the machine's memory, or of what a container or job leaves of it, because a copy is made
    when they are split."""
    try:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not told on this system
        machine = UNTOLD
    return min([machine, *group_limits()]) // 3


def group_limits() -> Iterator[int]:
    """Bytes that this process may take, for each of its control groups of Linux, and of those around them, that has a limit."""
    with suppress(OSError):  # another system
        for line in (ROOT / "proc/self/cgroup").read_text().splitlines():
            _, kinds, path = line.split(":", 2)
            mount, file = ("memory", "memory.limit_in_bytes") if kinds else ("", "memory.max")
            if kinds and "memory" not in kinds.split(","):
                continue
            group = PurePosixPath(path)
            for place in (group, *group.parents):  # a container may see its own group alone, at the top
                with suppress(OSError, ValueError):  # "max": no limit
                    yield int((ROOT / "sys/fs/cgroup" / mount / str(place).lstrip("/") / file).read_text())


def check_memory(name: str, shape: tuple[int, ...], width: int = 1) -> None:
    """Refuse data of `shape` with `width` bytes a number that would take more than `memory_limit`."""
    size = prod(shape) * width
    if size > memory_limit():
        what = "x".join(map(str, shape))
        raise BadInput(
            f"'{name}' would take {size / 2**30:.1f} GiB in memory ({what}), more than a third of what this process may take; "
            "choose a smaller --size, or give fewer examples."
        )


def check_sides(name: str, shape: tuple[int, ...]) -> None:
    """Refuse images [.., h, w] with a side of fewer than 2 pixels."""
    height, width = shape[-2:]
    if min(height, width) < 2:
        raise BadInput(f"The images of '{name}' have {width}x{height} pixels; give images of 2x2 at the least.")


def check_differ(name: str, image: Tensor) -> None:
    """Refuse images [n, c, h, w] that are all the same."""
    # the first and the last one differ nearly always: only else are all compared
    if len(image) > 1 and torch.equal(image[0], image[-1]) and bool((image == image[:1]).all()):
        raise BadInput(f"All {len(image)} images of '{name}' are the same, so there is nothing to learn; give images that differ.")


def check_labels(name: str, label: Tensor, count: int, classes: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The names of the classes of `label` int64 [n]: `classes`, or 0..K-1 with K one more than the greatest label.

    Raises:
        BadInput: not `count` labels, a label outside 0..K-1 (UNLABELLED is allowed), or, where K is not given, a class without example.
    """
    if len(label) != count:
        raise BadInput(f"'{name}' has {count} examples but {len(label)} labels; give one label for each.")
    known = label[label != UNLABELLED]
    low, high = (int(known.min()), int(known.max())) if len(known) else (0, -1)
    if low < 0 or (classes and high >= len(classes)):
        top = len(classes) - 1 if classes else "K-1"
        raise BadInput(
            f"'{name}' has the label {low if low < 0 else high}; labels must lie in 0..{top}, or be -1 where the class is unknown."
        )
    if classes:
        return classes
    present = torch.unique(known)
    if len(present) != high + 1:
        missing = next(value for value, found in enumerate([*present.tolist(), -1]) if value != found)
        raise BadInput(f"'{name}' has labels up to {high} but none is {missing}; number the classes 0..K-1 without a gap.")
    return tuple(str(value) for value in range(high + 1))


def sorted_naturally(names: set[str]) -> list[str]:
    """By number where all names are whole numbers, else by letters."""
    whole = all(name.isdecimal() for name in names)
    return sorted(names, key=(lambda name: (int(name), name)) if whole else None)  # type: ignore[arg-type]
