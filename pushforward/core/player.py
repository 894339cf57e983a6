"""One side of the game, and how it moves."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

from pushforward.core.batch import Batch, Terms


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma & Ba 2015), with decoupled weight decay (Loshchilov & Hutter 2019) where `decay` > 0."""

    rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    decay: float = 0.0
    kind: Literal["adam"] = "adam"

    def settings(self, rate: float) -> dict[str, Any]:
        """What the torch optimiser is told before each move; `rate` is the stage's factor."""
        return {"lr": self.rate * rate, "betas": self.betas, "eps": self.eps, "weight_decay": self.decay}

    def over(self, weights: Iterable[Tensor]) -> torch.optim.Optimizer:
        """A torch optimiser over `weights`."""
        return torch.optim.AdamW(weights, fused=True, **self.settings(1.0))


@dataclass(frozen=True)
class SGD:
    """Gradient descent, with momentum (negative too)."""

    rate: float = 1e-2
    momentum: float = 0.0
    kind: Literal["sgd"] = "sgd"

    def settings(self, rate: float) -> dict[str, Any]:
        """What the torch optimiser is told before each move; `rate` is the stage's factor."""
        return {"lr": self.rate * rate, "momentum": self.momentum}

    def over(self, weights: Iterable[Tensor]) -> torch.optim.Optimizer:
        """A torch optimiser over `weights`."""
        # torch refuses a negative momentum at construction only; games converge with one (Gidel et al. 2019)
        optimiser = torch.optim.SGD(weights, lr=self.rate)
        optimiser.param_groups[0]["momentum"] = self.momentum
        return optimiser


Optimiser = Adam | SGD


@dataclass(frozen=True)
class Average:
    """An exponential moving average of a player's weights."""

    twin: nn.Module
    """`deepcopy(module).eval().requires_grad_(False)`, owned by the system, outside every player's module.
    Losses may read it (a teacher), checkpoints hold it, samples come from it."""
    half_life: int
    """In images. Weights are mixed, buffers copied."""


@dataclass(frozen=True)
class Player:
    """One side of the game: the weights it alone may move, and what it wants small."""

    name: str
    module: nn.Module
    """Players' weights are disjoint."""
    loss: Callable[[Batch], tuple[Tensor, Terms]]
    """Never detaches another player (the trainer freezes whom the rule says), never changes the batch (another player reads it)."""
    optimiser: Optimiser = field(default_factory=Adam)
    turns: int = 1
    """Updates per round, each on its own stream of batches. Only alternating play allows more than one."""
    average: Average | None = None
    plays: bool = True
    """A pause must be lifted by the terms of a player that still plays."""
