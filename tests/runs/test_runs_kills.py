"""Processes that are killed or interrupted at random moments, resumed, and end in the bytes of one that was left alone."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import pytest

from pushforward.cli import main
from pushforward.runs import Recipe, Run, checkpoint, go_on, load, start
from tests.runs.children import begin, end, wait_for
from tests.runs.small import BATCH, KINDS, contents, recipe_of

ROOT = Path(__file__).parents[2]


def train(folder: Path, recipe: Recipe) -> int:
    """Start the run where there is none yet, else go on."""
    go_on(folder, quiet=True) if (folder / "recipe.json").exists() else start(folder, recipe, quiet=True)
    return 0


def busy(kind: str, folder: Path) -> Recipe:
    """A recipe that saves in nearly every round, so that many kills meet a save."""
    return recipe_of(kind, folder, save_every=BATCH, report_every=2 * BATCH, sheet_every=6 * BATCH)


@pytest.mark.parametrize(("kind", "kills"), [(kind, 3 if kind in ("vae", "game") else 2) for kind in KINDS])
def test_killed_at_random_moments_it_ends_in_the_same_bytes(kind: str, kills: int, tmp_path: Path) -> None:
    recipe, chance = busy(kind, tmp_path), random.Random(kind)
    assert end(begin(int)) == 0  # where this is the first child of all, it waits for imports
    began = time.monotonic()
    assert end(begin(train, tmp_path / "whole", recipe)) == 0
    usual = time.monotonic() - began
    folder, killed = tmp_path / "run", 0
    while killed < kills:
        child = begin(train, folder, recipe)
        time.sleep(chance.uniform(0, usual * 0.7))
        child.kill()
        killed += end(child) == -signal.SIGKILL
        for path in checkpoint.folders(folder):
            checkpoint.read(path)
        if checkpoint.folders(folder):
            load(folder)
        if (folder / "checkpoints" / f"{recipe.images:09d}").exists():  # it was quick: once more from the start
            assert end(begin(train, folder, recipe)) == 0  # it may have died after its last save, with an old one half removed
            assert contents(folder) == contents(tmp_path / "whole")
            folder = tmp_path / f"run-{killed}"
    assert end(begin(train, folder, recipe)) == 0
    assert contents(folder) == contents(tmp_path / "whole")
    assert not list(folder.rglob(".*")), "leftovers"


def command(folder: Path) -> int:
    return main(["resume", str(folder)])


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"])
def test_interrupted_at_random_moments_it_exits_as_shells_expect_and_ends_in_the_same_bytes(number: int, code: int, tmp_path: Path) -> None:
    """Five of each, by the command line."""
    often = {"report_every": 20 * BATCH, "save_every": 20 * BATCH, "sheet_every": 100 * BATCH}
    recipe, chance = recipe_of("vae", tmp_path, images=300 * BATCH, **often), random.Random(number)
    assert end(begin(train, tmp_path / "whole", recipe)) == 0
    folder = Run.create(tmp_path / "run", recipe).folder
    for _ in range(5):
        child = begin(command, folder)
        wait_for(folder / "lock", child)
        time.sleep(chance.uniform(0.01, 0.06))
        os.kill(child.pid or 0, number)
        began = time.monotonic()
        status = end(child)
        assert time.monotonic() - began < 10
        assert status == code
    assert end(begin(train, folder, recipe)) == 0
    assert contents(folder) == contents(tmp_path / "whole")


def stuck(folder: Path, recipe: Recipe) -> int:
    """A training whose last save, asked for by a signal, takes for ever."""
    save = Run.save

    def slow(run: Run, trainer: object, setbacks: int, scheduled: bool = True) -> None:
        if not scheduled:
            (folder.parent / "saving").touch()
            time.sleep(60)
        save(run, trainer, setbacks, scheduled)  # type: ignore[arg-type]

    Run.save = slow  # type: ignore[method-assign,assignment]
    try:
        start(folder, recipe, quiet=True)
    except KeyboardInterrupt:
        return 130
    return 0


def test_a_second_interrupt_ends_it_at_once(tmp_path: Path) -> None:
    recipe = recipe_of("vae", tmp_path, images=10**6, save_every=10**6)
    folder = tmp_path / "run"
    child = begin(stuck, folder, recipe)
    wait_for(folder / "checkpoints" / "000000000", child)
    os.kill(child.pid or 0, signal.SIGINT)
    wait_for(tmp_path / "saving", child)
    began = time.monotonic()
    os.kill(child.pid or 0, signal.SIGINT)
    assert end(child) == 130 and time.monotonic() - began < 5
    assert load(folder).stage.seen == 0
    assert not (folder / "lock").exists()


FRESH = """
import sys, torch
from pathlib import Path
torch.set_num_threads(1)
from tests.runs.test_runs_kills import all_of_them
all_of_them(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def all_of_them(place: Path, told: Path) -> None:
    """Train a little of every kind in `place`, and note what it came to."""
    for kind in KINDS:
        start(place / kind, recipe_of(kind, place, images=6 * BATCH), quiet=True)
    told.write_text(repr([(kind, {key: sha256(value).hexdigest() for key, value in contents(place / kind).items()}) for kind in KINDS]))


def test_a_fresh_process_comes_to_the_same_bytes(tmp_path: Path) -> None:
    """One with another order of hashes than this one, in which much has been going on."""
    told, seed = [tmp_path / "fresh", tmp_path / "here"], "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    surroundings = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    (place := tmp_path / "place").mkdir()  # the same one, as recipes name it
    done = subprocess.run(
        [sys.executable, "-c", FRESH, str(place), str(told[0])], env=surroundings, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    shutil.rmtree(place)
    place.mkdir()
    all_of_them(place, told[1])
    assert told[0].read_text() == told[1].read_text()
