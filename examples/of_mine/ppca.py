"""Probabilistic principal component analysis (Tipping & Bishop 1999), learned through the evidence lower bound.

    model      z ~ N(0, I),  x ~ N(W z + b, s^2)
    guide      q(z|x) = N(A x + a, diag t^2)
    minimised  E_q(z|x)[-log p(x|z)] + KL(q(z|x) || N(0, I))

Shapes: x [N, C, H, W] in [-1, 1]; z [N, latent].
"""

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from pushforward.core import Adam, BadInput, Batch, Encodes, Player, Samples, Stage, System, Terms
from pushforward.maths import draw, kl_from_standard_normal, noise
from pushforward.nets import likelihood


@dataclass(frozen=True)
class Config:
    """`shape` follows from the data."""

    shape: tuple[int, ...]
    latent: int = 5
    rate: float = 1e-2
    batch_size: int = 64

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - unknown settings of a saved run are refused


class Linear(nn.Module):
    """W, b, s; A, a, t."""

    def __init__(self, c: Config):
        super().__init__()
        self.up, self.down = nn.Linear(c.latent, prod(c.shape)), nn.Linear(prod(c.shape), c.latent)
        self.log_var = nn.Parameter(torch.zeros(c.latent))
        self.likelihood = likelihood("gaussian", c.shape)


class PPCA(System, Samples, Encodes):
    """config: see `Config`."""

    Config = Config
    labels = 0
    needs = frozenset({"image"})

    def __init__(self, config: Config):
        super().__init__()
        self.config, self.networks = config, Linear(config)
        self.enter(self.schedule(0, 1))

    def schedule(self, seen: int, total: int) -> Stage:
        return Stage(seen, self.config.batch_size, progress=min(1.0, seen / total))

    def players(self) -> list[Player]:
        return [Player("ppca", self.networks, self.loss, Adam(self.config.rate))]

    def loss(self, batch: Batch) -> tuple[Tensor, Terms]:
        x, net = batch["image"], self.networks
        mean = net.down(x.flatten(1))
        log_var = net.log_var.expand_as(mean)
        z = draw(mean, log_var)
        distortion = -net.likelihood(x, net.up(z).view_as(x)).mean()
        rate = kl_from_standard_normal(mean, log_var).sum(1).mean()
        return distortion + rate, {"distortion": distortion, "rate": rate}

    @torch.no_grad()
    def sample(self, count: int, label: int | Tensor | None = None, seed: int | None = None) -> Tensor:
        if label is not None:
            raise BadInput(f"This system takes no label, but {label} was asked for. Leave it out.")
        return self.decode(noise(count, self.config.latent, seed, self.networks.log_var.device))

    @torch.no_grad()
    def encode(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        return self.networks.down(image.flatten(1))

    @torch.no_grad()
    def decode(self, code: Tensor, label: Tensor | None = None) -> Tensor:
        return self.networks.likelihood.mean(self.networks.up(code).unflatten(1, self.config.shape))
