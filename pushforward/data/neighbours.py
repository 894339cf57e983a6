"""Labels spread over a graph of nearest neighbours: a first teacher for semi-supervised learning, made before any network is trained.

    F <- alpha S F + (1 - alpha) Y,   S = D^-1/2 W D^-1/2                (Zhou et al. 2004, "Learning with local and global consistency")

Where no label is known at all, the classes are the clusters of the graph: groups that many edges join inside and few with others.

W joins each example with its nearest neighbours in the space of the principal components. Where the few known labels lack a style of a
class (a crossed seven), the graph reaches it through others of its kind; a network that has seen none of it guesses, and believes itself.

Images of one channel are straightened (`straighten.py`) and compared by their gradients (`gradients.py`): `benchmarks/neighbours.py`
measures what each is worth.
"""

from collections.abc import Callable
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from pushforward.core import UNLABELLED, BadInput
from pushforward.data.dataset import Dataset
from pushforward.data.gradients import CELLS, gradients
from pushforward.data.straighten import CHUNK, straightened

if TYPE_CHECKING:
    from scipy.sparse import csr_array

COMPONENTS = 128
FITTED = 10_000
"""Examples that the components are found from."""
ROUNDS = 200
ALPHA = 0.999
"""Nearly all of a belief comes from neighbours, over many rounds: else a style far from its label falls to whichever class is near."""
SURE, SURER = 0.95, 0.99
"""Share of each class's guesses, the surest ones, that are given: without a network and with one. See results/neighbours.json for how many
of MNIST's are right."""

_found: dict[tuple[str, int], Tensor] = {}
"""The last guesses, by data set and number of neighbours: planning and training ask for the same ones."""


def guesses(dataset: Dataset, neighbours: int, seen: Tensor | None = None) -> Tensor:
    """int64 [n]: a class for the examples that the graph is sure of, UNLABELLED for the rest. Hidden labels are not looked at; where none
    is known, the classes are the graph's own clusters, in no order.

    seen: [n, d] what a network makes of the examples, which then counts as much as what they are compared by without it.

    Raises:
        BadInput: data without classes, or no more examples than neighbours.
    """
    key = (dataset.fingerprint, neighbours)
    if key not in _found or seen is not None:
        if dataset.label is None:
            raise BadInput(f"neighbours is {neighbours}, but '{dataset.name}' has no classes to guess. Leave it out.")
        if len(dataset) <= neighbours:
            raise BadInput(f"neighbours is {neighbours}, but '{dataset.name}' has only {len(dataset)} examples. Ask for fewer.")
        rows = compared(dataset)
        if seen is not None:
            own = components(seen.cpu())
            rows = np.concatenate([rows / rows.std(), own / own.std()], 1)
        label, classes, graph = dataset.label.cpu().numpy(), len(dataset.classes), joined(rows, neighbours)
        known = bool((label != UNLABELLED).any())
        found = spread(graph, label, classes, SURE if seen is None else SURER) if known else clusters(graph, classes)
        given = torch.from_numpy(found).to(dataset.device)
        if seen is not None:
            return given
        _found.clear()
        _found[key] = given
    return _found[key]


def compared(dataset: Dataset) -> np.ndarray:
    """float32 [n, d]: what distances are taken between."""
    if dataset.image is None:
        assert dataset.row is not None
        return components(dataset.row.cpu())
    image = dataset.image.cpu()
    if image.shape[1] != 1:
        return components(image)
    roomy = min(image.shape[2:]) >= 2 * CELLS  # a cell of less than two pixels tells nothing about directions
    if not roomy:
        return components(straightened(image))
    both = torch.cat([image, straightened(image)], 1)  # straightened, a 1 with a base is as wide as a 2; as it is, it is not
    return components(both, gradients)


def components(content: Tensor, features: Callable[[Tensor], Tensor] = lambda part: part.flatten(1)) -> np.ndarray:
    """float32 [n, at most COMPONENTS]: the first principal components of the features of n examples, found from some thousands and taken
    part by part, as a copy of all features would be what needs most memory in a training on MNIST."""
    from sklearn.decomposition import PCA

    def rows(part: Tensor) -> np.ndarray:
        return torch.cat([features(each).float() for each in part.split(CHUNK)]).numpy()

    if rows(content[:1]).shape[1] <= COMPONENTS or len(content) <= COMPONENTS:
        return rows(content)
    found = PCA(COMPONENTS, random_state=0).fit(rows(content[:: ceil(len(content) / FITTED)]))
    return np.concatenate([found.transform(rows(part)) for part in content.split(CHUNK)]).astype(np.float32)


def joined(rows: np.ndarray, neighbours: int) -> "csr_array":
    """S = D^-1/2 W D^-1/2 float32 [n, n] of rows float32 [n, d]: W is 1 where either is among the other's nearest, D its row sums."""
    from scipy.sparse import diags_array
    from sklearn.neighbors import kneighbors_graph

    near = kneighbors_graph(rows, neighbours)
    both = near.maximum(near.T)
    degree = diags_array(1 / np.sqrt(np.asarray(both.sum(1)).ravel()))
    return (degree @ both @ degree).tocsr().astype(np.float32)


def spread(graph: "csr_array", label: np.ndarray, classes: int, given: float = SURE) -> np.ndarray:
    """label int64 [n] -> guesses int64 [n], of each class the share `given`."""
    known = np.eye(classes, dtype=np.float32)[label] * (label != UNLABELLED)[:, None]
    belief = known
    for _ in range(ROUNDS):
        belief = ALPHA * (graph @ belief) + (1 - ALPHA) * known
    belief = belief / belief.sum(0)  # every class as likely as another
    belief = belief / np.maximum(belief.sum(1, keepdims=True), 1e-30)
    guess, sure = belief.argmax(1), belief.max(1)
    guess[sure == 0] = UNLABELLED  # no label has come so far
    return np.where(label == UNLABELLED, surest(guess, sure, classes, given), label)


def clusters(graph: "csr_array", classes: int, given: float = SURE) -> np.ndarray:
    """Spectral clustering (Ng, Jordan & Weiss 2002) -> guesses int64 [n], of each cluster the share `given`: k-means on the rows, brought
    to length 1, of the eigenvectors that belong to the largest eigenvalues of S."""
    from scipy.sparse.linalg import eigsh
    from sklearn.cluster import KMeans

    start = np.random.default_rng(0).normal(size=graph.shape[0])
    _, vectors = eigsh(graph.astype(np.float64), k=classes, which="LA", tol=1e-4, v0=start)
    vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-30)
    found = KMeans(classes, n_init=10, random_state=0).fit(vectors)
    nearest, second = np.sort(found.transform(vectors), 1)[:, :2].T
    return surest(found.labels_.astype(np.int64), second - nearest, classes, given)


def surest(guess: np.ndarray, sure: np.ndarray, classes: int, given: float) -> np.ndarray:
    """Guesses int64 [n] without those that are least sure: of each class the share `given` is left."""
    guess = guess.copy()
    for kind in range(classes):
        own = np.flatnonzero(guess == kind)
        guess[own[np.argsort(-sure[own], kind="stable")[int(given * len(own)) :]]] = UNLABELLED
    return guess
