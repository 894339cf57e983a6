"""Speed of VAE training on MNIST beside pythae's trainer, the usual PyTorch example loop, and the bound that matrix products alone set.

    python benchmarks/vae_training.py            writes results/vae_training.json

(a) fully connected 784-400-20-400-784, (b) pythae's convolutional MNIST encoder and decoder; batch 128, Adam, Bernoulli cross-entropy + KL.
All sides run in one process, interleaved segment by segment; medians and spread over segments. pythae is installed for this only
(`make benchmark` puts it into a folder of its own).
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial

import torch
from common import Segment, environment, race, results
from peers import PythaeSide, example_loop, peer_networks
from torch import Tensor, nn

from pushforward.core import Stage
from pushforward.data import DataSpec, Shuffled, open_data
from pushforward.systems.vae import VAE
from pushforward.training import Trainer

BATCH, LATENT = 128, 20


def ours(kind: str, dataset: object, compiled: bool, precision: str = "auto", unit: bool = False) -> Segment:
    """This project's trainer; the rate is held constant, as the other sides do. unit: the encoder reads pixels in [0, 1], as theirs do."""
    config = VAE.Config((1, 28, 28), latent=LATENT, net="mlp", width=400, likelihood="cross-entropy", warm_up=0.0)
    system = VAE(config, *(peer_networks(LATENT) if kind == "b" else ()))
    if unit:
        system.networks.features.register_forward_pre_hook(lambda net, given: ((given[0] + 1) / 2,))
    system.schedule = lambda seen, total: Stage(seen, BATCH)  # type: ignore[method-assign]
    trainer = Trainer(system, Shuffled(dataset), 10**12, compiled=compiled, precision=precision)  # type: ignore[arg-type]

    def segment(steps: int) -> list[float]:
        losses = []
        for _ in range(steps):
            trainer.round()
            losses.append(trainer.terms["vae"]["loss"])
        return [loss.item() for loss in losses]

    return segment


def products_alone(kind: str, precision: torch.dtype) -> Segment:
    """Forward and backward of the step's matrix products or convolutions, same shapes, nothing else."""
    jobs: list[Callable[[], object]] = []
    if kind == "a":
        for number, (into, out) in enumerate([(784, 400), (400, 2 * LATENT), (LATENT, 400), (400, 784)]):
            x, w, g = (torch.randn(shape, dtype=precision) for shape in ((BATCH, into), (out, into), (BATCH, out)))
            jobs += [partial(torch.mm, x, w.T), partial(torch.mm, g.T, x), *([partial(torch.mm, g, w)] if number else [])]
    else:
        encoder, decoder = peer_networks(LATENT)
        x = torch.randn(BATCH, 1, 28, 28)
        for layer, given in layers_with_inputs(encoder, x) + layers_with_inputs(decoder, torch.randn(BATCH, LATENT)):
            jobs.append(partial(forward_and_backward, layer.to(precision), given.to(precision)))

    def segment(steps: int) -> list[float]:
        for _ in range(steps):
            for job in jobs:
                job()
        return []

    return segment


def layers_with_inputs(net: nn.Module, x: Tensor) -> list[tuple[nn.Module, Tensor]]:
    """Each convolution and linear layer of a network, with the input it gets."""
    found: list[tuple[nn.Module, Tensor]] = []
    kinds = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
    handles = [
        m.register_forward_pre_hook(lambda m, given: found.append((m, given[0].detach()))) for m in net.modules() if isinstance(m, kinds)
    ]
    with torch.no_grad():
        net(x)
    for handle in handles:
        handle.remove()
    return [(layer.to(memory_format=torch.channels_last) if given.ndim == 4 else layer, given) for layer, given in found]


def forward_and_backward(layer: nn.Module, given: Tensor) -> None:
    """One layer, both ways; the first layer of a network needs no gradient of its input."""
    given = given.detach().requires_grad_(given.shape[1] != 1)
    out = layer(given)
    out.backward(out)


def sides_of(kind: str, dataset: object, compiles: bool, folder: str) -> dict[str, Segment]:
    """All sides of one comparison, by name."""
    found = {
        "ours": ours(kind, dataset, False),
        "pythae": PythaeSide(kind, dataset, folder, LATENT, BATCH),
        "example loop": example_loop(kind, dataset, LATENT, BATCH),
    }
    if compiles:
        found["ours, compiled"] = ours(kind, dataset, True)
    if kind == "a":
        found["ours, float32"] = ours(kind, dataset, False, "float32")
    for precision in (torch.float32, torch.bfloat16):
        found[f"products alone, {precision}".replace("torch.", "")] = products_alone(kind, precision)
    return found


