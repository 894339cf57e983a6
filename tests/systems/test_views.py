"""Random views of images, with the chance taken out."""

from math import cos, pi, sin

import pytest
import torch
from torch import Tensor

from pushforward.data import augment
from pushforward.data.augment import VIEWS, View, erase, see


def pictures(n: int = 3, c: int = 2, h: int = 9, w: int = 9) -> Tensor:
    return 2 * torch.rand(n, c, h, w, generator=torch.Generator().manual_seed(0)) - 1


@pytest.fixture
def all_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every uniform draw comes out at its largest."""
    monkeypatch.setattr(augment, "spread", lambda count, most, like: torch.full((count,), float(most)))


def moved(x: Tensor, down: int, right: int) -> Tensor:
    """Images moved by whole pixels; -1 comes in."""
    h, w = x.shape[2:]
    found = torch.full_like(x, -1)
    found[..., max(0, down) : h + min(0, down), max(0, right) : w + min(0, right)] = x[
        ..., max(0, -down) : h - max(0, down), max(0, -right) : w - max(0, right)
    ]
    return found


def plane(h: int, w: int, x: float, y: float) -> Tensor:
    """The image x u + y v over u, v in [-1, 1] (to the outer edges of the pixels): bilinear interpolation is exact on it."""
    v, u = torch.meshgrid((2 * torch.arange(h) + 1) / h - 1, (2 * torch.arange(w) + 1) / w - 1, indexing="ij")
    return (x * u + y * v)[None, None]


@pytest.mark.parametrize("h, w", [(8, 8), (9, 9), (7, 12), (1, 1), (28, 28)])
def test_a_view_that_changes_nothing(h: int, w: int) -> None:
    x = pictures(h=h, w=w)
    torch.testing.assert_close(see(x, View()), x, atol=1e-5, rtol=0)


@pytest.mark.parametrize("side", [8, 9])
def test_a_quarter_turn(side: int, all_the_way: None) -> None:
    x = pictures(h=side, w=side)
    seen = see(x, View(turn=90))
    quarter = min((1, -1), key=lambda k: (seen - torch.rot90(x, k, (2, 3))).abs().max().item())
    torch.testing.assert_close(seen, torch.rot90(x, quarter, (2, 3)), atol=1e-5, rtol=0)
    torch.testing.assert_close(see(x, View(turn=180)), x.flip(2, 3), atol=1e-5, rtol=0)


def test_a_shift_by_whole_pixels(all_the_way: None) -> None:
    x = pictures(h=8, w=8)
    torch.testing.assert_close(see(x, View(shift=2 / 8)), moved(x, -2, -2), atol=1e-5, rtol=0)
    tall = pictures(h=4, w=8)
    torch.testing.assert_close(see(tall, View(shift=1 / 4)), moved(tall, -1, -2), atol=1e-5, rtol=0)


def test_flips() -> None:
    x = pictures(n=200, h=5, w=6)
    torch.manual_seed(0)
    seen = see(x, View(flip=True))
    same, flipped = ((seen - other).abs().amax((1, 2, 3)) < 1e-5 for other in (x, x.flip(3)))
    assert (same ^ flipped).all() and 70 < flipped.sum() < 130


def test_a_zoom_makes_things_larger(all_the_way: None) -> None:
    """A plane's slope divided by the zoom; the middle stays."""
    x = plane(8, 8, 0.5, -0.25)
    torch.testing.assert_close(see(x, View(zoom=1.0)), x / 2, atol=1e-5, rtol=0)
    small = torch.full((1, 1, 16, 16), -1.0)
    small[..., 6:10, 6:10] = 1
    large = see(small, View(zoom=1.0)) > 0
    assert large.sum() == 64 and large[..., 4:12, 4:12].all()


def test_any_turn_shear_and_zoom_of_a_plane(all_the_way: None) -> None:
    """see(x)(p) = x(A p + t): exact on planes, away from what comes in from outside."""
    turn, zoom, shear = 10 * pi / 180, 1 / 1.1, 0.1
    for a, b in ((0.4, 0.0), (0.0, 0.4), (0.3, -0.2)):
        seen = see(plane(16, 16, a, b), View(turn=10, zoom=0.1, shear=0.1))
        slope_u = zoom * (a * cos(turn) + b * sin(turn))
        slope_v = zoom * (a * (shear - sin(turn)) + b * cos(turn))
        expected = plane(16, 16, slope_u, slope_v)
        torch.testing.assert_close(seen[..., 3:-3, 3:-3], expected[..., 3:-3, 3:-3], atol=1e-5, rtol=0)


