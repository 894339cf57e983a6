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
"""`mlp_2014`: fully connected as in 2014; see `FlatReader2014` and `FlatGenerator2014`."""
WIDTHS = {"mlp": 128, "mlp_2014": 128, "residual": 32}
SLOPE = 0.2
"""Of activations far below 0."""
TINY, NEVER = 0.005, 1e-7
"""Of 2014: D's weights at first, at the most; how often a pixel is on that never is."""
FIRST_OF_G, FIRST_OF_D = 0.2, 0.4
"""What first layers start with, as a share of unit gain: a G or D that is smooth at first leaves fewer samples between modes that lie
apart. Chosen on 25 Gaussians, from 0.1 to 3."""


class Maxout(nn.Module):
    """The largest of `pieces` linear units (Goodfellow et al. 2013): features [N, into] -> [N, out]."""

    def __init__(self, into: int, out: int, pieces: int):
        super().__init__()
        self.linear, self.pieces = nn.Linear(into, out * pieces), pieces

    def forward(self, x: Float[Tensor, "n i"]) -> Float[Tensor, "n o"]:
        """The largest pieces."""
        return self.linear(x).unflatten(1, (-1, self.pieces)).amax(2)


class FlatReader(nn.Module):
    """x [N, *shape] -> features [N, features], fully connected: leaky ReLU or maxout, with dropout where asked for."""

    def __init__(self, shape: tuple[int, ...], width: int, layers: int, dropout: float, maxout: int):
        super().__init__()
        width = width // maxout if maxout else width  # units, each the largest of `maxout` linear ones
        into, self.features = torch.Size(shape).numel(), width
        parts: list[nn.Module] = []
        for _ in range(layers):
            parts += [Maxout(into, width, maxout)] if maxout else [nn.Linear(into, width), nn.LeakyReLU(SLOPE)]
            parts += [nn.Dropout(dropout)] if dropout else []
            into = width
        self.layers = nn.Sequential(nn.Flatten(), *parts)
        self.begin()

    def begin(self) -> None:
        """Weights to start from; those before maxout stay torch's own."""
        for place, part in enumerate(part for part in self.layers if isinstance(part, nn.Linear)):
            keep_size(part, SLOPE)
            if place == 0:
                shrink(part, FIRST_OF_D)

    def forward(self, x: Float[Tensor, "n *s"]) -> Float[Tensor, "n f"]:
        """Features of examples."""
        return self.layers(x)


class FlatReader2014(FlatReader):
    """The same as released with the paper: tiny weights at first, and pixels left out where units are.

    Images in [-1, 1] are read as [0, 1]: where most of an image is black, -1 in its place makes D win.
    """

    def __init__(self, shape: tuple[int, ...], width: int, layers: int, dropout: float, maxout: int):
        super().__init__(shape, width, layers, dropout, maxout)
        self.entrance = nn.Dropout(0.2 if dropout else 0.0)

    def begin(self) -> None:
        """Weights to start from."""
        for layer in [part for part in self.modules() if isinstance(part, nn.Linear)]:
            start(layer, TINY)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n f"]:
        """Features of images."""
        return super().forward(self.entrance((x + 1) / 2))


class ResidualReader(nn.Module):
    """image [N, C, H, W] -> features [N, features].

    The last activation leaks: slope penalties can push all units of a SiLU so far below 0 that D is the same everywhere, for good.
    """

    def __init__(self, shape: tuple[int, ...], width: int, dropout: float):
        super().__init__()
        self.encoder, self.dropout = ResidualEncoder(shape, width), nn.Dropout(dropout)
        self.features = self.encoder.features
        keep_size(self.encoder)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n f"]:
        """Features of images."""
        units = self.encoder.units(x)
        return self.dropout(silu(units) * (1 - SLOPE) + SLOPE * units)


class Critic(nn.Module):
    """example [N, *shape] -> logit of "real" [N]: a reader and one layer."""

    def __init__(self, reader: FlatReader | ResidualReader):
        super().__init__()
        self.reader, self.head = reader, nn.Linear(reader.features, 1)
        if isinstance(reader, FlatReader2014):
            start(self.head, TINY)

    def forward(self, x: Float[Tensor, "n *s"]) -> Float[Tensor, " n"]:
        """Logits."""
        return self.head(self.reader(x))[:, 0]


