"""Checkpoints whose bytes were changed: noticed every time, and the one before is used."""

import json
import random
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pushforward.core import BadInput
from pushforward.data import open_data
from pushforward.runs import Interrupted, Run, checkpoint, go_on, load, start
from pushforward.runs.checkpoint import Damaged
from pushforward.runs.session import trainer_of
from tests.runs.small import BATCH, contents, interrupted_at, recipe_of

FILES = ("weights.safetensors", "state.safetensors", "facts.json", "manifest.json")
FLIPS, CUTS = 100, 25


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An uninterrupted run, and one that was interrupted after 12 rounds."""
    folder = tmp_path_factory.mktemp("damage")
    recipe = recipe_of("vae", folder)
    with interrupted_at(12 * BATCH), pytest.raises(Interrupted):
        start(folder / "half", recipe, quiet=True)
    return start(folder / "whole", recipe, quiet=True).folder, folder / "half"


@pytest.fixture
def half(runs: tuple[Path, Path], tmp_path: Path) -> Path:
    """A copy of the interrupted run."""
    return Path(shutil.copytree(runs[1], tmp_path / "run"))


def newest(folder: Path) -> Path:
    return checkpoint.folders(folder)[-1]


def flip(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def cut(path: Path, chance: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: chance.randrange(len(content))])


def changed(path: Path, change: Callable[[Path, random.Random], None], chance: random.Random, attempt: Callable[[], Any]) -> Any:
    """What `attempt` comes to while one file is changed."""
    content = path.read_bytes()
    change(path, chance)
    try:
        return attempt()
    finally:
        path.write_bytes(content)


@pytest.mark.parametrize(("change", "count"), [(flip, FLIPS), (cut, CUTS)])
def test_every_changed_bit_and_every_lost_end_is_noticed(change: Callable[[Path, random.Random], None], count: int, half: Path) -> None:
    """In each of the four files in turn; training and opening both take the checkpoint before, and say so in a sentence."""
    chance, run = random.Random(count), Run(half)
    good = checkpoint.read(newest(half))
    trainer = trainer_of(run.recipe, open_data(run.recipe.data)[0])
    for attempt in range(count):
        path = newest(half) / FILES[attempt % 4]

        def taken(opens: bool = attempt % 10 == 0 and path.name != "state.safetensors") -> tuple[int, str]:
            run.notices = []
            seen = next(found.facts.seen for _, found in run.usable())
            assert not opens or load(half).stage.seen == 10 * BATCH
            return seen, " ".join(run.notices)

        seen, said = changed(path, change, chance, taken)
        assert seen == 10 * BATCH, f"{change.__name__} {attempt} in {path.name} was not noticed"
        assert said.count("the checkpoint before it is used") == 1 and newest(half).name in said and "\n" not in said
    assert checkpoint.read(newest(half)).facts == good.facts
    assert run.resume(trainer) == 0 and trainer.seen == 12 * BATCH


@pytest.mark.parametrize("name", FILES)
def test_going_on_from_the_checkpoint_before_ends_in_the_same_bytes(
    name: str, runs: tuple[Path, Path], half: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    flip(newest(half) / name, random.Random(name))
    go_on(half)
    assert f"{12 * BATCH:09d}" in (said := capfd.readouterr().err) and "the checkpoint before it is used" in said
    assert contents(half) == contents(runs[0])


@pytest.mark.parametrize("lost", [*FILES, ""])
def test_a_lost_file_or_an_empty_folder_is_no_checkpoint(lost: str, half: Path) -> None:
    for path in newest(half).iterdir():
        if lost in ("", path.name):
            path.unlink()
    assert next(found.facts.seen for _, found in Run(half).usable()) == 10 * BATCH


def test_where_all_are_damaged_it_says_so(half: Path) -> None:
    for folder in checkpoint.folders(half):
        flip(folder / "weights.safetensors", random.Random(0))
    with pytest.raises(BadInput, match=r"No checkpoint of .* is usable"):
        go_on(half, quiet=True)
    with pytest.raises(BadInput, match="no usable checkpoint"):
        load(half)
    with pytest.raises(BadInput, match="no usable checkpoint"):
        Run(half).extend(10**6)
    assert len(checkpoint.folders(half)) == 4, "nothing is thrown away"


def test_a_checkpoint_under_another_name_is_none(half: Path) -> None:
    newest(half).rename(half / "checkpoints" / "000000104")
    assert next(found.facts.seen for _, found in Run(half).usable()) == 10 * BATCH


def test_weights_of_another_network_are_refused_with_a_sentence(half: Path, tmp_path: Path) -> None:
    other = start(tmp_path / "other", recipe_of("vae-convolution", tmp_path, images=12 * BATCH, save_every=12 * BATCH), quiet=True)
    for name in ("weights.safetensors", "state.safetensors"):
        rewritten(newest(half), name, (newest(other.folder) / name).read_bytes())
    for attempt in (lambda: load(half), lambda: go_on(half, quiet=True)):
        with pytest.raises(BadInput, match="does not fit VAE of this version"):
            attempt()
    rewritten(newest(half), "weights.safetensors", (checkpoint.folders(half)[0] / "weights.safetensors").read_bytes())
    with pytest.raises(BadInput, match="does not fit VAE of this version"):
        go_on(half, quiet=True)


def rewritten(folder: Path, name: str, content: bytes) -> None:
    """Replace a file of a checkpoint, sum and all, as somebody who knows the format could."""
    (folder / name).write_bytes(content)
    sums = json.loads((folder / "manifest.json").read_bytes()) | {name: sha256(content).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(sums))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def lone(runs: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with one checkpoint."""
    folder = Path(shutil.copytree(runs[1], tmp_path_factory.mktemp("lone") / "run"))
    for path in checkpoint.folders(folder)[:-1]:
        shutil.rmtree(path)
    return folder


