"""Importance sampling that can be stopped: what was found is kept in a file, block by block, and goes on from there."""

import time
from collections.abc import Callable
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from pushforward.core import System
from pushforward.data import Dataset
from pushforward.metrics import Weights, weights
from pushforward.runs import durable

PAUSE = 20.0
"""Seconds between two writings of the file."""
FIELDS = ("log_p", "distortion", "rate")


def weighed(
    system: System, dataset: Dataset, draws: int, path: Path, of_what: str, progress: Callable[[int, int], None] | None = None
) -> Weights:
    """`Weights` of all examples of `dataset`, kept at `path`; what is there already is taken over where it is of the same thing.

    of_what: names weights, data and examples; another name at `path`, and all is found anew. progress: called with (done, n).

    Raises:
        BadInput: see `metrics.weights`.
    """
    name = f"{of_what}, K = {draws}"
    found, written = read(path, name), time.monotonic()
    for block in weights(system, dataset, draws, len(found) if found else 0):
        found = found.joined(block) if found else block
        whole = len(found) == len(dataset)
        if progress:
            progress(len(found), len(dataset))
        if whole or time.monotonic() - written > PAUSE:
            path.parent.mkdir(parents=True, exist_ok=True)
            durable.write(path, save({key: getattr(found, key).contiguous() for key in FIELDS}, {"of": name}))
            written = time.monotonic()
    assert found is not None, "a data set has examples"
    return found


def read(path: Path, name: str) -> Weights | None:
    """What was found before of the same thing; None where there is nothing, or where it is damaged."""
    if not path.exists():
        return None
    try:
        with safe_open(path, "pt") as file:
            return Weights(*(file.get_tensor(key) for key in FIELDS)) if (file.metadata() or {}).get("of") == name else None
    except (SafetensorError, OSError):
        return None
