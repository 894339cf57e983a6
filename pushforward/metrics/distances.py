"""Distances between two sets of examples in a feature space, by torchmetrics.

    Frechet     |m_1 - m_2|^2 + tr(C_1 + C_2 - 2 (C_1 C_2)^(1/2)), m and C the mean and covariance of features      (Heusel et al. 2017)
    kernel      unbiased MMD^2 under (<a, b> / d + 1)^3, the mean over subsets of one size                           (Binkowski et al. 2018)
    score       exp E KL(p(y|x) || p(y)) of a classifier's logits on made examples                                   (Salimans et al. 2016)

The Frechet distance is biased upwards, by about 1/n: compare it at equal n, and with the floor of real examples against real ones. The
kernel distance is not, and may come out below 0.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pushforward.core import BadInput
from pushforward.training.machines import generators_left_alone

SUBSETS, SUBSET = 50, 1_000
"""Of the kernel distance: subsets, and examples of each (fewer where there are not so many)."""
SPLITS = 10
"""Parts of the examples whose scores are averaged."""


class Given(nn.Module):
    """Features that are features already."""

    def __init__(self, count: int):
        super().__init__()
        self.num_features = count

    def forward(self, features: Tensor) -> Tensor:
        """As they are."""
        return features


def frechet_distance(real: Float[Tensor, "n d"], made: Float[Tensor, "m d"]) -> float:
    """The Frechet distance of two sets of features.

    Raises:
        BadInput: fewer than two examples of a kind.
    """
    from torchmetrics.image.fid import FrechetInceptionDistance

    enough(real, made, 2, "Frechet distance")
    return float(told(FrechetInceptionDistance(feature=Given(real.shape[1])).to(real.device), real, made))


def kernel_distance(real: Float[Tensor, "n d"], made: Float[Tensor, "m d"], seed: int = 0) -> float:
    """The kernel distance of two sets of features; seed: chooses the subsets.

    Raises:
        BadInput: fewer than three examples of a kind.
    """
    from torchmetrics.image.kid import KernelInceptionDistance

    enough(real, made, 3, "kernel distance")
    size = min(SUBSET, len(real) - 1, len(made) - 1)
    with generators_left_alone(), quiet():
        torch.manual_seed(seed)
        metric = KernelInceptionDistance(feature=Given(real.shape[1]), subsets=SUBSETS, subset_size=size).to(real.device)
        mean, _ = told(metric, real, made)
    return float(mean)


def classifier_score(logits: Float[Tensor, "n classes"], seed: int = 0) -> float:
    """exp E KL(p(y|x) || p(y)), from 1 (no class, or one class only) to the number of classes; seed: shuffles the examples.

    Raises:
        BadInput: fewer examples than parts to average over.
    """
    from torchmetrics.image.inception import InceptionScore

    enough(logits, logits, SPLITS, "classifier score")
    with generators_left_alone(), quiet():
        torch.manual_seed(seed)
        metric = InceptionScore(feature=Given(logits.shape[1]), splits=SPLITS, normalize=False)
        metric.update(logits.float().cpu())
        mean, _ = metric.compute()
    return float(mean)


@contextmanager
def quiet() -> Iterator[None]:
    """Without the warning that features are kept in memory, where they are already."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Metric `", UserWarning)
        yield


def told(metric: Any, real: Tensor, made: Tensor) -> Any:
    """What a metric of torchmetrics says of features."""
    metric.update(real.float(), real=True)
    metric.update(made.float(), real=False)
    return metric.compute()


def enough(real: Tensor, made: Tensor, least: int, what: str) -> None:
    """Refuse too few examples.

    Raises:
        BadInput: saying how many there are, and how many it takes.
    """
    if min(len(real), len(made)) < least:
        raise BadInput(f"A {what} takes at least {least} examples of each kind, and there are {len(real)} and {len(made)}.")
