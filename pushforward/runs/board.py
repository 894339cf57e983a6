"""The same curves for TensorBoard, where it is installed and asked for; `metrics.jsonl` and the sheets are kept in any case."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pushforward.core import BadInput


def check() -> None:
    """Refuse, before anything is written, what could not be shown."""
    if find_spec("tensorboard") is None:
        raise BadInput("TensorBoard is not installed. `pip install 'pushforward[track]'`, or leave --tensorboard out.")


@cache
def writer(folder: Path, seen: int) -> Any:
    """What writes to `folder`/tensorboard; curves of an earlier process that go beyond `seen` are purged."""
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder / "tensorboard"), purge_step=seen)


def show(folder: Path, began: int, seen: int, terms: dict[str, float]) -> None:
    """Add a report of the process that began at `began` images."""
    for name, value in terms.items():
        writer(folder, began).add_scalar(name, value, seen)
    writer(folder, began).flush()
