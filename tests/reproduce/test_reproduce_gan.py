"""The cells of the GAN's table at a thousandth of their size."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import interpolate, pad

from pushforward.data import DataSpec, open_data
from pushforward.recipes import RECIPES
from pushforward.reproduce import cells, gan

SMALL = {"images": 256, "precision": "float32"}


@pytest.fixture
def small(mnist: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trains a thousandth, on scikit-learn's digits in place of MNIST."""
    monkeypatch.setenv("PUSHFORWARD_DATA", str(mnist))

    def trained(folder: Path, what: str, data: Any = None, **options: Any) -> Any:
        return cells.trained(folder, what, options.pop("data", data), **(options | SMALL))

    monkeypatch.setattr(gan, "trained", trained)
    monkeypatch.setattr(gan, "SAMPLED", 200)
    monkeypatch.setattr(gan, "STACKED", 300)


def measure(name: str, folder: Path) -> dict[str, Any]:
    cell = next(cell for cell in gan.cells() if cell.name == name)
    return cell.measure(folder)


def test_every_cell_has_a_name_of_its_own_and_settings_that_its_recipe_takes() -> None:
    every = gan.cells()
    assert len({cell.name for cell in every}) == len(every) == 59
    assert {cell.name.split("/")[0] for cell in every} == {"toys", "stacked", "equal", "mnist", "conditional", "dropout", "rules"}


@pytest.mark.parametrize("name", ["toys/gaussians/modern/seed-0", "toys/eight/2014/seed-1", "rules/eight/extragradient/seed-0"])
def test_mixtures(small: None, tmp_path: Path, name: str) -> None:
    found = measure(name, tmp_path)
    assert {"modes", "within", "width", "KL to even", "fingerprint", "processor seconds"} <= found.keys()


@pytest.mark.parametrize("name", ["stacked/seed-0", "equal/hinge, spectral/seed-0"])
def test_stacked_digits(small: None, tmp_path: Path, name: str) -> None:
    found = measure(name, tmp_path)
    assert 1 <= found["kinds for sure"] <= found["kinds"] <= 1000 and found["KL to even"] > 0 and found["KL to even, spread"] >= 0
    assert 0 <= found["kinds, real against real"] <= 1000 and found["feature net"].startswith("zoo/reader_mnist")


@pytest.mark.parametrize("name", ["mnist/gan_2014/seed-0", "conditional/auxiliary", "dropout/off/seed-2", "rules/mnist/optimistic"])
def test_digits(small: None, tmp_path: Path, name: str) -> None:
    found = measure(name, tmp_path)
    assert found["Frechet distance"] > found["Frechet distance, real against real"] and found["samples"] == 200
    assert ("read as asked" in found) == name.startswith("conditional")


def test_kinds_are_spelt_by_the_colours(small: None) -> None:
    train, _ = open_data(DataSpec("stacked-mnist"))
    batch = train.batch(torch.arange(600))
    # MNIST's digits stand in the middle of 28x28, these fill it
    found = gan.kinds(pad(interpolate(batch["image"], (20, 20), mode="bilinear", antialias=True), (4, 4, 4, 4), value=-1.0))
    for place in (100, 10, 1):  # digits of another hand than the reader was taught
        right = (found // place % 10 == batch["label"] // place % 10).double().mean()
        assert right > 0.5, f"a tenth by chance, {right:.2f} found"


def test_recipes_name_a_system_and_their_data() -> None:
    for name in ("mnist_gan", "mnist_conditional_gan", "stacked_gan", "gaussians_gan", "gan_2014"):
        plan = RECIPES[name]()
        assert plan.name == name and plan.data.path and plan.images


def test_pictures_are_drawn_of_runs_that_are_there(tmp_path: Path) -> None:
    assert gan.pictures({}, tmp_path) == []
