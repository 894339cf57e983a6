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


def test_every_play_follows_its_theory_and_is_kept_in_the_results(tmp_path: Path) -> None:
    found = []
    for cell in games.cells():
        numbers, (game, name) = cell.measure(tmp_path), cell.name.split("/")
        free = "Adam" in name or "Wasserstein" in name
        assert (numbers["theory"] is None) == free and not isnan(numbers["rate per round"])
        if game == "bilinear" and not free:
            assert numbers["rate per round"] == pytest.approx(numbers["theory"], abs=2e-4)
        elif numbers["last distance"] < 1e-2:  # near the equilibrium, where the theory holds
            assert numbers["rate per round"] == pytest.approx(numbers["theory"], abs=6e-3)
        assert name in tables.CLOSED
        found.append((cell.name, cell.setting, numbers["last distance"]))
    kept = json.loads((HOME / "results" / "games.json").read_text())["cells"]
    assert [(cell["name"], cell["setting"]) for cell in kept] == [(name, setting) for name, setting, _ in found]
    assert [cell["numbers"]["last distance"] for cell in kept] == pytest.approx([last for *_, last in found], rel=1e-3)


def test_only_noise_penalties_and_rules_bring_the_dirac_gan_to_rest(tmp_path: Path) -> None:
    rest = {cell.name: cell.measure(tmp_path)["last distance"] for cell in games.cells() if "dirac" in cell.name}
    settled = {name.partition("/")[2] for name, distance in rest.items() if distance < 1e-2}
    assert settled == {"minimax + R1", "minimax + R1, critical", "minimax + instance noise", "minimax, extragradient"}


def test_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(games, "drawn", lambda settings: 6)
    assert [path.name for path in games.pictures({}, tmp_path)] == ["games-bilinear.png", "games-distances.png", "games-dirac.png"]


def test_the_page_shows_both_tables_and_the_lectures_circle(tmp_path: Path) -> None:
    page = (HOME / "docs" / "games.md").read_text()
    assert "<!-- results:games -->" in page and "<!-- results:games_dirac -->" in page
    rule, settings = games.BILINEAR["simultaneous, step 0.01"]
    places = games.play("bilinear", rule, settings, games.drawn(settings)).places
    far = (places**2).sum(1) ** 0.5
    assert far.max() / far.min() < 1.04 and abs(places[-1] - places[0]).max() < 0.05, "a full turn"
