"""TensorBoard is an extra: asked for and missing it is refused; there, it gets every report."""

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import pushforward
from pushforward.runs import board


def test_a_missing_one_is_refused_and_nothing_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "find_spec", lambda name: None)
    with pytest.raises(pushforward.BadInput, match="not installed"):
        pushforward.train("vae", "digits", images=256, run=tmp_path / "run", quiet=True, tensorboard=True)
    assert not (tmp_path / "run").exists()


def test_it_gets_what_metrics_get(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, float, int]] = []

    class SummaryWriter:
        def __init__(self, folder: str, purge_step: int) -> None:
            assert folder == str(tmp_path / "run" / "tensorboard") and purge_step == 0

        def add_scalar(self, name: str, value: float, seen: int) -> None:
            told.append((name, value, seen))

        def flush(self) -> None:
            pass

    fake: Any = ModuleType("torch.utils.tensorboard")
    fake.SummaryWriter = SummaryWriter
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", fake)
    monkeypatch.setattr(board, "find_spec", lambda name: fake)
    pushforward.train("vae", "digits", images=384, run=tmp_path / "run", quiet=True, tensorboard=True)
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert told == [(name, value, line["seen"]) for line in lines for name, value in line.items() if name != "seen"] and told
