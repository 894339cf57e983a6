"""Poisson blending against closed forms: harmonic functions, and images that differ by a constant."""

import torch

from pushforward.maths.poisson import blended

H, W = 12, 10
ROW, COLUMN = torch.meshgrid(torch.arange(H, dtype=torch.float64), torch.arange(W, dtype=torch.float64), indexing="ij")


def hole() -> torch.Tensor:
    mask = torch.zeros(1, 1, H, W, dtype=torch.float64)
    mask[..., 3:9, 2:7] = 1
    return mask


def test_without_slopes_of_its_own_a_hole_becomes_harmonic() -> None:
    """x, y, xy and x^2 - y^2 are harmonic on the grid, too: the hole is filled exactly."""
    for f in (ROW, COLUMN, ROW * COLUMN, ROW**2 - COLUMN**2):
        image = f[None, None]
        made = blended(image * (1 - hole()), torch.zeros_like(image), hole())
        torch.testing.assert_close(made, image, rtol=0, atol=1e-10)


def test_a_constant_difference_leaves_no_seam() -> None:
    image = torch.rand(2, 3, H, W, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    shifted = image + torch.tensor([0.3, -0.2, 0.1], dtype=torch.float64).view(1, 3, 1, 1)
    made = blended(image * (1 - hole()), shifted, hole().expand(2, -1, -1, -1))
    # the image around is known at the edge only: what is hidden of it plays no part
    torch.testing.assert_close(made, image, rtol=0, atol=1e-10)


def test_outside_the_hole_nothing_changes_to_the_bit() -> None:
    image, other = torch.rand(1, 1, H, W), torch.rand(1, 1, H, W)
    made = blended(image, other, hole().float())
    seen = hole()[0, 0] == 0
    assert torch.equal(made[0, 0][seen], image[0, 0][seen]) and made.dtype == torch.float32


def test_holes_at_the_border_no_hole_and_nothing_but_hole() -> None:
    image, other = torch.rand(1, 1, H, W, dtype=torch.float64), torch.rand(1, 1, H, W, dtype=torch.float64)
    edge = torch.zeros(1, 1, H, W)
    edge[..., :4, :] = 1
    flat = blended(torch.ones_like(image) * (1 - edge), torch.zeros_like(image), edge)
    torch.testing.assert_close(flat, torch.ones_like(image))
    assert torch.equal(blended(image, other, torch.zeros(1, 1, H, W)), image)
    assert torch.equal(blended(image, other, torch.ones(1, 1, H, W)), other)
