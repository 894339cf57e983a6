"""A trunk that gives two views of an example: pooled features to classify by, and spread-out ones that still know where things are."""

from collections.abc import Callable, Iterable
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pushforward.nets.convolution import sizes_of
from pushforward.nets.pair import Net, kind_of

SLOPE = 0.1
SPREAD = 8
"""Maps that the spread-out features keep: enough to tell styles, few enough to stay cheap."""


def block(into: int, out: int, kernel: int, stride: int) -> nn.Sequential:
    """Convolution, batch normalisation, leaky ReLU."""
    convolution = nn.Conv2d(into, out, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(out), nn.LeakyReLU(SLOPE, inplace=True))


class ConvTrunk(nn.Module):
    """image [N, C, H, W] -> pooled [N, pooled], spread [N, spread]. Strided 5x5, then 3x3 convolutions; batch normalisation."""

    def __init__(self, shape: tuple[int, ...], width: int):
        super().__init__()
        sizes = sizes_of(*shape[1:])
        widths = [width * min(3**level, 9) for level in range(len(sizes) - 1)]
        blocks, into = [], shape[0]
        for level, out in enumerate(widths):
            inner = out * 3 // 2 if level == 0 else out
            blocks += [block(into, out, 3 if level else 5, 2), block(out, inner, 3, 1)]
            into = inner
        self.pooled = widths[-1] * 4 // 3
        self.blocks = nn.Sequential(*blocks, block(into, self.pooled, 3, 1))
        self.squeeze = nn.Conv2d(self.pooled, SPREAD, 1)
        self.spread = SPREAD * sizes[-1][0] * sizes[-1][1]

    def forward(self, x: Float[Tensor, "n c h w"]) -> tuple[Float[Tensor, "n p"], Float[Tensor, "n s"]]:
        """Pooled and spread-out features."""
        maps = self.blocks(x)
        return maps.mean((2, 3)), self.squeeze(maps).flatten(1)


class FlatTrunk(nn.Module):
    """x [N, *shape] -> pooled [N, width], spread [N, width] (the same): two fully connected layers with batch normalisation."""

    def __init__(self, shape: tuple[int, ...], width: int):
        super().__init__()
        size = 1
        for side in shape:
            size *= side
        inner = [part for a, b in pairwise([size, width, width]) for part in (nn.Linear(a, b), nn.BatchNorm1d(b), nn.LeakyReLU(SLOPE))]
        self.layers = nn.Sequential(nn.Flatten(), *inner)
        self.pooled = self.spread = width

    def forward(self, x: Float[Tensor, "n *s"]) -> tuple[Float[Tensor, "n p"], Float[Tensor, "n s"]]:
        """Features, twice."""
        features = self.layers(x)
        return features, features


def trunk_for(net: Net, shape: tuple[int, ...], width: int) -> ConvTrunk | FlatTrunk:
    """A trunk for examples of this shape; width 0: 32 channels, or 400 hidden units."""
    if kind_of(net, shape) == "mlp":
        return FlatTrunk(shape, width or 400)
    return ConvTrunk(shape, width or 32)


class Reading(nn.Module):
    """x [N, C, H, W] -> `outputs` logits [N, K] in float32: a trunk, and one layer on its pooled features."""

    def __init__(self, net: Net, shape: tuple[int, ...], width: int, outputs: int):
        super().__init__()
        self.trunk = trunk_for(net, shape, width)
        self.classifier = nn.Linear(self.trunk.pooled, outputs)

    def features(self, x: Tensor) -> Tensor:
        """What the last layer reads, [N, D] in float32."""
        return self.trunk(x)[0].float()

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.trunk(x)[0]).float()


@torch.no_grad()
def measure_statistics(network: nn.Module, read: Callable[[Tensor], object], batches: Iterable[Tensor]) -> None:
    """Measure the running means and variances of a network's batch normalisation anew, as `read` calls it on these batches.

    Those of training are of random views; what is asked of a trained network are images as they are (Wu & Johnson 2021, section 5).
    """
    norms = [part for part in network.modules() if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # all batches count alike
        norm.train()
    for batch in batches:
        read(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()
