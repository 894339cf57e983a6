"""Spaces in which examples are compared: the last features of a classifier that was trained on such images."""

from dataclasses import dataclass
from hashlib import sha256

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from pushforward.core import BadInput
from pushforward.runs import Run
from pushforward.systems.classifier import Classifier

TOGETHER = 250
"""Examples that are read at a time."""
READERS = {"mnist": "zoo/reader_mnist", "fashion-mnist": "zoo/reader_fashion"}
"""Feature nets that come with the package, by name of the data."""


@dataclass(frozen=True)
class FeatureNet:
    """A classifier whose last features are the space of comparison; without one, rows are compared as they are."""

    name: str
    classifier: Classifier | None

    @torch.no_grad()
    def read(self, x: Tensor) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n k"] | None]:
        """Features of examples, and logits where there are some."""
        if self.classifier is None:
            return x.flatten(1), None
        side = self.classifier.config.shape[1:]
        parts = [p if p.shape[2:] == side else interpolate(p, side, mode="bilinear", antialias=True) for p in x.split(TOGETHER)]
        return torch.cat([self.classifier.features(p) for p in parts]), torch.cat([self.classifier.logits(p) for p in parts])


def feature_net(asked: str, data: str, shape: tuple[int, ...]) -> FeatureNet | None:
    """The feature net of a run folder, or the one that comes with the package for data of this name; None where there is none.

    Raises:
        BadInput: a run that is no classifier, or one of images with other channels.
    """
    if len(shape) == 1 and not asked:
        return FeatureNet("the rows themselves", None)
    where = asked or READERS.get(data, "")
    if not where:
        return None
    run = Run(where)
    system = run.open()
    if not isinstance(system, Classifier):
        raise BadInput(f"'{where}' is a {type(system).__name__}, which has no features to compare in; give the run of a classifier.")
    if len(shape) == 1 or system.config.shape[0] != shape[0]:
        raise BadInput(
            f"'{where}' reads images of shape {system.config.shape}, but these examples have shape {shape}; train a classifier on them."
        )
    newest = sorted((run.folder / "checkpoints").iterdir())[-1] / "weights.safetensors"
    return FeatureNet(f"{where}, SHA-256 {sha256(newest.read_bytes()).hexdigest()[:12]}", system)
