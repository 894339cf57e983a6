"""Fully connected networks, for tables and tiny images."""

import itertools
from math import prod

from jaxtyping import Float
from torch import Tensor, nn


class FlatEncoder(nn.Module):
    """x [N, *shape] -> features [N, features]."""

    def __init__(self, shape: tuple[int, ...], width: int, layers: int = 1):
        super().__init__()
        self.features = width
        sizes = [prod(shape), *[width] * layers]
        self.layers = nn.Sequential(*[part for a, b in itertools.pairwise(sizes) for part in (nn.Linear(a, b), nn.ReLU())])

    def forward(self, x: Float[Tensor, "n *s"]) -> Float[Tensor, "n f"]:
        """Features of examples."""
        return self.layers(x.flatten(1))


class FlatDecoder(nn.Module):
    """code [N, D] -> output [N, *shape]."""

    def __init__(self, code: int, shape: tuple[int, ...], width: int, layers: int = 1):
        super().__init__()
        self.shape = shape
        sizes = [code, *[width] * layers]
        inner = [part for a, b in itertools.pairwise(sizes) for part in (nn.Linear(a, b), nn.ReLU())]
        self.layers = nn.Sequential(*inner, nn.Linear(width, prod(shape)))

    def forward(self, code: Float[Tensor, "n d"]) -> Float[Tensor, "n *s"]:
        """Outputs of codes."""
        return self.layers(code).unflatten(1, self.shape)
