"""One measurement of a table: a setting and a seed."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pushforward.recipes as recipes
from pushforward.runs import Run, go_on


@dataclass(frozen=True)
class Cell:
    """A cell of a table, measured once."""

    name: str
    """Unique in its table, and a path: `labels-100/seed-0`."""
    setting: dict[str, Any]
    """What differs from other cells, as JSON values."""
    seed: int
    measure: "Callable[[Path], dict[str, Any]]"
    """Measures in a folder of the cell, going on with what a stopped call left there, and returns JSON values:
    `fingerprint` of the data among them."""


def scratch_of(name: str, folder: Path) -> Path:
    """The folder of a table, from the name and the folder of one of its cells."""
    return folder.parents[name.count("/")]


def trained(folder: Path, what: str, data: Any = None, **options: Any) -> tuple[Run, dict[str, float]]:
    """A run in `folder`, trained to its end now or before, and the seconds that took."""
    made = (folder / "recipe.json").exists()
    if not made:  # killed while it was made
        shutil.rmtree(folder, ignore_errors=True)
    run = go_on(folder, quiet=True) if made else recipes.train(what, data, run=folder, quiet=True, **options)
    return run, seconds_of(run)


def seconds_of(run: Run) -> dict[str, float]:
    """Seconds of training by the clock, and summed over the processors that worked: cells may run beside each other, a thread each."""
    sessions = run.sessions()
    return {
        "seconds of training": sum(session["seconds"] for session in sessions),
        "processor seconds": sum(session["processor_seconds"] for session in sessions),
    }
