"""Pictures of what a generator net does to the plane."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pushforward import figures
from pushforward.core import BadInput


def test_the_grid_is_square_and_has_both_families() -> None:
    grid = figures.latent_grid(5, 2.0, 11)
    assert grid.shape == (10, 11, 2) and np.abs(grid).max() == 2
    assert (np.ptp(grid[:5, :, 0], axis=1) == 0).all() and (np.ptp(grid[5:, :, 1], axis=1) == 0).all()


def test_a_cloth_shows_two_planes_of_one_size() -> None:
    grid = figures.latent_grid(5, 2.0, 21)
    still, other = figures.cloth(grid, grid, 3), figures.cloth(grid, np.tanh(grid), 3)
    assert still.size == other.size and np.any(np.asarray(still) != np.asarray(other))
    assert figures.cloth(grid, 0 * grid).size == still.size


def test_clouds_have_a_column_for_each_head() -> None:
    cloud = np.random.default_rng(0).normal(size=(50, 2))
    one, two = figures.clouds([[cloud]], ["real"], ["a"]), figures.clouds([[cloud] * 2] * 2, ["real", "generated"], ["a", "$b"])
    assert two.width > one.width and two.height > one.height


def test_an_animation_holds_every_picture(tmp_path: Path) -> None:
    pictures = [Image.new("RGB", (40, 20), colour) for colour in ("red", "green", "blue")]
    path = figures.animation(pictures, tmp_path / "new" / "turn.gif", width=20)
    with Image.open(path) as found:
        assert (found.n_frames, found.size) == (3, (20, 10))  # type: ignore[attr-defined]
    assert [each.name for each in path.parent.iterdir()] == ["turn.gif"]
    for wrong, name in (([], "a.gif"), (pictures, "a.png")):
        with pytest.raises(BadInput, match="gif"):
            figures.animation(wrong, tmp_path / name)
