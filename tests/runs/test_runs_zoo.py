"""The runs that come with the package: they open, answer the same each time, and are small."""

import pytest
import torch

import pushforward
from pushforward.core import Classifies, Encodes, Samples
from pushforward.recipes.zoo import LARGEST, MAKES
from pushforward.runs import Run
from pushforward.runs.run import ZOO


def test_there_is_one_of_each_that_is_promised() -> None:
    assert {path.parent.name for path in ZOO.glob("*/recipe.json")} == set(MAKES)


@pytest.mark.parametrize("name", MAKES)
def test_it_answers_in_a_moment(name: str) -> None:
    system = pushforward.load(f"zoo/{name}")
    assert isinstance(system, Samples)
    images = system.sample(10, seed=0)
    assert images.shape == (10, 1, 28, 28) and images.abs().max() <= 1
    assert torch.equal(images, pushforward.load(f"zoo/{name}").sample(10, seed=0))
    assert 0.05 < (images > 0).float().mean() < 0.4, "strokes on a dark ground"
    assert Run(f"zoo/{name}").recipe.classes == tuple("0123456789")
    assert sum(path.stat().st_size for path in (ZOO / name).rglob("*") if path.is_file()) < LARGEST


def test_the_classes_that_are_asked_for_are_those_that_are_drawn() -> None:
    """Each conditional run's samples, read by the classification VAE."""
    reader = pushforward.load("zoo/classification_vae")
    assert isinstance(reader, Classifies)
    label = torch.arange(1000) % 10
    for name in ("conditional_vae", "classification_vae"):
        system = pushforward.load(f"zoo/{name}")
        assert isinstance(system, Samples) and isinstance(system, Encodes)
        right = reader.logits(system.sample(1000, label, seed=0)).argmax(1) == label
        assert right.float().mean() > 0.7, f"of {name}'s samples only {right.float().mean():.0%} are what was asked for"
