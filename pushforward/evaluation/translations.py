"""How good translated images are: near the truth, and as sharp and as colourful as it is; beside what needs no network."""

from math import prod
from typing import Any

import torch
from torch import Tensor

from pushforward import metrics
from pushforward.core import BadInput, Edits, Parses
from pushforward.data import Dataset
from pushforward.evaluation.parsing import parts_confused

TOGETHER, DRAWS = 16, 3
"""Images that are translated at a time; answers drawn at random."""
LEARNED_FROM = 3 * 10**7
"""Values of training images, at the most, that predictors without a network are fitted to: 2,400 of 64 pixels in colour."""
PASSES = 20
"""Turns in which the additive predictor is fitted; it no longer changes after a few."""


def of_translations(system: Edits, dataset: Dataset, train: Dataset, judge: Parses | None = None) -> dict[str, Any]:
    """Of the answer without noise; of systems whose answers vary colours, sharpness and what a judge reads are of drawn ones, which the one
    in the middle of them all is duller than. `diversity` is the mean difference between answers drawn at random.

    judge: names the parts in answers, which are compared with those of a source that is a map of parts.

    Raises:
        BadInput: a judge, and sources that are no such maps.
    """
    truth = pictures_of(dataset)
    answers = [answered(system, dataset, seed) for seed in (None, *range(DRAWS))]
    shown = answers[1 if system.varied else 0]
    found = near(truth, answers[0]) | looks(truth, shown) | trivial(train, dataset)
    if dataset.parts is not None:
        known = (dataset.parts.long(), len(dataset.part_names))
        found["explained by parts"] = metrics.explained_by_parts(shown, *known)
        found["explained by parts, of real pictures"] = metrics.explained_by_parts(truth, *known)
    if judge is not None:
        if dataset.parts is None:
            raise BadInput(f"Sources of '{dataset.name}' are no maps of parts, which a judge could find in answers; leave --judge out.")
        found |= read_as(judge, shown, dataset)
        found |= {f"{name}, of real pictures": value for name, value in read_as(judge, truth, dataset).items()}
    pairs = [(a, b) for n, a in enumerate(answers[1:]) for b in answers[n + 2 :]]
    return found | {"diversity": sum(metrics.l1(a, b) for a, b in pairs) / len(pairs)}


def near(truth: Tensor, made: Tensor) -> dict[str, float]:
    """How near made pictures [n, c, h, w] are to the truth."""
    return {"L1": metrics.l1(truth, made), "PSNR": metrics.psnr(truth, made), "SSIM": metrics.ssim(truth, made)}


def looks(truth: Tensor, made: Tensor) -> dict[str, float]:
    """Whether made pictures have the details and colours of true ones, wherever these lie."""
    found = {"sharpness ratio": metrics.sharpness(truth, made)}
    if truth.shape[1] == 3:
        for name, share in zip("Lab", metrics.histogram_intersection(truth, made), strict=True):
            found[f"histogram intersection, {name}"] = share
    return found


def pictures_of(dataset: Dataset) -> Tensor:
    """All images, without their sources, which as maps of parts take many times the memory."""
    return torch.cat([dataset.batch(few)["image"] for few in torch.arange(len(dataset)).split(TOGETHER)])


def answered(system: Edits, dataset: Dataset, seed: int | None) -> Tensor:
    """What becomes of every source."""
    return torch.cat([system.edit(batch, seed).cpu() for batch in metrics.batches(system, dataset, TOGETHER)])


def trivial(train: Dataset, test: Dataset) -> dict[str, float]:
    """L1 of what needs no network: the mean training image, and where sources are maps of parts the best sum of a value for each place
    and a colour for each part."""
    count = max(1, min(len(train), LEARNED_FROM // prod(train.shape)))
    train = train.part(torch.linspace(0, len(train) - 1, count).long())
    truth, image = pictures_of(test), pictures_of(train)
    found = {"L1 of the mean training image": metrics.l1(truth, image.mean(0).expand_as(truth))}
    if train.parts is not None and test.parts is not None:
        place, colour = additive(image, train.parts.long(), len(train.part_names))
        found["L1 of place and part"] = metrics.l1(truth, place + colour[test.parts.long()].permute(0, 3, 1, 2))
    return found


def additive(image: Tensor, parts: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The least squares fit of images [n, c, h, w] by place [c, h, w] + colour [count, c] of the part [n, h, w] of each pixel."""
    place, colour, often = image.mean(0), image.new_zeros(count, image.shape[1]), parts.flatten().bincount(minlength=count)
    for _ in range(PASSES):
        left = (image - place).permute(0, 2, 3, 1).flatten(0, 2)
        colour = colour.new_zeros(colour.shape).index_add_(0, parts.flatten(), left) / often.clamp(min=1)[:, None]
        place = (image - colour[parts].permute(0, 3, 1, 2)).mean(0)
    return place, colour


def read_as(judge: Parses, image: Tensor, dataset: Dataset) -> dict[str, float]:
    """How far a parser sees in images the parts that their sources ask for."""
    assert dataset.parts is not None
    told = metrics.segmentation(parts_confused(judge, image, dataset.parts, len(dataset.part_names)))
    return {f"{name}, by a judge": value for name, value in told.items()}
