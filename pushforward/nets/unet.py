"""From image to image: U-Net and encoder-decoder (Ronneberger et al. 2015; Isola et al. 2017), and critics that look at patches."""

from itertools import pairwise
from math import log2
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate

Norm = Literal["instance", "batch", "none"]
Upwards = Literal["transposed", "resize"]
DEEPEST, NOISY = 8, 3
"""Halvings at the most; of the way up, the levels that have dropout."""
SLOPE = 0.2
FIELDS = {1: 0, 16: 1, 34: 2, 70: 3, 142: 4, 286: 5}
"""Halvings of a critic, by the side in pixels of the patch that one of its answers sees."""


def norm_of(kind: Norm, channels: int) -> nn.Module:
    """A normalisation layer; instance norm has no running statistics, so that training, use and batch size agree."""
    if kind == "none":
        return nn.Identity()
    return nn.InstanceNorm2d(channels, affine=True) if kind == "instance" else nn.BatchNorm2d(channels)


def started(net: nn.Module, norm: Norm) -> nn.Module:
    """A network whose convolutions start at N(0, 0.02), as in the paper. Without normalisation such maps would vanish on their way: theirs
    start as large as what they are made of (He et al. 2015)."""
    for part in net.modules():
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d):
            if norm == "none":
                nn.init.kaiming_normal_(part.weight, SLOPE)
            else:
                nn.init.normal_(part.weight, 0.0, 0.02)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
    return net


class Down(nn.Module):
    """Maps [N, into, H, W] -> [N, out, ceil(H/2), ceil(W/2)]: leaky ReLU, a strided 4x4 convolution, normalisation."""

    def __init__(self, into: int, out: int, size: tuple[int, int], norm: Norm, first: bool):
        super().__init__()
        self.before = nn.Identity() if first else nn.LeakyReLU(SLOPE)
        # one more row or column of padding where a side is odd, so that it is halved rounding up
        self.pad = nn.ZeroPad2d((1, 1 + size[1] % 2, 1, 1 + size[0] % 2))
        self.convolution, self.norm = nn.Conv2d(into, out, 4, 2), norm_of(norm, out)

    def forward(self, x: Float[Tensor, "n i h w"]) -> Float[Tensor, "n o p q"]:
        """Maps of half the size."""
        return self.norm(self.convolution(self.pad(self.before(x))))


class Up(nn.Module):
    """Maps [N, into, h, w] -> [N, out, H, W] for a size whose half, rounded up, they have: ReLU, a transposed 4x4 convolution (or nearest
    pixels and a 3x3 one, which leaves no checkerboard), normalisation, dropout. A code moves scale and shift of what was normalised."""

    def __init__(self, into: int, out: int, size: tuple[int, int], norm: Norm, upwards: Upwards, dropout: float, code: int):
        super().__init__()
        self.size, self.upwards = size, upwards
        self.convolution = nn.Conv2d(into, out, 3, 1, 1) if upwards == "resize" else nn.ConvTranspose2d(into, out, 4, 2, 1)
        self.norm, self.dropout = norm_of(norm, out), nn.Dropout(dropout)
        self.style = nn.Linear(code, 2 * out) if code else None

    def forward(self, x: Float[Tensor, "n i h w"], z: Float[Tensor, "n k"] | None = None) -> Float[Tensor, "n o p q"]:
        """Maps of twice the size."""
        x = torch.relu(x)
        x = self.convolution(interpolate(x, scale_factor=2.0, mode="nearest") if self.upwards == "resize" else x)
        x = self.norm(x[..., : self.size[0], : self.size[1]])
        if self.style and z is not None:
            scale, shift = self.style(z)[:, :, None, None].chunk(2, 1)
            x = x * (1 + scale) + shift
        return self.dropout(x)


