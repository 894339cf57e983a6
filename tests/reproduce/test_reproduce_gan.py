"""The cells of the GAN's table at a thousandth of their size."""

from pathlib import Path
from typing import Any

import pytest
import torch

from pushforward.data import DataSpec, open_data
from pushforward.recipes import RECIPES
from pushforward.reproduce import cells, gan

SMALL = {"images": 256, "precision": "float32"}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trains a thousandth, on procedural digits where MNIST is not at hand."""

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
    assert len({cell.name for cell in every}) == len(every) == 57
    assert {cell.name.split("/")[0] for cell in every} == {"toys", "stacked", "equal", "mnist", "conditional", "dropout", "rules"}


@pytest.mark.parametrize("name", ["toys/gaussians/modern/seed-0", "toys/eight/2014/seed-1", "rules/eight/extragradient/seed-0"])
def test_mixtures(small: None, tmp_path: Path, name: str) -> None:
    found = measure(name, tmp_path)
    assert {"modes", "within", "KL to even", "fingerprint", "processor seconds"} <= found.keys()


@pytest.mark.parametrize("name", ["stacked/seed-0", "equal/hinge, spectral/seed-0"])
def test_stacked_digits(small: None, tmp_path: Path, name: str) -> None:
    if not has_mnist():
        pytest.skip("MNIST is not at hand")
    found = measure(name, tmp_path)
    assert 1 <= found["kinds"] <= 1000 and found["KL to even"] > 0


@pytest.mark.parametrize("name", ["mnist/gan_2014/seed-0", "conditional/auxiliary", "dropout/off/seed-2", "rules/mnist/optimistic"])
def test_digits(small: None, tmp_path: Path, name: str) -> None:
    if not has_mnist():
        pytest.skip("MNIST is not at hand")
    found = measure(name, tmp_path)
    assert found["Frechet distance"] > found["Frechet distance, real against real"] and found["samples"] == 200
    assert ("read as asked" in found) == name.startswith("conditional")


def has_mnist() -> bool:
    try:
        open_data(DataSpec("mnist"))
    except Exception:
        return False
    return True


def test_kinds_are_spelt_by_the_colours() -> None:
    if not has_mnist():
        pytest.skip("MNIST is not at hand")
    train, _ = open_data(DataSpec("stacked-mnist"))
    batch = train.batch(torch.arange(300))
    assert (gan.kinds(batch["image"]) == batch["label"]).double().mean() > 0.95


def test_recipes_name_a_system_and_their_data() -> None:
    for name in ("mnist_gan", "mnist_conditional_gan", "stacked_gan", "gaussians_gan", "gan_2014"):
        plan = RECIPES[name]()
        assert plan.name == name and plan.data.path and plan.images
