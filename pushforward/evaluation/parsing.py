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
    count = len(dataset.part_names)
    batches = (dataset.batch(few) for few in torch.arange(len(dataset)).split(TOGETHER))
    matrix = torch.stack([parts_confused(system, batch["image"], batch["parts"], count) for batch in batches]).sum(0)
    found: dict[str, Any] = dict(metrics.segmentation(matrix))
    return found | {f"F of {name}": F for name, F in zip(dataset.part_names, metrics.f_scores(matrix), strict=True) if F is not None}


def parts_confused(parser: Parses, image: Tensor, parts: Tensor, count: int) -> Tensor:
    """Pixels of images [n, c, h, w] of each of `count` true parts [n, h, w] (row) by the part they are seen to belong to (column)."""
    each = zip(image.split(TOGETHER), parts.cpu().split(TOGETHER), strict=True)
    found = [metrics.confusion_of(truth.long().flatten(), parts_in(parser, few).flatten(), count) for few, truth in each]
    return torch.stack(found).sum(0)


def parts_in(parser: Parses, image: Tensor) -> Tensor:
    """The part [n, h, w] that each pixel of images [n, c, h, w] is seen to belong to."""
    device = metrics.device_of(parser)
    with torch.no_grad():
        return torch.cat([parser.parse(few.to(device)).argmax(1).cpu() for few in image.split(TOGETHER)])
