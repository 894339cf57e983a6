"""Fully connected networks of GANs: images as in 2014, rows without bounds."""

import pytest
import torch

from pushforward.nets import reader_for
from pushforward.nets.adversarial import FlatGenerator


@pytest.mark.parametrize("shape", [(1, 8, 8), (20,)])
def test_images_end_in_a_sigmoid_and_rows_do_not(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    generator = FlatGenerator(4, shape, 16, 2)
    code = torch.randn(64, 4)
    output = generator.layers(100 * code).unflatten(1, shape)
    expected = 2 * torch.sigmoid(output) - 1 if len(shape) == 3 else output
    assert output.abs().max() > 2
    torch.testing.assert_close(generator(100 * code), expected)


@pytest.mark.parametrize(("shape", "nothing"), [((1, 8, 8), -1.0), ((20,), 0.0)])
@pytest.mark.parametrize("maxout", [0, 4])
def test_black_is_read_as_nothing(shape: tuple[int, ...], nothing: float, maxout: int) -> None:
    """Whatever weighs a pixel of the first layer, a black image shows its bias alone."""
    torch.manual_seed(0)
    reader = reader_for("mlp", shape, 16, 2, maxout=maxout)
    black = torch.full((3, *shape), nothing)
    before = reader(black)
    first = next(layer for layer in reader.modules() if isinstance(layer, torch.nn.Linear))
    first.weight.data.mul_(10)
    torch.testing.assert_close(reader(black), before)
    assert not torch.allclose(reader(black + 1), before[0])
