"""What a system is fed: the only place where the keys of a batch are named."""

from typing import Protocol, TypedDict

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pushforward.core.errors import BadInput
from pushforward.core.stage import Stage

UNLABELLED = -1

Terms = dict[str, Tensor]
"""What a loss consists of. Scalars are logged; vectors (a class marginal) reach only `System.adapt`."""


class Batch(TypedDict, total=False):
    """Examples, one tensor per key, the same number `n` of examples in each."""

    image: Float[Tensor, "n c h w"]
    """In [-1, 1]."""
    row: Float[Tensor, "n d"]
    """A row of a table or a point of a toy density, standardised."""
    label: Int[Tensor, "n"]
    """A class 0..K-1, or UNLABELLED where it is not known."""
    guess: Int[Tensor, "n"]
    """A class that a first teacher reads, or UNLABELLED where it is not sure."""
    attributes: Float[Tensor, "n a"]
    """In [0, 1]."""
    words: Int[Tensor, "n t"]
    """A caption."""
    source: Float[Tensor, "n s h w"]
    """What an image is translated from, in [-1, 1]."""
    mask: Float[Tensor, "n 1 h w"]
    """1 where a completion must paint."""
    parts: Int[Tensor, "n h w"]
    """Parsing map: which part of the face each pixel is."""
    index: Int[Tensor, "n"]
    """Place in the data set."""


RANK = {"image": 4, "row": 2, "label": 1, "guess": 1, "attributes": 2, "words": 2, "source": 4, "mask": 4, "parts": 3, "index": 1}
WHOLE = {"label", "guess", "words", "parts", "index"}


def check(batch: Batch) -> None:
    """Refuse a batch whose shapes, kinds or ranges are not those of `Batch`. Meant for the first batch of a run.

    Raises:
        BadInput: naming the key, what was found and what is expected.
    """
    lengths = {key: len(value) for key, value in batch.items()}  # type: ignore[arg-type]
    if len(set(lengths.values())) > 1:
        raise BadInput(f"The parts of a batch differ in length: {lengths}. Give the same number of each.")
    for key, value in batch.items():
        if key not in RANK:
            raise BadInput(f"A batch has no key '{key}'. The keys are {sorted(RANK)}.")
        assert isinstance(value, Tensor)
        if value.ndim != RANK[key]:
            raise BadInput(f"'{key}' has {value.ndim} dimensions, shape {list(value.shape)}; it should have {RANK[key]}.")
        if value.is_floating_point() == (key in WHOLE):
            raise BadInput(f"'{key}' is {value.dtype}; it should hold {'whole' if key in WHOLE else 'floating-point'} numbers.")
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise BadInput(f"'{key}' holds NaN or infinity. Clean the data first.")
    for key in ("image", "source"):
        value = batch.get(key)
        if isinstance(value, Tensor) and len(value) and value.abs().max() > 1.001:
            low, high = value.min().item(), value.max().item()
            raise BadInput(
                f"'{key}' lies in [{low:g}, {high:g}], but must lie in [-1, 1]. "
                "Give 0..255 as uint8, or scale floating-point images to [0, 1]."
            )


class Source(Protocol):
    """Where batches come from. A batch is a pure function of the stage, the stream and the shard."""

    def batch(self, stage: Stage, stream: int, shard: int, shards: int) -> Batch:
        """Examples [seen, seen + batch_size) of stream `stream`; of each part (labelled, unlabelled) the places [shard::shards]."""
        ...
