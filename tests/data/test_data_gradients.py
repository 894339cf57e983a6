"""Histograms of gradients: ramps whose direction is known, turned images, features that pick the right neighbour."""

import torch

from pushforward.data.gradients import CELLS, DIRECTIONS, gradients


def histogram(image: torch.Tensor) -> torch.Tensor:
    """[directions, cells, cells] of one image."""
    return gradients(image[None]).view(DIRECTIONS, CELLS, CELLS)


def ramp(h: int = 28, w: int = 28) -> torch.Tensor:
    return torch.linspace(0, 255, w).round().to(torch.uint8).expand(1, h, w)


def test_a_ramp_points_across() -> None:
    inner = histogram(ramp())[:, 2:-2, 2:-2]
    assert inner[0].min() > 0.1 and inner[1:].max() < 0.02 * inner[0].max()
    slope = 255 / 27 / 255
    assert torch.allclose(inner[0].square(), torch.full_like(inner[0], 2 * slope), rtol=0.05), "two pixels apart, brightness in [0, 1]"


def test_a_turned_image_has_turned_directions_and_cells() -> None:
    image = torch.randint(0, 256, (1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    turned = histogram(image.rot90(-1, (1, 2)))  # clockwise: what pointed right (0) points down (2)
    assert torch.allclose(turned, histogram(image).rot90(-1, (1, 2)).roll(DIRECTIONS // 4, 0), atol=1e-5)


def test_a_direction_between_two_bins_is_shared() -> None:
    angle = torch.tensor(torch.pi / 8)
    y, x = torch.meshgrid(torch.arange(28.0), torch.arange(28.0), indexing="ij")
    image = (100 + 3 * (x * angle.cos() + y * angle.sin())).round().to(torch.uint8)[None]
    inner = histogram(image)[:, 2:-2, 2:-2].square()
    assert torch.allclose(inner[0], inner[1], rtol=0.3) and inner[2:].max() < 0.1 * inner[0].min()


def test_any_size_and_number_of_channels() -> None:
    assert gradients(torch.zeros(3, 1, 17, 40, dtype=torch.uint8)).shape == (3, DIRECTIONS * CELLS**2)
    assert gradients(torch.zeros(2, 3, 14, 14, dtype=torch.uint8)).shape == (2, 3 * DIRECTIONS * CELLS**2)
    flat = gradients(torch.full((1, 1, 28, 28), 9, dtype=torch.uint8)).view(DIRECTIONS, CELLS, CELLS)
    assert flat[:, CELLS // 2, CELLS // 2].max() < 1e-3, "no slope in the middle of a plain image"
