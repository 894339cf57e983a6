"""Which data, said in one line of JSON, and the door through which all of them come in."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

import torch

from pushforward.core import UNLABELLED, BadInput, nearest
from pushforward.data import (
    arrays,
    attributes_file,
    digits,
    drawn_masks,
    faces,
    idx,
    images,
    labels_file,
    masks,
    pairs,
    stacked,
    tables,
    toys,
)
from pushforward.data.chance import split
from pushforward.data.checks import check_differ
from pushforward.data.dataset import Binarise, Dataset
from pushforward.data.hidden_labels import hide_labels, without_labels
from pushforward.data.resize import resized

NAMES = ("digits", "faces", *idx.SETS, stacked.NAME, *toys.TOYS)
HELD_OUT = 0.1
Parts = tuple[Dataset, Dataset | None]


@dataclass(frozen=True)
class DataSpec:
    """Everything needed to get the same data again."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    path: str
    """"digits", "faces" (procedural, of any size), "mnist", "fashion-mnist", "stacked-mnist", a folder or zip of images, an IDX(.gz) file
    of images, .npy, .npz or .csv; a density in the plane ("moons" and the like, or one .png whose dark places are dense); "memory" for
    tensors given in Python."""
    labels: int | None = None
    """Keep this many labels (balanced over classes) and hide the rest; None keeps all, 0 hides all."""
    labels_file: str = ""
    """A CSV of file and class, which names the class of some images (see `labels_file.py`) in place of sub-folders."""
    attributes_file: str = ""
    """A CSV of file and attributes in 0..1 of every image, or a table as CelebA has it (see `attributes_file.py`)."""
    classes: int = 0
    """Clusters to look for where no label is known; 0: as many as the data have classes."""
    label_seed: int = 0
    """Chooses which labels are kept."""
    size: int = 0
    """Crop images to their central square and resize to this side, in pixels; 0 leaves them as they are."""
    binarise: Literal["no", "dynamic", "threshold"] = "no"
    """Make pixels black or white: threshold, white from 128 of 255 on; dynamic, at random anew in each batch."""
    observe: int = 0
    """Quadrants (1 to 3) of each image that a system is shown as condition; 0: none."""
    mask: str = ""
    """What of each image is hidden from a system that paints it: square, centre, left, right, upper, lower, left-face, right-face,
    lower-face, eyes, left-eye, right-eye, strokes, mixed (for each image one of these), or a .png of your own, white where to paint."""
    pairs: str = ""
    """A source beside each image: left-to-right or right-to-left (halves of each image), SOURCE:TARGET (two folders of equal file names),
    source (that key of an .npz), edges or grey (made from any images), parts (of procedural faces: their parsing map)."""
    palette: str = ""
    """Colours of a source that is a label map (#0000aa,#0055ff, or #0000aa=wall,#0055ff=door, celebamask-hq, helen, or how many): each
    pixel becomes the nearest; empty: it is a picture."""
    neighbours: int = 0
    """Spread the known labels over a graph of so many nearest neighbours, as a first teacher (without labels: find the graph's own parts);
    0: do not."""
    held_out: float | None = None
    """Share kept as test where the data bring no test part (digits: always half); 0 keeps nothing out. None: a tenth, and where a CSV
    names a few labels a tenth of the other images, so that every label teaches."""
    split_seed: int = 0
    """Chooses what is kept as test, and draws the points of a density in the plane."""
    target: str = ""
    """Name of the class column of a CSV."""


def open_data(spec: DataSpec, memory: Any = None) -> Parts:
    """Train and test part of the data that `spec` names; test is None where nothing is held out.

    memory: for the path "memory", a tensor or array (see `arrays`), or (images or rows, labels).

    Raises:
        BadInput: anything wrong with the spec or with the data, in one sentence.
    """
    _check(spec)
    train, test = _read(spec, memory)
    if train.image is not None and not train.names:
        train = replace(train, names=tuple(map(str, range(len(train)))))
    if train.image is not None and (spec.labels is not None or spec.labels_file or spec.classes):
        check_differ(train.name, train.image)
    if spec.pairs:
        train, test = pairs.paired(train, test, spec.pairs, spec.palette, spec.size)
    if spec.labels_file:
        train, test = labels_file.labelled(Path(os.path.expanduser(spec.labels_file)), train, test)
    if spec.attributes_file:
        train, test = attributes_file.described(Path(os.path.expanduser(spec.attributes_file)), train, test)
    if test is None:
        train, test = _parted(train, spec)
    train, test = _taught(train, test, spec)
    train, test = tables.standardised(train, test) if train.image is None else _dressed(train, test, spec)
    return replace(train, neighbours=spec.neighbours), test


