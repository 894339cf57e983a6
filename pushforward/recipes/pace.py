"""How fast this machine trains a system, measured, and the network that fits the time a user has."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pushforward.core import System
from pushforward.data import Dataset, Shuffled
from pushforward.nets import kind_of
from pushforward.training import Trainer, find_rule
from pushforward.training.machines import largest

WIDTHS = {"mlp": (800, 400, 200), "convolution": (64, 48, 32, 24, 16), "residual": (32, 24, 16)}
"""Widths to choose from, the widest first."""

PASSES = 20
"""How often every example should be seen before a wider network is worth its time."""
ROUNDS = 2_000
"""And how many steps there should be at the least."""
WARM, TIMED = 2, 1.2
"""Rounds before the clock starts; seconds that are timed."""


@dataclass(frozen=True)
class Pace:
    """What was chosen and measured."""

    width: int
    speed: float
    """Images a second."""


def measure(system: System, dataset: Dataset, labelled: int, **how: Any) -> float:
    """Images a second of training `system`, from a second or two of it. The system is trained a little by that.

    Of several ranks all train together and come to the same number.
    """
    how["rule"] = find_rule(how.get("rule", "alternating"))
    trainer = Trainer(system, Shuffled(dataset, 0, labelled), 10**12, **how)
    rounds = trainer.rounds()
    for _ in range(WARM):
        next(rounds)
    start, first, taken = time.perf_counter_ns(), trainer.seen, 0
    while taken < 1e9 * TIMED:
        next(rounds)
        taken = largest(time.perf_counter_ns() - start)  # by the slowest rank's clock, so that all stop after the same round
    return 1e9 * (trainer.seen - first) / taken


def fitting_width(build: Callable[[int], System], dataset: Dataset, labelled: int, seconds: float, **how: Any) -> Pace:
    """The widest network that sees every example often enough in `seconds`, and its speed.

    build: makes the system at a width. Where even the narrowest is too slow, the narrowest is taken.
    """
    net = getattr(build(0).config, "net", "convolution")
    net = kind_of("auto", dataset.shape) if net == "auto" else net
    for width in WIDTHS.get(net, WIDTHS["convolution"]):  # networks of a system's own, as pix2pix has, are of convolutions
        system = build(width)
        speed = measure(system, dataset, labelled, **how)
        enough = max(PASSES * len(dataset), ROUNDS * system.stage.batch_size)
        if speed * seconds >= enough:
            break
    return Pace(width, speed)
