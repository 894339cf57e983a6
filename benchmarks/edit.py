"""Speed of pix2pix beside the usual PyTorch implementation; how long one image takes, and memory.

    python benchmarks/edit.py            writes its kind of machine into results/edit.json

The usual side has the layers of the authors' later code: a U-Net of blocks within blocks and a critic of 70 (at 64 pixels 34) pixels,
batch normalisation, float32, contiguous, fed by a DataLoader that resizes, cuts and mirrors pairs; one generated image serves both steps.
Ours has as many convolutions of the same widths, as `pushforward train pix2pix --width 64` makes them.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial

import torch
from common import Segment, environment, race_apart, results_of_kind
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, interpolate
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from pushforward.data import Dataset, Shuffled
from pushforward.nets.unet import FIELDS, fitting_field
from pushforward.systems.pix2pix import Pix2Pix
from pushforward.training import Trainer
from pushforward.training.machines import fast_bfloat16, lay_out
from pushforward.training.memory import keep_memory

WIDTH = 64
BATCHES = {64: 4, 256: 1}
"""Pairs of a round by side in pixels; at 256 that of the paper."""


class Block(nn.Module):
    """One level of a U-Net with those below it inside."""

    def __init__(self, into: int, inner: int, out: int, below: nn.Module | None, outermost: bool, dropout: bool):
        super().__init__()
        down = nn.Conv2d(into, inner, 4, 2, 1)
        up = nn.ConvTranspose2d(inner * (1 if below is None else 2), out, 4, 2, 1)
        if outermost:
            parts = [down, below, nn.ReLU(True), up, nn.Tanh()]
        elif below is None:
            parts = [nn.LeakyReLU(0.2, True), down, nn.ReLU(True), up, nn.BatchNorm2d(out)]
        else:
            parts = [nn.LeakyReLU(0.2, True), down, nn.BatchNorm2d(inner), below, nn.ReLU(True), up, nn.BatchNorm2d(out)]
            parts += [nn.Dropout(0.5)] if dropout else []
        self.layers, self.outermost = nn.Sequential(*[part for part in parts if part is not None]), outermost

    def forward(self, x: Tensor) -> Tensor:
        made = self.layers(x.clone() if not self.outermost else x)  # the leaky ReLU works in place
        return made if self.outermost else torch.cat([x, made], 1)


def usual_generator(source: int, side: int) -> nn.Module:
    """As many halvings as the side allows, up to eight."""
    depth = min(8, side.bit_length() - 1)
    widths = [WIDTH * min(2**level, 8) for level in range(depth)]
    block = Block(widths[-2], widths[-1], widths[-2], None, False, False)
    for level in range(depth - 2, 0, -1):
        block = Block(widths[level - 1], widths[level], widths[level - 1], block, False, depth - 1 - level < 3)
    return Block(source, widths[0], 3, block, True, False)


def usual_critic(into: int, side: int) -> nn.Module:
    """Patches of the field that ours takes."""
    halvings = FIELDS[fitting_field((side, side))]
    layers: list[nn.Module] = [nn.Conv2d(into, WIDTH, 4, 2, 1), nn.LeakyReLU(0.2, True)]
    for level in range(1, halvings + 1):
        a, b = (WIDTH * min(2**power, 8) for power in (level - 1, level))
        layers += [nn.Conv2d(a, b, 4, 2 if level < halvings else 1, 1, bias=False), nn.BatchNorm2d(b), nn.LeakyReLU(0.2, True)]
    return nn.Sequential(*layers, nn.Conv2d(b, 1, 4, 1, 1))


class Pairs(TorchDataset[tuple[Tensor, Tensor]]):
    """Pairs, resized to a ninth more, cut and mirrored at random."""

    def __init__(self, x: Tensor, y: Tensor):
        self.x, self.y = x, y

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, place: int) -> tuple[Tensor, Tensor]:
        pair = torch.cat([self.x[place], self.y[place]]).float() / 127.5 - 1
        side = pair.shape[-1]
        large = interpolate(pair[None], side + side // 8, mode="bicubic", align_corners=False)[0]
        top, left = torch.randint(side // 8 + 1, (2,)).tolist()
        pair = large[:, top : top + side, left : left + side]
        pair = pair.flip(2) if torch.rand(()) < 0.5 else pair
        return pair[:3].contiguous(), pair[3:].contiguous()


def noise(side: int) -> Dataset:
    """Pairs that show nothing."""
    chance = torch.Generator().manual_seed(0)
    image, source = (torch.randint(256, (64, 3, side, side), generator=chance, dtype=torch.uint8) for _ in range(2))
    return Dataset("noise", image=image, source=source, translate=True)


def usual(side: int) -> Segment:
    """The usual loop."""
    dataset = noise(side)
    assert dataset.image is not None and dataset.source is not None
    loader = DataLoader(Pairs(dataset.source, dataset.image), batch_size=BATCHES[side], shuffle=True, drop_last=True)
    net_g, net_d = usual_generator(3, side), usual_critic(6, side)
    steps_g, steps_d = (torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999)) for net in (net_g, net_d))

    def forever() -> Iterator[list[Tensor]]:
        while True:
            yield from loader

    def wants(said: Tensor, real: bool) -> Tensor:
        return binary_cross_entropy_with_logits(said, torch.full_like(said, float(real)))

    batches = forever()

    def segment(count: int) -> None:
        for _ in range(count):
            x, y = next(batches)
            made = net_g(x)
            for weight in net_d.parameters():
                weight.requires_grad_(True)
            steps_d.zero_grad()
            loss = (wants(net_d(torch.cat([x, made.detach()], 1)), False) + wants(net_d(torch.cat([x, y], 1)), True)) / 2
            loss.backward()
            steps_d.step()
            for weight in net_d.parameters():
                weight.requires_grad_(False)
            steps_g.zero_grad()
            loss = wants(net_d(torch.cat([x, made], 1)), True) + 100 * (made - y).abs().mean()
            loss.backward()
            loss.item()
            steps_g.step()

    return segment


def ours(side: int, precision: str = "auto") -> Segment:
    """This project's trainer, memory as in a run."""
    keep_memory()
    system = Pix2Pix(Pix2Pix.Config((3, side, side), 3, width=WIDTH, batch_size=BATCHES[side]))
    trainer = Trainer(system, Shuffled(noise(side)), 10**12, precision=precision)  # type: ignore[arg-type]

    def segment(count: int) -> None:
        for _ in range(count):
            trainer.round()

    return segment