def test_a_disc_stays_a_disc_in_an_image_that_is_not_square(all_the_way: None) -> None:
    v, u = torch.meshgrid(torch.arange(24) - 11.5, torch.arange(48) - 23.5, indexing="ij")
    disc = (2 * torch.exp(-(u.square() + v.square()) / 18) - 1)[None, None]
    torch.testing.assert_close(see(disc, View(turn=30)), disc, atol=0.05, rtol=0)


@pytest.mark.parametrize("name", [name for name in VIEWS if name != "none"])
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 17, 12), (1, 8, 8)])
def test_views_stay_in_range_and_grow_stronger(name: str, shape: tuple[int, ...]) -> None:
    ramp = torch.linspace(-1, 1, shape[1])[:, None] * torch.linspace(-1, 1, shape[2])
    x = ramp.expand(64, *shape).contiguous()
    torch.manual_seed(0)
    distances = []
    for view in VIEWS[name]:
        seen = see(x, view)
        assert seen.shape == x.shape and seen.dtype == x.dtype and seen.abs().max() <= 1 + 1e-6
        distances.append((seen - x).abs().mean().item())
    if name != "photos":  # where half of all are flipped, a flip is the larger part
        assert distances == sorted(distances)


def test_extreme_values_stay_in_range() -> None:
    torch.manual_seed(0)
    for view in (part for views in VIEWS.values() for part in views):
        assert see(torch.ones(32, 1, 13, 13), view).max() <= 1 + 1e-6
        assert see(-torch.ones(32, 1, 13, 13), view).min() >= -1


@pytest.mark.parametrize("h, w, share", [(28, 28, 0.35), (8, 8, 0.25), (20, 10, 0.4), (9, 9, 0.01), (5, 7, 1.0)])
def test_erasing_takes_one_square_of_its_size(h: int, w: int, share: float) -> None:
    torch.manual_seed(0)
    x = torch.full((3_000, 2, h, w), 0.5)
    seen = erase(x, share)
    hole = seen == -1
    assert torch.equal(hole, seen != x) and torch.equal(hole[:, 0], hole[:, 1])
    tall, wide = max(1, round(share * h)), max(1, round(share * w))
    assert (hole[:, 0].sum((1, 2)) == tall * wide).all()
    assert (hole[:, 0].any(2).sum(1) == tall).all() and (hole[:, 0].any(1).sum(1) == wide).all()
    if share < 0.5:
        assert hole[:, 0].any(0).float().mean() == 1, "every place is met"


def test_views_are_a_function_of_the_generator() -> None:
    x, strong = pictures(n=4, h=12, w=12), VIEWS["digits"][2]
    torch.manual_seed(5)
    first = see(x, strong)
    assert not torch.equal(see(x, strong), first)
    torch.manual_seed(5)
    assert torch.equal(see(x, strong), first)
    assert len({tuple(one.flatten().tolist()) for one in see(x[:1].expand(8, -1, -1, -1), strong)}) == 8, "each image has its own view"


def test_views_give_no_gradient_keep_their_input_and_take_none() -> None:
    x = pictures().requires_grad_()
    given = x.detach().clone()
    assert not see(x, VIEWS["photos"][2]).requires_grad
    assert torch.equal(x, given)
    assert see(x[:0], VIEWS["photos"][2]).shape == (0, *x.shape[1:])


def test_what_comes_in_is_the_mirror_image_where_it_is_asked_for(all_the_way: None) -> None:
    x = pictures(h=8, w=8)
    seen = see(x, View(shift=2 / 8, mirrored=True))
    inside = see(x, View(shift=2 / 8))[..., :6, :6]
    torch.testing.assert_close(seen[..., :6, :6], inside, atol=1e-5, rtol=0)
    torch.testing.assert_close(seen[..., 6:], seen[..., 4:6].flip(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(seen[..., 6:, :], seen[..., 4:6, :].flip(2), atol=1e-5, rtol=0)


def test_light_and_contrast(all_the_way: None) -> None:
    x = pictures() / 2
    mean = x.mean((1, 2, 3), keepdim=True)
    torch.testing.assert_close(see(x, View(light=0.25)), x + 0.25, atol=1e-5, rtol=0)
    torch.testing.assert_close(see(x, View(contrast=0.5)), (mean + (x - mean) * 1.5).clamp(-1, 1), atol=1e-5, rtol=0)
    assert see(x, View(light=1.5)).max() == 1 and see(torch.zeros(2, 1, 4, 4), View(light=2.0)).min() == 1


def test_views_of_photos_are_mild() -> None:
    for view in VIEWS["photos"]:
        assert view.shear <= 0.1 and view.flip and view.mirrored and not view.bend
