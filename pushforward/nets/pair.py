"""The usual encoder and decoder for a shape of data: fully connected for tables and tiny images, convolutional above."""

from typing import Literal

from torch import nn

from pushforward.nets.convolution import ConvDecoder, ConvEncoder
from pushforward.nets.mlp import FlatDecoder, FlatEncoder

Net = Literal["auto", "mlp", "convolution"]
TINY = 16
"""Images with no side above this many pixels count as tiny."""


def kind_of(net: Net, shape: tuple[int, ...]) -> Literal["mlp", "convolution"]:
    """What `auto` means for examples of this shape."""
    if net != "auto":
        return net
    return "mlp" if len(shape) == 1 or max(shape[1:]) <= TINY else "convolution"


def usual_width(net: Net, shape: tuple[int, ...]) -> int:
    """Hidden units of a fully connected network, or channels after the first halving."""
    return 400 if kind_of(net, shape) == "mlp" else 32


def encoder_for(net: Net, shape: tuple[int, ...], width: int) -> FlatEncoder | ConvEncoder:
    """An encoder x [N, *shape] -> features [N, encoder.features]."""
    width = width or usual_width(net, shape)
    return FlatEncoder(shape, width) if kind_of(net, shape) == "mlp" else ConvEncoder(shape, width)


def decoder_for(net: Net, code: int, shape: tuple[int, ...], width: int) -> nn.Module:
    """A decoder code [N, code] -> output [N, *shape]."""
    width = width or usual_width(net, shape)
    return FlatDecoder(code, shape, width) if kind_of(net, shape) == "mlp" else ConvDecoder(code, shape, width)
