"""The small trained runs that come with the package, from MNIST and drawn faces.

`python -m pushforward.recipes.zoo [NAME ...]` makes them anew.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from pushforward.recipes import train
from pushforward.runs import Run, checkpoint, durable
from pushforward.runs.finding import ZOO

FACES = {"data": "faces"}
MAKES: dict[str, tuple[str, dict[str, Any]]] = {
    "vae": ("vae", {"data": "mnist", "binarise": "dynamic", "latent": 10, "width": 20, "rate": 3e-3, "images": 400_000}),
    "conditional_vae": (
        "conditional_vae",
        {"data": "mnist", "binarise": "dynamic", "latent": 8, "width": 20, "rate": 4e-3, "images": 400_000},
    ),
    "classification_vae": (
        "mnist_semi",
        {"binarise": "dynamic", "labels": 60_000, "width": 14, "bound_every": 1, "settle": 0.0, "rate": 3e-3, "images": 300_000},
    ),
    "few_labels": ("mnist_semi", {"labels": 100, "width": 14}),
    "ladder_vae": ("mnist_ladder", {}),
    "moment_matching": ("moment_matching", {"data": "checkerboard", "images": 2_000_000}),
    "gan": ("mnist_gan", {}),
    "conditional_gan": ("mnist_conditional_gan", {}),
    "gan_faces": ("gan", FACES | {"size": 32, "width": 12, "lazy": 4, "rate": 2e-3, "images": 500_000}),
    "conditional_gan_faces": (
        "conditional_gan",
        FACES | {"size": 32, "told": "attributes", "width": 12, "lazy": 4, "rate": 2e-3, "images": 500_000},
    ),
    "completion": (
        "completion",
        FACES
        | {"size": 64, "mask": "mixed", "width": 12, "guess": 16, "rate": 2e-3}
        | {"critics": "none", "third": 0.5, "average": 10_000, "images": 150_000},
    ),
    "mask_to_face": (
        "pix2pix",
        FACES
        | {"pairs": "parts", "size": 64, "width": 12, "upwards": "resize", "code": 8, "l1": 10.0, "kl": 0.1}
        | {"rate": 1e-3, "batch_size": 8, "images": 50_000},
    ),
    "edges_to_face": (
        "pix2pix",
        FACES
        | {"pairs": "edges", "size": 64, "width": 12, "upwards": "resize", "code": 8, "l1": 30.0, "kl": 0.3, "r1": 10.0}
        | {"rate": 1e-3, "batch_size": 8, "images": 50_000},
    ),
    "reader_mnist": ("classifier", {"data": "mnist", "views": "digits", "width": 14, "images": 400_000}),
    "reader_fashion": ("classifier", {"data": "fashion-mnist", "width": 14, "images": 400_000}),
    "reader_faces": ("describer", {"data": "faces", "size": 64, "width": 8, "images": 120_000}),
}
LARGEST, ROUNDED = 2.6e6, 1.75e6
"""Bytes that one of them may take, and those of weights from which on these are rounded to 16 bits."""
REPORTS = 150
"""Lines of a run's metrics that are shipped, evenly spaced, the last among them."""


def ship(run: Run, name: str) -> Path:
    """Copy what opening a run needs into the package: no optimiser state, no sheets.

    Raises:
        ValueError: it is too large to be shipped.
    """
    place = ZOO / name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for part in ("recipe.json", "sessions.jsonl"):
        shutil.copy(run.folder / part, place / part)
    made = json.loads((run.folder / "environment.json").read_text()) | {"command": f"python -m pushforward.recipes.zoo {name}"}
    (place / "environment.json").write_text(json.dumps(made, indent=1) + "\n")
    lines = (run.folder / "metrics.jsonl").read_text().splitlines(keepends=True)[::-1]
    (place / "metrics.jsonl").write_text("".join(lines[:: -(-len(lines) // REPORTS)][::-1]))
    newest = run.newest()
    durable.write_folder(place / "checkpoints" / newest.name, checkpoint.light(newest, ROUNDED))
    for given in run.recipe.given:  # as they are: a run knows its parts by their bytes
        Run(run.folder / "parts" / given).copy(place / "parts" / given)
    size = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
    if size > LARGEST:
        raise ValueError(f"{place} takes {size} bytes; at most {LARGEST:.0f} are shipped")
    return place


if __name__ == "__main__":
    for name in sys.argv[1:] or MAKES:
        what, options = MAKES[name]
        folder = Path("runs/zoo") / name
        print(ship(Run(folder) if folder.exists() else train(what, run=folder, **options), name))
