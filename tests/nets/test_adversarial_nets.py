"""Fully connected networks of GANs, usual and as in 2014."""

import pytest
import torch

from pushforward.core import BadInput
from pushforward.nets import AdversarialNet, generator_for, reader_for
from pushforward.nets.adversarial import (
    FIRST_OF_D,
    FIRST_OF_G,
    Critic,
    FlatGenerator,
    FlatGenerator2014,
    FlatReader,
    FlatReader2014,
    ResidualReader,
)
from pushforward.nets.residual import Residual

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


def test_discriminators_of_2014_start_tiny() -> None:
    critic = Critic(reader_for("mlp_2014", SHAPE, 16, 2, 0.5, 4))
    for layer in [part for part in critic.modules() if isinstance(part, torch.nn.Linear)]:
        assert 0 < float(layer.weight.detach().abs().max()) <= 0.005 and not layer.bias.any()


def test_generators_of_2014_start_from_a_mean_image() -> None:
    generator = generator_for("mlp_2014", 4, SHAPE, 16, 2)
    assert isinstance(generator, FlatGenerator2014)
    for weight in generator.parameters():
        weight.data.zero_()
    mean = torch.linspace(-1, 1, 64).view(SHAPE)
    generator.start_from(mean)
    torch.testing.assert_close(generator(torch.randn(3, 4)), mean.expand(3, *SHAPE), atol=1e-6, rtol=0)
    assert generator.often.isfinite().all()


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


def test_weights_of_mlps_keep_the_size_of_what_passes() -> None:
    """E y^2 = E x^2 through every hidden layer (He et al. 2015) but the first, and not through maxout's or the last of G."""
    torch.manual_seed(0)
    x = torch.randn(500, 64)
    reader, generator = reader_for("mlp", (64,), 400, 6), generator_for("mlp", 64, (64,), 400, 6)
    assert isinstance(generator, FlatGenerator)
    assert isinstance(reader, FlatReader)
    for features, share in ((reader(x), FIRST_OF_D), (generator.layers[:-1](x), FIRST_OF_G)):
        features = features / share
        assert features.square().mean().item() == pytest.approx(1.0, abs=0.25)
    usual = 1 / 3 / 400  # torch's own
    maxout = reader_for("mlp", (400,), 400, 1, maxout=4)
    for layer in (generator.layers[-1], next(part for part in maxout.modules() if isinstance(part, torch.nn.Linear))):
        assert layer.weight.var().item() == pytest.approx(usual, rel=0.1)  # type: ignore[operator,union-attr]


def test_weights_of_residual_networks_have_unit_gain() -> None:
    """Variances of 1 / (number of inputs), three times torch's own; branches that start at zero stay there."""
    torch.manual_seed(0)
    for net in (reader_for("residual", (3, 32, 32), 16, 3), generator_for("residual", 64, (3, 32, 32), 16, 3)):
        weights = [part.weight for part in net.modules() if isinstance(part, torch.nn.Conv2d | torch.nn.Linear)]
        begun = [weight for weight in weights if weight.any()]
        assert len(weights) - len(begun) == sum(isinstance(part, Residual) for part in net.modules()) > 0
        for weight in begun:
            assert weight.var().item() * weight[0].numel() == pytest.approx(1.0, rel=0.15)
