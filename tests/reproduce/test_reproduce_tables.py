"""Every table's cells at a thousandth of their size, on a small set that lies where MNIST is looked for."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from pushforward import metrics
from pushforward.data import DataSpec, open_data
from pushforward.reproduce import cells, clusters, conditional, fashion, lecture_figures, semi_supervised
from pushforward.reproduce._pyro_quadrants import PyroQuadrants
from pushforward.runs import Run

SMALL = {"images": 512, "width": 8, "precision": "float32"}


@pytest.fixture
def small(mnist, monkeypatch):
    """Trains a thousandth of what a table asks for."""
    monkeypatch.setenv("PUSHFORWARD_DATA", str(mnist))

    def trained(folder: Path, what: str, data: Any = None, **options: Any):
        own = {key: value for key, value in SMALL.items() if not what.startswith("pushforward.") or key != "width"}
        own |= {"labels": min(options["labels"], 100)} if options.get("labels") else {}
        return cells.trained(folder, what, data, **(options | own))

    for module in (clusters, conditional, lecture_figures, semi_supervised):
        monkeypatch.setattr(module, "trained", trained)
    monkeypatch.setattr(conditional, "DRAWS", 3)
    monkeypatch.setattr(lecture_figures, "EACH", 15)
    monkeypatch.setattr(lecture_figures, "COMPONENTS", 2)
    monkeypatch.setattr(clusters, "SHOWN", 5)


def table(module: Any, folder: Path, names: list[str]) -> dict[str, Any]:
    """The results of some cells of a table, and its pictures."""
    found = []
    for cell in module.cells():
        if cell.name in names:
            (folder / cell.name).mkdir(parents=True, exist_ok=True)
            found.append({"name": cell.name, "setting": cell.setting, "numbers": cell.measure(folder / cell.name)})
    assert [cell["name"] for cell in found] == names
    results = json.loads(json.dumps({"cells": found}))
    assert all(cell["numbers"]["fingerprint"] for cell in found)
    pictures = module.pictures(results, folder)
    assert pictures and all(path.exists() for path in pictures)
    return {cell["name"]: cell["numbers"] for cell in results["cells"]}


def test_few_labels(small, tmp_path):
    last = f"parts/{len(semi_supervised.PARTS) - 1}-draw-1"
    found = table(semi_supervised, tmp_path, ["labels-100/draw-1", "lecture/labels-400", "parts/2-draw-0", last])
    ours = found["labels-100/draw-1"]
    assert {"accuracy", "accuracy, views averaged", "accuracy on hidden labels", "bound", "rate"} <= ours.keys()
    assert "accuracy, views averaged" not in found["lecture/labels-400"]
    for name, numbers in found.items():
        run = Run(tmp_path / name / "run")
        assert numbers["accuracy"] == metrics.accuracy(run.open(), run.data()[1])
    truth, hidden = open_data(DataSpec("mnist"))[0], Run(tmp_path / "labels-100/draw-1/run")
    told = hidden.data()[0].label
    known = metrics.confusion(hidden.open(), truth.part((told == -1).nonzero().flatten()))
    assert ours["accuracy on hidden labels"] == pytest.approx(float(known.diagonal().sum() / known.sum())) and known.sum() == 800


def test_fashion_is_learned_by_the_same_recipe(small, tmp_path):
    digits = {cell.name: cell for cell in semi_supervised.cells()}
    for cell in fashion.cells()[1::2]:
        (tmp_path / cell.name).mkdir(parents=True)
        assert 0 <= cell.measure(tmp_path / cell.name)["accuracy"] <= 1
        run = Run(tmp_path / cell.name / "run")
        assert (run.recipe.data.path, run.recipe.data.label_seed, run.recipe.seed) == ("fashion-mnist", 1, 1)
        assert digits[cell.name].setting | {"data": "fashion-mnist", "images": fashion.IMAGES} == cell.setting


def test_no_labels(small, tmp_path):
    found = table(clusters, tmp_path, ["seed-0"])["seed-0"]
    counts = torch.tensor(found["training images by class (row) and cluster"])
    assert counts.sum() == 900 and counts.sum(1).tolist() == torch.bincount(open_data(DataSpec("mnist"))[0].label).tolist()
    assert found["accuracy on training images, matched"] == metrics.matched(counts)


def test_completions(small, tmp_path):
    names = [f"{system}/{seen}-seen" for system in ("baseline", "pyro-cvae", "ours") for seen in (1, 2, 3)]
    (tmp_path / "ours/2-seen/run/checkpoints").mkdir(parents=True)  # of a call that was killed while it made its run
    found = table(conditional, tmp_path, names)
    assert found["baseline/1-seen"]["rate"] == 0 and found["baseline/1-seen"]["draws"] == 1
    assert found["ours/1-seen"]["nll"] > found["ours/3-seen"]["nll"] > 0
    assert found["pyro-cvae/2-seen"]["nll"] <= found["pyro-cvae/2-seen"]["bound"] + 1e-6


def test_figures(small, tmp_path):
    found = table(lecture_figures, tmp_path, ["reader", "digits"])["digits"]
    shares = [
        made / floor for made, floor in zip(found["coverage of each class, from mixtures"], found["floor of each class"], strict=True)
    ]
    assert len(shares) == 10 and found["least share of the floor, from mixtures"] == min(shares)


def test_digits_are_read_in_the_order_they_were_asked_for(monkeypatch):
    monkeypatch.setattr(lecture_figures, "EACH", 3)
    judge = SimpleNamespace(logits=lambda x: torch.eye(10)[x[:, 0, 0, 0].long()])
    asked = torch.arange(10.0).repeat_interleave(3)[:, None, None, None]
    assert lecture_figures.read_as_asked(judge, asked) == 1
    asked[:3] = 1
    assert lecture_figures.read_as_asked(judge, asked) == pytest.approx(0.9)


def test_pyros_networks_are_those_of_the_tutorial():
    system = PyroQuadrants(PyroQuadrants.Config((1, 28, 28)))
    count = lambda module: sum(p.numel() for p in module.parameters())  # noqa: E731
    assert count(system.predict) == 784 * 500 + 500 + 500 * 500 + 500 + 500 * 784 + 784
    assert (
        count(system.networks)
        == 2 * (784 * 500 + 500 + 500 * 500 + 500 + 500 * 400 + 400) + 200 * 500 + 500 + 500 * 500 + 500 + 500 * 784 + 784
    )
    plays = {
        seen: [player.name for player in (system.enter(system.schedule(seen, 100)), system.players())[1] if player.plays]
        for seen in (0, 50)
    }
    assert plays == {0: ["baseline"], 50: ["cvae"]}
