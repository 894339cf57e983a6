"""Test accuracy on MNIST against the number of labels: the lecture's table, its form re-run, our recipe, and what each part of it buys.

Rules: weights are the averaged ones at the end of a length fixed beforehand; settings were chosen on training images whose labels were
hidden (draws 0 and 1), the test images are only read here; the labelled images are among the unlabelled; labels of a draw are
`data.labelled_indices(label, keep, seed)`, balanced over classes.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from pushforward import figures, metrics
from pushforward.core import UNLABELLED, System
from pushforward.data import Dataset, open_data
from pushforward.recipes.named import mnist_semi
from pushforward.reproduce.cells import Cell, trained
from pushforward.runs import Run

LECTURE = {100: 0.2569, 400: 0.3577, 1000: 0.7047, 4000: 0.9291, 10_000: 0.9697, 40_000: 0.9878, 60_000: 0.9920}
"""Its row "test error", which is plainly test accuracy."""
DRAWS = {100: 5, 400: 3, 1000: 3, 60_000: 3}
"""Label draws of each column; one where nothing is said."""
PUBLISHED = {
    "M1+M2, 2014": ({100: 0.9667, 1000: 0.9760}, "Kingma et al. 2014"),
    "ADGM, 2016": ({100: 0.9904}, "Maaloe et al. 2016, as quoted in the code of Dai et al. 2017"),
    "Bad GAN, 2017": ({100: 0.99205}, "Dai et al. 2017, README of its code"),
    "SNTG, 2018": ({100: 0.9934}, "Luo et al. 2018, quoted from memory: check before citing"),
}
"""Accuracy by labels, and where it was found."""
IMAGES = {100: 768_000, 400: 448_000, 1000: 448_000, 4000: 384_000, 10_000: 384_000, 40_000: 742_400, 60_000: 844_800}
"""How long each column is trained: ten minutes of two cores at 100 labels, six elsewhere. The more labels, the fewer views are read of
images without."""
LECTURE_IMAGES = 400_000
"""Of the lecture's form: three minutes."""
VIEWS = 6

PARTS: tuple[tuple[str, int, dict[str, Any]], ...] = (
    ("the lecture's form", 650_000, {"form": "lecture"}),
    ("+ 64 labelled images in every batch", 570_000, {"labelled": 64}),
    ("+ the bound: exact sum over y, cross-entropy of labels", 195_000, {"form": "bound", "label_weight": 60.0}),
    (
        "+ the bound's weight 1/784, on every tenth image",
        570_000,
        {"bound_weight": 1 / 784, "bound_every": 10, "label_weight": 5.0, "settle": 0.33},
    ),
    ("+ averaged teacher, its confident guesses as labels", 530_000, {"consistency": 1.0, "average": 88_000}),
    ("+ views: weak, middling, strong", 384_000, {"views": "digits"}),
    ("+ mutual information of two views", 384_000, {"mutual_information": 0.5}),
    ("+ neighbour graph as first teacher", 384_000, {"neighbours": 10}),
    ("+ a second graph, of what the network sees", 384_000, {"graph_again": 0.4}),
    ("+ milder views after two fifths", 384_000, {"calm": 0.4}),
)
"""What is added to the lecture's form, one after the other, and the images that five minutes of two cores allow."""
PLAIN: dict[str, Any] = {
    "labelled": 0,
    "neighbours": 0,
    "graph_again": 0.0,
    "calm": 1.0,
    "batch_size": 256,
    "views": "none",
    "consistency": 0.0,
    "mutual_information": 0.0,
    "average": 0,
    "settle": 0.0,
    "bound_weight": 1.0,
    "bound_every": 1,
    "likelihood": "cross-entropy",
    "code_sees_label": False,
}
"""The recipe with nothing that the lecture does not have. Its reconstruction loss is not said; cross-entropy was usual."""


def cells() -> list[Cell]:
    """All columns of the table, the dearest first; then the lecture's form, then its way to the recipe."""
    ours = [
        Cell(
            f"labels-{labels}/draw-{draw}",
            recipe(labels, IMAGES[labels]),
            draw,
            partial(run_of, {"labels": labels, "images": IMAGES[labels]}, draw),
        )
        for labels in LECTURE
        for draw in range(DRAWS.get(labels, 1))
    ]
    theirs = [
        Cell(
            f"lecture/labels-{labels}",
            {"labels": labels, "images": LECTURE_IMAGES, **PLAIN, "form": "lecture"},
            0,
            partial(lecture, labels),
        )
        for labels in LECTURE
    ]
    return ours + theirs + [part(number, draw) for number in range(len(PARTS)) for draw in range(2)]


