"""Generator and discriminator without normalisation layers, for rows and for images of any size."""

from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import silu

from pushforward.core import BadInput
from pushforward.nets.pair import kind_of
from pushforward.nets.residual import ResidualDecoder, ResidualEncoder

AdversarialNet = Literal["auto", "mlp", "mlp_2014", "residual"]
"""`mlp_2014`: images end in a sigmoid and D reads black as 0. Where most of an image is black, -1 in its place makes D win."""
WIDTHS = {"mlp": 128, "mlp_2014": 128, "residual": 32}
SLOPE = 0.2
"""Of activations far below 0."""


class Maxout(nn.Module):
    """The largest of `pieces` linear units (Goodfellow et al. 2013): features [N, into] -> [N, out]."""

    def __init__(self, into: int, out: int, pieces: int):
        super().__init__()
        self.linear, self.pieces = nn.Linear(into, out * pieces), pieces

    def forward(self, x: Float[Tensor, "n i"]) -> Float[Tensor, "n o"]:
        """The largest pieces."""
        return self.linear(x).unflatten(1, (-1, self.pieces)).amax(2)


class FlatReader(nn.Module):
    """x [N, *shape] -> features [N, features], fully connected: leaky ReLU or maxout, with dropout where asked for.

    brightness: read images in [-1, 1] as [0, 1].
    """

    def __init__(self, shape: tuple[int, ...], width: int, layers: int, dropout: float, maxout: int, brightness: bool):
        super().__init__()
        width = width // maxout if maxout else width  # units, each the largest of `maxout` linear ones
        self.brightness, into, self.features = brightness, torch.Size(shape).numel(), width
        parts: list[nn.Module] = []
        for _ in range(layers):
            parts += [Maxout(into, width, maxout)] if maxout else [nn.Linear(into, width), nn.LeakyReLU(SLOPE)]
            parts += [nn.Dropout(dropout)] if dropout else []
            into = width
        self.layers = nn.Sequential(nn.Flatten(), *parts)

    def forward(self, x: Float[Tensor, "n *s"]) -> Float[Tensor, "n f"]:
        """Features of examples."""
        return self.layers((x + 1) / 2 if self.brightness else x)


class ResidualReader(nn.Module):
    """image [N, C, H, W] -> features [N, features].

    The last activation leaks: slope penalties can push all units of a SiLU so far below 0 that D is the same everywhere, for good.
    """

    def __init__(self, shape: tuple[int, ...], width: int, dropout: float):
        super().__init__()
        self.encoder, self.dropout = ResidualEncoder(shape, width), nn.Dropout(dropout)
        self.features = self.encoder.features

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n f"]:
        """Features of images."""
        units = self.encoder.units(x)
        return self.dropout(silu(units) * (1 - SLOPE) + SLOPE * units)


class Critic(nn.Module):
    """example [N, *shape] -> logit of "real" [N]: a reader and one layer."""

    def __init__(self, reader: FlatReader | ResidualReader):
        super().__init__()
        self.reader, self.head = reader, nn.Linear(reader.features, 1)

    def forward(self, x: Float[Tensor, "n *s"]) -> Float[Tensor, " n"]:
        """Logits."""
        return self.head(self.reader(x))[:, 0]


class FlatGenerator(nn.Module):
    """code [N, D] -> example [N, *shape], fully connected, leaky ReLU; with a sigmoid at the end, onto [-1, 1], where asked for."""

    def __init__(self, code: int, shape: tuple[int, ...], width: int, layers: int, sigmoid: bool):
        super().__init__()
        sizes = [code, *[width] * layers]
        parts = [part for a, b in pairwise(sizes) for part in (nn.Linear(a, b), nn.LeakyReLU(SLOPE))]
        self.layers, self.shape = nn.Sequential(*parts, nn.Linear(width, torch.Size(shape).numel())), shape
        self.sigmoid = sigmoid

    def forward(self, code: Float[Tensor, "n d"]) -> Float[Tensor, "n *s"]:
        """Examples of codes."""
        output = self.layers(code).unflatten(1, self.shape)
        return torch.tanh(output / 2) if self.sigmoid else output  # 2 sigmoid(o) - 1

    def halfway(self, code: Float[Tensor, "n d"]) -> Float[Tensor, "n units"]:
        """What the first half of the layers makes of codes."""
        return self.layers[: len(self.layers) // 2](code)


def kind_for(net: AdversarialNet, shape: tuple[int, ...]) -> Literal["mlp", "mlp_2014", "residual"]:
    """What `auto` means for examples of this shape.

    Raises:
        BadInput: mlp_2014 or convolutions for rows of a table.
    """
    if net == "mlp_2014":
        if len(shape) == 1:
            raise BadInput(f"net is 'mlp_2014', whose sigmoid paints pixels, but the data are rows of {shape[0]} numbers. Take --net mlp.")
        return net
    return "mlp" if kind_of(net, shape) == "mlp" else "residual"


def generator_for(net: AdversarialNet, code: int, shape: tuple[int, ...], width: int, layers: int) -> FlatGenerator | ResidualDecoder:
    """A generator code [N, code] -> example [N, *shape]; only images of mlp_2014 end in [-1, 1]."""
    kind = kind_for(net, shape)
    width = width or WIDTHS[kind]
    if kind == "residual":
        return ResidualDecoder(code, shape, width)
    return FlatGenerator(code, shape, width, layers, sigmoid=kind == "mlp_2014")


def reader_for(
    net: AdversarialNet, shape: tuple[int, ...], width: int, layers: int, dropout: float = 0.0, maxout: int = 0
) -> FlatReader | ResidualReader:
    """What a discriminator reads in an example: [N, *shape] -> features [N, reader.features].

    Raises:
        BadInput: maxout of more pieces than the width, or in a residual network.
    """
    kind = kind_for(net, shape)
    width = width or WIDTHS[kind]
    if kind == "residual":
        if maxout:
            raise BadInput(f"maxout is {maxout}, but a residual network has no layers of maxout units. Take --net mlp, or --maxout 0.")
        return ResidualReader(shape, width, dropout)
    if maxout > width:
        raise BadInput(f"maxout is {maxout}, but a layer has {width} linear units to take the largest of. Make --maxout {width} or less.")
    return FlatReader(shape, width, layers, dropout, maxout, brightness=kind == "mlp_2014")
