"""The runs that come with the package: they open, answer the same each time, and are small."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load
from torch.nn.functional import interpolate

import pushforward
from pushforward.core import Classifies, Describes, Edits, Encodes, Samples
from pushforward.data import faces, pairs
from pushforward.evaluation.feature_nets import feature_net
from pushforward.recipes import zoo
from pushforward.recipes.zoo import LARGEST, MAKES
from pushforward.runs import Run, checkpoint, durable
from pushforward.runs.finding import ZOO


def test_there_is_one_of_each_that_is_promised() -> None:
    assert {path.parent.name for path in ZOO.glob("*/recipe.json")} == set(MAKES)


@pytest.mark.parametrize("name", MAKES)
def test_it_opens_and_is_small(name: str) -> None:
    system = pushforward.load(f"zoo/{name}")
    assert not system.training
    assert sum(path.stat().st_size for path in (ZOO / name).rglob("*") if path.is_file()) < LARGEST


@pytest.mark.parametrize("name", [name for name, (_, given) in MAKES.items() if given.get("data") != "faces" and "reader" not in name])
def test_it_answers_in_a_moment(name: str) -> None:
    system = pushforward.load(f"zoo/{name}")
    assert isinstance(system, Samples)
    made = system.sample(10, seed=0)
    assert torch.equal(made, pushforward.load(f"zoo/{name}").sample(10, seed=0))
    if name == "moment_matching":
        assert made.shape == (10, 2)
        return
    assert made.shape == (10, 1, 28, 28) and made.abs().max() <= 1
    assert 0.05 < (made > 0).float().mean() < 0.4, "strokes on a dark ground"
    assert Run(f"zoo/{name}").recipe.classes == tuple("0123456789")


def test_few_labels_were_enough_for_the_digits_that_the_others_draw() -> None:
    """The model of a hundred labels reads most conditional samples as the class asked for."""
    reader, system = pushforward.load("zoo/few_labels"), pushforward.load("zoo/conditional_vae")
    assert isinstance(reader, Classifies) and isinstance(system, Samples)
    label = torch.arange(500) % 10
    assert (reader.logits(system.sample(500, label, seed=0)).argmax(1) == label).float().mean() > 0.7


@pytest.mark.parametrize("data", ["mnist", "fashion"])
def test_readers_tell_ten_classes_apart(data: str) -> None:
    reader = pushforward.load(f"zoo/reader_{data}")
    assert isinstance(reader, Classifies) and reader.logits(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


def test_the_reader_of_faces_reads_what_they_are_drawn_from() -> None:
    reader = pushforward.load("zoo/reader_faces")
    assert isinstance(reader, Describes)
    told = faces.faces(200, seed=7)  # neither those of its training nor of its test part
    image, _ = faces.drawn(told, 64, seed=7)
    apart = (reader.describe(image) - told).abs().mean(0)
    assert apart.mean() < 0.1 and apart[faces.ATTRIBUTES.index("skin")] < 0.06
    net = feature_net("", "faces", (3, 32, 32))
    assert net is not None and net.name.startswith("zoo/reader_faces") and len(net.read(image[:4])[0]) == 4


def test_faces_are_drawn_with_the_attributes_that_are_asked_for() -> None:
    reader, told = pushforward.load("zoo/reader_faces"), faces.faces(200, seed=7)
    for name, asked in (("gan_faces", None), ("conditional_gan_faces", told)):
        system = pushforward.load(f"zoo/{name}")
        assert isinstance(reader, Describes) and isinstance(system, Samples)
        made = system.sample(200, asked, seed=0)
        assert torch.equal(made, pushforward.load(f"zoo/{name}").sample(200, asked, seed=0))
        assert made.shape == (200, 3, 32, 32) and made.abs().max() <= 1
        assert 0.5 < made.std(0).mean() / faces.drawn(told, 32, seed=7)[0].std(0).mean() < 1.5, "they differ as faces do"
    apart = (reader.describe(interpolate(made, scale_factor=2, mode="bilinear")) - told).abs().mean(0)
    for name in ("skin", "hair", "light", "background"):
        assert apart[faces.ATTRIBUTES.index(name)] < 0.15, name


@pytest.mark.parametrize("mask", ["eyes", "left"])
def test_faces_are_completed_as_they_are(mask: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nearer to faces that it has not seen than the mean face is, and untouched where they are seen."""
    monkeypatch.setattr(faces, "COUNT", 100)
    train, test = faces.read(64, seed=3)
    system, batch = pushforward.load("zoo/completion"), replace(test, mask=mask).batch(torch.arange(40))
    assert isinstance(system, Edits) and train.image is not None
    made, hidden = system.edit(batch), batch["mask"]
    wrong, mean = (((x - batch["image"]).abs() * hidden).sum() for x in (made, train.image.float().mean(0) / 127.5 - 1))
    assert wrong < 0.5 * mean and torch.equal(made * (1 - hidden), batch["image"] * (1 - hidden))
    assert torch.equal(made, pushforward.load("zoo/completion").edit(batch))