def curves(kind: str, dataset: object, steps: int, seeds: int, folder: str) -> dict[str, list[float]]:
    """Mean loss of the last tenth of a short training, per seed: the sides, all reading pixels in [0, 1], should agree within noise."""
    told: dict[str, list[float]] = {}
    sides: dict[str, Callable[[], Segment]] = {
        "ours": lambda: ours(kind, dataset, False, unit=True),
        "pythae": lambda: PythaeSide(kind, dataset, folder, LATENT, BATCH),
        "example loop": lambda: example_loop(kind, dataset, LATENT, BATCH),
    }
    for seed in range(seeds):
        for name, side in sides.items():
            torch.manual_seed(seed)
            losses = side()(steps)
            told.setdefault(name, []).append(statistics.mean(losses[-max(1, steps // 10) :]))
    return told


def scaling(dataset: object) -> dict[str, list[dict[str, float]]]:
    """Milliseconds a step of (a) against batch and width: the cost should be linear in each once it is large."""

    def cost(width: int, batch: int) -> float:
        config = VAE.Config((1, 28, 28), latent=LATENT, net="mlp", width=width, likelihood="cross-entropy", batch_size=batch)
        trainer = Trainer(VAE(config), Shuffled(dataset), 10**12)  # type: ignore[arg-type]
        times = []
        for _ in range(40):
            start = time.perf_counter()
            trainer.round()
            times.append(1e3 * (time.perf_counter() - start))
        return statistics.median(times[10:])

    return {
        "batch": [{"batch": batch, "milliseconds": cost(400, batch)} for batch in (64, 128, 256, 512, 1024, 2048)],
        "width": [{"width": width, "milliseconds": cost(width, 128)} for width in (200, 400, 800, 1600)],
    }


def compiler_here() -> bool:
    """Whether torch.compile works on this machine."""
    try:
        torch.compile(lambda x: x.exp() + 1)(torch.ones(4))
        return True
    except Exception as reason:
        print(f"No compiled side: {type(reason).__name__}.")
        return False


def main() -> None:
    """Run everything and write the result."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--segments", type=int, default=15)
    arguments.add_argument("--steps", type=int, default=60, help="steps a segment of (a); (b), two hundred times dearer, takes a tenth")
    arguments.add_argument("--curves", type=int, default=400, help="steps of each loss curve of (a); (b) takes a quarter")
    arguments.add_argument("--only", choices=["a", "b"], help="one of the two; both where nothing is said")
    asked = arguments.parse_args()
    dataset, _ = open_data(DataSpec("mnist"))
    compiles = compiler_here()
    found: dict[str, object] = {
        "command": f"python benchmarks/vae_training.py --segments {asked.segments} --steps {asked.steps} --curves {asked.curves}"
        + (f" --only {asked.only}" if asked.only else ""),
        "environment": environment(),
        "batch": BATCH,
        "data": "MNIST, 60,000 training images",
    }
    with tempfile.TemporaryDirectory() as folder:
        for kind, steps, name in (
            ("a", asked.steps, "fully connected 784-400-20-400-784"),
            ("b", max(2, asked.steps // 10), "pythae's convolutional MNIST networks"),
        ):
            if asked.only not in (None, kind):
                continue
            times = race(sides_of(kind, dataset, compiles, folder), steps, asked.segments if kind == "a" else max(3, asked.segments // 2))
            median = {side: told["median"] for side, told in times.items()}
            ratios = {
                side: {"pythae / side": median["pythae"] / ms, "float32 products / side": median["products alone, float32"] / ms}
                for side, ms in median.items()
            }
            losses = curves(kind, dataset, asked.curves if kind == "a" else max(2, asked.curves // 4), 3 if kind == "a" else 1, folder)
            found[kind] = {"networks": name, "milliseconds a step": times, "ratios": ratios, "final losses, nats (seeds 0..)": losses}
            print(name, *(f"\n  {side:28} {ms:8.2f} ms   x{median['pythae'] / ms:.2f}" for side, ms in median.items()))
    found["scaling of (a)"] = scaling(dataset)
    results("vae_training.json", found)


if __name__ == "__main__":
    main()
