"""What the benchmarks share: where results go, and on what they were measured."""

import json
import multiprocessing
import statistics
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from pushforward.reproduce.running import rounded
from pushforward.runs.run import environment as described
from pushforward.training.machines import peak_memory
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


def results_of_kind(name: str, found: dict[str, Any]) -> None:
    """Write into `results/NAME` beside what other kinds of machines found."""
    kind = "with fast bfloat16" if found["environment"]["machine"]["bfloat16"] else "without fast bfloat16"
    path = RESULTS / name
    results(name, (json.loads(path.read_text()) if path.exists() else {}) | {kind: found})


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
    return {name: spread(t) for name, t in took.items()}


def race_apart(sides: dict[str, Callable[[], Segment]], steps: int, segments: int) -> dict[str, dict[str, float]]:
    """The same, and the peak memory in MiB, with a process for each side, one at work at a time: how a side treats its process's memory
    touches no other.

    sides: functions that make them, which a new process can import.
    """
    took: dict[str, list[float]] = {name: [] for name in sides}
    peak: dict[str, float] = {}
    began: dict[str, Any] = {}
    context = multiprocessing.get_context("spawn")
    for name, make in sides.items():
        here, there = context.Pipe()
        process = context.Process(target=take_turns, args=(make, there, steps), daemon=True)
        process.start()
        began[name] = (process, here)
    for number in range(segments + 1):
        for name, (_, pipe) in began.items():
            pipe.send(True)
            seconds, peak[name] = pipe.recv()
            if number:
                took[name].append(1e3 * seconds / steps)
    for process, _ in began.values():
        process.terminate()
    return {name: spread(t) | {"peak memory, MiB": peak[name]} for name, t in took.items()}


def take_turns(make: Callable[[], Segment], pipe: Connection, steps: int) -> None:
    """A side's process: seconds of a segment and peak memory, each time it is asked."""
    segment = make()
    while pipe.recv():
        settle_threads()
        start = time.perf_counter()
        segment(steps)
        pipe.send((time.perf_counter() - start, peak_memory()))


def spread(t: list[float]) -> dict[str, float]:
    """Of the milliseconds of segments."""
    return {"median": statistics.median(t), "least": min(t), "most": max(t), "segments": len(t)}
