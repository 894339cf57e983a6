"""How good translated images are: near the truth, and as sharp and as colourful as it is; beside what needs no network."""

from typing import Any

import torch
from torch import Tensor

from pushforward import metrics
from pushforward.core import Edits
from pushforward.data import Dataset

TOGETHER, DRAWS = 16, 3
"""Images that are translated at a time; answers drawn at random."""


def of_translations(system: Edits, dataset: Dataset, train: Dataset) -> dict[str, Any]:
    """Of the answer without noise; `diversity` is the mean difference between answers drawn at random."""
    truth = dataset.batch(torch.arange(len(dataset)))["image"]
    answers = [answered(system, dataset, seed) for seed in (None, *range(DRAWS))]
    found = compared(truth, answers[0])
    mean = sum(train.batch(part)["image"].sum(0) for part in torch.arange(len(train)).split(500)) / len(train)
    assert isinstance(mean, Tensor)
    found["L1 of the mean training image"] = metrics.l1(truth, mean.expand_as(truth))
    pairs = [(a, b) for n, a in enumerate(answers[1:]) for b in answers[n + 2 :]]
    return found | {"diversity": sum(metrics.l1(a, b) for a, b in pairs) / len(pairs)}


def compared(truth: Tensor, made: Tensor) -> dict[str, float]:
    """All metrics of made pictures [n, c, h, w]."""
    found = {
        "L1": metrics.l1(truth, made),
        "PSNR": metrics.psnr(truth, made),
        "SSIM": metrics.ssim(truth, made),
        "sharpness ratio": metrics.sharpness(truth, made),
    }
    if truth.shape[1] == 3:
        for name, share in zip("Lab", metrics.histogram_intersection(truth, made), strict=True):
            found[f"histogram intersection, {name}"] = share
    return found


def answered(system: Edits, dataset: Dataset, seed: int | None) -> Tensor:
    """What becomes of every source."""
    return torch.cat([system.edit(dataset.batch(part), seed).cpu() for part in torch.arange(len(dataset)).split(TOGETHER)])
