"""A parser given to a completion stays as it is, and with the run."""

import shutil
from pathlib import Path

import pytest
import torch

from pushforward.core import BadInput, Parses
from pushforward.data import masks
from pushforward.recipes import train
from pushforward.runs import Run, go_on, load


def test_a_parser_stays_as_it_is_and_is_kept_with_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    small = {"size": 8, "width": 4, "quiet": True, "batch_size": 4}
    parser = train("parsing", "faces", run="parser", images=8, **small)
    before = {key: value.clone() for key, value in parser.open().state_dict().items()}
    run = train("completion", "faces", mask="mixed", run="run", images=16, parser="parser", third=0.0, second=0.0, **small)
    assert isinstance(run.open().parser, Parses)
    assert all(torch.equal(value, before[key]) for key, value in run.open().parser.state_dict().items())  # type: ignore[union-attr]
    assert not any(key.startswith("parser") for key in torch_keys(run)), "checkpoints do not hold it again and again"
    shutil.rmtree("parser")
    mask = masks.holes("left", 2, 8, 8, torch.Generator())
    shown = {"source": torch.rand(2, 3, 8, 8) * (1 - mask), "mask": mask}
    made = load("run").edit(shown)  # type: ignore[attr-defined]
    Run("run").extend(24)
    assert go_on("run", quiet=True).seen() == 24
    Run("run").copy(Path("copied"))
    assert Run("copied").seen() == 24 and made.shape == load("copied").edit(shown).shape  # type: ignore[attr-defined]
    (Path("run/parts/parser/recipe.json")).unlink()
    with pytest.raises(BadInput, match="no run"):
        load("run")


def torch_keys(run: Run) -> set[str]:
    from pushforward.runs import checkpoint

    return set(checkpoint.read(run.newest()).weights)


def test_another_parser_in_its_place_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    small = {"size": 8, "width": 4, "quiet": True, "batch_size": 4}
    train("parsing", "faces", run="parser", images=8, **small)
    other = train("parsing", "faces", run="other", images=8, seed=1, **small)
    train("completion", "faces", mask="mixed", run="run", images=8, parser="parser", **small)
    shutil.rmtree("run/parts/parser")
    other.copy(Path("run/parts/parser"))
    with pytest.raises(BadInput, match="is not the parser that run was made with"):
        load("run")
