"""A classifier: the convolutional network of LeCun, Bottou, Bengio & Haffner 1998 in today's parts. It judges what other systems make.

    minimised   1/n sum -log q(y|x)

Shapes: x [N, C, H, W] in [-1, 1]; y [N]; q(y|x) [N, K].
Departures: strided 3x3 convolutions with batch normalisation (Ioffe & Szegedy 2015) and global pooling; Adam, half a cosine; random views
of the images (affine and elastic, Simard et al. 2003); predictions come from averaged weights (Polyak & Juditsky 1992).
"""

from copy import deepcopy
from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Ge, Gt
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cross_entropy

from pushforward.core import (
    UNLABELLED,
    Adam,
    Average,
    BadInput,
    Batch,
    Classifies,
    Compares,
    Player,
    Stage,
    System,
    Terms,
    growing,
    warm_up_then_cosine,
)
from pushforward.data.augment import VIEWS, ViewsName, see
from pushforward.nets import Net, Reading


@dataclass(frozen=True)
class Settings:
    """What a classifier is made of. `shape` and `classes` follow from the data."""

    shape: tuple[int, ...]
    """(C, H, W)."""
    classes: int
    """K."""
    net: Net = "auto"
    """Fully connected for tiny images, convolutional above; or one of these."""
    width: Annotated[int, Ge(0)] = 0
    """Channels after the first halving, or hidden units; 0: 32 or 400."""
    views: ViewsName = "none"
    """Random views of the images: the middling ones of the classification VAE."""
    rate: Annotated[float, Gt(0)] = 2e-3
    """Learning rate of Adam, lowered to 0 by half a cosine."""
    decay: Annotated[float, Ge(0)] = 5e-4
    """Weight decay."""
    average: Annotated[int, Ge(0)] = 50_000
    """Half-life of the averaged weights, in images; 0: the weights themselves."""
    batch_size: Annotated[int, Ge(1)] = 256
    """Images of a round."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by pydantic, which core need not import


class Classifier(System, Classifies, Compares):
    """config: see `Settings`."""

    Config = Settings

    def __init__(self, config: Settings):
        super().__init__()
        if config.classes < 2:
            raise BadInput(f"A classifier needs at least 2 classes, but the data have {config.classes}.")
        self.config = c = config
        self.networks = Reading(c.net, c.shape, c.width, c.classes)
        self.averaged = deepcopy(self.networks).eval().requires_grad_(False)
        self.enter(self.schedule(0, 1))

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"image", "label"})

    def schedule(self, seen: int, total: int) -> Stage:
        progress = min(1.0, seen / total)
        return Stage(seen, self.config.batch_size, progress=progress, rate=warm_up_then_cosine(progress))

    def players(self) -> list[Player]:
        half_life = growing(self.config.average, self.stage.seen)
        optimiser = Adam(self.config.rate, (0.9, 0.99), decay=self.config.decay)
        return [Player("classifier", self.networks, self.loss, optimiser, average=Average(self.averaged, half_life))]

    def accept(self, batch: Batch) -> None:
        y, classes = batch["label"], self.config.classes
        if bool((y == UNLABELLED).any()):
            raise BadInput("A classifier needs the label of every image, but some are hidden. Keep all labels, or use classification_vae.")
        if bool(((y < 0) | (y >= classes)).any()):
            raise BadInput(f"A label is {int(y[(y < 0) | (y >= classes)][0])}, but labels must lie in 0..{classes - 1}.")

    def loss(self, batch: Batch) -> tuple[Tensor, Terms]:
        """-log q(y|x), the mean over the batch."""
        x, y, views = batch["image"], batch["label"], self.config.views
        logits = self.networks(x if views == "none" else see(x, VIEWS[views][1]))
        return cross_entropy(logits, y), {"accuracy": (logits.argmax(1) == y).float().mean()}

    @torch.no_grad()
    def logits(self, image: Tensor) -> Tensor:
        return self.averaged(image)

    @torch.no_grad()
    def features(self, image: Tensor) -> Float[Tensor, "n d"]:
        """What the last layer reads."""
        return self.averaged.features(image)

    @torch.no_grad()
    def read(self, image: Tensor) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n classes"]]:
        """Both, from one look."""
        features = self.averaged.features(image)
        return features, self.averaged.classifier(features)
