"""One process at a time in a run folder."""

import json
import os
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from pushforward.core import BadInput


class Lock:
    """Holds `lock` in a run folder, with the pid and start time of its owner.

    The system's own lock on that file decides who holds it: two processes never do, and it ends with its owner, so that what
    a killed process left is taken over. The content is for people, and for file systems that know no locks.
    """

    def __init__(self, folder: Path):
        self.path = folder / "lock"

    def __enter__(self) -> "Lock":
        """
        Raises:
            BadInput: another process holds it, or the folder cannot be written to.
        """
        try:
            self.handle = self.take()
        except OSError as error:
            raise BadInput(f"{self.path.parent} cannot be trained in: {error.strerror}. Make the folder writable.") from None
        mine = json.dumps({"pid": os.getpid(), "started": start_time(os.getpid())}).encode()
        os.ftruncate(self.handle, 0)
        os.write(self.handle, mine)
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
                    if lives(owner(handle)):
                        raise self.taken(handle)
                    os.lseek(handle, 0, os.SEEK_SET)
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
                return BadInput(f"Process {found[0]}, started {found[1]}, is training in {self.path.parent}. Wait for it, or stop it first.")
            time.sleep(0.01)
        return BadInput(f"Another process is training in {self.path.parent}. Wait for it, or stop it first.")


def claimed(handle: int) -> bool:
    """Whether the system's lock on an open file could be had; true where the file system knows none."""
    try:
        import fcntl
    except ImportError:  # Windows, where the content has to do
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def owner(handle: int) -> tuple[int, str] | None:
    """Pid and start time in a lock file; None where a process was killed while writing them."""
    os.lseek(handle, 0, os.SEEK_SET)
    try:
        found = json.loads(os.read(handle, 1000))
        return int(found["pid"]), str(found["started"])
    except (ValueError, KeyError, TypeError, RecursionError):
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
