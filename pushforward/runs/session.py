"""Training in a run folder: reports, sheets, checkpoints, interrupts, setbacks. What is saved when is a function of images seen.

Of several ranks the first one alone writes; the others read what it left, and all stop in the same round.
"""

import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from pushforward.core import BadInput, Judges, System, check
from pushforward.data import Dataset, Shuffled
from pushforward.runs import board, durable, lines
from pushforward.runs.checkpoint import folders
from pushforward.runs.lock import Lock
from pushforward.runs.probe import probed
from pushforward.runs.recipe import Recipe, from_json, to_json
from pushforward.runs.run import Run, data_of, refuse_taken
from pushforward.runs.screen import Screen
from pushforward.runs.sheet import sheet
from pushforward.training import Diverged, Trainer, find_rule
from pushforward.training.health import advice
from pushforward.training.machines import can_compile, join_ranks, largest, peak_memory, rank_and_ranks, wait_for_ranks
from pushforward.training.memory import keep_memory
from pushforward.training.threads import crowded, fitting_threads, settle_threads

Parts = tuple[Dataset, Dataset | None]
HINTS = {"mask": "Give --mask square, strokes or mixed.", "parts": "Use faces, or --pairs with a --palette."}
"""What to do where the data give no such thing."""
SETBACKS = 3
"""How often a training that diverged is taken back before it is given up."""
APART = 200
"""Rounds, at least, from one measurement of how much a game turns to the next: each costs as much as several."""


class Interrupted(Exception):
    """A signal asked the training to end; it was saved. `code` is the exit status that shells expect."""

    def __init__(self, number: int, folder: Path):
        super().__init__(f"Stopped and saved. Go on with `pushforward resume {folder}`.")
        self.code = 128 + number


class GivenUp(ArithmeticError):
    """The training diverged too often."""


def start(
    folder: Path | str,
    recipe: Recipe,
    memory: Any = None,
    quiet: bool = False,
    parts: Parts | None = None,
    given: Mapping[str, Run] | None = None,
) -> Run:
    """Make a run folder and train in it to the end. What cannot be trained is refused before anything is written.

    parts: training and held-out data of the recipe, where the caller has read them already. given: the runs of `recipe.given`.

    Raises:
        BadInput: settings, data or folder cannot be used; else as `go_on`.
    """
    join_ranks()
    if recipe.tensorboard:
        board.check()
    recipe = from_json(to_json(recipe), Path(folder) / "recipe.json")
    if chief():
        refuse_taken(Path(folder), recipe)
    if parts is None or parts[0].fingerprint != recipe.fingerprint:
        parts = data_of(recipe, memory)
    trainer = trainer_of(recipe, parts[0], {name: run.open() for name, run in (given or {}).items()})
    if chief():
        Run.create(folder, recipe, given)
    wait_for_ranks()
    return train(Run(folder), trainer, parts, quiet)


def go_on(folder: Path | str, memory: Any = None, quiet: bool = False) -> Run:
    """Train an existing run to its end, from its newest valid checkpoint or from the start.

    Raises:
        BadInput: another process trains in it, or recipe or data changed.
        Interrupted: SIGINT or SIGTERM came; the run is saved.
        GivenUp: it diverged more than three times.
        NoSpace: the disk is full; the last checkpoint is intact.
    """
    join_ranks()
    wait_for_ranks()  # the first one may have extended the run
    run = Run(folder)
    run.refuse_changes()
    parts = run.data(memory)
    return train(run, trainer_of(run.recipe, parts[0], run.given()), parts, quiet)


def train(run: Run, trainer: Trainer, parts: Parts, quiet: bool) -> Run:
    """Take the lock, bring a trainer to where the run stands, and train to the end."""
    recipe = run.recipe
    keep_memory()
    screen = Screen(recipe.name or recipe.system, recipe.images, quiet or not chief())
    with durable.told(run.folder), signals() as asked, Lock(run.folder) if chief() else nullcontext(), screen:
        setbacks = together(run, trainer, run.resume(trainer) if chief() else 0)
        for notice in dict.fromkeys(run.notices):
            screen.say(notice)
        if recipe.compiled and not can_compile():
            screen.say("There is no C++ compiler (or Python's headers are missing), so the losses run uncompiled, which is slower.")
        while trainer.seen < recipe.images:
            try:
                with fitting_threads(trainer.system, trainer.stage.batch_size):
                    play(run, trainer, parts[1], setbacks, screen, asked)
            except Diverged as reason:
                setbacks += 1
                trainer = take_back(run, trainer, parts[0], setbacks, reason, screen)
    return run


def chief() -> bool:
    """Whether this rank is the one that writes."""
    return rank_and_ranks()[0] == 0


def together(run: Run, trainer: Trainer, setbacks: int) -> int:
    """Bring the other ranks' trainers to the checkpoint that the first rank's has just come to; returns its setbacks."""
    wait_for_ranks()
    if not chief():
        setbacks = run.follow(trainer)
    wait_for_ranks()
    return setbacks


def trainer_of(recipe: Recipe, dataset: Dataset, given: Mapping[str, System] | None = None) -> Trainer:
    """A trainer at the start of a recipe, with the systems from outside that it is given.

    Raises:
        BadInput: the system cannot learn from these data.
    """
    system = recipe.build(given)
    source = Shuffled(dataset, recipe.seed, recipe.labelled)
    first = source.batch(system.schedule(0, recipe.images), 0, 0, 1)
    check(first)
    missing = system.needs - set(first)
    if missing:
        told = f"{type(system).__name__} needs {sorted(missing)} of every example, but '{dataset.name}' gives {sorted(first)}."
        raise BadInput(" ".join([told, *(HINTS[key] for key in ("mask", "parts") if key in missing)]))
    system.accept(first)
    if dataset.label is not None:  # one label of many may be unknown, or beyond the others, and not among the first
        system.accept(dataset.batch(torch.stack([dataset.label.argmin(), dataset.label.argmax()]).cpu()))
    return Trainer(
        system,
        source,
        recipe.images,
        rule=find_rule(recipe.rule),
        seed=recipe.seed,
        shards=recipe.shards,
        precision=recipe.precision,
        clip=recipe.clip,
        compiled=recipe.compiled,
    )


