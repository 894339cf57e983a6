"""A data set in order, a batch at a time."""

from collections.abc import Iterator

import torch
from torch import nn

from pushforward.core import Batch
from pushforward.data import Dataset


def device_of(system: object) -> torch.device:
    """Where a system computes; the CPU, for what has no weights."""
    weights = system.parameters() if isinstance(system, nn.Module) else iter(())
    return next((weight.device for weight in weights), torch.device("cpu"))


def batches(system: object, dataset: Dataset, size: int) -> Iterator[Batch]:
    """All examples of `dataset` in order, `size` at a time, on the device of the system; the same pixels each time."""
    device = device_of(system)
    for index in torch.arange(len(dataset)).split(size):
        yield {key: value.to(device) for key, value in dataset.batch(index).items()}  # type: ignore[misc, attr-defined]
