"""Networks that paint holes."""

import torch
from torch import nn

from pushforward.nets.painters import Gated, GatedPainter


def test_what_lies_before_a_shut_gate_still_learns() -> None:
    """Where all went through gates, those that shut early left nothing behind them that a slope came to."""
    torch.manual_seed(0)
    painter = GatedPainter((3, 16, 16), 4)
    nn.init.normal_(painter.last.weight)
    gates = [part for part in painter.modules() if isinstance(part, Gated)]
    for gate in gates:
        nn.init.constant_(gate.first.bias[len(gate.first.bias) // 2 :], -200.0)  # type: ignore[index,arg-type]
        nn.init.normal_(gate.last.weight)
    x, mask = torch.randn(2, 3, 16, 16), torch.ones(2, 1, 16, 16)
    changed = painter(x, mask).square().mean()
    weights = [part.weight for part in painter.modules() if isinstance(part, nn.Conv2d) and part is not painter.last]
    slopes = dict(zip(weights, torch.autograd.grad(changed, weights), strict=True))
    inside = {layer.weight for gate in gates for layer in (gate.first, gate.last)}
    assert len(gates) > 3 and len(weights) > len(inside)
    assert all((slopes[weight].abs().max() > 1e-4) == (weight not in inside) for weight in weights)


def test_its_first_answer_is_nothing() -> None:
    assert not GatedPainter((1, 12, 10), 4)(torch.randn(2, 1, 12, 10), torch.ones(2, 1, 12, 10)).any()
