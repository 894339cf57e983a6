"""How good samples are: distances to held-out examples in the space of a feature net, each beside its real-against-real floor."""

from dataclasses import dataclass
from hashlib import sha256
from statistics import mean, stdev
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import interpolate

from pushforward import metrics
from pushforward.core import BadInput, Samples
from pushforward.data import Dataset
from pushforward.runs import Run
from pushforward.systems.classifier import Classifier

SETS = 5
"""Independent sets of samples, from whose numbers the spread is taken."""
TOGETHER = 250
"""Examples that are made, or read, at a time."""
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


def of_samples(system: Samples, train: Dataset, test: Dataset, net: FeatureNet, count: int) -> dict[str, Any]:
    """Means over `SETS` sets of samples, their spread, and the floor: as many training examples in place of samples.

    count: examples of each set; no more than either part of the data has.

    Raises:
        BadInput: fewer examples than the metrics need.
    """
    n = min(count, len(train), len(test))
    if n < 20:
        raise BadInput(f"Samples are compared with held-out examples, of which there are {n}; at least 20 are needed.")
    real, _ = net.read(every(test, n))
    known, real_logits = net.read(every(train, n))
    floor = compared(real, known, known, real_logits)
    sets = []
    for seed in range(SETS):
        asked = torch.arange(n) % system.labels if system.labels else None
        features, logits = net.read(made(system, asked, n, seed))
        found = compared(real, features, known, logits)
        if asked is not None and logits is not None and logits.shape[1] == system.labels:
            found["read as asked"] = float((logits.argmax(1).cpu() == asked).double().mean())
        sets.append(found)
    told: dict[str, Any] = {"samples": n, "sets of samples": SETS, "feature net": net.name}
    for name in sets[0]:
        values = [found[name] for found in sets]
        told |= {name: mean(values), f"{name}, spread": stdev(values)}
        if name in floor and name != "nearness to training":
            told[f"{name}, real against real"] = floor[name]
    return told


def compared(real: Tensor, made: Tensor, known: Tensor, logits: Tensor | None) -> dict[str, float]:
    """All metrics of one set of made examples; known: training examples, which may have been copied."""
    found = {"Frechet distance": metrics.frechet_distance(real, made), "kernel distance": metrics.kernel_distance(real, made)}
    found |= metrics.neighbourhoods(real, made)
    if made is not known:
        found["nearness to training"] = metrics.nearness(made, known, real)
    if logits is not None:
        kinds, counts = logits.argmax(1), torch.ones(logits.shape[1])
        covered, nats = metrics.mode_coverage(kinds.cpu(), counts)
        found |= {"classes made": covered, "KL of classes to even": nats, "classifier score": metrics.classifier_score(logits)}
    return found


def made(system: Samples, asked: Int[Tensor, " n"] | None, count: int, seed: int) -> Tensor:
    """`count` samples, a few at a time."""
    parts = torch.arange(count).split(TOGETHER)
    return torch.cat([system.sample(len(p), None if asked is None else asked[p], seed=seed * count + int(p[0])).cpu() for p in parts])


def every(dataset: Dataset, count: int) -> Tensor:
    """`count` examples, spread evenly over a data set that may be sorted by class."""
    index = torch.linspace(0, len(dataset) - 1, count).long()
    batch = dataset.batch(index)
    return batch["image"] if "image" in batch else batch["row"]
