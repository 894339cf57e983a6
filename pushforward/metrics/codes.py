"""What a guide's codes carry, and how far they lie from the prior.

    rate            E KL(q(z|x) || p(z))  =  I(x; z)  +  KL(q(z) || p(z)),      q(z) = mean over x of q(z|x)

(Hoffman & Johnson 2016, "ELBO surgery"). A code is active where its posterior mean varies over examples: Cov_x(E_q[z|x]) > .01
(Burda, Grosse & Salakhutdinov 2016).
"""

from dataclasses import dataclass
from math import log

import torch
from jaxtyping import Float
from torch import Tensor

from pushforward.core import System, Weighs
from pushforward.data import Dataset
from pushforward.maths import draw, kl_from_standard_normal, log_normal
from pushforward.metrics.batches import batches
from pushforward.training.machines import generators_left_alone, seed_of, sow

ACTIVE = 0.01
"""Variance of its posterior mean from which a code counts as active."""
TOGETHER = 200
"""Codes that are compared with all posteriors at a time."""


@dataclass(frozen=True)
class Codes:
    """q(z|x) of n examples, a code z of each, float64 on the CPU."""

    mean: Float[Tensor, "n d"]
    log_var: Float[Tensor, "n d"]
    z: Float[Tensor, "n d"]


@torch.no_grad()
def codes_of(system: System, dataset: Dataset) -> Codes | None:
    """The Gaussian posteriors of all examples; None of a system that has none, or where it is told a label that is not known."""
    if not isinstance(system, Weighs):
        return None
    found = []
    for batch in batches(system, dataset, 250):
        if "label" in system.needs and ("label" not in batch or bool((batch["label"] < 0).any())):
            return None
        if (q := system.posterior(batch)) is None:
            return None
        found.append(torch.stack(q).double().cpu())
    mean, log_var = torch.cat(found, 1)
    with generators_left_alone():
        sow(torch.device("cpu"), seed_of("codes"))
        return Codes(mean, log_var, draw(mean, log_var))


def active(codes: Codes) -> Float[Tensor, "d"]:
    """Which dimensions are active: 1 or 0."""
    return (codes.mean.var(0) > ACTIVE).double()


def surgery(codes: Codes) -> dict[str, float]:
    """The rate and its two parts, in nats: `information` I(x; z), never more than log n, and `marginal` KL(q(z) || p(z)).

    q(z) is the mixture of all n posteriors, evaluated at one code of each: `information` is underestimated where it nears log n.
    """
    n = len(codes.z)
    inside = log_normal(codes.z, codes.mean, codes.log_var).sum(1)
    precision = torch.exp(-codes.log_var)
    # (z - m)^2 / v = z^2 / v - 2 z m / v + m^2 / v: three matrix products in place of n x n x d differences
    constant = ((codes.mean.square() * precision) + codes.log_var + log(2 * torch.pi)).sum(1)
    log_q = []
    for z in codes.z.split(TOGETHER):
        distance = z.square() @ precision.T - 2 * z @ (codes.mean * precision).T + constant
        log_q.append(torch.logsumexp(-distance / 2, 1) - log(n))
    information = float((inside - torch.cat(log_q)).mean())
    rate = float(kl_from_standard_normal(codes.mean, codes.log_var).sum(1).mean())
    return {"rate": rate, "information": information, "marginal": rate - information}
