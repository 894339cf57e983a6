"""Speed of GAN training beside the usual PyTorch script, what penalties cost, and samples a second.

    python benchmarks/gan_training.py            writes its kind of machine into results/gan_training.json

A round is one step of the discriminator and one of the generator on 64 images of 32x32 in colour. The pair is of DCGAN's size (Radford et
al. 2016): the same layers on both sides. The script is the usual one: DataLoader, float32, the generator's graph kept for its own step.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from common import Segment, environment, race, race_apart, results_of_kind
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, softplus
from torch.utils.data import DataLoader, TensorDataset

from pushforward.core import Adam, Batch, Kept, Player, Stage, System, Terms
from pushforward.data import Dataset, Shuffled
from pushforward.systems.gan import GAN
from pushforward.training import Trainer
from pushforward.training.memory import keep_memory

BATCH, LATENT, WIDTH = 64, 100, 64


def generator() -> nn.Sequential:
    """z [N, 100, 1, 1] -> image [N, 3, 32, 32]."""
    sizes = [(LATENT, 4 * WIDTH, 1, 0), (4 * WIDTH, 2 * WIDTH, 2, 1), (2 * WIDTH, WIDTH, 2, 1)]
    layers = [
        nn.Sequential(nn.ConvTranspose2d(a, b, 4, s, p, bias=False), nn.BatchNorm2d(b), nn.ReLU(inplace=True)) for a, b, s, p in sizes
    ]
    return nn.Sequential(*layers, nn.ConvTranspose2d(WIDTH, 3, 4, 2, 1, bias=False), nn.Tanh())


def discriminator() -> nn.Sequential:
    """image [N, 3, 32, 32] -> logit [N, 1, 1, 1]."""
    inner = [
        nn.Sequential(nn.Conv2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.LeakyReLU(0.2, inplace=True))
        for a, b in ((WIDTH, 2 * WIDTH), (2 * WIDTH, 4 * WIDTH))
    ]
    first = nn.Sequential(nn.Conv2d(3, WIDTH, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True))
    return nn.Sequential(first, *inner, nn.Conv2d(4 * WIDTH, 1, 4, 1, 0, bias=False))


class DCGAN(System):
    """The pair as a system of this project; one batch of G serves both steps, as in the script."""

    needs: frozenset[str] = frozenset({"image"})

    def __init__(self) -> None:
        super().__init__()
        self.generator, self.discriminator, self.kept = generator(), discriminator(), Kept()
        self.enter(self.schedule(0, 1))

    def schedule(self, seen: int, total: int) -> Stage:
        return Stage(seen, BATCH)

    def players(self) -> list[Player]:
        steps = Adam(2e-4, (0.5, 0.999))
        return [
            Player("discriminator", self.discriminator, self.discriminator_loss, steps),
            Player("generator", self.generator, self.generator_loss, steps),
        ]

    def enter(self, stage: Stage) -> None:
        super().enter(stage)
        self.kept.clear()

    def made(self) -> tuple[Tensor]:
        return (self.generator(torch.randn(BATCH, LATENT, 1, 1)),)

    def discriminator_loss(self, batch: Batch) -> tuple[Tensor, Terms]:
        (made,) = self.kept.lend(self.generator, batch, self.made)
        on_real, on_made = (self.discriminator(x).float() for x in (batch["image"], made))
        return softplus(-on_real).mean() + softplus(on_made).mean(), {}

    def generator_loss(self, batch: Batch) -> tuple[Tensor, Terms]:
        (made,) = self.kept.take(self.generator, batch, self.made)
        return softplus(-self.discriminator(made).float()).mean(), {}


def noise() -> Dataset:
    """Images that show nothing."""
    pixels = torch.randint(256, (2_048, 3, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    return Dataset("noise", image=pixels)


def ours(precision: Any = "auto") -> Segment:
    """The pair as this project trains it, memory as in a run."""
    keep_memory()
    return rounds_of(DCGAN(), noise(), precision)


def rounds_of(system: System, dataset: Dataset, precision: Any = "auto") -> Segment:
    """This project's trainer."""
    trainer = Trainer(system, Shuffled(dataset), 10**12, precision=precision)

    def segment(count: int) -> None:
        for _ in range(count):
            trainer.round()

    return segment


def usual_script() -> Segment:
    """The loop of PyTorch's own DCGAN example, without its printing."""
    dataset = noise()
    assert dataset.image is not None
    loader = DataLoader(TensorDataset(dataset.image.float() / 127.5 - 1), batch_size=BATCH, shuffle=True, drop_last=True)
    net_g, net_d = generator(), discriminator()
    steps_d, steps_g = (torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999)) for net in (net_d, net_g))

    def forever() -> Iterator[list[Tensor]]:
        while True:
            yield from loader

    batches = forever()

    def segment(count: int) -> None:
        for _ in range(count):
            (real,) = next(batches)
            net_d.zero_grad()
            said = net_d(real).view(-1)
            binary_cross_entropy_with_logits(said, torch.ones_like(said)).backward()
            made = net_g(torch.randn(BATCH, LATENT, 1, 1))
            said = net_d(made.detach()).view(-1)
            binary_cross_entropy_with_logits(said, torch.zeros_like(said)).backward()
            steps_d.step()
            net_g.zero_grad()
            said = net_d(made).view(-1)
            loss = binary_cross_entropy_with_logits(said, torch.ones_like(said))
            loss.backward()
            loss.item()
            steps_g.step()

    return segment


def penalties(dataset: Dataset) -> dict[str, Segment]:
    """The GAN of this project as it comes, and with fewer penalties."""
    kinds: dict[str, dict[str, Any]] = {
        "no penalty": {"r1": 0.0, "r2": 0.0},
        "R1": {"r2": 0.0},
        "R1 and R2": {},
        "R1 and R2 every 8th round": {"lazy": 8},
    }
    return {name: rounds_of(GAN(GAN.Config((3, 32, 32), batch_size=BATCH, **options)), dataset) for name, options in kinds.items()}


def sampling() -> float:
    """Images a second of 32x32 in colour, by the default generator."""
    system = GAN(GAN.Config((3, 32, 32))).eval()
    system.sample(250, seed=0)
    start = time.perf_counter()
    for seed in range(20):
        system.sample(250, seed=seed)
    return 20 * 250 / (time.perf_counter() - start)


def main() -> None:
    """Run everything and write the result."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--segments", type=int, default=7)
    arguments.add_argument("--rounds", type=int, default=12, help="rounds of a segment")
    asked = arguments.parse_args()
    sides: dict[str, Callable[[], Segment]] = {"ours": ours, "usual script": usual_script, "ours, float32": partial(ours, "float32")}
    pair = race_apart(sides, asked.rounds, asked.segments)
    keep_memory()
    dataset = noise()
    costs = race(penalties(dataset), asked.rounds, asked.segments)
    found: dict[str, Any] = {
        "command": f"python benchmarks/gan_training.py --segments {asked.segments} --rounds {asked.rounds}",
        "environment": environment(),
        "data": f"{len(dataset):,} images of noise, batch {BATCH}: speed does not depend on what they show",
        "pair of DCGAN's size": {
            "milliseconds a round": pair,
            "script / side": {name: pair["usual script"]["median"] / told["median"] for name, told in pair.items()},
        },
        "penalties": {
            "milliseconds a round": costs,
            "times no penalty": {name: told["median"] / costs["no penalty"]["median"] for name, told in costs.items()},
        },
        "samples a second": sampling(),
    }
    results_of_kind("gan_training.json", found)


if __name__ == "__main__":
    main()
