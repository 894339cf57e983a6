"""Likelihoods of MNIST: the recipes, a cell measured on something small, and the table."""

import json
import sys
from pathlib import Path

import pytest

import pushforward
from pushforward.recipes import RECIPES, plan
from pushforward.reproduce import mnist_nll

HOME = Path(__file__).parents[2]
sys.path.insert(0, str(HOME / "benchmarks"))

import tables  # noqa: E402
import writing  # noqa: E402


@pytest.mark.parametrize("name", mnist_nll.SEEDS)
def test_its_recipes_are_complete_whatever_the_data(name: str) -> None:
    assert RECIPES[name]().data.binarise == "dynamic"
    recipe = plan(name, "digits", labels=10, images=256).recipe  # labels are of no use to it, and no reason to fail
    assert recipe.config["likelihood"] == "bernoulli" and recipe.data.path == "digits" and recipe.clip > 0


def test_cells_have_names_of_their_own_and_settings_that_json_takes() -> None:
    cells = mnist_nll.cells()
    assert len({cell.name for cell in cells}) == len(cells) == sum(map(len, mnist_nll.SEEDS.values()))
    assert [json.loads(json.dumps(cell.setting))["recipe"] == cell.name.split("/")[0] for cell in cells] == [True] * len(cells)


def test_a_cell_is_measured_and_the_table_shows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def small(folder: Path, what: str, seed: int) -> tuple[object, dict[str, float]]:
        options = {"width": 8, "top": 4, "images": 640} if what == "mnist_ladder" else {"net": "mlp", "width": 16, "images": 640}
        return pushforward.train(what, "digits", run=folder, quiet=True, seed=seed, **options), {
            "seconds of training": 61.0,
            "processor seconds": 120.0,
        }

    monkeypatch.setattr(mnist_nll, "trained", small)
    monkeypatch.setattr(mnist_nll, "DRAWS", 3)
    found = []
    for cell in mnist_nll.cells()[1:]:
        numbers = cell.measure(tmp_path / cell.name)
        assert numbers["nll"] < numbers["bound"] and numbers["draws"] == 3 and numbers["n"] == 898
        assert numbers["bound"] == pytest.approx(numbers["distortion"] + numbers["rate"])
        assert (tmp_path / cell.name / "weights.safetensors").exists()
        found.append({"name": cell.name, "setting": cell.setting, "seed": cell.seed, "numbers": numbers})
    here = {"machine": {"threads": 2, "processor": "abacus"}, "versions": {"torch": "0"}}
    told = {"cells": [cell | here for cell in found], "command": "pushforward reproduce mnist-nll"}
    for module in (tables, writing):
        monkeypatch.setattr(module, "read", lambda name: told)
    page = tables.mnist_nll()
    assert f"{found[0]['numbers']['nll']:.2f}" in page and "78.01" in page and "abacus" in page
    assert page.index("86.76") < page.index("78.01"), "the worst first"
    monkeypatch.setattr(mnist_nll, "SEEDS", {"mnist_ladder": (0,)})
    pictures = mnist_nll.pictures({}, tmp_path)
    assert all(picture.exists() for picture in pictures)
