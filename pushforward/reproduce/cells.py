"""One measurement of a table: a setting and a seed."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pushforward.recipes as recipes
from pushforward.core import BadInput, System
from pushforward.data import DataSpec
from pushforward.runs import Run, durable, go_on
from pushforward.runs.lock import Lock
from pushforward.training.machines import usual_device


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
    """A run in `folder`, trained to its end now or before, and the seconds that took; waits where another process is at it.

    Raises:
        BadInput: the folder holds a run that was asked for otherwise.
    """
    beside = folder.with_name(f"{folder.name}-asked")
    while True:
        with held(beside) as free:
            if free:
                return finished(folder, beside / "asked.json", what, data, options)
        time.sleep(1)


def finished(folder: Path, asked: Path, what: str, data: Any, options: dict[str, Any]) -> tuple[Run, dict[str, float]]:
    """The same, for whoever may write there."""
    spec = asdict(replace(data, path=Path(data.path).name)) if isinstance(data, DataSpec) else str(data)
    words = json.loads(json.dumps({"what": what, "data": spec, **options}, default=str))
    if not (folder / "recipe.json").exists():  # nothing, or killed while it was made
        shutil.rmtree(folder, ignore_errors=True)
        durable.write(asked, json.dumps(words, indent=1).encode() + b"\n")
        run = recipes.train(what, data, run=folder, quiet=True, **options)
        return run, seconds_of(run)
    before = json.loads(asked.read_text()) if asked.exists() else words
    if other := [key for key in words | before if words.get(key) != before.get(key)]:
        told = f"{other[0]} {before.get(other[0])}, and now with {words.get(other[0])}"
        raise BadInput(f"{folder} was trained with {told}. Remove that folder, or choose another with --runs.")
    run = Run(folder)
    run = run if run.seen() >= run.recipe.images else go_on(folder, quiet=True)
    return run, seconds_of(run)


def opened(run: Run) -> System:
    """A run's system where it computes fastest."""
    return run.open().to(usual_device())


@contextmanager
def held(folder: Path) -> Iterator[bool]:
    """Whether a cell, or a run that several need, could be taken for this process, for as long as it is at it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = Lock(folder)
    try:
        lock.__enter__()
    except BadInput:
        yield False
        return
    try:
        yield True
    finally:
        lock.__exit__(None, None, None)


def seconds_of(run: Run) -> dict[str, float]:
    """Seconds of training by the clock, and summed over the processors that worked: cells may run beside each other, a thread each."""
    sessions = run.sessions()
    return {
        "seconds of training": sum(session["seconds"] for session in sessions),
        "processor seconds": sum(session["processor_seconds"] for session in sessions),
    }
