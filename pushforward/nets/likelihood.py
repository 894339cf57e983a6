"""p(x | .): what a decoder's output means. Each gives log p(x | output) summed over pixels, and the image to show.

bernoulli      pixels are -1 or 1, output = logits of "1"
gaussian       pixels or columns are real, output = mean; one variance per channel or column, learned
               (sigma-VAE: Rybkin, Daniilidis & Levine 2021)
cross-entropy  the Bernoulli formula on grey levels. NOT A LIKELIHOOD: its constant is missing (Loaiza-Ganem & Cunningham 2019),
               so its nats can be compared with no published bound
"""

from math import log, pi
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import softplus

from pushforward.core import BadInput

Kind = Literal["bernoulli", "gaussian", "cross-entropy"]

SMALLEST_LOG_SIGMA = -6.0
"""About the standard deviation of rounding to 256 grey levels in [-1, 1]; below it a density of grey levels means nothing."""


class LogBernoulli(torch.autograd.Function):
    """t o - log(1 + e^o), elementwise: log p(t) of a Bernoulli variable with logit o. Its slope in o is t - sigmoid(o); said so,
    forward and backward are fewer passes over the pixels than with the library's cross-entropy."""

    @staticmethod
    def forward(ctx: Any, o: Tensor, t: Tensor) -> Tensor:
        ctx.save_for_backward(o, t)
        return torch.addcmul(softplus(o).neg_(), o, t)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        o, t = ctx.saved_tensors
        return g * (t - o.sigmoid()), g * o if ctx.needs_input_grad[1] else None


class Bernoulli(nn.Module):
    """Two-valued pixels; also the grey-level cross-entropy, which is the same formula."""

    def forward(self, x: Float[Tensor, "n *s"], output: Float[Tensor, "n *s"], where: Tensor | None = None) -> Float[Tensor, "n"]:
        """log p(x | output) [N], in nats; x in [-1, 1]. where [N, 1, H, W]: only pixels that are 1 there count."""
        each = LogBernoulli.apply(output.float(), (x + 1) / 2)
        return (each if where is None else each * where).flatten(1).sum(1)

    def mean(self, output: Float[Tensor, "n *s"]) -> Float[Tensor, "n *s"]:
        """E[x], in [-1, 1]."""
        return torch.tanh(output.float() / 2)  # 2 sigmoid(o) - 1


class Gaussian(nn.Module):
    """Real-valued pixels or columns, with one learned variance per channel or column."""

    def __init__(self, shape: tuple[int, ...]):
        super().__init__()
        # a tenth of log sigma: Adam's steps have a fixed size, and the variance should settle before the networks do
        self.tenth_log_sigma = nn.Parameter(torch.zeros(shape[0], *[1] * (len(shape) - 1)))
        self.bounded = len(shape) == 3

    def forward(self, x: Float[Tensor, "n *s"], output: Float[Tensor, "n *s"], where: Tensor | None = None) -> Float[Tensor, "n"]:
        """log p(x | output) [N], in nats, a density in the units of x. where [N, 1, H, W]: only pixels that are 1 there count."""
        free = 10 * self.tenth_log_sigma
        log_sigma = free + (free.clamp(min=SMALLEST_LOG_SIGMA) - free).detach()  # slopes pass the floor, so that it can be left again
        error = ((x - output.float()) * torch.exp(-log_sigma)).square()
        each = -(error / 2 + log_sigma + log(2 * pi) / 2)
        return (each if where is None else each * where).flatten(1).sum(1)

    def mean(self, output: Float[Tensor, "n *s"]) -> Float[Tensor, "n *s"]:
        """E[x]; images are cut to [-1, 1]."""
        return output.float().clamp(-1, 1) if self.bounded else output.float()


def likelihood(kind: Kind, shape: tuple[int, ...]) -> Bernoulli | Gaussian:
    """The likelihood called `kind` for examples of shape (C, H, W) or (D,)."""
    return Gaussian(shape) if kind == "gaussian" else Bernoulli()


def suits(kind: Kind, x: Float[Tensor, "n *s"]) -> None:
    """Refuse values that the likelihood gives no probability to.

    Raises:
        BadInput: grey levels given to a Bernoulli likelihood.
    """
    if kind == "bernoulli" and not bool((x.abs() == 1).all()):
        grey = x[x.abs() != 1][0].item()
        raise BadInput(
            f"A Bernoulli likelihood needs pixels that are -1 or 1, but one is {grey:.3g}. "
            "Use --binarise dynamic, or --likelihood gaussian for grey levels."
        )
