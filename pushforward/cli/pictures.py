"""Commands that make pictures of what a trained run can do."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import arg

from pushforward.cli.opening import (
    attributes_asked,
    class_number,
    classes_of,
    completes,
    kept,
    labels_asked,
    opened,
    shown_data,
    told_attributes,
)
from pushforward.cli.words import Maybe, RunFolder

if TYPE_CHECKING:
    from torch import Tensor

    from pushforward.data import Dataset
    from pushforward.runs import Run

IMAGES = 64
"""Images that are made where no number is given."""
WALKS = 4
"""Pairs of images that are walked between where none are named."""


@dataclass(frozen=True)
class Sample:
    """Draw new examples from a run and write them as a picture, or as data: images, arrays or a table.

    --out NAME.png is one picture of all, FOLDER/ has a PNG of each image, NAME.npy and NAME.npz (keys image, label) hold images as uint8 or
    rows, NAME.csv rows below the names of their columns; rows are in the table's own units.

    Example: pushforward sample runs/conditional_vae --label 3 --count 100
    """

    run: RunFolder
    """A run folder, or zoo/NAME for one that comes with the package."""
    count: Maybe[int] = None
    """How many examples; where nothing is said 64 images, or as many rows of a table or points as real ones are drawn beside them."""
    label: Maybe[str] = None
    """Class to draw from, by name or number; the classes in turn where nothing is said."""
    seed: int = 0
    """The same seed draws the same examples."""
    attributes: Maybe[dict[str, float]] = None
    """Attributes to draw with, of a run that is told them: --attributes smile 1 glasses 0; others as they come."""
    truncation: float = 0.0
    """Codes stay within this of 0 in each dimension: fewer surprises, good and bad; 0: everywhere."""
    mixture: int = 0
    """Draw codes from so many Gaussians fitted on the codes of the training data; 0 draws them from the prior."""
    out: Annotated[str | None, arg(metavar="PATH", help_behavior_hint="")] = None
    """Picture, array, table, or folder of images to write; pictures/samples-seed0.png in the run folder where nothing is said."""

    def run_it(self) -> None:
        """Sample, and write what was asked for."""
        import torch

        from pushforward.cli import sampled
        from pushforward.report import pictures
        from pushforward.report.exploring import Truncated
        from pushforward.report.mixed import Mixed

        self.check()
        run, system = opened(self.run)
        rows = len(system.config.shape) == 1
        if self.out is not None:
            sampled.refuse_place(self.out, rows)
        labels = labels_asked(run, system, self.label)
        train = run.data()[0] if self.mixture or rows else None
        count = self.count or (min(len(train), pictures.POINTS) if rows and train else IMAGES)
        label = torch.tensor(labels)[torch.arange(count) % len(labels)] if labels else None
        if self.attributes or (self.truncation and told_attributes(system)):  # else codes alone stand for a mean
            label = attributes_asked(run, system, self.attributes or {}, count, self.seed)
        source: object = Mixed(system, train, self.mixture) if self.mixture and train else system
        source = Truncated(system, self.truncation) if self.truncation else source
        if self.out is not None and not sampled.is_picture(self.out):
            print(sampled.written(self.out, run, source, label, count, self.seed, train if rows else None))  # type: ignore[arg-type]
            return
        made = pictures.samples(source, count, label, self.seed, train)  # type: ignore[arg-type]  # all that is asked is to sample
        parts = [f"mixture{self.mixture}"] if self.mixture else []
        parts += [f"truncation{self.truncation:g}"] if self.truncation else []
        parts += [f"{name}{value:g}" for name, value in (self.attributes or {}).items()]
        parts += [f"label{labels[0]}"] if labels else []
        kept(made, run, "-".join(["samples", *parts, f"seed{self.seed}"]), None if self.out is None else Path(self.out))

    def check(self) -> None:
        """Refuse numbers that make no sense."""
        from pushforward.core import BadInput

        count = IMAGES if self.count is None else self.count
        for name, value, least in (("count", count, 1), ("mixture", self.mixture, 0), ("seed", self.seed, 0)):
            if not least <= value < 2**63:
                raise BadInput(f"--{name} is {value}, but must be {least} or more (and less than 2^63).")
        if self.truncation and self.mixture:
            raise BadInput("Both --truncation and --mixture are given. Codes are drawn in one way; give one of them.")


@dataclass(frozen=True)
class Reconstruct:
    """Show images and what a run makes of them: encoded and decoded again, or completed from a part.

    Example: pushforward reconstruct runs/vae
    """

    run: RunFolder
    """A run folder, or zoo/NAME for one that comes with the package."""
    out: Maybe[Path] = None
    """Picture to write; pictures/reconstructions.png (or completions.png) in the run folder where nothing is said."""

    def run_it(self) -> None:
        """Reconstruct or complete held-out images, and write the picture."""
        from pushforward.report import pictures

        run, system = opened(self.run)
        dataset = shown_data(run)
        if completes(system):
            kept(pictures.completions(system, dataset), run, "completions", self.out)
            return
        classes = len(dataset.classes)
        kept(pictures.reconstructions(system, dataset, 2 * (classes if 5 <= classes <= 10 else 8)), run, "reconstructions", self.out)


@dataclass(frozen=True)
class Interpolate:
    """Walk between the codes of images, along an arc (slerp) and along a line.

    Example: pushforward interpolate runs/vae --labels 3 8
    """

    run: RunFolder
    """A run folder, or zoo/NAME for one that comes with the package."""
    first: Maybe[int] = None
    """Where to start: the number of a held-out image (a training image where none were held out). Some pairs where nothing is said."""
    second: Maybe[int] = None
    """Where to end."""
    labels: Maybe[tuple[str, str]] = None
    """Walk between the first images of two classes instead, each named or numbered."""
    out: Maybe[Path] = None
    """Picture to write; pictures/interpolation.png in the run folder where nothing is said."""

    def run_it(self) -> None:
        """Walk, and write the picture."""
        from pushforward.report import pictures
        from pushforward.report.asking import images_of

        run, system = opened(self.run)
        dataset = shown_data(run)
        name, index = self.ends(run, dataset)
        batch = images_of(dataset, index, system)
        image, label = batch["image"], batch.get("label")
        labels = None if label is None else (label[::2], label[1::2])
        kept(pictures.interpolations(system, image[::2], image[1::2], labels), run, name, self.out)

    def ends(self, run: "Run", dataset: "Dataset") -> "tuple[str, Tensor]":
        """A name for the picture, and places int64 [2 P] of starts and ends in turn."""
        import torch

        from pushforward.core import BadInput
        from pushforward.report.asking import in_turn

        if self.labels and (self.first is not None or self.second is not None):
            raise BadInput("Both --labels and --first or --second are given. Give one or the other.")
        if self.labels:
            numbers = [class_number(text, classes_of(run, len(dataset.classes))) for text in self.labels]
            return "interpolation-label{}-label{}".format(*numbers), torch.tensor([first_of(dataset, number) for number in numbers])
        if self.first is None and self.second is None:
            return "interpolation", in_turn(dataset, min(2 * WALKS, len(dataset) // 2 * 2))
        if self.first is None or self.second is None:
            raise BadInput("A walk has two ends. Give both --first and --second.")
        for option, place in (("first", self.first), ("second", self.second)):
            if not 0 <= place < len(dataset):
                raise BadInput(f"--{option} is {place}, but the images of {dataset.name} are numbered 0..{len(dataset) - 1}.")
        return f"interpolation-{self.first}-{self.second}", torch.tensor([self.first, self.second])


@dataclass(frozen=True)
class Traverse:
    """Move one dimension of the code at a time, a row each; of a two-dimensional code show the whole plane.

    Example: pushforward traverse runs/vae
    """

    run: RunFolder
    """A run folder, or zoo/NAME for one that comes with the package."""
    label: Maybe[str] = None
    """Class that the decoder is told, by name or number; the first where nothing is said."""
    out: Maybe[Path] = None
    """Picture to write; pictures/traversal.png in the run folder where nothing is said."""

    def run_it(self) -> None:
        """Traverse the code space from its middle, and write the picture."""
        import torch

        from pushforward.core import BadInput
        from pushforward.report import pictures
        from pushforward.report.asking import latent_of

        run, system = opened(self.run)
        if len(system.config.shape) == 1:
            raise BadInput(f"{run} was trained on a table, of which there are no such pictures. Use sample or report.")
        label = next(iter(labels_asked(run, system, self.label)), None)
        name = "traversal" if label is None else f"traversal-label{label}"
        kept(pictures.traversals(system, torch.zeros(latent_of(system)), label), run, name, self.out)


def first_of(dataset: "Dataset", number: int) -> int:
    """Place of the first example of a class.

    Raises:
        BadInput: there is none.
    """
    from pushforward.core import BadInput

    found = [] if dataset.label is None else (dataset.label == number).nonzero().flatten().tolist()
    if not found:
        raise BadInput(f"There is no image of class '{dataset.classes[number]}' in {dataset.name}. Name two others.")
    return found[0]
