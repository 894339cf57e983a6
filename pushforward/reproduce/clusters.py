"""No label at all: MNIST's digits found as clusters by the classification VAE, accuracy after matching clusters and classes one to one.

The same recipe as with labels, `mnist_semi --labels 0`; nothing is chosen by the truth, which is only read to match and to count.
"""

from functools import partial
from pathlib import Path
from typing import Any

import torch

from pushforward import figures, metrics
from pushforward.core import System
from pushforward.data import Dataset, DataSpec, open_data
from pushforward.reproduce.cells import Cell, trained
from pushforward.reproduce.semi_supervised import recipe
from pushforward.runs import Run

IMAGES = 256 * 3000
"""Ten minutes of two cores."""
SHOWN = 20


def cells() -> list[Cell]:
    """Five seeds."""
    return [Cell(f"seed-{seed}", recipe(0, IMAGES), seed, partial(measure, seed)) for seed in range(5)]


def measure(seed: int, folder: Path) -> dict[str, Any]:
    """Train without labels, match clusters with classes on the training images, and count on them and on the test images."""
    run, seconds = trained(folder / "run", "mnist_semi", labels=0, images=IMAGES, seed=seed)
    system = run.open()
    train, test = open_data(DataSpec("mnist"))
    assert test is not None
    found = {"fingerprint": run.recipe.fingerprint[:16], **seconds}
    counts = {name: metrics.confusion(system, data) for name, data in (("training", train), ("test", test))}
    found |= {f"accuracy on {name} images, matched": metrics.matched(table) for name, table in counts.items()}
    return found | {"training images by class (row) and cluster": counts["training"].tolist()}


def pictures(results: dict[str, Any], runs: Path) -> list[Path]:
    """A row for each cluster of the first seed: its surest training images."""
    run = Run(runs / "seed-0" / "run")
    train, _ = run.data()
    return [figures.save(figures.sheet(surest(run.open(), train), SHOWN), runs / "pictures" / "clusters.png")]


def surest(system: System, dataset: Dataset) -> torch.Tensor:
    """Images [clusters * SHOWN, C, H, W]: of each cluster those of the highest probability."""
    p = metrics.probabilities(system, dataset)
    index = p.topk(SHOWN, 0).indices.T.flatten()
    return dataset.batch(index)["image"]
