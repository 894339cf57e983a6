"""Networks that paint holes."""

import pytest
import torch
from torch import nn
from torch.nn.functional import max_pool2d

from pushforward.nets.paced import PACE, pace
from pushforward.nets.painters import Gated, GatedPainter, PaperPainter, Smooth, WholeCritic
from pushforward.nets.residual import Double, Halve


def test_what_lies_before_a_shut_gate_still_learns() -> None:
    """Where all went through gates, those that shut early left nothing behind them that a slope came to."""
    torch.manual_seed(0)
    painter = GatedPainter((3, 16, 16), 4)
    learned = {part: part.parametrizations.weight.original for part in painter.modules() if isinstance(part, nn.Conv2d)}  # type: ignore[union-attr]
    nn.init.normal_(learned[painter.last])
    gates = [part for part in painter.modules() if isinstance(part, Gated)]
    for gate in gates:
        nn.init.constant_(gate.first.bias[len(gate.first.bias) // 2 :], -200.0)  # type: ignore[index,arg-type]
        nn.init.normal_(learned[gate.last])
    x, mask = torch.randn(2, 3, 16, 16), torch.ones(2, 1, 16, 16)
    changed = painter(x, x, mask).square().mean()
    weights = [weight for part, weight in learned.items() if part is not painter.last]
    slopes = dict(zip(weights, torch.autograd.grad(changed, weights), strict=True))
    inside = {learned[layer] for gate in gates for layer in (gate.first, gate.last)}
    assert len(gates) > 3 and len(weights) > len(inside)
    assert all((slopes[weight].abs().max() > 1e-4) == (weight not in inside) for weight in weights)


def test_gates_do_not_let_maps_grow() -> None:
    """What a block adds hangs on the direction of a pixel alone: gates multiply, and blocks upon blocks would let maps explode."""
    torch.manual_seed(0)
    gate, x = Gated(8), torch.randn(2, 8, 6, 6)
    nn.init.normal_(gate.last.weight)
    small, large = ((gate(scale * x) - scale * x) for scale in (1.0, 1000.0))
    assert small.std() > 0.1
    torch.testing.assert_close(large, small, atol=2e-3, rtol=1e-3)


def test_sizes_do_not_let_maps_grow() -> None:
    """However large the weights of what changes the size, the next one finds maps of unit spread: those of long runs grew by ten a size."""
    torch.manual_seed(0)
    painter, spreads = GatedPainter((3, 64, 64), 4), []
    for part in painter.modules():
        if isinstance(part, Halve | Double):
            with torch.no_grad():
                part.convolution.parametrizations.weight.original.mul_(100)  # type: ignore[union-attr]
        if isinstance(part, Gated):
            part.register_forward_hook(lambda part, into, out: spreads.append(float(into[0].detach().std())))
    painter(*torch.randn(2, 2, 3, 64, 64), torch.ones(2, 1, 64, 64))
    assert len(spreads) == 6 and all(0.9 < spread < 1.1 for spread in spreads)


def test_layers_learn_at_one_pace() -> None:
    """A step of Adam moves weights by the same share of their spread, whatever the inputs of their layer."""
    torch.manual_seed(0)
    few, many = (nn.Conv2d(into, 64, 3, 1, 1) for into in (2, 128))
    for layer in (few, many):
        pace(layer)
        before = layer.weight.detach()
        assert float(before.std()) == pytest.approx(layer.weight[0].numel() ** -0.5, rel=0.1)
        step = torch.optim.Adam(layer.parameters(), 1e-3)
        layer(torch.randn(2, layer.in_channels, 8, 8)).square().mean().backward()
        step.step()
        share = (layer.weight.detach() - before).abs().median() * layer.weight[0].numel() ** 0.5
        assert float(share) == pytest.approx(PACE * 1e-3, rel=1e-2)
    nothing = nn.Conv2d(3, 3, 3)
    nn.init.zeros_(nothing.weight)
    pace(nothing)
    assert not nothing.weight.any()


@pytest.mark.parametrize(("side", "smallest"), [(64, 16), (128, 16), (100, 25), (33, 17), (28, 14), (12, 6)])
def test_maps_are_halved_to_sixteen_pixels_or_once(side: int, smallest: int) -> None:
    found = []
    painter = GatedPainter((1, side, side), 2)
    painter.middle.register_forward_hook(lambda part, into, out: found.append(tuple(out.shape[2:])))
    painter(*torch.randn(2, 1, 1, side, side), torch.ones(1, 1, side, side))
    assert found == [(smallest, smallest)]


def test_its_first_answer_is_nothing() -> None:
    assert not GatedPainter((1, 12, 10), 4)(*torch.randn(2, 2, 1, 12, 10), torch.ones(2, 1, 12, 10)).any()


def test_the_paper_s_painter_has_the_paper_s_layers() -> None:
    """128 pixels, 32 channels: 2, 2, 2 and 4 convolutions down to 8x8x256, 4096 units, 134 million of 137 million weights in the middle."""
    painter = PaperPainter((3, 128, 128), 32, 4096)
    down = [[(part.in_channels, part.out_channels) for part in stack if isinstance(part, nn.Conv2d)] for stack in painter.down]  # type: ignore[union-attr]
    assert down == [[(3, 32), (32, 32)], [(32, 64), (64, 64)], [(64, 128), (128, 128)], [(128, 256), *[(256, 256)] * 3]]
    middle = [(part.in_features, part.out_features) for part in painter.middle if isinstance(part, nn.Linear)]
    assert middle == [(256 * 8 * 8, 4096), (4096, 256 * 8 * 8)]
    assert sum(weight.numel() for weight in painter.parameters()) == pytest.approx(137e6, rel=0.02)
    assert not any(isinstance(part, nn.modules.batchnorm._BatchNorm | nn.InstanceNorm2d) for part in painter.modules())


def test_maxima_come_back_to_where_they_were() -> None:
    """With nothing between pooling and unpooling, and convolutions that copy, a quarter of the pixels is left, each the largest of four."""
    painter = PaperPainter((1, 8, 8), 1, 4)
    for stack in (painter.down[0], painter.up[0]):
        for part in stack:  # type: ignore[union-attr]
            if isinstance(part, nn.Conv2d):
                nn.init.dirac_(part.weight)
                nn.init.zeros_(part.bias)  # type: ignore[arg-type]
    nn.init.dirac_(painter.last.weight)
    nn.init.zeros_(painter.last.bias)  # type: ignore[arg-type]
    painter.middle = nn.Flatten()
    x = torch.randperm(64, generator=torch.Generator().manual_seed(0)).view(1, 1, 8, 8).float()
    largest = x == max_pool2d(x, 2).repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert torch.equal(painter(x), x * largest)


@pytest.mark.parametrize("size", [(64, 64), (30, 22), (8, 8), (5, 5)])
def test_the_paper_s_painter_takes_any_size(size: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *size)
    assert PaperPainter((3, *size), 4, 8)(x).shape == x.shape


def test_whole_critics_are_the_paper_s() -> None:
    """Pairs of a 3x3 and a strided 4x4 convolution, leaky by .2, down to 4 pixels: five pairs for 128 pixels, four for a hole of 64."""
    pairs = {128: [32, 64, 128, 256, 256], 64: [64, 128, 256, 512]}
    for (side, widths), width in zip(pairs.items(), (32, 64), strict=True):
        critic = WholeCritic(3, (side, side), width)
        steps = [(part.out_channels, part.kernel_size[0], part.stride[0]) for part in critic.layers if isinstance(part, nn.Conv2d)]
        assert steps == [step for out in widths for step in ((out, 3, 1), (out, 4, 2))]
        assert critic.last.in_features == widths[-1] * 4 * 4
    layers = [*critic.layers, critic.last]
    x = found = torch.randn(2, 3, 64, 64)
    for layer in layers[:-1]:
        found = layer(found)
        found = torch.where(found > 0, found, 0.2 * found)
    torch.testing.assert_close(critic(x), layers[-1](found.flatten(1))[:, 0])


@pytest.mark.parametrize("size", [(64, 64), (33, 20), (1, 2)])
def test_smoothing_keeps_what_is_even_and_takes_what_alternates(size: tuple[int, int]) -> None:
    height, width = size
    smooth = Smooth(height, width)
    assert torch.equal(smooth(torch.ones(2, 3, height, width)), torch.ones(2, 3, height, width))
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    for place in (rows, columns, rows + columns):
        alternates = (1.0 - place % 2 * 2).expand(1, 1, height, width)
        assert not smooth(alternates).any() or bool((alternates == 1).all())  # along a single pixel nothing alternates
    row = torch.zeros(1, 1, 9, 9)
    row[..., 4, :] = 16  # 2 (1, 2, 1) / 4 - (1, 4, 6, 4, 1) / 16
    assert Smooth(9, 9)(row)[0, 0, :, 4].tolist() == [0, 0, -1, 4, 10, 4, -1, 0, 0]


def test_a_painter_draws_nothing_that_alternates() -> None:
    """Means over two pixels a side, which reconstruction sees while critics play, do not see it: painters drew dots on foreheads."""
    torch.manual_seed(0)
    painter = GatedPainter((1, 64, 64), 4)
    nn.init.normal_(painter.last.parametrizations.weight.original)  # type: ignore[index]
    drawn: list[torch.Tensor] = []
    painter.last.register_forward_hook(lambda part, into, out: drawn.append(out))
    drawn.append(painter(*torch.randn(2, 1, 1, 64, 64), torch.ones(1, 1, 64, 64)))
    finest = [torch.fft.rfft2(each.detach())[0, 0, 30:35, -2:].abs().mean() for each in drawn]
    assert finest[1] < finest[0] / 50
