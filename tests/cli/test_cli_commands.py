"""Every command once or twice: it does its work and prints the path of what it wrote."""

import csv
import shutil
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

import pushforward
from pushforward.cli import COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_a_sentence_and_an_example(ask, name):
    answer = ask(name, "--help")
    assert answer.code == 0 and not answer.err
    assert f"Example: pushforward {name}" in answer.out
    kind = COMMANDS[name]
    assert kind.__doc__.split("\n")[0].endswith(".")
    listed = "".join(ask("--help").out.replace("│", " ").split())
    assert name + "".join(kind.__doc__.split("\n")[0].split()) in listed


def test_no_words_at_all_show_the_commands(ask):
    answer = ask()
    assert answer.code == 0 and all(name in answer.out for name in COMMANDS)


def test_train_says_what_was_chosen_how_it_went_and_what_next(ask, tmp_path, monkeypatch):
    monkeypatch.delattr("pushforward.runs.run.open_data")  # planning has read the data, and nothing reads them again
    answer = ask("train", "vae", "--data", "digits", "--images", 600, "--latent", 2, "--width=16", "--net", "mlp", "--held-out", "0.2")
    assert answer.code == 0
    assert "VAE with" in answer.out and "Held-out bound: " in answer.out and "distortion" in answer.out
    assert (tmp_path / "runs" / "vae" / "report.html").exists() and "Report: runs/vae/report.html" in answer.out
    assert "pushforward sample runs/vae\n" in answer.out and "predict" not in answer.out
    recipe = pushforward.load(tmp_path / "runs" / "vae").config
    assert (recipe.latent, recipe.width, recipe.net) == (2, 16, "mlp")


def test_resume_reads_the_data_for_training_and_once_for_all_that_it_says(ask, runs, tmp_path, monkeypatch):
    reads, read = [], pushforward.data.open_data
    monkeypatch.setattr("pushforward.runs.run.open_data", lambda *what: reads.append(what) or read(*what))
    assert ask("resume", shutil.copytree(runs["vae"], tmp_path / "copy")).code == 0
    assert len(reads) == 2


@pytest.fixture
def no_report(monkeypatch):
    """Leave the page out, which takes seconds and is tested elsewhere."""
    monkeypatch.setattr("pushforward.report.write", lambda run, **more: run.folder / "report.html")


def test_train_a_classifier_from_few_labels_by_minutes(ask, no_report, monkeypatch):
    from pushforward.recipes import pace

    monkeypatch.setattr(pace, "TIMED", 0.05)
    words = ["--data", "digits", "--labels", 50, "--labelled", 16, "--minutes", 0.005, "--net", "mlp", "--width", 32, "--run", "mine"]
    answer = ask("train", "classification_vae", *words)
    assert answer.code == 0
    assert "Measured" in answer.out and "Test accuracy: " in answer.out
    assert "From the same 50 labels scikit-learn's label spreading reaches 9" in answer.out and "nearest neighbour 8" in answer.out
    assert "pushforward predict mine photos/" in answer.out and "pushforward sample mine --label 0" in answer.out


def test_train_a_recipe_with_changes(ask, no_report):
    answer = ask("train", "demo", "--images", 256, "--net", "mlp", "--width", 16, "--run", "small")
    assert answer.code == 0 and "Test accuracy: " in answer.out


def test_train_with_zeros_and_nothing_held_out(ask, no_report, tmp_path, table):
    answer = ask("train", "vae", "--data", table, "--images", 256, "--held-out", 0, "--warm-up", 0, "--seed", 0)
    assert answer.code == 0 and "Nothing was held out" in answer.out
    assert "sample" in answer.out and "reconstruct" not in answer.out  # there are no pictures of a row
    assert pushforward.load(tmp_path / "runs" / "vae").config.warm_up == 0


def test_train_a_completing_system(ask, no_report):
    answer = ask("train", "conditional_vae", "--data", "digits", "--observe", 2, "--images", 256, "--net", "mlp", "--width", 16)
    assert answer.code == 0 and "Held-out bound" in answer.out
    assert "pushforward reconstruct" in answer.out and "pushforward sample" not in answer.out


