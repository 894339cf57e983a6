"""The examples run as they are, here on fewer images, and are short."""

import runpy
from pathlib import Path

import pytest

from pushforward import recipes

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_runs(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    train = recipes.train
    monkeypatch.setattr(recipes, "train", lambda *given, images, **options: train(*given, images=min(images, 600), **options))
    runpy.run_path(str(path), run_name="__main__")
    printed = capsys.readouterr().out
    assert printed and (tmp_path / "runs").is_dir()
    written = [Path(line.split(": ")[-1]) for line in printed.splitlines() if line.endswith((".png", ".html"))]
    assert all(file.exists() for file in written) and (written or "%" in printed)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_is_short(path):
    assert len(path.read_text().splitlines()) < 40
