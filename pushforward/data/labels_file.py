"""A CSV that names the class of some images: all else stays UNLABELLED.

    file,class
    beach/0001.jpg,cat
    0002.jpg,dog

The first line may name the columns; `file` and `class` are read then, in either order, and others (a guess) are not. Without it there are
the two columns above. A file is given below the folder or zip, or by as much of the end of its path as no other image shares. Of images
that have no file (arrays, MNIST) the number counts from 0. A line whose class is empty is one still to be filled in.
"""

import csv
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from pushforward.core import UNLABELLED, BadInput
from pushforward.data.checks import sorted_naturally
from pushforward.data.dataset import Dataset

LISTED = 10
"""Lines that one sentence names."""


@dataclass(frozen=True)
class Line:
    """What one line says."""

    number: int
    """In the file, from 1."""
    file: str
    kind: str


def read(path: Path) -> list[Line]:
    """The lines of a CSV file (separated by comma, semicolon or tab) that name a class.

    Raises:
        BadInput: an unreadable file, other columns, a line without a file or of another length, no class at all, or only one.
    """
    if not path.is_file():
        raise BadInput(f"There is no file of labels '{path}'; give a number of labels to keep, or a CSV of file,class.")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            first = file.readline()
            file.seek(0)
            rows = csv.reader(file, delimiter=max(",;\t", key=first.count))
            found = [(rows.line_num, [cell.strip() for cell in row]) for row in rows if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(
            f"The labels '{path}' cannot be read as a CSV file in UTF-8 ({error}); give a number of labels to keep, or a CSV of file,class."
        ) from error
    lines = [line for line in _lines(path, found) if line.kind]
    kinds = {line.kind for line in lines}
    if not lines:
        raise BadInput(f"'{path}' names the class of no image; write a line such as photo.png,cat for some of each class.")
    if len(kinds) == 1:
        raise BadInput(f"'{path}' names only one class, '{lines[0].kind}'; name some images of another, too.")
    return lines


def _lines(path: Path, rows: list[tuple[int, list[str]]]) -> list[Line]:
    """What each row says, without a line that names the columns."""
    if not rows:
        return []
    heads = [cell.lower() for cell in rows[0][1]]
    named = "file" in heads and "class" in heads
    if "file" in heads and not named:
        raise BadInput(
            f"Line {rows[0][0]} of '{path}' names the columns {', '.join(heads)}; the one that holds classes must be called class."
        )
    if not named and len(heads) != 2:
        raise BadInput(f"Line {rows[0][0]} of '{path}' has {len(heads)} columns; give two, file and class, or name them file,class.")
    file, kind = (heads.index("file"), heads.index("class")) if named else (0, 1)
    lines = []
    for number, cells in rows[1:] if named else rows:
        if len(cells) != len(heads) or not cells[file]:
            wrong = "no file" if len(cells) == len(heads) else f"{len(cells)} values, but line {rows[0][0]} has {len(heads)}"
            raise BadInput(f"Line {number} of '{path}' has {wrong}; write file,class.")
        lines.append(Line(number, cells[file], cells[kind]))
    return lines


def labelled(path: Path, train: Dataset, test: Dataset | None) -> tuple[Dataset, Dataset | None]:
    """`train` and `test` with the classes that the CSV at `path` names, and no others. A test part that knows its own labels keeps those
    whose class the CSV names: they measure and do not teach.

    Raises:
        BadInput: what `read` refuses, rows of a table, files that are not there or named more than once (with their lines), or a class
            of which no training image is named.
    """
    if train.image is None:
        raise BadInput(
            f"'{train.name}' holds rows of numbers, which no file names; name the class column by target and leave '{path}' out."
        )
    lines = read(path)
    classes = tuple(sorted_naturally({line.kind for line in lines}))
    number = {kind: place for place, kind in enumerate(classes)}
    files = train.names + (test.names if test else ())
    told = torch.full((len(files),), UNLABELLED)
    for place, line in places_of(path, files, lines, train.name).items():
        told[place] = number[line.kind]
    label = told[: len(train)]
    absent = sorted(set(range(len(classes))) - set(label.tolist()))
    if absent:
        raise BadInput(
            f"'{path}' names the class '{classes[absent[0]]}' for test images only; name a training image of it, or leave it out."
        )
    notes = train.notes + _unnamed(path, train, classes)
    taught = replace(train, label=label, classes=classes, notes=notes)
    return taught, None if test is None else replace(test, label=_kept(test, told[len(train) :], number), classes=classes)


def places_of(path: Path, files: tuple[str, ...], lines: list[Line], name: str) -> dict[int, Line]:
    """The place of the image that each line means."""
    ends = defaultdict(list)
    for place, file in enumerate(files):
        ends[file.rpartition("/")[2]].append(place)
    found: dict[int, list[Line]] = defaultdict(list)
    missing, shared, known = [], [], set(files)
    for line in lines:
        # a backslash parts folders, but may also belong to the name, or stand for a byte that is no text
        wanted = line.file if line.file in known else line.file.replace("\\", "/").removeprefix("./")
        near = [place for place in ends[wanted.rpartition("/")[2]] if f"/{files[place]}".endswith(f"/{wanted}")]
        exact = [place for place in near if files[place] == wanted]
        places = exact or near
        if not places:
            missing.append(f"'{line.file}' (line {line.number})")
        elif len(places) > 1:
            shared.append(f"'{line.file}' (line {line.number})")
        else:
            found[places[0]].append(line)
    if missing:
        raise BadInput(f"'{path}' names what is no image of '{name}': {_listed(missing)}; correct these lines or leave them out.")
    if shared:
        raise BadInput(f"'{path}' names files of which '{name}' has several: {_listed(shared)}; write their folders, too.")
    twice = [
        f"'{files[place]}' ({', '.join(f'line {line.number}: {line.kind}' for line in several)})"
        for place, several in found.items()
        if len(several) > 1
    ]
    if twice:
        raise BadInput(f"'{path}' names the class of the same image more than once: {_listed(twice)}; keep one line of each.")
    return {place: several[0] for place, several in found.items()}


def _listed(items: list[str]) -> str:
    return ", ".join(items[:LISTED]) + (f" and {len(items) - LISTED} more" if len(items) > LISTED else "")


def _kept(test: Dataset, told: Tensor, number: dict[str, int]) -> Tensor:
    """Labels [n] of the test part: those told by the CSV, else its own."""
    own = torch.full((len(test),), UNLABELLED)
    if test.label is not None:
        renamed = torch.tensor([number.get(kind, UNLABELLED) for kind in test.classes] + [UNLABELLED])
        own = renamed[test.label]  # UNLABELLED, which is -1, reads the last
    return torch.where(told != UNLABELLED, told, own) if len(told) else own


def _unnamed(path: Path, train: Dataset, classes: tuple[str, ...]) -> tuple[str, ...]:
    """A note on sub-folders that look like classes, of which no image has a label."""
    without = [kind for kind in train.classes if kind not in classes]
    if not without or len(without) == len(train.classes):
        return ()
    shown = ", ".join(f"'{kind}'" for kind in without[:LISTED])
    return (f"No image is named {shown} in '{path}', so there is no such class; name one or more, or leave the sub-folder out.",)
