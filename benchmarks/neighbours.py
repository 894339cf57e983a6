"""How many hidden labels of MNIST the neighbour graph guesses right from 100, and from none: by gradients of images straightened and as
they are, by pixels straightened, and by pixels as they are.

    python benchmarks/neighbours.py            writes results/neighbours.json

Five draws of labels. Only training images are read; no network is trained.
"""

import numpy as np
import torch
from common import environment, results
from scipy.sparse import csr_array

from pushforward.core import UNLABELLED
from pushforward.data import DataSpec, hide_labels, open_data
from pushforward.data.neighbours import SURE, clusters, compared, components, joined, spread
from pushforward.data.straighten import straightened
from pushforward.metrics import matched

DRAWS, LABELS, NEIGHBOURS = 5, 100, 10


def main() -> None:
    """Every way, every draw, and no label at all."""
    train, _ = open_data(DataSpec("mnist"))
    assert train.image is not None and train.label is not None
    truth = train.label.numpy()
    pixels = {"pixels, straightened": straightened(train.image), "pixels, as they are": train.image}
    ways = {"gradients, straightened and not": compared(train)} | {way: components(image) for way, image in pixels.items()}
    graphs = {way: joined(rows, NEIGHBOURS) for way, rows in ways.items()}
    draws = [hide_labels(train, LABELS, draw).label for draw in range(DRAWS)]
    found = {way: [right(graph, truth, label.numpy()) for label in draws if label is not None] for way, graph in graphs.items()}
    alone = {way: matched(torch.from_numpy(table(clusters(graph, 10, 1.0), truth))) for way, graph in graphs.items()}
    told = {"command": "python benchmarks/neighbours.py", "environment": environment(), "data": "MNIST, 60,000 training images"}
    told |= {"fingerprint": train.fingerprint[:16], "labels": LABELS, "neighbours": NEIGHBOURS, "draws": list(range(DRAWS))}
    told |= {"share that is given": SURE, "share of the given guesses that is right": found}
    results("neighbours.json", told | {"share of all images right, clusters without labels, matched one to one": alone})


def right(graph: csr_array, truth: np.ndarray, label: np.ndarray) -> float:
    """Share right among the hidden labels that the graph gives a guess for."""
    guess = spread(graph, label, 10)
    asked = (label == UNLABELLED) & (guess != UNLABELLED)
    return float((guess == truth)[asked].mean())


def table(guess: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Images counted by class (row) and cluster (column)."""
    return np.bincount(truth * 10 + guess, minlength=100).reshape(10, 10)


if __name__ == "__main__":
    main()
