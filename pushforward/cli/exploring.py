"""Commands that explore the codes of a generator."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pushforward.cli.opening import kept, labels_asked, opened, outputs, shown_data
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
    truncation: float = 0.0
    """Codes stay within this of 0 in each dimension; 0: everywhere."""
    seed: int = 0
    """The same seed walks the same way."""
    out: Maybe[Path] = None
    """Animation to write; pictures/walk-seed0.gif in the run folder where nothing is said."""

    def run_it(self) -> None:
        """Walk, and write the animation."""
        from pushforward import figures
        from pushforward.report import exploring

        run, system = opened(self.run)
        label = next(iter(labels_asked(run, system, self.label)), None)
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
        """The images [N, C, H, W], and their classes where the system is told them.

        Raises:
            BadInput: a class is needed and not given.
        """
        import torch

        from pushforward.cli.predicting import usable
        from pushforward.core import BadInput
        from pushforward.report.asking import content, images_of, in_turn, labels_of

        told = labels_of(system)
        if self.images is None:
            batch = images_of(shown_data(run), in_turn(shown_data(run), self.count), system)
            return content(batch).cpu(), batch["label"] if told else None
        asked = labels_asked(run, system, self.label)
        if told and not asked:
            raise BadInput(f"{run.folder} is told the class of each image. Give it with --label.")
        _, pixels, _, _ = usable(self.images, system.config.shape)
        image = pixels[: self.count].float() / 127.5 - 1
        return image, torch.full((len(image),), asked[0]) if told else None


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
    reach: float = 4.0
    """How far the code moves either way, in standard deviations of one dimension."""
    seed: int = 0
    """Chooses the code in the middle."""
    out: Maybe[Path] = None
    """Picture to write; pictures/directions-seed0.png in the run folder where nothing is said."""

    def run_it(self) -> None:
        """Find, print their shares, and write the picture."""
        from pushforward.report import exploring

        run, system = opened(self.run)
        label = next(iter(labels_asked(run, system, self.label)), None)
        exploring.image_maker(system)
        found, shares = exploring.directions(system, self.count, label)
        for number, share in enumerate(shares, 1):
            print(f"direction {number}: {share:.1%} of the activations' variance")
        names = [f"{number}" for number in range(1, len(found) + 1)]
        kept(exploring.along(system, found, names, label, self.seed, self.reach), run, f"directions-seed{self.seed}", self.out)
