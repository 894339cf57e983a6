"""Whether a classifier's confidence can be believed (Guo, Pleiss, Sun & Weinberger 2017)."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pushforward.core import BadInput

BINS = 15


@dataclass(frozen=True)
class Reliability:
    """Answers sorted into bins of equal width by their confidence max_y q(y|x)."""

    count: Int[Tensor, "bins"]
    confidence: Float[Tensor, "bins"]
    """Mean of the bin; NaN where it is empty."""
    accuracy: Float[Tensor, "bins"]
    """Share of right answers; NaN where it is empty."""

    @property
    def error(self) -> float:
        """Expected calibration error: mean over answers of |accuracy - confidence| of their bin, in [0, 1]."""
        full = self.count > 0
        share = self.count[full] / self.count.sum()
        return float((share * (self.accuracy - self.confidence)[full].abs()).sum())


def reliability(p: Float[Tensor, "n classes"], label: Int[Tensor, "n"], bins: int = BINS) -> Reliability:
    """p: probabilities, each row sums to 1; label: the true classes.

    Raises:
        BadInput: no examples, or another number of labels.
    """
    if not len(p) or len(p) != len(label):
        raise BadInput(f"{len(p)} answers and {len(label)} labels are given; give at least one, and as many of both.")
    confidence, answer = p.double().max(1)
    place = (confidence * bins).long().clamp(max=bins - 1)
    count = torch.bincount(place, minlength=bins)
    sums = [torch.bincount(place, weights=value, minlength=bins) for value in (confidence, (answer == label).double())]
    return Reliability(count, *(each / torch.where(count > 0, count, torch.nan) for each in sums))
