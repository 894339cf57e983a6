"""A table of attributes of images, which `conditional_gan` may be told: a CSV, or the format of CelebA.

    file,smiling,glasses            2
    a/0001.jpg,1,0                  Smiling Eyeglasses
    0002.jpg,0.5,0                  000001.jpg  1 -1

Values lie in [0, 1], or all of them are -1 or 1. Every image has a line; files are named as in `labels_file.py`.
"""

from dataclasses import replace
from pathlib import Path

import torch

from pushforward.core import BadInput
from pushforward.data.dataset import Dataset
from pushforward.data.labels_file import Line, places_of


def read(path: Path) -> tuple[tuple[str, ...], list[Line], torch.Tensor]:
    """Names of attributes, the lines with their files, and the values float32 [lines, a] in [0, 1].

    Raises:
        BadInput: a file that cannot be read, a line of another length, or a value that is no such number.
    """
    try:
        rows = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"The attributes '{path}' cannot be read as text in UTF-8 ({error}); give a CSV of file,attribute,...") from error
    skipped = 1 if rows and rows[0].isdecimal() else 0
    comma = not skipped
    cut = [[cell.strip() for cell in row.split(",")] if comma else row.split() for row in rows]
    names = tuple(cut[skipped][1:] if comma else cut[skipped]) if len(cut) > skipped else ()
    if not names:
        raise BadInput(f"'{path}' names no attribute in its first line; write file,smiling,glasses or the like.")
    lines, values = [], []
    for number, cells in enumerate(cut[skipped + 1 :], skipped + 2):
        if cells in ([], [""]):
            continue
        if len(cells) != len(names) + 1:
            raise BadInput(f"Line {number} of '{path}' has {len(cells)} values, but a file and {len(names)} attributes are due.")
        lines.append(Line(number, cells[0], ""))
        values.append([number_in(cell, path, number) for cell in cells[1:]])
    if not lines:
        raise BadInput(f"'{path}' has no line below its first; write the attributes of every image.")
    found = torch.tensor(values)
    if bool((found.abs() == 1).all()):
        found = (found + 1) / 2
    if not bool(((found >= 0) & (found <= 1)).all()):
        wrong = int(((found < 0) | (found > 1)).any(1).nonzero()[0])
        raise BadInput(f"Line {lines[wrong].number} of '{path}' has a value outside [0, 1]; scale attributes to 0..1, or to -1 and 1.")
    return names, lines, found


def number_in(cell: str, path: Path, line: int) -> float:
    """A cell as a finite number.

    Raises:
        BadInput: it is none.
    """
    try:
        value = float(cell)
        assert value - value == 0
    except (ValueError, AssertionError):
        raise BadInput(f"Line {line} of '{path}' has the value '{cell}', but an attribute is a number in 0..1.") from None
    return value


def described(path: Path, train: Dataset, test: Dataset | None) -> tuple[Dataset, Dataset | None]:
    """`train` and `test` with the attributes that the file at `path` gives.

    Raises:
        BadInput: what `read` refuses, rows of a table, unknown files, or images without a line.
    """
    if train.image is None:
        raise BadInput(f"'{train.name}' holds rows of numbers, which no file names; leave '{path}' out.")
    if test is not None and len(test.names) < len(test):
        raise BadInput(f"The test part of '{train.name}' has no file names that '{path}' could mean; give a folder or zip of images.")
    names, lines, values = read(path)
    files = train.names + (test.names if test else ())
    found = places_of(path, files, lines, train.name)
    if len(found) < len(files):
        missing = next(file for place, file in enumerate(files) if place not in found)
        raise BadInput(f"'{path}' has no line for '{missing}' and {len(files) - len(found) - 1} other images; every image needs one.")
    row = {line.number: place for place, line in enumerate(lines)}
    told = values[[row[found[place].number] for place in range(len(files))]]
    first = replace(train, attributes=told[: len(train)], attribute_names=names)
    return first, None if test is None else replace(test, attributes=told[len(train) :], attribute_names=names)
