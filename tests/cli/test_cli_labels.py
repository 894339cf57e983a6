"""Few labels, from a folder and a CSV to names: train, predict, suggest-labels, label more, name-clusters."""

import csv
import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

import pushforward
import pushforward.recipes
from pushforward.core import BadInput
from pushforward.report import pictures
from pushforward.runs import Run
from tests.cli.conftest import TINY
from tests.cli.test_cli_bad_input import refused

COUNT = 120
NAMES = ("one", "two", "three")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """A folder of ones, twos and threes, and a CSV that names four of each."""
    place = tmp_path_factory.mktemp("few")
    digits = load_digits()
    chosen = [number for number, kind in enumerate(digits.target) if 1 <= kind <= 3][:COUNT]
    (place / "photos").mkdir()
    kinds = {}
    for number in chosen:
        Image.fromarray(np.round(digits.images[number] * 255 / 16).astype(np.uint8)).save(place / "photos" / f"{number:04}.png")
        kinds[f"{number:04}.png"] = NAMES[digits.target[number] - 1]
    some = [(file, kind) for name in NAMES for file, kind in [pair for pair in kinds.items() if pair[1] == name][:4]]
    (place / "some.csv").write_text("file,class\n" + "".join(f"{file},{kind}\n" for file, kind in some))
    return place


@pytest.fixture(scope="module")
def few(photos):
    """A run from twelve labels."""
    return pushforward.train("few_labels", photos / "photos", labels=photos / "some.csv", run=photos / "few", **(TINY | {"images": 2560}))


@pytest.fixture(scope="module")
def nameless(photos):
    """A run from none."""
    return pushforward.train("classification_vae", photos / "photos", classes=4, run=photos / "nameless", **TINY)


@pytest.fixture
def unnamed(nameless, tmp_path):
    """A copy of it, for names."""
    return shutil.copytree(nameless.folder, tmp_path / "unnamed")


def table(path):
    heads, *rows = csv.reader(path.open(encoding="utf-8"))
    return heads, rows


def test_train_predict_suggest_label_and_train_again(ask, photos, monkeypatch):
    monkeypatch.setattr("pushforward.report.write", lambda run, **more: run.folder / "report.html")
    tiny = ["--images", 512, "--net", "mlp", "--width", 16, "--latent", 3]
    answer = ask("train", "few_labels", "--data", photos / "photos", "--labels", photos / "some.csv", *tiny)
    assert answer.code == 0, answer.err
    assert "Every label teaches: none of the 10 images held out has one." in answer.out
    assert "Held-out bound: " in answer.out and "accuracy" not in answer.out and "label spreading" not in answer.out
    for words in ("suggest-labels runs/few_labels", "sample runs/few_labels --label one", "predict runs/few_labels photos/"):
        assert f"pushforward {words}\n" in answer.out
    heads, rows = table(ask("predict", "runs/few_labels", photos / "photos").path)
    assert heads == ["file", "class", "one", "three", "two"] and len(rows) == COUNT

    answer = ask("suggest-labels", "runs/few_labels", "--count", 5)
    assert answer.code == 0, answer.err
    heads, rows = table(answer.path)
    assert heads == ["file", "class", "guess", "probability"] and len(rows) == 5 + 12
    for number, row in enumerate(rows[:5], 1):
        assert row[1] == "" and row[2] in NAMES and f"{number:3}  {row[0]}  {row[2]} ({float(row[3]):.0%})" in answer.out
    answer.path.write_text(answer.path.read_text().replace(",,", ",one,", 5))
    words = ["--data", photos / "photos", "--labels", answer.path, "--held-out", 0.2, *tiny]
    answer = ask("train", "few_labels", *words)
    assert answer.code == 0 and "have a label; accuracy is measured on these alone." in answer.out, answer.err
    assert "labelled examples that training has not seen" in answer.out and "From the same" in answer.out


def test_the_recipe_suits_itself_to_the_images(few, photos, tmp_path):
    config, data = few.recipe.config, few.recipe.data
    assert (few.recipe.name, few.recipe.labelled, few.recipe.system) == ("few_labels", 64, "classification_vae")
    assert config["views"] == "small-digits" and config["bound_weight"] == 1 / 64 and data.neighbours == 10
    assert (data.labels, data.labels_file) == (None, str(photos / "some.csv")) and few.recipe.classes == ("one", "three", "two")
    assert Run(few.folder).recipe == few.recipe
    large = torch.randint(0, 256, (40, 1, 28, 28), dtype=torch.uint8), torch.arange(40) % 2
    colour = large[0].expand(-1, 3, -1, -1) + torch.tensor([0, 1, 2], dtype=torch.uint8).view(3, 1, 1), large[1]
    orders = [pushforward.recipes.plan("few_labels", each) for each in (large, colour)]
    assert [order.recipe.config["views"] for order in orders] == ["digits", "photos"]
    assert [order.recipe.data.neighbours for order in orders] == [10, 0] and [order.train.neighbours for order in orders] == [10, 0]
    assert pushforward.recipes.plan("few_labels", colour[0], classes=2).recipe.data.neighbours == 10
    assert orders[1].recipe.config["bound_weight"] == 1 / (3 * 28 * 28) and orders[0].recipe.images >= 100_000
    assert pushforward.recipes.plan("few_labels", large, neighbours=3).recipe.data.neighbours == 3
    table = torch.randn(20, 3), torch.arange(20) % 2
    with pytest.raises(BadInput, match="few_labels learns from images, but 'memory' is a table"):
        pushforward.recipes.plan("few_labels", table)


