"""walk, project, directions, and samples of chosen attributes or with truncated codes, as a user types them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import pushforward
from pushforward.report.asking import in_turn
from pushforward.runs import Run
from pushforward.systems.conditional_gan import ConditionalGAN


@pytest.fixture(scope="module")
def gans(tmp_path_factory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("gans")
    small = {"images": 256, "width": 16, "latent": 4, "quiet": True}
    return {
        "gan": pushforward.train("gan", "digits", run=place / "gan", **small).folder,
        "told": pushforward.train("conditional_gan", "digits", run=place / "told", **small).folder,
        "rows": pushforward.train("gan", "moons", run=place / "rows", **small).folder,
        "faces": pushforward.train("conditional_gan", "faces", told="attributes", size=16, net="mlp", run=place / "faces", **small).folder,
        "vae": pushforward.train("vae", "digits", run=place / "vae", net="mlp", **small).folder,
    }


@pytest.mark.parametrize("name", ["gan", "told", "vae", "faces"])
def test_a_walk_is_an_animation(ask, gans, name):
    answer = ask("walk", gans[name], "--stops", 2, "--steps", 3, "--count", 4)
    assert answer.code == 0
    with Image.open(answer.path) as film:
        assert film.n_frames == 6


def test_a_walk_as_a_film(ask, gans, tmp_path):
    av = pytest.importorskip("av")
    answer = ask("walk", gans["gan"], "--stops", 2, "--steps", 6, "--count", 4, "--out", tmp_path / "walk.mp4")
    assert answer.code == 0
    with av.open(str(tmp_path / "walk.mp4")) as film:
        assert sum(1 for _ in film.decode(video=0)) == 12


@pytest.mark.parametrize("name", ["gan", "told"])
def test_codes_of_held_out_images_and_of_a_file(ask, gans, name, tmp_path):
    answer = ask("project", gans[name], "--count", 3, "--steps", 20)
    assert answer.code == 0 and "Pixels differ by" in answer.out
    codes = np.loadtxt(answer.out.split("\n")[1], delimiter=",")
    assert codes.shape == (3, 4)
    Image.new("L", (8, 8), 100).save(tmp_path / "one.png")
    file = ask("project", gans[name], "--images", tmp_path / "one.png", "--steps", 5, "--out", tmp_path / "found.png")
    if name == "told":
        assert file.code == 2 and "is told the class of each image. Give it with --label." in file.err
        file = ask("project", gans[name], "--images", tmp_path / "one.png", "--steps", 5, "--label", 3, "--out", tmp_path / "found.png")
    assert file.code == 0 and np.loadtxt(tmp_path / "found.csv", delimiter=",").shape == (4,)


def test_directions_are_drawn_with_their_shares(ask, gans):
    answer = ask("directions", gans["gan"], "--count", 3)
    assert answer.code == 0 and answer.out.count("of the activations' variance") == 3 and answer.path.exists()


def test_samples_of_chosen_attributes_and_of_truncated_codes(ask, gans, monkeypatch):
    answer = ask("sample", gans["faces"], "--attributes", "smile", 1, "glasses", 0, "--count", 4)
    assert answer.code == 0 and "smile1-glasses0" in answer.path.name
    told = []
    made = ConditionalGAN.generate
    monkeypatch.setattr(ConditionalGAN, "generate", lambda self, code, label=None: told.append(label) or made(self, code, label))
    assert ask("sample", gans["faces"], "--truncation", 0.5, "--count", 4).code == 0
    assert told[0].shape[0] == 4 and told[0].std(0).min() > 0.01, "attributes that are not given vary"
    near = ask("sample", gans["faces"], "--attributes", "smil", 1)
    assert near.code == 2 and "did you mean 'smile'?" in near.err
    assert "told no attributes" in ask("sample", gans["gan"], "--attributes", "smile", 1).err
    assert "attributes lie in 0..1" in ask("sample", gans["faces"], "--attributes", "smile", 3).err


def test_images_that_walk_or_are_found_have_attributes_of_their_own(ask, gans, monkeypatch, tmp_path):
    told = []
    made = ConditionalGAN.beside
    monkeypatch.setattr(ConditionalGAN, "beside", lambda self, code, label: told.append(label) or made(self, code, label))
    names = Run(gans["faces"]).recipe.attributes
    smile, others = names.index("smile"), [place for place, name in enumerate(names) if name != "smile"]

    assert ask("walk", gans["faces"], "--attributes", "smile", 1, "--stops", 2, "--steps", 2, "--count", 4).code == 0
    assert all(torch.equal(each, told[0]) for each in told), "each keeps them all the way"
    assert bool((told[0][:, smile] == 1).all()) and told[0][:, others].std(0).min() > 0.01

    told.clear()
    assert ask("directions", gans["faces"], "--attributes", "smile", 1, "--count", 2).code == 0
    assert all(bool((each == told[0][0]).all()) for each in told) and told[0][0, smile] == 1 and told[0][0, others].std() > 0.01

    told.clear()
    assert ask("project", gans["faces"], "--count", 2, "--steps", 2).code == 0
    dataset = Run(gans["faces"]).data()[1]
    assert torch.equal(told[-1], dataset.attributes[in_turn(dataset, 2)])

    told.clear()
    Image.new("RGB", (16, 16), (100, 90, 80)).save(tmp_path / "one.png")
    assert ask("project", gans["faces"], "--images", tmp_path / "one.png", "--steps", 2, "--attributes", "smile", 1).code == 0
    assert told[-1][0, smile] == 1 and bool((told[-1][0, others] == 0.5).all())

    for command in ("walk", "directions"):
        assert "did you mean 'smile'?" in ask(command, gans["faces"], "--attributes", "smil", 1).err
        assert "told no attributes" in ask(command, gans["told"], "--attributes", "smile", 1).err
    assert "--count is -1, but must be 1 or more." in ask("walk", gans["faces"], "--count", -1).err


@pytest.mark.parametrize("command", ["walk", "project", "directions"])
def test_tables_have_no_such_pictures(ask, gans, command):
    answer = ask(command, gans["rows"])
    assert answer.code == 2 and "rows of a table" in answer.err
