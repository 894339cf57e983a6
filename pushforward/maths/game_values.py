"""What a discriminator and a generator want small, from logits D(x) of real and D(G(z)) of generated examples, and penalties on D's slope.

    relativistic     D: E softplus(D(G(z)) - D(x))                      G: E softplus(D(x) - D(G(z)))      Jolicoeur-Martineau 2019
    non-saturating   D: -v                                              G: E softplus(-D(G(z)))            Goodfellow et al. 2014
    minimax          D: -v,  v = E log s(D(x)) + E log(1 - s(D(G(z))))  G: v                               Goodfellow et al. 2014
    least squares    D: E (D(x) - 1)^2 + E D(G(z))^2                    G: E (D(G(z)) - 1)^2               Mao et al. 2017
    hinge            D: E max(0, 1 - D(x)) + E max(0, 1 + D(G(z)))      G: -E D(G(z))                      Lim & Ye 2017
    Wasserstein      D: E D(G(z)) - E D(x)                              G: -E D(G(z))                      Arjovsky et al. 2017

s is the logistic function. Relativistic pairing compares each real example with one generated one, so that D cannot be content with calling
most of the data real. All logits are [n]; all values are means over n.
"""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid, relu, softplus

Objective = Literal["relativistic", "non_saturating", "minimax", "least_squares", "hinge", "wasserstein"]
Logits = Float[Tensor, " n"]
Value = Float[Tensor, ""]
SURE = 5.0
"""The logit of an answer that leaves nothing to be wished for, where objectives do not speak of logits: 99.3 %."""


def value(real: Logits, made: Logits) -> Value:
    """v = E log s(D(x)) + E log(1 - s(D(G(z)))) in nats: -log 4 where D says 1/2 everywhere, 0 where it is never wrong."""
    return logsigmoid(real).mean() + logsigmoid(-made).mean()


def discriminator_loss(objective: Objective, real: Logits, made: Logits) -> Value:
    """What the discriminator wants small."""
    if objective == "relativistic":
        return softplus(made - real).mean()
    if objective in ("non_saturating", "minimax"):
        return -value(real, made)
    if objective == "least_squares":
        return (real - 1).square().mean() + made.square().mean()
    if objective == "hinge":
        return relu(1 - real).mean() + relu(1 + made).mean()
    return made.mean() - real.mean()


def generator_loss(objective: Objective, real: Logits, made: Logits) -> Value:
    """What the generator wants small; `real` matters to the relativistic objective alone (and, as a constant, to minimax)."""
    if objective == "relativistic":
        return softplus(real - made).mean()
    if objective == "non_saturating":
        return softplus(-made).mean()
    if objective == "minimax":
        return value(real, made)
    if objective == "least_squares":
        return (made - 1).square().mean()
    return -made.mean()


def compares(objective: Objective) -> bool:
    """Whether what G wants small hangs on D(x), be it as a constant."""
    return objective in ("relativistic", "minimax")


def floating(objective: Objective) -> bool:
    """Whether D(x) + c is as good as D(x): the objective compares logits with each other and with nothing else."""
    return objective in ("relativistic", "wasserstein")


def rest(objective: Objective, real: Logits, made: Logits) -> Value:
    """The logit of an example that D takes for neither real nor generated."""
    if floating(objective):
        return (real.mean() + made.mean()).detach() / 2
    return real.new_tensor(0.5 if objective == "least_squares" else 0.0)


def readable(objective: Objective, logits: Logits) -> Logits:
    """D's answers as logits of "real". Least squares want answers of 1 and 0, hinges of 1 and -1: these are taken for `SURE` and -`SURE`.
    Logits that float stay as they are."""
    if objective == "least_squares":
        return SURE * (2 * logits - 1)
    return SURE * logits if objective == "hinge" else logits


def slopes(logits: Logits, x: Float[Tensor, "n *s"]) -> Float[Tensor, "n *s"]:
    """dD/dx of each example, itself differentiable."""
    return torch.autograd.grad(logits.sum(), x, create_graph=True)[0]


def squared_slope(logits: Logits, x: Float[Tensor, "n *s"]) -> Value:
    """E |dD/dx|^2."""
    return mean_square(slopes(logits, x))


def mean_square(slope: Float[Tensor, "n *s"]) -> Value:
    """E |s|^2."""
    return slope.square().flatten(1).sum(1).mean()


def zero_centred(*sides: tuple[float | int, Float[Tensor, " _"], Float[Tensor, "_ ..."]]) -> Value:
    """gamma/2 E |dD/dx|^2, summed over sides (gamma, D(x), x): R1 at real x, R2 at generated x (Mescheder et al. 2018).

    One pass back through D serves all sides, as no side's logits depend on another's x.
    """
    weighed = [side for side in sides if side[0]]
    if not weighed:
        return sides[0][1].new_zeros(())
    logits = torch.cat([logits for _, logits, _ in weighed]).sum()
    found = torch.autograd.grad(logits, [x for _, _, x in weighed], create_graph=True)
    return torch.stack([gamma / 2 * mean_square(slope) for (gamma, _, _), slope in zip(weighed, found, strict=True)]).sum()


def distance_from_slope(logits: Logits, x: Float[Tensor, "n *s"], target: float = 1.0) -> Value:
    """E (|dD/dx| - target)^2, of Wasserstein-GP at points between real and generated ones (Gulrajani et al. 2017)."""
    return (slopes(logits, x).flatten(1).norm(dim=1) - target).square().mean()
