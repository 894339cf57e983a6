"""Procedural faces: drawn at any size from named attributes, with their exact parsing maps. No download, no licence, nobody's face."""

from collections.abc import Iterator
from dataclasses import fields

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pushforward.core import BadInput
from pushforward.data.chance import generator
from pushforward.data.dataset import Dataset
from pushforward.data.face_drawing import PARTS, Features, draw

__all__ = ["ATTRIBUTES", "PARTS", "drawn", "faces", "read"]

ATTRIBUTES = tuple(f.name for f in fields(Features) if f.name != "jitter")
"""Names of the columns of attributes, each in [0, 1]: skin from light to dark, hair_length from bald to long, turn from left to right, and
so on; glasses and beard are there above 1/2."""
NUISANCES = 12
"""Small differences between faces with the same attributes."""
COUNT, HELD_OUT = 10_000, 1_000
"""Faces of a data set, and of its test part."""
SIZE = 32
"""Pixels along a side where nothing is said."""
CLASSES = ("serious", "smiling", "serious, glasses", "smiling, glasses")
TOGETHER = 250
"""Faces that are drawn at a time."""


def drawn(attributes: Float[Tensor, "n a"], size: int, seed: int = 0) -> tuple[Float[Tensor, "n 3 s s"], Int[Tensor, "n s s"]]:
    """Faces in [-1, 1] with the given attributes, columns as in `ATTRIBUTES`, and their parsing maps, numbers as in `PARTS`.

    seed: chooses the small differences that no attribute names.

    Raises:
        BadInput: another number of columns, values outside [0, 1], or a size below 8.
    """
    image, parts = zip(*drawings(attributes, size, seed), strict=True)
    return torch.cat(image), torch.cat(parts)


def drawings(attributes: Float[Tensor, "n a"], size: int, seed: int) -> Iterator[tuple[Float[Tensor, "m 3 s s"], Int[Tensor, "m s s"]]]:
    """What `drawn` gives, `TOGETHER` faces at a time: as floats and whole numbers those of a data set take many times its memory."""
    if attributes.shape[1] != len(ATTRIBUTES) or not bool(((attributes >= 0) & (attributes <= 1)).all()):
        found = f"{attributes.shape[1]} columns in [{attributes.min():g}, {attributes.max():g}]"
        raise BadInput(f"Attributes have {found}, but {len(ATTRIBUTES)} in [0, 1] are needed: {', '.join(ATTRIBUTES)}.")
    if size < 8:
        raise BadInput(f"size is {size}, but a face takes at least 8 pixels along a side.")
    jitter = torch.rand(len(attributes), NUISANCES, 1, 1, generator=generator("faces", "jitter", seed)) * 2 - 1
    columns = attributes.T.float()[..., None, None].split(TOGETHER, 1)
    for part, j in zip(columns, jitter.split(TOGETHER), strict=True):
        yield draw(Features(**dict(zip(ATTRIBUTES, part, strict=True)), jitter=j), size)


def faces(count: int, seed: int = 0) -> Float[Tensor, "n a"]:
    """Attributes of `count` faces, uniform and independent, but that nobody smiles halfway and that beards are rare below 1/4 of age."""
    found = torch.rand(count, len(ATTRIBUTES), generator=generator("faces", "attributes", seed))
    beard, age, smile = (ATTRIBUTES.index(name) for name in ("beard", "age", "smile"))
    found[:, smile] = 0.6 * found[:, smile] + 0.4 * (found[:, smile] > 0.5)
    found[:, beard] *= 0.6 + 0.25 * (found[:, age] > 0.25)
    return found


def label_of(attributes: Float[Tensor, "n a"]) -> Int[Tensor, " n"]:
    """The class of each: smiling or not, with glasses or without."""
    smile, glasses = (attributes[:, ATTRIBUTES.index(name)] > 0.5 for name in ("smile", "glasses"))
    return smile.long() + 2 * glasses.long()


def read(size: int = 0, seed: int = 0) -> tuple[Dataset, Dataset]:
    """The data set `faces`: 10,000 to train on, 1,000 to test, classes by smile and glasses."""
    return data_set("faces", COUNT, size or SIZE, 2 * seed), data_set("faces-test", HELD_OUT, size or SIZE, 2 * seed + 1)


def data_set(name: str, count: int, size: int, seed: int) -> Dataset:
    """So many faces as bytes, with classes, attributes and parts."""
    attributes = faces(count, seed)
    made = [(((image + 1) * 127.5).round().byte(), parts.byte()) for image, parts in drawings(attributes, size, seed)]
    image, parts = map(torch.cat, zip(*made, strict=True))
    return Dataset(
        name,
        image=image,
        label=label_of(attributes),
        classes=CLASSES,
        parts=parts,
        part_names=PARTS,
        attributes=attributes,
        attribute_names=ATTRIBUTES,
    )
