"""Masks: where they lie, how much they hide, that chance decides only where it should, and a user's own."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pushforward.core import BadInput, Stage
from pushforward.data import DataSpec, Shuffled, faces, open_data
from pushforward.data.drawn_masks import drawn
from pushforward.data.masks import BOXES, NAMES, holes


def masks(name: str, count: int = 40, seed: int = 0, size: tuple[int, int] = (32, 24)) -> torch.Tensor:
    return holes(name, count, *size, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", NAMES)
def test_masks_are_zeros_and_ones_that_hide_something(name: str) -> None:
    found = masks(name)
    assert found.shape == (40, 1, 32, 24) and set(found.unique().tolist()) == {0.0, 1.0}
    share = found.mean((1, 2, 3))
    assert bool((share > 0.02).all()) and bool((share < 0.8).all())
    assert torch.equal(found, masks(name)) and torch.equal(found, masks(name, seed=1)) == (name in BOXES)


def test_halves_make_a_whole_and_eyes_are_two() -> None:
    assert torch.equal(masks("left") + masks("right"), torch.ones(40, 1, 32, 24))
    assert torch.equal(masks("upper") + masks("lower"), torch.ones(40, 1, 32, 24))
    assert not (masks("left-face") * masks("right-face")).any()
    assert torch.equal(masks("left-eye") + masks("right-eye"), masks("eyes"))


def test_sides_are_those_that_one_sees() -> None:
    edges = {
        "left": (..., slice(None), 0),
        "right": (..., slice(None), -1),
        "upper": (..., 0, slice(None)),
        "lower": (..., -1, slice(None)),
    }
    for name, edge in edges.items():
        assert (
            masks(name)[edge].all() and not masks({"left": "right", "right": "left", "upper": "lower", "lower": "upper"}[name])[edge].any()
        )


def test_half_faces_leave_a_border_and_are_as_large_as_the_paper_s() -> None:
    """31 and 27 % of the image; both halves together hide the features of nearly all drawn faces."""
    left, right, lower = (masks(name, 1, size=(64, 64))[0, 0] for name in ("left-face", "right-face", "lower-face"))
    assert float(left.mean()) == pytest.approx(0.31, abs=0.01) and float(lower.mean()) == pytest.approx(0.27, abs=0.01)
    assert torch.equal(left.flip(1), right)
    for half in (left, right, lower):
        assert not (half[0].any() or half[-1].any() or half[:, 0].any() or half[:, -1].any())
    parts = faces.drawn(faces.faces(60, seed=0), 64)[1]
    features = torch.isin(parts, torch.tensor([faces.PARTS.index(name) for name in ("eye", "brow", "nose", "mouth")]))
    _, row, column = features.nonzero(as_tuple=True)
    assert float((left + right)[row, column].mean()) > 0.99
    _, row, column = (parts == faces.PARTS.index("mouth")).nonzero(as_tuple=True)
    assert float(lower[row, column].mean()) > 0.95


def test_eyes_hide_the_eyes_of_drawn_faces() -> None:
    parts = faces.drawn(faces.faces(60, seed=0), 64)[1]
    _, row, column = (parts == faces.PARTS.index("eye")).nonzero(as_tuple=True)
    both, left, right = (masks(name, 1, size=(64, 64))[0, 0].bool() for name in ("eyes", "left-eye", "right-eye"))
    assert float(both[row, column].float().mean()) > 0.99 and float(left[row, column].float().mean()) == pytest.approx(0.5, abs=0.1)
    assert torch.equal(left | right, both) and left[:, :32].any() and not left[:, 32:].any()


def test_squares_are_half_as_wide_and_lie_everywhere() -> None:
    found = masks("square", 500)
    assert (found.flatten(1).sum(1) == 16 * 12).all() and found.amax(0).min() == 1


def test_strokes_hang_together_and_differ() -> None:
    found = masks("strokes", 200)
    assert 0.1 < float(found.mean()) < 0.5 and len(found.flatten(1).unique(dim=0)) == 200
    assert float((found[..., 1:, :] != found[..., :-1, :]).float().mean()) < 0.1, "few edges: strokes, not noise"


def test_a_users_own(tmp_path: Path) -> None:
    picture = Image.new("L", (24, 32), 0)
    picture.paste(200, (3, 5, 10, 20))
    picture.save(tmp_path / "mine.png")
    found = drawn(tmp_path / "mine.png", 32, 24)
    assert found.shape == (32, 24) and float(found.sum()) == 7 * 15 and float(found[5, 3]) == 1
    for level, words in ((0, "hides nothing"), (255, "hides everything")):
        Image.new("L", (24, 32), level).save(tmp_path / "flat.png")
        with pytest.raises(BadInput, match=words):
            drawn(tmp_path / "flat.png", 32, 24)
    with pytest.raises(BadInput, match="has 24x32 pixels, but images have 16x16"):
        drawn(tmp_path / "mine.png", 16, 16)


def test_batches_hold_what_is_seen_and_new_holes_each_time() -> None:
    train, test = open_data(DataSpec("faces", size=16, mask="strokes"))
    assert test is not None
    source = Shuffled(train, 0)
    first, again, later = (source.batch(Stage(seen, 8), 0, 0, 1) for seen in (0, 0, 8))
    assert torch.equal(first["mask"], again["mask"]) and not torch.equal(first["mask"], later["mask"])
    torch.testing.assert_close(first["source"], first["image"] * (1 - first["mask"]))
    assert torch.equal(test.batch(torch.arange(5))["mask"], test.batch(torch.arange(5))["mask"])


def test_a_users_own_belongs_to_the_data(tmp_path: Path) -> None:
    """Repainted, it is another data set, which a run refuses to go on with."""
    prints = []
    for left in (2, 3):
        picture = Image.new("L", (16, 16), 0)
        picture.paste(255, (left, 2, 10, 10))
        picture.save(tmp_path / "mine.png")
        train, _ = open_data(DataSpec("digits", size=16, mask=str(tmp_path / "mine.png")))
        prints.append(train.fingerprint)
        batch = train.batch(torch.arange(3))
        assert float(batch["mask"].sum()) == 3 * 8 * (10 - left) and torch.equal(
            batch["source"], batch["image"] * (1 - batch["mask"]) + 0.0
        )
        (tmp_path / "mine.png").unlink()
        assert torch.equal(train.batch(torch.arange(3))["mask"], batch["mask"]), "it is not read again"
    assert prints[0] != prints[1]


def test_greys_of_a_users_own_are_told(tmp_path: Path) -> None:
    for greys, said in (((140, 0), "is not black and white alone"), ((255, 0), "")):
        drawing = np.full((8, 8), greys[1], np.uint8)
        drawing[2:5, 2:5] = greys[0]
        Image.fromarray(drawing).save(tmp_path / "own.png")
        (note,) = open_data(DataSpec("digits", mask=str(tmp_path / "own.png")))[0].notes or ("",)
        assert said in note and bool(said) == bool(note)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mask": "sqare"}, "did you mean 'square'"),
        ({"mask": "square", "observe": 1}, "hide parts of an image in two ways"),
        ({"mask": "no.png"}, "mask is 'no.png'"),
        ({"mask": "square", "pairs": "edges"}, "hide parts of an image in two ways"),
    ],
)
def test_bad_masks_are_a_sentence(options: dict[str, object], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        open_data(DataSpec("faces", size=16, **options))  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="which have no pixels to hide"):
        open_data(DataSpec("moons", mask="square"))


def test_a_mask_of_16_bits_or_with_transparent_places_is_read_as_it_looks(tmp_path: Path) -> None:
    deep = np.zeros((8, 8), np.uint16)
    deep[2:4], deep[5:] = 65535, 300  # white, and nearly black
    Image.fromarray(deep).save(tmp_path / "deep.png")
    layer = np.full((8, 8, 4), 255, np.uint8)
    layer[..., 3] = 0
    layer[2:4, :, 3] = 255  # white strokes on a layer that is transparent elsewhere
    Image.fromarray(layer).save(tmp_path / "layer.png")
    expected = torch.zeros(8, 8)
    expected[2:4] = 1
    for name in ("deep.png", "layer.png"):
        assert torch.equal(drawn(tmp_path / name, 8, 8), expected), name