def _parted(whole: Dataset, spec: DataSpec) -> Parts:
    """`whole` less what is held out, and that."""
    places = torch.arange(len(whole))
    if spec.labels_file and spec.held_out is None:
        assert whole.label is not None
        places = (whole.label == UNLABELLED).nonzero().flatten()
    _, out = split(len(places), HELD_OUT if spec.held_out is None else spec.held_out, spec.split_seed, _at(whole.label, places))
    if not len(out):
        return whole, None
    stays = torch.ones(len(whole), dtype=torch.bool)
    stays[places[out]] = False
    train, test = whole.part(stays.nonzero().flatten()), whole.part(places[out], f"{whole.name} test")
    if spec.labels_file:
        train = replace(train, notes=(*train.notes, _measured(test)))
    return train, test


def _at(label: torch.Tensor | None, places: torch.Tensor) -> torch.Tensor | None:
    return None if label is None else label[places]


def _measured(test: Dataset) -> str:
    """What the images held out beside those that a CSV names can measure."""
    assert test.label is not None
    known = int((test.label != UNLABELLED).sum())
    if known:
        return f"{known} of the {len(test)} images held out have a label; accuracy is measured on these alone."
    return f"Every label teaches: none of the {len(test)} images held out has one. --held-out {HELD_OUT} takes some labelled ones, too."


def _taught(train: Dataset, test: Dataset | None, spec: DataSpec) -> Parts:
    """Both parts with the labels that `spec` leaves them."""
    known = 0 if train.label is None else int((train.label != UNLABELLED).sum())
    if spec.labels == 0 or (spec.classes and not known):
        if spec.classes >= len(train):
            raise BadInput(f"{spec.classes} clusters are to be found among {len(train)} examples; look for far fewer.")
        train = without_labels(train, spec.classes)
        return train, None if test is None else without_labels(test, len(train.classes))
    if spec.classes:
        count, file = len(train.classes), spec.labels_file
        own = f"'{file}' names {count} classes" if file else f"'{train.name}' has {count} classes of its own"
        hide = "leave --labels out to look for clusters" if file else "hide all labels with --labels 0"
        raise BadInput(f"--classes is {spec.classes}, but {own}; leave --classes out, or {hide}.")
    return train if spec.labels is None else hide_labels(train, spec.labels, spec.label_seed), test


def _check(spec: DataSpec) -> None:
    """Refuse settings outside their range."""
    if spec.binarise not in get_args(Binarise):
        raise BadInput(f"binarise is '{spec.binarise}'; choose no, dynamic or threshold{nearest(spec.binarise, get_args(Binarise))}")
    if not 0 <= spec.observe <= 3:
        raise BadInput(f"observe is {spec.observe}; of the four quadrants 1, 2 or 3 can be observed, or 0 for no condition image.")
    if spec.held_out is not None and not 0 <= spec.held_out < 1:
        raise BadInput(f"held_out is {spec.held_out:g}; give a share from 0 to less than 1.")
    if spec.classes < 0 or spec.classes == 1:
        raise BadInput(f"--classes is {spec.classes}; give 2 clusters or more, or 0 for as many as the data have classes.")
    if spec.neighbours < 0:
        raise BadInput(f"neighbours is {spec.neighbours}; give 1 or more, or 0 for no graph.")
    if spec.mask:
        masks.check(spec.mask)
        if spec.observe or spec.pairs:
            raise BadInput(f"mask is '{spec.mask}', given with observe or pairs, which hide parts of an image in two ways; give one.")
    if spec.palette and not spec.pairs:
        raise BadInput(f"palette is '{spec.palette}', but only pairs have a source that could be a label map; leave it out, or give pairs.")
    if spec.pairs and (spec.observe or spec.binarise != "no"):
        raise BadInput("pairs are given with observe or binarise, which are for other systems; leave these out.")
    if spec.size < 0 or spec.size == 1:
        raise BadInput(f"size is {spec.size}; give 2 pixels or more, or 0 to leave images as they are.")