def only_our_errors(folder: Path) -> None:
    try:
        checkpoint.read(newest(folder))
    except Damaged as damage:
        assert "\n" not in str(damage)
    for attempt in (Run(folder).refuse_changes, lambda: list(Run(folder).usable()), lambda: list(Run(folder).usable(weights_only=True))):
        try:
            attempt()
        except BadInput as error:
            assert "\n" not in str(error)
    checkpoint.is_scheduled(newest(folder))


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(content=JSON, key=st.sampled_from(["seen", "slower", "setbacks", "counted", "scheduled", "recipe", "new", ""]))
def test_no_facts_raise_another_error(lone: Path, content: Any, key: str) -> None:
    """Facts of any content, or with one of them replaced, under a sum that fits."""
    original = (newest(lone) / "facts.json").read_bytes()
    facts = content if not key else json.loads(original) | {key: content}
    rewritten(newest(lone), "facts.json", json.dumps(facts).encode())
    only_our_errors(lone)
    rewritten(newest(lone), "facts.json", original)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(content=JSON, key=st.sampled_from([*FILES, "../recipe.json", "new", ""]))
def test_no_manifest_raises_another_error(lone: Path, content: Any, key: str) -> None:
    path = newest(lone) / "manifest.json"
    original = path.read_bytes()
    path.write_text(json.dumps(content if not key else json.loads(original) | {key: content}))
    only_our_errors(lone)
    path.write_bytes(original)


@pytest.mark.parametrize("text", [b"", b"[" * 100_000, b'{"seen": 1', b"\xff\xfe", b"1" * 5000, b"null", b"{}"])
@pytest.mark.parametrize("name", ["facts.json", "manifest.json"])
def test_texts_that_break_parsers_raise_no_other_error(lone: Path, name: str, text: bytes) -> None:
    path, manifest = newest(lone) / name, newest(lone) / "manifest.json"
    original, sums = path.read_bytes(), manifest.read_bytes()
    path.write_bytes(text)
    if name == "facts.json":
        rewritten(newest(lone), name, text)
    only_our_errors(lone)
    path.write_bytes(original)
    manifest.write_bytes(sums)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    content=JSON, key=st.sampled_from(["system", "config", "data", "images", "rule", "shards", "clip", "save_every", "format", "new", ""])
)
def test_no_recipe_raises_another_error(lone: Path, content: Any, key: str) -> None:
    path = lone / "recipe.json"
    original = path.read_bytes()
    path.write_text(json.dumps(content if not key else json.loads(original) | {key: content}))
    for attempt in (lambda: load(lone), lambda: go_on(lone, quiet=True)):
        if path.read_bytes() != original:
            try:
                attempt()
            except BadInput as error:
                assert "\n" not in str(error)
    path.write_bytes(original)
