"""Several processes train as one does, to the bit, and only the first of them writes."""

import os
import sys
import time
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from pushforward.core import Player, Terms
from pushforward.data import open_data
from pushforward.recipes import pace, plan, run_order
from pushforward.runs import Interrupted, Recipe, go_on, start
from pushforward.runs.recipe import to_json
from pushforward.runs.session import trainer_of
from pushforward.training import Trainer
from pushforward.training.machines import join_ranks
from tests.runs.children import in_ranks
from tests.runs.small import BATCH, contents, interrupted_at, recipe_of

pytestmark = pytest.mark.skipif(torch.cuda.device_count() == 1, reason="two ranks want two GPUs, or none")
KINDS = ("vae", "classification-lecture", "game")
PLAYED = 6


def trained(recipe: Recipe) -> str:
    """A fingerprint of all that a training came to."""
    trainer = trainer_of(recipe, open_data(recipe.data)[0])
    for _ in trainer.rounds():
        if trainer.seen == PLAYED * BATCH:
            break
    digest = sha256(repr(trainer.report()).encode())
    for key, value in [*trainer.system.state_dict().items(), *trainer.state().items()]:
        digest.update(key.encode() + value.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def train_as_rank(rank: int, recipes: list[Recipe], told: Path) -> int:
    join_ranks()
    (told / str(rank)).write_text(" ".join(trained(recipe) for recipe in recipes))
    return 0


@pytest.mark.parametrize("kind", KINDS)
def test_two_ranks_come_to_the_bits_of_one_process(kind: str, tmp_path: Path) -> None:
    """With a shard each, and with two shards each; the number of shards, which is the recipe's, may change the rounding."""
    recipes = [recipe_of(kind, tmp_path, shards=shards) for shards in (2, 4)]
    alone = [trained(recipe) for recipe in recipes]
    assert in_ranks(2, train_as_rank, recipes, tmp_path) == [0, 0]
    for rank in ("0", "1"):
        assert (tmp_path / rank).read_text().split() == alone
    assert alone[0] != alone[1] and trained(recipe_of(kind, tmp_path)) not in alone


def spoil(trainer: Trainer, player: Player, turn: int, shard: int) -> tuple[Tensor, Terms]:
    """The usual evaluation, but for one shard of one round, whose loss is NaN as long as the rate is whole."""
    loss, terms = EVALUATE(trainer, player, turn, shard)
    return (loss * torch.nan, terms) if (trainer.seen, shard, trainer.slower) == (14 * BATCH, 1, 1.0) else (loss, terms)


EVALUATE = Trainer.evaluate


def run_as_rank(rank: int, folder: Path, recipe: Recipe, stop: int | None, told: Path) -> Any:
    """Start or go on; the second rank alone is told to stop, and notes whatever it writes into the run folder."""
    written: list[str] = []

    def note(event: str, given: tuple[Any, ...]) -> None:
        if event in ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate") and str(folder) in str(given[0]):
            reads = event == "open" and not (given[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            written.extend([] if reads else [f"{event} {given}"])

    Trainer.evaluate = spoil  # type: ignore[method-assign,assignment]
    if rank == 1:
        sys.addaudithook(note)
    try:
        with interrupted_at(*([stop] if rank == 1 and stop else [])):
            start(folder, recipe, quiet=True) if not folder.exists() else go_on(folder, quiet=True)
    except Interrupted as interrupt:
        return interrupt.code
    finally:
        if rank == 1:
            told.write_text("\n".join(written))
    return 0


@pytest.mark.usefixtures("quick")
def test_a_whole_run_on_two_ranks_is_that_of_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is interrupted on one rank, resumed, diverges on a shard of one rank, is taken back, and ends."""
    recipe = recipe_of("game", tmp_path, shards=2)
    monkeypatch.setattr(Trainer, "evaluate", spoil)
    alone = start(tmp_path / "alone", recipe, quiet=True)
    folder, told = tmp_path / "run", tmp_path / "written"
    assert in_ranks(2, run_as_rank, folder, recipe, 7 * BATCH, told) == [143, 143]
    assert told.read_text() == ""
    assert (folder / "checkpoints" / f"{7 * BATCH:09d}").exists()
    assert in_ranks(2, run_as_rank, folder, recipe, None, told) == [0, 0]
    assert told.read_text() == ""
    assert contents(folder) == contents(alone.folder)
    assert b'"setbacks": 1' in contents(folder)[f"checkpoints/{20 * BATCH:09d}/facts.json"]
    assert [session["to"] for session in alone.sessions()] == [14 * BATCH, 20 * BATCH]


def train_by_the_clock(rank: int, place: Path) -> int:
    """The second rank's clock runs three times as fast, and it comes late to the choice of a folder."""
    now = time.perf_counter_ns
    os.chdir(place)
    pace.time = SimpleNamespace(perf_counter_ns=lambda: (1 + 2 * rank) * now())  # type: ignore[assignment]
    pace.TIMED = 0.2
    order = plan("vae", "digits", minutes=0.002, shards=2)
    time.sleep(rank)
    run = run_order(order, None, quiet=True)
    (place / str(rank)).write_bytes(bytes(run.folder) + b" " + to_json(order.recipe))
    return 0


def test_two_ranks_that_measure_the_speed_come_to_one_plan_and_one_folder(tmp_path: Path) -> None:
    assert in_ranks(2, train_by_the_clock, tmp_path) == [0, 0]
    first, second = ((tmp_path / rank).read_text() for rank in ("0", "1"))
    assert first == second and first.startswith("runs/vae {")
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["vae"]
