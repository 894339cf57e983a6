"""The lecture's ring and five other densities in the plane, each given to a plain generator net for 2 million points.

Learned means: the energy distance (V-statistic, float64) between 10,000 generated and 10,000 fresh real points is no larger than 95 % of
the distances between two real samples of that size. Of a perfect generator, one in twenty cells would fail.
"""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from pushforward import figures, recipes
from pushforward.core import Samples
from pushforward.data import Dataset, Shuffled, toys
from pushforward.maths import energy_distance
from pushforward.reproduce.cells import Cell, seconds_of
from pushforward.runs import Run, durable, go_on
from pushforward.training import Trainer

DENSITIES = ("ring", "moons", "spirals", "gaussians", "checkerboard", "theta")
IMAGES = 2_000_000
"""Points seen, in rounds of 256."""
SEEDS = 3
POINTS = 10_000
PAIRS = 200
"""Pairs of real samples, from whose distances the 95th percentile is taken."""
CLOTH = "checkerboard"
FRAMES = 48
REACH = 2.3


def cells() -> list[Cell]:
    """Three seeds of each density."""
    return [
        Cell(f"{toy}/seed-{n}", {"data": toy, "images": IMAGES}, n, partial(measure, toy, n)) for toy in DENSITIES for n in range(SEEDS)
    ]


def measure(toy: str, seed: int, folder: Path) -> dict[str, Any]:
    """Train on one density, and compare with fresh points of it."""
    run = trained(toy, seed, folder / "run")
    train, _ = run.data()
    distance = float(energy_distance(made(run, seed, POINTS), fresh(toy, ("real", seed), train, POINTS)))
    chance = real_against_real(toy, train, folder.parent / "real-against-real.json")
    limit = float(torch.tensor(chance).quantile(0.95))
    return {
        "fingerprint": run.recipe.fingerprint[:16],
        **seconds_of(run),
        "energy distance": distance,
        "real against real, median": float(torch.tensor(chance).median()),
        "real against real, 95th percentile": limit,
        "within": distance <= limit,
    }


def trained(toy: str, seed: int, folder: Path) -> Run:
    """A run in `folder`, trained to its end now or before; its sheet is drawn at the end only, to time the training and not the drawing."""
    if (folder / "recipe.json").exists():
        return go_on(folder, quiet=True)
    order = recipes.plan("moment_matching", toy, images=IMAGES, seed=seed, split_seed=seed)
    recipe = replace(order.recipe, sheet_every=order.recipe.images)
    return recipes.run_order(replace(order, recipe=recipe), folder, quiet=True)


def made(run: Run, seed: int, count: int) -> Float[Tensor, "n 2"]:
    """Generated points in float64, standardised as the training data are."""
    system = run.open()
    assert isinstance(system, Samples)
    return system.sample(count, seed=seed).double()


def fresh(toy: str, purpose: tuple[str, int], train: Dataset, count: int) -> Float[Tensor, "n 2"]:
    """Points that no training has seen, a function of `purpose`, standardised as `train` is."""
    assert train.centre is not None and train.scale is not None
    return (toys.points(toy, count, *purpose) - train.centre.double()) / train.scale.double()


def real_against_real(toy: str, train: Dataset, kept: Path) -> list[float]:
    """Distances of `PAIRS` independent pairs of real samples; they are `kept` for the other seeds of the density."""
    if not kept.exists():
        draws = [[fresh(toy, (side, pair), train, POINTS) for side in ("left", "right")] for pair in range(PAIRS)]
        durable.write(kept, json.dumps([float(energy_distance(x, y)) for x, y in draws]).encode())
    found: list[float] = json.loads(kept.read_bytes())
    return found


def pictures(results: dict[str, Any], runs: Path) -> list[Path]:
    """The ring in closed form beside the learned one, all densities, and the grid of codes under G, still and while it is learned."""
    first = {toy: Run(runs / toy / "seed-0" / "run") for toy in DENSITIES}
    z = torch.randn(4_000, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    ring = figures.clouds(
        [[z, toys.lecture_ring(z), own_units(first["ring"], made(first["ring"], 0, 4_000))]],
        [""],
        ["z ~ N(0, I)", "G(z) = z/10 + z/|z|", "learned G(z)"],
    )
    real = [fresh(toy, ("real", 0), run.data()[0], POINTS) for toy, run in first.items()]
    every = figures.clouds([real, [made(run, 0, POINTS) for run in first.values()]], ["real", "generated"], list(first))
    frames = stretching(first[CLOTH])
    drawn = {"ring": ring, "densities": every, "cloth": frames[-1]}
    paths = [figures.save(picture, runs / "pictures" / f"moment-matching-{name}.png") for name, picture in drawn.items()]
    return [*paths, figures.animation(frames, runs / "pictures" / "moment-matching-cloth.gif")]


def own_units(run: Run, x: Float[Tensor, "n 2"]) -> Float[Tensor, "n 2"]:
    """Standardised points in the units of their density."""
    train, _ = run.data()
    assert train.centre is not None and train.scale is not None
    return x * train.scale + train.centre


def stretching(run: Run) -> list[Any]:
    """The grid under G at times that grow by a factor, of a run trained once more: the same weights, as training repeats to the bit."""
    recipe = run.recipe
    system = recipe.build()
    trainer = Trainer(system, Shuffled(run.data()[0], recipe.seed), recipe.images, seed=recipe.seed, precision=recipe.precision)
    grid = figures.latent_grid()
    codes = torch.from_numpy(grid).float().flatten(0, 1)
    times = [0, *torch.logspace(4, 0, FRAMES - 1, 10).reciprocal().mul(recipe.images).tolist()]
    found = [figures.cloth(grid, image_of(system, codes, grid.shape), REACH)]
    for _ in trainer.rounds():
        if trainer.seen >= times[len(found)]:
            found.append(figures.cloth(grid, image_of(system, codes, grid.shape), REACH))
            if len(found) == len(times):
                break
    return found


@torch.no_grad()
def image_of(system: Any, codes: Float[Tensor, "n 2"], shape: tuple[int, ...]) -> Tensor:
    """G of the grid's codes, by the averaged weights that samples come from."""
    points: Tensor = system.average(codes.to(next(system.average.parameters()).device)).cpu()
    return points.view(shape)