@pytest.mark.parametrize("what", ["few_labels", "demo", "mnist_semi", "classification_vae"])
def test_recipes_without_any_label(what):
    found = pushforward.recipes.plan(what, "digits", labels=0, images=256).recipe
    assert found.labelled == 0 and found.classes[3] == "cluster 3" and found.config["classes"] == 10
    assert found.data.neighbours == (0 if what == "classification_vae" else 10)
    image = torch.randint(0, 256, (40, 1, 28, 28), dtype=torch.uint8)
    assert pushforward.recipes.plan(what, image, classes=6, images=256).recipe.config["classes"] == 6


def test_resume_notices_that_the_labels_changed(ask, photos, few, tmp_path):
    shutil.copytree(photos / "photos", tmp_path / "photos")
    shutil.copy(photos / "some.csv", tmp_path)
    pushforward.train("few_labels", "photos", labels="some.csv", run="run", **TINY)
    text = (tmp_path / "some.csv").read_text()
    (tmp_path / "some.csv").write_text(text.replace(",one", ",two", 1))
    answer = ask("resume", "run", "--extend", 1280)
    assert answer.code == 2 and "with the labels in 'some.csv' are not those the run was trained on" in answer.err


def test_suggestions_are_the_same_each_time_have_no_label_and_are_shown(ask, few, tmp_path):
    one, two, other = (
        ask("suggest-labels", few.folder, "--out", f"{name}.csv", "--seed", seed) for name, seed in zip("abc", (0, 0, 1), strict=True)
    )
    assert one.code == 0, one.err
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes() != (tmp_path / "c.csv").read_bytes()
    _, rows = table(tmp_path / "a.csv")
    asked, known = ({row[0] for row in rows if bool(row[1]) == told} for told in (False, True))
    assert len(asked) == 20 and len(known) == 12 and not asked & known
    with Image.open(few.folder / "pictures" / "to_label.png") as picture:
        assert picture.width > 5 * 140 and len(picture.convert("L").getcolors(256) or []) > 5
    assert "to_label.png\n" in one.out and two.out.split("\n")[:20] == one.out.split("\n")[:20] != other.out.split("\n")[:20]


def test_what_was_filled_in_is_not_written_over(ask, few, tmp_path):
    for _ in range(2):
        assert ask("suggest-labels", few.folder, "--out", "a.csv").code == 0
    filled = (tmp_path / "a.csv").read_text().replace(",,", ",one,", 1)
    (tmp_path / "a.csv").write_text(filled)
    refused(ask, ["suggest-labels", few.folder, "--out", "a.csv"], "'a.csv' holds classes that somebody filled in", tmp_path)
    assert (tmp_path / "a.csv").read_text() == filled


def test_suggestions_for_a_set_with_numbers_for_files(ask, runs, tmp_path):
    run = pushforward.train("classification_vae", "digits", labels=50, labelled=16, run="run", **TINY)
    _, rows = table(ask("suggest-labels", run.folder, "--count", 3).path)
    assert [row[0].isdecimal() for row in rows] == [True] * 53 and rows[3][1] in "0123456789"
    text = (run.folder / "to_label.csv").read_text().replace(",,", ",5,", 3)
    (tmp_path / "more.csv").write_text(text)
    more = pushforward.train("classification_vae", "digits", labels="more.csv", labelled=16, run="more", **TINY)
    train, test = more.data()
    assert int((train.label >= 0).sum()) == 53 and bool((test.label >= 0).all())


