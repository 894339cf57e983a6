"""Test accuracy of the named recipes, beside what scikit-learn makes of the same labels.

    python benchmarks/accuracy.py demo           five splits of scikit-learn's digits     -> results/demo.json
    python benchmarks/accuracy.py mnist_semi     MNIST with 100 labels, and with all      -> results/mnist_semi.json

The weights are those at the end of a length that was fixed beforehand. Hyper-parameters were chosen on training images whose labels were
hidden (demo) or taken from the literature (mnist_semi); the test images are only read here.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common import environment, results, rounded

import pushforward
from pushforward.metrics import accuracy, label_spreading, nearest_neighbour


def cell(recipe: str, folder: str, **options: Any) -> dict[str, Any]:
    """Train once; what came out, with all that is needed to repeat it."""
    start = time.perf_counter()
    run = pushforward.train(recipe, run=Path(folder) / f"{recipe}-{'-'.join(map(str, options.values()))}", **options)
    seconds = time.perf_counter() - start
    train, test = run.data()
    assert test is not None
    told = {"options": options, "images": run.recipe.images, "fingerprint": train.fingerprint[:16], "test images": len(test)}
    told |= {"seconds of training": run.sessions()[-1]["seconds"], "seconds in all": seconds, "test accuracy": accuracy(run.open(), test)}
    return told | {"seed": run.recipe.seed, "batch size": run.recipe.config["batch_size"]}


def demo(folder: str) -> dict[str, Any]:
    """Five splits, each with its own 100 labels."""
    cells = []
    for split in range(5):
        found = cell("demo", folder, split_seed=split, label_seed=split, seed=split)
        train, test = pushforward.data.open_data(pushforward.data.DataSpec("digits", labels=100, label_seed=split, split_seed=split))
        found |= {"label spreading": label_spreading(train, test), "nearest neighbour": nearest_neighbour(train, test)}
        cells.append(found)
    means = {key: sum(c[key] for c in cells) / len(cells) for key in ("test accuracy", "label spreading", "nearest neighbour")}
    return {"data": "scikit-learn's digits, 100 labels, half held out as test", "cells": cells, "means": means}


def mnist_semi(folder: str) -> dict[str, Any]:
    """100 labels, and all 60,000."""
    cells = [cell("mnist_semi", folder, labels=labels) for labels in (100, 60_000)]
    return {"data": "MNIST, 10,000 test images; the labelled images are among the unlabelled", "cells": cells}


if __name__ == "__main__":
    name = sys.argv[1]
    with tempfile.TemporaryDirectory() as place:
        found = {"demo": demo, "mnist_semi": mnist_semi}[name](place)
    results(f"{name}.json", rounded({"command": f"python benchmarks/accuracy.py {name}", "environment": environment(), **found}))
