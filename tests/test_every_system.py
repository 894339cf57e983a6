"""The common checks (`common_checks.py`) over every file of systems/, over a two-player game, and over a system written here and now."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pushforward
from pushforward.core import BadInput, find_system, system_names
from pushforward.runs import Run
from tests.cases import Case, cases
from tests.common_checks import CHECKS

EXTRA: dict[str, dict[str, dict[str, Any]]] = {
    "vae": {"free-bits": {"free_bits": 0.1}, "no-warm-up": {"warm_up": 0.0, "beta": 4.0}},
    "conditional_vae": {"colour-completion": {"condition": "image", "shape": (3, 9, 6), "net": "convolution"}},
    "classification_vae": {
        "lecture-code-sees-label": {"form": "lecture", "code_sees_label": True},
        "semi": {
            "net": "convolution",
            "views": "small-digits",
            "consistency": 1.0,
            "mutual_information": 0.5,
            "bound_every": 4,
            "settle": 0.33,
            "decay": 5e-4,
            "average": 2_000,
        },
        "consistent-without-views": {"consistency": 1.0, "average": 500},
    },
    "pix2pix": {"coded": {"code": 2, "matching": 1.0}},
    "gan": {"spectral": {"net": "residual", "objective": "hinge", "spectral": True, "r1": 0.0, "r2": 0.0, "width": 4}},
}
"""Settings beside those that `cases` finds by itself; a new system needs none."""

ALL = [case for system in [*system_names(), "tests.tiny_game"] for case in cases(system, EXTRA.get(system))]


PPCA = (Path(__file__).parents[1] / "examples" / "of_mine" / "ppca.py").read_text()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("case", ALL, ids=str)
def test(check: Callable[[Case, Path], None], case: Case, tmp_path: Path) -> None:
    check(case, tmp_path)


def test_losses_that_say_so_are_compiled_once() -> None:
    found = subprocess.run([sys.executable, "-m", "tests.compiling"], capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert found.returncode == 0, found.stderr
    assert not found.stdout.split()


def test_an_opened_system_lies_in_memory_as_the_trained_one(tmp_path: Path) -> None:
    case = Case("vae", "", {"shape": (3, 24, 24), "net": "convolution", "width": 16})
    trainer = case.trainer()
    run = Run.create(tmp_path / "run", case.recipe)
    run.save(trainer)
    opened = dict(run.open().named_parameters())
    assert all(opened[key].stride() == weight.stride() for key, weight in trainer.system.named_parameters())


def test_a_new_system_in_one_file_is_under_all_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else is written: no list, no test, no line elsewhere. It trains and opens through the same doors, too."""
    (tmp_path / "of_mine").mkdir()
    (tmp_path / "of_mine" / "ppca.py").write_text(PPCA)
    monkeypatch.chdir(tmp_path)
    found = cases("of_mine.ppca")
    assert [case.variant for case in found] == ["usual", "colour"]
    for case in found:
        for check in CHECKS:
            (folder := tmp_path / f"{case}-{check.__name__}").mkdir()
            check(case, folder)
    run = pushforward.train("of_mine.ppca", "digits", images=3_200, run=tmp_path / "run", quiet=True)
    losses = [line["ppca/loss"] for line in run.metrics()]
    assert losses[-1] < losses[0] - 10
    assert pushforward.load(run.folder).sample(2, seed=0).shape == (2, 1, 8, 8)


def test_a_file_must_define_one_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "two_of_mine").mkdir()
    (tmp_path / "two_of_mine" / "none.py").write_text('"""Nothing."""\n')
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BadInput, match="exactly one System"):
        find_system("two_of_mine.none")
    with pytest.raises(BadInput, match="did you mean 'vae'"):
        find_system("vea")
    with pytest.raises(BadInput, match="no system"):
        find_system("nowhere.at_all")
