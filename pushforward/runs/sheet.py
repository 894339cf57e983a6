"""The picture that is made again and again while a system trains, from the same random codes every time."""

import torch
from PIL import Image

from pushforward import figures
from pushforward.core import Edits, Parses, Samples, System
from pushforward.data import Dataset
from pushforward.training.machines import moved

COUNT = 64


def sheet(system: System, dataset: Dataset) -> Image.Image | None:
    """Samples (a column per class where there are few classes), or completions of the first examples where a system edits images."""
    index = torch.arange(min(8, len(dataset)))
    if isinstance(system, Parses):
        first = moved(dataset.batch(index), device_of(system))
        return figures.parsed(first["image"], system.parse(first["image"]).argmax(1), first["parts"], len(dataset.part_names))
    if isinstance(system, Edits) and "source" in system.needs:
        first = moved(dataset.batch(index, torch.Generator(dataset.device).manual_seed(0)), device_of(system))
        return figures.completions(first["source"], [system.edit(first, seed=seed) for seed in range(4)], first["image"], first.get("mask"))
    if not isinstance(system, Samples):
        return None
    columns = system.labels if 2 <= system.labels <= 12 else 8
    made = system.sample(COUNT // columns * columns, seed=0)
    if made.ndim == 2:
        real = dataset.row
        assert real is not None
        return figures.points(real[:2000], system.sample(2000, seed=0), dataset.columns)
    return figures.sheet(made, columns)


def device_of(system: System) -> torch.device:
    """Where its weights lie."""
    return next(system.parameters()).device
