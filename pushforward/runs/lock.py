"""One process at a time in a run folder."""

import json
import os
import sys
import time
from contextlib import suppress
from errno import EACCES, EAGAIN
from pathlib import Path
from types import TracebackType

from pushforward.core import BadInput
from pushforward.runs.durable import NoSpace, told


class Lock:
    """Holds `lock` in a run folder, with the pid and start time of its owner.

    The system's own lock on that file decides who holds it: two processes never do, and it ends with its owner, so that what
    a killed process left is taken over. The content is for the refusal, and for file systems that know no locks.
    """

    def __init__(self, folder: Path):
        self.path = folder / "lock"

    def __enter__(self) -> "Lock":
        """
        Raises:
            BadInput: another process holds it, or the folder cannot be written to.
            NoSpace: the disk is full.
        """
        try:
            with told(self.path):
                self.handle = self.take()
        except NoSpace:
            raise
        except OSError as error:
            raise BadInput(f"{self.path.parent} cannot be trained in: {error.strerror}. It must be possible to write there.") from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with suppress(OSError):  # Windows removes no open file; an old one does no harm
            self.path.unlink()
        os.close(self.handle)

    def take(self) -> int:
        """An open file with the system's lock on it; refuses where a living process has it."""
        while True:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                if not claimed(handle):
                    raise self.taken(handle)
                if self.still_there(handle):
                    sign(handle)
                    return handle
            except BaseException:
                os.close(handle)
                raise
            os.close(handle)  # its owner removed it just now: the lock on it is worth nothing

    def still_there(self, handle: int) -> bool:
        """Whether the open file is the one that the path names."""
        try:
            return os.path.samestat(os.fstat(handle), os.stat(self.path))
        except FileNotFoundError:
            return False

    def taken(self, handle: int) -> BadInput:
        """The refusal. An owner that has only just taken the lock is given a moment to write who it is."""
        for _ in range(20):
            if found := owner(handle):
                return BadInput(
                    f"Process {found[0]}, started {found[1]}, is training in {self.path.parent}. Wait for it, or stop it first."
                )
            time.sleep(0.01)
        return BadInput(f"Another process is training in {self.path.parent}. Wait for it, or stop it first.")


def claimed(handle: int) -> bool:
    """Whether the system's lock on an open file could be had."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(handle, 2**20, os.SEEK_SET)  # a byte far behind the content, which others may then still read
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (EACCES, EAGAIN) and not lives(owner(handle))  # a file system without locks
    return True


def sign(handle: int) -> None:
    """Write this process's pid and start time into a lock file."""
    os.ftruncate(handle, 0)
    os.lseek(handle, 0, os.SEEK_SET)
    os.write(handle, json.dumps({"pid": os.getpid(), "started": start_time(os.getpid())}).encode())


def owner(handle: int) -> tuple[int, str] | None:
    """Pid and start time in a lock file; None where a process was killed while writing them."""
    os.lseek(handle, 0, os.SEEK_SET)
    try:
        found = json.loads(os.read(handle, 1000))
        return int(found["pid"]), str(found["started"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def lives(process: tuple[int, str] | None) -> bool:
    """Whether the process of that pid and start time is there still."""
    return process is not None and process[0] > 0 and alive(process[0]) and start_time(process[0]) == process[1]


def alive(pid: int) -> bool:
    """Whether a process exists."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it exists but belongs to somebody else
        return True
    return True


def start_time(pid: int) -> str:
    """When a process started, so that a pid used again is not taken for its former owner; empty where the system does not tell."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime"))
    except (OSError, StopIteration):
        return ""
    from datetime import UTC, datetime

    seconds = int(boot.split()[1]) + int(after_name[19]) / os.sysconf("SC_CLK_TCK")
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