class FlatGenerator(nn.Module):
    """code [N, D] -> example [N, *shape], fully connected, leaky ReLU."""

    def __init__(self, code: int, shape: tuple[int, ...], width: int, layers: int):
        super().__init__()
        sizes = [code, *[width] * layers]
        parts = [part for a, b in pairwise(sizes) for part in (nn.Linear(a, b), self.activation())]
        self.layers, self.shape = nn.Sequential(*parts, nn.Linear(width, torch.Size(shape).numel())), shape
        self.begin()

    def begin(self) -> None:
        """Weights to start from; the last layer's stay torch's own."""
        keep_size(self.layers[:-1], SLOPE)
        shrink(self.layers[0], FIRST_OF_G)

    def activation(self) -> nn.Module:
        """What stands after each hidden layer."""
        return nn.LeakyReLU(SLOPE)

    def forward(self, code: Float[Tensor, "n d"]) -> Float[Tensor, "n *s"]:
        """Examples of codes."""
        return self.layers(code).unflatten(1, self.shape)

    def halfway(self, code: Float[Tensor, "n d"]) -> Float[Tensor, "n units"]:
        """What the first half of the layers makes of codes."""
        return self.layers[: len(self.layers) // 2](code)


class FlatGenerator2014(FlatGenerator):
    """The same as released with the paper: ReLU, small weights at first, and a sigmoid at the end, onto [-1, 1], that starts from how
    often each pixel is on where that is told (`systems/gan.py`), else from grey."""

    often: Tensor

    def __init__(self, code: int, shape: tuple[int, ...], width: int, layers: int):
        super().__init__(code, shape, width, layers)
        self.register_buffer("often", torch.zeros(shape))

    def start_from(self, mean: Float[Tensor, " *s"]) -> None:
        """Let images be like their mean, in [-1, 1], until G has learned more."""
        self.often.copy_(((mean + 1) / 2).clamp(NEVER, 1 - NEVER).logit())

    def begin(self) -> None:
        """Weights to start from."""
        for layer in [part for part in self.modules() if isinstance(part, nn.Linear)]:
            start(layer, 0.05)

    def activation(self) -> nn.Module:
        """What stands after each hidden layer."""
        return nn.ReLU()

    def forward(self, code: Float[Tensor, "n d"]) -> Float[Tensor, "n c h w"]:
        """Images of codes."""
        return torch.tanh((super().forward(code) + self.often) / 2)  # 2 sigmoid(o) - 1


def keep_size(net: nn.Module, slope: float = 1.0) -> None:
    """Let a network start from weights that give out as much as went into a layer, where a leaky ReLU of this slope follows it (He et al.
    2015; 1: nothing does). Layers that start at zero, of residual branches, stay so.

    With torch's own weights each layer gives out about half of that, so that several make D and G all but flat, which costs many rounds."""
    for part in net.modules():
        if isinstance(part, nn.Linear | nn.Conv2d) and bool(part.weight.any()):
            nn.init.kaiming_normal_(part.weight, slope)


def shrink(layer: nn.Module, share: float) -> None:
    """Let a layer start smaller, biases too."""
    with torch.no_grad():
        for weight in layer.parameters():
            weight.mul_(share)


def start(layer: nn.Linear, most: float) -> None:
    """Weights uniform between -most and most, biases 0."""
    nn.init.uniform_(layer.weight, -most, most)
    nn.init.zeros_(layer.bias)


GENERATORS = {"mlp": FlatGenerator, "mlp_2014": FlatGenerator2014}
READERS = {"mlp": FlatReader, "mlp_2014": FlatReader2014}


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
        painter = ResidualDecoder(code, shape, width)
        keep_size(painter)
        return painter
    return GENERATORS[kind](code, shape, width, layers)


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
    return READERS[kind](shape, width, layers, dropout, maxout)
