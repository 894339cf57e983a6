"""Numbers and names of a run: what was trained, how well, and how to repeat it."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from pushforward import metrics
from pushforward.core import UNLABELLED, Classifies, Encodes, System
from pushforward.data import Dataset

if TYPE_CHECKING:
    from pushforward.runs import Run

FEW = 100
"""With fewer test examples pictures are made of training examples, and say so."""
ENOUGH = 2000
"""Test examples that the bound is taken on."""
MEASURED = ("bound", "distortion", "rate")


@dataclass(frozen=True)
class Scores:
    """How well a system tells classes apart."""

    matrix: Tensor
    """int64 [K, K]: images of each true class (row) by answer (column)."""

    @property
    def count(self) -> int:
        return int(self.matrix.sum())

    @property
    def accuracy(self) -> float:
        return float(self.matrix.diagonal().sum()) / self.count

    @property
    def interval(self) -> tuple[float, float]:
        """95 % confidence interval of the accuracy (Wilson 1927)."""
        n, p, z = self.count, self.accuracy, 1.96
        middle, reach = p + z * z / (2 * n), z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
        return (middle - reach) / (1 + z * z / n), (middle + reach) / (1 + z * z / n)

    def confused(self, most: int = 5) -> list[tuple[int, int, int, int]]:
        """(truth, answer, images, images of that truth) of the commonest mistakes."""
        wrong = self.matrix - torch.diag(self.matrix.diagonal())
        order = wrong.flatten().argsort(descending=True, stable=True)[:most].tolist()
        places = [divmod(place, len(wrong)) for place in order]
        return [(t, a, int(wrong[t, a]), int(self.matrix[t].sum())) for t, a in places if wrong[t, a] > 0]


@dataclass(frozen=True, eq=False)
class Shown:
    """What a page is about: a run, its system, and the examples its pictures are made of."""

    run: Run
    system: System
    train: Dataset
    test: Dataset | None

    @property
    def dataset(self) -> Dataset:
        """What pictures are made of: examples that training has not seen, where enough were held out."""
        return self.train if self.test is None or len(self.test) < FEW else self.test

    @property
    def examples(self) -> str:
        """`test images`: what these are called."""
        return ("training " if self.dataset is self.train else "test ") + ("images" if self.pictured else "rows")

    @property
    def pictured(self) -> bool:
        """Whether the data are images."""
        return self.train.image is not None

    @cached_property
    def scores(self) -> Scores | None:
        """Of a system that classifies, on labelled test images; None where there are none."""
        if not isinstance(self.system, Classifies) or self.test is None or self.test.label is None or (self.test.label < 0).all():
            return None
        return Scores(metrics.confusion(self.system, self.test))

    @property
    def scored(self) -> str:
        """`test images`: what the scores are of."""
        return "test images" if self.scores is None or self.test is None or self.scores.count == len(self.test) else "labelled test images"

    @cached_property
    def measured(self) -> dict[str, float]:
        """The bound and its two parts on at most 2,000 examples, in nats per example; empty for a system that has none."""
        if not isinstance(self.system, Encodes) or len(self.system.players()) != 1:
            return {}
        dataset = self.train if self.test is None else self.test
        found = metrics.test_bound(self.system, dataset.part(torch.arange(min(len(dataset), ENOUGH))))
        return {name: found[name] for name in MEASURED if name in found}

    @property
    def title(self) -> tuple[str, str]:
        """The system's name and what else the first sentence of its file says: `Name (source).` or `Name: description.`"""
        first = " ".join(_docstring(self.system).split("\n\n")[0].split()).rstrip(".")
        name, mark, rest = re.match(r"([^(:]*)([(:]?)(.*)", first).groups()  # type: ignore[union-attr]
        rest = rest.strip().removesuffix(")") if mark == "(" else rest.strip()
        return name.strip() or self.run.recipe.system, rest[:1].upper() + rest[1:]

    @property
    def equations(self) -> str:
        """The indented lines of the file's docstring."""
        lines = _docstring(self.system).split("\n")[1:]
        return "\n".join(line[4:].rstrip() for line in lines if line.startswith("    ") and line.strip())

    @property
    def lede(self) -> str:
        """One sentence: what it was trained on."""
        data, recipe = self.train, self.run.recipe
        size = " × ".join(map(str, data.shape[1:])) + " pixels" if self.pictured else f"{data.shape[0]} columns"
        known = 0 if data.label is None else int((data.label != UNLABELLED).sum())
        labelled = f", {known:,} of them with a label" if 0 < known < len(data) else ", all with labels" if known else ""
        kind = "images" if self.pictured else "rows"
        return f"Trained on {len(data):,} {kind} of {size} from {data.name}{labelled}. {self.seen:,} {kind} seen, seed {recipe.seed}."

    @property
    def seen(self) -> int:
        """Images seen at the checkpoint that was opened."""
        return self.system.stage.seen

    @property
    def seconds(self) -> float:
        """Training time of all sessions."""
        return sum(float(session.get("seconds", 0)) for session in self.run.sessions())

    @property
    def command(self) -> str:
        """The command line that makes this run again."""
        recipe = self.run.recipe
        given = {"--data": recipe.data.path, "--images": recipe.images, "--seed": recipe.seed}
        words = ["pushforward", "train", recipe.system, *(str(word) for pair in given.items() for word in pair)]
        return str(self.run.environment().get("command") or shlex.join(words))

    @property
    def naming(self) -> str:
        """The command line that names clusters."""
        return shlex.join(["pushforward", "name-clusters", str(self.run.folder), "0=NAME", "1=NAME"])

    @property
    def settings(self) -> list[tuple[str, str]]:
        """Everything the recipe says, name and value."""
        said = asdict(self.run.recipe)
        config, data = said.pop("config"), said.pop("data")
        return flat(said | config) + [(f"data {name}", value) for name, value in flat(data)]

    @property
    def machine(self) -> list[tuple[str, str]]:
        """Versions and machine, name and value."""
        return flat({name: value for name, value in self.run.environment().items() if name != "command"})


def flat(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and values of nested mappings; empty values are left out."""
    found: list[tuple[str, str]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            found += flat(value)
        elif value not in (None, "", [], ()):
            text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
            found.append((str(name).replace("_", " "), text))
    return found


def percent(share: float, digits: int = 1) -> str:
    """0.9811 as `98.1 %`, with a narrow space that does not break."""
    return f"{share:.{digits}%}".replace("%", "\u202f%")


def lasting(seconds: float) -> str:
    """`2 h 05 min`, `3 min 20 s`, `41 s`."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{whole} s"


def _docstring(system: System) -> str:
    return (sys.modules[type(system).__module__].__doc__ or "").strip()
