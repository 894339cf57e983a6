"""Files of one JSON object a line."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pushforward.runs import durable


def append(path: Path, entry: dict[str, Any]) -> None:
    """Add a line."""
    durable.append(path, json.dumps(entry).encode())


def as_bytes(entries: Iterable[dict[str, Any]]) -> bytes:
    """The content of a file of these lines."""
    return b"".join(json.dumps(entry).encode() + b"\n" for entry in entries)


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The lines of a file; those that were cut off or damaged are passed over."""
    if not path.exists():
        return []
    found = []
    for line in path.read_bytes().splitlines():
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict):
            found.append(entry)
    return found