def test_resume_a_finished_run_and_extend_it(ask, no_report, runs, tmp_path):
    folder = shutil.copytree(runs["vae"], tmp_path / "copy")
    before = ask("resume", folder)
    assert before.code == 0 and "has seen all of its 640 images" in before.out
    answer = ask("resume", folder, "--extend", 1280)
    assert answer.code == 0 and "now ends at 1,280 images" in answer.out and "Held-out bound" in answer.out
    assert pushforward.load(folder).stage.seen == 1280


@pytest.mark.parametrize(
    ("run", "words", "name"),
    [
        ("vae", ["sample"], "samples-seed0"),
        ("vae", ["sample", "--count", 9, "--seed", 3, "--mixture", 4], "samples-mixture4-seed3"),
        ("conditional", ["sample", "--label", 3, "--count", 4], "samples-label3-seed0"),
        ("classifier", ["sample", "--mixture", 2, "--label", 1], "samples-mixture2-label1-seed0"),
        ("table", ["sample", "--count", 100], "samples-seed0"),
        ("table", ["sample", "--mixture", 2], "samples-mixture2-seed0"),
        ("vae", ["reconstruct"], "reconstructions"),
        ("conditional", ["reconstruct"], "reconstructions"),
        ("completing", ["reconstruct"], "completions"),
        ("vae", ["interpolate"], "interpolation"),
        ("classifier", ["interpolate", "--first", 3, "--second", 17], "interpolation-3-17"),
        ("conditional", ["interpolate", "--labels", 3, 8], "interpolation-label3-label8"),
        ("vae", ["traverse"], "traversal"),
        ("conditional", ["traverse", "--label", 5], "traversal-label5"),
    ],
)
def test_pictures(ask, runs, run, words, name):
    command, *rest = words
    answer = ask(command, runs[run], *rest)
    assert answer.code == 0, answer.err
    assert answer.path == runs[run] / "pictures" / f"{name}.png" and answer.out.count("\n") == 1
    with Image.open(answer.path) as picture:
        assert min(picture.size) > 40
        assert len(picture.convert("L").getcolors(256) or []) > 5  # something is drawn


def test_out_is_where_the_picture_goes_and_the_seed_decides_what_it_shows(ask, runs, tmp_path):
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        answer = ask("sample", runs["vae"], "--out", f"new/{name}.png", "--seed", seed)
        assert answer.code == 0 and answer.out == f"new/{name}.png\n"
    a, b, c = ((tmp_path / "new" / f"{name}.png").read_bytes() for name in "abc")
    assert a == b != c


def test_a_run_names_its_classes_when_its_data_are_gone(ask, no_report, tmp_path):
    photos = tmp_path / "photos"
    for kind, grey in (("cat", 40), ("dog", 200)):
        (photos / kind).mkdir(parents=True)
        for number in range(6):
            Image.new("L", (8, 8), grey + number).save(photos / kind / f"{number}.png")
    assert ask("train", "classification_vae", "--data", photos, "--images", 256, "--width", 8, "--run", "pets").code == 0
    shutil.rmtree(photos)
    assert ask("sample", "pets", "--label", "dog", "--count", 4).code == 0
    assert "Known: cat, dog." in ask("sample", "pets", "--label", "cow").err
    Image.new("L", (8, 8), 203).save(tmp_path / "new.png")
    answer = ask("predict", "pets", tmp_path / "new.png")
    assert answer.path.read_text().startswith("file,class,cat,dog\n")


def test_predict_a_folder_a_zip_and_an_image(ask, runs, tmp_path):
    photos = tmp_path / "photos"
    (photos / "below").mkdir(parents=True)
    grey = np.random.default_rng(0).integers(0, 256, (8, 8), dtype=np.uint8)
    Image.fromarray(grey).save(photos / "exact.png")
    Image.fromarray(np.stack([grey] * 3, 2).repeat(5, 0)).save(photos / "below" / "colour.png")
    (photos / "letter.txt").write_text("no image")
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.write(photos / "exact.png", "exact.png")

    answer = ask("predict", runs["classifier"], photos)
    assert answer.code == 0 and answer.path == runs["classifier"] / "predictions.csv"
    assert "1 of 2 images were fitted to the run's 8x8 pixels" in answer.err and "letter.txt (not a PNG" in answer.err
    heads, *rows = csv.reader(answer.path.open())
    assert heads == ["file", "class", *"0123456789"]
    assert [row[0] for row in rows] == ["below/colour.png", "exact.png"]
    for row in rows:
        p = [float(value) for value in row[2:]]
        assert sum(p) == pytest.approx(1, abs=1e-4) and row[1] == str(p.index(max(p)))

    for path in (tmp_path / "photos.zip", photos / "exact.png"):
        answer = ask("predict", runs["classifier"], path, "--out", "found.csv")
        assert answer.code == 0 and not answer.err and answer.out == "found.csv\n"
        assert list(csv.reader(answer.path.open()))[1] == rows[1]


