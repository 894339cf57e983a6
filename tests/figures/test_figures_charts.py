import subprocess
import sys
import warnings

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageColor

from pushforward import figures
from pushforward.figures import planes
from pushforward.figures.canvas import MADE, PALETTE, REAL, UNKNOWN

HOSTILE = ["$\\frac{$", "_left out", "<script>", "two\nlines", "\u0000\ud800", "漢字", "x" * 300, "%d {0}"]


def near(picture: Image.Image, colour: str, reach: int = 40) -> NDArray[np.intp]:
    """Places (row, column) of pixels of about that colour."""
    away = np.abs(np.asarray(picture).astype(int) - ImageColor.getrgb(colour)).sum(-1)
    return np.argwhere(away < reach)


def lightness_ab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIE Lab of linear sRGB [N, 3]."""
    xyz = rgb @ np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]).T
    x, y, z = (np.where(c > 0.008856, np.cbrt(np.clip(c, 0, None)), 7.787 * c + 16 / 116) for c in (xyz / [0.95047, 1, 1.08883]).T)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)


SIGHTS = {  # Machado, Oliveira & Fernandes 2009, severity 1
    "normal": np.eye(3),
    "red-blind": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "green-blind": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}


@pytest.mark.parametrize("sight", SIGHTS)
def test_no_two_colours_of_the_palette_look_alike(sight: str) -> None:
    srgb = np.array([ImageColor.getrgb(colour) for colour in PALETTE]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    lab = lightness_ab(np.clip(linear @ np.array(SIGHTS[sight]).T, 0, 1))
    apart = np.linalg.norm(lab[:, None] - lab[None], axis=-1) + 1000 * np.eye(len(lab))
    assert apart.min() >= 28


def test_codes_have_the_colours_of_their_classes_and_unlabelled_ones_are_grey() -> None:
    code = np.concatenate([np.random.default_rng(0).normal((3 * k, 0), 0.1, (40, 2)) for k in range(3)])
    label = np.repeat([0, -1, 1], 40)
    picture = figures.codes(code, label, ["a", "b"])
    cloud = picture.crop((0, 0, picture.width * 3 // 4, picture.height))  # the legend is at the right
    across = [np.median(near(cloud, colour)[:, 1]) for colour in (PALETTE[0], UNKNOWN, PALETTE[1])]
    assert across == sorted(across) and across[2] - across[0] > 300
    assert not len(near(picture, PALETTE[2], 10))
    bare = figures.codes(code)
    assert len(near(bare, UNKNOWN)) and not len(near(bare, PALETTE[0], 10))


def test_from_the_eleventh_class_on_colours_come_again() -> None:
    code = np.random.default_rng(0).normal(size=(500, 2))
    picture = figures.codes(code, np.full(500, 13), [str(k) for k in range(14)])
    left = picture.crop((0, 0, picture.width // 2, picture.height))
    assert len(near(left, PALETTE[3], 10)) > 100 and not len(near(left, PALETTE[4], 10))


def test_names_of_classes_are_shown_as_they_are() -> None:
    code = np.random.default_rng(0).normal(size=(80, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hostile = figures.codes(code, np.arange(80) % 8, HOSTILE)
        figures.confusion(np.eye(8), HOSTILE)
        figures.points(code, code, HOSTILE[:2])
    assert hostile != figures.codes(code, np.arange(80) % 8, [*HOSTILE[:1], "left out", *HOSTILE[2:]])


def test_a_plane_of_many_dimensions_keeps_the_two_that_vary_most() -> None:
    values = np.random.default_rng(0).normal(size=(300, 6)) * [1, 5, 0.1, 3, 0.1, 0.1]
    plane, share = figures.to_plane(values)
    singular = np.linalg.svd(values - values.mean(0), compute_uv=False) ** 2
    assert share == pytest.approx(singular[:2].sum() / singular.sum())
    assert abs(np.corrcoef(plane[:, 0], values[:, 1])[0, 1]) > 0.99 and abs(np.corrcoef(plane[:, 1], values[:, 3])[0, 1]) > 0.98
    np.testing.assert_array_equal(figures.to_plane(values)[0], plane)


def test_codes_of_two_dimensions_are_taken_as_they_are() -> None:
    values = np.random.default_rng(0).normal(size=(5, 2))
    plane, share = figures.to_plane(values)
    np.testing.assert_array_equal(plane, values)
    assert share == 1
    line, _ = figures.to_plane(values[:, :1])
    np.testing.assert_array_equal(line, np.stack([values[:, 0], np.zeros(5)], 1))


def test_codes_that_do_not_vary_have_a_plane_too() -> None:
    plane, share = figures.to_plane(np.ones((9, 4)))
    assert share == 1 and not plane.any()
    assert figures.codes(plane, np.zeros(9), ["a", "b"]).width


def test_confusion_has_right_answers_in_blue_and_mistakes_in_orange() -> None:
    blue, orange = "#44749f", "#d96e19"
    right = figures.confusion(np.diag([5, 5]), ["a", "b"])
    assert len(near(right, blue)) > 1000 and not len(near(right, orange))
    picture = figures.confusion(np.array([[2, 8], [0, 10]]), ["a", "b"])
    mistake, second = np.median(near(picture, orange), 0), np.median(near(picture, blue), 0)
    assert mistake[0] < second[0] - 100 and abs(mistake[1] - second[1]) < 20, "the true class runs down, the answer across"


def test_a_large_confusion_matrix_stays_a_picture() -> None:
    assert max(figures.confusion(np.eye(120), [str(k) for k in range(120)]).size) < 2000


def test_curves_draw_a_line_for_each_term() -> None:
    metrics = [{"seen": 100.0 * s, "a/x": s, "a/y": 10.0 - s, "b/y": 5.0} for s in range(11)]
    picture = figures.curves(metrics, ["a/x", "a/y", "b/y"], "nats")
    plot = picture.crop((0, 80, picture.width, picture.height))
    for place in (0, 2, 5):
        assert len(near(plot, PALETTE[place])) > 200
    rising = near(plot, PALETTE[0])
    assert rising[rising[:, 1].argmin(), 0] > rising[rising[:, 1].argmax(), 0] + 200
    assert figures.curves(metrics, ["a/x"], "nats") != figures.curves(metrics, ["a/x"], "bits")


def test_curves_leave_out_what_is_missing_or_infinite() -> None:
    metrics: list[dict[str, float]] = [
        {"seen": 1},
        {"seen": 2, "a/x": float("nan")},
        {"seen": 3, "a/x": float("inf")},
        {"seen": 4, "a/x": 1.0},
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = figures.curves(metrics, ["a/x"])
        figures.curves(metrics[:3], ["a/x"])
    assert len(near(picture, PALETTE[0])) > 20, "a single value is a dot"


def test_a_steep_start_does_not_flatten_what_follows() -> None:
    noise = np.random.default_rng(0).normal(size=200)
    metrics = [{"seen": 100.0 * s, "a/x": 80 + noise[s] + 5000 * np.exp(-s)} for s in range(200)]
    line = near(figures.curves(metrics, ["a/x"]).crop((500, 80, 920, 600)), PALETTE[0])
    assert np.ptp(line[:, 0]) > 200


def test_points_compare_real_with_generated() -> None:
    real = np.random.default_rng(0).normal(size=(200, 2))
    picture = figures.points(real, real + np.array([2, 0]), ["a", "b"])
    lower = picture.crop((0, picture.height // 2, picture.width // 2, picture.height))
    true, false = (near(lower, mixed, 90) for mixed in (REAL, MADE))
    assert len(true) > 50 and len(false) > 50
    assert np.median(false[:, 1]) > np.median(true[:, 1]) + 50


def test_a_few_points_are_seen_among_many() -> None:
    chance = np.random.default_rng(0)
    picture = figures.points(chance.uniform(size=(3000, 2)), chance.uniform(size=(30, 2)), ["a", "b"])
    plane = picture.crop((picture.width // 7, picture.height // 2, picture.width // 2, 6 * picture.height // 7))
    assert len(near(plane, "#e28e58", 60)) > 30 * 15, "a dot is large enough to have a colour"


def test_points_of_many_columns_show_the_first_few(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).normal(size=(30, 9))
    monkeypatch.setattr(planes, "COLUMNS", 2)
    assert figures.points(values, values, list("abcdefghi")) == figures.points(values[:, :2], values[:, :2], ["a", "b"])
    assert figures.points(np.ones((3, 1)), np.zeros((3, 1)), ["even"]).width


def test_nothing_global_is_loaded_or_changed() -> None:
    code = """
