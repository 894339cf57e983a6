"""The files of a folder or of a zip, which is read in place and never extracted."""

import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pushforward.core import BadInput

MEMBERS = 200_000
MEMBER_BYTES = 200 * 10**6
TOTAL_BYTES = 100 * 10**9
RATIO = 200
IGNORED = {"__MACOSX", "Thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class Entry:
    """A file: its path below the folder or zip, parts separated by `/`, and what reads it (and may raise anything)."""

    name: str
    read: Callable[[], bytes]


@contextmanager
def opened(path: Path) -> Iterator[list[Entry]]:
    """The visible files below `path`, sorted by name (those of a zip can be read while the context lasts), or `path` alone where it
    is another file.

    Raises:
        BadInput: an unreadable folder; a file that is no zip; a zip that breaks a limit above, or has a member that is encrypted, is a
            link, or whose name leads out of the zip.
    """
    if path.is_dir():
        yield sorted(_folder_entries(path), key=lambda entry: entry.name)
        return
    if path.suffix.lower() != ".zip":
        yield [Entry(path.name, partial(_read_file, str(path)))]
        return
    try:
        archive = zipfile.ZipFile(path)
    except Exception as error:  # zipfile raises nearly every kind on broken files
        raise BadInput(f"'{path}' cannot be read as a zip ({error or type(error).__name__}); make or copy it again.") from error
    with archive:
        members = archive.infolist()
        _check_members(path, members)
        files = [member for member in members if not member.is_dir() and _visible(member.filename)]
        yield sorted((Entry(file.filename, partial(archive.read, file)) for file in files), key=lambda entry: entry.name)


def _visible(name: str) -> bool:
    return not any(part.startswith(".") or part in IGNORED for part in name.split("/"))


def _folder_entries(root: Path) -> Iterator[Entry]:
    def refuse(error: OSError) -> None:
        raise BadInput(f"The folder '{error.filename}' cannot be read ({error.strerror}).") from error

    entered = {os.path.realpath(root)}
    for folder, below, files in os.walk(root, onerror=refuse, followlinks=True):
        # a linked folder is entered once, so that links in a circle come to an end
        real = {name: os.path.realpath(os.path.join(folder, name)) for name in sorted(below) if _visible(name)}
        below[:] = [name for name, target in real.items() if target not in entered]
        entered.update(real.values())
        for name in filter(_visible, files):
            file = os.path.join(folder, name)
            yield Entry(os.path.relpath(file, root).replace(os.sep, "/"), partial(_read_file, file))


def _read_file(file: str) -> bytes:
    found = os.stat(file)
    if not stat.S_ISREG(found.st_mode):
        raise ValueError("not an ordinary file")
    if found.st_size > MEMBER_BYTES:
        raise ValueError(f"{found.st_size:,} bytes, more than {MEMBER_BYTES:,}")
    return Path(file).read_bytes()


def _check_members(path: Path, members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MEMBERS:
        raise BadInput(f"The zip '{path}' has {len(members):,} members, more than {MEMBERS:,}; unpack it and give the folder.")
    total = sum(member.file_size for member in members)
    if total > TOTAL_BYTES:
        raise BadInput(f"The zip '{path}' would unpack to {total:,} bytes, more than {TOTAL_BYTES:,}; give fewer or smaller images.")
    for member in members:
        reason = _danger(member)
        if reason:
            raise BadInput(f"The zip '{path}' is refused because its member {member.orig_filename[:200]!r} {reason}; zip the images again.")


def _danger(member: zipfile.ZipInfo) -> str:
    """Why a member is not to be trusted, or an empty string."""
    name = member.orig_filename.replace("\\", "/")
    kind = stat.S_IFMT(member.external_attr >> 16)
    reasons = {
        "has a NUL in its name": "\0" in name,
        "has an absolute path": name.startswith("/") or bool(re.match(r"[A-Za-z]:", name)),
        "leads out of the zip by '..'": ".." in name.split("/"),
        "is a link": kind == stat.S_IFLNK,
        "is no ordinary file": kind not in (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK),
        "is encrypted": bool(member.flag_bits & 1),
        "is packed by another method than deflate": member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED),
        f"unpacks to {member.file_size:,} bytes, more than {MEMBER_BYTES:,}": member.file_size > MEMBER_BYTES,
        f"unpacks to more than {RATIO} times its size": member.file_size > RATIO * max(1, member.compress_size),
    }
    return next((reason for reason, found in reasons.items() if found), "")
