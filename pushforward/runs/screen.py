"""What a person sees while training: a bar with speed, time left and named terms; plain lines where there is no terminal."""

import re
import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from pushforward.training.machines import peak_memory

PLAIN_SECONDS = 10.0
"""Between two plain lines."""


class Screen:
    """Shows one training. The speed is taken over the last minute or so, from the second round on: the first one warms up."""

    def __init__(self, name: str, total: int, quiet: bool = False):
        self.total, self.quiet = total, quiet
        self.console = Console(file=sys.stderr, quiet=quiet)
        self.live = self.console.is_terminal and not quiet
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[told]}"),
            console=self.console,
        )
        self.task = self.bar.add_task(name, total=total, told="starting")
        self.marks: list[tuple[float, int]] = []
        self.shown = 0.0
        self.terms = ""
        self.seen = 0
        self.warned: set[str] = set()

    def __enter__(self) -> "Screen":
        if self.live:
            self.bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.live:
            self.show(self.seen, time.monotonic())
            self.bar.stop()

    def round(self, seen: int) -> None:
        """Called after every round; cheap."""
        self.seen, now = seen, time.monotonic()
        if self.marks and seen < self.marks[-1][1]:  # a setback: what was trained twice says nothing about the speed
            self.marks = []
        if not self.marks or now - self.marks[-1][0] > 0.2:
            self.marks = [*self.marks[-300:], (now, seen)]
            self.show(seen, now)

    def speed(self) -> float:
        """Images a second, lately; 0 while unknown."""
        if len(self.marks) < 2:
            return 0.0
        (start, first), (now, seen) = self.marks[0], self.marks[-1]
        return (seen - first) / (now - start)

    def show(self, seen: int, now: float) -> None:
        """Redraw the bar, or print a line now and then."""
        speed = self.speed()
        if not speed:
            return
        told = f"{speed:,.0f} images/s · {clock((self.total - seen) / speed)} left · {peak_memory():.0f} MiB{self.terms}"
        if self.live:
            self.bar.update(self.task, completed=seen, told=told)
        elif now - self.shown > PLAIN_SECONDS and not self.quiet:
            self.shown = now
            print(f"{100 * seen / self.total:3.0f} %  {seen:,} of {self.total:,} images · {told}", file=sys.stderr, flush=True)

    def report(self, terms: dict[str, float]) -> None:
        """Show the latest means of the terms."""
        alone = len({key.partition("/")[0] for key in terms}) == 1
        named = [(key.rpartition("/")[2] if alone else key.replace("/", " "), value) for key, value in terms.items()]
        self.terms = "".join(f" · {name.replace('_', ' ')} {value:.3g}" for name, value in named[:5])

    def say(self, sentence: str) -> None:
        """Print a sentence."""
        self.console.print(sentence, highlight=False, markup=False, soft_wrap=True)

    def warn(self, sentence: str) -> None:
        """Print a sentence unless it was printed before, if with other numbers."""
        words = re.sub(r"[\d.%]+", "", sentence)
        if words not in self.warned:
            self.warned.add(words)
            self.say(sentence)


def clock(seconds: float) -> str:
    """A length of time for people: 42 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
