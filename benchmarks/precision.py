"""The measurement behind the rule of `training/machines.py`: which precision and memory order trains fastest.

    python benchmarks/precision.py            writes results/precision.json

Forward and backward of three networks of this project at batch 128, in float32 and bfloat16 (autocast), contiguous and channels_last.
"""

import statistics
import time
from collections.abc import Callable

import torch
from common import environment, results
from torch import nn

from pushforward.core import System
from pushforward.systems.classification_vae import ClassificationVAE
from pushforward.systems.vae import VAE
from pushforward.training.machines import lay_out

BATCH, ROUNDS = 128, 12
SHAPE = (1, 28, 28)

NETWORKS: dict[str, Callable[[], System]] = {
    "VAE, fully connected 784-400-20-400-784": lambda: VAE(VAE.Config(SHAPE, net="mlp")),
    "VAE, convolutional": lambda: VAE(VAE.Config(SHAPE)),
    "classification VAE, convolutional, bound on every tenth image": lambda: ClassificationVAE(
        ClassificationVAE.Config(SHAPE, 10, views="digits", bound_every=10)
    ),
}


def step(system: System, precision: torch.dtype, channels_last: bool) -> Callable[[], None]:
    """One forward and backward pass, ready to be timed."""
    player = system.players()[0]
    weights = list(player.module.parameters())
    batch = {"image": torch.rand(BATCH, *SHAPE) * 2 - 1, "label": torch.arange(BATCH) % 10}
    if channels_last:
        lay_out(system)

    def once() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
            loss, _ = player.loss(batch)  # type: ignore[arg-type]
        torch.autograd.grad(loss, weights, allow_unused=True)

    return once


def main() -> None:
    """Time every combination, interleaved."""
    found = {}
    for name, build in NETWORKS.items():
        ways = [(dtype, last) for dtype in (torch.float32, torch.bfloat16) for last in (False, True)]
        if not any(isinstance(part, nn.Conv2d) for part in build().modules()):
            ways = [(dtype, False) for dtype in (torch.float32, torch.bfloat16)]
        steps = {
            f"{dtype}, {'channels_last' if last else 'contiguous'}".removeprefix("torch."): step(build(), dtype, last)
            for dtype, last in ways
        }
        took: dict[str, list[float]] = {way: [] for way in steps}
        for number in range(ROUNDS + 2):
            for way, once in steps.items():
                start = time.perf_counter()
                once()
                if number >= 2:
                    took[way].append(1e3 * (time.perf_counter() - start))
        found[name] = {way: {"median": statistics.median(t), "least": min(t), "most": max(t)} for way, t in took.items()}
        print(name, {way: round(told["median"], 1) for way, told in found[name].items()})
    results(
        "precision.json",
        {"command": "python benchmarks/precision.py", "environment": environment(), "batch": BATCH, "milliseconds": found},
    )


if __name__ == "__main__":
    main()
