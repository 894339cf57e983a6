"""Fully connected networks of GANs, usual and as in 2014."""

import pytest
import torch

from pushforward.core import BadInput
from pushforward.nets import AdversarialNet, generator_for, reader_for
from pushforward.nets.adversarial import FlatGenerator, ResidualReader

SHAPE = (1, 8, 8)


def test_of_2014_is_the_usual_network_and_a_sigmoid() -> None:
    usual, old = (generator_for(net, 4, SHAPE, 16, 2) for net in ("mlp", "mlp_2014"))
    assert isinstance(old, FlatGenerator)
    old.load_state_dict(usual.state_dict())
    code = 100 * torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
    assert usual(code).abs().max() > 2
    torch.testing.assert_close(old(code), 2 * torch.sigmoid(usual(code)) - 1)


@pytest.mark.parametrize(("net", "nothing"), [("mlp_2014", -1.0), ("mlp", 0.0)])
@pytest.mark.parametrize("maxout", [0, 4])
def test_what_is_read_as_nothing(net: AdversarialNet, nothing: float, maxout: int) -> None:
    """However the first layer weighs pixels, such an image shows its bias alone: black in 2014, grey usually."""
    torch.manual_seed(0)
    reader = reader_for(net, SHAPE, 16, 2, maxout=maxout)
    image = torch.full((3, *SHAPE), nothing)
    before = reader(image)
    first = next(layer for layer in reader.modules() if isinstance(layer, torch.nn.Linear))
    first.weight.data.mul_(10)
    torch.testing.assert_close(reader(image), before)
    assert not torch.allclose(reader(image + 1), before[0])


def test_rows_have_no_sigmoid() -> None:
    for made in (lambda: generator_for("mlp_2014", 4, (20,), 16, 2), lambda: reader_for("mlp_2014", (20,), 16, 2)):
        with pytest.raises(BadInput, match="rows of 20 numbers"):
            made()


def test_a_discriminator_does_not_die() -> None:
    """However far all of its last units are below 0, they still say how images differ."""
    torch.manual_seed(0)
    reader = reader_for("residual", SHAPE, 4, 1)
    assert isinstance(reader, ResidualReader)
    reader.encoder.end.bias.data.fill_(-100.0)
    x = torch.randn(8, *SHAPE, requires_grad=True)
    assert reader.encoder(x).abs().max() < 1e-6, "SiLU alone would say 0"
    (slope,) = torch.autograd.grad(reader(x).sum(), x)
    (whole,) = torch.autograd.grad(reader.encoder.units(x).sum(), x)
    torch.testing.assert_close(slope, 0.2 * whole)
