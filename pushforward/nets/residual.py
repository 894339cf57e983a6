"""Residual encoder and decoder for images of any size (the networks of Kingma et al. 2016, appendix, without their weight normalisation).

The sides are halved as in `convolution.py`; at each size stands a residual block x + f(x). The last convolution of f starts at zero, so
that a deep network starts as a shallow one and needs no normalisation, whose passes over memory cost a CPU as much as the convolutions.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, silu

from pushforward.nets.convolution import sizes_of, widths_of

HIDDEN = 8
"""Units of the layer between the smallest maps and the code, for each channel of `width`."""


class Residual(nn.Module):
    """x + f(x), maps [N, channels, H, W]: two 3x3 convolutions, each after the activation."""

    def __init__(self, channels: int):
        super().__init__()
        self.first, self.last = nn.Conv2d(channels, channels, 3, 1, 1), nn.Conv2d(channels, channels, 3, 1, 1)
        for weight in self.last.parameters():
            nn.init.zeros_(weight)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Changed maps of the same size."""
        return x + self.last(silu(self.first(silu(x))))


class Halve(nn.Module):
    """Maps [N, into, H, W] -> [N, out, ceil(H/2), ceil(W/2)]: a strided 4x4 convolution."""

    def __init__(self, into: int, out: int, size: tuple[int, int]):
        super().__init__()
        # one more row or column of padding where a side is odd, so that it is halved rounding up
        self.pad = nn.ZeroPad2d((1, 1 + size[1] % 2, 1, 1 + size[0] % 2))
        self.convolution = nn.Conv2d(into, out, 4, 2)

    def forward(self, x: Float[Tensor, "n i h w"]) -> Float[Tensor, "n o p q"]:
        """Maps of half the size."""
        return self.convolution(self.pad(x))


class Double(nn.Module):
    """Maps [N, into, h, w] -> [N, out, H, W] for a size whose half, rounded up, they have: each position paints 2x2 (Shi et al. 2016)."""

    def __init__(self, into: int, out: int, size: tuple[int, int]):
        super().__init__()
        self.size = size
        self.convolution = nn.Conv2d(into, 4 * out, 3, 1, 1)

    def forward(self, x: Float[Tensor, "n i h w"]) -> Float[Tensor, "n o p q"]:
        """Maps of twice the size."""
        return pixel_shuffle(self.convolution(x), 2)[..., : self.size[0], : self.size[1]]


class ResidualEncoder(nn.Module):
    """image [N, C, H, W] -> features [N, features]."""

    def __init__(self, shape: tuple[int, ...], width: int):
        super().__init__()
        sizes = sizes_of(*shape[1:])
        channels = [shape[0], *widths_of(len(sizes) - 1, width)]
        blocks: list[nn.Module] = []
        for into, out, size in zip(channels, channels[1:], sizes, strict=False):
            blocks += [Halve(into, out, size), Residual(out)]
        self.blocks = nn.Sequential(*blocks)
        self.features = HIDDEN * width
        self.end = nn.Linear(channels[-1] * sizes[-1][0] * sizes[-1][1], self.features)

    def units(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n f"]:
        """Features of images before the last activation."""
        return self.end(silu(self.blocks(x)).flatten(1))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n f"]:
        """Features of images."""
        return silu(self.units(x))


class ResidualDecoder(nn.Module):
    """code [N, D] -> output [N, C, H, W]."""

    def __init__(self, code: int, shape: tuple[int, ...], width: int):
        super().__init__()
        sizes = sizes_of(*shape[1:])[::-1]
        channels = widths_of(len(sizes) - 1, width)[::-1]
        self.first = (channels[0], *sizes[0])
        self.start = nn.Sequential(
            nn.Linear(code, HIDDEN * width), nn.SiLU(), nn.Linear(HIDDEN * width, channels[0] * sizes[0][0] * sizes[0][1])
        )
        blocks: list[nn.Module] = []
        for into, out, size in zip(channels, [*channels[1:], shape[0]], sizes[1:], strict=True):
            blocks += [Residual(into), nn.SiLU(), Double(into, out, size)]
        self.blocks = nn.Sequential(*blocks)

    def halfway(self, code: Float[Tensor, "n d"]) -> Float[Tensor, "n units"]:
        """The smallest maps that codes become."""
        return self.start(code)

    def forward(self, code: Float[Tensor, "n d"]) -> Float[Tensor, "n c h w"]:
        """Outputs of codes."""
        return self.blocks(self.start(code).unflatten(1, self.first).contiguous(memory_format=torch.channels_last))
