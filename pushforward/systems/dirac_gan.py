"""Dirac-GAN (Mescheder, Geiger & Nowozin 2018, "Which training methods for GANs do actually converge?"): the smallest GAN.

    data        a point at 0;  generator: a point at theta;  discriminator: D(x) = psi x
    value       v(theta, psi) = E f(D(theta)) + E f(-D(0)),  f(t) = -log(1 + e^-t), or t for Wasserstein
    psi         maximises v;  theta minimises it (minimax), or maximises E f(-D(theta)) (non-saturating)
    relativistic    v = E f(D(theta) - D(0)), for both (Jolicoeur-Martineau 2019): the field of minimax
    equilibrium theta = psi = 0

D is high on what it takes for generated, as in the paper. Unregularised players circle; noise on the points, or a penalty on D's slope psi,
lets them come to rest: eigenvalues of the field at the equilibrium, f'(0) = 1/2 and f''(0) = -1/4 (the names are the paper's):

    none                +- f'(0) i
    instance noise s    f''(0) s^2 +- sqrt(f''(0)^2 s^4 - f'(0)^2)
    R1 or R2, gamma     -gamma/2 +- sqrt(gamma^2/4 - f'(0)^2);  both together: gamma the sum of the two
    Wasserstein         +- i

Everywhere the minimax field is at right angles to (theta, psi): its flow keeps theta^2 + psi^2. The inner product of the non-saturating
one with (theta, psi) is -theta psi tanh(theta psi / 2), of fourth order: it comes to rest, but ever more slowly. Alternating steps h stay
near the equilibrium for h <= 2 / (f'(0) sqrt(turns_theta turns)).

Shapes: theta, psi [1], float64. No data are read: a round counts as `batch_size` images.
Departures: the expectation over instance noise is taken by Gauss-Hermite quadrature, so that nothing is random.
"""

from dataclasses import dataclass
from math import pi
from typing import Annotated, Literal

import numpy as np
import torch
from annotated_types import Ge, Gt
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from pushforward.core import SGD, Batch, Player, Stage, System, Terms

NODES = 40
"""Of the quadrature: slopes are exact to rounding for noise of one unit, to a thousandth for five."""


@dataclass(frozen=True)
class Settings:
    """An objective, what calms it, where it starts, and how far a step goes."""

    objective: Literal["minimax", "non_saturating", "wasserstein", "relativistic"] = "minimax"
    r1: Annotated[float, Ge(0)] = 0.0
    """gamma of gamma/2 |dD/dx|^2 at the data."""
    r2: Annotated[float, Ge(0)] = 0.0
    """The same at generated points."""
    noise: Annotated[float, Ge(0)] = 0.0
    """Standard deviation of the instance noise on both points."""
    clip: Annotated[float, Ge(0)] = 0.0
    """Bound on |psi|, kept after each round (Arjovsky et al. 2017); 0: none."""
    gradient_penalty: Annotated[float, Ge(0)] = 0.0
    """lambda of lambda/2 (|dD/dx| - target)^2 between the points (Gulrajani et al. 2017)."""
    target: Annotated[float, Ge(0)] = 1.0
    """The slope that the gradient penalty asks for."""
    start_theta: float = 1.0
    start_psi: float = 1.0
    rate: Annotated[float, Gt(0)] = 0.1
    """Step size of both players."""
    turns: Annotated[int, Ge(1)] = 1
    """Steps of psi in a round."""
    turns_theta: Annotated[int, Ge(1)] = 1
    """Steps of theta in a round, before those of psi."""
    batch_size: Annotated[int, Ge(1)] = 1
    """Images that a round counts as."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by pydantic, which core need not import


class Number(nn.Module):
    """What one player chooses."""

    def __init__(self, value: float):
        super().__init__()
        self.value = nn.Parameter(torch.tensor([value], dtype=torch.float64))


class DiracGAN(System):
    """config: see `Settings`."""

    Config = Settings
    needs: frozenset[str] = frozenset()
    nodes: Tensor
    shares: Tensor

    def __init__(self, config: Settings):
        super().__init__()
        self.config = config
        self.theta, self.psi = Number(config.start_theta), Number(config.start_psi)
        nodes, shares = np.polynomial.hermite_e.hermegauss(NODES) if config.noise else (np.zeros(1), np.full(1, (2 * pi) ** 0.5))
        self.register_buffer("nodes", torch.from_numpy(nodes))
        self.register_buffer("shares", torch.from_numpy(shares / (2 * pi) ** 0.5))
        self.enter(self.schedule(0, 1))

    def schedule(self, seen: int, total: int) -> Stage:
        return Stage(seen, self.config.batch_size, progress=min(1.0, seen / total))

    def players(self) -> list[Player]:
        c = self.config
        return [
            Player("generator", self.theta, self.generator, SGD(c.rate), c.turns_theta),
            Player("discriminator", self.psi, self.discriminator, SGD(c.rate), c.turns),
        ]

    def expected(self, sign: int, x: Tensor, points: int = 1) -> Tensor:
        """E f(sign D(x + noise)), the noise that of so many points."""
        t = sign * self.psi.value * (x + points**0.5 * self.config.noise * self.nodes)
        return (self.shares * (t if self.config.objective == "wasserstein" else logsigmoid(t))).sum()

    def value(self) -> Tensor:
        """v(theta, psi)."""
        if self.config.objective == "relativistic":
            return self.expected(1, self.theta.value, points=2)
        return self.expected(1, self.theta.value) + self.expected(-1, torch.zeros_like(self.theta.value))

    def generator(self, batch: Batch) -> tuple[Tensor, Terms]:
        """v, or -E f(-D(theta))."""
        v = self.value()
        loss = -self.expected(-1, self.theta.value) if self.config.objective == "non_saturating" else v
        return loss, {"value": v, "distance": self.place.norm()}

    def discriminator(self, batch: Batch) -> tuple[Tensor, Terms]:
        """-v + (r1 + r2)/2 psi^2 + lambda/2 (|psi| - target)^2: the slope of D is psi wherever it is asked for."""
        c, psi = self.config, self.psi.value
        slope = (c.r1 + c.r2) / 2 * psi.square() + c.gradient_penalty / 2 * (psi.abs() - c.target).square()
        return -self.value() + slope.sum(), {}

    def adapt(self, player: str, terms: Terms) -> None:
        if self.config.clip:
            with torch.no_grad():
                self.psi.value.clamp_(-self.config.clip, self.config.clip)

    @property
    def place(self) -> Tensor:
        """(theta, psi) [2]."""
        return torch.cat([self.theta.value, self.psi.value]).detach().clone()
