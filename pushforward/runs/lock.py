"""One process at a time in a run folder."""

import json
import os
from pathlib import Path
from types import TracebackType

from pushforward.core import BadInput


class Lock:
    """Holds `lock` in a run folder, with the pid and start time of its owner. What a killed process left is taken over."""

    def __init__(self, folder: Path):
        self.path = folder / "lock"

    def __enter__(self) -> "Lock":
        mine = json.dumps({"pid": os.getpid(), "started": start_time(os.getpid())}).encode()
        for _ in range(3):
            try:
                handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
            except FileExistsError:
                self.take_over_or_refuse()
                continue
            os.write(handle, mine)
            os.close(handle)
            return self
        raise BadInput(f"{self.path} cannot be taken: other processes keep taking it. Wait for them to end.")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.path.unlink(missing_ok=True)

    def take_over_or_refuse(self) -> None:
        """Remove the lock of a process that is no more; refuse where its owner lives."""
        try:
            owner = json.loads(self.path.read_text())
            pid, started = int(owner["pid"]), owner["started"]
        except FileNotFoundError:
            return
        except (ValueError, KeyError, TypeError):
            pid, started = 0, None  # killed while writing it
        if pid and alive(pid) and start_time(pid) == started:
            raise BadInput(f"Process {pid}, started {started}, is training in {self.path.parent}. Wait for it, or stop it first.")
        self.path.unlink(missing_ok=True)


def alive(pid: int) -> bool:
    """Whether a process exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
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
