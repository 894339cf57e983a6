"""The command that turns a user's images into others."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from pushforward.cli.opening import opened, outputs
from pushforward.cli.words import Maybe, RunFolder


@dataclass(frozen=True)
class Edit:
    """Translate images of your own, or paint what a mask hides of them, and write a PNG for each.

    Example: pushforward edit runs/pix2pix drawing.png --several 4
    """

    run: RunFolder
    """A run folder, or zoo/NAME for one that comes with the package."""
    images: Annotated[Path, Positional, arg(metavar="IMAGES", help_behavior_hint="")]
    """A source, or a folder or zip of them; photos, of a run that makes its sources of photos (edges, grey) or paints holes."""
    mask: Maybe[Path] = None
    """White where to paint, of a run that was trained with --mask; where nothing is said, what that hides."""
    blend: Annotated[bool, arg(help_behavior_hint="")] = False
    """Let the seam around what was painted disappear (Poisson)."""
    several: int = 0
    """Answers drawn at random beside the one that is always the same."""
    out: Maybe[Path] = None
    """Folder to write to; edited in the run folder where nothing is said."""

    def run_it(self) -> None:
        """Translate or paint, and write the pictures."""
        import torch
        from PIL import Image

        from pushforward import figures
        from pushforward.cli.sources import shown_of
        from pushforward.core import BadInput, Edits
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
        files, batch = shown_of(run, self.images, self.mask)
        answer = getattr(system, "painted", system.edit) if self.blend else system.edit
        for seed in (None, *range(self.several)):
            parts = [{key: value[part] for key, value in batch.items()} for part in torch.arange(len(files)).split(16)]  # type: ignore[index]
            made = torch.cat([answer(part, seed) for part in parts])  # type: ignore[arg-type]
            made = blended(batch["source"], made, batch["mask"]) if self.blend else made
            for file, picture in zip(files, pixels(made), strict=True):
                name = str(Path(file).with_suffix("")) + ("" if seed is None else f"-{seed + 1}")
                print(figures.save(Image.fromarray(picture), (self.out or outputs(run) / "edited") / f"{name}.png"))
