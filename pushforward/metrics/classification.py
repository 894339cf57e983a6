"""How well a system tells classes apart."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pushforward.core import UNLABELLED, BadInput, Classifies, System
from pushforward.data import Dataset
from pushforward.data.augment import VIEWS, see
from pushforward.metrics.batches import batches
from pushforward.training.machines import generators_left_alone, seed_of, sow


@torch.no_grad()
def probabilities(system: System, dataset: Dataset, batch_size: int = 500, views: int = 0) -> Float[Tensor, "n classes"]:
    """q(y|x) of every example, float32 on the CPU; each row sums to 1.

    views: the mean over each image as it is and so many random weak views of it, of a system that trains on views.

    Raises:
        BadInput: the system does not classify, or has no views.
    """
    if not isinstance(system, Classifies):
        raise BadInput(f"{type(system).__name__} does not classify. Use classification_vae.")
    if views and getattr(system.config, "views", "none") == "none":
        raise BadInput(f"{views} views are to be averaged, but the run was trained without. Train with --views digits, or ask for none.")
    key = "row" if dataset.image is None else "image"
    found = []
    with generators_left_alone():
        for place, batch in enumerate(batches(system, dataset, batch_size)):
            x = batch[key]  # type: ignore[literal-required]
            sow(x.device, seed_of("views", place))
            seen = [x, *(see(x, VIEWS[system.config.views][0]) for _ in range(views))]
            found.append(torch.stack([system.logits(each).float().softmax(1) for each in seen]).mean(0).cpu())
    return torch.cat(found)


def accuracy(system: System, dataset: Dataset, views: int = 0) -> float:
    """Share of the labelled examples whose likeliest class is theirs, in [0, 1]; views: see `probabilities`.

    Raises:
        BadInput: the system does not classify, or no label is known.
    """
    matrix = confusion(system, dataset, views)
    return float(matrix.diagonal().sum()) / float(matrix.sum())


def confusion(system: System, dataset: Dataset, views: int = 0) -> Int[Tensor, "classes classes"]:
    """Labelled examples counted by class (row) and answer (column).

    Raises:
        BadInput: the system does not classify, or no label is known.
    """
    known = None if dataset.label is None else (dataset.label != UNLABELLED).nonzero().flatten().cpu()
    if dataset.label is None or known is None or not len(known):
        raise BadInput(f"No label of '{dataset.name}' is known, so answers cannot be checked; use data with classes.")
    p = probabilities(system, dataset.part(known), views=views)
    classes, label = p.shape[1], dataset.label.cpu()[known]
    if int(label.max()) >= classes:
        raise BadInput(f"'{dataset.name}' has the label {int(label.max())}, but the system knows the classes 0..{classes - 1}.")
    return torch.bincount(label * classes + p.argmax(1), minlength=classes * classes).reshape(classes, classes)


def matched(counts: Int[Tensor, "classes clusters"]) -> float:
    """Share of examples in the cluster that stands for their class, clusters and classes matched one to one for the largest share
    (Kuhn 1955, the "Hungarian" method). counts: examples by class (row) and cluster (column)."""
    from scipy.optimize import linear_sum_assignment

    row, column = linear_sum_assignment(counts.numpy(), maximize=True)
    return float(counts[torch.from_numpy(row), torch.from_numpy(column)].sum()) / float(counts.sum())