import sys
from pushforward import figures
assert "matplotlib" not in sys.modules and "sklearn" not in sys.modules
import matplotlib, numpy as np
settings = lambda: {name: matplotlib.rcParams[name] for name in matplotlib.rcParams if name != "backend"}  # reading it loads pyplot
before = settings()
figures.curves([{"seen": 1, "a": 1}], ["a"]); figures.codes(np.ones((4, 2)), np.zeros(4), ["a", "b"])
figures.confusion(np.eye(3), "abc"); figures.points(np.ones((4, 1)), np.ones((4, 1)), "a")
assert "matplotlib.pyplot" not in sys.modules and settings() == before
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_accuracies_reliability_and_marginals_are_drawn() -> None:
    from types import SimpleNamespace

    series = {"ours": {100: [0.99, 0.992], 1000: [0.995]}, "a _name_ with $": {100: [0.96]}, "all right": {100: [1.0], 1000: [0.9]}}
    assert figures.accuracies(series, lone=["a _name_ with $"]).size[0] > 500
    found = SimpleNamespace(
        count=np.array([0, 3, 5]), confidence=np.array([np.nan, 0.5, 0.9]), accuracy=np.array([np.nan, 0.4, 1.0]), error=0.1
    )
    assert figures.reliability(found).size[0] > 500
    z = np.random.default_rng(0).normal(size=(50, 14))
    assert figures.marginals(z, np.arange(14) % 2).size[0] > figures.marginals(z[:, :1], np.ones(1)).size[0] > 100
