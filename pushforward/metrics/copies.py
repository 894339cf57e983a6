"""Are made examples copies: of training examples, or of each other?

nearness     P(d(made, training) < d(held-out, training)), d the distance to the nearest training example: 1/2 where made examples are
             as far from the training set as fresh real ones, above where they are copies of it    (after Meehan et al. 2020, C_T)
birthday     near-duplicates among n examples, by pairs nearer than real pairs come: n^2 / (2 pairs) estimates how many different
             examples there are                                                                    (Arora & Zhang 2018)
Parzen       mean log-likelihood of held-out examples under Gaussians around made ones, of the width that is best for others
             (Goodfellow et al. 2014). Historical: of high variance, and poor in many dimensions, as the paper says
"""

from dataclasses import dataclass
from math import log, nan, pi

import torch
from jaxtyping import Float
from torch import Tensor

from pushforward.core import BadInput

TOGETHER = 500
"""Rows whose distances to all others are held at a time."""
SAME = 1e-6
"""Distance of what is the same but for rounding, as a share of the length of a row."""
WIDTHS = tuple(10 ** (-1 + 0.1 * step) for step in range(13))
"""Standard deviations of the Parzen window that are tried, for pixels in [0, 1]."""


@dataclass(frozen=True)
class Parzen:
    """Nats per example, the standard error of their mean (not a number for one example), and the width that was chosen."""

    mean: float
    error: float
    sigma: float


def to_nearest(x: Float[Tensor, "n d"], others: Float[Tensor, "m d"], itself: bool = False) -> Float[Tensor, " n"]:
    """The distance of each row to the nearest of others; itself: the two are one set, and a row is not its own neighbour."""
    found = []
    for start in range(0, len(x), TOGETHER):
        distance = torch.cdist(x[start : start + TOGETHER].double(), others.double())
        if itself:
            rows = torch.arange(len(distance), device=x.device)
            distance[rows, rows + start] = torch.inf
        found.append(distance.amin(1))
    return torch.cat(found)


def nearness(made: Float[Tensor, "n d"], training: Float[Tensor, "t d"], held_out: Float[Tensor, "h d"]) -> float:
    """P(a made example is nearer to the training set than a held-out one), ties counted half; 1/2 is what fresh examples have.

    Raises:
        BadInput: one of them is empty.
    """
    if not (len(made) and len(training) and len(held_out)):
        counts = f"{len(made)}, {len(training)} and {len(held_out)}"
        raise BadInput(f"Nearness compares made, training and held-out examples, and there are {counts}; give some of each.")
    return nearer(to_nearest(made, training), to_nearest(held_out, training))


def nearer(a: Float[Tensor, " n"], b: Float[Tensor, " m"]) -> float:
    """P(a distance of the first kind is below one of the second), ties counted half."""
    from scipy.stats import mannwhitneyu

    return float(mannwhitneyu(b.cpu().numpy(), a.cpu().numpy()).statistic) / (len(a) * len(b))


def birthday(made: Float[Tensor, "n d"], real: Float[Tensor, "m d"]) -> tuple[int, float]:
    """Pairs of made examples that are nearer to each other than the nearest two of as many real ones that are not the same; and
    n^2 / (2 pairs), or infinity.

    Raises:
        BadInput: fewer real examples than made ones, or fewer than two.
    """
    if len(made) < 2 or len(real) < len(made):
        raise BadInput(f"Pairs of {len(made)} made examples are compared with pairs of as many real ones, of which there are {len(real)}.")
    nearest = to_nearest(real[: len(made)], real[: len(made)], itself=True)
    different = nearest > SAME * real.double().norm(dim=1).mean()
    nearest_real = nearest[different].min() if bool(different.any()) else nearest.min()
    pairs = 0
    for start in range(0, len(made), TOGETHER):
        distance = torch.cdist(made[start : start + TOGETHER].double(), made.double())
        later = torch.arange(len(made), device=made.device) > torch.arange(start, start + len(distance), device=made.device)[:, None]
        pairs += int(((distance < nearest_real) & later).sum())
    return pairs, len(made) ** 2 / (2 * pairs) if pairs else float("inf")


def parzen(made: Float[Tensor, "n d"], held_out: Float[Tensor, "m d"], choose_on: Float[Tensor, "c d"]) -> Parzen:
    """Log-likelihood of held-out rows under Gaussians around made ones, of the width from `WIDTHS` that is best on `choose_on`.

    Raises:
        BadInput: a set without examples.
    """
    if not (len(made) and len(held_out) and len(choose_on)):
        counts = f"{len(made)}, {len(held_out)} and {len(choose_on)}"
        raise BadInput(f"A Parzen window takes made, held-out and choosing examples, and there are {counts}; give some of each.")
    d = made.shape[1]
    square = torch.cat([torch.cdist(part.double(), made.double()).square() for part in choose_on.split(TOGETHER)])
    sigma = max(WIDTHS, key=lambda width: float(log_mean(square, width, d).mean()))
    found = torch.cat([log_mean(torch.cdist(part.double(), made.double()).square(), sigma, d) for part in held_out.split(TOGETHER)])
    error = float(found.std() / len(found) ** 0.5) if len(found) > 1 else nan
    return Parzen(float(found.mean()), error, sigma)


def log_mean(square: Float[Tensor, "m n"], sigma: float, d: int) -> Float[Tensor, " m"]:
    """log 1/n sum_i N(x; made_i, sigma^2 I), from squared distances in d dimensions."""
    return (square / (-2 * sigma**2)).logsumexp(1) - log(square.shape[1]) - d / 2 * log(2 * pi * sigma**2)
