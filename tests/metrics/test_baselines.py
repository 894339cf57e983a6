"""scikit-learn's bars, on a set where the right answer is known."""

import torch

from pushforward.data import Dataset
from pushforward.metrics import label_spreading, nearest_neighbour


def two_clouds(labels: torch.Tensor, seed: int) -> Dataset:
    """Dark and bright 2x2 images."""
    generator = torch.Generator().manual_seed(seed)
    grey = torch.where(torch.arange(40) % 2 == 0, 40, 200)[:, None] + torch.randint(-20, 21, (40, 4), generator=generator)
    return Dataset("clouds", image=grey.to(torch.uint8).view(40, 1, 2, 2), label=labels, classes=("dark", "bright"))


def test_two_labels_are_enough_for_two_clouds() -> None:
    truth = torch.arange(40) % 2
    few = torch.where(torch.arange(40) < 2, truth, -1)
    train, test = two_clouds(few, 0), two_clouds(truth, 1)
    assert label_spreading(train, test) == 1.0
    assert nearest_neighbour(train, test) == 1.0


def test_wrong_labels_give_wrong_answers() -> None:
    truth = torch.arange(40) % 2
    few = torch.where(torch.arange(40) < 2, 1 - truth, -1)
    assert nearest_neighbour(two_clouds(few, 0), two_clouds(truth, 1)) == 0.0
