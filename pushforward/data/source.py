"""Batches of a data set in an order that is a function of the number of images seen: there is no state to save."""

import torch
from torch import Tensor

from pushforward.core import UNLABELLED, BadInput, Batch, Stage
from pushforward.data.chance import generator
from pushforward.data.dataset import Dataset
from pushforward.data.neighbours import guesses

CACHED = 16


class Shuffled:
    """A `core.Source`: the examples [seen, seen + batch_size) of one shuffle after another, of which each stream has its own.

    With `labelled` = L > 0, each batch starts with L images whose label is known, drawn with replacement (each class is equally
    probable), with their labels; the images of the shuffle over *all* examples follow, every label of theirs set to UNLABELLED.
    """

    def __init__(self, dataset: Dataset, seed: int = 0, labelled: int = 0) -> None:
        """
        Raises:
            BadInput: an empty data set, or labelled images asked of one where no label is known.
        """
        if not len(dataset):
            raise BadInput(f"'{dataset.name}' holds no example to train on; give at least one.")
        self.dataset, self.seed, self.labelled = dataset, seed, labelled
        self._guess = guesses(dataset, dataset.neighbours) if dataset.neighbours else None
        self._orders: dict[tuple[int, int], Tensor] = {}
        if labelled:
            self._find_labelled()

    def _find_labelled(self) -> None:
        """The known examples sorted by class, and where each class starts and ends among them."""
        label = self.dataset.label
        known = torch.tensor([]) if label is None else (label.cpu() != UNLABELLED).nonzero().flatten()
        if label is None or not len(known):
            raise BadInput(f"{self.labelled} labelled images a batch were asked for, but no label of '{self.dataset.name}' is known.")
        classes, order = label.cpu()[known].sort(stable=True)
        self._known = known[order]
        self._counts = classes.unique_consecutive(return_counts=True)[1]
        self._starts = self._counts.cumsum(0) - self._counts

    def batch(self, stage: Stage, stream: int, shard: int, shards: int) -> Batch:
        """The places [shard::shards] of the labelled part and of the rest of the batch that starts at `stage.seen`.

        Raises:
            BadInput: a size that the number of shards does not divide.
        """
        for size, what in ((stage.batch_size, "images"), (self.labelled, "labelled images")):
            if size % shards:
                raise BadInput(f"A batch of {size} {what} cannot be cut into {shards} equal shards; choose a multiple of {shards}.")
        index = self._places(stage.seen, stage.batch_size, stream)[shard::shards]
        if self.labelled:
            index = torch.cat([self._draw(stage.seen, stream)[shard::shards], index])
        noise = None
        if self.dataset.binarise == "dynamic" or self.dataset.hides:
            noise = generator("pixels", self.seed, stream, stage.seen, shard, device=self.dataset.device)
        batch = self.dataset.batch(index, noise)
        if self._guess is not None:
            batch["guess"] = self._guess[batch["index"]]
        if self.labelled:
            batch["label"][self.labelled // shards :] = UNLABELLED
        return batch

    def _places(self, seen: int, count: int, stream: int) -> Tensor:
        """int64 [count]: what stands at [seen, seen + count) of the shuffles of all epochs written one after another."""
        total, parts = len(self.dataset), []
        while count:
            epoch, place = divmod(seen, total)
            parts.append(self._order(stream, epoch)[place : place + count])
            seen, count = seen + len(parts[-1]), count - len(parts[-1])
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _order(self, stream: int, epoch: int) -> Tensor:
        key = (stream, epoch)
        if key not in self._orders:
            order = torch.randperm(len(self.dataset), generator=generator("order", self.seed, stream, epoch))
            while len(self._orders) >= CACHED:
                self._orders.pop(next(iter(self._orders)))
            self._orders[key] = order.to(self.dataset.device)
        return self._orders[key]

    def _draw(self, seen: int, stream: int) -> Tensor:
        """int64 [labelled]: a class, then one of its known examples, each drawn uniformly."""
        chance = generator("labelled", self.seed, stream, seen)
        kind = torch.randint(len(self._counts), (self.labelled,), generator=chance)
        place = torch.rand(self.labelled, generator=chance, dtype=torch.float64).mul_(self._counts[kind]).long()
        return self._known[self._starts[kind] + place].to(self.dataset.device)
