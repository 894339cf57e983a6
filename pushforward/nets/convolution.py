"""Convolutional encoder and decoder for images of any size.

The sides are halved (rounding up) until both are below 8; the decoder walks the same sizes back.
Width doubles with every halving, up to 8 x.
"""

from math import gcd

import torch
from jaxtyping import Float
from torch import Tensor, nn

HIDDEN = 4
"""Units of the decoder's hidden layer for each channel of `width`."""


def sizes_of(height: int, width: int) -> list[tuple[int, int]]:
    """The sizes of the maps from the image down, e.g. (28, 28), (14, 14), (7, 7)."""
    sizes = [(height, width)]
    while len(sizes) == 1 or max(sizes[-1]) >= 8:
        h, w = sizes[-1]
        sizes.append(((h + 1) // 2, (w + 1) // 2))
    return sizes


def widths_of(levels: int, width: int) -> list[int]:
    """Channels after each halving: width, 2 width, 4 width, then 8 width."""
    return [width * min(2**level, 8) for level in range(levels)]


def norm(channels: int) -> nn.GroupNorm:
    """Group normalisation: the same in training and use, for any batch size and on any number of machines."""
    return nn.GroupNorm(gcd(channels, max(1, channels // 16)), channels)


class ConvEncoder(nn.Module):
    """image [N, C, H, W] -> features [N, features]: a strided 4x4 convolution per halving."""

    def __init__(self, shape: tuple[int, ...], width: int):
        super().__init__()
        sizes = sizes_of(*shape[1:])
        channels = [shape[0], *widths_of(len(sizes) - 1, width)]
        blocks: list[nn.Module] = []
        for into, out, (h, w) in zip(channels, channels[1:], sizes, strict=False):
            # one more row or column of padding where a side is odd, so that it is halved rounding up
            blocks += [nn.ZeroPad2d((1, 1 + w % 2, 1, 1 + h % 2)), nn.Conv2d(into, out, 4, 2), norm(out), nn.SiLU()]
        self.blocks = nn.Sequential(*blocks)
        self.features = channels[-1] * sizes[-1][0] * sizes[-1][1]

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n f"]:
        """Features of images."""
        return self.blocks(x).flatten(1)


class ConvDecoder(nn.Module):
    """code [N, D] -> output [N, C, H, W]: a hidden layer, then a transposed 4x4 convolution per doubling, cut to the size it walks back to.

    The hidden layer lets a class that is part of the code act on the rest of it, which one linear map cannot."""

    def __init__(self, code: int, shape: tuple[int, ...], width: int):
        super().__init__()
        self.sizes = sizes_of(*shape[1:])[::-1]
        channels = widths_of(len(self.sizes) - 1, width)[::-1]
        maps = channels[0] * self.sizes[0][0] * self.sizes[0][1]
        self.start = nn.Sequential(nn.Linear(code, HIDDEN * width), nn.SiLU(), nn.Linear(HIDDEN * width, maps))
        self.channels = channels[0]
        outs = [*channels[1:], shape[0]]
        self.norms = nn.ModuleList(norm(c) for c in channels)
        self.ups = nn.ModuleList(nn.ConvTranspose2d(a, b, 4, 2, 1) for a, b in zip(channels, outs, strict=True))

    def forward(self, code: Float[Tensor, "n d"]) -> Float[Tensor, "n c h w"]:
        """Outputs of codes."""
        maps = self.start(code).unflatten(1, (self.channels, *self.sizes[0])).contiguous(memory_format=torch.channels_last)
        for norm_, up, (h, w) in zip(self.norms, self.ups, self.sizes[1:], strict=True):
            maps = up(nn.functional.silu(norm_(maps)))[..., :h, :w]
        return maps
