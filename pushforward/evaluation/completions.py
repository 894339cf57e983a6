"""How well holes are filled: near the truth, as sharp, and of the same parts; beside what needs no network."""

from dataclasses import dataclass
from importlib import util
from math import prod
from typing import Any

import torch
from torch import Tensor

from pushforward import metrics
from pushforward.core import Edits, Parses
from pushforward.data import Dataset
from pushforward.evaluation.parsing import parts_in
from pushforward.evaluation.translations import answered
from pushforward.metrics import fills
from pushforward.metrics.fills import Progress

ENOUGH = 50
"""Training images from which on a Gaussian is fitted,"""
LEARNED_FROM = 10**8
"""and values of them that it is fitted to at the most: 8,000 images of 64 pixels in colour."""


@dataclass(frozen=True)
class TrueParts:
    """What a parser names in true images: asked once, however many answers are beside them."""

    parser: Parses
    parts: Tensor
    """[n, h, w]"""

    @classmethod
    def of(cls, parser: Parses, dataset: Dataset) -> "TrueParts":
        """Of all images."""
        return cls(parser, parts_in(parser, dataset.batch(torch.arange(len(dataset)))["image"]))

    def as_in(self, answer: Tensor) -> Tensor:
        """[n, 1, h, w]: 1 where the parser names the same part in answers [n, c, h, w]."""
        return (self.parts == parts_in(self.parser, answer)).float()[:, None]


def of_completions(
    system: Edits, dataset: Dataset, train: Dataset, judge: Parses | None = None, progress: Progress | None = None
) -> dict[str, Any]:
    """Of a system's answers; of the best Gaussian, and of the other bars, what is in the hole.

    judge: counts parts; the system's own parser, which has taught it, where none is given. progress: as of `GaussianImages.fills`.
    """
    parser = judge or getattr(system, "parser", None)
    true = TrueParts.of(parser, dataset) if parser is not None else None
    found: dict[str, Any] = dict(of_answers(answered(system, dataset, None), dataset, true))
    images = images_of(train, max(1, LEARNED_FROM // prod(train.shape)))
    gaussian = fills.TunedGaussian.fitted(images) if len(images) >= ENOUGH else None
    return found | bars(dataset, images.mean(0), gaussian, true, progress)


def of_answers(answer: Tensor, dataset: Dataset, true: TrueParts | None) -> dict[str, float]:
    """All metrics of completed images [n, c, h, w]; what is seen in them is that of the data."""
    batch = dataset.batch(torch.arange(len(dataset)))
    truth, mask = batch["image"].cpu(), batch["mask"].cpu()
    found = {
        "L1 in the hole": metrics.l1(truth, answer, mask),
        "PSNR": metrics.psnr(truth, answer),
        "PSNR in the hole": metrics.psnr(truth, answer, mask),
        "SSIM": metrics.ssim(truth, answer),
        "SSIM in the hole": metrics.ssim(truth, answer, mask),
        "sharpness ratio in the hole": metrics.sharpness(truth, answer, mask),
    }
    if true is not None:
        found["parts as in the truth, in the hole"] = float(metrics.where_counted(true.as_in(answer), mask).mean())
    return found


def bars(
    dataset: Dataset, mean: Tensor, gaussian: fills.TunedGaussian | None, true: TrueParts | None, progress: Progress | None = None
) -> dict[str, float]:
    """What a mean colour, the mean training image [c, h, w], Telea's method (where OpenCV is there) and a Gaussian reach."""
    told: dict[str, float] = {}
    batch = dataset.batch(torch.arange(len(dataset)))
    truth, mask = batch["image"].cpu(), batch["mask"].cpu()
    made = {"mean colour": fills.mean_colour(truth, mask), "mean image": fills.mean_image(truth, mask, mean[None])}
    if gaussian is not None:
        one = bool((mask == mask[:1]).all())
        count, times = gaussian.suited(mask[:1] if one else mask)
        made["PCA posterior"] = gaussian.whole.fill(truth, mask, count, times, progress)
        told |= {"components, PCA posterior": float(count), "times the likeliest noise, PCA posterior": times}
    if util.find_spec("cv2"):
        made["Telea"] = fills.telea(truth, mask)
    return told | {f"{key}, {name}": value for name, x in made.items() for key, value in of_answers(x, dataset, true).items()}


def images_of(dataset: Dataset, most: int) -> Tensor:
    """At the most so many images of a data set, spread evenly."""
    places = torch.linspace(0, len(dataset) - 1, min(most, len(dataset))).long()
    return torch.cat([dataset.batch(part)["image"].cpu() for part in places.split(500)])
