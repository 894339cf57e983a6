"""Processes to be killed, interrupted and counted as ranks.

They are forked from one that has imported everything, so that each starts in a moment.
"""

import os
import socket
import sys
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [
        "pytest",
        "tests.runs.small",
        "tests.tiny_game",
        "pushforward.cli",
        "pushforward.systems.vae",
        "pushforward.systems.classification_vae",
    ]
)
SHEET = 16
"""Samples in a sheet of theirs."""
PATIENCE = 120
"""Seconds after which a child is lost."""


def begin(what: Callable[..., Any], *given: Any) -> ForkServerProcess:
    """A process that does `what`, and exits with the number that it returns."""
    child = CONTEXT.Process(target=obey, args=(what, given), daemon=True)
    child.start()
    return child


def obey(what: Callable[..., Any], given: tuple[Any, ...]) -> None:
    import torch

    from pushforward.runs import sheet

    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    torch.set_num_threads(1)
    sheet.COUNT = SHEET
    sys.exit(what(*given))


def end(child: ForkServerProcess) -> int:
    """The exit status of a process, once it has ended; negative where a signal killed it."""
    child.join(PATIENCE)
    assert child.exitcode is not None, "it does not end"
    return child.exitcode


def wait_for(path: Path, child: ForkServerProcess) -> None:
    """Return when a file is there, or the process is not."""
    until = time.monotonic() + PATIENCE
    while child.is_alive() and not path.exists():
        assert time.monotonic() < until, f"{path} never comes"
        time.sleep(0.001)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def in_ranks(ranks: int, what: Callable[..., Any], *given: Any) -> list[int]:
    """`what(rank, *given)` in so many processes that find each other as those of torchrun do; returns their exit statuses."""
    port = free_port()
    children = [begin(as_rank, rank, ranks, port, what, given) for rank in range(ranks)]
    return [end(child) for child in children]


def as_rank(rank: int, ranks: int, port: int, what: Callable[..., Any], given: tuple[Any, ...]) -> Any:
    os.environ |= {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "RANK": str(rank),
        "WORLD_SIZE": str(ranks),
        "LOCAL_RANK": str(rank),
    }
    return what(rank, *given)
