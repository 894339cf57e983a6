"""A describer: reads named attributes of images, as Liu, Luo, Wang & Tang 2015 do of faces. Its features compare such images.

    minimised   -1/(n A) sum a log q_a(x) + (1 - a) log(1 - q_a(x))

Shapes: x [N, C, H, W] in [-1, 1]; a and q(x) [N, A] in [0, 1].
Departures: one small network for the whole image, that of `classifier`; attributes may be shares, of which q is the expectation.
"""

from copy import deepcopy
from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Ge, Gt
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from pushforward.core import Adam, Average, BadInput, Batch, Compares, Describes, Player, Stage, System, Terms, growing, warm_up_then_cosine
from pushforward.nets import Net, Reading


@dataclass(frozen=True)
class Settings:
    """What a describer is made of. `shape` and `attributes` follow from the data."""

    shape: tuple[int, ...]
    """(C, H, W)."""
    attributes: int
    """A."""
    net: Net = "auto"
    """Fully connected for tiny images, convolutional above; or one of these."""
    width: Annotated[int, Ge(0)] = 0
    """Channels after the first halving, or hidden units; 0: 32 or 400."""
    rate: Annotated[float, Gt(0)] = 2e-3
    """Learning rate of Adam, lowered to 0 by half a cosine."""
    decay: Annotated[float, Ge(0)] = 5e-4
    """Weight decay."""
    average: Annotated[int, Ge(0)] = 50_000
    """Half-life of the averaged weights, in images; 0: the weights themselves."""
    batch_size: Annotated[int, Ge(1)] = 128
    """Images of a round."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by pydantic, which core need not import


class Describer(System, Describes, Compares):
    """config: see `Settings`."""

    Config = Settings
    needs: frozenset[str] = frozenset({"image", "attributes"})

    def __init__(self, config: Settings):
        super().__init__()
        if not config.attributes:
            raise BadInput("A describer reads attributes, but the data have none. Name them in attributes_file, or use classifier.")
        if len(config.shape) != 3:
            raise BadInput(f"A describer reads images, but the data have shape {config.shape}. Use vae for rows of numbers.")
        self.config = c = config
        self.networks = Reading(c.net, c.shape, c.width, c.attributes)
        self.averaged = deepcopy(self.networks).eval().requires_grad_(False)
        self.enter(self.schedule(0, 1))

    def schedule(self, seen: int, total: int) -> Stage:
        progress = min(1.0, seen / total)
        return Stage(seen, self.config.batch_size, progress=progress, rate=warm_up_then_cosine(progress))

    def players(self) -> list[Player]:
        c, average = self.config, Average(self.averaged, growing(self.config.average, self.stage.seen))
        return [Player("describer", self.networks, self.loss, Adam(c.rate, (0.9, 0.99), decay=c.decay), average=average)]

    def loss(self, batch: Batch) -> tuple[Tensor, Terms]:
        """Cross-entropy of each attribute, the mean over attributes and the batch."""
        logits, told = self.networks(batch["image"]), batch["attributes"]
        return binary_cross_entropy_with_logits(logits, told), {"apart": (logits.detach().sigmoid() - told).abs().mean()}

    @torch.no_grad()
    def describe(self, image: Tensor) -> Float[Tensor, "n a"]:
        return self.averaged(image).sigmoid()

    @torch.no_grad()
    def features(self, image: Tensor) -> Float[Tensor, "n d"]:
        return self.averaged.features(image)
