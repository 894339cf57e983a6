"""What was changed since a run began is shown and refused; what cannot be trained leaves nothing behind."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pushforward.core import BadInput
from pushforward.data import DataSpec, open_data
from pushforward.runs import Interrupted, Recipe, Run, checkpoint, config_as_json, config_of, go_on, load, start
from pushforward.systems.vae import VAE
from tests.runs.small import BATCH, contents, examples, interrupted_at, recipe_of

pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def half(tmp_path: Path) -> Path:
    """A run that was interrupted after 7 rounds."""
    with interrupted_at(7 * BATCH), pytest.raises(Interrupted):
        start(tmp_path / "run", recipe_of("vae", tmp_path), quiet=True)
    return tmp_path / "run"


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a run's recipe by hand."""
    content = json.loads((folder / "recipe.json").read_text())
    change(content)
    (folder / "recipe.json").write_text(json.dumps(content))


CHANGES = {
    "seed: 0 -> 1": lambda recipe: recipe.update(seed=1),
    "config.latent: 3 -> 4": lambda recipe: recipe["config"].update(latent=4),
    "config.width: 8 -> -1": lambda recipe: recipe["config"].update(width=-1),
    "images: 160 -> 320": lambda recipe: recipe.update(images=320),
    "save_every: 40 -> 8; shards: 1 -> 2": lambda recipe: recipe.update(save_every=8, shards=2),
    "system: 'vae' -> 'vea'": lambda recipe: recipe.update(system="vea"),
    "data.path: '.*' -> 'nowhere'": lambda recipe: recipe["data"].update(path="nowhere"),
    "fingerprint: '.*' -> 'x'": lambda recipe: recipe.update(fingerprint="x"),
}


