"""Floor 1: blocks used by three systems or more."""

from pushforward.nets.adversarial import AdversarialNet, Critic, generator_for, reader_for
from pushforward.nets.convolution import ConvDecoder, ConvEncoder, sizes_of, widths_of
from pushforward.nets.likelihood import Bernoulli, Gaussian, Kind, likelihood, suits
from pushforward.nets.mlp import FlatDecoder, FlatEncoder
from pushforward.nets.pair import Net, decoder_for, encoder_for, kind_of, usual_width
from pushforward.nets.products import use_products
from pushforward.nets.residual import Double, Halve, Residual, ResidualDecoder, ResidualEncoder
from pushforward.nets.trunk import ConvTrunk, FlatTrunk, Reading, measure_statistics, trunk_for

__all__ = [
    "AdversarialNet",
    "Bernoulli",
    "ConvDecoder",
    "ConvEncoder",
    "ConvTrunk",
    "Critic",
    "Double",
    "FlatDecoder",
    "FlatEncoder",
    "FlatTrunk",
    "Gaussian",
    "Halve",
    "Kind",
    "Net",
    "Reading",
    "Residual",
    "ResidualDecoder",
    "ResidualEncoder",
    "decoder_for",
    "encoder_for",
    "generator_for",
    "kind_of",
    "likelihood",
    "measure_statistics",
    "reader_for",
    "sizes_of",
    "suits",
    "trunk_for",
    "use_products",
    "usual_width",
    "widths_of",
]
