"""Commands that explore the codes of a generator."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pushforward.cli.opening import attributes_asked, kept, labels_asked, opened, outputs, shown_data, told_attributes, with_attributes
from pushforward.cli.words import Maybe, RunFolder

if TYPE_CHECKING:
    from torch import Tensor

    from pushforward.core import System
    from pushforward.runs import Run


@dataclass(frozen=True)
class Walk:
    """Walk through a run's code space along arcs, and write the way as an animation: GIF, or MP4 with pushforward[video].

    Example: pushforward walk runs/gan --out walk.gif
    """

    run: RunFolder
    """A run folder, or zoo/NAME for one that comes with the package."""
    count: int = 16
    """Images that walk side by side."""
    stops: int = 5
    """Random codes that each walk passes; it ends where it began."""
    steps: int = 16
    """Pictures from one stop to the next."""
    label: Maybe[str] = None
    """Class of all, by name or number; the classes in turn where nothing is said."""
    attributes: Maybe[dict[str, float]] = None
    """Attributes of all, of a run that is told them: --attributes smile 1 glasses 0; each image keeps others of its own."""
    truncation: float = 0.0
    """Codes stay within this of 0 in each dimension; 0: everywhere."""
    seed: int = 0
    """The same seed walks the same way."""
    out: Maybe[Path] = None
    """Animation to write; pictures/walk-seed0.gif in the run folder where nothing is said."""

    def run_it(self) -> None:
        """Walk, and write the animation."""
        from pushforward import figures
        from pushforward.core import BadInput
        from pushforward.report import exploring

        if self.count < 1:
            raise BadInput(f"--count is {self.count}, but must be 1 or more.")
        run, system = opened(self.run)
        label = told(run, system, self.label, self.attributes, self.count, self.seed)
        frames = exploring.walk(system, self.count, self.stops, self.steps, label, self.seed, self.truncation)
        target = self.out or outputs(run) / "pictures" / f"walk-seed{self.seed}.gif"
        print(figures.animation(frames, target, seconds=len(frames) / 12, width=min(720, frames[0].width), held=0))


@dataclass(frozen=True)
class Project:
    """Find the codes of images: what the generator can say of images that it has not made.

    Example: pushforward project runs/gan
    """

    run: RunFolder
    """A run folder, or zoo/NAME for one that comes with the package."""
    images: Maybe[Path] = None
    """An image, folder or zip; held-out images where nothing is said."""
    label: Maybe[str] = None
    """Class of the images in a file, of a run that is told one."""
    attributes: Maybe[dict[str, float]] = None
    """Attributes of the images in a file, of a run that is told them: --attributes smile 1 glasses 0; others are 1/2."""
    count: int = 8
    """How many images at the most."""
    steps: int = 300
    """Steps of the search."""
    out: Maybe[Path] = None
    """Picture to write, and beside it the codes as CSV, a row each; pictures/projection.png in the run folder where nothing is said."""

    def run_it(self) -> None:
        """Search, write picture and codes, and say how near the images came."""
        import numpy as np

        from pushforward import figures
        from pushforward.core import BadInput
        from pushforward.report import exploring

        if self.count < 1 or self.steps < 1:
            raise BadInput(f"--count is {self.count} and --steps {self.steps}, but both must be 1 or more.")
        run, system = opened(self.run)
        exploring.image_maker(system)
        image, label = self.meant(run, system)
        code, found = exploring.projected(system, image, label, self.steps)
        target = self.out or outputs(run) / "pictures" / "projection.png"
        kept(figures.pairs(image, found, min(len(image), 10)), run, "projection", target)
        np.savetxt(target.with_suffix(".csv"), code.cpu().numpy(), fmt="%.6f", delimiter=",")
        print(target.with_suffix(".csv"))
        apart = (found.cpu() - image).square().flatten(1).mean(1).sqrt() / 2
        print(f"Pixels differ by {float(apart.mean()):.1%} of their range (root mean square), the worst image by {float(apart.max()):.1%}.")

    def meant(self, run: "Run", system: "System") -> "tuple[Tensor, Tensor | None]":
        """The images [N, C, H, W], and their classes [N] or attributes [N, A] where the system is told them.

        Raises:
            BadInput: a class is needed and not given.
        """
        import torch

        from pushforward.cli.predicting import usable
        from pushforward.core import BadInput
        from pushforward.report.asking import content, images_of, in_turn, labels_of

        classes = labels_of(system)
        if self.images is None:
            batch = images_of(shown_data(run), in_turn(shown_data(run), self.count), system)
            known = batch.get("attributes") if told_attributes(system) else batch.get("label") if classes else None
            return content(batch).cpu(), known
        asked = labels_asked(run, system, self.label)
        if classes and not asked:
            raise BadInput(f"{run} is told the class of each image. Give it with --label.")
        _, pixels, _ = usable(self.images, system.config.shape)
        image = pixels[: self.count].float() / 127.5 - 1
        if self.attributes or told_attributes(system):
            middle = torch.full((len(image), len(run.recipe.attributes)), 0.5)
            return image, with_attributes(run, system, self.attributes or {}, middle)
        return image, torch.full((len(image),), asked[0]) if classes else None


@dataclass(frozen=True)
class Directions:
    """Find directions in code space along which images change most, and show each: principal components of the generator's activations.

    Example: pushforward directions runs/gan
    """

    run: RunFolder
    """A run folder, or zoo/NAME for one that comes with the package."""
    count: int = 8
    """How many directions, the strongest first."""
    label: Maybe[str] = None
    """Class that the generator is told, by name or number; the first where nothing is said."""
    attributes: Maybe[dict[str, float]] = None
    """Attributes that the generator is told, of a run that is told them: --attributes smile 1 glasses 0; others as they come."""
    reach: float = 4.0
    """How far the code moves either way, in standard deviations of one dimension."""
    seed: int = 0
    """Chooses the code in the middle, and the attributes that are not given."""
    out: Maybe[Path] = None
    """Picture to write; pictures/directions-seed0.png in the run folder where nothing is said."""

    def run_it(self) -> None:
        """Find, print their shares, and write the picture."""
        from pushforward.report import exploring

        run, system = opened(self.run)
        label = told(run, system, self.label, self.attributes, 1, self.seed)
        exploring.image_maker(system)
        found, shares = exploring.directions(system, self.count, label)
        for number, share in enumerate(shares, 1):
            print(f"direction {number}: {share:.1%} of the activations' variance")
        names = [f"{number}" for number in range(1, len(found) + 1)]
        kept(exploring.along(system, found, names, label, self.seed, self.reach), run, f"directions-seed{self.seed}", self.out)


def told(
    run: "Run", system: "System", label: str | None, attributes: dict[str, float] | None, count: int, seed: int
) -> "int | Tensor | None":
    """What a generator is told of `count` examples: the class of all, or attributes [count, A] of each; None where a user asks for nothing.

    Raises:
        BadInput: what `labels_asked` or `attributes_asked` refuses.
    """
    labels = labels_asked(run, system, label)
    if attributes or told_attributes(system):
        return attributes_asked(run, system, attributes or {}, count, seed)
    return next(iter(labels), None)
