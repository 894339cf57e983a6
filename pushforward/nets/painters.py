"""Networks that paint what a mask hides of an image, and critics of whole images and of their holes."""

from itertools import pairwise
from math import log2

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import affine_grid, grid_sample, leaky_relu, max_pool2d, max_unpool2d

from pushforward.nets.convolution import sizes_of, widths_of
from pushforward.nets.paced import pace
from pushforward.nets.residual import Double, Halve

POOLED, SMALLEST = 4, 4
"""Poolings at the most; the side of a map from which on none is taken."""
SLOPE = 0.2
LEAST, APART = 16, (1, 2, 4)
"""Side that the gated painter's maps have at the least, where they are not of half the size; how far apart lie the pixels that its blocks
look at in the smallest."""


def stack_of(channels: list[int]) -> nn.Sequential:
    """3x3 convolutions from one number of channels to the next, each followed by a ReLU."""
    return nn.Sequential(*(part for into, out in pairwise(channels) for part in (nn.Conv2d(into, out, 3, 1, 1), nn.ReLU())))


class PaperPainter(nn.Module):
    """x [N, C, H, W], noise in its hole, -> image [N, C, H, W], not bounded (Li et al. 2017, after VGG-19).

    Convolutions and poolings, two fully connected layers in the middle, and the way back by unpooling to the places that the maxima came
    from, which is all that passes the middle by. No normalisation.
    """

    def __init__(self, shape: tuple[int, ...], width: int, code: int):
        super().__init__()
        levels = max(1, min(POOLED, int(log2(min(shape[1:]) / SMALLEST)))) if min(shape[1:]) >= 2 * SMALLEST else 1
        channels = [shape[0], *widths_of(levels, width)]
        deep = [4 if level == POOLED - 1 else 2 for level in range(levels)]
        self.down = nn.ModuleList(stack_of([channels[level], *[channels[level + 1]] * deep[level]]) for level in range(levels))
        back = [*channels[:0:-1], width]
        self.up = nn.ModuleList(stack_of([back[level]] * deep[-1 - level] + [back[level + 1]]) for level in range(levels))
        self.small = (channels[-1], *[-(-side // 2**levels) for side in shape[1:]])
        units = torch.Size(self.small).numel()
        self.middle = nn.Sequential(nn.Flatten(), nn.Linear(units, code), nn.ReLU(), nn.Linear(code, units), nn.ReLU())
        self.last = nn.Conv2d(width, shape[0], 3, 1, 1)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Painted images."""
        x = x.contiguous(memory_format=torch.channels_last)
        places: list[tuple[Tensor, torch.Size]] = []
        for stack in self.down:
            x = stack(x)
            size = x.shape[2:]
            x, place = max_pool2d(x, 2, ceil_mode=True, return_indices=True)
            places.append((place, size))
        x = self.middle(x).unflatten(1, self.small)
        for stack in self.up:
            place, size = places.pop()
            x = stack(max_unpool2d(x, place, (2, 2), output_size=size))
        return self.last(x)


class PixelNorm(nn.LayerNorm):
    """Maps [N, channels, H, W], each pixel normalised over its channels (Ba et al. 2016)."""

    def forward(self, x: Float[Tensor, "n i h w"]) -> Float[Tensor, "n i h w"]:
        """Normalised maps."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Gated(nn.Module):
    """x + f(x), maps [N, channels, H, W]: f normalises, convolves, lets each output through as far as another says (Yu et al. 2019), and
    convolves once more.

    A gate that shuts leaves x as it is: where all goes through gates, one that shuts early ends what lies before it. Without normalisation
    gates, which multiply, let what blocks add grow from one to the next. `apart`: pixels from one that the gates look at to the next."""

    def __init__(self, channels: int, apart: int = 1):
        super().__init__()
        self.norm = PixelNorm(channels)
        self.first = nn.Conv2d(channels, 2 * channels, 3, 1, apart, apart)
        self.last = nn.Conv2d(channels, channels, 3, 1, 1)
        for weight in self.last.parameters():
            nn.init.zeros_(weight)

    def forward(self, x: Float[Tensor, "n i h w"]) -> Float[Tensor, "n i h w"]:
        """Changed maps of the same size."""
        value, gate = self.first(self.norm(x)).chunk(2, 1)
        return x + self.last(value * gate.sigmoid())


class Smooth(nn.Module):
    """x [N, C, height, width] -> 2 y - S y S', y = S x S', S weights 1, 2, 1 over rows or columns, mirrored in the last of them: what
    alternates from pixel to pixel is gone (Zhang 2019), of what is coarser most is left. Products of matrices are several times as fast as
    pooling here."""

    rows: Tensor
    columns: Tensor

    def __init__(self, height: int, width: int):
        super().__init__()
        for name, side in (("rows", height), ("columns", width)):
            here = torch.eye(side)
            beyond = torch.cat([here[1:2], here, here[-2:-1]]) if side > 1 else here.expand(3, 1)
            self.register_buffer(name, (beyond[:-2] + 2 * here + beyond[2:]) / 4, persistent=False)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        """Smoothed maps."""
        y = self.rows @ x @ self.columns.T
        return 2 * y - self.rows @ y @ self.columns.T


class GatedPainter(nn.Module):
    """A guess of the whole image, what it leaves unexplained where that is seen, both [N, C, H, W], and mask [N, 1, H, W] -> what it leaves
    unexplained everywhere [N, C, H, W], not bounded.

    Gated residual blocks from half the size on, which on a CPU saves a third of the time, down to maps of 16 to 31 pixels (of half the size
    where that is smaller), where gates look ever further (Iizuka et al. 2017), and back: what hangs on all of the image is in the guess,
    and smaller maps added little to faces. Each size of the way back begins with the sum of what comes from below and what there was on
    the way down, and the whole size sees what was given. Maps are normalised where their size changes, so that they cannot grow from one
    to the next. Two more maps say where a pixel lies: faces stand in the same place. Its first answer is 0 everywhere. What it adds cannot
    alternate from pixel to pixel: no mean over a few of them would see that, and critics draw dots with it.
    """

    def __init__(self, shape: tuple[int, ...], width: int):
        super().__init__()
        found = sizes_of(*shape[1:])
        sizes = found[:2] + [size for size in found[2:] if max(size) >= LEAST]
        whole, *channels = widths_of(len(sizes), width)
        steps = list(zip([2 * shape[0] + 3, *channels], channels, sizes, strict=False))
        self.down = nn.ModuleList(nn.Sequential(Halve(into, out, size), PixelNorm(out), Gated(out)) for into, out, size in steps)
        self.middle = nn.Sequential(*(Gated(channels[-1], apart) for apart in APART))
        back = steps[:0:-1]
        self.larger = nn.ModuleList(nn.Sequential(nn.SiLU(), Double(out, into, size)) for into, out, size in back)
        self.up = nn.ModuleList(nn.Sequential(PixelNorm(into), Gated(into)) for into, _, _ in back)
        self.whole = nn.Sequential(nn.SiLU(), Double(channels[0], whole, sizes[0]), nn.SiLU())
        self.last = nn.Conv2d(whole + 2 * shape[0] + 1, shape[0], 3, 1, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]
        self.smooth = Smooth(*shape[1:])
        rows, columns = torch.meshgrid(*(torch.linspace(-1, 1, side) for side in shape[1:]), indexing="ij")
        self.register_buffer("where", torch.stack([rows, columns])[None], persistent=False)
        pace(self)

    def forward(
        self, guess: Float[Tensor, "n c h w"], rest: Float[Tensor, "n c h w"], mask: Float[Tensor, "n 1 h w"]
    ) -> Float[Tensor, "n c h w"]:
        """What is to be added to the guess."""
        seen = torch.cat([guess, rest, mask], 1).contiguous(memory_format=torch.channels_last)
        where = torch.as_tensor(self.where).expand(len(guess), -1, -1, -1)
        x, mirrors = torch.cat([seen, where], 1).contiguous(memory_format=torch.channels_last), []
        for down in self.down:
            x = down(x)
            mirrors.append(x)
        x = self.middle(mirrors.pop())
        for larger, up in zip(self.larger, self.up, strict=True):
            x = up(larger(x) + mirrors.pop())
        x = self.whole(x)
        return self.smooth(self.last(torch.cat([x, seen.to(x)], 1)))


class WholeCritic(nn.Module):
    """image [N, C, H, W] -> logit of "real" [N] (Li et al. 2017): pairs of a 3x3 and a strided 4x4 convolution, no normalisation."""

    def __init__(self, channels: int, size: tuple[int, int], width: int):
        super().__init__()
        layers, into = [], channels
        for level in range(max(1, min(5, int(log2(min(size) / SMALLEST))))):
            out = width * min(2**level, 8)
            layers += [nn.Conv2d(into, out, 3, 1, 1), nn.Conv2d(out, out, 4, 2, 1)]
            into, size = out, (size[0] // 2, size[1] // 2)
        self.layers, self.last = nn.ModuleList(layers), nn.Linear(into * size[0] * size[1], 1)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
        """Logits."""
        x = x.contiguous(memory_format=torch.channels_last)
        for layer in self.layers:
            x = leaky_relu(layer(x), SLOPE)
        return self.last(x.flatten(1)).float().squeeze(1)


def hole_of(image: Float[Tensor, "n c h w"], mask: Float[Tensor, "n 1 h w"]) -> Float[Tensor, "n c p q"]:
    """The smallest box around each hole, resized to half the sides; a box of just that size is cut out as it is."""
    _, _, height, width = image.shape
    ends = []
    for along, side in ((3, height), (2, width)):
        there = mask.amax(along)[:, 0]
        first, last = there.argmax(1), side - there.flip(1).argmax(1)
        ends.append(((first + last) / side - 1, (last - first) / side))
    (down, tall), (across, wide) = ends
    zero = torch.zeros_like(tall)
    theta = torch.stack([torch.stack([wide, zero, across], 1), torch.stack([zero, tall, down], 1)], 1)
    grid = affine_grid(theta, [len(image), 1, height // 2, width // 2], align_corners=False)
    return grid_sample(image.float(), grid, padding_mode="border", align_corners=False)
