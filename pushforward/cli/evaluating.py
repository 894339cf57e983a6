"""Commands that measure: one run, or whole tables."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import Positional, arg

from pushforward.cli.opening import outputs, say
from pushforward.cli.words import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Evaluate:
    """Measure a run on examples it has not seen: likelihood, codes, accuracy, samples; write evaluation.json and pictures.

    What was found is kept: the same command goes on where it was stopped.

    Example: pushforward evaluate zoo/vae --draws 1000
    """

    run: RunFolder
    """A run folder, or zoo/NAME for one that comes with the package."""
    split: Literal["test", "train"] = "test"
    """The part of the data."""
    draws: int = 100
    """K: codes drawn of each example to estimate log p(x); 1000 is usual in papers and takes ten times as long."""
    count: int = 0
    """Only the first so many examples; 0: all."""
    samples: int = 2000
    """Samples to compare with held-out examples, five sets of them; 10000 is usual in papers, 0 leaves them out."""
    features: str = ""
    """The run of a classifier or describer in whose features samples are compared, or module:name of a torch module of your own; else the
    one that comes with the package for these data."""
    judge: str = ""
    """The run of a parser that names the parts in answers of a run that edits images."""
    mask: str = ""
    """What is hidden of images, of a run that paints holes (centre, left, eyes, mixed, or a .png); else what was hidden in training."""

    def run_it(self) -> None:
        """Measure, and print what was found."""
        from pushforward.evaluation import Asked, evaluate
        from pushforward.runs import Run

        run = Run(self.run)
        asked = Asked(self.split, self.draws, self.count, self.samples, self.features, self.judge, self.mask)
        found = evaluate(run, asked, outputs(run), progress=bar("examples"))
        for notice in run.notices:
            say(notice)
        pictures = found.pop("pictures")
        for name, value in found.items():
            if isinstance(value, int | float | str) and value != "":
                print(f"{name:30} {value:,.4f}" if isinstance(value, float) else f"{name:30} {value}")
        for path in [outputs(run) / "evaluation.json", *pictures]:
            print(path)


@dataclass(frozen=True)
class Reproduce:
    """Run a table or figure of the lecture or a paper anew, cell by cell, into results/NAME.json; stopped, it goes on where it was.

    Example: pushforward reproduce semi-supervised --only labels-100
    """

    name: Annotated[str, Positional, arg(help_behavior_hint="")] = ""
    """What to reproduce; without a name, what there is and how far it is."""
    only: str = ""
    """Only cells whose name begins so."""
    queue: Annotated[bool, arg(help_behavior_hint="")] = False
    """Go on in the background, and print where its log is."""
    results: Path = Path("results")
    """Where NAME.json lies."""
    runs: Path = Path("runs/reproduce")
    """Where the cells' runs lie."""

    def run_it(self) -> None:
        """Run what is missing."""
        from pushforward import reproduce

        if not self.name:
            for line in reproduce.overview(self.results):
                print(line)
        elif self.queue:
            process, log = reproduce.in_background(self.name, self.only, self.results, self.runs)
            print(f"Process {process} goes on with {self.name}; its log is {log}.")
        else:
            for path in reproduce.reproduce(self.name, self.only, self.results, self.runs, say):
                print(path)


def bar(what: str) -> "Callable[[int, int], None] | None":
    """Shows on stderr how far something is; None where there is no terminal."""
    if not sys.stderr.isatty():
        return None
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    shown = Progress(*columns, console=Console(stderr=True), transient=True)
    task = shown.add_task(what)

    def told(done: int, total: int) -> None:
        shown.start()
        shown.update(task, completed=done, total=total)
        if done == total:
            shown.stop()

    return told