def play(run: Run, trainer: Trainer, held_out: Dataset | None, setbacks: int, screen: Screen, asked: list[int]) -> None:
    """Train until the end, saving on the way.

    asked: the numbers of signals that came; one of them, on any rank, ends the training after the round.
    """
    began, came, started = time.monotonic(), trainer.seen, datetime.now(UTC).isoformat(timespec="seconds")
    worked = time.process_time()
    if chief() and not folders(run.folder):
        run.save(trainer, setbacks)
    settle_threads()
    try:
        before = trainer.seen
        for _ in trainer.rounds():
            screen.round(trainer.seen)
            saved = record(run, trainer, held_out, setbacks, came, before, screen)
            if number := largest(asked[0] if asked else 0):
                if chief() and not saved:
                    run.save(trainer, setbacks, scheduled=False)
                wait_for_ranks()
                raise Interrupted(number, run.folder)
            before = trainer.seen
    finally:
        if chief():
            told = {"started": started, "from": came, "to": trainer.seen, "seconds": round(time.monotonic() - began, 3)}
            told |= {"processor_seconds": round(time.process_time() - worked, 3), "memory": round(peak_memory())}
            with suppress(OSError):  # a disk that is full is told of already
                lines.append(run.folder / "sessions.jsonl", told)


def record(run: Run, trainer: Trainer, held_out: Dataset | None, setbacks: int, began: int, before: int, screen: Screen) -> bool:
    """Write what is due after a round that began at `before` images, in a session from `began` on; returns whether a checkpoint was."""

    def due(every: int) -> bool:
        """Whether a multiple of `every` images was passed in this round, or the training ended."""
        return trainer.seen // every > before // every or trainer.seen >= trainer.images

    recipe = run.recipe
    # a few early sheets beside the regular ones, so that even a run of hours shows its first within a minute
    shown = due(recipe.sheet_every) or early(recipe.sheet_every, before, trainer.seen)
    turning = due(-(-APART * trainer.stage.batch_size // recipe.sheet_every) * recipe.sheet_every)
    looked = watched(trainer, held_out, turning) if shown else {}
    if due(recipe.report_every):
        tell(run, trainer, screen, began, trainer.report() | looked)
    elif looked:
        tell(run, trainer, screen, began, looked)
    if chief() and shown:
        picture(run, trainer)
        if trainer.device.type == "cpu" and (sentence := crowded()):
            screen.warn(sentence)
    if chief() and due(recipe.save_every):
        run.save(trainer, setbacks)
    return due(recipe.save_every)


def early(every: int, before: int, seen: int) -> bool:
    """Whether an eighth or a 64th of the first `every` images was passed."""
    return any(before < every // part <= seen for part in (8, 64))


def watched(trainer: Trainer, held_out: Dataset | None, turning: bool) -> dict[str, float]:
    """How a game stands, seen from outside; turning: and how much it turns."""
    assert isinstance(trainer.source, Shuffled)
    if not isinstance(trainer.system, Judges):
        return {}
    rotation = trainer.rotation() if turning else None
    return probed(trainer.system, trainer.source.dataset, held_out) | ({} if rotation is None else {"judge/rotation": rotation})


def tell(run: Run, trainer: Trainer, screen: Screen, began: int, terms: dict[str, float]) -> None:
    """A line of metrics, and advice where it shows something."""
    settle_threads()
    screen.report(terms)
    if chief():
        lines.append(run.folder / "metrics.jsonl", {"seen": trainer.seen, **terms})
        if run.recipe.tensorboard:
            board.show(run.folder, began, trainer.seen, terms)
        history = run.metrics() if isinstance(trainer.system, Judges) else ()
        for sentence in advice({"seen": trainer.seen, **terms}, trainer.stage.progress, run.recipe.settings, history):
            screen.warn(sentence)


def picture(run: Run, trainer: Trainer) -> None:
    """A sheet of samples from codes that are the same every time."""
    assert isinstance(trainer.source, Shuffled)
    trainer.system.eval()
    made = sheet(trainer.system, trainer.source.dataset)
    if made is not None:
        (run.folder / "samples").mkdir(exist_ok=True)
        png = BytesIO()
        made.save(png, "PNG")
        durable.write(run.folder / "samples" / f"{trainer.seen:09d}.png", png.getvalue())


def take_back(run: Run, trainer: Trainer, dataset: Dataset, setbacks: int, reason: Diverged, screen: Screen) -> Trainer:
    """A trainer at the newest fitting checkpoint (see `Run.resume`), with half the rate; later checkpoints are removed."""
    if setbacks > SETBACKS:
        raise GivenUp(
            f"{reason}, after {SETBACKS} attempts at ever smaller rates. Use a smaller --rate, or look for odd values in the data."
        )
    again = trainer_of(run.recipe, dataset, run.given())
    if chief():
        run.resume(again, before=trainer.seen)
        again.slower = trainer.slower / 2
        again.enter()
        run.save(again, setbacks)  # the smaller rate must outlive a kill
    together(run, again, setbacks)
    screen.say(f"{reason}. Back to {again.seen} images, at {again.slower:g} of the rate.")
    return again


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
