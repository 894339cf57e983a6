"""Files that are whole or not there: written aside, flushed to the disk, then renamed."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EDQUOT, ENOSPC
from pathlib import Path

from pushforward.core import BadInput


class NoSpace(OSError):
    """The disk is full, or will be with what is to be written. What was saved before is intact."""


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Say a full disk or used-up quota as one sentence, and of any other failure at least where.

    Raises:
        NoSpace: naming `path`.
        OSError: with a file name.
    """
    try:
        yield
    except NoSpace:
        raise
    except OSError as error:
        if error.errno in (ENOSPC, EDQUOT):
            sentence = f"There is no space left to write {path}. Free some, then resume the run; the last checkpoint is intact."
            raise NoSpace(sentence) from None
        error.filename = error.filename or str(path)
        raise


def write(path: Path, content: bytes) -> None:
    """Replace the file at `path` by `content`: after a crash it holds the old bytes or the new, never a part."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    with told(path):
        try:
            put(aside, content)
            os.replace(aside, path)
            settle(path.parent)
        except BaseException:
            with suppress(OSError):
                aside.unlink(missing_ok=True)
            raise


def write_folder(folder: Path, files: dict[str, bytes]) -> None:
    """Make `folder` with these files; it appears whole or not at all.

    One that is already there is replaced, and stays where that fails.
    """
    aside, old = folder.with_name(f".{folder.name}.{os.getpid()}.part"), folder.with_name(f".{folder.name}.old")
    with told(folder):
        try:
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir(parents=True)
            for name, content in files.items():
                put(aside / name, content)
            settle(aside)
            if folder.exists():
                os.replace(folder, old)
            os.replace(aside, folder)
            settle(folder.parent)
        except BaseException:
            with suppress(OSError):
                tidy(folder.parent)
            raise
        tidy(folder.parent)


def remove_folder(folder: Path) -> None:
    """Remove a folder; a process that is killed meanwhile leaves no half of it under its name."""
    aside = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    with told(folder):
        os.replace(folder, aside)
    shutil.rmtree(aside, ignore_errors=True)


def append(path: Path, line: bytes) -> None:
    """Add a line (without its end) to a file: whole, or, where that fails, not at all."""
    with told(path):
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            size = os.lseek(handle, 0, os.SEEK_END)
            cut_off = size and os.lseek(handle, -1, os.SEEK_END) >= 0 and os.read(handle, 1) != b"\n"  # by a kill in mid-line
            try:
                write_all(handle, (b"\n" if cut_off else b"") + line + b"\n")
            except BaseException:
                os.ftruncate(handle, size)
                raise
        finally:
            os.close(handle)


def put(path: Path, content: bytes) -> None:
    """Write and flush one file."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        write_all(handle, content)
    finally:
        os.close(handle)


def write_all(handle: int, content: bytes) -> None:
    """Write and flush all of `content`; the system may take it in parts."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]
    os.fsync(handle)


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


def tidy(folder: Path) -> None:
    """Remove what a killed process was writing, and put back what it was about to replace."""
    for old in folder.glob(".*.old"):
        whole = old.with_name(old.name[1:].removesuffix(".old"))
        shutil.rmtree(old) if whole.exists() else os.replace(old, whole)
    for left in folder.glob(".*.part"):
        shutil.rmtree(left) if left.is_dir() else left.unlink()


def read(path: Path, what: str) -> bytes:
    """The bytes of a file that has to be there."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} ({what}) cannot be read: {error.strerror}. Restore it, or train again.") from None