def latency(side: int = 256) -> dict[str, float]:
    """Milliseconds until one image is edited, by ours and by the usual generator; the least of ten."""
    system = Pix2Pix(Pix2Pix.Config((3, side, side), 3, width=WIDTH)).eval()
    lay_out(system)
    net, x = usual_generator(3, side).eval(), torch.rand(1, 3, side, side)
    found = {}
    for name, ask in (("ours", lambda: system.edit({"source": x})), ("usual", lambda: net(x))):
        took = []
        for _ in range(11):
            start = time.perf_counter()
            with torch.no_grad():
                ask()
            took.append(1e3 * (time.perf_counter() - start))
        found[name] = min(took)
    return found


def main() -> None:
    """Run everything and write the result."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--segments", type=int, default=5)
    asked = arguments.parse_args()
    fast, sizes = fast_bfloat16(torch.device("cpu")), {}
    for side, batch in BATCHES.items():
        sides: dict[str, Callable[[], Segment]] = {
            "ours": partial(ours, side),
            "usual": partial(usual, side),
        }
        if fast:
            sides["ours, float32"] = partial(ours, side, "float32")
        told = race_apart(sides, 12 if side < 128 else 3, asked.segments)
        rate = {name: 1e3 * batch / each["median"] for name, each in told.items()}
        ratio = {name: told["usual"]["median"] / each["median"] for name, each in told.items()}
        sizes[str(side)] = {"batch": batch, "milliseconds a round": told, "images a second": rate, "times the usual speed": ratio}
    found = {
        "command": f"python benchmarks/edit.py --segments {asked.segments}",
        "environment": environment(),
        "data": "pairs of noise: speed does not depend on what they show",
        "width": WIDTH,
        "training, by side in pixels": sizes,
        "milliseconds to edit one image of 256 pixels": latency(),
    }
    results_of_kind("edit.json", found)


if __name__ == "__main__":
    main()
