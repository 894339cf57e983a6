"""What a discriminator may see: the same changes of all images, as often as asked for, and slopes go through them."""

import pytest
import torch

from pushforward.data.adversarial_views import HOLE, coloured, cut_out, shown, translated

ALL = torch.ones(200, 1, 1, 1, dtype=torch.bool)


def images(channels: int = 3) -> torch.Tensor:
    return torch.rand(200, channels, 16, 12, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_no_strength_changes_nothing_and_half_changes_half_of_each_kind() -> None:
    x = images()
    torch.manual_seed(0)
    assert torch.equal(shown(x, 0.0), x)
    same = (shown(x, 0.5) == x).flatten(1).all(1).double().mean()
    assert 0.05 < float(same) < 0.25, "an eighth is chosen for none of three"
    assert (shown(x, torch.tensor(1.0)) == x).flatten(1).all(1).sum() == 0


def test_colour_keeps_grey_images_grey_and_moves_the_mean() -> None:
    torch.manual_seed(0)
    grey = images(1).expand(-1, 3, -1, -1)
    lit = coloured(grey, ALL)
    torch.testing.assert_close(lit[:, 0], lit[:, 2])
    moved = (lit.mean((1, 2, 3)) - grey.mean((1, 2, 3))).abs()
    assert 0.2 < float(moved.mean()) < 0.3 and float(moved.max()) < 0.5


def test_translation_moves_whole_pixels_and_repeats_the_edge() -> None:
    torch.manual_seed(0)
    x = torch.arange(12.0).expand(200, 1, 16, 12)
    shift = translated(x, ALL)[:, 0, 0] - x[:, 0, 0]
    inner = shift[:, 3:-3]
    assert (inner == inner[:, :1]).all() and set(inner[:, 0].tolist()) == {-2.0, -1.0, 0.0, 1.0, 2.0}
    assert translated(x, ALL).min() == 0 and translated(x, ALL).max() == 11


def test_the_hole_is_half_the_side() -> None:
    torch.manual_seed(0)
    hole = cut_out(torch.ones(200, 1, 16, 12), ALL) == 0
    assert hole.flatten(1).sum(1).max() == HOLE * 16 * HOLE * 12
    assert hole.any(0).all(), "it may be anywhere"


def test_slopes_flow_twice() -> None:
    torch.manual_seed(0)
    x = images().double()[:4].requires_grad_()
    w = torch.randn(3, 16, 12, dtype=torch.float64, requires_grad=True)
    slope = torch.autograd.grad((shown(x) * w).square().sum(), x, create_graph=True)[0]
    (bent,) = torch.autograd.grad(slope.square().sum(), w)
    assert float(bent.abs().sum()) > 0
    with pytest.raises(RuntimeError):
        torch.autograd.grad(shown(x.detach()).sum(), x)
