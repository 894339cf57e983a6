"""Train on images of your own: a folder (each sub-folder a class), a zip, or a tensor. Made-up stripes stand for them here."""

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import pushforward
from pushforward import figures


def stripes(number: int, upright: bool) -> Image.Image:
    """A coloured image of stripes, each a little different."""
    wave = np.sin(np.arange(40) * (0.4 + number / 200))
    grey = np.tile(wave, (40, 1)) if upright else np.tile(wave[:, None], (1, 40))
    return Image.fromarray(np.uint8(127 * (1 + grey)[..., None] * [1, 0.5 + number / 200, 0.3]))


folder = Path(tempfile.mkdtemp())
for name, upright in (("upright", True), ("lying", False)):
    (folder / name).mkdir()
    for number in range(100):
        stripes(number, upright).save(folder / name / f"{number}.png")

# 40 x 40 pixels become 16 x 16; a tenth is held out; network and likelihood follow from the data
run = pushforward.train("conditional_vae", folder, size=16, images=6_000, batch_size=32)
train, test = run.data()
print(f"{len(train)} images of {' and '.join(train.classes)}, {len(test)} held out.")
print(figures.save(figures.sheet(run.open().sample(16, seed=0)), run.folder / "stripes.png"))
