"""What of a user's images is not as in training is said, once for each kind."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pushforward
from pushforward.data import images
from tests.cli.conftest import PAIRED

SAID = {
    "side by side": (
        lambda image: np.concatenate([image, 255 - image], 1),
        "1 of 1 images: a pair side by side, of which the left half was taken.",
    ),
    "clear": (lambda image: np.dstack([image, image[..., 0]]), "1 of 1 images: what is transparent was laid on white."),
    "deep": (lambda image: image[..., 0].astype(np.uint16) * 257, "1 of 1 images: of its 16 bits 8 were kept."),
    "wide": (lambda image: image[:10], "1 of 1 images: fitted to 16x16 pixels."),
    "grey": (lambda image: image[..., 0], "1 of 1 images: grey, but sources of the run have colours."),
    "the other way": (lambda image: 255 - image, "1 of 1 images look like what"),
}


@pytest.fixture(scope="module")
def colours(tmp_path_factory) -> Path:
    """A run that makes negatives of dark images."""
    place = tmp_path_factory.mktemp("colours")
    (place / "pairs").mkdir()
    for number in range(20):
        image = np.random.default_rng(number).integers(0, 100, (16, 16, 3), np.uint8)
        Image.fromarray(np.concatenate([image, 255 - image], 1)).save(place / "pairs" / f"{number}.png")
    pushforward.train("pix2pix", str(place / "pairs"), pairs="left-to-right", objective="l1", run=place / "run", **PAIRED)
    return place / "run"


@pytest.mark.parametrize("kind", SAID)
def test_what_is_not_as_in_training_is_said(ask, colours, kind, tmp_path):
    """The run makes light images of dark ones."""
    change, words = SAID[kind]
    image = np.random.default_rng(0).integers(0, 100, (16, 16, 3), np.uint8)
    Image.fromarray(image).save(tmp_path / "usual.png")
    usual = ask("edit", colours, tmp_path / "usual.png")
    assert usual.code == 0 and usual.err == "", usual.err
    Image.fromarray(change(image)).save(tmp_path / "given.png")
    answer = ask("edit", colours, tmp_path / "given.png")
    assert answer.code == 0 and words in answer.err, answer.err


def test_what_is_lost_of_images_to_train_on_is_noted(tmp_path):
    for number in range(4):
        pixels = np.random.default_rng(number).integers(0, 256, (8, 8, 4), np.uint8)
        Image.fromarray(pixels if number else pixels[..., 0].astype(np.uint16) * 257).save(tmp_path / f"{number}.png")
    train, _ = images.read(tmp_path)
    assert set(train.notes) == {"3 of 4 images: what is transparent was laid on white.", "1 of 4 images: of its 16 bits 8 were kept."}


def test_a_drawing_of_a_run_on_outlines_is_noticed(ask, place, tmp_path):
    paper = Image.new("RGB", (16, 16), (255, 255, 255))
    paper.paste((0, 0, 0), (4, 2, 5, 14))
    paper.save(tmp_path / "line.png")
    told = "1 of 1 images look like drawings, and outlines were found of their lines; --drawn takes them as they are"
    assert told in ask("edit", place / "edges", tmp_path / "line.png", "--out", tmp_path / "out").err
    assert "drawings" not in ask("edit", place / "edges", tmp_path / "line.png", "--drawn", "--out", tmp_path / "out").err
    assert "drawings" not in ask("edit", place / "edges", place / "photo.png", "--out", tmp_path / "out").err
