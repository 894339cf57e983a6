"""What the report asks of a system and of a data set before it draws."""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

from pushforward.core import UNLABELLED, BadInput, Batch, Classifies, Encodes, Samples, System
from pushforward.data import Dataset

Ability = TypeVar("Ability")
CAN = {
    "Samples": "invent examples",
    "Encodes": "encode examples",
    "Classifies": "classify examples",
    "Generates": "make examples of codes",
    "Edits": "edit images",
}
"""What a system with an ability can do."""


def able(system: System, ability: Callable[..., Ability]) -> Ability:
    """`system`, which must have the ability: one of core's classes (typed as callable because mypy wants no abstract ones as `type`).

    Raises:
        BadInput: it has not.
    """
    if not isinstance(system, ability):  # type: ignore[arg-type]
        can = CAN.get(ability.__name__, ability.__name__)
        raise BadInput(f"{type(system).__name__} cannot {can}, which this needs; `pushforward systems` says what each system can do.")
    return system  # type: ignore[return-value]


def labels_of(system: System) -> int:
    """How many classes may be told to the decoder; 0 where it takes no label."""
    return system.labels if isinstance(system, Samples) else 0


def latent_of(system: System) -> int:
    """Dimensions of the code."""
    blank = torch.zeros(1, *system.config.shape, device=device_of(system))
    told = torch.zeros(1, dtype=torch.int64, device=blank.device) if labels_of(system) else None
    return able(system, Encodes).encode(blank, told).shape[1]


def device_of(system: System) -> torch.device:
    """Where the system's weights lie."""
    return next((weight.device for weight in system.parameters()), torch.device("cpu"))


def images_of(dataset: Dataset, index: Tensor, system: System) -> Batch:
    """The examples at the places `index`, where the system lies; the same pixels each time."""
    batch = dataset.batch(index, torch.Generator(dataset.device).manual_seed(0))
    return {key: value.to(device_of(system)) for key, value in batch.items()}  # type: ignore[return-value, attr-defined]


def content(batch: Batch) -> Tensor:
    """The images of a batch, or its rows."""
    return batch["image"] if "image" in batch else batch["row"]


def told_labels(system: System, batch: Batch) -> Tensor | None:
    """Labels [N] for a system that takes them: the known ones, and the system's own answers where they are not. Else None.

    Raises:
        BadInput: labels are needed, not known, and the system does not classify.
    """
    if not labels_of(system):
        return None
    image = content(batch)
    label = batch["label"].to(image.device) if "label" in batch else torch.full((len(image),), UNLABELLED, device=image.device)
    hidden = label == UNLABELLED
    if not hidden.any():
        return label
    if not isinstance(system, Classifies):
        raise BadInput(f"{type(system).__name__} must be told the class of each image, and {int(hidden.sum())} have none; give labels.")
    return torch.where(hidden, system.logits(image).argmax(1), label)


def in_turn(dataset: Dataset, count: int) -> Tensor:
    """Places [count] of examples taken from each class in turn; evenly from the whole where there are no classes."""
    if dataset.label is None or (dataset.label == UNLABELLED).all():
        return torch.linspace(0, len(dataset) - 1, min(count, len(dataset))).long()
    label = dataset.label.cpu()
    turns = [(label == k).nonzero().flatten() for k in label[label != UNLABELLED].unique()]
    longest = min(count, max(map(len, turns)))
    taken = [turn[place] for place in range(longest) for turn in turns if place < len(turn)]
    return torch.stack(taken[:count])
