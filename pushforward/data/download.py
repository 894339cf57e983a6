"""MNIST and Fashion-MNIST from their public mirrors: checked by SHA-256, and continued where a download was cut off."""

import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

from pushforward.core import BadInput, nearest
from pushforward.data import stacked
from pushforward.data.idx import cache_folder, folders

MIRRORS = {
    "mnist": ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/"),
    "fashion-mnist": (
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
}
FILES = {
    "mnist": {
        "train-images-idx3-ubyte.gz": (9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        "train-labels-idx1-ubyte.gz": (28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        "t10k-images-idx3-ubyte.gz": (1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        "t10k-labels-idx1-ubyte.gz": (4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    },
    "fashion-mnist": {
        "train-images-idx3-ubyte.gz": (26421880, "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        "train-labels-idx1-ubyte.gz": (29515, "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        "t10k-images-idx3-ubyte.gz": (4422102, "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        "t10k-labels-idx1-ubyte.gz": (5148, "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    },
}
"""Bytes and SHA-256 of each file."""
TIMEOUT = 30.0
"""Seconds without a byte after which a mirror is given up."""
ATTEMPTS = 20
"""Connections to one mirror for one file, each of which must bring something."""
BLOCK = 1 << 16

Progress = Callable[[str, int, int], None]
"""(file, bytes there, bytes in all)."""
Say = Callable[[str], None]


def get(
    name: str,
    folder: Path | None = None,
    mirrors: Sequence[str] | None = None,
    progress: Progress = lambda file, done, total: None,
    say: Say = lambda sentence: None,
) -> Path:
    """The folder with the four files of "mnist" or "fashion-mnist", each of which has the right SHA-256.

    Without `folder`, a set that is already in $PUSHFORWARD_DATA or in the cache folder is taken from there; else it goes to the cache.
    What is downloaded is written to FILE.part, from which a later call continues. `say` is told what went wrong with a mirror.

    Raises:
        BadInput: an unknown name or that of a set made of another, a folder that cannot be written, or no mirror that gives a file right.
    """
    if name == stacked.NAME:
        raise BadInput(f"'{name}' is made of mnist when it is read; get mnist.")
    if name not in FILES:
        raise BadInput(f"There is no set '{name}' to get; there are {', '.join(FILES)}{nearest(name, FILES)}")
    files = FILES[name]
    for place in [folder] if folder else folders(name):
        if all(_is_whole(place / file, *files[file]) for file in files):
            return place
    folder = folder or cache_folder() / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"The folder '{folder}' for '{name}' cannot be made ({error.strerror}); give another.") from error
    for file, (size, digest) in files.items():
        if not _is_whole(folder / file, size, digest):
            _get_file([mirror + file for mirror in mirrors or MIRRORS[name]], folder / file, size, digest, progress, say)
    return folder


def _is_whole(path: Path, size: int, digest: str) -> bool:
    return path.is_file() and path.stat().st_size == size and sha256(path.read_bytes()).hexdigest() == digest


def _get_file(urls: list[str], path: Path, size: int, digest: str, progress: Progress, say: Say) -> None:
    """One file from the first mirror that gives it right."""
    part = path.with_name(path.name + ".part")
    troubles = []
    for url in urls:
        try:
            _from_mirror(url, part, size, digest, lambda done: progress(path.name, done, size))
        except _Trouble as trouble:
            troubles.append(f"{url}: {trouble}")
            say(f"{troubles[-1]}.")
        else:
            os.replace(part, path)
            return
    raise BadInput(
        f"'{path.name}' could not be downloaded ({'; '.join(troubles)}); try again later, or put it into '{path.parent}' yourself."
    )


class _Trouble(Exception):
    """Why a mirror is given up, in a few words."""


def _from_mirror(url: str, part: Path, size: int, digest: str, progress: Callable[[int], None]) -> None:
    """Fill `part` from `url`, connecting again as long as each connection brings something."""
    for _ in range(ATTEMPTS):
        before = part.stat().st_size if part.exists() else 0
        trouble, start = "", before
        if before < size:
            trouble, start = _connect(url, part, size, progress)
        after = part.stat().st_size if part.exists() else 0
        if after == size and sha256(part.read_bytes()).hexdigest() == digest:
            return
        if after >= size:
            part.unlink()
            if start == 0:
                raise _Trouble(f"the file's SHA-256 is not {digest[:12]}…, so it was deleted")
        elif after <= before:
            raise _Trouble(trouble or f"the connection ended after {after:,} of {size:,} bytes")
    raise _Trouble(f"{ATTEMPTS} connections did not bring all of {size:,} bytes")


def _connect(url: str, part: Path, size: int, progress: Callable[[int], None]) -> tuple[str, int]:
    """Append to `part` what one connection gives, up to `size` bytes: what went wrong, and from which byte on it was downloaded."""
    start = part.stat().st_size if part.exists() else 0
    try:
        request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except (OSError, ValueError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__, start
    with response:
        if not (response.headers.get("Content-Range") or "").startswith(f"bytes {start}-"):
            start = 0  # the mirror does not continue, and sends the file from its first byte
        return _append(response, part, start, size, progress), start


def _append(response: http.client.HTTPResponse, part: Path, start: int, size: int, progress: Callable[[int], None]) -> str:
    """Write the body of `response` to `part` from byte `start` to `size` at the most; what went wrong, or an empty string."""
    try:
        with part.open("r+b" if start else "wb") as file:
            file.seek(start)
            while start < size:
                try:
                    block = response.read1(min(BLOCK, size - start))  # what there is: `read` would lose it at a time-out
                except (OSError, ValueError, http.client.HTTPException) as error:
                    return str(error) or type(error).__name__
                if not block:
                    return ""
                file.write(block)
                start += len(block)
                progress(start)
            os.fsync(file.fileno())
    except OSError as error:
        raise BadInput(f"'{part}' cannot be written ({error.strerror}); free some space or give another folder.") from error
    return ""
