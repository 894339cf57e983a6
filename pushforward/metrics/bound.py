"""What a system's own loss says about examples that it has not seen."""

import torch

from pushforward.core import System
from pushforward.data import Dataset
from pushforward.metrics.batches import batches
from pushforward.training.machines import generators_left_alone, seed_of, sow


@torch.no_grad()
def test_bound(system: System, dataset: Dataset, batch_size: int = 250) -> dict[str, float]:
    """Means over `dataset` of the first player's loss and scalar terms, in eval mode, at the stage where training ends (beta at its
    final value).

    Of a VAE, `bound` is an upper bound of -log p(x), in nats per example. Terms that are no means over examples (`active_codes`) are
    averaged over batches. The random codes are the same each time; the system and the caller's generators are left as they were.
    """
    if not len(dataset):
        return {}
    stage, modes = system.stage, {module: module.training for module in system.modules()}
    totals: dict[str, float] = {}
    try:
        system.eval()
        system.enter(system.schedule(max(1, stage.seen), max(1, stage.seen)))  # at any number of images, all of them seen is the end
        player = system.players()[0]
        with generators_left_alone():
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
