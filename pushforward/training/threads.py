"""Keeps torch's threads on processors of their own.

Some virtual machines' kernels leave two busy threads on one processor while another idles, and never move them. Threads that wait for each
other then take turns of whole time slices: a step of 9 ms was measured at 164.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

SMALL = 1 << 24
"""Weights times examples of a round below which fully connected networks are faster on one thread: two wait for each other more than they
help (a generator net of 26,000 weights, 256 points a round: 15 s on one thread, 32 on two)."""
WORK = 0.05
"""Seconds of shared work by which torch's threads are told from idle ones."""


@contextmanager
def fitting_threads(system: nn.Module, batch_size: int) -> Iterator[None]:
    """One thread while a small fully connected system trains, as many as before afterwards; other systems take all there are."""
    before = torch.get_num_threads()
    weights = [w for w in system.parameters() if w.requires_grad]
    small = sum(w.numel() for w in weights) * batch_size < SMALL and all(w.ndim < 3 for w in weights)
    torch.set_num_threads(1 if small else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def settle_threads() -> None:
    """Give each thread that works for torch a processor, where this process has been told to use all of the machine (Linux only).

    Torch's extra threads stay where they are put. The main thread is only moved once and stays free, so that threads and processes it
    starts later are free too; call this again now and then, as it may have come to stand beside another.
    """
    if not sys.platform.startswith("linux"):
        return
    here = sorted(os.sched_getaffinity(0))
    if len(here) < 2 or torch.get_num_threads() != len(here):
        return
    main = os.getpid()
    workers = [thread for thread in busiest(len(here)) if thread != main][: len(here) - 1]
    try:
        for thread, processor in zip(workers, here[1:], strict=False):
            os.sched_setaffinity(thread, {processor})
        os.sched_setaffinity(main, {here[0]})
        os.sched_setaffinity(main, set(here))
    except OSError:  # a thread has just ended, or the system does not allow it: threads stay as they are
        return


def busiest(count: int) -> list[int]:
    """The threads of this process that worked most during some shared work."""
    before = times()
    square, end = torch.ones(256, 256), time.perf_counter() + WORK
    while time.perf_counter() < end:
        square @ square
    worked = {thread: spent - before.get(thread, 0) for thread, spent in times().items()}
    return sorted((t for t, spent in worked.items() if spent > 0), key=lambda t: -worked[t])[:count]


def times() -> dict[int, int]:
    """Processor time of each thread of this process, in ticks."""
    found = {}
    for entry in Path("/proc/self/task").iterdir():
        try:
            after_name = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found[int(entry.name)] = int(after_name[11]) + int(after_name[12])
    return found
