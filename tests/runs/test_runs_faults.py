"""Disks that fail and disks that are full: what was saved last opens each time."""

import errno
import os
import shutil
import subprocess
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pushforward.data import open_data
from pushforward.runs import Interrupted, NoSpace, Run, checkpoint, durable, go_on, load, start
from pushforward.runs.screen import Screen
from pushforward.runs.session import record, trainer_of
from pushforward.training import Trainer
from pushforward.training.machines import generators_left_alone
from tests.runs.children import SHEET
from tests.runs.small import BATCH, contents, interrupted_at, recipe_of

SAVED = 12
ERRORS = [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS]
pytestmark = pytest.mark.usefixtures("quick")


class Faulty:
    """The module `os`, of whose calls the n-th that can fail does."""

    CALLS = ("open", "write", "fsync", "replace")

    def __init__(self, fails: int, number: int):
        self.left, self.number = fails, number

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in self.CALLS:
            return real

        def call(*given: Any, **named: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                raise OSError(self.number, os.strerror(self.number))
            return real(*given, **named)

        return call


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An uninterrupted run that writes everything in every round, and one that was interrupted after 12 rounds."""
    folder = tmp_path_factory.mktemp("faults")
    recipe = recipe_of("vae", folder, report_every=BATCH, sheet_every=BATCH, save_every=BATCH, images=15 * BATCH)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pushforward.runs.sheet.COUNT", SHEET)
        with interrupted_at(SAVED * BATCH), pytest.raises(Interrupted):
            start(folder / "half", recipe, quiet=True)
        return start(folder / "whole", recipe, quiet=True).folder, folder / "half"


def stood(folder: Path) -> tuple[Run, Trainer]:
    run = Run(folder)
    trainer = trainer_of(run.recipe, open_data(run.recipe.data)[0])
    return run, trainer


def one_round(folder: Path) -> Callable[[], object]:
    """All that is written after a round: a line of metrics, a sheet, a checkpoint, and the oldest one's removal."""
    run, trainer = stood(folder)
    setbacks = run.resume(trainer)
    with generators_left_alone():
        trainer.round()
    return lambda: record(run, trainer, None, setbacks, SAVED * BATCH, SAVED * BATCH, Screen("", 1, quiet=True))


def one_resume(folder: Path) -> Callable[[], object]:
    """A resume that has much to tidy up."""
    (folder / "checkpoints" / ".000000104.77.part").mkdir()
    (folder / "checkpoints" / ".000000104.77.part" / "facts.json").write_bytes(b"{")
    shutil.copytree(folder / "checkpoints" / f"{SAVED * BATCH:09d}", folder / "checkpoints" / f".{SAVED * BATCH:09d}.old")
    (folder / "samples" / "000000104.png").write_bytes(b"")
    (folder / "metrics.jsonl").write_bytes((folder / "metrics.jsonl").read_bytes() + b'{"seen": 104, "vae/lo')
    run, trainer = stood(folder)
    return lambda: run.resume(trainer)


def one_setback(folder: Path) -> Callable[[], object]:
    """A checkpoint that takes the place of another one."""
    run, trainer = stood(folder)
    run.resume(trainer)
    trainer.slower = 0.5
    return lambda: run.save(trainer, 1)


def one_extension(folder: Path) -> Callable[[], object]:
    return lambda: Run(folder).extend(20 * BATCH)


@pytest.mark.parametrize("what", [one_round, one_resume, one_setback])
@pytest.mark.parametrize("number", ERRORS, ids=errno.errorcode.get)
def test_whichever_call_fails_the_last_good_checkpoint_opens(
    what: Callable[[Path], Callable[[], object]], number: int, runs: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in count(1):
        folder = Path(shutil.copytree(runs[1], tmp_path / str(n)))
        act, faulty = what(folder), Faulty(n, number)
        with monkeypatch.context() as patch:
            patch.setattr(durable, "os", faulty)
            try:
                act()
            except OSError as error:
                assert isinstance(error, NoSpace) == (number == errno.ENOSPC) and "\n" not in str(error)
                assert "no space left to write" in str(error) if number == errno.ENOSPC else str(folder) in error.filename
        for path in checkpoint.folders(folder):
            checkpoint.read(path)
        assert what is not one_round or not list(folder.rglob(".*")), "leftovers"
        assert load(folder).stage.seen in (SAVED * BATCH, (SAVED + 1) * BATCH)
        if number == errno.ENOSPC and what is not one_setback and n % 3 == 1:
            go_on(folder, quiet=True)
            assert contents(folder) == contents(runs[0]), f"call {n}"
            assert not list(folder.rglob(".*"))
        if faulty.left > 0:
            assert n > 4
            return


class Watched:
    """The module `os`; before each call that changes something, a copy is made of what a process killed just then would leave."""

    def __init__(self, folder: Path, copies: Path):
        self.folder, self.copies, self.calls = folder, copies, 0

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in Faulty.CALLS:
            return real

        def call(*given: Any, **named: Any) -> Any:
            shutil.copytree(self.folder, self.copies / str(self.calls))
            self.calls += 1
            return real(*given, **named)

        return call


@pytest.mark.parametrize("what", [one_round, one_resume, one_setback])
def test_killed_between_any_two_calls_it_resumes_where_it_stood(
    what: Callable[[Path], Callable[[], object]], runs: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(shutil.copytree(runs[1], tmp_path / "run"))
    for path in checkpoint.folders(folder)[:-1]:
        shutil.rmtree(path)  # so that all depends on one
    act = what(folder)
    with monkeypatch.context() as patch:
        patch.setattr(durable, "os", watched := Watched(folder, tmp_path))
        act()
    assert watched.calls > 4
    for call in range(watched.calls):
        run, trainer = stood(tmp_path / str(call))
        for path in checkpoint.folders(run.folder):
            checkpoint.read(path)
        run.resume(trainer)
        assert trainer.seen in (SAVED * BATCH, (SAVED + 1) * BATCH), f"call {call}"
        assert not list(run.folder.rglob(".*"))


def test_a_file_holds_the_old_bytes_or_the_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in ERRORS:
        for n in count(1):
            path, faulty = tmp_path / "file", Faulty(n, number)
            path.write_bytes(b"old")
            with monkeypatch.context() as patch, suppress(OSError):
                patch.setattr(durable, "os", faulty)
                durable.write(path, b"new and longer")
            assert path.read_bytes() in (b"old", b"new and longer") and list(tmp_path.iterdir()) == [path]
            if faulty.left > 0:
                assert n == 7
                break


def test_an_extension_that_is_cut_short_can_be_done_again(runs: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = Path(shutil.copytree(runs[1], tmp_path / "wanted"))
    one_extension(wanted)()
    for n in count(1):
        folder, faulty = Path(shutil.copytree(runs[1], tmp_path / str(n))), Faulty(n, errno.EIO)
        with monkeypatch.context() as patch:
            patch.setattr(durable, "os", faulty)
            with suppress(OSError):
                one_extension(folder)()
        if faulty.left > 0:
            break
        if Run(folder).recipe.images == 15 * BATCH:
            one_extension(folder)()
        assert contents(folder) == contents(wanted)


def test_a_system_that_takes_writes_in_parts_is_given_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = SimpleNamespace(**vars(os) | {"write": lambda handle, content: os.write(handle, content[:7])})
    monkeypatch.setattr(durable, "os", parts)
    durable.write(tmp_path / "file", bytes(range(100)))
    durable.append(tmp_path / "file", b"a longer line")
    assert (tmp_path / "file").read_bytes() == bytes(range(100)) + b"\na longer line\n"


def test_a_line_that_does_not_fit_is_not_there_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []

    def write(handle: int, content: bytes) -> int:
        if len(taken) == 2:
            raise OSError(errno.ENOSPC, "full")
        taken.append(os.write(handle, content[:5]))
        return taken[-1]

    (tmp_path / "lines").write_bytes(b"first\n")
    monkeypatch.setattr(durable, "os", SimpleNamespace(**vars(os) | {"write": write}))
    durable.append(tmp_path / "lines", b"123")
    with pytest.raises(NoSpace, match="no space left to write"):
        durable.append(tmp_path / "lines", b"a longer one")
    assert len(taken) == 2 and (tmp_path / "lines").read_bytes() == b"first\n123\n"


def test_a_line_that_a_kill_cut_off_spoils_no_other(tmp_path: Path) -> None:
    (tmp_path / "lines").write_bytes(b'{"a": 1}\n{"a": ')
    durable.append(tmp_path / "lines", b'{"a": 3}')
    assert (tmp_path / "lines").read_bytes() == b'{"a": 1}\n{"a": \n{"a": 3}\n'


def test_free_space_is_checked_ahead(runs: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice what is to be written must be free; else nothing is."""
    folder = Path(shutil.copytree(runs[1], tmp_path / "run"))
    run, trainer = stood(folder)
    run.resume(trainer)
    size = sum(path.stat().st_size for path in checkpoint.folders(folder)[-1].iterdir())
    before = contents(folder)
    usage = namedtuple("usage", "total used free")
    for share, fits in ((1.8, False), (2.2, True)):
        monkeypatch.setattr(shutil, "disk_usage", lambda path, share=share: usage(0, 0, int(share * size)))
        if fits:
            run.save(trainer)
        else:
            with pytest.raises(NoSpace, match=r"MiB free, but .* are needed to save\. Free some space, then resume the run") as told:
                run.save(trainer)
            assert "\n" not in str(told.value) and contents(folder) == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    if (
        shutil.which("mount") is None
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True).returncode
    ):
        pytest.skip("mounting a small disk is not permitted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_that_is_really_full_leaves_the_last_checkpoint(
    small_disk: Path, runs: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is left on it, in steps of 4 KiB, and although nothing was checked ahead."""
    monkeypatch.setattr(durable, "check_space", lambda folder, needed: None)
    stopped = set()
    for pages in range(0, 40, 2):
        folder, ballast = small_disk / "run", small_disk / "ballast"
        shutil.rmtree(folder, ignore_errors=True)
        ballast.unlink(missing_ok=True)
        shutil.copytree(runs[1], folder)
        with ballast.open("wb") as file:
            file.write(bytes(max(0, shutil.disk_usage(small_disk).free - 4096 * pages)))
        try:
            go_on(folder, quiet=True)
        except NoSpace as error:
            stopped.add(load(folder).stage.seen)
            assert "\n" not in str(error) and "the last checkpoint is intact" in str(error)
            ballast.unlink()
            go_on(folder, quiet=True)
        assert contents(folder) == contents(runs[0])
    assert len(stopped) > 1
