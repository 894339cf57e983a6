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
CROWDED = 1.2
"""How many times as fast as all threads together one must be for the machine to be called busy; on two idle processors it is about 0.5."""


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


def crowded() -> str:
    """What to do where other programs keep processors busy that this process's threads wait for; empty where they do not.

    Nothing is done about it here: the number of threads decides the last bits of what is learned.
    """
    threads = torch.get_num_threads()
    if threads == 1:
        return ""
    for _ in range(2):  # once may be a moment's work of the system
        together = pace()
        torch.set_num_threads(1)
        alone = pace()
        torch.set_num_threads(threads)
        if alone < CROWDED * together:
            return ""
    return (
        f"Other programs keep processors busy: {threads} threads wait for each other, and one alone would be {alone / together:.1f} times"
        " as fast. Stop them; or stop this with Ctrl-C, and let it go on with OMP_NUM_THREADS=1 set."
    )


def pace() -> float:
    """Products of small matrices in a second."""
    square, began, count = torch.ones(256, 256), time.perf_counter(), 0
    while time.perf_counter() < began + WORK:
        square @ square
        count += 1
    return count / (time.perf_counter() - began)


def busiest(count: int) -> list[int]:
    """The threads of this process that worked most during some shared work."""
    before = times()
    pace()
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
