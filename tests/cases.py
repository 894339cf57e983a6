"""Every system in every variant that its settings name, and made-up examples that it takes: what `common_checks.py` is run over."""

from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Literal, get_args, get_origin, get_type_hints

import torch

from pushforward.core import (
    UNLABELLED,
    BadInput,
    Batch,
    Stage,
    System,
    find_system,
)
from pushforward.data import DataSpec
from pushforward.runs import Recipe, config_as_json, config_of
from pushforward.training import Trainer

CLASSES = 3
SMALL = {"shape": (1, 8, 8), "classes": CLASSES, "attributes": 4, "source": 1, "parts": 5, "latent": 4, "width": 16, "batch_size": 16}
"""Settings of every system that has them, so that a check takes milliseconds."""
TOTAL = 10_000
"""Images of the run that is pretended."""
MOMENTS = (0, 1_600, 5_120, 10_000)


@dataclass(frozen=True)
class Case:
    """A system, and settings for it."""

    system: str
    variant: str
    settings: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.system.rpartition('.')[2]}-{self.variant}"

    @property
    def kind(self) -> type[System]:
        return find_system(self.system)

    @cached_property
    def recipe(self) -> Recipe:
        config = config_as_json(config_of(self.kind, self.settings))
        return Recipe(self.system, config, DataSpec("memory"), TOTAL, fingerprint="")

    def build(self) -> System:
        return self.recipe.build()

    def trainer(self, images: int = TOTAL) -> Trainer:
        system = self.build()
        return Trainer(system, Made.accepted_by(system), images, precision="float32", device="cpu")


def cases(system: str, extra: dict[str, dict[str, Any]] | None = None) -> list[Case]:
    """A system as it usually is, once with every other value of each choice in its Config, and in the shapes of data that it takes."""
    kind = find_system(system)
    known = {f.name: f for f in fields(kind.Config)}
    usual = {key: value for key, value in SMALL.items() if key in known}
    found = [Case(system, "usual", usual)]
    for name, hint in get_type_hints(kind.Config).items():
        choices = get_args(hint) if get_origin(hint) is Literal else (False, True) if hint is bool else ()
        other = [Case(system, f"{name}={value}", usual | {name: value}) for value in choices if value != known[name].default]
        found += [case for case in other if fits(case)]
    if "shape" in known:
        nets = get_args(get_type_hints(kind.Config).get("net", str))
        net = next((name for name in ("convolution", "residual") if name in nets), "")
        colour = (
            usual | {"shape": (3, 13, 10)} | ({"source": 3} if "source" in known else {}) | ({"net": net} if net and "net" in known else {})
        )
        found.append(Case(system, "colour", colour))
        rows = Case(system, "rows", usual | {"shape": (5,)})
        found += [rows] if takes_rows(rows) else []
    return found + [Case(system, name, usual | settings) for name, settings in (extra or {}).items()]


def fits(case: Case) -> bool:
    """Whether a choice suits images as small as these; those that do not are for the system's own tests."""
    try:
        case.build()
    except BadInput as error:
        assert "need images of" in str(error), error
        return False
    return True


def takes_rows(case: Case) -> bool:
    """Whether the system of a case in the shape of rows can be built, and reads them."""
    try:
        return "row" in case.build().needs
    except BadInput:
        return False


@dataclass(frozen=True)
class Made:
    """A `core.Source` of made-up examples with every key that a batch may have, a pure function of stage, stream and shard."""

    shape: tuple[int, ...]
    classes: int
    needs: frozenset[str]
    two_valued: bool
    labels: Literal["some", "all"]

    @classmethod
    def accepted_by(cls, system: System) -> "Made":
        """The most varied examples that the system does not refuse: grey levels with hidden labels, where it can take them."""
        shape, classes = getattr(system.config, "shape", (1, 8, 8)), getattr(system.config, "classes", CLASSES)
        refused = None
        for two_valued in (False, True):
            for labels in ("some", "all"):
                made = cls(shape, classes, system.needs, two_valued, labels)  # type: ignore[arg-type]
                try:
                    system.accept(made.batch(system.stage, 0, 0, 1))
                except BadInput as error:
                    refused = error
                else:
                    return made
        raise AssertionError(f"the system takes no data at all: {refused}")

    def batch(self, stage: Stage, stream: int, shard: int, shards: int) -> Batch:
        generator = torch.Generator().manual_seed(1_000 * stage.seen + stream)
        n, row = stage.batch_size, len(self.shape) == 1
        c, h, w = (1, 8, 8) if row else self.shape
        h, w = (stage.resolution, stage.resolution) if stage.resolution else (h, w)
        label = torch.arange(n) % max(self.classes, 1)
        level = torch.linspace(-0.3, 0.3, max(self.classes, 1))[label][:, None, None, None]
        image = torch.rand(n, c, h, w, generator=generator) * 1.4 - 0.7 + level
        image = image.sign() if self.two_valued else image
        mask = torch.zeros(1, 1, h, w)
        mask[..., : h // 2, :] = 1
        every = {
            "image": image,
            "row": torch.randn(n, self.shape[0] if row else 2, generator=generator),
            "label": label.where(torch.arange(n) % 2 == 0, torch.tensor(UNLABELLED)) if self.labels == "some" else label,
            "attributes": torch.rand(n, 4, generator=generator),
            "words": torch.randint(0, 9, (n, 6), generator=generator),
            "source": image * (1 - mask),
            "mask": mask.expand(n, -1, -1, -1).contiguous(),
            "parts": torch.randint(0, 5, (n, h, w), generator=generator),
            "index": torch.arange(n),
        }
        return {key: value[shard::shards].clone() for key, value in every.items() if key in self.needs}  # type: ignore[return-value]


def at(case: Case, seen: int) -> tuple[System, Made]:
    """A system in the middle of a run, ready to play."""
    system = case.build()
    system.enter(system.schedule(seen, TOTAL))
    for player in system.players():
        player.module.train()
    return system, Made.accepted_by(system)
