"""The generator net taught by distances between samples."""

from pathlib import Path
from typing import Any

import pytest
import torch

from pushforward.core import BadInput
from pushforward.data import DataSpec, Shuffled, open_data
from pushforward.maths import energy_distance
from pushforward.reproduce import moment_matching as table
from pushforward.runs import Run
from pushforward.systems.moment_matching import MomentMatching, Settings
from pushforward.training import Trainer


@pytest.mark.parametrize("settings", [{}, {"slices": 0}, {"objective": "mmd"}], ids=str)
def test_it_learns(settings: dict[str, Any]) -> None:
    """Points of two moons come near in a hundred rounds."""
    train, test = open_data(DataSpec("moons"))
    assert test is not None and test.row is not None
    torch.manual_seed(0)
    system = MomentMatching(Settings((2,), units=32, layers=3, **settings))
    before = float(energy_distance(system.sample(2_000, seed=0), test.row[:2_000]))
    for _ in Trainer(system, Shuffled(train), 256 * 150, precision="float32", device="cpu").rounds():
        pass
    assert float(energy_distance(system.sample(2_000, seed=0), test.row[:2_000])) < 0.03 < before


def test_the_loss_is_the_distance_of_its_own_points() -> None:
    """Over all pairs, and about the same along slices; both in the units of the data."""
    y = torch.randn(64, 2)
    losses = []
    for slices in (0, 4_000):
        torch.manual_seed(0)
        system = MomentMatching(Settings((2,), slices=slices, units=8, layers=1))
        torch.manual_seed(1)
        losses.append(system.loss({"row": y})[0].item())
    assert losses[1] == pytest.approx(losses[0], rel=0.05)


def test_it_takes_no_label() -> None:
    with pytest.raises(BadInput, match="label 3"):
        MomentMatching(Settings((2,))).sample(2, label=3)


def test_images_of_a_small_size() -> None:
    train, _ = open_data(DataSpec("digits"))
    torch.manual_seed(0)
    system = MomentMatching(Settings((1, 8, 8), latent=10, layers=3, slices=0))
    trainer = Trainer(system, Shuffled(train), 256 * 60, precision="float32")
    losses = [trainer.report()["generator/loss"] for _ in trainer.rounds()]
    assert losses[-1] < losses[0] / 3
    assert system.sample(3, seed=0).shape == (3, 1, 8, 8)


def test_a_cell_of_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small one: what it tells, that a second call repeats it, and the pictures."""
    monkeypatch.setattr(table, "IMAGES", 2_560)
    monkeypatch.setattr(table, "POINTS", 200)
    monkeypatch.setattr(table, "PAIRS", 4)
    monkeypatch.setattr(table, "FRAMES", 3)
    cells = table.cells()
    assert len(cells) == 18 and len({cell.name for cell in cells}) == 18
    first = [cell for cell in cells if cell.seed == 0]
    for cell in first:
        (tmp_path / cell.name).mkdir(parents=True)
    numbers = first[0].measure(tmp_path / first[0].name)
    assert numbers["within"] == (numbers["energy distance"] <= numbers["real against real, 95th percentile"])
    assert first[0].measure(tmp_path / first[0].name) == numbers
    for cell in first[1:]:
        cell.measure(tmp_path / cell.name)
    paths = table.pictures({}, tmp_path)
    assert all(path.stat().st_size > 1_000 for path in paths) and {path.suffix for path in paths} == {".png", ".gif"}
    assert Run(tmp_path / "ring" / "seed-0" / "run").recipe.images == 2_560
