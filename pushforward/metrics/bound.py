"""What a system's own loss says about examples that it has not seen."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from pushforward.core import Player, System
from pushforward.data import Dataset
from pushforward.metrics.batches import batches
from pushforward.training.machines import generators_left_alone, seed_of, sow


@torch.no_grad()
def test_bound(system: System, dataset: Dataset, batch_size: int = 250) -> dict[str, float]:
    """Means over `dataset` of the first player's loss and scalar terms, in eval mode, by its averaged weights where it has some, at the
    stage where training ends (beta at its final value).

    Of a VAE, `bound` is an upper bound of -log p(x), in nats per example. Terms that are no means over examples (`active_codes`) are
    averaged over batches; what a system keeps over rounds (the classification VAE's `accuracy`) is of its training. The random codes are
    the same each time; the system and the caller's generators are left as they were.
    """
    if not len(dataset):
        return {}
    stage, modes = system.stage, {module: module.training for module in system.modules()}
    totals: dict[str, float] = {}
    try:
        system.eval()
        system.enter(system.schedule(max(1, stage.seen), max(1, stage.seen)))  # at any number of images, all of them seen is the end
        player = system.players()[0]
        with generators_left_alone(), averaged(player):
            for place, batch in enumerate(batches(system, dataset, batch_size)):
                sow(next(player.module.parameters()).device, seed_of("bound", place))
                loss, terms = player.loss(batch)
                count = len(next(iter(batch.values())))  # type: ignore[arg-type, call-overload]
                for name, value in ({"loss": loss} | terms).items():
                    if value.ndim == 0:
                        totals[name] = totals.get(name, 0.0) + float(value) * count / len(dataset)
    finally:
        system.enter(stage)
        for module, mode in modes.items():
            module.training = mode
    return totals


@contextmanager
def averaged(player: Player) -> Iterator[None]:
    """The player with its averaged weights, by which its system is used, in place of the current ones, which come back at the end."""
    if player.average is None:
        yield
        return
    current = {key: value.clone() for key, value in player.module.state_dict().items()}
    try:
        player.module.load_state_dict(player.average.twin.state_dict())
        yield
    finally:
        player.module.load_state_dict(current)
