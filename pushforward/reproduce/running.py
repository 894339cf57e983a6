"""Runs the cells of a table one at a time, and keeps what they found in results/NAME.json after each."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from shlex import quote
from types import ModuleType
from typing import Any

from pushforward.core import BadInput, nearest
from pushforward.reproduce.cells import Absent, Cell, held
from pushforward.runs import durable
from pushforward.runs.environment import environment

INFRASTRUCTURE = {"cells", "running"}


def names() -> list[str]:
    """What can be reproduced: the files of this folder."""
    found = (path.stem for path in Path(__file__).parent.glob("*.py"))
    return sorted(name.replace("_", "-") for name in found if not name.startswith("_") and name not in INFRASTRUCTURE)


def find(name: str) -> ModuleType:
    """The module of a table.

    Raises:
        BadInput: there is none of that name.
    """
    plain = name.replace("_", "-")
    if plain not in names():
        raise BadInput(f"There is nothing called '{name}' to reproduce{nearest(plain, names())} Known: {', '.join(names())}.")
    return import_module(f"pushforward.reproduce.{plain.replace('-', '_')}")


def results_of(name: str, folder: Path) -> tuple[Path, dict[str, Any]]:
    """The path of a table's results and what they hold so far.

    Raises:
        BadInput: the file holds something else.
    """
    path = folder / f"{name.replace('-', '_')}.json"
    if not path.exists():
        return path, {"command": f"pushforward reproduce {name.replace('_', '-')}", "cells": []}
    try:
        found = json.loads(path.read_text())
        assert isinstance(found["cells"], list)
    except (ValueError, KeyError, TypeError, AssertionError):
        raise BadInput(f"{path} holds no results. Restore it, or move it away to begin anew.") from None
    return path, found


def reproduce(name: str, only: str, results: Path, runs: Path, say: Callable[[str], None]) -> Iterator[Path]:
    """Measure the cells of a table that are not in its results yet, in order; the paths of results and pictures.

    Several processes may share a table: each takes cells that no other is at. Cells whose data are not there are left out, which is said.
    only: the beginning of the names of the cells to measure, up to a slash where there are such.

    Raises:
        BadInput: no such table or cell, results that are none, or no data for any of the cells.
    """
    module = find(name)
    every = module.cells()
    whole = [cell for cell in every if f"{cell.name}/".startswith(f"{only}/")]  # labels-100 does not mean labels-1000
    cells = whole or [cell for cell in every if cell.name.startswith(only)]
    if not cells:
        known = [cell.name for cell in every]
        raise BadInput(f"{name} has no cell whose name begins with '{only}'{nearest(only, known)} It has: {', '.join(known[:40])}.")
    scratch = runs / name.replace("_", "-")
    scratch.mkdir(parents=True, exist_ok=True)
    path, found = results_of(name, results)
    absent = Counter[str]()
    for place, cell in enumerate(cells):
        with held(scratch / "locks" / cell.name) as free:
            path, found = results_of(name, results)
            if not free or any(same(entry, cell) for entry in found["cells"]):
                continue
            say(f"{time.strftime('%H:%M:%S')}  {name} {cell.name} ({place + 1} of {len(cells)})")
            try:
                entry = measured(name, cell, scratch)
            except Absent as lack:
                absent[str(lack)] += 1
                continue
            found = added(entry, name, results, scratch)
            say(f"{time.strftime('%H:%M:%S')}  {cell.name}: {shown(found['cells'], cell)}")
    for reason, count in absent.items():
        if count == len(cells):
            raise BadInput(reason)
        say(f"{count} of {len(cells)} cells were not measured: {reason}")
    yield path
    found = results_of(name, results)[1]
    if hasattr(module, "pictures") and (len(found["cells"]) >= len(every) or getattr(module, "PARTLY", False)):
        try:
            drawn = list(module.pictures(found, scratch))
        except BadInput as missing:  # results came with the package, or runs were removed
            say(f"Pictures were not drawn: {missing}")
            return
        yield from drawn


def added(entry: dict[str, Any], name: str, results: Path, scratch: Path) -> dict[str, Any]:
    """The results of a table with one entry more, as they are written; another process may have added some meanwhile."""
    while True:
        with held(scratch) as free:
            if free:
                path, found = results_of(name, results)
                others = [done for done in found["cells"] if done["name"] != entry["name"]]
                found["cells"] = in_order([*others, entry], find(name).cells())
                path.parent.mkdir(parents=True, exist_ok=True)
                durable.write(path, json.dumps(found, indent=1).encode() + b"\n")
                return found
        time.sleep(0.1)


def measured(name: str, cell: Cell, scratch: Path) -> dict[str, Any]:
    """A cell's entry in the results."""
    here = environment()
    folder = scratch / cell.name
    folder.mkdir(parents=True, exist_ok=True)
    numbers = cell.measure(folder)
    return {
        "name": cell.name,
        "command": f"pushforward reproduce {name.replace('_', '-')} --only {quote(cell.name)}",
        "setting": cell.setting,
        "seed": cell.seed,
        "numbers": rounded(numbers),
        "versions": here["versions"],
        "machine": here["machine"],
    }


def same(entry: dict[str, Any], cell: Cell) -> bool:
    """Whether an entry of the results is what a cell asks for; one of other settings is measured again."""
    return bool(entry["name"] == cell.name and entry["setting"] == json.loads(json.dumps(cell.setting)))


def in_order(found: list[dict[str, Any]], cells: list[Cell]) -> list[dict[str, Any]]:
    """Entries in the order of the table; those of cells that it no longer has stay at the end."""
    place = {cell.name: number for number, cell in enumerate(cells)}
    return sorted(found, key=lambda entry: place.get(entry["name"], len(place)))


def rounded(tree: Any, digits: int = 6) -> Any:
    """Numbers of a nested result with so many significant digits."""
    if isinstance(tree, dict):
        return {key: rounded(value, digits) for key, value in tree.items()}
    if isinstance(tree, list):
        return [rounded(value, digits) for value in tree]
    return float(f"{tree:.{digits}g}") if isinstance(tree, float) else tree


def shown(entries: list[dict[str, Any]], cell: Cell) -> str:
    """The scalar numbers of a cell on one line."""
    numbers = next(entry["numbers"] for entry in entries if entry["name"] == cell.name)
    return ", ".join(f"{key} {value:.5g}" for key, value in numbers.items() if isinstance(value, int | float))


def overview(results: Path) -> list[str]:
    """A line for each table: its caption, and how much of it is measured."""
    lines = []
    for name in names():
        module = find(name)
        cells, entries = module.cells(), results_of(name, results)[1]["cells"]
        done = sum(any(same(entry, cell) for entry in entries) for cell in cells)
        lines.append(f"{name:20} {done:3} of {len(cells):3} cells   {(module.__doc__ or '').strip().splitlines()[0]}")
    return lines


def in_background(name: str, only: str, results: Path, runs: Path) -> tuple[int, Path]:
    """Start `reproduce` as a process that outlives this one; its number and its log.

    Raises:
        BadInput: there is nothing of that name.
    """
    find(name)
    log = runs / f"{name.replace('_', '-')}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    words = ["reproduce", name, "--results", str(results), "--runs", str(runs), *(["--only", only] if only else [])]
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "pushforward", *words],
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
    return process.pid, log
