"""The zero-sum game v(a, b) = a b of the lecture, and relatives whose play is known in closed form (Gidel et al. 2019, "Negative momentum
for improved game dynamics"; Balduzzi et al. 2018, "The mechanics of n-player differentiable games").

    value       v(a, b) = a' A b + c_a/2 |a|^2 - c_b/2 |b|^2
    a           minimises   v
    b           minimises  -v
    equilibrium a = b = 0

With c_a = c_b = 0 the field (A b, -A' a) is at right angles to the way to the equilibrium: players that follow it go round and
round, and in steps of any length away from it. With both above 0 the value is strongly convex in a and strongly concave in b (the
blocks of its Hessian, c_a I and -c_b I, have the signs of a saddle), where simultaneous play converges. c_b alone is what a
slope penalty does to a discriminator.

Shapes: a [m], b [n], float64; A [m, n]. No data are read: a round counts as `batch_size` images.
"""

from copy import deepcopy
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Gt
from torch import Tensor, nn

from pushforward.core import SGD, Adam, Average, BadInput, Optimiser, Player, Stage, System, Terms, alike


@dataclass(frozen=True)
class Settings:
    """A game, where it starts, and how its players move."""

    matrix: tuple[tuple[float, ...], ...] = ((1.0,),)
    """A, a row for each number of a."""
    start_a: tuple[float, ...] = (1.0,)
    start_b: tuple[float, ...] = (1.0,)
    curvature_a: Annotated[float, Ge(0)] = 0.0
    """c_a."""
    curvature_b: Annotated[float, Ge(0)] = 0.0
    """c_b."""
    rate: Annotated[float, Gt(0)] = 0.1
    """Step size."""
    faster_b: Annotated[float, Gt(0)] = 1.0
    """The step size of b as a multiple of that of a (two time scales: Heusel et al. 2017)."""
    momentum_a: float = 0.0
    momentum_b: float = 0.0
    """Share of the last step that is made again; may be negative."""
    turns_b: Annotated[int, Ge(1)] = 1
    """Steps of b for each of a."""
    optimiser: Literal["sgd", "adam"] = "sgd"
    averaging: Literal["no", "uniform", "exponential"] = "no"
    """What of the way is averaged: all places from the start on alike, or the latest ones."""
    half_life: Annotated[float, Gt(0)] = 10.0
    """Of exponential averaging, in rounds."""
    batch_size: Annotated[int, Ge(1)] = 1
    """Images that a round counts as."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by pydantic, which core need not import


class Numbers(nn.Module):
    """What one player chooses."""

    def __init__(self, values: tuple[float, ...]):
        super().__init__()
        self.value = nn.Parameter(torch.tensor(values, dtype=torch.float64))


class BilinearGame(System):
    """config: see `Settings`."""

    Config = Settings
    needs: frozenset[str] = frozenset()
    A: Tensor

    def __init__(self, config: Settings):
        super().__init__()
        shape = (len(config.start_a), len(config.start_b))
        if len(config.matrix) != shape[0] or any(len(row) != shape[1] for row in config.matrix):
            raise BadInput(f"The matrix {config.matrix} should have {shape[0]} rows of {shape[1]} numbers, as a and b start.")
        if config.optimiser == "adam" and (config.momentum_a or config.momentum_b):
            raise BadInput("Momentum is of SGD; Adam has its own. Leave momentum_a and momentum_b at 0.")
        self.config = config
        self.register_buffer("A", torch.tensor(config.matrix, dtype=torch.float64))
        self.a, self.b = Numbers(config.start_a), Numbers(config.start_b)
        if config.averaging != "no":
            self.average_a, self.average_b = (deepcopy(side).eval().requires_grad_(False) for side in (self.a, self.b))
        self.enter(self.schedule(0, 1))

    def schedule(self, seen: int, total: int) -> Stage:
        return Stage(seen, self.config.batch_size, progress=min(1.0, seen / total))

    def players(self) -> list[Player]:
        c = self.config
        average_a, average_b = (self.average(side) for side in ("a", "b"))
        return [
            Player("a", self.a, lambda batch: self.loss(1), self.steps(c.rate, c.momentum_a), average=average_a),
            Player("b", self.b, lambda batch: self.loss(-1), self.steps(c.rate * c.faster_b, c.momentum_b), c.turns_b, average_b),
        ]

    def steps(self, rate: float, momentum: float) -> Optimiser:
        return SGD(rate, momentum) if self.config.optimiser == "sgd" else Adam(rate, (0.5, 0.9))

    def average(self, side: str) -> Average | None:
        """Of the places so far, the start among them."""
        c = self.config
        if c.averaging == "no":
            return None
        return Average(
            getattr(self, f"average_{side}"),
            alike(c.batch_size, self.stage.seen) if c.averaging == "uniform" else c.batch_size * c.half_life,
        )

    def loss(self, sign: int) -> tuple[Tensor, Terms]:
        """v for a, -v for b."""
        c, a, b = self.config, self.a.value, self.b.value
        v = a @ self.A @ b + c.curvature_a / 2 * a.square().sum() - c.curvature_b / 2 * b.square().sum()
        return sign * v, {"value": v, "distance": torch.cat([a, b]).norm()}

    @property
    def place(self) -> Tensor:
        """(a, b) [m + n]."""
        return torch.cat([self.a.value, self.b.value]).detach().clone()

    @property
    def averaged_place(self) -> Tensor:
        """The average of the places so far, [m + n]."""
        return torch.cat([self.average_a.value, self.average_b.value]).clone()
