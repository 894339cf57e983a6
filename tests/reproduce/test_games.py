"""The table of games: what was measured is what theory says, and the page shows it."""

import json
import sys
from math import isnan
from pathlib import Path

import pytest

from pushforward.reproduce import games

HOME = Path(__file__).parents[2]
sys.path.insert(0, str(HOME / "benchmarks"))

import tables  # noqa: E402


def test_every_bilinear_play_has_a_theory_and_follows_it(tmp_path: Path) -> None:
    found = []
    for cell in games.cells():
        numbers = cell.measure(tmp_path)
        if cell.name.startswith("bilinear/"):
            assert numbers["rate per round"] == pytest.approx(numbers["theory"], abs=2e-4)
            assert cell.name.partition("/")[2] in tables.CLOSED
        else:
            kinked = "Wasserstein" in cell.name
            assert (numbers["theory"] is None) == kinked and not isnan(numbers["rate per round"])
            far = sum(x * x for x in numbers["last place"]) ** 0.5
            if far < 1e-2:  # near peace, where the theory holds
                assert numbers["rate per round"] == pytest.approx(numbers["theory"], abs=6e-3)
        found.append(cell.name)
    kept = json.loads((HOME / "results" / "games.json").read_text())["cells"]
    assert [cell["name"] for cell in kept] == found


def test_only_noise_penalties_and_rules_bring_the_dirac_gan_to_rest(tmp_path: Path) -> None:
    rest = {cell.name: sum(x * x for x in cell.measure(tmp_path)["last place"]) ** 0.5 for cell in games.cells() if "dirac" in cell.name}
    settled = {name.partition("/")[2] for name, distance in rest.items() if distance < 1e-2}
    assert settled == {"minimax + R1", "minimax + R1, critical", "minimax + instance noise", "minimax, extragradient"}


def test_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(games, "SHOWN", 6)
    assert [path.name for path in games.pictures({}, tmp_path)] == ["games-bilinear.png", "games-distances.png", "games-dirac.png"]