def test_clusters_are_listed_named_and_merged(ask, unnamed, photos, tmp_path):
    answer = ask("name-clusters", unnamed)
    assert answer.code == 0, answer.err
    assert answer.path == unnamed / "pictures" / "clusters.png" and "3  cluster 3  " in answer.out and "0=NAME 1=NAME" in answer.out
    shares = [float(line.split("  ")[2].split("%")[0]) for line in answer.out.splitlines()[:4]]
    assert sum(shares) == pytest.approx(100, abs=0.3)
    before = table(ask("predict", unnamed, photos / "photos").path)
    assert before[0][2:] == [f"cluster {number}" for number in range(4)]

    assert ask("name-clusters", unnamed, "0=one", "2=two", "3=one").out == "0  one\n1  cluster 1\n2  two\n3  one\n"
    assert json.loads((unnamed / "clusters.json").read_text()) == {"0": "one", "2": "two", "3": "one"}
    heads, rows = table(ask("predict", unnamed, photos / "photos").path)
    assert heads == ["file", "class", "one", "cluster 1", "two"]
    for old, new in zip(before[1], rows, strict=True):
        p = [float(value) for value in old[2:]]
        assert [float(value) for value in new[2:]] == pytest.approx([p[0] + p[3], p[1], p[2]], abs=3e-6)
        assert new[1] == heads[2 + int(np.argmax([float(value) for value in new[2:]]))]
    assert ask("name-clusters", unnamed, "0=three").out.startswith("0  three\n1  cluster 1\n2  two\n3  one\n")


def test_samples_and_report_use_the_names(ask, unnamed):
    ask("name-clusters", unnamed, "0=7", "2=7", "1=cluster of ones")
    run = Run(unnamed)
    assert run.classes == run.data()[0].classes == run.data()[1].classes == ("7", "cluster of ones", "7", "cluster 3")
    answer = ask("sample", unnamed, "--label", 7, "--count", 4)
    assert answer.code == 0 and answer.path.name == "samples-label0-seed0.png"
    expected = pictures.samples(run.open(), 4, torch.tensor([0, 2, 0, 2]), 0)
    with Image.open(answer.path) as found:
        assert np.array_equal(np.asarray(found.convert("RGB")), np.asarray(expected))
    assert ask("sample", unnamed, "--label", 3, "--count", 4).code == 0
    assert "There is no class '0'" in ask("sample", unnamed, "--label", 0).err  # the cluster 0 is called 7
    page = ask("report", unnamed).path.read_text()
    assert 'id="clusters"' in page and "pushforward name-clusters" in page and "cluster of ones" in page


def test_a_run_without_labels_says_how_to_name_its_clusters(ask, photos, monkeypatch):
    monkeypatch.setattr("pushforward.report.write", lambda run, **more: run.folder / "report.html")
    words = ["--data", photos / "photos", "--classes", 10, "--images", 256, "--net", "mlp", "--width", 16, "--run", "mine"]
    answer = ask("train", "few_labels", *words)
    assert answer.code == 0, answer.err
    assert "  pushforward name-clusters mine\n" in answer.out and "sample mine --label 'cluster 0'\n" in answer.out
    assert ask("suggest-labels", "mine", "--count", 3).code == 0


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["0=cat", "4=dog"], "There is no cluster 4: those of"),
        (["0"], "'0' names no cluster. Write its number and its name"),
        (["cat=0"], "'cat=0' names no cluster"),
        (["0=cat", "0=dog"], "Cluster 0 is named twice, 'cat' and 'dog'"),
        (["1= "], "The name of cluster 1 is empty"),
    ],
)
def test_names_that_are_refused(ask, unnamed, tmp_path, words, part):
    refused(ask, ["name-clusters", unnamed, *words], part, tmp_path)


def test_commands_that_are_refused(ask, runs, few, unnamed, photos, tmp_path):
    for words, part in {
        ("name-clusters", few.folder, "0=cat"): "has no clusters to name: its classes are those of its labels (one, three, two)",
        ("name-clusters", few.folder): "has no clusters to name",
        ("name-clusters", runs["vae"], "0=cat"): "has no clusters to name",
        ("suggest-labels", few.folder, "--count", 0): "--count is 0, but must be 1 or more",
        ("suggest-labels", runs["classifier"]): "Every one of the 899 images of 'digits' has a label",
        ("suggest-labels", runs["vae"]): "VAE does not both classify and encode",
        ("train", "few_labels"): "No data are given.",
        ("train", "few_labels", "--data", photos / "photos"): "needs classes, but 'photos' has none.",
        ("train", "few_labels", "--data", photos / "photos", "--labels", "5"): "5 labels of 'photos' are to be kept, but it has no classes",
        ("train", "few_labels", "--data", photos / "photos", "--labels", "none.csv"): "There is no file of labels 'none.csv'",
        ("train", "few_labels", "--data", "digits", "--labels", "7"): "7 labels cannot cover 10 classes",
        ("train", "few_labels", "--data", "digits", "--classes", "7"): "classes is 7, but 'digits' has 10 classes of its own",
        ("train", "vae", "--data", "digits", "--classes", "many"): "--classes is 'many', but should be a whole number.",
    }.items():
        refused(ask, words, part, tmp_path)
    (unnamed / "clusters.json").write_text("[7")
    refused(ask, ["predict", unnamed, photos / "photos"], "holds no names of clusters. It was damaged; remove it", tmp_path)
