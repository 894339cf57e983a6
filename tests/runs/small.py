"""Runs that train in a moment: every system and form, twenty rounds of eight images.

Reports, sheets and checkpoints are due at odd times.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pushforward.data import DataSpec, open_data
from pushforward.runs import Recipe, session

BATCH, ROUNDS = 8, 20
KINDS: dict[str, tuple[str, dict[str, Any], dict[str, Any], int]] = {
    # system, settings, what is said of the data, labelled images in a batch
    "vae": ("vae", {"net": "mlp", "latent": 3, "width": 8}, {}, 0),
    "vae-convolution": ("vae", {"net": "convolution", "latent": 3, "width": 4, "likelihood": "bernoulli"}, {"binarise": "dynamic"}, 0),
    "conditional-label": ("conditional_vae", {"classes": 3, "latent": 3, "width": 8}, {}, 0),
    "conditional-image": ("conditional_vae", {"condition": "image", "net": "convolution", "latent": 3, "width": 4}, {"observe": 2}, 0),
    "classification-bound": ("classification_vae", {"classes": 3, "latent": 3, "width": 8, "average": 40}, {"labels": 6}, 4),
    "classification-lecture": (
        "classification_vae",
        {"classes": 3, "latent": 3, "width": 4, "net": "convolution", "form": "lecture", "views": "small-digits", "consistency": 1.0}
        | {"mutual_information": 0.5, "average": 40, "bound_every": 2, "threshold": 0.4, "last_threshold": 0.3},
        {"labels": 6},
        4,
    ),
    "gan": ("gan", {"latent": 3, "width": 8, "layers": 2, "average": 40, "lazy": 2, "augment": "adaptive", "rate": 1e-3}, {}, 0),
    "gan-spectral": (
        "gan",
        {
            "latent": 3,
            "width": 4,
            "net": "residual",
            "objective": "hinge",
            "spectral": True,
            "r1": 0.0,
            "r2": 0.0,
            "dropout": 0.3,
            "turns": 2,
        },
        {},
        0,
    ),
    "conditional-gan": ("conditional_gan", {"classes": 3, "latent": 3, "width": 8, "layers": 2, "conditioning": "auxiliary"}, {}, 0),
    "pix2pix": ("pix2pix", {"source": 1, "width": 4}, {"pairs": "edges"}, 0),
    "pix2pix-coded": ("pix2pix", {"source": 1, "width": 4, "code": 2}, {"pairs": "edges"}, 0),
    "completion": ("completion", {"width": 4}, {"mask": "mixed"}, 0),
    "completion-paper": ("completion", {"width": 4, "form": "paper", "critics": "local+global", "code": 8}, {"mask": "square"}, 0),
    "game": ("tests.tiny_game", {}, {}, 0),
}


def examples(folder: Path) -> Path:
    """A file of 50 images of 8x8 pixels in three classes: bright above, bright left, bright all over, with noise."""
    path = folder / "examples.npz"
    if not path.exists():
        chance = np.random.default_rng(0)
        label = np.arange(50) % 3
        image = chance.integers(0, 90, (50, 8, 8), dtype=np.uint8)
        image[label == 0, :4] += 120
        image[label == 1, :, :4] += 120
        image[label == 2] += 120
        np.savez(path, image=image, label=label)
    return path


def recipe_of(kind: str, folder: Path, **changes: Any) -> Recipe:
    """The recipe of a small run on `examples(folder)`."""
    system, settings, said, labelled = KINDS[kind]
    spec = DataSpec(str(examples(folder)), held_out=0.0, **said)
    settings = {"shape": (1, 8, 8), "batch_size": BATCH, **settings}
    made = Recipe(
        system,
        settings,
        spec,
        BATCH * ROUNDS,
        open_data(spec)[0].fingerprint,
        labelled=labelled,
        clip=5.0,
        report_every=3 * BATCH,
        sheet_every=7 * BATCH,
        save_every=5 * BATCH,
    )
    return replace(made, **changes)


def contents(folder: Path) -> dict[str, bytes]:
    """All that a run's training wrote but times and machine: the bytes of each file."""
    told = ("lock", "sessions.jsonl", "environment.json")
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in told
    }


@contextmanager
def interrupted_at(*seen: int) -> Iterator[None]:
    """Inside, a training is asked to end after the round that reaches any of these numbers of images, as by SIGTERM."""
    asked: list[int] = []
    round_of_screen = session.Screen.round

    def ask(screen: session.Screen, now: int) -> None:
        round_of_screen(screen, now)
        if now in seen:
            asked.append(signal.SIGTERM)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "signals", lambda: nullcontext(asked))
        patch.setattr(session.Screen, "round", ask)
        yield
