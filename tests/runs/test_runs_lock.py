"""One process at a time."""

import errno
import json
import os
import re
import time
from pathlib import Path

import pytest

from pushforward.core import BadInput
from pushforward.runs import go_on, lock, start
from pushforward.runs.lock import Lock, start_time
from tests.runs.children import begin, end, wait_for
from tests.runs.small import BATCH, recipe_of


def hold(folder: Path) -> int:
    with Lock(folder):
        (folder / "held").touch()
        time.sleep(60)
    return 0


def test_a_second_process_is_refused_with_pid_and_start_time(tmp_path: Path) -> None:
    recipe = recipe_of("vae", tmp_path, images=2 * BATCH)
    run = start(tmp_path / "run", recipe, quiet=True)
    child = begin(hold, run.folder)
    wait_for(run.folder / "held", child)
    for attempt in (lambda: go_on(run.folder, quiet=True), lambda: run.extend(10**6)):
        with pytest.raises(BadInput, match=r"^Process (\d+), started (\S+), is training in .*\. Wait for it, or stop it first\.$") as told:
            attempt()
        found = re.match(r"Process (\d+), started (\S+),", str(told.value))
        assert found and int(found[1]) == child.pid and found[2] == start_time(child.pid or 0) != ""
    child.kill()
    end(child)
    assert (run.folder / "lock").exists()
    go_on(run.folder, quiet=True)
    assert not (run.folder / "lock").exists()


def test_the_same_process_is_refused_a_second_time(tmp_path: Path) -> None:
    with Lock(tmp_path), pytest.raises(BadInput, match=f"^Process {os.getpid()}, "), Lock(tmp_path):
        pass
    with Lock(tmp_path):
        pass


@pytest.mark.parametrize(
    "left",
    [
        json.dumps({"pid": 2**22 + 1, "started": "2020-01-01T00:00:00"}),
        json.dumps({"pid": os.getppid(), "started": "2020-01-01T00:00:00"}),
        "",
        '{"pid": 1',
        "[" * 100_000,
        '{"pid": null, "started": 3}',
        '{"pid": 1e400, "started": 3}',
    ],
    ids=["dead", "pid used again", "empty", "cut off", "deep", "null", "huge"],
)
@pytest.mark.parametrize("locks", [True, False], ids=["locks", "no locks"])
def test_what_a_killed_process_left_is_taken_over(left: str, locks: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On file systems that know no locks, too."""
    if not locks:
        monkeypatch.setattr("fcntl.flock", unknown)
    (tmp_path / "lock").write_text(left)
    with Lock(tmp_path):
        assert json.loads((tmp_path / "lock").read_text()) == {"pid": os.getpid(), "started": start_time(os.getpid())}
    assert not (tmp_path / "lock").exists()


def unknown(handle: int, what: int) -> None:
    raise OSError(errno.ENOLCK, "No locks available")


def test_where_the_file_system_knows_no_locks_pid_and_start_time_decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fcntl.flock", unknown)
    (tmp_path / "lock").write_text(json.dumps({"pid": os.getppid(), "started": start_time(os.getppid())}))
    with pytest.raises(BadInput, match=f"^Process {os.getppid()}, "), Lock(tmp_path):
        pass


def test_an_owner_that_has_not_signed_yet_is_refused_all_the_same(tmp_path: Path) -> None:
    with Lock(tmp_path):
        (tmp_path / "lock").write_text("")
        with pytest.raises(BadInput, match=r"^Another process is training in "), Lock(tmp_path):
            pass


def test_a_folder_that_cannot_be_written_to_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be trained in: No such file or directory"), Lock(tmp_path / "nowhere"):
        pass


def test_the_lock_of_a_file_that_is_gone_is_worth_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its owner removes it between the moments in which the next one opens it and locks it."""
    claimed, left = lock.claimed, [Lock(tmp_path).__enter__()]

    def late(handle: int) -> bool:
        if left:
            left.pop().__exit__(None, None, None)
        return claimed(handle)

    monkeypatch.setattr(lock, "claimed", late)
    with Lock(tmp_path), pytest.raises(BadInput, match=f"^Process {os.getpid()}, "), Lock(tmp_path):
        pass


ATTEMPTS = 40


def contend(folder: Path, number: int) -> int:
    """Take the lock again and again, each time as a process that is then killed; returns how often somebody else was inside."""
    met = 0
    for _ in range(ATTEMPTS):
        child = os.fork()
        if child == 0:
            os._exit(visit(folder, number))
        met += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return met


def visit(folder: Path, number: int) -> int:
    try:
        held = Lock(folder).__enter__()
    except BadInput:
        return 0
    try:
        os.close(os.open(folder / "inside", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return 1
    with (folder / f"visits-{number}").open("a") as file:
        file.write(".")
    time.sleep(0.002)
    os.unlink(folder / "inside")
    if os.getpid() % 3 == 0:  # mostly it goes without a word, as by a kill
        held.__exit__(None, None, None)
    return 0


def test_processes_that_race_for_what_a_killed_one_left_never_both_get_it(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(json.dumps({"pid": 2**22 + 1, "started": ""}))
    children = [begin(contend, tmp_path, number) for number in range(4)]
    assert [end(child) for child in children] == [0, 0, 0, 0]
    visits = [path.stat().st_size for path in tmp_path.glob("visits-*")]
    assert sum(visits) > ATTEMPTS / 2 and len(visits) > 1
