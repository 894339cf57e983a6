"""Complete configurations of what paints pictures."""

from typing import Any

from pushforward.data import DataSpec
from pushforward.recipes.plan import Plan
from pushforward.systems.completion import PARSING_2017


def completion_2017() -> Plan:
    """Face completion close to Li et al. 2017, on drawn faces: hole, local and global critic; `--parser RUN` adds the parsing loss. An hour
    or more on two cores.

    Ours are a learning rate of G ten times the paper's, batches of 16 where it has 2, averaged weights, and 512 units in the middle."""
    settings: dict[str, Any] = {"form": "paper", "critics": "local+global", "distance": "l1", "lowpass": 1, "slower": 1.0}
    settings |= {"adversarial": 300 / 49152, "critic_rate": 2e-4, "parsing": PARSING_2017, "second": 0.5, "third": 0.7, "average": 10_000}
    return Plan("completion", DataSpec("faces", size=64, mask="square"), 90_000, settings, name="completion_2017")
