"""How well parts are found: pixel by pixel, on held-out images."""

from typing import Any

import torch
from torch import Tensor

from pushforward import metrics
from pushforward.core import Parses
from pushforward.data import Dataset

TOGETHER = 32
"""Images that are parsed at a time."""


def of_parts(system: Parses, dataset: Dataset) -> dict[str, Any]:
    """Accuracies, F and intersection over union; and F of each part."""
    truth, answer = [], []
    for part in torch.arange(len(dataset)).split(TOGETHER):
        batch = dataset.batch(part)
        truth.append(batch["parts"].flatten())
        answer.append(parts_in(system, batch["image"]).flatten())
    a, b, count = torch.cat(truth), torch.cat(answer), len(dataset.part_names)
    found: dict[str, Any] = dict(metrics.segmentation(a, b, count))
    return found | {f"F of {name}": F for name, F in zip(dataset.part_names, metrics.f_scores(a, b, count), strict=True) if F is not None}


def parts_in(parser: Parses, image: Tensor) -> Tensor:
    """The part [n, h, w] that each pixel of images [n, c, h, w] is seen to belong to."""
    device = metrics.device_of(parser)
    with torch.no_grad():
        return torch.cat([parser.parse(few.to(device)).argmax(1).cpu() for few in image.split(TOGETHER)])
