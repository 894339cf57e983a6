"""Spaces in which examples are compared: the last features of what was trained to read such images, or a net of the user's."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate

from pushforward.core import BadInput, Compares, Describes
from pushforward.data.idx import cache_folder
from pushforward.runs import Run

TOGETHER = 250
"""Examples that are read at a time."""
READERS = {"mnist": "zoo/reader_mnist", "fashion-mnist": "zoo/reader_fashion", "faces": "zoo/reader_faces"}
"""Feature nets that come with the package, by name of the data."""


Reads = Callable[[Tensor], tuple[Tensor, Tensor | None]]


@dataclass(frozen=True)
class FeatureNet:
    """A space of comparison; without a net, rows are compared as they are."""

    name: str
    """Whose weights these are, with their hash."""
    reads: Reads | None
    """Features [n, d] of images [n, c, h, w], and logits [n, k] where there are some."""
    describes: Callable[[Tensor], Tensor] | None = None
    """Attributes [n, a] in [0, 1] of images, of a net that reads some."""
    attributes: tuple[str, ...] = ()
    """Their names."""

    @torch.no_grad()
    def read(self, x: Tensor) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n k"] | None]:
        """Features of examples, and logits where there are some, a few examples at a time."""
        if self.reads is None:
            return x.flatten(1), None
        features, logits = zip(*map(self.reads, x.split(TOGETHER)), strict=True)
        return torch.cat(features), None if logits[0] is None else torch.cat(logits)

    @torch.no_grad()
    def described(self, x: Tensor) -> Float[Tensor, "n a"]:
        """Attributes of images, a few at a time."""
        assert self.describes is not None
        return torch.cat([self.describes(part) for part in x.split(TOGETHER)])


def cached(fingerprint: str) -> Path:
    """Where the net for data of this fingerprint is, or would be, once it was trained on this machine."""
    return cache_folder() / "readers" / fingerprint[:16]


def feature_net(asked: str, data: str, shape: tuple[int, ...], fingerprint: str = "") -> FeatureNet | None:
    """The feature net of a run folder, the user's own ("package.module:name"), the one that comes with the package for data of this name,
    or the one trained on this machine for data of this fingerprint; None where there is none.

    Raises:
        BadInput: a run that is no classifier, one of images with other channels, or a module that cannot be had.
    """
    if len(shape) == 1 and not asked:
        return FeatureNet("the rows themselves", None)
    if ":" in asked:
        return users_own(asked, shape)
    where = asked or READERS.get(data, "")
    if not where and fingerprint and (cached(fingerprint) / "recipe.json").exists():
        where = str(cached(fingerprint))
    if not where:
        return None
    run = Run(where)
    system = run.open()
    if not isinstance(system, Compares):
        told = "which has no features to compare in; give the run of a classifier or a describer."
        raise BadInput(f"'{where}' is a {type(system).__name__}, {told}")
    if len(shape) == 1 or system.config.shape[0] != shape[0]:
        raise BadInput(
            f"'{where}' reads images of shape {system.config.shape}, but these examples have shape {shape}; train a classifier on them."
        )
    newest = sorted((run.folder / "checkpoints").iterdir())[-1] / "weights.safetensors"
    own = system.config.shape[1:]
    fitted = "" if own == shape[1:] else f", which reads {own[0]}x{own[1]} pixels: images of {shape[1]}x{shape[2]} are resized for it"
    name = f"{where}, SHA-256 {sha256(newest.read_bytes()).hexdigest()[:12]}{fitted}"
    reads: Reads = lambda x: system.read(resized(x, own))  # noqa: E731
    if not isinstance(system, Describes):
        return FeatureNet(name, reads)
    return FeatureNet(name, reads, lambda x: system.describe(resized(x, own)), run.recipe.attributes)


def resized(x: Tensor, side: tuple[int, ...]) -> Tensor:
    """Images as large as a net was trained on."""
    return x if x.shape[2:] == side else interpolate(x, side, mode="bilinear", antialias=True)


def users_own(asked: str, shape: tuple[int, ...]) -> FeatureNet:
    """A module of the user's: images [n, c, h, w] in [-1, 1] -> features [n, d]. It may load what weights lie on this machine.

    Raises:
        BadInput: it cannot be imported, is no module, or gives something else for images of this shape.
    """
    place, _, name = asked.partition(":")
    try:
        found: Any = getattr(import_module(place), name)
        net = found() if isinstance(found, type) else found
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        raise BadInput(f"There is no feature net '{asked}' ({error}); give module:name of something Python can import.") from None
    if not isinstance(net, nn.Module):
        raise BadInput(f"'{asked}' is a {type(net).__name__}, but a feature net is a torch module; give one.")
    net.eval()
    try:
        with torch.no_grad():
            features = net(torch.zeros(2, *shape))
    except (RuntimeError, ValueError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"'{asked}' does not take images of shape {shape} ({reason}); let it fit them to its size.") from None
    if not isinstance(features, Tensor) or features.ndim != 2 or len(features) != 2:
        shown = tuple(features.shape) if isinstance(features, Tensor) else type(features).__name__
        raise BadInput(f"'{asked}' gives {shown} for 2 images, but features are a tensor [2, d]; flatten them.")
    digest = sha256(b"".join(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy() for value in net.state_dict().values()))
    return FeatureNet(f"{asked}, SHA-256 {digest.hexdigest()[:12]}", lambda x: (net(x), None))
