"""Named attributes read from images, and the space in which such images are compared."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

import pushforward
from pushforward import figures, report
from pushforward.cli import main
from pushforward.cli.training import next_commands
from pushforward.core import BadInput, Compares, Describes
from pushforward.data import DataSpec, faces, open_data
from pushforward.evaluation import Asked, evaluate
from pushforward.evaluation.feature_nets import feature_net
from pushforward.metrics import frechet_distance
from pushforward.report import pictures
from pushforward.runs import Run
from pushforward.systems.describer import Describer, Settings


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as few:
        few.setattr(faces, "COUNT", 600)
        few.setattr(faces, "HELD_OUT", 200)
        return pushforward.train(
            "describer", "faces", size=16, images=40_000, width=16, run=tmp_path_factory.mktemp("read") / "run", quiet=True
        ).folder


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faces, "COUNT", 600)
    monkeypatch.setattr(faces, "HELD_OUT", 200)


def test_the_loss_is_the_cross_entropy_of_each_attribute() -> None:
    torch.manual_seed(0)
    system = Describer(Settings((1, 8, 8), 2))
    x, a = torch.rand(5, 1, 8, 8) * 2 - 1, torch.tensor([[0.0, 1.0]]).expand(5, 2)
    q = system.networks(x).sigmoid()
    wanted = -(1 - q[:, 0]).log().mean() / 2 - q[:, 1].log().mean() / 2
    loss, terms = system.loss({"image": x, "attributes": a})
    torch.testing.assert_close(loss, wanted)
    torch.testing.assert_close(terms["apart"], (q - a).abs().mean())


def test_it_learns_what_faces_are_drawn_from(read: Path, tmp_path: Path) -> None:
    """Evaluated on faces that it has not seen, beside the means of what it has."""
    found = evaluate(Run(read), Asked(), tmp_path)
    each, plain = {name: found[f"error of {name}"] for name in faces.ATTRIBUTES}, found["attributes, mean absolute error of their means"]
    assert json.loads((tmp_path / "evaluation.json").read_text())["n"] == 200
    assert found["attributes, mean absolute error"] == pytest.approx(sum(each.values()) / len(each))
    assert found["attributes, mean absolute error"] < 0.8 * plain and 0.2 < plain < 0.3
    assert each["skin"] < 0.15, "large and plain to see"


def test_its_features_tell_sets_apart(read: Path) -> None:
    """Dark faces are farther from light ones than one half of all faces is from the other."""
    net = feature_net(str(read), "faces", (3, 16, 16))
    assert net is not None
    _, test = open_data(DataSpec("faces", size=16))
    assert test is not None and test.attributes is not None
    image = test.batch(torch.arange(200))["image"]
    features, logits = net.read(image)
    dark = test.attributes[:, faces.ATTRIBUTES.index("skin")] > 0.5
    turn = torch.arange(200) % 2 == 0
    assert logits is None and len(features) == 200
    assert frechet_distance(features[dark], features[~dark]) > 3 * frechet_distance(features[turn], features[~turn])
    assert net.read(torch.nn.functional.interpolate(image, (32, 32)))[0].shape == features.shape, "images of any size"


def test_what_it_can_do_is_said(read: Path) -> None:
    system = pushforward.load(read)
    assert isinstance(system, Describes) and isinstance(system, Compares)
    with pytest.raises(BadInput, match="but the data have none"):
        pushforward.train("describer", "digits", images=64, quiet=True)
    with pytest.raises(BadInput, match="reads images, but the data have shape"):
        Describer(Settings((5,), 2))


def test_its_page_brings_images_into_the_order_of_each_attribute(read: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(read)
    system, (train, test) = run.open(), run.data()
    assert isinstance(system, Describes) and test is not None
    assert f"pushforward predict {read} photos/" in next_commands(run, system, train)
    assert "How much there is of each attribute." in report.write(run).read_text()
    monkeypatch.setattr(figures, "sheet", lambda images, columns, rows: (images, columns, rows))
    images, columns, rows = pictures.described(system, test, count=5)  # type: ignore[misc]
    assert rows == faces.ATTRIBUTES and columns == 5 and len(images) == 5 * len(rows)
    for number, shown in enumerate(images.split(columns)):
        told = system.describe(shown)[:, number]
        assert (told.diff() >= 0).all() and told[-1] - told[0] > 0.01


def test_what_is_predicted_can_be_told_again(read: Path, tmp_path: Path) -> None:
    """The CSV of `predict` is a table that `--attributes-file` reads."""
    photos = tmp_path / "photos"
    photos.mkdir()
    image, _ = faces.drawn(faces.faces(12, seed=3), 16)
    for number, one in enumerate(((image + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()):
        Image.fromarray(one).save(photos / f"{number}.png")
    assert main(["predict", str(read), str(photos), "--out", str(tmp_path / "told.csv")]) == 0
    train, test = open_data(DataSpec(str(photos), size=16, attributes_file=str(tmp_path / "told.csv"), held_out=0))
    assert test is None and train.attribute_names == faces.ATTRIBUTES and train.attributes is not None
    system = pushforward.load(read)
    assert isinstance(system, Describes)
    torch.testing.assert_close(train.attributes, system.describe(train.batch(torch.arange(12))["image"]), rtol=0, atol=2e-6)


def test_without_a_net_for_attributes_the_command_that_makes_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    photos = tmp_path / "photos"
    photos.mkdir()
    image, _ = faces.drawn(faces.faces(60, seed=1), 16)
    lines = ["file,smile"]
    for number, one in enumerate(((image + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()):
        Image.fromarray(one).save(photos / f"{number}.png")
        lines.append(f"{number}.png,{number % 2}")
    (tmp_path / "told.csv").write_text("\n".join(lines) + "\n")
    options = {"attributes_file": str(tmp_path / "told.csv"), "size": 16, "held_out": 0.4, "quiet": True, "images": 64}
    run = pushforward.train("gan", str(photos), width=4, run=tmp_path / "run", **options)
    said = evaluate(run, Asked(samples=24), tmp_path / "out")["samples"]
    assert "`pushforward train describer --data" in said and f"--attributes-file {tmp_path / 'told.csv'} --size 16 --run" in said
    words = said.partition("`pushforward train describer ")[2].partition("`")[0].split()
    pushforward.train("describer", str(photos), width=4, run=words[words.index("--run") + 1], **options)
    assert "Frechet distance" in evaluate(run, Asked(samples=24), tmp_path / "again")
