"""A paper: its networks, its players, what changes while it trains."""

import os
import sys
from abc import ABC, abstractmethod
from importlib import import_module, util
from pathlib import Path
from typing import Any, ClassVar

from torch import nn

from pushforward.core.batch import Batch, Source, Terms
from pushforward.core.errors import BadInput
from pushforward.core.player import Player
from pushforward.core.stage import Stage
from pushforward.spelling import nearest

FOLDER = Path(__file__).parents[1] / "systems"


class System(nn.Module, ABC):
    """One paper, one file. Subclasses are final: they add abilities in their class line and are not inherited from."""

    Config: ClassVar[type]
    """A frozen dataclass; with `shape` (and `classes` where labels are read) it follows from the data."""
    config: Any
    stage: Stage
    """The current one; losses read it (warm-ups, thresholds, lazy penalties)."""
    given: ClassVar[dict[str, type]] = {}
    """Trained systems that it may be given from outside, by the name of the argument of `__init__` and of the attribute that holds them,
    and what they must be able to do. They stay as they are; a run keeps a copy."""
    compiles: ClassVar[bool] = True
    """Whether torch can compile the losses: not where they take slopes of slopes, or read what every round changes (`stage`, `Kept`)."""

    @property
    @abstractmethod
    def needs(self) -> frozenset[str]:
        """Keys of `Batch` that the losses read."""

    @abstractmethod
    def schedule(self, seen: int, total: int) -> Stage:
        """The stage after `seen` of `total` images. PURE."""

    def enter(self, stage: Stage) -> None:
        """Make `stage` the current one."""
        self.stage = stage

    @abstractmethod
    def players(self) -> list[Player]:
        """In order of play. Asked every round after `enter`; may read `self.stage` and adaptive buffers, so who plays,
        turns, half-lives and optimiser settings are schedules too. Names, modules and optimiser kinds stay."""

    def accept(self, batch: Batch) -> None:
        """Refuse data that the system cannot learn from. Called with the first batch, before training starts.

        Raises:
            BadInput: what is wrong with the data, and what to do.
        """

    def survey(self, source: Source) -> None:
        """Look at all that `source` holds, at the start of each era but the first, and write adaptive buffers. PURE in weights, buffers and
        source, so that every rank finds the same."""

    def adapt(self, player: str, terms: Terms) -> None:
        """The other writer of adaptive buffers: once a round, for each player that played, on its last terms averaged over shards."""


def system_names() -> list[str]:
    """The files of `systems/`: the folder is the list."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("_"))


def find_system(name: str) -> type[System]:
    """`vae` is the file systems/vae.py; a name with dots is any importable module, also below the current folder.

    Raises:
        BadInput: no such module, or one that does not define exactly one System.
    """
    path = name if "." in name else f"pushforward.systems.{name}"
    if "." in name and os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    try:
        known = util.find_spec(path) is not None
    except ModuleNotFoundError:
        known = False
    if not known:
        raise BadInput(f"There is no system '{name}'{nearest(name, system_names())} Known: {', '.join(system_names())}.")
    module = import_module(path)
    found = [
        kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, System) and kind.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise BadInput(f"{path} should define exactly one System, but defines {len(found)}: {[kind.__name__ for kind in found]}.")
    return found[0]
