"""Parsing of images into parts: a U-Net (Ronneberger, Fischer & Brox 2015) that names the part each pixel belongs to.

Generative face completion wants one for faces (Li et al. 2017, whose network is a VGG encoder with the decoder of Noh, Hong & Han 2015).

    minimised   E -log q(part | image) over pixels, each part weighed by its frequency to the power -`rare`

Shapes: image [N, C, H, W] in [-1, 1]; parts [N, H, W] in 0..P-1; q [N, P, H, W].
Departures: instance normalisation; images and parts are moved a little and mirrored alike, a left part becoming the right one;
averaged weights (Polyak & Juditsky 1992) answer.
"""

from copy import deepcopy
from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Ge, Gt, Interval
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from pushforward.core import Adam, Average, BadInput, Batch, Parses, Player, Stage, System, Terms, growing, warm_up_then_cosine
from pushforward.data.jitter import jittered
from pushforward.nets.unet import UNet


@dataclass(frozen=True)
class Settings:
    """What a parser is made of. `shape` and `parts` follow from the data."""

    shape: tuple[int, ...]
    """(C, H, W)."""
    parts: int = 0
    """P."""
    twins: tuple[int, ...] = ()
    """The part that each becomes in a mirror, where left and right are different ones; follows from the data too."""
    width: Annotated[int, Ge(1)] = 24
    """Channels after the first halving."""
    rare: Annotated[float, Interval(ge=0, le=1)] = 0.25
    """How much more a rare part counts than a common one: 0 alike, 1 inversely to its frequency in the batch."""
    mirror: bool = True
    """Mirror images at random."""
    rate: Annotated[float, Gt(0)] = 1e-3
    """Learning rate of Adam, lowered to 0 by half a cosine."""
    average: Annotated[int, Ge(1)] = 10_000
    """Half-life of the averaged weights, in images."""
    batch_size: Annotated[int, Ge(1)] = 16
    """Images of a round."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by pydantic, which core need not import


class Parsing(System, Parses):
    """config: see `Settings`."""

    Config = Settings
    needs: frozenset[str] = frozenset({"image", "parts"})

    def __init__(self, config: Settings):
        super().__init__()
        self.config = c = config
        if len(c.shape) != 3 or c.parts < 2:
            raise BadInput(
                f"Parsing learns from maps of 2 parts or more, but the data name {c.parts}. Use faces, or --pairs with a --palette."
            )
        size = (c.shape[1], c.shape[2])
        self.network = UNet(c.shape[0], c.parts, size, c.width, "instance", "resize", 0.0, skips=True, bounded=False)
        self.averaged = deepcopy(self.network).eval().requires_grad_(False)
        self.enter(self.schedule(0, 1))

    def schedule(self, seen: int, total: int) -> Stage:
        progress = min(1.0, seen / total)
        return Stage(seen, self.config.batch_size, progress=progress, rate=warm_up_then_cosine(progress))

    def players(self) -> list[Player]:
        average = Average(self.averaged, growing(self.config.average, self.stage.seen))
        return [Player("parser", self.network, self.loss, Adam(self.config.rate), average=average)]

    def accept(self, batch: Batch) -> None:
        if int(batch["parts"].max()) >= self.config.parts:
            raise BadInput(f"A pixel is of part {int(batch['parts'].max())}, but parts must lie in 0..{self.config.parts - 1}.")

    def loss(self, batch: Batch) -> tuple[Tensor, Terms]:
        """E -log q(part | image), weighed."""
        c = self.config
        truth, image = self.jittered(batch)
        often = truth.flatten().bincount(minlength=c.parts).float()
        weight = (often + 1) ** -c.rare
        logits = self.network(image).float()
        right = (logits.detach().argmax(1) == truth).float().mean()
        return cross_entropy(logits, truth, weight), {"accuracy": right}

    def jittered(self, batch: Batch) -> tuple[Int[Tensor, "n h w"], Float[Tensor, "n c h w"]]:
        """Parts and image, changed alike; in a mirror left and right parts are each other's."""
        parts, twins = batch["parts"], self.config.twins
        mirrored = torch.tensor(twins, device=parts.device)[parts] if twins else parts
        both = torch.stack([parts, mirrored], 1).float()  # swapped in a mirror: as numbers they are less work than as a map each
        both, image = jittered(both, batch["image"], self.config.mirror, (1, 0) if twins else ())
        return both[:, 0].long(), image

    def parse(self, image: Tensor) -> Tensor:
        return self.averaged(image).float()
