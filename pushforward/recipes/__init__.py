"""Floor 4: complete configurations as functions, and the way from a user's words to a trained run."""

from pathlib import Path
from typing import Any

from pushforward.recipes.named import RECIPES
from pushforward.recipes.plan import Order, Plan, order, run_order
from pushforward.runs import Run

__all__ = ["RECIPES", "Order", "Plan", "order", "plan", "run_order", "train"]


def plan(what: str, data: Any = None, *, images: int | None = None, minutes: float | None = None, **options: Any) -> Order:
    """A complete recipe for training `what` (a system or a named recipe); see `train`."""
    return order(what, data, images=images, minutes=minutes, recipes=RECIPES, **options)


def train(
    system: str,
    data: Any = None,
    *,
    images: int | None = None,
    minutes: float | None = None,
    run: Path | str | None = None,
    quiet: bool = False,
    **options: Any,
) -> Run:
    """Train a system and return its run folder: `train("vae", "digits", images=100_000).open().sample(16, seed=0)`.

    system: a name (`vae`, `conditional_vae`, `classification_vae`, or a module of your own) or a recipe (`mnist_semi`).
    data: a name (`digits`, `mnist`), a path, a tensor [N, C, H, W] (uint8, or floats in [0, 1]), or (tensor, labels).
    images or minutes: how long to train. run: the folder to make; `runs/NAME` by default, or `runs/NAME-2` where that is taken.
    options: fields of the system's Config (latent=2), of DataSpec (labels=100, size=64), or seed, rule, shards, precision, clip, compiled.

    Raises:
        BadInput: one sentence saying what is wrong, the value, and what to do.
    """
    return run_order(plan(system, data, images=images, minutes=minutes, **options), run, quiet)
