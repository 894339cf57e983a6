"""Examples in memory, and how a batch is made of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from typing import Any, Literal

import torch
from torch import Tensor

from pushforward.core import Batch
from pushforward.data.chance import generator as fresh
from pushforward.data.masks import RANDOM, holes

Binarise = Literal["no", "dynamic", "threshold"]
EACH = ("image", "row", "label", "attributes", "source", "parts")
TENSORS = (*EACH, "centre", "scale", "hole")


@dataclass(frozen=True, eq=False)
class Dataset:
    """`n` images or `n` rows of a table, with their classes where they have any."""

    name: str
    image: Tensor | None = None
    """uint8 [n, c, h, w], 0..255, with 1 to 16 channels."""
    row: Tensor | None = None
    """float32 [n, d], standardised by `centre` and `scale`."""
    label: Tensor | None = None
    """int64 [n], UNLABELLED where hidden or unknown; None where the data have no classes."""
    classes: tuple[str, ...] = ()
    """Their names; K of them."""
    source: Tensor | None = None
    """uint8 [n, s, h, w]: what each image is made from."""
    parts: Tensor | None = None
    """uint8 [n, h, w]: which part each pixel belongs to."""
    part_names: tuple[str, ...] = ()
    """Their names; P of them."""
    translate: bool = False
    """Batches hold `source`: that image in [-1, 1], or a map of 0 and 1 for each part where there is none."""
    attributes: Tensor | None = None
    """float32 [n, a] in [0, 1]."""
    attribute_names: tuple[str, ...] = ()
    """Their names; a of them."""
    names: tuple[str, ...] = ()
    """The file that each image came from, n of them, or its number where it came from an array; () where nobody asks."""
    columns: tuple[str, ...] = ()
    """Names of a table's columns, d of them."""
    centre: Tensor | None = None
    """float32 [d]: what was subtracted from each column."""
    scale: Tensor | None = None
    """float32 [d]: what each column was then divided by."""
    binarise: Binarise = "no"
    """How batches make pixels -1 or 1. threshold: 1 from 128 on; dynamic: 1 with the probability of the grey level."""
    observe: int = 0
    """1..3: batches also hold `source`, the image with only so many of its four quadrants seen, and `mask`, 1 where it is hidden."""
    mask: str = ""
    """Batches also hold `mask`, 1 where an image is hidden (a name in `masks.py`), and `source`, what is seen of it."""
    hole: Tensor | None = None
    """float32 [h, w]: a mask of the user's own, which stands for one of a name."""
    neighbours: int = 0
    """Training batches also hold `guess`, from the labels spread over a graph of so many nearest neighbours; 0: they do not."""
    notes: tuple[str, ...] = ()
    """Plain sentences to show the user."""

    def __len__(self) -> int:
        return len(self._content)

    @property
    def _content(self) -> Tensor:
        content = self.row if self.image is None else self.image
        assert content is not None, "a data set holds images or rows"
        return content

    @property
    def shape(self) -> tuple[int, ...]:
        """(c, h, w) of an image, or (d,) of a row."""
        return tuple(self._content.shape[1:])

    @property
    def device(self) -> torch.device:
        """Where the examples lie."""
        return self._content.device

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over everything a batch depends on: content, labels, names of classes, and how pixels are binarised and hidden."""
        digest = sha256(repr((self.classes, self.columns, self.binarise, self.observe, self.neighbours)).encode())
        digest.update(self.mask.encode())
        for key in TENSORS:
            value = getattr(self, key)
            if value is not None and (key not in ("source", "parts") or self.translate):
                digest.update(f"{key} {value.dtype} {tuple(value.shape)}".encode())
                digest.update(value.cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
        return digest.hexdigest()

    def part(self, index: Tensor, name: str | None = None) -> "Dataset":
        """The examples at the places `index` int64 [m], in that order."""
        part = self._each(EACH, lambda value: value[index.to(self.device)], name or self.name)
        return replace(part, names=tuple(self.names[place] for place in index.tolist())) if self.names else part

    def labelled(self, label: Tensor) -> "Dataset":
        """The same examples with other labels, int64 [n]."""
        return replace(self, label=label.to(self.device))

    def to(self, device: torch.device | str) -> "Dataset":
        """The same examples on another device."""
        return self._each(TENSORS, lambda value: value.to(device), self.name)

    def _each(self, keys: tuple[str, ...], change: Callable[[Tensor], Tensor], name: str) -> "Dataset":
        """This data set with `change` made to each tensor of `keys` that it has."""
        changed: dict[str, Any] = {key: change(value) for key in keys if (value := getattr(self, key)) is not None}
        return replace(self, name=name, **changed)

    def batch(self, index: Tensor, generator: torch.Generator | None = None) -> Batch:
        """The examples at the places `index` int64 [m], with images in [-1, 1].

        generator: what dynamic binarisation draws from, on the device of the data; without one, the same index always gives the
        same pixels: what an image of several becomes depends on its place among them.
        """
        index = index.to(self.device)
        batch: Batch = {"index": index}
        if self.image is not None:
            batch["image"] = self._scaled(self.image.index_select(0, index), generator)
            if self.hides:
                batch["mask"] = self._holes(index, generator)
                batch["source"] = batch["image"] * (1 - batch["mask"]) + 0.0
            if self.observe:
                batch["mask"] = self._hidden.expand(len(index), -1, -1, -1).contiguous()
                # times the complement, plus 0: hidden pixels become 0 and not -0
                batch["source"] = batch["image"] * (1 - self._hidden) + 0.0
        if self.parts is not None:
            batch["parts"] = self.parts.index_select(0, index).long()
        if self.translate:
            batch["source"] = self._translated(batch, index)
        if self.row is not None:
            batch["row"] = self.row.index_select(0, index)
        if self.label is not None:
            batch["label"] = self.label.index_select(0, index)
        if self.attributes is not None:
            batch["attributes"] = self.attributes.index_select(0, index)
        return batch

    def spread(self, count: int = 60, size: int = 256) -> Iterator[Batch]:
        """At the most `count` batches of `size` examples from all over the data."""
        some = min(len(self), count * size)
        every = torch.arange(some) * len(self) // some
        count = max(1, min(count, -(-some // size)))
        return (self.batch(every[place::count][:size]) for place in range(count))

    def _scaled(self, image: Tensor, generator: torch.Generator | None) -> Tensor:
        """uint8 [m, c, h, w] -> float32 in [-1, 1]."""
        if self.binarise == "threshold":
            return image.float().sub_(127.5).sign_()
        if self.binarise == "dynamic":
            # 16 random bits a pixel, drawn four pixels at a time: half the time of torch.rand. The half keeps 0 black and 255 white.
            generator = generator or fresh("pixels", device=self.device)
            bits = torch.empty((image.numel() + 3) // 4, dtype=torch.int64, device=self.device).random_(-(2**63), None, generator=generator)
            level = bits.view(torch.int16)[: image.numel()].view(image.shape)
            return image.float().mul_(65536 / 255).sub_(32768.5).sub_(level).sign_()
        return image.float().div_(127.5).sub_(1)

    @property
    def hides(self) -> bool:
        """Whether a part of each image is hidden by a mask."""
        return bool(self.mask) or self.hole is not None

    def _holes(self, index: Tensor, generator: torch.Generator | None) -> Tensor:
        """float32 [m, 1, h, w]; without a generator that of an example does not depend on those beside it."""
        (_, height, width), count = self.shape, len(index)
        if self.hole is not None:
            return self.hole.expand(count, 1, height, width).contiguous()
        if generator is not None or self.mask not in RANDOM:
            return holes(self.mask, count, height, width, generator or fresh("holes", device=self.device))
        each = [holes(self.mask, 1, height, width, fresh("holes", place, device=self.device)) for place in index.tolist()]
        return torch.cat(each) if each else torch.empty(0, 1, height, width, device=self.device)

    def _translated(self, batch: Batch, index: Tensor) -> Tensor:
        """float32 [m, s, h, w]."""
        if self.source is not None:
            return self.source.index_select(0, index).float().div_(127.5).sub_(1)
        return torch.nn.functional.one_hot(batch["parts"], len(self.part_names)).permute(0, 3, 1, 2).float()

    @property
    def source_channels(self) -> int:
        """Maps of the source; 0 where there is none."""
        return 0 if not self.translate else len(self.part_names) if self.source is None else self.source.shape[1]

    @cached_property
    def _hidden(self) -> Tensor:
        """float32 [1, 1, h, w]: 1 in the quadrants that are not seen. Sohn et al. 2015 show, of four quadrants,
        1: the lower left; 2: the left half; 3: all but the upper right."""
        height, width = self.shape[1:]
        hidden = torch.ones(1, 1, height, width, device=self.device)
        top, left = height // 2, width // 2
        hidden[..., top:, :left] = 0
        if self.observe >= 2:
            hidden[..., :left] = 0
        if self.observe == 3:
            hidden[..., top:, :] = 0
        return hidden
