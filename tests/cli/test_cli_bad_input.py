"""Whatever is wrong with what a user gives: one line on stderr, the right exit code, nothing written, no traceback."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

import pushforward
from pushforward.runs import GivenUp, Interrupted

DIGITS = ["train", "vae", "--data", "digits"]


def refused(ask, words, part, folder) -> None:
    """A command is refused in one line that has `part` in it, and leaves nothing."""
    before = sorted(folder.rglob("*"))
    answer = ask(*words)
    assert answer.code == 2, answer
    assert part in answer.err and answer.err.count("\n") == 1 and answer.err.strip().endswith((".", "?")), answer.err
    assert "Traceback" not in answer.err
    assert not [line for line in answer.out.splitlines() if "runs/" in line]
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["trian", "vae"], "There is no command 'trian'; did you mean 'train'?"),
        (["xyzzy"], "There is no command 'xyzzy'. Known: train,"),
        (["--verbose"], "There is no command '--verbose'"),
        (["train"], "needs RECIPE|SYSTEM: a system or a recipe"),
        (["sample"], "needs RUN: a run folder"),
        (["sample", "r", "--cuont", 3], "no option '--cuont'; did you mean '--count'?"),
        (["sample", "r", "5"], "`pushforward sample` has no place for '5'."),
        (["sample", "r", "--count", "many"], "--count is 'many', but should be a whole number."),
        (["sample", "r", "--count=2.5"], "--count is '2.5', but should be a whole number."),
        (["sample", "r", "--count"], "--count needs a value."),
        (["interpolate", "r", "--labels", 3], "--labels needs 2 values."),
        (["data", "gte", "mnist"], "action is 'gte'; did you mean 'get'?"),
        (["data", "get"], "`pushforward data get` needs a name"),
        (["data", "get", "mnits"], "There is no set 'mnits'"),
        (["systems", "vaee"], "There is no system 'vaee'; did you mean 'vae'?"),
        (["game", "bilinear", "--start", 0, 0], "The players begin at 0 0, the equilibrium"),
        (["sample", "zoo/vae", "--label", 3], "zoo/vae is told no label"),
        (["name-clusters", "zoo/vae"], "zoo/vae has no clusters to name"),
        (["resume", "zoo/vae"], "'zoo/vae' comes with the package and cannot be trained on"),
    ],
)
def test_misspelt(ask, tmp_path, words, part):
    refused(ask, words, part, tmp_path)


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["train", "vea", "--data", "digits"], "There is no recipe or system 'vea'; did you mean 'vae'?"),
        (["train", "vea", "--latent", 2, "--data", "digits"], "'vea'; did you mean 'vae'?"),
        (["train", "vae"], "No data are given."),
        ([*DIGITS, "--lattent", 2], "VAE has no option '--lattent'; did you mean '--latent'?"),
        ([*DIGITS, "--imagse", 2], "VAE has no option '--imagse'; did you mean '--images'?"),
        ([*DIGITS, "--latent", "two"], "--latent is 'two': input should be a valid integer"),
        ([*DIGITS, "--latent"], "--latent is 'true': input should be a valid integer"),
        ([*DIGITS, "--net", "mpl"], "--net is 'mpl': input should be 'auto', 'mlp', 'convolution' or 'residual'"),
        ([*DIGITS, "--shape", 3], "--shape is '3', but it follows from the data"),
        ([*DIGITS, "stray"], "has no place for 'stray'"),
        ([*DIGITS, "--rule", "altrnating"], "There is no rule 'altrnating'; did you mean 'alternating'?"),
        ([*DIGITS, "--rule", "consensus:wieght=2"], "The rule consensus has no setting 'wieght'; did you mean 'weight'?"),
        ([*DIGITS, "--rule", "consensus:weight=much"], "weight of the rule consensus is 'much', but should be a number."),
        ([*DIGITS, "--rule", "lookahead:every=0"], "every of the rule lookahead is 0, but should be a number of at least 1."),
        ([*DIGITS, "--rule", "lookahead:rule=back"], "There is no rule 'back'"),
        ([*DIGITS, "--rule", "implicit"], "Implicit play is for games of a few numbers"),
        ([*DIGITS, "--rule", "lookahead:rule=consensus", "--compiled"], "leave --compiled out"),
        (["train", "gan", "--data", "digits", "--compiled"], "GAN cannot be compiled, as its losses change"),
        ([*DIGITS, "--rule", "lookahead:rule=implicit"], "Implicit play is for games of a few numbers"),
        (["train", "gan", "--data", "digits", "--turns", "5", "--rule", "extragradient"], "'discriminator' takes 5 turns"),
        (["train", "bilinear_game", "--data", "digits"], "bilinear_game learns from no data; play it: pushforward game bilinear."),
        (["game", "bilinaer"], "game is 'bilinaer'; did you mean 'bilinear'?"),
        (["game", "bilinear", "--r1", 1], "The game bilinear has no --r1; leave it out."),
        (["game", "dirac", "--momentum-a", 0.5], "The game dirac has no --momentum-a; leave it out."),
        (["game", "bilinear", "--momentum", 0.5], "`pushforward game` has no option '--momentum'; did you mean '--momentum-"),
        (["game", "bilinear", "--rate", -1], "rate"),
        ([*DIGITS, "--rate", "inf"], "--rate is 'inf': input should be a finite number."),
        (["game", "bilinear", "--rounds", 2], "rounds is 2, but a rate is measured over at least 4."),
        ([*DIGITS, "--images", 0], "images is 0, but must be more than 0."),
        ([*DIGITS, "--images", 10, "--minutes", 1], "Both images (10) and minutes (1) are given."),
        ([*DIGITS, "--labels", 5], "5 labels cannot cover 10 classes"),
        ([*DIGITS, "--labels", 5000], "5000 labels are to be kept, but only 899 are known"),
        ([*DIGITS, "--held-out", 2], "held_out is 2; give a share"),
        ([*DIGITS, "--observe", 4], "observe is 4"),
        ([*DIGITS, "--target", "x"], "target is 'x'"),
        (["train", "vae", "--data", "digit"], "There is no data set or file 'digit'"),
        (["train", "vae", "--data", "mnist", "--size", -1], "size is -1"),
        (["train", "conditional_vae", "--data", "digits", "--labels", 100], "some are hidden"),
        ([*DIGITS, "--shards", 3], "cannot be cut into 3 shards"),
        ([*DIGITS, "--likelihood", "bernoulli"], "A Bernoulli likelihood needs pixels that are -1 or 1"),
        ([*DIGITS, "--labels", 0, "--labelled", 8], "no label of 'digits' is known"),
    ],
)
def test_train(ask, tmp_path, words, part):
    refused(ask, words, part, tmp_path)


def images(folder, sizes, mode="L"):
    folder.mkdir()
    for number, size in enumerate(sizes):
        Image.new(mode, size, number).save(folder / f"{number}.png")


def test_own_data(ask, tmp_path):
    (tmp_path / "empty").mkdir()
    images(tmp_path / "mixed", [(8, 8), (8, 9)])
    images(tmp_path / "text", [(8, 8)])
    (tmp_path / "text" / "a.txt").write_text("no image")
    images(tmp_path / "dots", [(1, 1)])
    (tmp_path / "words.csv").write_text("a,b\n1,two\n")
    (tmp_path / "holes.csv").write_text("a,b\n1,\n")
    np.save(tmp_path / "bytes.npy", np.full((4, 8, 8), 200.0))
    np.savez(tmp_path / "labels.npz", x=np.zeros((4, 8, 8), np.uint8), y=np.array([0, 1, 7, 1]))
    (tmp_path / "broken.zip").write_bytes(b"PK no zip")
    for name, part in {
        "missing/": "There is no data set or file 'missing/'",
        "empty": "There is no file in 'empty'",
        "mixed": "have 2 sizes",
        "text": "1 of the 2 files in 'text' are no images",
        "dots": "1x1 pixels, too small",
        "words.csv": "Line 2 of 'words.csv' has 'two'",
        "holes.csv": "a hole in column 'b'",
        "bytes.npy": "give floating-point numbers in [0, 1]",
        "labels.npz": "labels up to 7 but none is 2",
        "broken.zip": "cannot be read as a zip",
    }.items():
        for words in (["train", "vae", "--data", name], ["data", "describe", name]):
            refused(ask, words, part, tmp_path)


@pytest.mark.parametrize(
    ("run", "words", "part"),
    [
        ("vae", ["sample", "--label", 3], "is told no label"),
        ("vae", ["traverse", "--label", 3], "is told no label"),
        ("conditional", ["sample", "--label", 10], "There is no class '10'"),
        ("conditional", ["sample", "--label", "seven"], "There is no class 'seven'"),
        ("vae", ["sample", "--count", 0], "--count is 0, but must be 1 or more"),
        ("vae", ["sample", "--seed", -1], "--seed is -1"),
        ("vae", ["sample", "--seed", 10**30], "less than 2^63"),
        ("vae", ["sample", "--mixture", 100_000], "A mixture of 100000 Gaussians"),
        ("vae", ["sample", "--out", "x.gif"], "Samples are not written as 'x.gif'; give a folder, or end the name in one of .png"),
        ("vae", ["sample", "--out", "x.csv"], "'x.csv' is for rows of a table, but the run makes images."),
        ("table", ["sample", "--out", "x/"], "'x/' is a folder, for images, but the run makes rows of a table."),
        ("completing", ["sample"], "completes images and cannot sample"),
        ("completing", ["interpolate"], "cannot encode"),
        ("vae", ["interpolate", "--first", 3], "Give both --first and --second"),
        ("vae", ["interpolate", "--first", 3, "--second", 898], "--second is 898, but the images of digits test are numbered 0..897"),
        ("vae", ["interpolate", "--first", 3, "--labels", 1, 2], "Both --labels and --first"),
        ("vae", ["interpolate", "--labels", 1, 12], "There is no class '12'"),
        ("table", ["reconstruct"], "was trained on a table"),
        ("table", ["interpolate"], "was trained on a table"),
        ("table", ["traverse"], "was trained on a table"),
        ("vae", ["predict", "photos"], "does not classify images"),
        ("classifier", ["predict", "photos"], "There is no image or folder 'photos'"),
        ("vae", ["resume", "--extend", 100], "--extend 100 is no more than"),
    ],
)
def test_commands_on_runs(ask, runs, tmp_path, run, words, part):
    command, *rest = words
    refused(ask, [command, runs[run], *rest], part, tmp_path)


def test_predict_a_folder_without_images(ask, runs, tmp_path):
    (tmp_path / "letters").mkdir()
    refused(ask, ["predict", runs["classifier"], "letters"], "There is no image in 'letters'", tmp_path)
    (tmp_path / "letters" / "a.txt").write_text("no image")
    refused(ask, ["predict", runs["classifier"], "letters"], "a.txt (not a PNG", tmp_path)


def test_runs_that_are_none_or_damaged(ask, runs, tmp_path):
    refused(ask, ["sample", runs["vae"].parent / "vaee"], "There is no run", tmp_path)
    (tmp_path / "plain").mkdir()
    refused(ask, ["sample", "plain"], "plain is no run", tmp_path)
    refused(ask, ["evaluate", "plain"], "plain is no run", tmp_path)
    run = shutil.copytree(runs["vae"], tmp_path / "run")
    refused(ask, [*DIGITS, "--run", "run"], "run holds a run with other settings", tmp_path)
    recipe = json.loads((run / "recipe.json").read_text())
    for change, part in (({"format": 99}, "run format 99"), ({"seed": 5}, "was changed since training began"), ({"x": 1}, "'x' is 1")):
        (run / "recipe.json").write_text(json.dumps(recipe | change))
        refused(ask, ["resume", "run"], part, tmp_path)
    (run / "recipe.json").write_text(json.dumps(recipe))
    for weights in run.glob("checkpoints/*/weights.safetensors"):
        weights.unlink()
    refused(ask, ["sample", "run"], "run has no usable checkpoint", tmp_path)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GivenUp("The loss of player 'vae' is not finite."), 4),
        (Interrupted(2, "runs/x"), 130),
        (Interrupted(15, "runs/x"), 143),
        (KeyboardInterrupt(), 130),
        (PermissionError(13, "Permission denied", "runs/x"), 2),
        (OSError(28, "No space left on device", "runs/x"), 3),
    ],
)
def test_other_ends_of_a_training(ask, monkeypatch, error, code):
    def end(*given):
        raise error

    monkeypatch.setattr("pushforward.recipes.run_order", end)
    answer = ask(*DIGITS, "--images", 100)
    assert answer.code == code and answer.err.count("\n") == 1 and "Traceback" not in answer.err


def test_a_full_disk(ask, monkeypatch, tmp_path):
    full = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("pushforward.runs.durable.shutil.disk_usage", lambda path: full)
    answer = ask(*DIGITS, "--images", 100, "--net", "mlp", "--width", 16)
    assert answer.code == 3 and "MiB free" in answer.err


def test_faults_of_ours_are_not_hidden(ask, monkeypatch):
    def fail(*given):
        raise ZeroDivisionError

    monkeypatch.setattr("pushforward.recipes.run_order", fail)
    with pytest.raises(ZeroDivisionError):
        ask(*DIGITS, "--images", 100)


def test_a_longer_training_on_other_data_is_refused_before_it_is_written(ask, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(12):
        Image.new("L", (8, 8), 20 * number).save(photos / f"{number}.png")
    run = pushforward.train("vae", str(photos), run=tmp_path / "run", images=64, width=4, latent=2, quiet=True)
    before = (run.folder / "recipe.json").read_bytes()
    Image.new("L", (8, 8), 255).save(photos / "0.png")
    answer = ask("resume", run.folder, "--extend", 200)
    assert answer.code == 2 and "are not those the run was trained on" in answer.err
    assert (run.folder / "recipe.json").read_bytes() == before
