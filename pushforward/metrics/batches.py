"""A data set in order, a batch at a time."""

from collections.abc import Iterator

import torch

from pushforward.core import Batch, System
from pushforward.data import Dataset


def batches(system: System, dataset: Dataset, size: int) -> Iterator[Batch]:
    """All examples of `dataset` in order, `size` at a time, on the device of the system; the same pixels each time."""
    device = next((weight.device for weight in system.parameters()), torch.device("cpu"))
    for index in torch.arange(len(dataset)).split(size):
        yield {key: value.to(device) for key, value in dataset.batch(index).items()}  # type: ignore[misc, attr-defined]
