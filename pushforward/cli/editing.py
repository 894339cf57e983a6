"""The command that turns a user's images into others."""

from dataclasses import dataclass
from functools import cached_property
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zlib import crc32

from tyro.conf import Positional, arg

from pushforward.cli.opening import opened, outputs, say
from pushforward.cli.words import Maybe, RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PIL.Image import Image
    from torch import Tensor

    from pushforward.core import Batch, Edits, Parses
    from pushforward.runs import Run

    Answer = tuple[str, int | None, Image]


BLENDED = 4_000_000
"""Pixels of a hole that is blended, at the most: about 7 GB and a few minutes."""


def identity(path: Path) -> tuple[int, int]:
    """What tells a file from all others, by whichever name."""
    told = path.stat()
    return told.st_dev, told.st_ino


@dataclass(frozen=True)
class Edit:
    """Translate images of your own, paint what a mask hides of them, or name their parts, and write a PNG for each.

    Example: pushforward edit runs/pix2pix drawing.png --drawn --several 4
    """

    run: RunFolder
    """A run folder, or zoo/NAME for one that comes with the package."""
    images: Annotated[Path, Positional, arg(metavar="IMAGES", help_behavior_hint="")]
    """A source, a folder or zip of them, or of a run on pairs an array (.npy, .npz), whose answers
    are one, too; photos, of a run that makes its sources of photos (edges, grey), paints holes, or names parts (parsing)."""
    mask: Maybe[Path] = None
    """White where to paint, as large as the photo, for a run that was trained with --mask, or a folder of such pictures, each called as
    its photo, or the name of a hole in the central square (centre, left, eyes); where nothing is said, what training hid."""
    blend: Annotated[bool, arg(help_behavior_hint="")] = False
    """Let the seam around what was painted disappear (Poisson)."""
    drawn: Annotated[bool, arg(help_behavior_hint="")] = False
    """Images are drawings, dark lines on white, of a run trained on outlines (--pairs edges); else outlines are found in photos."""
    deterministic: Annotated[bool, arg(help_behavior_hint="")] = False
    """Only the answer without noise, which is always the same, as where nothing is said."""
    several: int = 0
    """Answers drawn at random beside the one that is always the same, of a run with noise (pix2pix, conditional_vae, form paper)."""
    out: Maybe[Path] = None
    """Folder to write to; edited in the run folder where nothing is said."""

    def run_it(self) -> None:
        """Translate or paint, and write the pictures."""
        from pushforward.cli.sampled import ARRAYS, SUFFIXES
        from pushforward.core import BadInput, Edits, Parses

        if self.several < 0:
            raise BadInput(f"--several is {self.several}, but must be 0 or more.")
        if self.out and self.out.suffix.lower() in (*SUFFIXES, *ARRAYS):
            raise BadInput(f"--out is '{self.out}', a file, but each answer is written under its source's name. Give a folder.")
        if self.deterministic and self.several:
            raise BadInput(f"--deterministic asks for one answer, and --several {self.several} for others drawn at random. Leave one out.")
        run, system = opened(self.run)
        data = run.recipe.data
        if isinstance(system, Parses):
            self.write(run, self.mapped(run, system))
            return
        if not isinstance(system, Edits) or not (data.pairs or data.mask):
            told = f"{run} is a {type(system).__name__}, which edits no images."
            raise BadInput(f"{told} Train pix2pix with --pairs, completion or conditional_vae with --mask, or parsing.")
        if self.drawn and not data.pairs:
            raise BadInput(f"{run} paints holes and takes no drawing. Leave --drawn out.")
        if data.pairs and (self.mask or self.blend):
            raise BadInput(f"{run} translates whole images and hides nothing of them. Leave --mask and --blend out.")
        if self.images.suffix.lower() in (".npy", ".npz"):
            if self.drawn or not data.pairs:
                told = "--drawn is for pictures of drawings" if self.drawn else f"{run} paints holes of photos"
                raise BadInput(f"{told}, but '{self.images}' is an array. Give an image, or a folder or zip of images.")
            for path in self.arrays(run, system):
                print(path)
            return
        self.write(run, (self.translated if data.pairs else self.painted)(run, system))

    def write(self, run: "Run", answers: "Iterator[Answer]") -> None:
        """Each answer under a name of its own."""
        from pushforward import figures

        names: dict[str, str] = {}
        for file, seed, made in answers:
            if file not in names:
                names[file] = self.unused(Path(file), {name for stem in names.values() for name in self.called(stem)})
            name = self.called(names[file])[0 if seed is None else seed + 1]
            print(figures.save(made, self.target(run, f"{name}.png")))

    def target(self, run: "Run", name: str) -> Path:
        """Where an answer is written.

        Raises:
            BadInput: what is shown lies there.
        """
        from pushforward.core import BadInput

        path = (self.out or outputs(run) / "edited") / name
        if path.exists() and identity(path) in self.given:
            raise BadInput(f"--out is '{self.out}', where the answer would be written over '{path}', which was given. Name another folder.")
        return path

    @cached_property
    def given(self) -> set[tuple[int, int]]:
        """The files that a user has given, which no answer may replace."""
        paths = [path.expanduser() for path in (self.images, self.mask) if path]
        return {identity(file) for path in paths for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file()}

    @property
    def seeds(self) -> "tuple[int | None, ...]":
        """Of every answer."""
        return (None, *range(self.several))

    def answers(self, run: "Run", edit: "Callable[[Batch, int | None], Tensor]", shown: "Batch") -> "list[Tensor]":
        """Every answer [N, C, H, W] to what is shown, all made before any is written.

        Raises:
            BadInput: several are asked for, but there is no noise to tell them apart.
        """
        from pushforward.core import BadInput

        made = [edit(shown, seed) for seed in self.seeds]
        if self.several and bool((made[0] == made[1]).all()):
            raise BadInput(f"{run} answers without noise, so that all answers are the same. Leave --several out.")
        return made

    def called(self, stem: str) -> list[str]:
        """The names of a file's answers."""
        return [stem, *(f"{stem}-{number + 1}" for number in range(self.several))]

    def unused(self, file: Path, taken: set[str]) -> str:
        """What answers to a file are called: its name; where another's answers have that, its ending too, and a number."""
        stem = str(file.with_suffix(""))
        longer = f"{stem}{file.suffix.replace('.', '-')}"
        names = chain([stem, longer], (f"{longer}-{number}" for number in count(2)))
        return next(name for name in names if not taken.intersection(self.called(name)))

    def arrays(self, run: "Run", system: "Edits") -> "Iterator[Path]":
        """Where the answers to an array lie, written as arrays: uint8 [n, h, w, c], or [n, h, w] of one channel."""
        import torch

        from pushforward.cli.sampled import in_bytes, write_array
        from pushforward.cli.sources import shown_of

        numbers, batch = shown_of(run, self.images, self.drawn)
        batch["index"] = torch.arange(len(numbers))
        shown = [{key: value[part] for key, value in batch.items()} for part in batch["index"].split(16)]  # type: ignore[index]
        made = [self.answers(run, system.edit, each) for each in shown]  # type: ignore[arg-type]
        for name, parts in zip(self.called(self.images.stem), zip(*made, strict=True), strict=True):
            yield write_array(self.target(run, f"{name}.npy"), in_bytes(torch.cat(parts)), None)

    def mapped(self, run: "Run", parser: "Parses") -> "Iterator[Answer]":
        """File, no seed, and the map of the parts of each photo.

        Raises:
            BadInput: options that change nothing.
        """
        from pushforward.cli.mapping import maps_of
        from pushforward.core import BadInput

        if self.mask or self.blend or self.drawn or self.several:
            raise BadInput(f"{run} names the parts of photos as they are. Leave --mask, --blend, --drawn and --several out.")
        return ((file, None, made) for file, made in maps_of(run, parser, self.images))

    def translated(self, run: "Run", system: "Edits") -> "Iterator[Answer]":
        """File, seed and answer of each source."""
        import torch
        from PIL import Image

        from pushforward.cli.sources import shown_of
        from pushforward.core import BadInput
        from pushforward.figures.canvas import pixels

        if run.recipe.config["shape"][0] not in (1, 3):
            told = f"Answers of {run} have {run.recipe.config['shape'][0]} channels, which no picture holds"
            raise BadInput(f"{told}. Give sources as .npy or .npz, and answers are an array too.")
        files, batch = shown_of(run, self.images, self.drawn)
        batch["index"] = torch.tensor([crc32(file.encode("utf-8", "surrogateescape")) for file in files])
        for part in torch.arange(len(files)).split(16):
            shown = {"source": batch["source"][part].float(), "index": batch["index"][part]}
            for seed, made in zip(self.seeds, self.answers(run, system.edit, shown), strict=True):  # type: ignore[arg-type]
                for number, place in enumerate(part.tolist()):
                    yield files[place], seed, Image.fromarray(pixels(made[number : number + 1])[0])

    def painted(self, run: "Run", system: "Edits") -> "Iterator[Answer]":
        """File, seed and answer of each photo, in its own size."""
        import torch

        from pushforward.cli.painting import photos
        from pushforward.maths.poisson import blended

        answer = getattr(system, "painted", system.edit) if self.blend else system.edit
        for photo in photos(run, self.images, self.mask, BLENDED if self.blend else None):
            if photo.side != photo.shown["mask"].shape[2:]:
                size = "x".join(map(str, photo.shown["mask"].shape[:1:-1]))
                say(f"{photo.name}: {photo.seen} was painted in {size} pixels and enlarged, which changes nothing but what is hidden.")
            for seed, small in zip(self.seeds, self.answers(run, answer, photo.shown), strict=True):
                made = photo.put(small.cpu())
                whole = blended(photo.image, made, photo.hole) if self.blend else torch.where(photo.hole > 0, made, photo.image)
                yield photo.name, seed, photo.picture(whole)
