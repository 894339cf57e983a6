"""Systems whose training is known in closed form, or small enough to follow by hand."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from pushforward.core import SGD, Adam, Average, Batch, Optimiser, Player, Stage, System, Terms
from pushforward.training import Trainer, find_rule, machines
from tests.tiny_game import Settings, TinyGame


class Rows:
    """A `core.Source` of rows [n, 3] that are a function of stage, stream and shard."""

    def batch(self, stage: Stage, stream: int, shard: int, shards: int) -> Batch:
        generator = torch.Generator().manual_seed(1000 * stage.seen + stream)
        return {"row": torch.randn(stage.batch_size, 3, generator=generator)[shard::shards]}


class Scalar(nn.Module):
    """One number."""

    def __init__(self, value: float):
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value, dtype=torch.float64))


class Bilinear(System):
    """v(a, b) = a b: a wants it small, b wants it large. Their only equilibrium is (0, 0)."""

    def __init__(self, rate: float, turns: int = 1):
        super().__init__()
        self.a, self.b, self.rate, self.turns = Scalar(1.0), Scalar(0.5), rate, turns
        self.enter(self.schedule(0, 1))

    needs: frozenset[str] = frozenset()

    def schedule(self, seen: int, total: int) -> Stage:
        return Stage(seen, 1)

    def players(self) -> list[Player]:
        return [
            Player("a", self.a, lambda batch: (self.a.value * self.b.value, {}), SGD(self.rate)),
            Player("b", self.b, lambda batch: (-self.a.value * self.b.value, {}), SGD(self.rate), turns=self.turns),
        ]

    @property
    def place(self) -> Tensor:
        """(a, b)."""
        return torch.stack([self.a.value, self.b.value]).detach().clone()


@dataclass
class Made:
    """What a `Plain` system is made of; a test changes what it is about."""

    net: Callable[[], nn.Module] = lambda: nn.Linear(3, 2)
    loss: Callable[["Plain", Batch], tuple[Tensor, Terms]] = lambda system, batch: (system.net(batch["row"]).square().mean(), {})
    optimiser: Optimiser = field(default_factory=lambda: Adam(1e-2))
    stage: Callable[[int], dict[str, Any]] = lambda seen: {}
    half_life: int | None = None
    batch_size: int = 8


class Plain(System):
    """One player over one network."""

    needs = frozenset({"row"})

    def __init__(self, made: Made):
        super().__init__()
        torch.manual_seed(0)
        self.made = made
        self.net: nn.Module = made.net()
        self.twin = made.net().eval().requires_grad_(False)
        self.enter(self.schedule(0, 1))

    def schedule(self, seen: int, total: int) -> Stage:
        return Stage(seen, self.made.batch_size, **self.made.stage(seen))

    def players(self) -> list[Player]:
        average = None if self.made.half_life is None else Average(self.twin, self.made.half_life)
        return [Player("plain", self.net, lambda batch: self.made.loss(self, batch), self.made.optimiser, average=average)]


def play(system: System, rounds: int, rule: str = "alternating", **how: Any) -> Trainer:
    """A trainer that has played so many rounds."""
    images = rounds * system.stage.batch_size
    trainer = Trainer(system, Rows(), images, rule=find_rule(rule), precision="float32", device="cpu", **how)
    for _ in trainer.rounds():
        pass
    return trainer


class Pictures:
    """A `core.Source` of images [n, 1, 4, 4]."""

    def batch(self, stage: Any, stream: int, shard: int, shards: int) -> Batch:
        generator = torch.Generator().manual_seed(1000 * stage.seen + stream)
        return {"image": (torch.rand(stage.batch_size, 1, 4, 4, generator=generator) * 2 - 1)[shard::shards]}


def game(images: int = 10**6, **how: Any) -> Trainer:
    """A trainer of the tiny game, untrained."""
    torch.manual_seed(0)
    return Trainer(
        TinyGame(Settings((1, 4, 4), margin=how.pop("margin", 0.02))), Pictures(), images, precision="float32", device="cpu", **how
    )


def rounds(trainer: Trainer, count: int) -> Trainer:
    with machines.generators_left_alone():
        for _ in range(count):
            trainer.round()
    return trainer


def bits(trainer: Trainer) -> bytes:
    """All weights, buffers and moments."""
    tensors = [*trainer.system.state_dict().values(), *(value for _, value in sorted(trainer.state().items()))]
    return b"".join(tensor.contiguous().numpy().tobytes() for tensor in tensors)
