"""Files that are whole or not there: written aside, flushed to the disk, then renamed."""

import os
import shutil
from pathlib import Path

from pushforward.core import BadInput


class NoSpace(OSError):
    """The disk is full, or will be with what is to be written. What was saved before is intact."""


def write(path: Path, content: bytes) -> None:
    """Replace the file at `path` by `content`: after a crash it holds the old bytes or the new, never a part."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        put(aside, content)
        os.replace(aside, path)
        settle(path.parent)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def write_folder(folder: Path, files: dict[str, bytes]) -> None:
    """Make `folder` with these files; it appears whole or not at all. A folder that is already there is replaced."""
    aside = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        aside.mkdir(parents=True)
        for name, content in files.items():
            put(aside / name, content)
        settle(aside)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(aside, folder)
        settle(folder.parent)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def put(path: Path, content: bytes) -> None:
    """Write and flush one file."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def settle(folder: Path) -> None:
    """Flush a folder's list of names; where the system cannot (Windows), renaming has to do."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def check_space(folder: Path, needed: int) -> None:
    """Refuse to start writing what will not fit."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise NoSpace(
            f"{folder} has {free / 2**20:.0f} MiB free, but {needed / 2**20:.0f} MiB are needed to save. "
            "Free some space, then resume the run; the last checkpoint is intact."
        )


def clear_leftovers(folder: Path) -> None:
    """Remove what a killed process was writing."""
    for left in folder.glob(".*.part"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()


def read(path: Path, what: str) -> bytes:
    """The bytes of a file that has to be there."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} ({what}) cannot be read: {error.strerror}. Restore it, or train again.") from None
