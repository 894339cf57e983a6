"""From a run to its page: one HTML file that holds its style and its pictures, asks nothing of the network and runs no script."""

from __future__ import annotations

import os
from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image

from pushforward.report.facts import Shown, lasting, percent
from pushforward.report.glossary import explained
from pushforward.report.sections import Plate, sections

if TYPE_CHECKING:
    from pushforward.runs import Run
    from pushforward.runs.session import Parts

LARGEST = 300_000
"""Bytes of one picture: pictures of photographs are made smaller until they fit, so that a page stays below 6 MB."""


@dataclass(frozen=True)
class Number:
    """A number of the headline."""

    value: str
    name: str
    note: str = ""


@dataclass(frozen=True)
class Inlined:
    """A picture as text, and its size on the page in pixels."""

    data: str
    width: int
    height: int


def write(run: Run, memory: Any = None, folder: Path | None = None, parts: Parts | None = None) -> Path:
    """Write `report.html` into `folder`, by default the run's own, whole or not at all, and return its path.

    memory: the tensors of a run that was trained on such, as `Run.data` takes them. parts: its data, where they are read already.
    """
    train, test = parts or run.data(memory)
    shown = Shown(run, run.open(), train, test)
    target = (folder or run.folder) / "report.html"
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{os.getpid()}-report.html")
    try:
        # a folder's name may hold bytes that are no text, and a class be called after it
        part.write_bytes(render(shown).encode("utf-8", "replace"))
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    return target


def render(shown: Shown) -> str:
    """The page as text."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    found, missing = sections(shown)
    metrics = shown.run.metrics()
    return environment.get_template("page.html").render(
        shown=shown,
        sections=found,
        missing=missing,
        numbers=headline(shown),
        glossary=explained(metrics),
        inlined=inlined,
        lasting=lasting,
    )


def headline(shown: Shown) -> list[Number]:
    """The numbers at the top: accuracy, bound and its parts, images, time."""
    numbers = []
    if shown.scores is not None:
        low, high = shown.scores.interval
        note = f"of {shown.scores.count:,} {shown.scored}; {percent(0.95, 0)} interval {percent(low)} to {percent(high)}"
        numbers.append(Number(percent(shown.scores.accuracy, 2), "test accuracy", note))
    for name, value in shown.measured.items():
        numbers.append(Number(f"{value:,.1f}".replace("-", "−"), name, f"nats, on {'training' if shown.test is None else 'test'} data"))
    numbers.append(Number(f"{shown.seen:,}", "images seen" if shown.pictured else "rows seen"))
    if shown.seconds:
        numbers.append(Number(lasting(shown.seconds), "training time"))
    return numbers


def inlined(plate: Plate) -> Inlined:
    """The plate's picture as a `data:` address, smaller where it would be heavy."""
    picture = plate.picture
    while len(data := _png(picture)) > LARGEST:
        smaller = min(0.9, (LARGEST / len(data)) ** 0.5)
        picture = picture.resize((int(picture.width * smaller), int(picture.height * smaller)), Image.Resampling.LANCZOS)
    scale = 1 if plate.kind == "sheet" else 2
    return Inlined("data:image/png;base64," + b64encode(data).decode(), plate.picture.width // scale, plate.picture.height // scale)


def _png(picture: Image.Image) -> bytes:
    stream = BytesIO()
    picture.save(stream, "PNG", optimize=True)
    return stream.getvalue()
