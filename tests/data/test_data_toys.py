"""Densities in the plane: their moments, their shapes, and the way in by name."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pushforward.core import BadInput
from pushforward.data import NAMES, DataSpec, open_data, toys

N = 40_000


@pytest.mark.parametrize("name", toys.TOYS)
def test_points_are_a_function_of_their_purpose(name: str) -> None:
    x = toys.points(name, 100, 0)
    assert x.shape == (100, 2) and x.dtype == torch.float64 and torch.isfinite(x).all()
    assert torch.equal(toys.points(name, 100, 0), x) and not torch.equal(toys.points(name, 100, 1), x)
    assert name in NAMES and toys.TOYS[name].__doc__


def test_the_ring_is_the_lectures() -> None:
    torch.testing.assert_close(toys.lecture_ring(torch.tensor([[0.0, 2.0]])), torch.tensor([[0.0, 1.2]]))
    radius = toys.points("ring", N, 0).norm(dim=1)
    assert float(radius.min()) >= 1
    assert float(radius.mean()) == pytest.approx(1 + (np.pi / 2) ** 0.5 / 10, abs=2e-3)


def test_moons_lie_on_two_arcs() -> None:
    x = toys.points("moons", N, 0)
    torch.testing.assert_close(x.mean(0), torch.tensor([0.5, 0.25], dtype=torch.float64), atol=0.02, rtol=0)
    upper, lower = (x.norm(dim=1) - 1).abs(), ((x - torch.tensor([1.0, 0.5])).norm(dim=1) - 1).abs()
    assert float(torch.minimum(upper, lower).max()) < 0.6


def test_spirals_are_the_same_turned_half_round() -> None:
    x = toys.points("spirals", N, 0)
    assert float(x.mean(0).abs().max()) < 0.06
    assert float(x.norm(dim=1).square().mean()) == pytest.approx(np.pi**2 / 2 + 0.02, rel=0.02)


def test_gaussians_are_25_alike() -> None:
    x = toys.points("gaussians", N, 0)
    place = ((x.round() + 2) @ torch.tensor([5.0, 1.0], dtype=torch.float64)).long()
    counts = place.bincount(minlength=25)
    assert len(counts) == 25 and float((counts / N - 0.04).abs().max()) < 0.005
    assert float((x - x.round()).std()) == pytest.approx(0.05, rel=0.02)


def test_only_fields_of_one_colour_are_taken() -> None:
    x = toys.points("checkerboard", N, 0)
    place = (x + 2).floor().long()
    assert bool(((place[:, 0] + place[:, 1]) % 2 == 0).all()) and int(place.min()) == 0 and int(place.max()) == 3
    counts = (4 * place[:, 0] + place[:, 1]).bincount()
    assert float((counts[counts > 0] / N - 1 / 8).abs().max()) < 0.01 and int((counts > 0).sum()) == 8


def test_theta_has_its_bar_and_its_holes() -> None:
    x = toys.points("theta", N, 0)
    middle = x[x[:, 0].abs() < 0.2, 1].abs()
    assert bool((middle < 0.14).any()) and not bool(((middle > 0.16) & (middle < 0.5)).any())
    assert float(x.mean(0).abs().max()) < 0.02


def test_they_are_opened_by_name() -> None:
    train, test = open_data(DataSpec("moons"))
    assert test is not None and (len(train), len(test)) == (90_000, 10_000) and train.columns == ("x", "y")
    assert train.row is not None and float(train.row.mean(0).abs().max()) < 1e-4
    again, other = open_data(DataSpec("moons"))[0], open_data(DataSpec("moons", split_seed=1))[0]
    assert train.fingerprint == again.fingerprint != other.fingerprint


def test_a_picture_is_a_density(tmp_path: Path) -> None:
    """Twice as many points where it is black as where it is half grey, none on white or where it is transparent; upright."""
    ink = np.zeros((4, 8, 4), np.uint8)
    ink[0, :2] = (0, 0, 0, 255)
    ink[3, 6:] = (0, 0, 0, 128)
    Image.fromarray(ink).save(tmp_path / "mine.png")
    data = toys.read_picture(tmp_path / "mine.png")
    assert data.row is not None and data.name == "mine"
    left = data.row[:, 0] < 0
    assert float(left.float().mean()) == pytest.approx(2 / 3, abs=0.01)
    assert bool((data.row[left, 1] >= 0.25).all()) and bool((data.row[~left, 1] <= -0.25).all())
    train, _ = open_data(DataSpec(str(tmp_path / "mine.png")))
    assert train.shape == (2,)


def test_what_is_no_picture_or_has_no_ink_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    Image.new("L", (9, 9), 255).save(tmp_path / "white.png")
    for name, said in (("text.png", "cannot be read"), ("white.png", "white all over")):
        with pytest.raises(BadInput, match=said):
            open_data(DataSpec(str(tmp_path / name)))
    with pytest.raises(BadInput, match="did you mean 'moons'"):
        open_data(DataSpec("moon"))
