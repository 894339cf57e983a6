"""The command that turns a user's images into others."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

from pushforward.cli.opening import opened, outputs, say
from pushforward.cli.words import Maybe, RunFolder

if TYPE_CHECKING:
    from torch import Tensor

    from pushforward.core import Batch
    from pushforward.data import Dataset
    from pushforward.runs import Run


@dataclass(frozen=True)
class Edit:
    """Translate images of your own, or paint what a mask hides of them, and write a PNG for each.

    Example: pushforward edit runs/pix2pix drawing.png --several 4
    """

    run: RunFolder
    """A run folder, or zoo/NAME for one that comes with the package."""
    images: Annotated[Path, Positional, arg(metavar="IMAGES", help_behavior_hint="")]
    """A source, or a folder or zip of them; photos, of a run that makes its sources of photos (edges, grey)."""
    mask: Maybe[Path] = None
    """White where to paint, of a run that was trained with --mask; where nothing is said, what that hides."""
    blend: Annotated[bool, arg(help_behavior_hint="")] = False
    """Let the seam around what was painted disappear (Poisson)."""
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
        from pushforward.maths.poisson import blended

        if self.several < 0:
            raise BadInput(f"--several is {self.several}, but must be 0 or more.")
        run, system = opened(self.run)
        data = run.recipe.data
        if not isinstance(system, Edits) or not (data.pairs or data.mask):
            told = f"{run.folder} is a {type(system).__name__}, which edits no images."
            raise BadInput(f"{told} Train pix2pix with --pairs, or conditional_vae with --mask.")
        if data.pairs and (self.mask or self.blend):
            raise BadInput(f"{run.folder} translates whole images and hides nothing of them. Leave --mask and --blend out.")
        files, image, changed, bad = usable(self.images, (source_channels(run), *system.config.shape[1:]))
        if changed or bad:
            say(
                f"{changed} images were fitted to {system.config.shape[2]}x{system.config.shape[1]} pixels; {len(bad)} files were left out."
            )
        batch = self.shown(run, Dataset(self.images.name, image=image, names=tuple(files)))
        target = self.out or outputs(run) / "edited"
        for seed in (None, *range(self.several)):
            parts = [{key: value[part] for key, value in batch.items()} for part in torch.arange(len(files)).split(16)]  # type: ignore[index]
            answer = getattr(system, "painted", system.edit) if self.blend else system.edit
            made = torch.cat([answer(part, seed) for part in parts])  # type: ignore[arg-type]
            made = blended(batch["source"], made, batch["mask"]) if self.blend else made
            for file, picture in zip(files, pixels(made), strict=True):
                name = Path(file).stem + ("" if seed is None else f"-{seed + 1}")
                print(figures.save(Image.fromarray(picture), target / f"{name}.png"))

    def shown(self, run: "Run", data: "Dataset") -> "Batch":
        """What the system is shown of the images."""
        from dataclasses import replace

        import torch

        from pushforward.data import masks

        if run.recipe.data.pairs:
            return {"source": sources(run, data)}
        name = str(self.mask) if self.mask else run.recipe.data.mask
        own = None if name in masks.NAMES else masks.drawn(Path(name).expanduser(), *data.shape[1:])
        batch = replace(data, mask=name if own is None else "", hole=own).batch(torch.arange(len(data)))
        return {"source": batch["source"], "mask": batch["mask"]}


def source_channels(run: "Run") -> int:
    """Channels of the images that sources are made of.

    Raises:
        BadInput: it translates maps of parts that no image can name.
    """
    from pushforward.core import BadInput

    data, config = run.recipe.data, run.recipe.config
    if data.mask:
        return config["shape"][0]
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
