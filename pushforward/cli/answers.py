"""Commands that answer in words and tables."""

import ast
import inspect
import re
import sys
from dataclasses import MISSING, dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_type_hints

from tyro.conf import Positional, arg

from pushforward.cli.opening import opened, outputs, say, spoken
from pushforward.cli.training import FOLLOWS
from pushforward.cli.words import Maybe, RunFolder

if TYPE_CHECKING:
    from pushforward.core import System
    from pushforward.data import Dataset


@dataclass(frozen=True)
class Predict:
    """Classify an image, or those of a folder or zip, and write a CSV: file, class, probability of each class; or file and attributes.

    Example: pushforward predict runs/demo photos/
    """

    run: RunFolder
    """A run folder, or zoo/NAME for one that comes with the package."""
    images: Annotated[Path, Positional, arg(metavar="IMAGE|FOLDER", help_behavior_hint="")]
    """An image file, a folder or a zip. Images are cropped to their central square and resized to the size the run was trained on."""
    invert: Annotated[bool, arg(help_behavior_hint="")] = False
    """Read the negative of each image: for dark writing on paper, of a run trained on light writing on a dark ground, as MNIST is."""
    out: Maybe[Path] = None
    """CSV to write; predictions.csv in the run folder where nothing is said."""

    def run_it(self) -> None:
        """Classify, and write the CSV."""
        from pushforward.cli.predicting import predicted

        run, system = opened(self.run)
        heads, rows, notes = predicted(run, system, self.images, self.invert)
        for note in notes:
            say(note)
        print(write_csv(heads, rows, self.out or outputs(run) / "predictions.csv"))


@dataclass(frozen=True)
class Report:
    """Write the report of a run again: one page of pictures and numbers.

    Example: pushforward report runs/vae
    """

    run: RunFolder
    """A run folder, or zoo/NAME for one that comes with the package."""

    def run_it(self) -> None:
        """Write the page."""
        from pushforward import report
        from pushforward.runs import Run

        run = Run(self.run)
        print(report.write(run, folder=outputs(run)))


@dataclass(frozen=True)
class Systems:
    """List the systems and recipes that can be trained, or all settings of one system.

    Example: pushforward systems vae
    """

    name: Annotated[str, Positional, arg(help_behavior_hint="")] = ""
    """A system, of which the settings are listed, or a recipe, of which those of its system are."""

    def run_it(self) -> None:
        """Print the list."""
        from pushforward.core import find_system, system_names
        from pushforward.recipes import RECIPES

        if self.name:
            recipe = RECIPES.get(self.name)
            name = recipe().system if recipe else self.name
            if recipe:
                print(f"{self.name} trains {name} with settings of its own: {first_paragraph(recipe.__doc__)}")
            print("\n".join(settings_of(find_system(name))))
            return
        for name in system_names():
            kind = find_system(name)
            title = re.sub(r', ".*', ")", first_paragraph(sys.modules[kind.__module__].__doc__))  # author and year, not the paper's title
            print(f"{name:20} {title} [{', '.join(abilities(kind))}]")
        print("Recipes:")
        for name, recipe in RECIPES.items():
            print(f"{name:20} {first_paragraph(recipe.__doc__)}")


@dataclass(frozen=True)
class Data:
    """List the known data sets, download one, or describe data of your own.

    Example: pushforward data get mnist
    """

    action: Annotated[Literal["list", "get", "describe"], Positional, arg(help_behavior_hint="")] = "list"
    """list: which are known and which are here; get: download NAME; describe: open NAME, a folder or a file and say what is in it."""
    name: Annotated[str, Positional, arg(help_behavior_hint="")] = ""
    """What to get or describe."""
    size: int = 0
    """Of describe: crop images to their central square and resize to this side, in pixels."""
    target: str = ""
    """Of describe: the column of a CSV that holds the class."""

    def run_it(self) -> None:
        """List, get or describe."""
        from pushforward.core import BadInput
        from pushforward.data import DataSpec, open_data

        if self.action == "list":
            print("\n".join(known_sets()))
        elif not self.name:
            raise BadInput(f"`pushforward data {self.action}` needs a name, such as mnist.")
        elif self.action == "get":
            print(fetched(self.name))
        else:
            print("\n".join(described(*open_data(DataSpec(self.name, size=self.size, target=self.target)))))
            words = [*(["--size", self.size] if self.size else []), *(["--target", self.target] if self.target else [])]
            print(f"Train on it: {spoken('train', 'vae', '--data', self.name, *words)}")