@pytest.mark.parametrize("words", CHANGES)
def test_a_recipe_that_was_changed_is_refused_with_the_differences(words: str, half: Path) -> None:
    edit(half, CHANGES[words])
    before = contents(half)
    for attempt in (lambda: go_on(half, quiet=True), lambda: load(half)):
        with pytest.raises(BadInput, match=rf"recipe\.json was changed since training began \({words}\)\. Undo that, or train anew\."):
            attempt()
    assert contents(half) == before
    if "images" not in words:
        with pytest.raises(BadInput, match=words):
            Run(half).extend(10**6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda recipe: recipe.update(format=2), "has run format 2, but this version reads format 1"),
        (lambda recipe: recipe.pop("format"), "has run format None"),
        (lambda recipe: recipe.update(new=3), "'new' is 3"),
        (lambda recipe: recipe.update(images="many"), "'images' is 'many'"),
        (lambda recipe: recipe.update(report_every=0), "'report_every' is 0"),
        (lambda recipe: recipe.update(shards=-1), "'shards' is -1"),
        (lambda recipe: recipe["data"].update(new=1), "'data.new' is 1"),
        (lambda recipe: recipe.pop("system"), "'system'"),
    ],
)
def test_a_recipe_of_another_version_or_with_unfit_values_is_refused(
    change: Callable[[dict[str, Any]], object], words: str, half: Path
) -> None:
    edit(half, change)
    for attempt in (lambda: Run(half), lambda: go_on(half, quiet=True), lambda: load(half)):
        with pytest.raises(BadInput, match=words) as told:
            attempt()
        assert "\n" not in str(told.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", "[" * 100_000, "\x00"])
def test_a_recipe_that_is_none_is_refused(text: str, half: Path) -> None:
    (half / "recipe.json").write_text(text)
    with pytest.raises(BadInput, match=r"recipe\.json (holds no JSON|has run format)"):
        Run(half)


def test_missing_files_are_said(half: Path) -> None:
    environment = (half / "environment.json").read_bytes()
    for name, wrong in (("environment.json", b""), ("environment.json", b"[1]"), ("environment.json", None)):
        (half / name).unlink() if wrong is None else (half / name).write_bytes(wrong)
        with pytest.raises(BadInput, match=r"environment\.json"):
            Run(half).environment()
    (half / "environment.json").write_bytes(environment)
    shutil.rmtree(half / "checkpoints")
    with pytest.raises(BadInput, match=r"has no usable checkpoint\. *Train it with `pushforward resume"):
        load(half)
    assert Run(half).seen() == 0
    (half / "recipe.json").unlink()
    with pytest.raises(BadInput, match=r"is no run: it has no recipe\.json"):
        Run(half)
    with pytest.raises(BadInput, match=r"There is no run .*/runn'; did you mean '.*/run'"):
        shutil.copytree(half, half.parent / "other")
        (half / "recipe.json").write_text("{}")
        Run(half.parent / "runn")


def test_a_run_that_is_not_there_is_looked_for_among_the_users_own(half: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for asked, meant in {"vae": "zoo/vae", "zoo/vea": "zoo/vae", "zoo/few_label": "zoo/few_labels", "runs/gna": "zoo/gan"}.items():
        with pytest.raises(BadInput, match=f"There is no run '{asked}'; did you mean '{meant}'"):
            Run(asked)
    shutil.copytree(half, tmp_path / "runs" / "vae")
    for asked, meant in {"vae": "runs/vae", "vea": "runs/vae", "runs/vea": "runs/vae", "zoo/vea": "zoo/vae"}.items():
        with pytest.raises(BadInput, match=f"There is no run '{asked}'; did you mean '{meant}'"):
            Run(asked)
    with pytest.raises(BadInput, match=r"^There is no run 'zoo/xyz'\. Runs that come with the package: [a-z_/, ]+\.$"):
        Run("zoo/xyz")
    with pytest.raises(BadInput, match=r"^zoo is no run"):
        Run("zoo")


def test_a_run_is_called_what_its_user_calls_it(half: Path) -> None:
    assert str(Run(half)) == str(half) and str(Run("zoo/vae")) == "zoo/vae"


def test_a_run_without_checkpoints_and_metrics_begins_again(half: Path, tmp_path: Path) -> None:
    shutil.rmtree(half / "checkpoints")
    (half / "metrics.jsonl").unlink()
    go_on(half, quiet=True)
    assert contents(half) == contents(start(tmp_path / "whole", recipe_of("vae", tmp_path), quiet=True).folder)


def test_other_data_are_refused(half: Path, tmp_path: Path) -> None:
    path = examples(tmp_path)
    with np.load(path) as kept:
        image, label = kept["image"], kept["label"]
    image[3, 2, 1] ^= 1
    np.savez(path, image=image, label=label)
    with pytest.raises(BadInput, match=r"are not those the run was trained on \(fingerprint \w{12}, was \w{12}\)"):
        go_on(half, quiet=True)
    path.unlink()
    with pytest.raises(BadInput, match="no data set or file"):
        go_on(half, quiet=True)
    assert load(half).stage.seen == 7 * BATCH, "a run opens without its data"


def test_data_from_memory_have_to_be_given_again(tmp_path: Path) -> None:
    with np.load(examples(tmp_path)) as kept:
        memory = (kept["image"], kept["label"])
    spec = DataSpec("memory", held_out=0.0)
    recipe = recipe_of("vae", tmp_path, data=spec, fingerprint=open_data(spec, memory)[0].fingerprint)
    with interrupted_at(7 * BATCH), pytest.raises(Interrupted):
        start(tmp_path / "run", recipe, memory, quiet=True)
    with pytest.raises(BadInput, match="memory"):
        go_on(tmp_path / "run", quiet=True)
    with pytest.raises(BadInput, match="fingerprint"):
        go_on(tmp_path / "run", (memory[0][:40], memory[1][:40]), quiet=True)
    go_on(tmp_path / "run", memory, quiet=True)
    same = start(tmp_path / "file", recipe_of("vae", tmp_path), quiet=True)
    assert contents(tmp_path / "run")["metrics.jsonl"] == contents(same.folder)["metrics.jsonl"]


def test_a_folder_with_anything_in_it_is_refused(half: Path, tmp_path: Path) -> None:
    recipe = Run(half).recipe
    before = contents(half)
    with pytest.raises(BadInput, match=r"holds a run with the same settings\. Use `pushforward resume"):
        start(half, recipe, quiet=True)
    with pytest.raises(BadInput, match=r"holds a run with other settings \(seed: 0 -> 7\)"):
        start(half, replace(recipe, seed=7), quiet=True)
    assert contents(half) == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(BadInput, match="holds files that are no run"):
        start(tmp_path / "mine", recipe, quiet=True)
    with pytest.raises(BadInput, match="is a file"):
        start(tmp_path / "mine" / "thesis.txt", recipe, quiet=True)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_a_run_that_was_killed_while_it_was_made_can_be_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("lock", "environment.json", ".recipe.json.77.part"):
        (folder / name).write_text("")
    start(folder, recipe_of("vae", tmp_path, images=2 * BATCH), quiet=True)
    assert not list(folder.glob(".*"))


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        ("vae", {"system": "vea"}, "no system 'vea'; did you mean 'vae'"),
        ("vae", {"config": {"shape": (1, 8, 8), "latnet": 3}}, "no option 'latnet'; did you mean 'latent'"),
        ("vae", {"config": {"shape": (1, 8, 8), "latent": "three"}}, "'latent' is 'three'"),
        ("vae", {"images": 0}, "'images' is 0"),
        ("vae", {"shards": 3}, "cannot be cut into 3"),
        ("vae", {"rule": "altrenating"}, "no rule 'altrenating'; did you mean 'alternating'"),
        ("vae", {"precision": "float16"}, "'precision' is 'float16'"),
        ("vae", {"config": {"shape": (1, 8, 8), "likelihood": "bernoulli"}}, "bernoulli|Bernoulli|two-valued|0 and 1|black"),
        ("vae", {"fingerprint": "x"}, "fingerprint"),
        ("classification-bound", {"config": {"shape": (1, 8, 8), "classes": 2}}, "A label is 2, but labels must lie in 0..1"),
        ("vae", {"labelled": 4, "data": DataSpec("digits", labels=0)}, "."),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_is_written(
    kind: str, changes: dict[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=words) as told:
        start(tmp_path / "run", recipe_of(kind, tmp_path, **changes), quiet=True)
    assert "\n" not in str(told.value) and not (tmp_path / "run").exists()


def test_an_extended_run_is_one_of_more_images(half: Path) -> None:
    run = Run(half)
    for few in (160, 8):
        with pytest.raises(BadInput, match=f"--extend {few} is no more than the 160 images"):
            run.extend(few)
    run.extend(320)
    assert run.recipe.images == Run(half).recipe.images == 320
    assert [checkpoint.read(path).facts.recipe.images for path in checkpoint.folders(half)] == [320]
    assert load(half).stage.progress == 56 / 320
    run = go_on(half, quiet=True)
    assert run.seen() == 320 and run.metrics()[-1]["seen"] == 320
    seen = [line["seen"] for line in run.metrics()]
    assert seen == sorted(set(seen))
    run.extend(400)
    assert go_on(half, quiet=True).seen() == 400


def test_a_run_at_its_end_is_left_as_it_is(half: Path) -> None:
    go_on(half, quiet=True)
    before = contents(half)
    assert go_on(half, quiet=True).seen() == 160
    assert contents(half) == before


def test_a_recipe_survives_json_and_names_its_differences(tmp_path: Path) -> None:
    recipe = recipe_of("conditional-image", tmp_path)
    run = Run.create(tmp_path / "run", recipe)
    assert config_of(VAE, config_as_json(VAE.Config((1, 8, 8)))) == VAE.Config((1, 8, 8))
    assert Run(run.folder).recipe.data == recipe.data and isinstance(Run(run.folder).recipe, Recipe)
    with pytest.raises(BadInput, match="other settings"):
        Run.create(tmp_path / "run", replace(recipe, config=recipe.config | {"latent": 9}))
