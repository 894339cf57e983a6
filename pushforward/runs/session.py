"""Training in a run folder: reports, sheets, checkpoints, interrupts, setbacks. What is saved when is a function of images seen."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from pushforward import figures
from pushforward.core import BadInput, check
from pushforward.data import Dataset, Shuffled
from pushforward.runs.lock import Lock
from pushforward.runs.run import Run, append
from pushforward.runs.screen import Screen
from pushforward.runs.sheet import sheet
from pushforward.training import Diverged, Trainer, find_rule
from pushforward.training.health import advice
from pushforward.training.machines import join_ranks, peak_memory, rank_and_ranks

SETBACKS = 3
"""How often a training that diverged is taken back before it is given up."""


class Interrupted(Exception):
    """A signal asked the training to end; it was saved. `code` is the exit status that shells expect."""

    def __init__(self, number: int, folder: Path):
        super().__init__(f"Stopped and saved. Go on with `pushforward resume {folder}`.")
        self.code = 128 + number


class GivenUp(ArithmeticError):
    """The training diverged too often."""


def start(folder: Path | str, recipe: Any, memory: Any = None, quiet: bool = False) -> Run:
    """Make a run folder and train in it to the end."""
    join_ranks()
    if rank_and_ranks()[0] == 0:
        Run.create(folder, recipe)
    return go_on(folder, memory, quiet)


def go_on(folder: Path | str, memory: Any = None, quiet: bool = False) -> Run:
    """Train an existing run to its end, from its newest valid checkpoint or from the start.

    Raises:
        BadInput: another process trains in it, or recipe or data changed.
        Interrupted: SIGINT or SIGTERM came; the run is saved.
        GivenUp: it diverged more than three times.
        NoSpace: the disk is full; the last checkpoint is intact.
    """
    join_ranks()
    run = Run(folder)
    chief = rank_and_ranks()[0] == 0
    with Lock(run.folder) if chief else nothing():
        dataset, _ = run.data(memory)
        trainer = trainer_of(run, dataset)
        setbacks = run.resume(trainer)
        with Screen(run.recipe.name or run.recipe.system, run.recipe.images, quiet or not chief) as screen:
            for notice in run.notices:
                screen.say(notice)
            while trainer.seen < run.recipe.images:
                try:
                    play(run, trainer, setbacks, screen, chief)
                except Diverged as reason:
                    setbacks += 1
                    trainer = take_back(run, dataset, setbacks, reason, screen)
    return run


def trainer_of(run: Run, dataset: Dataset) -> Trainer:
    """A trainer at the start of a run's recipe."""
    recipe = run.recipe
    system = recipe.build()
    source = Shuffled(dataset, recipe.seed, recipe.labelled)
    first = source.batch(system.schedule(0, recipe.images), 0, 0, 1)
    check(first)
    missing = system.needs - set(first)
    if missing:
        raise BadInput(f"{type(system).__name__} needs {sorted(missing)} of every example, but '{dataset.name}' gives {sorted(first)}.")
    system.accept(first)
    return Trainer(
        system,
        source,
        recipe.images,
        rule=find_rule(recipe.rule),
        seed=recipe.seed,
        shards=recipe.shards,
        precision=recipe.precision,  # type: ignore[arg-type]
        clip=recipe.clip,
        compiled=recipe.compiled,
    )


def play(run: Run, trainer: Trainer, setbacks: int, screen: Screen, chief: bool) -> None:
    """Train until the end, saving on the way."""
    recipe, began, came = run.recipe, time.monotonic(), trainer.seen
    (run.folder / "samples").mkdir(exist_ok=True)
    if chief and trainer.seen == 0:
        run.save(trainer, setbacks)
    started = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        with signals() as asked:
            for _ in trainer.rounds():
                screen.round(trainer.seen)
                if due(recipe.report_every, trainer):
                    tell(run, trainer, screen, chief)
                if chief and due(recipe.sheet_every, trainer):
                    picture(run, trainer, dataset_of(trainer))
                if chief and due(recipe.save_every, trainer):
                    run.save(trainer, setbacks)
                if asked:
                    if chief and not due(recipe.save_every, trainer):
                        run.save(trainer, setbacks, scheduled=False)
                    raise Interrupted(asked[0], run.folder)
    finally:
        if chief:
            told = {"started": started, "from": came, "to": trainer.seen, "seconds": round(time.monotonic() - began, 3)}
            append(run.folder / "sessions.jsonl", told | {"memory": round(peak_memory())})


def due(every: int, trainer: Trainer) -> bool:
    """Whether a multiple of `every` images was passed in this round, or the training ended."""
    before = trainer.seen - trainer.stage.batch_size
    return trainer.seen // every > before // every or trainer.seen >= trainer.images


def tell(run: Run, trainer: Trainer, screen: Screen, chief: bool) -> None:
    """A line of metrics, and advice where it shows something."""
    terms = trainer.report()
    screen.report(terms)
    if chief:
        append(run.folder / "metrics.jsonl", {"seen": trainer.seen, **terms})
        for sentence in advice(terms, trainer.stage.progress):
            screen.say(sentence)


def picture(run: Run, trainer: Trainer, dataset: Dataset) -> None:
    """A sheet of samples from codes that are the same every time."""
    trainer.system.eval()
    made = sheet(trainer.system, dataset)
    if made is not None:
        figures.save(made, run.folder / "samples" / f"{trainer.seen:09d}.png")


def dataset_of(trainer: Trainer) -> Dataset:
    """The data that a run's trainer learns from."""
    assert isinstance(trainer.source, Shuffled)
    return trainer.source.dataset


def take_back(run: Run, dataset: Dataset, setbacks: int, reason: Diverged, screen: Screen) -> Trainer:
    """A trainer at the newest scheduled checkpoint, with half the rate; later checkpoints are removed.

    Not one made by an interrupt: a run that was interrupted must go back as far as one that was not.
    """
    if setbacks > SETBACKS:
        raise GivenUp(f"{reason}, after {SETBACKS} attempts at ever smaller rates. Use a smaller --rate, or look for odd values in the data.")
    trainer = trainer_of(run, dataset)
    run.resume(trainer, scheduled_only=True)
    trainer.slower /= 2
    trainer.enter()
    run.save(trainer, setbacks)  # the smaller rate must outlive a kill
    screen.say(f"{reason}. Back to {trainer.seen} images, at {trainer.slower:g} of the rate.")
    return trainer


@contextmanager
def signals() -> Iterator[list[int]]:
    """Collects SIGINT and SIGTERM; a second SIGINT ends the process at once. Outside the main thread nothing is collected."""
    asked: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        asked.append(number)

    try:
        before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:
        before = {}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def nothing() -> Iterator[None]:
    """In place of the lock, which only the first rank holds."""
    yield