def write_csv(heads: list[str], rows: list[list[str]], path: Path) -> Path:
    """Write a table, whole or not at all."""
    import csv
    import io

    from pushforward.runs import durable

    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([heads, *rows])
    path.parent.mkdir(parents=True, exist_ok=True)
    durable.write(path, text.getvalue().encode())
    return path


def abilities(kind: "type[System]") -> list[str]:
    """`samples, encodes`: what a system can do."""
    from pushforward.core import Classifies, Describes, Edits, Encodes, Generates, Parses, Samples

    every = (Samples, Encodes, Generates, Classifies, Describes, Edits, Parses)
    return [ability.__name__.lower() for ability in every if issubclass(kind, ability)]


def settings_of(kind: "type[System]") -> list[str]:
    """A system's docstring, then its settings with type, default and meaning, a line each."""
    told = docstrings(kind.Config)
    lines = [(sys.modules[kind.__module__].__doc__ or "").strip(), "", f"It {', '.join(abilities(kind))}.", ""]
    for name, ability in kind.given.items():
        lines.append(f"--{name.replace('_', '-'):20} RUN   A trained system that {ability.__name__.lower()}.")
    hints = get_type_hints(kind.Config)  # without the ranges that come with some
    for each in fields(kind.Config):
        kinds = each.type if isinstance(each.type, str) else inspect.formatannotation(hints[each.name]).replace("typing.", "")
        usual = "follows from the data" if each.name in FOLLOWS else "" if each.default is MISSING else f"= {each.default}"
        lines.append(f"--{each.name.replace('_', '-'):20} {kinds} {usual}" + (f"  {told[each.name]}" if each.name in told else ""))
    return lines


def docstrings(kind: type) -> dict[str, str]:
    """The strings that stand below the fields of a dataclass, each on one line."""
    body = ast.parse(inspect.getsource(kind)).body[0].body  # type: ignore[attr-defined]
    found = {}
    for field, below in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            text = ast.literal_eval(below.value)
            found[field.target.id] = " ".join(text.split())
    return found


def first_paragraph(text: str | None) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((text or "").strip().split("\n\n")[0].split())


def known_sets() -> list[str]:
    """A line for each data set with a name: whether it is here, or how to get it."""
    from pushforward.data import stacked
    from pushforward.data.idx import SETS, folders
    from pushforward.data.toys import TOYS

    lines = ["digits         here: 1,797 digits of 8x8 pixels that come with scikit-learn"]
    lines += ["faces          here: 10,000 drawn faces of any --size, with attributes and maps of their parts"]
    for name in SETS:
        place = next((folder for folder in folders(name) if any(folder.glob("train-images-idx3-ubyte*"))), None)
        lines.append(f"{name:14} {f'here: {place}' if place else f'not here; get it with: pushforward data get {name}'}")
    lines.append(f"{stacked.NAME:14} made of mnist: a digit in each colour, 1,000 kinds of images")
    lines += [f"{name:14} here: points of the plane, {first_paragraph(draw.__doc__)}" for name, draw in TOYS.items()]
    return [*lines, "Or give a folder or zip of images, an IDX file, .npy, .npz or .csv of your own; one .png is a density in the plane."]


def fetched(name: str) -> Path:
    """The folder of a downloaded set; how far it is stands on stderr."""
    from pushforward.data import get

    def progress(file: str, done: int, total: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{file}  {done / total:4.0%}", end="\n" if done == total else "", file=sys.stderr, flush=True)

    return get(name, progress=progress, say=say)


def described(train: "Dataset", test: "Dataset | None") -> list[str]:
    """What is in a data set, a sentence each."""
    from pushforward.core import UNLABELLED

    size = "x".join(map(str, train.shape))
    kind = (
        f"images of {size} (channels x height x width)"
        if train.image is not None
        else f"rows of {size} columns ({', '.join(train.columns[:20])})"
    )
    lines = [f"{train.name}: {len(train):,} {kind} to train on, {len(test) if test else 0:,} held out."]
    if train.label is not None:
        counts = [f"{name} {int((train.label == number).sum()):,}" for number, name in enumerate(train.classes[:20])]
        unknown = int((train.label == UNLABELLED).sum())
        lines.append(f"{len(train.classes)} classes: {', '.join(counts)}" + (f"; {unknown:,} without a label." if unknown else "."))
    else:
        lines.append("No classes: put the images of each class into a sub-folder of their own, or name some in a CSV (--labels).")
    return [*lines, *train.notes]
