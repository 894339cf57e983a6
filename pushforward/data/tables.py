"""Tables of numbers: CSV files with a header."""

import csv
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from pushforward.core import BadInput, nearest
from pushforward.data.checks import sorted_naturally
from pushforward.data.dataset import Dataset


def read(path: Path, target: str = "") -> Dataset:
    """The rows of a CSV file (separated by comma, semicolon or tab) whose first line names the columns; not standardised.

    target: the column that holds the class (text or number); "" where there is none.

    Raises:
        BadInput: text or holes among the numbers, naming line and column; no header; a target that is no column; an unreadable file.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            first = file.readline()
            file.seek(0)
            lines = csv.reader(file, delimiter=max(",;\t", key=first.count))
            return _parse(path, lines, target)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"'{path}' cannot be read as a CSV file in UTF-8 ({error}).") from error


def _parse(path: Path, lines: "Iterator[list[str]]", target: str) -> Dataset:
    header = [name.strip() for name in next(lines, [])]
    _check_header(path, header, target)
    place = header.index(target) if target else -1
    rows, marks = [], []
    for cells in lines:
        if not cells:
            continue
        line = lines.line_num  # type: ignore[attr-defined]  # csv.reader has it
        if len(cells) != len(header):
            raise BadInput(f"Line {line} of '{path}' has {len(cells)} values, but the header names {len(header)} columns.")
        if target:
            marks.append(cells.pop(place).strip())
            if not marks[-1]:
                raise BadInput(f"Line {line} of '{path}' has no class in column '{target}'; fill it in or leave the line out.")
        rows.append(_numbers(path, line, header, cells, place))
    if not rows:
        raise BadInput(f"'{path}' has a header but no rows; give at least one.")
    columns = tuple(name for name in header if name != target)
    classes = tuple(sorted_naturally(set(marks)))
    label = torch.tensor([classes.index(mark) for mark in marks]) if target else None
    return Dataset(path.stem, row=torch.tensor(rows, dtype=torch.float64), label=label, classes=classes, columns=columns)


def _check_header(path: Path, header: list[str], target: str) -> None:
    if not header or all(_number(name) is not None for name in header):
        raise BadInput(f"Line 1 of '{path}' should name the columns, but is {','.join(header)[:60]!r}; add a header.")
    twice = [name for name in header if header.count(name) > 1]
    if twice or "" in header:
        raise BadInput(
            f"The header of '{path}' names {f'{twice[0]!r} twice' if twice else 'a column without a name'}; give each its own name."
        )
    if target and target not in header:
        raise BadInput(f"'{path}' has no column '{target}'; its columns are {', '.join(header)[:300]}{nearest(target, header)}")
    if len(header) == bool(target):
        raise BadInput(f"'{path}' has no column but the class '{target}'; add columns of numbers.")


def _numbers(path: Path, line: int, header: list[str], cells: list[str], skipped: int) -> list[float]:
    """The numbers of one line; `skipped` is the place of the column that `cells` lacks, or -1."""
    numbers = [_number(cell) for cell in cells]
    if None in numbers:
        place = numbers.index(None)
        column = header[place + (0 <= skipped <= place)]
        cell = cells[place].strip()
        what = f"'{cell[:40]}', which is no finite number" if cell else "a hole"
        raise BadInput(
            f"Line {line} of '{path}' has {what} in column '{column}'; fill it in, leave the line or the column out, "
            f"or name the class column with --target."
        )
    return numbers  # type: ignore[return-value]  # None was refused above


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def standardised(train: Dataset, test: Dataset | None) -> tuple[Dataset, Dataset | None]:
    """Rows less the mean, divided by the standard deviation, of each column of the training part (1 where a column is constant)."""
    assert train.row is not None
    row = train.row.double()
    centre, scale = row.mean(0), row.std(0, correction=0)
    if not torch.stack([centre, scale]).float().isfinite().all():
        raise BadInput(f"'{train.name}' holds numbers up to {row.abs().max():g}, too large for single precision; choose other units.")
    scale = torch.where(scale > 1e-12 * centre.abs().clamp(min=1e-300), scale, torch.ones_like(scale))

    def scaled(part: Dataset) -> Dataset:
        assert part.row is not None
        value: Tensor = (part.row.double() - centre) / scale
        return replace(part, row=value.float(), centre=centre.float(), scale=scale.float())

    return scaled(train), None if test is None else scaled(test)
