"""The command that turns a user's images into others."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

from pushforward.cli.opening import opened, outputs, say
from pushforward.cli.words import Maybe, RunFolder

if TYPE_CHECKING:
    from torch import Tensor

    from pushforward.runs import Run


@dataclass(frozen=True)
class Edit:
    """Translate images of your own by a run of pix2pix, and write a PNG for each.

    Example: pushforward edit runs/pix2pix drawing.png --several 4
    """

    run: RunFolder
    """A run folder, or zoo/NAME for one that comes with the package."""
    images: Annotated[Path, Positional, arg(metavar="IMAGES", help_behavior_hint="")]
    """A source, or a folder or zip of them; photos, of a run that makes its sources of photos (edges, grey)."""
    several: int = 0
    """Answers drawn at random beside the one that is always the same."""
    out: Maybe[Path] = None
    """Folder to write to; edited in the run folder where nothing is said."""

    def run_it(self) -> None:
        """Translate, and write the pictures."""
        import torch
        from PIL import Image

        from pushforward import figures
        from pushforward.cli.predicting import usable
        from pushforward.core import BadInput, Edits
        from pushforward.data import Dataset
        from pushforward.figures.canvas import pixels

        if self.several < 0:
            raise BadInput(f"--several is {self.several}, but must be 0 or more.")
        run, system = opened(self.run)
        if not isinstance(system, Edits) or not run.recipe.data.pairs:
            raise BadInput(f"{run.folder} is a {type(system).__name__}, which translates no images. Train pix2pix with --pairs.")
        files, image, changed, bad = usable(self.images, (source_channels(run), *system.config.shape[1:]))
        if changed or bad:
            say(
                f"{changed} images were fitted to {system.config.shape[2]}x{system.config.shape[1]} pixels; {len(bad)} files were left out."
            )
        source = sources(run, Dataset(self.images.name, image=image, names=tuple(files)))
        target = self.out or outputs(run) / "edited"
        for seed in (None, *range(self.several)):
            made = torch.cat([system.edit({"source": part}, seed) for part in source.split(16)])
            for file, picture in zip(files, pixels(made), strict=True):
                name = Path(file).stem + ("" if seed is None else f"-{seed + 1}")
                print(figures.save(Image.fromarray(picture), target / f"{name}.png"))


def source_channels(run: "Run") -> int:
    """Channels of the images that sources are made of.

    Raises:
        BadInput: it translates maps of parts that no image can name.
    """
    from pushforward.core import BadInput

    data, config = run.recipe.data, run.recipe.config
    if data.pairs == "parts":
        raise BadInput(f"{run.folder} translates maps of the parts of drawn faces, which no image holds. Use reconstruct.")
    return 3 if data.palette or data.pairs == "grey" else config["shape"][0] if data.pairs == "edges" else config["source"]


def sources(run: "Run", data: object) -> "Tensor":
    """What a run's system is shown for images of a user.

    Raises:
        BadInput: the colours of a label map are far from its own.
    """
    from dataclasses import replace

    import torch

    from pushforward.data import Dataset, pairs

    assert isinstance(data, Dataset)
    way, palette = run.recipe.data.pairs, run.recipe.data.palette
    if way in ("edges", "grey"):
        found = pairs.part_of(data, way)
    else:
        found = replace(data, source=data.image)
        if palette:
            found = pairs.snapped(found, pairs.named_colours(",".join(run.recipe.parts), found))
    return replace(found, translate=True).batch(torch.arange(len(data)))["source"]
