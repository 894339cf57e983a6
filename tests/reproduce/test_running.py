"""Tables are measured cell by cell, also by several processes at a time."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pushforward.reproduce import running
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

    cells = [Cell(name, {}, 0, lambda folder, name=name: measure(name)) for name in ("a", "b", "c/d")]  # type: ignore[misc]
    monkeypatch.setattr(running, "find", lambda name: SimpleNamespace(cells=lambda: cells))
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
    with running.held(tmp_path / "runs" / "toy" / "locks" / "a") as free:
        assert free
