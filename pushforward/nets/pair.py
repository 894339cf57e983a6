"""The usual encoder and decoder for a shape of data: fully connected for tables and tiny images, convolutional above, residual if asked."""

from typing import Literal

from torch import nn

from pushforward.core import BadInput
from pushforward.nets.convolution import ConvDecoder, ConvEncoder
from pushforward.nets.mlp import FlatDecoder, FlatEncoder
from pushforward.nets.residual import ResidualDecoder, ResidualEncoder

Net = Literal["auto", "mlp", "convolution", "residual"]
TINY = 16
"""Images with no side above this many pixels count as tiny."""


ENCODERS = {"mlp": FlatEncoder, "convolution": ConvEncoder, "residual": ResidualEncoder}
DECODERS = {"mlp": FlatDecoder, "convolution": ConvDecoder, "residual": ResidualDecoder}
WIDTHS = {"mlp": 400, "convolution": 32, "residual": 24}


def kind_of(net: Net, shape: tuple[int, ...]) -> Literal["mlp", "convolution", "residual"]:
    """What `auto` means for examples of this shape.

    Raises:
        BadInput: a network of convolutions for rows of a table.
    """
    if net not in ("auto", "mlp") and len(shape) == 1:
        raise BadInput(f"net is '{net}', whose convolutions need images, but the data are rows of {shape[0]} numbers. Take --net mlp.")
    if net != "auto":
        return net
    return "mlp" if len(shape) == 1 or max(shape[1:]) <= TINY else "convolution"


def usual_width(net: Net, shape: tuple[int, ...]) -> int:
    """Hidden units of a fully connected network, or channels after the first halving."""
    return WIDTHS[kind_of(net, shape)]


def encoder_for(net: Net, shape: tuple[int, ...], width: int) -> FlatEncoder | ConvEncoder | ResidualEncoder:
    """An encoder x [N, *shape] -> features [N, encoder.features]."""
    return ENCODERS[kind_of(net, shape)](shape, width or usual_width(net, shape))


def decoder_for(net: Net, code: int, shape: tuple[int, ...], width: int) -> nn.Module:
    """A decoder code [N, code] -> output [N, *shape]."""
    return DECODERS[kind_of(net, shape)](code, shape, width or usual_width(net, shape))
