"""How well a system tells classes apart."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pushforward.core import UNLABELLED, BadInput, Classifies, System
from pushforward.data import Dataset
from pushforward.metrics.batches import batches


@torch.no_grad()
def probabilities(system: System, dataset: Dataset, batch_size: int = 500) -> Float[Tensor, "n classes"]:
    """q(y|x) of every example, float32 on the CPU; each row sums to 1.

    Raises:
        BadInput: the system does not classify.
    """
    if not isinstance(system, Classifies):
        raise BadInput(f"{type(system).__name__} does not classify. Use classification_vae.")
    key = "row" if dataset.image is None else "image"
    found = [system.logits(batch[key]).float().softmax(1).cpu() for batch in batches(system, dataset, batch_size)]  # type: ignore[literal-required]
    return torch.cat(found)


def accuracy(system: System, dataset: Dataset) -> float:
    """Share of the labelled examples whose likeliest class is theirs, in [0, 1].

    Raises:
        BadInput: the system does not classify, or no label is known.
    """
    matrix = confusion(system, dataset)
    return float(matrix.diagonal().sum()) / float(matrix.sum())


def confusion(system: System, dataset: Dataset) -> Int[Tensor, "classes classes"]:
    """Labelled examples counted by class (row) and answer (column).

    Raises:
        BadInput: the system does not classify, or no label is known.
    """
    known = None if dataset.label is None else (dataset.label != UNLABELLED).nonzero().flatten().cpu()
    if dataset.label is None or known is None or not len(known):
        raise BadInput(f"No label of '{dataset.name}' is known, so answers cannot be checked; use data with classes.")
    p = probabilities(system, dataset.part(known))
    classes, label = p.shape[1], dataset.label.cpu()[known]
    if int(label.max()) >= classes:
        raise BadInput(f"'{dataset.name}' has the label {int(label.max())}, but the system knows the classes 0..{classes - 1}.")
    return torch.bincount(label * classes + p.argmax(1), minlength=classes * classes).reshape(classes, classes)
