"""Test accuracy of the demo, beside what scikit-learn makes of the same labels.

    python benchmarks/accuracy.py demo           five splits of scikit-learn's digits     -> results/demo.json

The weights are those at the end of a length that was fixed beforehand. Hyper-parameters were chosen on training images whose labels were
hidden; the test images are only read here. MNIST: `pushforward reproduce semi-supervised`.
"""

from pathlib import Path
from typing import Any

from common import environment, results

import pushforward
from pushforward.metrics import accuracy, label_spreading, nearest_neighbour

RUNS = Path("runs/accuracy")
"""Where the runs are kept: a call that was stopped goes on with the next one."""


def cell(recipe: str, **options: Any) -> dict[str, Any]:
    """Train once, or go on where an earlier call was stopped; what came out, with all that is needed to repeat it."""
    folder = RUNS / f"{recipe}-{'-'.join(map(str, options.values()))}"
    run = pushforward.resume(folder) if folder.exists() else pushforward.train(recipe, run=folder, **options)
    train, test = run.data()
    assert test is not None
    told = {"options": options, "images": run.recipe.images, "fingerprint": train.fingerprint[:16], "test images": len(test)}
    told |= {"seconds of training": sum(s["seconds"] for s in run.sessions()), "test accuracy": accuracy(run.open(), test)}
    return told | {"seed": run.recipe.seed, "batch size": run.recipe.config["batch_size"]}


def demo() -> dict[str, Any]:
    """Five splits, each with its own 100 labels."""
    cells = []
    for split in range(5):
        found = cell("demo", split_seed=split, label_seed=split, seed=split)
        train, test = pushforward.data.open_data(pushforward.data.DataSpec("digits", labels=100, label_seed=split, split_seed=split))
        found |= {"label spreading": label_spreading(train, test), "nearest neighbour": nearest_neighbour(train, test)}
        cells.append(found)
    means = {key: sum(c[key] for c in cells) / len(cells) for key in ("test accuracy", "label spreading", "nearest neighbour")}
    return {"data": "scikit-learn's digits, 100 labels, half held out as test", "cells": cells, "means": means}


if __name__ == "__main__":
    results("demo.json", {"command": "python benchmarks/accuracy.py demo", "environment": environment(), **demo()})
