"""A run as commands open it: its system, its data, its classes, and where its pictures go. What is said on the way goes to stderr."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pushforward.spelling import nearest

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from pushforward.core import System
    from pushforward.data import Dataset
    from pushforward.runs import Run


def say(sentence: str) -> None:
    """Print a sentence that is no result."""
    print(sentence, file=sys.stderr)


def opened(folder: Path) -> "tuple[Run, System]":
    """A run and its trained system."""
    from pushforward.runs import Run

    run = Run(folder)
    system = run.open()
    for notice in run.notices:
        say(notice)
    return run, system


def shown_data(run: "Run") -> "Dataset":
    """The images of a run that pictures are made of: those held out, where there are some.

    Raises:
        BadInput: the run was trained on a table.
    """
    from pushforward.core import BadInput

    train, test = run.data()
    if train.image is None:
        raise BadInput(f"{run} was trained on a table, of which there are no such pictures. Use sample or report.")
    return test or train


def completes(system: "System") -> bool:
    """Whether a system fills in what of an image is hidden, and so cannot sample or encode without one."""
    from pushforward.core import Edits

    return isinstance(system, Edits) and "source" in system.needs


def classes_of(run: "Run", count: int) -> tuple[str, ...]:
    """Names of the `count` classes that a run's system knows."""
    names = run.classes
    return names if len(names) == count else tuple(map(str, range(count)))


def labels_asked(run: "Run", system: "System", text: str | None) -> list[int]:
    """The classes that a system is asked for: one, several clusters where they bear one name, or none where nothing is said.

    Raises:
        BadInput: a system without labels, or an unknown class.
    """
    from pushforward.core import BadInput, Samples

    if text is None:
        return []
    labels = system.labels if isinstance(system, Samples) else 0
    if not labels:
        how = "Leave --label out, or train conditional_vae or conditional_gan."
        raise BadInput(f"{run} is told no label and cannot be asked for '{text}'. {how}")
    names = classes_of(run, labels)
    first = class_number(text, names)
    return [number for number, name in enumerate(names) if name == names[first]]


def told_attributes(system: "System") -> bool:
    """Whether a system is told attributes of each example."""
    return getattr(system.config, "told", "") == "attributes"


def attributes_asked(run: "Run", system: "System", given: dict[str, float], count: int, seed: int) -> "Tensor":
    """Attributes [count, A] with the values that a user gives; the others are uniform.

    Raises:
        BadInput: what `with_attributes` refuses.
    """
    import torch

    from pushforward.data.chance import generator

    chance = generator("attributes", seed)  # codes must not tell them
    return with_attributes(run, system, given, torch.rand(count, len(run.recipe.attributes), generator=chance))


def with_attributes(run: "Run", system: "System", given: dict[str, float], others: "Tensor") -> "Tensor":
    """Attributes [N, A] with the values that a user gives; the others are those of `others` [N, A].

    Raises:
        BadInput: a system that is told none, an unknown name, or a value outside 0..1.
    """
    from pushforward.core import BadInput

    names = run.recipe.attributes
    if not told_attributes(system):
        raise BadInput(f"{run} is told no attributes. Leave --attributes out, or train conditional_gan with --told attributes.")
    row = others.clone()
    for name, value in given.items():
        if name not in names:
            raise BadInput(f"There is no attribute '{name}'{nearest(name, names)} Known: {', '.join(names)}.")
        if not 0 <= value <= 1:
            raise BadInput(f"The attribute {name} is {value:g}, but attributes lie in 0..1.")
        row[:, names.index(name)] = value
    return row


def class_number(text: str, names: tuple[str, ...]) -> int:
    """The class called `text`, or that of this number; where it is called by another number, only its name will do.

    Raises:
        BadInput: neither; with the nearest name.
    """
    from pushforward.core import BadInput

    if text in names:
        return names.index(text)
    if text.isdecimal() and int(text) < len(names) and not names[int(text)].isdecimal():
        return int(text)
    if not names:
        raise BadInput(f"There is no class '{text}', because the data have no classes.")
    shown = ", ".join(names[:20]) + (" and others" if len(names) > 20 else "")
    raise BadInput(f"There is no class '{text}'{nearest(text, names)} Known: {shown}.")


def kept(picture: "Image.Image", run: "Run", name: str, out: Path | None) -> None:
    """Write a picture (to pictures/NAME.png in the run folder where `out` is None) and print its path."""
    from pushforward import figures

    print(figures.save(picture, out or outputs(run) / "pictures" / f"{name}.png"))


def outputs(run: "Run") -> Path:
    """The folder for what commands make of a run: its own, or runs/zoo/NAME for one that comes with the package."""
    from pushforward.runs.finding import ZOO

    return Path("runs", "zoo", run.folder.name) if ZOO in run.folder.resolve().parents else run.folder


def spoken(*words: object) -> str:
    """`pushforward sample runs/vae`, quoted where a shell needs it."""
    return shlex.join(["pushforward", *map(str, words)])
