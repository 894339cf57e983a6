"""Semi-supervised learning: the same images, most labels hidden. Unsupervised learning: all of them."""

from dataclasses import replace

import torch
from torch import Tensor

from pushforward.core import UNLABELLED, BadInput
from pushforward.data.chance import generator
from pushforward.data.dataset import Dataset


def labelled_indices(label: Tensor, keep: int, seed: int) -> Tensor:
    """Places of the `keep` examples of `label` int64 [n] whose label stays known: int64 [keep], ascending.

    Balanced: every class gives equally many, give or take one; a class with too few gives all that it has. The choice for fewer labels
    is contained in that for more.

    Raises:
        BadInput: more labels than are known, or fewer than one for each class (0 is allowed: it hides all).
    """
    chance = generator("labels", seed)
    known = (label != UNLABELLED).nonzero().flatten()
    kinds = label[known].unique()
    if keep > len(known):
        raise BadInput(f"{keep} labels are to be kept, but only {len(known)} are known; keep {len(known)} at the most.")
    if keep < 0 or 0 < keep < len(kinds):
        raise BadInput(f"{keep} labels cannot cover {len(kinds)} classes; keep {len(kinds)} at the least, or 0 to hide all.")
    # each class's examples in random order; all classes' first ones go ahead of all second ones
    order = known[torch.randperm(len(known), generator=chance)]
    turn = torch.randperm(len(kinds), generator=chance)
    rank = torch.empty(len(order), dtype=torch.int64)
    for place, kind in enumerate(kinds.tolist()):
        members = (label[order] == kind).nonzero().flatten()
        rank[members] = torch.arange(len(members)) * len(kinds) + turn[place]
    return order[rank.argsort()[:keep]].sort().values


def hide_labels(dataset: Dataset, keep: int, seed: int = 0) -> Dataset:
    """`dataset` with all labels but `keep` set to UNLABELLED: balanced over classes, chosen by `seed` (`labelled_indices`).

    Raises:
        BadInput: data without classes, more labels than are known, or fewer than one for each class.
    """
    if dataset.label is None:
        raise BadInput(f"{keep} labels of '{dataset.name}' are to be kept, but it has no classes; put each class in a folder of its own.")
    kept = labelled_indices(dataset.label.cpu(), keep, seed).to(dataset.device)
    label = torch.full_like(dataset.label, UNLABELLED)
    label[kept] = dataset.label[kept]
    return replace(dataset, label=label)


def clusters(count: int) -> tuple[str, ...]:
    """What classes are called that no label has taught: cluster 3 need not be the class 3."""
    return tuple(f"cluster {number}" for number in range(count))


def without_labels(dataset: Dataset, count: int) -> Dataset:
    """`dataset` with no label known, and clusters for classes: `count` of them, or, where that is 0, as many as it has classes.

    Raises:
        BadInput: data without classes, and no count.
    """
    if not count and not dataset.classes:
        raise BadInput(
            f"All labels of '{dataset.name}' are to be hidden, but it has no classes; say how many clusters to look for (--classes 10)."
        )
    label = torch.full((len(dataset),), UNLABELLED, device=dataset.device)
    return replace(dataset, label=label, classes=clusters(count or len(dataset.classes)))