def _read(spec: DataSpec, memory: Any) -> Parts:
    """Train and, where the data bring one, test: images in their final size, tables not standardised yet."""
    if spec.path == "memory":
        parts: Parts = arrays.from_memory(memory), None
    elif spec.path == "digits":
        parts = digits.read(spec.split_seed)
    elif spec.path in idx.SETS:
        parts = idx.read_named(spec.path)
    elif spec.path == stacked.NAME:
        parts = stacked.read(spec.split_seed)
    elif spec.path == "faces":
        parts = faces.read(spec.size, spec.split_seed)
    elif spec.path in toys.TOYS:
        parts = toys.read(spec.path, spec.split_seed), None
    else:
        parts = _read_file(spec)
    if spec.target and not spec.path.lower().endswith(".csv"):
        raise BadInput(f"target is '{spec.target}', but '{spec.path}' is no .csv file; leave target out.")
    train, test = parts
    if train.image is None and (spec.binarise != "no" or spec.observe or spec.mask):
        raise BadInput(
            f"'{spec.path}' holds rows of numbers, which have no pixels to hide or binarise; leave binarise, observe and mask out."
        )
    if spec.pairs not in ("", "edges", "grey"):  # label maps are resized otherwise than photos, and halves are cut before
        return train, test
    return resized(train, spec.size), None if test is None else resized(test, spec.size)


def _read_file(spec: DataSpec) -> Parts:
    path = Path(os.path.expanduser(spec.path))
    if not spec.path or not os.path.exists(path):
        known = [*NAMES, *_siblings(path)]
        raise BadInput(
            f"There is no data set or file '{spec.path}'; give {', '.join(NAMES)}, a folder or zip of images, an IDX file, "
            f".npy, .npz or .csv{nearest(spec.path, known)}"
        )
    kind = path.suffix.lower()
    if path.is_dir() or kind == ".zip":
        if ":" in spec.pairs and spec.size:
            source, _, target = spec.pairs.partition(":")
            return images.read_pairs(path, spec.size, source, target, bool(spec.palette))
        return images.read(path, spec.size if spec.pairs in ("", "edges", "grey") else 0)
    if kind in (".npy", ".npz"):
        return arrays.read(path)
    if kind == ".csv":
        return tables.read(path, spec.target), None
    if kind == ".png":
        return toys.read_picture(path, spec.split_seed), None
    if "idx" in path.name:
        return idx.read_file(path), None
    raise BadInput(
        f"'{spec.path}' is of no kind that can be read; give a folder or zip of images, an IDX file (its name says idx3), "
        ".npy, .npz or .csv, or one .png as a density in the plane."
    )


def _siblings(path: Path) -> list[str]:
    """What lies in the folder where `path` should be and is not hidden, written as `path` was."""
    try:
        return [str(path.parent / name) for name in os.listdir(path.parent) if not name.startswith(".")]
    except (OSError, ValueError):
        return []


def _dressed(train: Dataset, test: Dataset | None, spec: DataSpec) -> Parts:
    """Images binarised and shown in quadrants as `spec` says."""
    how: dict[str, Any] = {"binarise": spec.binarise, "observe": spec.observe}
    if spec.mask:
        train = hidden_by(train, spec.mask)
        how |= {"mask": train.mask, "hole": train.hole}
    return replace(train, **how), None if test is None else replace(test, **how)


def hidden_by(data: Dataset, mask: str) -> Dataset:
    """The same images with the holes of a name, or of a user's own picture, of which it is noted if it is more than black and white.

    Raises:
        BadInput: neither a name nor a picture that fits.
    """
    masks.check(mask)
    if mask in masks.NAMES:
        return replace(data, mask=mask, hole=None)
    own = Path(mask).expanduser()
    notes = (*data.notes, *filter(None, [drawn_masks.greys(own)]))
    return replace(data, mask="", hole=drawn_masks.drawn(own, *data.shape[1:]), notes=notes)
