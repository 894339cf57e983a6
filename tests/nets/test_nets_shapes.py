"""Networks take any size of image and give it back."""

from itertools import pairwise, product
from math import ceil

import pytest
import torch

from pushforward.nets import (
    ConvDecoder,
    ConvEncoder,
    ConvTrunk,
    ResidualDecoder,
    ResidualEncoder,
    decoder_for,
    encoder_for,
    kind_of,
    sizes_of,
    trunk_for,
    usual_width,
)

SQUARES = [(1, side, side) for side in range(1, 41)]
ODD = [(3, 1, 40), (1, 40, 1), (3, 9, 16), (1, 17, 8), (2, 31, 13), (3, 64, 48), (1, 8, 37), (4, 15, 3)]


def written(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


@pytest.fixture(autouse=True)
def no_slopes() -> object:
    torch.manual_seed(0)
    with torch.no_grad():
        yield


@pytest.mark.parametrize("shape", SQUARES + ODD, ids=written)
def test_convolutions_take_every_size(shape: tuple[int, ...]) -> None:
    x = torch.randn(2, *shape)
    encoder = ConvEncoder(shape, 4)
    assert encoder(x).shape == (2, encoder.features)
    trunk = ConvTrunk(shape, 4).eval()
    pooled, spread = trunk(x)
    assert pooled.shape == (2, trunk.pooled) and spread.shape == (2, trunk.spread)
    made = ConvDecoder(5, shape, 4)(torch.randn(2, 5))
    assert made.shape == (2, *shape) and torch.isfinite(made).all()


@pytest.mark.parametrize("shape", SQUARES + ODD, ids=written)
def test_residual_networks_take_every_size(shape: tuple[int, ...]) -> None:
    encoder = ResidualEncoder(shape, 4)
    assert encoder(torch.randn(2, *shape)).shape == (2, encoder.features)
    made = ResidualDecoder(5, shape, 4)(torch.randn(2, 5))
    assert made.shape == (2, *shape) and torch.isfinite(made).all()


@pytest.mark.parametrize("shape", [(1, side, side) for side in range(8, 41)] + ODD, ids=written)
def test_sizes_are_halved_rounding_up(shape: tuple[int, ...]) -> None:
    sizes = sizes_of(*shape[1:])
    assert sizes[0] == shape[1:] and max(sizes[-1]) < 8
    for (h, w), after in pairwise(sizes):
        assert after == (ceil(h / 2), ceil(w / 2))


@pytest.mark.parametrize("shape", [(1, 13, 10), (1, 28, 28)])
@pytest.mark.parametrize("up, down", [(ConvEncoder, ConvDecoder), (ResidualEncoder, ResidualDecoder)])
def test_every_pixel_is_read_and_written(up: type, down: type, shape: tuple[int, ...]) -> None:
    """No row or column at the edge of an odd side is lost on the way."""
    with torch.enable_grad():
        x = torch.randn(1, *shape, requires_grad=True)
        up(shape, 8)(x).square().sum().backward()
        assert (x.grad != 0).all()
        code = torch.randn(1, 6, requires_grad=True)
        made = down(6, shape, 8)(code)
    assert len(made.unique()) > 0.9 * made.numel()


@pytest.mark.parametrize(
    "net, shape", [("mlp", (5,)), ("auto", (5,)), ("mlp", (3, 4, 6)), *product(["mlp", "convolution", "auto"], [(1, 16, 16), (3, 18, 9)])]
)
def test_the_usual_networks_fit_together(net: str, shape: tuple[int, ...]) -> None:
    encoder, trunk = encoder_for(net, shape, 0), trunk_for(net, shape, 0).eval()  # type: ignore[arg-type]
    x = torch.randn(3, *shape)
    assert encoder(x).shape == (3, encoder.features)
    assert [part.shape for part in trunk(x)] == [(3, trunk.pooled), (3, trunk.spread)]
    assert decoder_for(net, 7, shape, 0)(torch.randn(3, 7)).shape == (3, *shape)  # type: ignore[arg-type]


def test_auto_means_fully_connected_for_tables_and_tiny_images() -> None:
    assert kind_of("auto", (4000,)) == kind_of("auto", (3, 16, 16)) == "mlp"
    assert kind_of("auto", (1, 17, 4)) == kind_of("convolution", (1, 2, 2)) == "convolution"
    assert usual_width("auto", (1, 8, 8)) == 400 and usual_width("auto", (1, 28, 28)) == 32
    assert encoder_for("auto", (1, 8, 8), 30).features == 30


@pytest.mark.parametrize("width", [1, 3, 16, 24, 33, 48, 50, 100])
def test_any_width_will_do(width: int) -> None:
    shape, x = (1, 17, 17), torch.randn(2, 1, 17, 17)
    encoder = ConvEncoder(shape, width)
    assert encoder(x).shape == (2, encoder.features)
    assert ConvDecoder(3, shape, width)(torch.randn(2, 3)).shape == (2, *shape)
    assert ConvTrunk(shape, width).eval()(x)[0].shape[0] == 2


def test_an_example_is_read_alike_alone_and_among_others() -> None:
    x = torch.randn(6, 3, 20, 12)
    for net in (ConvEncoder((3, 20, 12), 8), encoder_for("mlp", (3, 20, 12), 16)):
        torch.testing.assert_close(net(x)[2:3], net(x[2:3]), rtol=1e-4, atol=1e-5)
        net.train()
        torch.testing.assert_close(net(x)[2:3], net(x[2:3]), rtol=1e-4, atol=1e-5)  # no statistics of a batch