@pytest.mark.parametrize(("name", "seen"), [("mask_to_face", 0.6), ("edges_to_face", 0.4)])
def test_maps_of_parts_and_outlines_become_faces_of_several_colours(name: str, seen: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a source says is read in its answers, of outlines less than of maps; and what it does not say differs between them."""
    monkeypatch.setattr(faces, "COUNT", 100)
    _, test = faces.read(64, seed=3)
    shown = test if name == "mask_to_face" else pairs.part_of(test, "edges")
    batch, reader = replace(shown, translate=True).batch(torch.arange(100)), pushforward.load("zoo/reader_faces")
    system = pushforward.load(f"zoo/{name}")
    assert isinstance(system, Edits) and isinstance(reader, Describes) and test.attributes is not None
    one, two = system.edit(batch, 1), system.edit(batch, 2)
    assert torch.equal(one, pushforward.load(f"zoo/{name}").edit(batch, 1))
    read, again = reader.describe(one), reader.describe(two)
    for name in ("smile", "turn"):
        place = faces.ATTRIBUTES.index(name)
        assert torch.corrcoef(torch.stack([read[:, place], test.attributes[:100, place]]))[0, 1] > seen, name
    for name in ("skin", "hair", "background"):
        place = faces.ATTRIBUTES.index(name)
        assert (read[:, place] - again[:, place]).abs().mean() > 0.1, name


def test_the_classes_that_are_asked_for_are_those_that_are_drawn() -> None:
    """Each conditional run's samples, read by the classification VAE."""
    reader = pushforward.load("zoo/classification_vae")
    assert isinstance(reader, Classifies)
    label = torch.arange(1000) % 10
    for name in ("conditional_vae", "classification_vae"):
        system = pushforward.load(f"zoo/{name}")
        assert isinstance(system, Samples) and isinstance(system, Encodes)
        right = reader.logits(system.sample(1000, label, seed=0)).argmax(1) == label
        assert right.float().mean() > 0.7, f"of {name}'s samples only {right.float().mean():.0%} are what was asked for"


def test_large_weights_are_shipped_in_sixteen_bits(tmp_path: Path) -> None:
    run = pushforward.train("vae", "digits", images=64, width=8, run=tmp_path / "run", quiet=True)
    whole, small = (checkpoint.light(run.newest(), most) for most in (10**9, 0))
    assert len(small["weights.safetensors"]) < 0.6 * len(whole["weights.safetensors"])
    rounded, exact = (load(files["weights.safetensors"]) for files in (small, whole))
    assert all(torch.equal(rounded[key], value.half()) for key, value in exact.items() if value.is_floating_point())
    folder = run.newest()
    shutil.rmtree(folder)
    durable.write_folder(folder, small)
    opened = run.open()
    assert all(torch.equal(value, rounded[key].float()) for key, value in opened.state_dict().items())


def test_a_run_is_shipped_with_the_runs_that_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo, "ZOO", tmp_path / "zoo")
    parser = pushforward.train("parsing", "faces", size=16, images=64, width=4, run=tmp_path / "parser", quiet=True)
    tiny = {"size": 16, "images": 64, "width": 4, "mask": "mixed", "quiet": True}
    run = pushforward.train("completion", "faces", parser=str(parser.folder), run=tmp_path / "run", **tiny)
    shipped = Run(zoo.ship(run, "completion"))
    assert set(shipped.given()) == {"parser"}
    here, there = (one.open().state_dict() for one in (run, shipped))
    assert all(torch.equal(value, there[key]) for key, value in here.items())
    monkeypatch.setattr(zoo, "LARGEST", 10)
    with pytest.raises(ValueError, match="at most 10 are shipped"):
        zoo.ship(run, "completion")
