"""When a neighbour graph teaches: at the start of a run, and again once it has been made anew from what the network sees alike by then."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from pushforward.core import UNLABELLED, Batch
from pushforward.data.dataset import Dataset
from pushforward.data.neighbours import guesses

FIRST, SECOND = 0.25, 0.3
"""Shares of the run in which the first and the second graph teach in place of an averaged network."""
TOGETHER = 256


class GraphTeacher(nn.Module):
    """again: share of the run after which the graph is made anew; 0: never. Its guesses are then part of a system's checkpoints."""

    guess: Tensor
    """[n] a class for each example of the data, or UNLABELLED; none before the first `look`."""

    def __init__(self, again: float) -> None:
        super().__init__()
        self.again = again
        if again:
            self.register_buffer("guess", torch.empty(0, dtype=torch.int16))

    def era(self, progress: float) -> int:
        """0 before the graph is made anew, 1 after."""
        return int(0 < self.again <= progress)

    @torch.no_grad()
    def look(self, dataset: Dataset, see: Callable[[Tensor], Tensor]) -> None:
        """Spread the known labels over a graph that joins what is alike in the images and in the features see(image [m, ...]) -> [m, d]."""
        known = dataset.label is not None and bool((dataset.label != UNLABELLED).any())
        if dataset.neighbours and known:  # without labels, the clusters of another graph would stand in another order
            every = torch.arange(len(dataset)).split(TOGETHER)
            features = torch.cat([see(dataset.batch(index)["image"].to(self.guess.device)).float().cpu() for index in every])
            self.guess = guesses(dataset, dataset.neighbours, features).short().to(self.guess.device)

    def says(self, batch: Batch, progress: float) -> Tensor | None:
        """[n] the class of each example as the graph has it, where one teaches by then; UNLABELLED where it is not sure."""
        if progress < FIRST:
            return batch.get("guess")
        teaches = self.again and self.again <= progress < self.again + SECOND and len(self.guess)
        return self.guess[batch["index"]].long() if teaches else None

    def _load_from_state_dict(self, state: dict[str, Tensor], prefix: str, *rest: Any) -> None:
        if prefix + "guess" in state:  # as many as there are examples, which only the checkpoint knows
            self.guess = torch.empty_like(state[prefix + "guess"], dtype=torch.int16, device=self.guess.device)
        super()._load_from_state_dict(state, prefix, *rest)
