"""Tiny trained runs that the commands are tried on, and a way to run a command inside this process."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pushforward
from pushforward.cli import main

COLOURS = np.array([(0, 0, 170), (255, 85, 0)], np.uint8)
TINY = {"images": 640, "net": "mlp", "width": 32, "latent": 3, "quiet": True}
PAIRED = {"images": 64, "width": 4, "batch_size": 4, "quiet": True}


@dataclass(frozen=True)
class Answer:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def path(self) -> Path:
        """The path that a command ended its output with."""
        return Path(self.out.strip().split("\n")[-1])


@pytest.fixture
def ask(capsys, tmp_path, monkeypatch) -> Callable[..., Answer]:
    """Run a command, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def command(*words: object) -> Answer:
        capsys.readouterr()
        code = main([str(word) for word in words])
        said = capsys.readouterr()
        return Answer(code, said.out, said.err)

    return command


@pytest.fixture(scope="session")
def table(tmp_path_factory) -> Path:
    """A CSV of two related columns."""
    path = tmp_path_factory.mktemp("data") / "table.csv"
    x = np.random.default_rng(0).normal(size=200)
    path.write_text("length,weight\n" + "".join(f"{a:.3f},{2 * a + 1:.3f}\n" for a in x))
    return path


@pytest.fixture(scope="session")
def runs(tmp_path_factory, table) -> dict[str, Path]:
    """A run of each kind."""
    folder = tmp_path_factory.mktemp("runs")
    made = {
        "vae": ("vae", "digits", {}),
        "conditional": ("conditional_vae", "digits", {}),
        "classifier": ("classification_vae", "digits", {}),
        "completing": ("conditional_vae", "digits", {"observe": 2}),
        "table": ("vae", table, {"latent": 2}),
    }
    return {
        name: pushforward.train(system, data, run=folder / name, **(TINY | more)).folder  # type: ignore[arg-type]
        for name, (system, data, more) in made.items()
    }


@pytest.fixture(scope="session")
def place(tmp_path_factory) -> Path:
    """A folder of pairs, a label map, a photo, and runs."""
    place = tmp_path_factory.mktemp("pairs")
    (place / "pairs").mkdir()
    chance = np.random.default_rng(0)
    for number in range(40):
        map_ = COLOURS[chance.integers(0, 2, (4, 4)).repeat(4, 0).repeat(4, 1)]
        photo = 255 - map_
        Image.fromarray(np.concatenate([map_, photo], 1)).save(place / "pairs" / f"{number}.png")
    Image.fromarray(map_).save(place / "map.png")
    Image.fromarray(photo).resize((40, 40)).save(place / "photo.png")
    pushforward.train("pix2pix", str(place / "pairs"), pairs="left-to-right", palette="2", run=place / "labels", **PAIRED)
    pushforward.train("pix2pix", "faces", pairs="edges", size=16, run=place / "edges", **PAIRED)
    pushforward.train("pix2pix", "faces", pairs="parts", size=16, objective="l1", run=place / "parts", **PAIRED)
    pushforward.train(
        "conditional_vae", "faces", mask="square", size=16, run=place / "holes", images=64, width=4, latent=2, net="convolution", quiet=True
    )
    hole = Image.new("L", (16, 16), 0)
    hole.paste(255, (4, 4, 10, 12))
    hole.save(place / "hole.png")
    return place
