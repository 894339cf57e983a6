"""What the VAEs' tests compare with: the formulas of the papers, written with torch.distributions."""

import torch
from torch import Tensor, nn
from torch import distributions as D

from pushforward.data import Dataset, DataSpec, open_data


def gaussian(mean: Tensor, log_var: Tensor) -> D.Distribution:
    """N(mean, diag exp(log_var)) over the last axis."""
    return D.Independent(D.Normal(mean, (log_var / 2).exp()), 1)


def drawn(mean: Tensor, log_var: Tensor, epsilon: Tensor) -> Tensor:
    """The draw of a code whose noise is known."""
    return mean + (log_var / 2).exp() * epsilon


def likelihood(networks: nn.Module, output: Tensor, kind: str) -> D.Distribution:
    """p(x|z) over pixels that are not yet summed; Bernoulli's pixels are 0 or 1."""
    if kind == "bernoulli":
        return D.Bernoulli(logits=output)
    return D.Normal(output, (10 * networks.likelihood.tenth_log_sigma).exp().expand_as(output))


def log_likelihood(networks: nn.Module, output: Tensor, x: Tensor, kind: str) -> Tensor:
    """log p(x|z) [N]; x in [-1, 1]."""
    p = likelihood(networks, output, kind)
    return p.log_prob((x + 1) / 2 if kind == "bernoulli" else x).flatten(1).sum(1)


def roughened(system: nn.Module, seed: int = 0) -> nn.Module:
    """The system with larger weights, so that codes, classes and variances are far from those of a fresh network."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in system.networks.parameters():
            weight.add_(0.08 * torch.randn(weight.shape, generator=generator))
    return system


def images(n: int, shape: tuple[int, ...], kind: str, seed: int = 0) -> Tensor:
    """Examples that a likelihood of this kind takes."""
    x = 2 * torch.rand(n, *shape, generator=torch.Generator().manual_seed(seed)) - 1
    return x.sign() if kind == "bernoulli" else x


def digits(labels: int | None = None, observe: int = 0) -> tuple[Dataset, Dataset]:
    """Real digits of 8x8 pixels: to learn from, and held out."""
    train, test = open_data(DataSpec("digits", labels=labels, observe=observe))
    assert test is not None
    return train, test
