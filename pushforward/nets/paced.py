"""Layers that learn at one pace, whatever their number of inputs (Karras et al. 2018, "equalized learning rate").

Adam moves every weight by as much as its rate says. A layer of few inputs, whose weights are large, hardly changes by it; one of thousands
of inputs, whose weights are small, is another one after ten steps, and where what it gives out is normalised again nothing holds it back.
"""

from torch import Tensor, nn
from torch.nn.utils.parametrize import register_parametrization

PACE = 10.0
"""By how many rates a step of Adam moves a layer's weights, as a share of what they start with."""


class Paced(nn.Module):
    """weight = scale * parameter."""

    def __init__(self, scale: float):
        super().__init__()
        self.scale = scale

    def forward(self, parameter: Tensor) -> Tensor:
        """The weight."""
        return parameter * self.scale

    def right_inverse(self, weight: Tensor) -> Tensor:
        """The parameter."""
        return weight / self.scale


def pace(network: nn.Module) -> None:
    """Convolutions of `network` start with unit gain, w ~ N(0, 1 / inputs), or at 0 where they did, and move by shares of that."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            gain = layer.weight[0].numel() ** -0.5
            if bool(layer.weight.any()):
                nn.init.normal_(layer.weight, std=gain)
            register_parametrization(layer, "weight", Paced(PACE * gain))
