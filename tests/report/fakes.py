"""Strips: a system known in closed form (Nobody 2000).

    encode   z_k = mean of the k-th vertical strip of x, the top row left out
    decode   the k-th strip is z_k; told a class y, the first K pixels of the top row are -1, but 1 at place y

Shapes: x [N, 1, 8, 8] in [-1, 1], z [N, latent], latent 2, 4 or 8; rows [N, D] are their own codes. The class of an image is where its
top row is brightest.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pushforward import figures
from pushforward.core import BadInput, Batch, Classifies, Edits, Encodes, Player, Samples, Stage, System, Terms, asked
from pushforward.data import Dataset, DataSpec

HOSTILE = ("<script>alert('x')</script>", "a & b", '" onerror="alert(1)', "$\\frac{$", "_left out")
"""Names of classes, as folders may be called."""
FILL = 0.5
"""What completions are filled with; drawn ones with its opposite."""


@dataclass(frozen=True)
class Config:
    shape: tuple[int, ...] = (1, 8, 8)
    classes: int = 0
    latent: int = 4


class Toy(System):
    """What all toys share; the abilities are added below."""

    Config = Config

    def __init__(self, config: Config):
        super().__init__()
        self.config, self.weight = config, nn.Linear(1, 1)
        self.enter(self.schedule(1000, 1000))

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"image"})

    def schedule(self, seen: int, total: int) -> Stage:
        return Stage(seen, 10, progress=seen / total)

    def players(self) -> list[Player]:
        return [Player("toy", self.weight, self.loss)]

    def loss(self, batch: Batch) -> tuple[Tensor, Terms]:
        """Distortion: the mean image; rate 2 nats each."""
        x = batch["image"] if "image" in batch else batch["row"]
        distortion = x.flatten(1).mean()
        return distortion + 2, {"distortion": distortion, "rate": torch.tensor(2.0), "bound": distortion + 2, "marginal": torch.ones(3)}

    @property
    def labels(self) -> int:
        return self.config.classes

    def sample(self, count: int, label: int | Tensor | None = None, seed: int | None = None) -> Tensor:
        return self.decode(torch.randn(count, self.config.latent, generator=torch.Generator().manual_seed(seed or 0)), label)

    def encode(self, image: Tensor, label: int | Tensor | None = None) -> Tensor:
        if image.ndim == 2:
            return image
        return image[:, 0, 1:].unflatten(-1, (self.config.latent, -1)).mean((1, 3))

    def decode(self, code: Tensor, label: int | Tensor | None = None) -> Tensor:
        if len(self.config.shape) == 1:
            return code
        image = code.clamp(-1, 1)[:, None, None].repeat_interleave(8 // self.config.latent, -1).repeat(1, 1, 8, 1)
        if self.labels:
            image[:, 0, 0, : self.labels] = -1
            image[torch.arange(len(image)), 0, 0, asked(label, len(code), self.labels)] = 1
        return image

    def logits(self, image: Tensor) -> Tensor:
        return image[:, 0, 0, : self.config.classes]

    def edit(self, batch: Batch, seed: int | None = None) -> Tensor:
        return torch.where(batch["mask"] > 0, torch.tensor(FILL if seed is None else -FILL), batch["source"])


class Whole(Toy, Samples, Encodes, Classifies):
    """Everything but editing."""


class Sampler(Toy, Samples):
    pass


class Coder(Toy, Samples, Encodes):
    pass


class Editor(Toy, Edits):
    pass


class Refuser(Toy, Samples, Encodes):
    def encode(self, image: Tensor, label: int | Tensor | None = None) -> Tensor:
        raise BadInput("This toy encodes <nothing>.")


@dataclass(frozen=True)
class Recipe:
    system: str
    config: dict[str, Any]
    data: DataSpec
    images: int = 1000
    seed: int = 7
    name: str = "toy <recipe>"

    @property
    def settings(self) -> dict[str, Any]:
        return self.config


@dataclass
class FakeRun:
    """What a report reads of a run."""

    folder: Path
    system: System
    train: Dataset
    test: Dataset | None
    lines: list[dict[str, float]] = field(default_factory=list)
    surroundings: dict[str, Any] = field(default_factory=dict)

    @property
    def recipe(self) -> Recipe:
        return Recipe("strips", {"latent": 4, "warm_up": 0.1}, DataSpec("some & folder", held_out=0.25))

    def open(self) -> System:
        return self.system.eval()

    def data(self, memory: Any = None) -> tuple[Dataset, Dataset | None]:
        return self.train, self.test

    def metrics(self) -> list[dict[str, float]]:
        return self.lines

    def sheets(self) -> list[Path]:
        return sorted((self.folder / "samples").glob("*.png"))

    def environment(self) -> dict[str, Any]:
        return self.surroundings

    def sessions(self) -> list[dict[str, Any]]:
        return [
            {"started": "2030-01-02T03:04:05", "from": 0, "to": 600, "seconds": 70.4},
            {"started": "x", "from": 600, "to": 1000, "seconds": 5},
        ]


def strips(count: int, classes: tuple[str, ...] = HOSTILE, latent: int = 4, wrong: int = 0, **more: Any) -> Dataset:
    """Images that the toy encodes and decodes exactly (to a grey level), each class in turn; the first `wrong` labels are off by one."""
    generator, toy = torch.Generator().manual_seed(count), Toy(Config(classes=len(classes), latent=latent))
    label = torch.arange(count) % max(1, len(classes))
    images = toy.decode(torch.rand(count, latent, generator=generator) * 2 - 1, label if classes else None)
    label[:wrong] = (label[:wrong] + 1) % max(1, len(classes))
    pixels = ((images + 1) * 127.5).round().byte()
    return Dataset("strips", pixels, label=label if classes else None, classes=classes, **more)


def table(count: int) -> Dataset:
    row = torch.randn(count, 3, generator=torch.Generator().manual_seed(count))
    centre, scale = torch.tensor([100.0, 0.0, 5.0]), torch.tensor([10.0, 1.0, 0.1])
    return Dataset("flowers", row=row, columns=("<b>length</b>", "width", "$x"), centre=centre, scale=scale)


def whole_run(folder: Path, **changed: Any) -> FakeRun:
    """A run of a system with all abilities, with two sheets, curves and surroundings."""
    system = Whole(Config(classes=5))
    for seen in (200, 1000):
        figures.save(figures.sheet(system.sample(16, seed=0)), folder / "samples" / f"{seen:09d}.png")
    lines = [
        {"seen": 100 * s, "toy/bound": 9.0 - s / 2, "toy/distortion": 7.0 - s / 2, "toy/rate": 2.0, "toy/oddity": 1.0 * s}
        for s in range(11)
    ]
    surroundings = {
        "command": "pushforward train strips --data '<here>'",
        "versions": {"torch": "9.9"},
        "machine": {"threads": 2, "gpu": None},
    }
    given = {"system": system, "train": strips(60, notes=("1 of 61 files was <no> image.",)), "test": strips(200, wrong=4)}
    return FakeRun(folder, **{**given, "lines": lines, "surroundings": surroundings, **changed})