def digits_on(folder, paper):
    """Fifty digits 28x28, light on dark or, on paper, dark on light."""
    x = pushforward.load("zoo/conditional_vae").sample(50, torch.arange(50) % 10, seed=0)
    pixels = ((1 - x if paper else 1 + x) * 127.5).round().byte().numpy()
    folder.mkdir()
    for number, digit in enumerate(pixels):
        Image.fromarray(digit[0]).save(folder / f"{number:02}-{number % 10}.png")
    return folder


def right(path):
    """How many of those digits a CSV of predictions has right."""
    return sum(line.split(",")[0][3] == line.split(",")[1] for line in path.read_text().splitlines()[1:])


def test_predict_says_that_writing_on_paper_is_the_negative_of_what_it_knows(ask, tmp_path):
    dark, paper = digits_on(tmp_path / "dark", False), digits_on(tmp_path / "paper", True)
    well, badly = ask("predict", "zoo/few_labels", dark, "--out", "dark.csv"), ask("predict", "zoo/few_labels", paper, "--out", "paper.csv")
    assert not well.err and right(well.path) > 40 and right(badly.path) < 25
    told = "50 of 50 images have a light ground, but those of zoo/few_labels a dark one, so they are read wrongly: give --invert."
    assert badly.err.strip() == told
    mended = ask("predict", "zoo/few_labels", paper, "--invert", "--out", "mended.csv")
    assert not mended.err and right(mended.path) == right(well.path)
    assert "leave --invert out" in ask("predict", "zoo/few_labels", dark, "--invert").err


def test_what_a_run_knows_is_looked_up_in_its_data_where_it_makes_nothing(ask, tmp_path, monkeypatch):
    paper = digits_on(tmp_path / "paper", True)
    (tmp_path / "set").mkdir()
    for number, name in enumerate(sorted(path.name for path in digits_on(tmp_path / "dark", False).iterdir())):
        (tmp_path / "set" / f"{number % 2}").mkdir(exist_ok=True)
        (tmp_path / "dark" / name).rename(tmp_path / "set" / f"{number % 2}" / name)
    run = pushforward.train("classifier", "set", images=64, width=8, batch_size=16, run=tmp_path / "run", quiet=True)
    assert "give --invert" in ask("predict", run.folder, paper).err
    (tmp_path / "set").rename(tmp_path / "gone")
    answer = ask("predict", run.folder, paper)
    assert answer.code == 0 and not answer.err


def test_predict_says_what_training_measured(ask, runs, tmp_path):
    """The whole way over image files gives the same answers as the data set in memory."""
    from pushforward import metrics
    from pushforward.runs import Run

    run = Run(runs["classifier"])
    _, test = run.data()
    for place in range(20):
        (tmp_path / "digits").mkdir(exist_ok=True)
        Image.fromarray(test.image[place, 0].numpy()).save(tmp_path / "digits" / f"{place:02}.png")
    answer = ask("predict", run.folder, tmp_path / "digits", "--out", "p.csv")
    found = [int(row[1]) for row in list(csv.reader(answer.path.open()))[1:]]
    assert found == metrics.probabilities(run.open(), test)[:20].argmax(1).tolist()


def test_report(ask, runs):
    answer = ask("report", runs["table"])
    assert answer.code == 0 and answer.path == runs["table"] / "report.html" and answer.path.exists()


def test_systems(ask):
    answer = ask("systems")
    assert answer.code == 0
    assert "vae                  Variational auto-encoder (Kingma & Welling 2014) [samples, encodes]\n" in answer.out
    assert "conditional_vae      Conditional variational auto-encoder (Sohn, Lee & Yan 2015) [samples, encodes, edits]\n" in answer.out
    assert "mnist_semi           Classification VAE on MNIST" in answer.out
    one = ask("systems", "vae").out
    assert "minimised" in one and "--latent" in one and "int = 20  Dimensions of the code z." in one
    assert "--shape" in one and "follows from the data" in one and "Literal['auto'" in one


