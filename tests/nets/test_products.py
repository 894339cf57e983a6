"""Convolutions as products are the same convolutions."""

import pytest
import torch
from torch import nn

from pushforward.nets import products

LAYERS = [
    nn.Conv2d(5, 7, 4, 2, 1),
    nn.Conv2d(5, 7, 3, padding=1, bias=False),
    nn.Conv2d(5, 7, (3, 2), (1, 2), (0, 1)),
    nn.ConvTranspose2d(5, 7, 3, 2, padding=1, output_padding=1),
    nn.ConvTranspose2d(5, 7, 4, 2, 1, bias=False),
]


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_values_and_slopes_are_those_of_the_layer(layer: nn.Conv2d | nn.ConvTranspose2d) -> None:
    layer, x = layer.double(), torch.randn(3, 5, 6, 9, dtype=torch.float64, requires_grad=True)
    made = products.convolve_back(layer, x) if isinstance(layer, nn.ConvTranspose2d) else products.convolve(layer, x)
    expected = layer(x)
    torch.testing.assert_close(made, expected)
    weights = [x, *layer.parameters()]
    slope = torch.randn_like(expected)
    for found, right in zip(torch.autograd.grad(made, weights, slope), torch.autograd.grad(expected, weights, slope), strict=True):
        torch.testing.assert_close(found, right)


def test_only_heavy_plain_layers_and_only_in_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "HEAVY", 500)
    net = nn.Sequential(nn.Conv2d(5, 7, 4, 2, 1), nn.Conv2d(7, 7, 3, padding=1, groups=7), nn.Conv2d(7, 2, 3))
    products.use_products(net)
    assert ["forward" in vars(layer) for layer in net] == [True, False, False]
    x = torch.randn(2, 5, 12, 12)
    assert torch.equal(net[0](x), nn.Conv2d.forward(net[0], x))
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(net[0](x).float(), nn.Conv2d.forward(net[0], x).float(), atol=3e-2, rtol=3e-2)
