"""Gaussians as variational auto-encoders use them: diagonal, given by mean and logarithm of the variance."""

from math import log, pi

import torch
from jaxtyping import Float
from torch import Tensor


def kl_from_standard_normal(mean: Float[Tensor, "*n d"], log_var: Float[Tensor, "*n d"]) -> Float[Tensor, "*n d"]:
    """KL(N(mean, exp(log_var)) || N(0, 1)) of each code dimension, in nats (Kingma & Welling 2014, appendix B)."""
    return (mean.square() + log_var.exp() - 1 - log_var) / 2


def log_normal(z: Float[Tensor, "*n d"], mean: Float[Tensor, "*#n d"], log_var: Float[Tensor, "*#n d"]) -> Float[Tensor, "*n d"]:
    """log N(z; mean, exp(log_var)) of each code dimension, in nats."""
    return -(log_var + (z - mean).square() * torch.exp(-log_var) + log(2 * pi)) / 2


def draws_of(
    count: int, q: tuple[Float[Tensor, "n d"], Float[Tensor, "n d"]], p: tuple[Tensor, Tensor] | None = None
) -> tuple[Float[Tensor, "k n d"], Float[Tensor, "k n"]]:
    """`count` samples z of each N(mean, exp(log_var)) = q, and log q(z) - log p(z), a sum over dimensions; p is N(0, I) where not given."""
    mean, log_var = q
    z = draw(mean.expand(count, -1, -1), log_var.expand(count, -1, -1))
    before = (torch.zeros_like(mean), torch.zeros_like(mean)) if p is None else p
    return z, (log_normal(z, mean, log_var) - log_normal(z, *before)).sum(-1)


def draw(mean: Float[Tensor, "*n d"], log_var: Float[Tensor, "*n d"]) -> Float[Tensor, "*n d"]:
    """A sample mean + sigma * epsilon through which gradients flow (the reparametrisation of Kingma & Welling 2014)."""
    return torch.addcmul(mean, (log_var / 2).exp(), torch.randn_like(mean))


def at_least(rate: Float[Tensor, "n d"], nats: float) -> Float[Tensor, ""]:
    """Sum over codes of max(nats, mean over the batch of their rate): free bits (Kingma et al. 2016), in nats."""
    return rate.mean(0).clamp(min=nats).sum()


def noise(count: int, d: int, seed: int | None, device: torch.device) -> Float[Tensor, "count d"]:
    """Codes from N(0, I). The same seed (its lowest 32 bits are what counts) gives the same codes on every device; None draws
    from the default generator."""
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    return torch.randn(count, d, generator=generator).to(device)


def kl_between(
    mean: Float[Tensor, "*n d"], log_var: Float[Tensor, "*n d"], prior_mean: Float[Tensor, "*n d"], prior_log_var: Float[Tensor, "*n d"]
) -> Float[Tensor, "*n d"]:
    """KL(N(mean, exp(log_var)) || N(prior_mean, exp(prior_log_var))) of each code dimension, in nats."""
    spread = ((mean - prior_mean).square() + log_var.exp()) * torch.exp(-prior_log_var)
    return (spread - 1 + prior_log_var - log_var) / 2
