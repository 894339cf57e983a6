"""Trainings that diverge: noticed in the same round, taken back, at half the rate, at most three times."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from pushforward.core import Player, Terms
from pushforward.runs import GivenUp, Interrupted, Recipe, Run, checkpoint, go_on, load, start
from pushforward.training import Trainer
from pushforward.training.machines import moved
from tests.runs.small import BATCH, contents, interrupted_at, recipe_of

NAN, INF = float("nan"), float("inf")
EVALUATE = Trainer.evaluate
pytestmark = pytest.mark.usefixtures("quick")


def spoiling(monkeypatch: pytest.MonkeyPatch, place: str, value: float, when: Callable[[Trainer], bool], player: str = "") -> list[int]:
    """Put `value` into a loss, gradient, weight or input in the rounds that `when` names; returns a list that they are noted in."""
    spoilt = []

    def evaluate(trainer: Trainer, mover: Player, turn: int, shard: int) -> tuple[Tensor, Terms]:
        if not when(trainer) or player not in ("", mover.name):
            return EVALUATE(trainer, mover, turn, shard)
        spoilt.append(trainer.seen)
        weight = next(mover.module.parameters())
        if place == "gradient":
            weight.register_hook(lambda slope: slope * 0 + value)
        if place == "weight":
            with torch.no_grad():
                weight.view(-1)[0] = value
        if place == "input":
            batch = dict(moved(trainer.source.batch(trainer.stage, turn, shard, trainer.shards), trainer.device))
            batch["image"] = batch["image"].clone()  # type: ignore[attr-defined]
            batch["image"][0] = value  # type: ignore[index]
            trainer.batches[turn, shard] = batch  # type: ignore[assignment]
        loss, terms = EVALUATE(trainer, mover, turn, shard)
        loss = loss + value if place == "loss" else loss
        return loss, terms | {"loss": loss}

    monkeypatch.setattr(Trainer, "evaluate", evaluate)
    return spoilt


def facts(run: Run) -> checkpoint.Facts:
    return checkpoint.read_facts(checkpoint.folders(run.folder)[-1])


DRILL = [
    ("vae", "loss", NAN, 1, ""),
    ("vae", "loss", 1e30, 6, ""),
    ("vae", "gradient", -INF, 11, ""),
    ("vae", "gradient", 1e30, 17, ""),
    ("vae", "weight", 1e30, 0, ""),
    ("vae-convolution", "weight", NAN, 13, ""),
    ("conditional-label", "input", 1e30, 9, ""),
    ("conditional-image", "input", NAN, 19, ""),
    ("classification-bound", "loss", INF, 14, ""),
    ("classification-lecture", "input", INF, 4, ""),
    ("game", "gradient", NAN, 8, "critic"),
    ("game", "weight", INF, 12, "generator"),
    ("game", "input", NAN, 15, "generator"),
    ("game", "weight", 1e30, 18, "critic"),
]


@pytest.mark.parametrize(("kind", "place", "value", "at", "player"), DRILL)
def test_what_is_not_finite_is_noticed_at_once_and_taken_back(
    kind: str,
    place: str,
    value: float,
    at: int,
    player: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    spoilt = spoiling(monkeypatch, place, value, lambda trainer: trainer.seen == at * BATCH and trainer.slower == 1, player)
    run = start(tmp_path / "run", recipe_of(kind, tmp_path))
    assert set(spoilt) == {at * BATCH} and len(spoilt) <= 2, "it was noticed in a later round"
    assert facts(run).setbacks == 1 and facts(run).slower == 0.5 and facts(run).seen == 20 * BATCH
    back = max(0, (at * BATCH - 1) // (5 * BATCH) * 5 * BATCH)
    said = capfd.readouterr().err
    assert f"is not finite after {at * BATCH} images. Back to {back} images, at 0.5 of the rate." in said
    assert player in said
    assert [session["to"] for session in run.sessions()] == [at * BATCH, 20 * BATCH]
    seen = [line["seen"] for line in run.metrics()]
    assert seen == [24, 48, 72, 96, 120, 144, 160]
    assert all(torch.isfinite(value).all() for value in load(run.folder).state_dict().values())


@pytest.mark.parametrize("kind", ["vae", "game"])
def test_it_gives_up_after_three_setbacks(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spoilt = spoiling(monkeypatch, "loss", NAN, lambda trainer: trainer.seen == 12 * BATCH)
    with pytest.raises(GivenUp, match=r"not finite after 96 images, after 3 attempts at ever smaller rates\. Use a smaller --rate"):
        start(tmp_path / "run", recipe_of(kind, tmp_path), quiet=True)
    assert spoilt == [12 * BATCH] * 4
    run = Run(tmp_path / "run")
    assert facts(run).setbacks == 3 and facts(run).slower == 0.125 and facts(run).seen == 10 * BATCH
    assert load(run.folder).stage.seen == 10 * BATCH
    with pytest.raises(GivenUp):  # and resuming it is no way round
        go_on(run.folder, quiet=True)
    assert len(spoilt) == 5


def test_every_setback_halves_the_rate_that_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the second one goes back further than the first."""
    places = {1.0: 12 * BATCH, 0.5: 10 * BATCH, 0.25: 6 * BATCH}
    spoilt, rates = spoiling(monkeypatch, "loss", NAN, lambda trainer: trainer.seen == places.get(trainer.slower)), []
    move = Trainer.move

    def moved(trainer: Trainer, field: dict[Tensor, Tensor]) -> None:
        move(trainer, field)
        rates.append((trainer.seen // BATCH, trainer.stage.rate / trainer.system.schedule(trainer.seen, 160).rate))

    monkeypatch.setattr(Trainer, "move", moved)
    run = start(tmp_path / "run", recipe_of("vae", tmp_path), quiet=True)
    assert spoilt == [96, 80, 48] and facts(run).slower == 0.125
    assert [session["from"] for session in run.sessions()] == [0, 80, 40, 40]
    assert rates == [(at, rate) for first, last, rate in [(0, 12, 1.0), (5, 6, 0.25), (5, 20, 0.125)] for at in range(first, last)]


def test_what_was_saved_just_before_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step spoils the weights unnoticed, a checkpoint of them is written, and the next loss shows it."""
    move = Trainer.move

    def spoil(trainer: Trainer, field: dict[Tensor, Tensor]) -> None:
        move(trainer, field)
        if trainer.seen == 9 * BATCH and trainer.slower == 1:
            with torch.no_grad():
                next(trainer.system.parameters()).fill_(NAN)

    monkeypatch.setattr(Trainer, "move", spoil)
    run = start(tmp_path / "run", recipe_of("vae", tmp_path), quiet=True)
    assert facts(run).setbacks == 1
    assert [(session["from"], session["to"]) for session in run.sessions()] == [(0, 80), (40, 160)]


@pytest.mark.parametrize("kind", ["vae", "classification-bound", "game"])
def test_interrupted_before_or_after_a_setback_it_ends_in_the_same_bytes(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rounds 12 and 16 go wrong; interrupts come in between, on scheduled checkpoints and off, before and after what is taken back."""
    wrong = {1.0: 12 * BATCH, 0.5: 16 * BATCH}
    spoiling(monkeypatch, "loss", NAN, lambda trainer: trainer.seen == wrong.get(trainer.slower))
    recipe = recipe_of(kind, tmp_path)
    expected = contents(start(tmp_path / "whole", recipe, quiet=True).folder)
    for stops in ([11], [12], [10, 13], [1, 11, 15, 19]):
        folder = tmp_path / "-".join(map(str, stops))
        for stop in stops:
            with interrupted_at(stop * BATCH), pytest.raises(Interrupted):
                go_on(folder, quiet=True) if folder.exists() else start(folder, recipe, quiet=True)
        go_on(folder, quiet=True)
        assert contents(folder) == expected, f"interrupted after rounds {stops}"


def test_an_extended_run_that_diverges_at_once_is_taken_back_to_where_it_was_extended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = recipe_of("vae", tmp_path)
    with interrupted_at(12 * BATCH), pytest.raises(Interrupted):
        start(tmp_path / "run", recipe, quiet=True)
    Run(tmp_path / "run").extend(24 * BATCH)
    spoiling(monkeypatch, "loss", NAN, lambda trainer: trainer.seen == 12 * BATCH and trainer.slower == 1)
    run = go_on(tmp_path / "run", quiet=True)
    assert facts(run).setbacks == 1 and facts(run).seen == 24 * BATCH
    assert json.loads((run.folder / "recipe.json").read_text())["images"] == 24 * BATCH


def test_metrics_of_a_part_that_was_taken_back_are_those_of_its_second_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = Recipe(**{**recipe_of("vae", tmp_path).__dict__, "report_every": BATCH})
    calm = start(tmp_path / "calm", recipe, quiet=True).metrics()
    spoiling(monkeypatch, "loss", NAN, lambda trainer: trainer.seen == 12 * BATCH and trainer.slower == 1)
    told = start(tmp_path / "run", recipe, quiet=True).metrics()
    assert [line["seen"] for line in told] == [line["seen"] for line in calm] == list(range(BATCH, 21 * BATCH, BATCH))
    assert told[:11] == calm[:11] and all(one != other for one, other in zip(told[11:], calm[11:], strict=True))
