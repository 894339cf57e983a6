"""Completing binarised digits of which 1, 2 or 3 quadrants are seen: - log p(hidden | seen), beside Pyro's networks on the same protocol.

Protocol: MNIST, 60,000 training and 10,000 test images, dynamic binarisation; K importance samples of each test image from
q(z | seen, hidden); nats per image, over hidden pixels. Pyro's own figures (71.8, 51.0, 24.2) come from Monte Carlo on grey levels:
another number.
"""

from functools import partial
from pathlib import Path
from typing import Any

from pushforward import figures, metrics
from pushforward.data import DataSpec
from pushforward.evaluation import weighed
from pushforward.report.pictures import completions
from pushforward.reproduce.cells import Cell, trained
from pushforward.runs import Run

DRAWS = 1_000
SYSTEMS: dict[str, tuple[str, dict[str, Any]]] = {
    "baseline": ("pushforward.reproduce._pyro_quadrants", {"baseline": True, "images": 600_000}),
    "pyro-cvae": ("pushforward.reproduce._pyro_quadrants", {"images": 1_800_000}),
    "ours": ("conditional_vae", {"condition": "image", "latent": 24, "width": 16, "images": 900_000}),
}
"""What is trained, and for how long: until longer training no longer helps on held-out training images, or eight minutes of two cores."""


def cells() -> list[Cell]:
    """Each system with each number of quadrants."""
    return [
        Cell(f"{name}/{seen}-seen", {"system": name, "observe": seen, **options}, 0, partial(measure, name, seen))
        for name, (_, options) in SYSTEMS.items()
        for seen in (1, 2, 3)
    ]


def measure(name: str, seen: int, folder: Path) -> dict[str, Any]:
    """Train, then - log p(hidden | seen) of the test images."""
    system, options = SYSTEMS[name]
    run, seconds = trained(folder / "run", system, DataSpec("mnist", binarise="dynamic", observe=seen), **options)
    train, test = run.data()
    assert test is not None
    draws = 1 if name == "baseline" else DRAWS  # it has no code: one draw is exact
    found = weighed(run.open(), test, draws, folder / "weights.safetensors", f"{run.weights()}, {test.fingerprint}")
    told = metrics.summary(found)
    return {"fingerprint": train.fingerprint[:16], **seconds, "draws": draws, "n": len(test), **told}


def pictures(results: dict[str, Any], runs: Path) -> list[Path]:
    """For each number of quadrants: digits, what is seen of them, and completions."""
    made = []
    for seen in (1, 2, 3):
        run = Run(runs / f"ours/{seen}-seen" / "run")
        train, test = run.data()
        picture = completions(run.open(), test or train, count=10, answers=6)
        made.append(figures.save(picture, runs / "pictures" / f"conditional-{seen}.png"))
    return made
