"""One forward pass where several players need the same answer of a network to a batch."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from pushforward.core.batch import Batch

Values = tuple[Tensor, ...]


class Kept:
    """What a network made of the batches of a round: critics judge it, then the network learns from that very answer.

    It is made anew once the network's weights have moved, so every rule of play finds what it asks for. A system clears it in `enter`.
    """

    def __init__(self) -> None:
        self.found: dict[int, tuple[Batch, Any, Values]] = {}

    def clear(self) -> None:
        """Forget everything: a new round begins."""
        self.found = {}

    def lend(self, network: nn.Module, batch: Batch, make: Callable[[], Values]) -> Values:
        """What make() makes of this batch by way of `network`, for who does not own it: without slopes of weights that do not move."""
        if torch.compiler.is_compiling() or not torch.is_grad_enabled():
            return make()
        weights = list(network.parameters())
        asked = [weight.requires_grad for weight in weights]
        state = (network, [weight._version for weight in weights])
        if id(batch) not in self.found or self.found[id(batch)][1] != state:
            for weight in weights:
                weight.requires_grad_(True)
            try:
                self.found[id(batch)] = (batch, state, make())
            finally:
                for weight, before in zip(weights, asked, strict=True):
                    weight.requires_grad_(before)
        values = self.found[id(batch)][2]
        return values if any(asked) else tuple(value.detach() for value in values)

    def take(self, network: nn.Module, batch: Batch, make: Callable[[], Values]) -> Values:
        """The same for its owner, whose slopes use up the graph: it is forgotten."""
        values = self.lend(network, batch, make)
        self.found.pop(id(batch), None)
        return values
