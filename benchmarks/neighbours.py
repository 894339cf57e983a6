"""How many hidden labels of MNIST the neighbour graph guesses right from 100, with images straightened and as they are.

    python benchmarks/neighbours.py            writes results/neighbours.json

Five draws of labels. Only training images are read; no network is trained.
"""

import numpy as np
from common import environment, results, rounded

from pushforward.core import UNLABELLED
from pushforward.data import DataSpec, hide_labels, open_data
from pushforward.data.neighbours import SURE, compared, components, graph, spread

DRAWS, LABELS, NEIGHBOURS = 5, 100, 10


def main() -> None:
    """Both ways, every draw."""
    train, _ = open_data(DataSpec("mnist"))
    assert train.image is not None and train.label is not None
    truth = train.label.numpy()
    ways = {"straightened": compared(train), "as they are": components(train.image.flatten(1).numpy())}
    found = {
        way: [right(rows, truth, hide_labels(train, LABELS, draw).label.numpy()) for draw in range(DRAWS)] for way, rows in ways.items()
    }
    told = {"command": "python benchmarks/neighbours.py", "environment": environment(), "data": "MNIST, 60,000 training images"}
    told |= {"fingerprint": train.fingerprint[:16], "labels": LABELS, "neighbours": NEIGHBOURS, "draws": list(range(DRAWS))}
    results("neighbours.json", rounded(told | {"share that is given": SURE, "share of the given guesses that is right": found}))


def right(rows: np.ndarray, truth: np.ndarray, label: np.ndarray) -> float:
    """Share right among the hidden labels that the graph gives a guess for."""
    guess = spread(graph(rows, NEIGHBOURS), label, 10)
    asked = (label == UNLABELLED) & (guess != UNLABELLED)
    return float((guess == truth)[asked].mean())


if __name__ == "__main__":
    main()