def recipe(labels: int, images: int) -> dict[str, Any]:
    """What a cell asks of `mnist_semi`, with the settings that this has of its own: where they change, the cell is measured again."""
    plan = mnist_semi(labels)
    return {"labels": labels, "images": images, "labelled": plan.labelled, **plan.settings}


def part(number: int, draw: int) -> Cell:
    """One step of the way from the lecture's form to the recipe, at 100 labels and half its length."""
    name, images, _ = PARTS[number]
    options = PLAIN | {key: value for *_, added in PARTS[: number + 1] for key, value in added.items()}
    options |= {"images": images, "labels": 100}
    return Cell(f"parts/{number}-draw-{draw}", {"part": name, **options}, draw, partial(run_of, options, draw))


def lecture(labels: int, folder: Path) -> dict[str, Any]:
    """The lecture's form, labelled images in their natural proportion."""
    return run_of({"labels": labels, "images": LECTURE_IMAGES, **PLAIN, "form": "lecture"}, 0, folder)


def run_of(options: dict[str, Any], draw: int, folder: Path) -> dict[str, Any]:
    """Train `mnist_semi` with these options, and read the test images."""
    run, seconds = trained(folder / "run", "mnist_semi", label_seed=draw, seed=draw, **options)
    train, test = run.data()
    system = run.open()
    assert test is not None
    found = {"fingerprint": train.fingerprint[:16], **seconds, "test images": len(test)}
    found["accuracy"] = metrics.accuracy(system, test)
    found["accuracy on hidden labels"] = on_hidden_labels(run, system, train)
    if system.config.views != "none":
        found["accuracy, views averaged"] = metrics.accuracy(system, test, views=VIEWS)
    if options.get("form") == "lecture":
        found |= what_labels_weigh(run, system, train, test)
    bound = metrics.test_bound(system, test)
    return found | {key: bound[key] for key in ("bound", "distortion", "rate")}


def what_labels_weigh(run: Run, system: System, train: Dataset, test: Dataset) -> dict[str, float]:
    """Why the lecture's form collapses: what labels weigh in its loss beside the images, how far the decoder uses y^, and whether q(y|x) is
    right on the labelled images, and on the test images once classes may be called otherwise."""
    assert train.label is not None
    told = train.part((train.label != UNLABELLED).nonzero().flatten())
    last = {key.split("/")[-1]: value for key, value in run.metrics()[-1].items()}
    return {
        "label loss": last["label_loss"],
        "distortion in training": last["distortion"],
        "nats that the label saves": last["label_use"],
        "accuracy on the labelled images": metrics.accuracy(system, told),
        "accuracy, classes matched": metrics.matched(metrics.confusion(system, test)),
    }


def on_hidden_labels(run: Run, system: System, train: Dataset) -> float | None:
    """Accuracy on the training images whose label was hidden: what settings are chosen by. None where all were told."""
    truth, _ = open_data(replace(run.recipe.data, labels=None))
    hidden = (train.label == UNLABELLED).nonzero().flatten() if train.label is not None else torch.tensor([])
    return metrics.accuracy(system, truth.part(hidden)) if len(hidden) else None


def pictures(results: dict[str, Any], runs: Path) -> list[Path]:
    """Accuracy against labels: the lecture, its form re-run, published numbers, ours."""
    ours: dict[int, list[float]] = {}
    again: dict[int, list[float]] = {}
    for cell in results["cells"]:
        kind, labels = cell["name"].split("/")[0], cell["setting"]["labels"]
        if kind == "lecture":
            again.setdefault(labels, []).append(cell["numbers"]["accuracy"])
        elif kind != "parts":
            ours.setdefault(labels, []).append(cell["numbers"]["accuracy"])
    series = {"this project": ours, "the lecture": {labels: [value] for labels, value in LECTURE.items()}, "its form, re-run": again}
    published = {name: {labels: [value] for labels, value in values.items()} for name, (values, _) in PUBLISHED.items()}
    return [figures.save(figures.accuracies(series | published, lone=list(published)), runs / "pictures" / "semi-supervised.png")]
