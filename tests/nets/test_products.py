"""Convolutions as products are the same convolutions."""

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck, gradgradcheck

from pushforward.nets import products

LAYERS = [
    nn.Conv2d(5, 7, 4, 2, 1),
    nn.Conv2d(5, 7, 3, padding=1, bias=False),
    nn.Conv2d(5, 7, (3, 2), (1, 2), (0, 1)),
    nn.Conv2d(5, 7, 4, 3, 1),
    nn.ConvTranspose2d(5, 7, 3, 2, padding=1, output_padding=1),
    nn.ConvTranspose2d(5, 7, 4, 2, 1, bias=False),
    nn.ConvTranspose2d(5, 7, (3, 2), (2, 3), (1, 0), (0, 2)),
]


@pytest.mark.parametrize("last", [False, True], ids=["contiguous", "channels_last"])
@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_values_and_slopes_are_those_of_the_layer(layer: nn.Conv2d | nn.ConvTranspose2d, last: bool) -> None:
    layer = layer.double().to(memory_format=torch.channels_last if last else torch.contiguous_format)
    x = torch.randn(3, 5, 6, 9, dtype=torch.float64, requires_grad=True)
    made, expected = products.product(layer, x), layer(x)
    torch.testing.assert_close(made, expected)
    weights, slope = [x, *layer.parameters()], torch.randn_like(expected)
    for found, right in zip(torch.autograd.grad(made, weights, slope), torch.autograd.grad(expected, weights, slope), strict=True):
        torch.testing.assert_close(found, right)


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_slopes_of_slopes(layer: nn.Conv2d | nn.ConvTranspose2d) -> None:
    """Gradient penalties need them."""
    layer, x = layer.double(), torch.randn(2, 5, 4, 5, dtype=torch.float64, requires_grad=True)
    assert gradcheck(lambda x: products.product(layer, x), x)
    assert gradgradcheck(lambda x: products.product(layer, x).square(), x)


def test_only_heavy_plain_layers_and_only_to_learn_or_in_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "HEAVY", 500)
    asked: list[torch.dtype] = []
    product = products.product
    monkeypatch.setattr(products, "product", lambda layer, x: [asked.append(x.dtype), product(layer, x)][1])
    net = nn.Sequential(nn.Conv2d(5, 7, 4, 2, 1), nn.Conv2d(7, 7, 3, padding=1, groups=7), nn.Conv2d(7, 2, 3))
    products.use_products(net)
    assert ["forward" in vars(layer) for layer in net] == [True, False, False]
    x = torch.randn(2, 5, 12, 12)
    with torch.no_grad():
        right = nn.Conv2d.forward(net[0], x)  # type: ignore[arg-type]
        assert torch.equal(net[0](x), right) and not asked
        with torch.autocast("cpu", torch.bfloat16):
            made = net[0](x)
    assert asked == [made.dtype] == [torch.bfloat16]
    torch.testing.assert_close(made.float(), right, atol=5e-2, rtol=5e-2)
    learning = net[0](x)
    assert asked[1:] == [learning.dtype] == [torch.float32]
    torch.testing.assert_close(learning, right)
    net[0](torch.randn(2, 5, 20, 20))
    assert len(asked) == 2, "100 positions are too many"
