"""Tables are measured cell by cell, also by several processes at a time."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pushforward.core import BadInput
from pushforward.recipes import RECIPES
from pushforward.reproduce import cells, running
from pushforward.reproduce.cells import Cell


def test_two_share_a_table_and_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[str] = []

    def go() -> None:
        list(running.reproduce("toy", "", tmp_path / "results", tmp_path / "runs", lambda words: None))

    def measure(name: str) -> dict[str, Any]:
        if name == "a" and not measured:
            measured.append(name)
            go()  # another process comes while this cell is held
        elif name != "a":
            measured.append(name)
        return {"value": len(name)}

    every = [Cell(name, {}, 0, lambda folder, name=name: measure(name)) for name in ("a", "b", "c/d")]  # type: ignore[misc]
    monkeypatch.setattr(running, "find", lambda name: SimpleNamespace(cells=lambda: every))
    go()
    assert measured == ["a", "b", "c/d"], "each once"
    found = json.loads((tmp_path / "results" / "toy.json").read_text())
    assert [cell["name"] for cell in found["cells"]] == ["a", "b", "c/d"]


def test_a_cell_that_fails_is_free_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(folder: Path) -> dict[str, Any]:
        raise ValueError("once")

    monkeypatch.setattr(running, "find", lambda name: SimpleNamespace(cells=lambda: [Cell("a", {}, 0, fails)]))
    with pytest.raises(ValueError, match="once"):
        list(running.reproduce("toy", "", tmp_path / "results", tmp_path / "runs", lambda words: None))
    with cells.held(tmp_path / "runs" / "toy" / "locks" / "a") as free:
        assert free


def test_cells_whose_data_are_not_there_are_left_out_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(folder: Path) -> dict[str, Any]:
        raise cells.Absent("'faces.zip' is not there.")

    every = [Cell("a", {}, 0, absent), Cell("b", {}, 0, lambda folder: {"value": 1}), Cell("c", {}, 0, absent)]
    monkeypatch.setattr(running, "find", lambda name: SimpleNamespace(cells=lambda: every))
    said: list[str] = []
    list(running.reproduce("toy", "", tmp_path / "results", tmp_path / "runs", said.append))
    assert said[-1] == "2 of 3 cells were not measured: 'faces.zip' is not there."
    found = json.loads((tmp_path / "results" / "toy.json").read_text())["cells"]
    assert [cell["name"] for cell in found] == ["b"]
    with pytest.raises(BadInput, match=r"'faces\.zip' is not there"):
        list(running.reproduce("toy", "c", tmp_path / "results", tmp_path / "runs", said.append))


def test_what_was_asked_for_otherwise_is_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for images in (10, 10, 20):
        cell = Cell("a", {"images": images}, 0, lambda folder, images=images: {"value": images})  # type: ignore[misc]
        monkeypatch.setattr(running, "find", lambda name, cell=cell: SimpleNamespace(cells=lambda: [cell]))
        list(running.reproduce("toy", "", tmp_path / "results", tmp_path / "runs", lambda words: None))
    found = json.loads((tmp_path / "results" / "toy.json").read_text())["cells"]
    assert [cell["numbers"]["value"] for cell in found] == [20]


def test_sessions_that_were_killed_count_as_much_as_the_others() -> None:
    def seconds(*sessions: tuple[int, int, float]) -> dict[str, float]:
        told = [{"from": start, "to": end, "seconds": took, "processor_seconds": took / 2} for start, end, took in sessions]
        run: Any = SimpleNamespace(sessions=lambda: told, recipe=SimpleNamespace(images=100))
        return cells.seconds_of(run)

    assert seconds((0, 100, 8.0)) == {"seconds of training": 8.0, "processor seconds": 4.0}
    assert seconds((60, 100, 8.0)) == {"seconds of training": 20.0, "processor seconds": 10.0}, "the first was killed at 60"
    assert seconds((0, 50, 4.0), (40, 100, 6.0)) == {"seconds of training": 10.0, "processor seconds": 5.0}, "gone back on"


def test_a_run_that_was_trained_otherwise_is_not_taken_for_it(tmp_path: Path) -> None:
    run, _ = cells.trained(tmp_path / "run", "vae", "digits", images=64, width=8)
    again, _ = cells.trained(tmp_path / "run", "vae", "digits", images=64, width=8)
    assert run.folder == again.folder and again.seen() >= 64
    with pytest.raises(BadInput, match=r"was trained with width 8, and now with 9. Remove that folder"):
        cells.trained(tmp_path / "run", "vae", "digits", images=64, width=9)


def test_a_run_of_a_recipe_that_has_changed_since_is_not_taken_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells.trained(tmp_path / "run", "demo", images=64)
    usual = RECIPES["demo"]
    assert cells.trained(tmp_path / "run", "demo", images=64)[0].seen() >= 64
    monkeypatch.setitem(RECIPES, "demo", lambda labels=100: replace(usual(labels), clip=1.0))
    with pytest.raises(BadInput, match=r"was trained with clip 5.0, and now with 1.0. Remove that folder"):
        cells.trained(tmp_path / "run", "demo", images=64)


def test_a_run_that_another_is_training_is_waited_for(tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        with cells.held(tmp_path / "run-asked"):
            waiting = pool.submit(cells.trained, tmp_path / "run", "vae", "digits", images=64, width=8)
            time.sleep(0.5)
            assert not waiting.done() and not (tmp_path / "run").exists()
        assert waiting.result()[0].seen() >= 64


def test_results_without_their_runs_are_kept_and_that_pictures_need_runs_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a fresh clone, which has all results and no run."""

    def pictures(results: dict[str, Any], runs: Path) -> list[Path]:
        raise BadInput(f"There is no run in '{runs}'.")

    module = SimpleNamespace(cells=lambda: [Cell("a", {}, 0, lambda folder: {"value": 1})], pictures=pictures)
    monkeypatch.setattr(running, "find", lambda name: module)
    said: list[str] = []
    for _ in range(2):
        found = list(running.reproduce("toy", "", tmp_path / "results", tmp_path / "runs", said.append))
    assert found == [tmp_path / "results" / "toy.json"] and said[-1].startswith("Pictures were not drawn: There is no run")


@pytest.mark.parametrize("name", ["facades", "completion"])
def test_sheets_are_drawn_of_what_is_there(name: str, tmp_path: Path) -> None:
    assert running.find(name).pictures({"cells": []}, tmp_path) == []
