"""One checkpoint: weights, all that training needs to go on, and a SHA-256 of each file.

safetensors and JSON only; nothing is ever unpickled.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from math import inf
from pathlib import Path

import torch
from pydantic import TypeAdapter
from safetensors.torch import load as tensors_of
from safetensors.torch import save as bytes_of
from torch import Tensor

from pushforward.runs import durable
from pushforward.runs.recipe import Recipe

KEPT = 3


class Damaged(ValueError):
    """A checkpoint's bytes are not those that were written."""


@dataclass(frozen=True)
class Facts:
    """What a checkpoint says beside tensors."""

    seen: int
    slower: float
    """The factor that setbacks put on the rate."""
    setbacks: int
    counted: dict[str, int]
    """Rounds in each sum of the next report."""
    scheduled: bool
    """Whether it was due; an interrupt makes others."""
    recipe: Recipe
    """What it was trained by."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012


FACTS = TypeAdapter(Facts)


@dataclass(frozen=True)
class Checkpoint:
    """What one folder of `checkpoints/` holds."""

    weights: dict[str, Tensor]
    """The system's state_dict: weights, averaged twins, adaptive buffers."""
    state: dict[str, Tensor]
    """Optimiser moments, the rule's memory, sums of the next report."""
    facts: Facts


def write(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint durably; refuses where it will not fit."""
    files = {
        "weights.safetensors": bytes_of(plain(checkpoint.weights)),
        "state.safetensors": bytes_of(plain(checkpoint.state)),
        "facts.json": json.dumps(FACTS.dump_python(checkpoint.facts, mode="json"), indent=2, sort_keys=True).encode(),
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
    facts = read_facts(folder)
    with damage(folder):
        weights = tensors_of(content(folder, "weights.safetensors"))
        return Checkpoint(weights, {} if weights_only else tensors_of(content(folder, "state.safetensors")), facts)


def read_facts(folder: Path) -> Facts:
    """What a checkpoint says beside tensors.

    Raises:
        Damaged: naming the file.
    """
    with damage(folder):
        facts = FACTS.validate_json(content(folder, "facts.json"))
        if facts.seen != int(folder.name):
            raise Damaged(f"{folder} is a checkpoint of {facts.seen} images under another name")
        return facts


def light(folder: Path, most: float = inf) -> dict[str, bytes]:
    """The files of a checkpoint that opening it needs: no state of the training; weights of more than `most` bytes rounded to 16 bits.

    Raises:
        Damaged: naming the file.
    """
    with damage(folder):
        files = {name: content(folder, name) for name in ("weights.safetensors", "facts.json")}
        if len(files["weights.safetensors"]) > most:
            weights = tensors_of(files["weights.safetensors"])
            files["weights.safetensors"] = bytes_of({k: v.half() if v.dtype == torch.float32 else v for k, v in weights.items()})
    sums = {name: sha256(found).hexdigest() for name, found in files.items()}
    return files | {"manifest.json": json.dumps(sums, indent=2, sort_keys=True).encode()}


@contextmanager
def damage(folder: Path) -> Iterator[None]:
    """Say as `Damaged` whatever changed bytes make a parser say."""
    try:
        yield
    except Damaged:
        raise
    except Exception as error:
        raise Damaged(f"{folder} cannot be read: {' '.join(str(error).split())[:200]}") from None


def content(folder: Path, name: str) -> bytes:
    """The bytes of one file, which must be those that were written."""
    found = (folder / name).read_bytes()
    if sha256(found).hexdigest() != json.loads((folder / "manifest.json").read_bytes())[name]:
        raise Damaged(f"{folder / name} is not what was written")
    return found


def plain(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Tensors as safetensors takes them: contiguous, on the CPU, none sharing memory."""
    return {key: value.detach().to("cpu", memory_format=torch.contiguous_format, copy=True) for key, value in tensors.items()}


def folders(run: Path) -> list[Path]:
    """The checkpoints of a run, oldest first."""
    found = [path for path in (run / "checkpoints").glob("*") if path.is_dir() and path.name.isdecimal()]
    return sorted(found, key=lambda path: int(path.name))


def newest_first(run: Path, weights_only: bool = False) -> Iterator[tuple[Path, Checkpoint | Damaged]]:
    """Each checkpoint, or what is wrong with it."""
    for folder in reversed(folders(run)):
        try:
            yield folder, read(folder, weights_only)
        except Damaged as damage:
            yield folder, damage


def prune(run: Path) -> None:
    """Keep the newest checkpoint and the newest few scheduled ones."""
    every = folders(run)
    keep = {*[path for path in every if is_scheduled(path)][-KEPT:], *every[-1:]}
    for path in every:
        if path not in keep:
            durable.remove_folder(path)


def is_scheduled(folder: Path) -> bool:
    """Whether no interrupt made a checkpoint; false where that can no longer be read."""
    try:
        return read_facts(folder).scheduled
    except Damaged:
        return False


def newest_recipe(run: Path) -> Recipe | None:
    """What the newest checkpoint was trained by; None where none says so."""
    for folder in reversed(folders(run)):
        try:
            return read_facts(folder).recipe
        except Damaged:
            continue
    return None
