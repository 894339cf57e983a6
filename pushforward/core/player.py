"""One side of the game, and how it moves."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import log
from typing import Literal

import torch
from torch import Tensor, nn

from pushforward.core.batch import Batch, Terms

Moments = dict[Tensor, dict[str, Tensor]]
"""What an optimiser remembers of each weight, by name."""


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma & Ba 2015), with decoupled weight decay (Loshchilov & Hutter 2019) where `decay` > 0."""

    rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    decay: float = 0.0
    kind: Literal["adam"] = "adam"

    @torch.no_grad()
    def step(self, weights: list[Tensor], slopes: list[Tensor], moments: Moments, rate: float) -> None:
        """Move `weights` along `slopes`, which lie in memory as they do; `rate` is the stage's factor.

        torch's fused kernel, called without torch.optim: importing that costs a start two seconds and each step a third of a millisecond.
        """
        for w in weights:
            if w not in moments:
                count = torch.zeros((), dtype=torch.float32, device=w.device)
                moments[w] = {"step": count, "mean": torch.zeros_like(w), "square": torch.zeros_like(w)}
        steps, means, squares = ([moments[w][name] for w in weights] for name in ("step", "mean", "square"))
        torch._foreach_add_(steps, 1)
        # as they lie in memory: the kernel would copy what is not contiguous
        torch._fused_adamw_(
            [as_stored(w) for w in weights],
            [as_stored(g) for g in slopes],
            [as_stored(m) for m in means],
            [as_stored(s) for s in squares],
            [],
            steps,
            lr=self.rate * rate,
            beta1=self.betas[0],
            beta2=self.betas[1],
            weight_decay=self.decay,
            eps=self.eps,
            amsgrad=False,
            maximize=False,
        )


def as_stored(value: Tensor) -> Tensor:
    """A contiguous view of a tensor that fills its memory in another order (channels_last), its dimensions in that order."""
    if value.is_contiguous():
        return value
    return value.permute(sorted(range(value.ndim), key=value.stride, reverse=True))


@dataclass(frozen=True)
class SGD:
    """Gradient descent, with momentum (negative too: games converge with one, Gidel et al. 2019)."""

    rate: float = 1e-2
    momentum: float = 0.0
    kind: Literal["sgd"] = "sgd"

    @torch.no_grad()
    def step(self, weights: list[Tensor], slopes: list[Tensor], moments: Moments, rate: float) -> None:
        """Move `weights` along `slopes`; `rate` is the stage's factor."""
        if self.momentum:
            for w in weights:
                if w not in moments:
                    moments[w] = {"velocity": torch.zeros_like(w)}
            velocities = [moments[w]["velocity"] for w in weights]
            torch._foreach_mul_(velocities, self.momentum)
            torch._foreach_add_(velocities, slopes)
            slopes = velocities
        torch._foreach_add_(weights, slopes, alpha=-self.rate * rate)


Optimiser = Adam | SGD


@dataclass(frozen=True)
class Average:
    """An exponential moving average of a player's weights."""

    twin: nn.Module
    """`deepcopy(module).eval().requires_grad_(False)`, owned by the system, outside every player's module.
    Losses may read it (a teacher), checkpoints hold it, samples come from it."""
    half_life: float
    """In images. Weights and running statistics are mixed, other buffers copied."""


def growing(half_life: int, seen: int) -> int:
    """The half-life of an average after `seen` images. A young one follows quickly: what weights were at first is not worth remembering."""
    return min(half_life, int(0.35 * seen))


def alike(batch_size: int, seen: int) -> float:
    """The half-life, in images, at which all places of the way count alike, the start too: the newest gets a share of 1 / (rounds + 2)."""
    rounds = seen / batch_size
    return batch_size * log(2) / log((rounds + 2) / (rounds + 1))


@dataclass(frozen=True)
class Player:
    """One side of the game: the weights it alone may move, and what it wants small."""

    name: str
    module: nn.Module
    """Players' weights are disjoint."""
    loss: Callable[[Batch], tuple[Tensor, Terms]]
    """Never detaches another player (the trainer freezes whom the rule says), never changes the batch (another player reads it).
    Every shard of a batch must give the same terms."""
    optimiser: Optimiser = field(default_factory=Adam)
    turns: int = 1
    """Updates per round, each on its own stream of batches. Only alternating play allows more than one."""
    average: Average | None = None
    plays: bool = True
    """A pause must be lifted by the terms of a player that still plays."""
