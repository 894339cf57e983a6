"""Commands that make pictures of what a trained run can do."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pushforward.cli.opening import class_number, classes_of, kept, opened, shown_data
from pushforward.cli.words import Maybe, RunFolder

if TYPE_CHECKING:
    from torch import Tensor

    from pushforward.core import System
    from pushforward.data import Dataset
    from pushforward.runs import Run


@dataclass(frozen=True)
class Sample:
    """Draw new examples from a run and write them as a picture.

    Example: pushforward sample runs/conditional_vae --label 3 --count 100
    """

    run: RunFolder
    """A run folder."""
    count: int = 64
    """How many examples."""
    label: Maybe[str] = None
    """Class to draw from, by name or number; the classes in turn where nothing is said."""
    seed: int = 0
    """The same seed draws the same examples."""
    mixture: int = 0
    """Draw codes from so many Gaussians fitted on the codes of the training data; 0 draws them from the prior."""
    out: Maybe[Path] = None
    """Picture to write; pictures/NAME.png in the run folder where nothing is said."""

    def run_it(self) -> None:
        """Sample, and write the picture."""
        from pushforward.core import BadInput
        from pushforward.report import pictures

        if self.count < 1 or self.mixture < 0 or not 0 <= self.seed < 2**63:
            raise BadInput(f"--count {self.count}, --mixture {self.mixture}, --seed {self.seed}: give 1 or more, 0 or more, 0 or more.")
        run, system = opened(self.run)
        label = asked_label(run, system, self.label)
        source = from_mixture(system, run.data()[0], self.mixture) if self.mixture else system
        dataset = run.data()[0] if len(system.config.shape) == 1 else None
        parts = [f"mixture{self.mixture}"] if self.mixture else []
        parts += [f"label{label}"] if label is not None else []
        made = pictures.samples(source, self.count, label, self.seed, dataset)
        kept(made, run, "-".join(["samples", *parts, f"seed{self.seed}"]), self.out)


@dataclass(frozen=True)
class Reconstruct:
    """Show images and what a run makes of them: encoded and decoded again, or completed from a part.

    Example: pushforward reconstruct runs/vae
    """

    run: RunFolder
    """A run folder."""
    out: Maybe[Path] = None
    """Picture to write; pictures/reconstructions.png in the run folder where nothing is said."""

    def run_it(self) -> None:
        """Reconstruct or complete held-out images, and write the picture."""
        from pushforward.report import pictures

        run, system = opened(self.run)
        dataset, classes = shown_data(run), len(run.recipe.config.get("classes", "") or "")
        raise NotImplementedError(dataset, classes, pictures, system)
