"""Fully connected networks of GANs, usual and as in 2014."""

import pytest
import torch

from pushforward.core import BadInput
from pushforward.nets import AdversarialNet, generator_for, reader_for
from pushforward.nets.adversarial import FlatGenerator2014, FlatReader2014, MaxNorm, ResidualReader

SHAPE = (1, 8, 8)


def test_images_of_2014_end_in_a_sigmoid() -> None:
    torch.manual_seed(0)
    generator = generator_for("mlp_2014", 4, SHAPE, 16, 2)
    assert isinstance(generator, FlatGenerator2014)
    code = 1e5 * torch.randn(64, 4)
    output = generator.layers(code).unflatten(1, SHAPE)
    assert output.abs().max() > 2
    torch.testing.assert_close(generator(code), 2 * torch.sigmoid(output) - 1)


@pytest.mark.parametrize(("net", "nothing"), [("mlp_2014", -1.0), ("mlp", 0.0)])
@pytest.mark.parametrize("maxout", [0, 4])
def test_what_is_read_as_nothing(net: AdversarialNet, nothing: float, maxout: int) -> None:
    """However the first layer weighs pixels, such an image shows its bias alone: black in 2014, grey usually."""
    torch.manual_seed(0)
    reader = reader_for(net, SHAPE, 16, 2, maxout=maxout)
    image = torch.full((3, *SHAPE), nothing)
    first = next(layer for layer in reader.modules() if isinstance(layer, torch.nn.Linear))
    first.bias.data.normal_()
    before = reader(image)
    weighs = next(weight for weight in first.parameters() if weight.ndim == 2)
    weighs.data.normal_()
    torch.testing.assert_close(reader(image), before)
    assert not torch.allclose(reader(image + 1), before[0])


@pytest.mark.parametrize(("dropout", "share"), [(0.5, 0.2), (0.0, 0.0)])
def test_pixels_are_left_out_where_units_are(dropout: float, share: float) -> None:
    reader = reader_for("mlp_2014", SHAPE, 16, 2, dropout, 4)
    assert isinstance(reader, FlatReader2014)
    assert (reader.entrance(torch.ones(10_000)) == 0).double().mean() == pytest.approx(share, abs=0.02)


def test_no_unit_has_long_weights() -> None:
    torch.manual_seed(0)
    long, short = torch.randn(50), torch.randn(50)
    found = MaxNorm(2.0)(torch.stack([long / long.norm() * 5, short / short.norm(), long / long.norm() * 2]))
    torch.testing.assert_close(found.norm(dim=1), torch.tensor([2.0, 1.0, 2.0]))
    torch.testing.assert_close(found[0], long / long.norm() * 2)


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
