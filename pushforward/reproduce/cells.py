"""One measurement of a table: a setting and a seed."""

import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pushforward.recipes as recipes
from pushforward.core import BadInput, System, find_system
from pushforward.runs import Recipe, Run, config_of, go_on
from pushforward.runs.lock import Lock
from pushforward.training.machines import usual_device

COMPARED = ("system", "images", "labelled", "seed", "rule", "clip", "given", "fingerprint")
"""Of recipes, beside the system's settings and the data."""


class Absent(BadInput):
    """A data set that this machine does not have: other cells of a table may need none."""


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


def whole(recipe: str, setting: dict[str, Any]) -> dict[str, Any]:
    """A setting with what the recipe has of its own: where that changes, cells are measured again."""
    plan = recipes.RECIPES[recipe]()
    rule = {} if plan.rule == "alternating" else {"rule": plan.rule}
    return {"recipe": recipe, "images": plan.images, **rule, **plan.settings, **setting}


def scratch_of(name: str, folder: Path) -> Path:
    """The folder of a table, from the name and the folder of one of its cells."""
    return folder.parents[name.count("/")]


def trained(folder: Path, what: str, data: Any = None, **options: Any) -> tuple[Run, dict[str, float]]:
    """A run in `folder`, trained to its end now or before, and the seconds that took; waits where another process is at it.

    Raises:
        BadInput: the folder holds a run of another recipe than is asked for, which may have changed since.
    """
    beside = folder.with_name(f"{folder.name}-asked")
    while True:
        with held(beside) as free:
            if free:
                return finished(folder, what, data, options)
        time.sleep(1)


def finished(folder: Path, what: str, data: Any, options: dict[str, Any]) -> tuple[Run, dict[str, float]]:
    """The same, for whoever may write there."""
    if not (folder / "recipe.json").exists():  # nothing, or killed while it was made
        shutil.rmtree(folder, ignore_errors=True)
        run = recipes.train(what, data, run=folder, quiet=True, **options)
        return run, seconds_of(run)
    run = Run(folder)
    if other := difference(run.recipe, recipes.plan(what, data, **options).recipe):
        raise BadInput(f"{folder} was trained with {other}. Remove that folder, or choose another with --runs.")
    run = run if run.seen() >= run.recipe.images else go_on(folder, quiet=True)
    return run, seconds_of(run)


def difference(had: Recipe, asked: Recipe) -> str:
    """What two recipes do not agree on, as words; nothing where they do. Where data lie makes no difference, what they hold does."""
    for before, now in zip(words_of(had), words_of(asked), strict=True):
        for key in now:
            if before.get(key) != now[key]:
                return f"{key} {before.get(key)}, and now with {now[key]}"
    return ""


def words_of(recipe: Recipe) -> list[dict[str, Any]]:
    """All that a recipe says of what is learnt: the system and how it is trained, its settings, its data."""
    config = config_of(find_system(recipe.system), recipe.config)
    data = replace(recipe.data, path=Path(recipe.data.path).name)
    return [{key: getattr(recipe, key) for key in COMPARED}, vars(config), vars(data)]


def finished_runs(folder: Path, cells: Iterable[str]) -> bool:
    """Whether every one of these cells of the table in `folder` has its run there, trained to its end."""
    found = [folder / cell / "run" for cell in cells]
    return all((each / "recipe.json").exists() and Run(each).seen() >= Run(each).recipe.images for each in found)


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
    """Seconds of training by the clock, and summed over the processors that worked: cells may run beside each other, a thread each.

    Sessions that were killed left no word: their images are taken to have cost as much as the others.
    """
    sessions = run.sessions()
    told = sum(session["to"] - session["from"] for session in sessions)
    times = max(1.0, run.recipe.images / told) if told else 1.0
    return {
        "seconds of training": round(times * sum(session["seconds"] for session in sessions), 3),
        "processor seconds": round(times * sum(session["processor_seconds"] for session in sessions), 3),
    }
