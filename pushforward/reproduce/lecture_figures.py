"""The lecture's figures of the classification VAE on MNIST: input, output and encoding; samples; conditional samples; interpolation.

Are the digits sharp? An independent classifier reads conditional samples, and says in the space of its features how much of the real test
digits of a class they cover, beside the floor: what as many real training digits of the class cover.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pushforward import figures, metrics
from pushforward.core import Classifies, Samples, System
from pushforward.data import Dataset, DataSpec, open_data
from pushforward.report import pictures as draw
from pushforward.report.asking import images_of, in_turn
from pushforward.report.mixed import Mixed
from pushforward.reproduce.cells import Cell, trained
from pushforward.runs import Run
from pushforward.systems.classifier import Classifier

READER = {"views": "digits", "images": 600_000}
DIGITS = {
    "labels": 60_000,
    "latent": 32,
    "width": 16,
    "bound_every": 1,
    "settle": 0.0,
    "rate": 3e-3,
    "images": 400_000,
}
"""All labels told; the bound on every image. Grey pixels with a learned deviation: an exact picture is worth many nats there, and edges
come out sharp. With black and white ones and 8 codes even reconstructions reach only .4 of the floor of coverage, with 16 .5 to .7."""
COMPONENTS, EACH = 60, 1_000
"""Gaussians that each class's codes are drawn from; samples of each class."""


def cells() -> list[Cell]:
    """The reader first, then what it reads."""
    return [Cell("reader", READER, 1, reader), Cell("digits", DIGITS | {"components": COMPONENTS}, 0, digits)]


def reader(folder: Path) -> dict[str, Any]:
    """Train the independent classifier."""
    run, seconds = trained(folder / "run", "classifier", "mnist", seed=1, **READER)
    train, test = run.data()
    assert test is not None
    accuracy = metrics.accuracy(run.open(), test)
    return {"fingerprint": train.fingerprint[:16], **seconds, "accuracy": accuracy}


def digits(folder: Path) -> dict[str, Any]:
    """Train the classification VAE and have its conditional samples read."""
    run, seconds = trained(folder / "run", "mnist_semi", **DIGITS)
    train, test = run.data()
    assert test is not None
    judge, system = Run(folder.parent / "reader" / "run").open(), run.open()
    assert isinstance(judge, Classifier) and isinstance(system, Samples)
    found = {"fingerprint": train.fingerprint[:16], **seconds, "accuracy of q(y|x)": metrics.accuracy(system, test)}
    ways: dict[str, Samples] = {"from the prior": system, "from mixtures": Mixed(system, train, COMPONENTS)}
    grey, real = open_data(DataSpec("mnist"))
    assert real is not None
    for name, way in ways.items():
        made = torch.cat([way.sample(EACH, kind, seed=kind) for kind in range(10)])
        found[f"read as asked, {name}"] = read_as_asked(judge, made)
        shares = [covered(judge, made[kind * EACH :][:EACH], grey, real, kind) for kind in range(10)]
        found[f"coverage of each class, {name}"] = [share for share, _ in shares]
        found["floor of each class"] = [floor for _, floor in shares]
        found[f"least share of the floor, {name}"] = min(share / floor for share, floor in shares)
    return found


def read_as_asked(judge: Classifies, made: Tensor) -> float:
    """Share of images [10 * EACH, 1, 28, 28], in the order of their classes, that the judge reads as the class asked for."""
    asked = torch.arange(10).repeat_interleave(EACH)
    right = [(judge.logits(x).argmax(1) == y).sum() for x, y in zip(made.split(500), asked.split(500), strict=True)]
    return float(sum(right)) / len(asked)


def covered(judge: Classifier, made: Tensor, train: Dataset, test: Dataset, kind: int) -> tuple[float, float]:
    """Coverage of the real test digits of a class by made ones, and by as many real training digits."""

    def of_class(data: Dataset) -> Tensor:
        assert data.label is not None
        return data.batch((data.label == kind).nonzero().flatten()[:EACH])["image"]

    target = judge.features(of_class(test))
    return metrics.coverage(target, judge.features(made)), metrics.coverage(target, judge.features(of_class(train)))


def pictures(results: dict[str, Any], runs: Path) -> list[Path]:
    """The figures, one file each."""
    run = Run(runs / "digits" / "run")
    system, (train, test) = run.open(), run.data()
    assert test is not None
    mixed = Mixed(system, train, COMPONENTS)
    shown = {
        "input-and-output": draw.reconstructions(system, test, 20),
        "encoding": draw.code_space(system, test)[0],
        "samples": figures.sheet(mixed.sample(100, seed=0)),
        "conditional-samples": conditional(mixed),
        "interpolation": interpolation(system, test),
    }
    return [figures.save(picture, runs / "pictures" / f"lecture-{name}.png") for name, picture in shown.items()]


def conditional(mixed: Mixed) -> Any:
    """A row for each class."""
    rows = [str(kind) for kind in range(10)]
    return figures.sheet(torch.cat([mixed.sample(10, kind, seed=0) for kind in range(10)]), 10, rows=rows)


def interpolation(system: System, test: Dataset) -> Any:
    """Walks between pairs of test digits."""
    batch = images_of(test, in_turn(test, 8), system)
    return draw.interpolations(system, batch["image"][::2], batch["image"][1::2], (batch["label"][::2], batch["label"][1::2]))
