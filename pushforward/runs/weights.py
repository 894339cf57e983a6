"""Weights of a checkpoint and those of a system: which belong to a run, and how they come in."""

from pathlib import Path
from textwrap import shorten

from torch import Tensor

from pushforward.core import BadInput, System
from pushforward.runs.checkpoint import Checkpoint
from pushforward.runs.recipe import Recipe
from pushforward.training import Trainer


def given_in(weights: dict[str, Tensor], recipe: Recipe) -> dict[str, Tensor]:
    """Those of the systems from outside, which checkpoints do not hold."""
    return {key: value for key, value in weights.items() if key.partition(".")[0] in recipe.given}


def without(weights: dict[str, Tensor], recipe: Recipe) -> dict[str, Tensor]:
    """The others."""
    return {key: value for key, value in weights.items() if key.partition(".")[0] not in recipe.given}


def enter_weights(system: System, found: Checkpoint, folder: Path) -> None:
    """Give a system the weights of a checkpoint.

    Raises:
        BadInput: they are those of another network.
    """
    try:
        system.load_state_dict(found.weights | given_in(system.state_dict(), found.facts.recipe))
    except RuntimeError as error:
        what = shorten(str(error).splitlines()[-1], 160, placeholder=" ...")
        raise BadInput(f"{folder} does not fit {type(system).__name__} of this version ({what}). Use the version that made it.") from None


def fill(trainer: Trainer, found: Checkpoint, folder: Path) -> None:
    """Bring a trainer to a checkpoint.

    Raises:
        BadInput: it is one of another network.
    """
    enter_weights(trainer.system, found, folder)
    try:
        trainer.restore(found.state, found.facts.seen, found.facts.slower, found.facts.counted)
    except (KeyError, RuntimeError) as error:
        raise BadInput(
            f"{folder} does not fit {type(trainer.system).__name__} of this version ({error}). Use the version that made it."
        ) from None
