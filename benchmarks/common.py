"""What the benchmarks share: where results go, and on what they were measured."""

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pushforward.reproduce.running import rounded
from pushforward.runs.run import environment as described
from pushforward.training.threads import settle_threads

Segment = Callable[[int], Any]
"""Trains so many steps; what it gives back is its own affair."""
RESULTS = Path(__file__).parents[1] / "results"


def environment() -> dict[str, Any]:
    """Versions and machine, without the command line."""
    return {key: value for key, value in described().items() if key != "command"}


def results(name: str, found: dict[str, Any]) -> None:
    """Write `results/NAME`, numbers with four significant digits."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / name
    path.write_text(json.dumps(rounded(found, 4), indent=1) + "\n")
    print(path.relative_to(RESULTS.parent))


def race(sides: dict[str, Segment], steps: int, segments: int) -> dict[str, dict[str, float]]:
    """Milliseconds a step of each side: median, least and most over interleaved segments."""
    took: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(segments + 1):
        settle_threads()  # for all sides alike
        for name, segment in sides.items():
            start = time.perf_counter()
            segment(steps)
            if number:  # the first segment warms up
                took[name].append(1e3 * (time.perf_counter() - start) / steps)
    return {name: {"median": statistics.median(t), "least": min(t), "most": max(t), "segments": len(t)} for name, t in took.items()}