def test_data(ask, tmp_path, monkeypatch, table):
    monkeypatch.setenv("PUSHFORWARD_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    answer = ask("data")
    assert answer.code == 0 and "mnist          not here; get it with: pushforward data get mnist" in answer.out
    assert "stacked-mnist  made of mnist" in answer.out
    answer = ask("data", "describe", "digits")
    assert "899 images of 1x8x8" in answer.out and "898 held out" in answer.out and "10 classes: 0 89" in answer.out
    assert "rows of 2 columns (length, weight)" in ask("data", "describe", table).out


def test_data_get_prints_the_folder(ask, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("pushforward.data.get", lambda name, progress, say: (asked.append(name), tmp_path)[1])
    answer = ask("data", "get", "mnist")
    assert answer.code == 0 and answer.path == tmp_path and asked == ["mnist"]


def test_the_help_says_where_a_second_training_goes(ask):
    said = " ".join(ask("train", "--help").out.replace("│", " ").split())
    assert "runs/NAME where nothing is said, and where there is such a run already, runs/NAME-2" in said


@pytest.mark.parametrize("command", ["train", "game"])
def test_rules_in_the_help_are_the_rules_there_are(ask, command):
    from pushforward.training import RULES

    said = ask(command, "--help").out.partition("--rule")[2].partition("--shards")[0]
    assert all(rule in said for rule in RULES)


@pytest.mark.parametrize(
    ("words", "rate", "warned"),
    [
        (["bilinear", "--rule", "extragradient", "--rate", 0.5], "0.901388", ""),
        (["bilinear", "--rule", "simultaneous", "--rate", 0.5, "--rounds", 20], "1.118034", "leaves the equilibrium with every step size"),
        (["bilinear", "--rule", "optimistic", "--rate", 0.6, "--rounds", 40], "1.057353", "The step size 0.6 is above 0.5774"),
        (["bilinear", "--rate", 0.5, "--momentum-a", -0.5, "--momentum-b", -0.5, "--rounds", 400], "0.9625", ""),
        (["bilinear", "--rule", "simultaneous", "--curvature-a", 0.5, "--curvature-b", 0.5, "--rate", 0.5], "0.901388", ""),
    ],
)
def test_game_tells_its_rate_beside_theory(ask, tmp_path, words, rate, warned):
    answer = ask("game", *words)
    assert answer.code == 0 and warned in answer.err and bool(warned) == bool(answer.err)
    measured, theory = (line.split()[-1] for line in answer.out.splitlines()[:2])
    assert theory.startswith(rate) and float(measured) == pytest.approx(float(theory), abs=3e-3)
    assert Image.open(tmp_path / answer.path).size[0] > 400


def test_game_of_the_dirac_gan_has_a_picture_and_a_theory_near_peace(ask, tmp_path):
    answer = ask("game", "dirac", "--r1", 1, "--start", 0.5, -0.5)
    assert answer.code == 0 and "near the equilibrium" in answer.out and "saddle" in answer.out
    assert (tmp_path / answer.path).name == "dirac-alternating-start-0.5--0.5-r1-1.0.png"


@pytest.mark.parametrize(
    ("words", "bound"),
    [
        (("bilinear", "--rule", "consensus:weight=0.5", "--rate", 0.9), "above 0.8,"),
        (("bilinear", "--rule", "simultaneous", "--curvature-a", 0.3, "--curvature-b", 0.3, "--rate", 0.7), "above 0.5505,"),
        (("bilinear", "--rule", "simultaneous"), "every step size"),
        (("dirac", "--rate", 5), "above 4,"),
        (("bilinear", "--rule", "consensus:weight=0.5", "--rate", 0.7), ""),
    ],
)
def test_a_step_size_above_what_theory_allows_is_said(ask, words, bound):
    answer = ask("game", *words, "--rounds", 10)
    assert answer.code == 0 and (bound in answer.err if bound else "step size" not in answer.err)


def test_a_recipe_lists_the_settings_of_its_system(ask):
    answer = ask("systems", "few_labels")
    assert answer.code == 0 and answer.out.startswith("few_labels trains classification_vae") and "--consistency" in answer.out


def test_it_says_its_version(ask):
    assert ask("--version").out.startswith("pushforward 0.")
