"""Labels spread over a graph of nearest neighbours: a first teacher for semi-supervised learning, made before any network is trained.

    F <- alpha S F + (1 - alpha) Y,   S = D^-1/2 W D^-1/2                (Zhou et al. 2004, "Learning with local and global consistency")

W joins each example with its nearest neighbours in the space of the principal components. Where the few known labels lack a style of a
class (a crossed seven), the graph reaches it through others of its kind; a network that has seen none of it guesses, and believes itself.

Where no label is known, the graph's own parts are the guesses: k-means on the first K eigenvectors of S, rows of length 1 (Ng, Jordan &
Weiss 2001, "On spectral clustering"). Their numbers mean nothing; a network that learns them starts from as many classes as it should find.

Images of one channel are straightened first (`straighten.py`): `benchmarks/neighbours.py` measures what that is worth.
"""

from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from pushforward.core import UNLABELLED, BadInput
from pushforward.data.dataset import Dataset
from pushforward.data.straighten import CHUNK, straightened

if TYPE_CHECKING:
    from scipy.sparse import csr_array

COMPONENTS = 64
FITTED = 10_000
"""Examples that the components are found from."""
ROUNDS = 60
ALPHA = 0.99
SURE = 0.95
"""Share of each class's guesses, the surest ones, that are given; see results/neighbours.json for how many of MNIST's are right."""

_found: dict[tuple[str, int], Tensor] = {}
"""The last guesses, by data set and number of neighbours: planning and training ask for the same ones."""


def guesses(dataset: Dataset, neighbours: int) -> Tensor:
    """int64 [n]: a class for the examples that the graph is sure of, UNLABELLED for the rest. Hidden labels are not looked at.

    Raises:
        BadInput: no label is known and there are no clusters to look for, or there are no more examples than neighbours.
    """
    key = (dataset.fingerprint, neighbours)
    if key not in _found:
        label = dataset.label
        if label is None or not dataset.classes:
            raise BadInput(f"neighbours is {neighbours}, but no label of '{dataset.name}' is known that could be spread. Leave it out.")
        if len(dataset) <= neighbours:
            raise BadInput(f"neighbours is {neighbours}, but '{dataset.name}' has only {len(dataset)} examples. Ask for fewer.")
        _found.clear()
        smooth, classes = graph(compared(dataset), neighbours), len(dataset.classes)
        known = bool((label != UNLABELLED).any())
        found = spread(smooth, label.cpu().numpy(), classes) if known else parts(smooth, classes)
        _found[key] = torch.from_numpy(found).to(dataset.device)
    return _found[key]


def compared(dataset: Dataset) -> np.ndarray:
    """float32 [n, d]: what distances are taken between."""
    if dataset.image is None:
        assert dataset.row is not None
        return components(dataset.row.cpu().numpy())
    image = dataset.image.cpu()
    image = straightened(image) if image.shape[1] == 1 else image
    return components(image.flatten(1).numpy())


def components(rows: np.ndarray) -> np.ndarray:
    """float32 [n, at most COMPONENTS]: the first principal components of rows [n, d], found from some thousands and taken part by part,
    as a copy of all images in floating point would be what needs most memory in a training on MNIST."""
    from sklearn.decomposition import PCA

    if rows.shape[1] <= COMPONENTS or len(rows) <= COMPONENTS:
        return rows.astype(np.float32)
    found = PCA(COMPONENTS, random_state=0).fit(rows[:: ceil(len(rows) / FITTED)].astype(np.float32))
    made = np.empty((len(rows), COMPONENTS), np.float32)
    for start in range(0, len(rows), CHUNK):
        made[start : start + CHUNK] = found.transform(rows[start : start + CHUNK].astype(np.float32))
    return made


def graph(rows: np.ndarray, neighbours: int) -> "csr_array":
    """S [n, n] of rows float32 [n, d]."""
    from scipy.sparse import diags_array
    from sklearn.neighbors import kneighbors_graph

    near = kneighbors_graph(rows, neighbours)
    joined = near.maximum(near.T)
    degree = diags_array(1 / np.sqrt(np.asarray(joined.sum(1)).ravel()))
    return (degree @ joined @ degree).tocsr().astype(np.float32)


def parts(smooth: "csr_array", classes: int) -> np.ndarray:
    """S -> the part of the graph int64 [n] that each example lies in."""
    from scipy.sparse.linalg import eigsh
    from sklearn.cluster import KMeans

    start = np.random.default_rng(0).standard_normal(smooth.shape[0])
    _, vectors = eigsh(smooth.astype(np.float64), classes, which="LA", v0=start)
    rows = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return KMeans(classes, n_init=10, random_state=0).fit_predict(rows).astype(np.int64)


def spread(smooth: "csr_array", label: np.ndarray, classes: int) -> np.ndarray:
    """S, label int64 [n] -> guesses int64 [n]."""
    known = np.eye(classes, dtype=np.float32)[label] * (label != UNLABELLED)[:, None]
    belief = known
    for _ in range(ROUNDS):
        belief = ALPHA * (smooth @ belief) + (1 - ALPHA) * known
    belief = belief / belief.sum(0)  # every class as likely as another
    belief = belief / np.maximum(belief.sum(1, keepdims=True), 1e-30)
    guess, sure = belief.argmax(1), belief.max(1)
    guess[sure == 0] = UNLABELLED  # no label has come so far
    for kind in range(classes):
        own = np.flatnonzero(guess == kind)
        guess[own[np.argsort(-sure[own], kind="stable")[int(SURE * len(own)) :]]] = UNLABELLED
    return np.where(label == UNLABELLED, guess, label)
