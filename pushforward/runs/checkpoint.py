"""One checkpoint: weights, all that training needs to go on, and a SHA-256 of each file. safetensors and JSON only; nothing is ever unpickled."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as tensors_of
from safetensors.torch import save as bytes_of
from torch import Tensor

from pushforward.runs import durable

KEPT = 3


class Damaged(ValueError):
    """A checkpoint's bytes are not those that were written."""


@dataclass(frozen=True)
class Checkpoint:
    """What one folder of `checkpoints/` holds."""

    weights: dict[str, Tensor]
    """The system's state_dict: weights, averaged twins, adaptive buffers."""
    state: dict[str, Tensor]
    """Optimiser moments, the rule's memory, sums of the next report."""
    facts: dict[str, Any]
    """`seen`, `slower`, `setbacks`, `counted`, `scheduled`, and the recipe that it was trained by."""


def write(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint durably; refuses where it will not fit."""
    files = {
        "weights.safetensors": bytes_of(plain(checkpoint.weights)),
        "state.safetensors": bytes_of(plain(checkpoint.state)),
        "facts.json": json.dumps(checkpoint.facts, indent=2, sort_keys=True).encode(),
    }
    sums = {name: sha256(content).hexdigest() for name, content in files.items()}
    files["manifest.json"] = json.dumps(sums, indent=2, sort_keys=True).encode()
    folder.parent.mkdir(parents=True, exist_ok=True)
    durable.check_space(folder.parent, 2 * sum(len(content) for content in files.values()))
    durable.write_folder(folder, files)


def read(folder: Path, weights_only: bool = False) -> Checkpoint:
    """A checkpoint, every byte of it checked.

    Raises:
        Damaged: naming the file.
    """
    try:
        sums = json.loads((folder / "manifest.json").read_bytes())
        wanted = ["weights.safetensors", "facts.json"] if weights_only else list(sums)
        files = {name: (folder / name).read_bytes() for name in wanted}
        for name, content in files.items():
            if sha256(content).hexdigest() != sums[name]:
                raise Damaged(f"{folder / name} is not what was written")
        state = {} if weights_only else tensors_of(files["state.safetensors"])
        return Checkpoint(tensors_of(files["weights.safetensors"]), state, json.loads(files["facts.json"]))
    except Damaged:
        raise
    except Exception as error:  # whatever a changed byte makes a parser say, the checkpoint is not usable
        raise Damaged(f"{folder} cannot be read: {error}") from None


def plain(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Tensors as safetensors takes them: contiguous, on the CPU, none sharing memory."""
    return {key: value.detach().to("cpu", memory_format=torch.contiguous_format, copy=True) for key, value in tensors.items()}


def folders(run: Path) -> list[Path]:
    """The checkpoints of a run, oldest first."""
    found = [path for path in (run / "checkpoints").glob("*") if path.is_dir() and path.name.isdigit()]
    return sorted(found, key=lambda path: int(path.name))


def newest_first(run: Path, weights_only: bool = False) -> Iterator[tuple[Path, Checkpoint | Damaged]]:
    """Each checkpoint, or what is wrong with it."""
    for folder in reversed(folders(run)):
        try:
            yield folder, read(folder, weights_only)
        except Damaged as damage:
            yield folder, damage


def prune(run: Path, scheduled: set[int]) -> None:
    """Keep the newest checkpoint and the newest few scheduled ones."""
    every = folders(run)
    kept = {path for path in every if int(path.name) in scheduled}
    keep = {*sorted(kept, key=lambda path: int(path.name))[-KEPT:], *every[-1:]}
    for path in every:
        if path not in keep:
            shutil.rmtree(path)
