"""Convolutions as matrix products, for processors that multiply bfloat16 matrices several times faster than they convolve.

A convolution with millions of weights over few positions spends its time rearranging weights, at every step and in both directions.
As one product of [positions, weights] it does not. Measured by `benchmarks/precision.py`.
"""

from types import MethodType

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import fold, unfold

HEAVY = 2**20
"""Weights of one layer from which the product is faster."""


def convolve(layer: nn.Conv2d, x: Float[Tensor, "n i h w"]) -> Float[Tensor, "n o p q"]:
    """What `layer` makes of x: windows [positions, inputs] times weights [inputs, outputs]."""
    (n, _, h, w), (k, j), (s, t), (p, q) = x.shape, layer.kernel_size, layer.stride, layer.padding
    up, across = (h + 2 * int(p) - k) // s + 1, (w + 2 * int(q) - j) // t + 1
    rows = unfold(x, (k, j), padding=(int(p), int(q)), stride=(s, t)).transpose(1, 2).flatten(0, 1)
    made = torch.nn.functional.linear(rows, layer.weight.flatten(1), layer.bias)
    return made.view(n, up, across, -1).permute(0, 3, 1, 2)


def convolve_back(layer: nn.ConvTranspose2d, x: Float[Tensor, "n i h w"]) -> Float[Tensor, "n o p q"]:
    """What `layer` makes of x: every position times all weights, the windows added up where they overlap."""
    (n, i, h, w), (k, j), (s, t), (p, q), (a, b) = x.shape, layer.kernel_size, layer.stride, layer.padding, layer.output_padding
    size = ((h - 1) * s - 2 * int(p) + k + a, (w - 1) * t - 2 * int(q) + j + b)
    rows = x.permute(0, 2, 3, 1).reshape(-1, i)
    windows = (rows @ layer.weight.flatten(1)).view(n, h * w, -1).transpose(1, 2)
    made = fold(windows, size, (k, j), padding=(int(p), int(q)), stride=(s, t))
    return made if layer.bias is None else made + layer.bias[:, None, None]


def forward(self: nn.Conv2d | nn.ConvTranspose2d, x: Tensor) -> Tensor:
    """The layer as a product where bfloat16 is on, as it was otherwise: what opens a run in float32 computes the same bits."""
    if not torch.is_autocast_enabled("cpu"):
        return type(self).forward(self, x)
    return convolve_back(self, x) if isinstance(self, nn.ConvTranspose2d) else convolve(self, x)


def use_products(system: nn.Module) -> set[nn.Module]:
    """Let the heavy plain convolutions of `system` compute by products, and return them; weights and their names stay as they are."""
    found: set[nn.Module] = set()
    for layer in system.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) and plain(layer) and layer.weight.numel() >= HEAVY:
            layer.forward = MethodType(forward, layer)  # type: ignore[method-assign]
            found.add(layer)
    return found


def plain(layer: nn.Conv2d | nn.ConvTranspose2d) -> bool:
    """Whether it is a convolution without groups, holes or unusual padding."""
    return layer.groups == 1 and set(layer.dilation) == {1} and layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