class UNet(nn.Module):
    """source [N, into, H, W] -> image [N, out, H, W] in [-1, 1] (where `bounded`): as many halvings as the size allows, and back.

    skips: each level of the way up also sees its mirror on the way down; without, an encoder-decoder. No normalisation in the first level
    and in the innermost, where a map of one pixel would be all that there is to normalise over. code: dimensions of z, which moves scale
    and shift of each level of the way up but the last (Huang et al. 2018, "MUNIT"); maps of z would be normalised away.
    """

    def __init__(
        self,
        into: int,
        out: int,
        size: tuple[int, int],
        width: int,
        norm: Norm,
        upwards: Upwards,
        dropout: float,
        skips: bool,
        bounded: bool = True,
        code: int = 0,
    ):
        super().__init__()
        self.bounded = bounded
        depth = max(1, min(DEEPEST, int(log2(min(size)))))
        sizes = [size]
        for _ in range(depth):
            sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
        channels = [into, *(width * min(2**level, 8) for level in range(depth))]
        norms: list[Norm] = ["none" if level in (0, depth - 1) else norm for level in range(depth)]
        self.downs = nn.ModuleList(
            Down(channels[level], channels[level + 1], sizes[level], norms[level], level == 0) for level in range(depth)
        )
        ups: list[nn.Module] = []
        for level in reversed(range(depth)):
            below = channels[level + 1] * (2 if skips and level < depth - 1 else 1)
            last, noisy = level == 0, depth - 1 - level < NOISY
            kind: Norm = "none" if last else norm
            still = 0.0 if last or not noisy else dropout
            ups.append(Up(below, out if last else channels[level], sizes[level], kind, upwards, still, 0 if last else code))
        self.ups, self.skips = nn.ModuleList(ups), skips
        started(self, norm)

    def forward(self, source: Float[Tensor, "n s h w"], z: Float[Tensor, "n k"] | None = None) -> Float[Tensor, "n c h w"]:
        """Images of sources, and of codes where there are some."""
        maps = [source.contiguous(memory_format=torch.channels_last)]
        for down in self.downs:
            maps.append(down(maps[-1]))
        x = maps.pop()
        for number, up in enumerate(self.ups):
            x = up(torch.cat([x, maps.pop()], 1) if self.skips and number else x, z)
        return torch.tanh(x) if self.bounded else x


class PatchCritic(nn.Module):
    """image [N, into, H, W] -> logits of "real" [N, 1, P, Q], each of one patch whose side is `field` pixels; and the maps on the way."""

    def __init__(self, into: int, field: int, width: int, norm: Norm):
        super().__init__()
        halvings, side = FIELDS[field], 4 if FIELDS[field] else 1
        channels = [width * min(2**level, 8) for level in range(max(1, halvings) + 1)]
        layers: list[nn.Module] = [
            nn.Sequential(nn.Conv2d(into, width, side, 2 if halvings else 1, 1 if halvings else 0), nn.LeakyReLU(SLOPE))
        ]
        for level, (a, b) in enumerate(pairwise(channels), 1):
            stride = 2 if level < halvings else 1
            convolution = nn.Conv2d(a, b, side, stride, 1 if halvings else 0)
            layers.append(nn.Sequential(convolution, norm_of(norm, b), nn.LeakyReLU(SLOPE)))
        layers.append(nn.Conv2d(channels[-1], 1, side, 1, 1 if halvings else 0))
        self.layers = nn.ModuleList(layers)
        started(self, norm)

    def forward(self, x: Float[Tensor, "n i h w"]) -> tuple[Float[Tensor, "n 1 p q"], list[Tensor]]:
        """Logits, and what every layer but the last makes of x."""
        maps = []
        x = x.contiguous(memory_format=torch.channels_last)
        for layer in self.layers[:-1]:
            x = layer(x)
            maps.append(x)
        return self.layers[-1](x).float(), maps


def fitting_field(size: tuple[int, int]) -> int:
    """The patch that suits images of this size: 70 pixels from 120 on, 34 from 48 on, 16 from 6 on, else single pixels."""
    return next((field for field in (70, 34, 16) if min(size) >= smallest(field) * (5 if field == 70 else 4 if field == 34 else 1)), 1)


def smallest(field: int) -> int:
    """The smallest side of an image that a critic of this field can look at."""
    return 3 * 2 ** FIELDS[field] if FIELDS[field] else 2  # of a single pixel there is no deviation to normalise by
