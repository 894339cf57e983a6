"""-log p(x) of binarised MNIST: a one-layer and a hierarchical VAE, beside what the papers say.

Protocol: 60,000 training and 10,000 test images, dynamic binarisation (a pixel is white with the probability of its grey level, anew in
each batch; the test images once, the same for every model), K = 1,000 importance samples of each test image. Settings were chosen on 1,000
training images held back for that; the test images are only read here. Weights are the averaged ones at the end of a length fixed before.
"""

from functools import partial
from pathlib import Path
from typing import Any

from pushforward import figures, metrics
from pushforward.core import Samples
from pushforward.evaluation import weighed
from pushforward.reproduce.cells import Cell, trained, whole
from pushforward.runs import Run

DRAWS = 1_000
SEEDS = {"mnist_vae": (0, 1), "mnist_ladder": (0,)}
"""Of each recipe."""
PUBLISHED = {
    "VAE, one layer": (86.76, "Burda et al. 2016, table 1"),
    "IWAE, one layer, 50 draws": (84.78, "Burda et al. 2016, table 1"),
    "PIWAE (8, 8)": (84.58, "pythae's reproduction of Rainforth et al. 2018"),
    "ladder VAE, five layers": (81.74, "Sonderby et al. 2016, table 1"),
    "NVAE": (78.01, "Vahdat & Kautz 2020, table 1"),
}
"""Nats on dynamically binarised MNIST, and where they stand. Some train on 50,000 images, some draw 5,000 importance samples."""


def cells() -> list[Cell]:
    """Each recipe with each of its seeds."""
    return [
        Cell(f"{recipe}/seed-{seed}", whole(recipe, {}), seed, partial(measure, recipe, seed)) for recipe in SEEDS for seed in SEEDS[recipe]
    ]


def measure(recipe: str, seed: int, folder: Path) -> dict[str, Any]:
    """Train, then -log p(x) of the test images."""
    run, seconds = trained(folder / "run", recipe, seed=seed)
    train, test = run.data()
    assert test is not None
    found = weighed(run.open(), test, DRAWS, folder / "weights.safetensors", f"{run.weights()}, {test.fingerprint}")
    told = metrics.summary(found)
    return {
        "fingerprint": train.fingerprint[:16],
        **seconds,
        "images": run.seen(),
        "draws": DRAWS,
        "n": len(test),
        **told,
    }


def pictures(results: dict[str, Any], runs: Path) -> list[Path]:
    """Samples of each recipe, none picked by hand."""
    made = []
    for recipe in SEEDS:
        system = Run(runs / f"{recipe}/seed-{SEEDS[recipe][0]}" / "run").open()
        assert isinstance(system, Samples)
        made.append(figures.save(figures.sheet(system.sample(60, seed=0), columns=12), runs / "pictures" / f"{recipe}.png"))
    return made
