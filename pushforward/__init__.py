"""Generative neural networks: z ~ p(z), x = G(z) ~ p(x).

import pushforward

run = pushforward.train("vae", "digits", images=100_000)
images = pushforward.load(run.folder).sample(16, seed=0)      # [16, 1, 8, 8] in [-1, 1]
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
__all__ = ["BadInput", "data", "load", "resume", "systems", "train"]

PLACES = {
    "BadInput": ("pushforward.core", "BadInput"),
    "data": ("pushforward.data", None),
    "load": ("pushforward.runs", "load"),
    "resume": ("pushforward.runs", "go_on"),
    "systems": ("pushforward.systems", None),
    "train": ("pushforward.recipes", "train"),
}


def __getattr__(name: str) -> Any:
    """Public names are imported when first used, so that the command line answers `--help` without waiting for torch."""
    if name not in PLACES:
        raise AttributeError(f"module 'pushforward' has no attribute '{name}'")
    module, attribute = PLACES[name]
    found = import_module(module)
    return found if attribute is None else getattr(found, attribute)


def __dir__() -> list[str]:
    return __all__
