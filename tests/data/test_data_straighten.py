"""Images brought to one normal form."""

import pytest
import torch
from torch.nn.functional import affine_grid, grid_sample

from pushforward.data import straighten
from pushforward.data.straighten import moments, straightened


def ellipses(count: int) -> torch.Tensor:
    """uint8 [count, 1, 32, 32]: slanted ellipses of several places, widths, heights and slants."""
    generator = torch.Generator().manual_seed(0)
    across, down, slant = (torch.rand(3, count, 1, 1, generator=generator) * 2 - 1) * torch.tensor([0.2, 0.2, 0.6])[:, None, None, None]
    wide, high = torch.rand(2, count, 1, 1, generator=generator) * 0.1 + 0.25
    place = torch.linspace(-31 / 32, 31 / 32, 32)
    y = place[:, None] - down
    x = place - across - slant * y
    return (255 * torch.exp(-((x / wide) ** 2 + (y / high) ** 2))).round().to(torch.uint8)[:, None]


def test_moments_are_those_of_a_slanted_gaussian() -> None:
    place = torch.linspace(-63 / 64, 63 / 64, 64)
    y = place[:, None] - 0.1
    x = place + 0.05 - 0.4 * y
    image = torch.exp(-(x.square() / (2 * 0.15**2) + y.square() / (2 * 0.2**2)))
    found = moments(image[None, None])[0]
    assert torch.allclose(found, torch.tensor([-0.05, 0.1, 0.4, 0.15, 0.2]), atol=2e-3)


def test_straightened_images_have_the_same_moments() -> None:
    image = ellipses(40)
    before, after = moments(image.float()), moments(straightened(image).float())
    assert (after[:, :3].abs() < 0.02).all(), "centred and upright"
    assert (after[:, 3:].std(0) < 0.1 * before[:, 3:].std(0)).all(), "as wide and as high as the others"
    assert torch.allclose(after[:, 3:].mean(0), before[:, 3:].mean(0), rtol=0.02)


def test_a_digit_and_a_slanted_copy_become_alike() -> None:
    from sklearn.datasets import load_digits

    digit = torch.from_numpy(load_digits().images[:50]).float()[:, None] / 16
    large = torch.nn.functional.interpolate(digit, (32, 32), mode="bilinear")
    there = torch.tensor([[1.1, 0.4, 0.1], [0.0, 0.9, -0.1]]).expand(50, 2, 3)
    copy = grid_sample(large, affine_grid(there, list(large.shape), align_corners=False), align_corners=False)
    pair = (255 * torch.cat([large, copy])).round().to(torch.uint8)
    apart = (pair[:50].float() - pair[50:].float()).square().mean()
    one, other = straightened(pair).float().split(50)
    assert (one - other).square().mean() < 0.25 * apart


def test_what_says_nothing_stays_as_it_is() -> None:
    dark = torch.zeros(2, 1, 8, 8, dtype=torch.uint8)
    assert torch.equal(straightened(dark), dark)
    dot = dark.clone()
    dot[0, 0, 3, 3] = 255
    assert straightened(dot)[0].sum() > 50, "a dot is not stretched out of sight"


def test_parts_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    image = ellipses(11)
    whole = straightened(image)
    monkeypatch.setattr(straighten, "CHUNK", 3)
    assert (straightened(image).int() - whole.int()).abs().max() <= 1
