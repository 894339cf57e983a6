"""How good samples are: distances to held-out examples in the space of a feature net, each beside its real-against-real floor."""

from collections.abc import Callable
from statistics import mean, stdev
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pushforward import metrics
from pushforward.core import UNLABELLED, BadInput, Samples
from pushforward.data import Dataset
from pushforward.evaluation.feature_nets import FeatureNet

SETS = 5
"""Independent sets of samples, from whose numbers the spread is taken."""
TOGETHER = 250
"""Examples that are made at a time."""
EACH = 20
"""Examples of every class, at the least, from which on classes are compared one by one."""
WINDOWED, CHOOSING = 3 * 1024, 10
"""Values of an example up to which a Parzen window is tried; every so-many-th held-out example chooses its width."""
LEAST = 20
"""Examples of each kind that the metrics need."""
FLOORED = {"near-duplicates", "Parzen log-likelihood, historical"}
"""What is counted of the first set, that is counted of training examples in its place too."""
NEAR = 2_000
"""Samples of a set, and held-out examples, whose distances to *all* training examples are found."""


def of_samples(system: Samples, train: Dataset, test: Dataset, net: FeatureNet, count: int) -> dict[str, Any]:
    """Means over `SETS` sets of samples, their spread, and the floor: as many training examples in place of samples.

    count: examples of each set; no more than either part of the data has.

    Raises:
        BadInput: fewer examples than the metrics need.
    """
    n, what = min((count, "samples are asked for"), (len(train), "training examples are there"), (len(test), "held-out examples are there"))
    if n < LEAST:
        raise BadInput(f"Samples are compared with as many held-out and training examples, at least {LEAST}, but {n} {what}; give more.")
    x_test, y_test = every(test, n)
    real, test_logits = net.read(x_test)
    whole, whole_logits = read_all(net, train)
    index = places(train, n)
    known, y_train = whole[index], None if train.label is None else train.label[index]
    around, fresh = metrics.radii(real, metrics.NEAREST), metrics.to_nearest(some(real), whole)
    floor = compared(real, known, None if whole_logits is None else whole_logits[index], around)
    floor |= by_class(real, y_test, known, y_train)
    floor |= read_right(test_logits, y_test)
    if test.attributes is not None and net.attributes == test.attribute_names:
        floor |= obeyed(net, x_test, test.attributes[places(test, n)].cpu())
    sets, once = [], {}
    for seed in range(SETS):
        asked = conditions(system, test, n)
        x = made(system, asked, n, seed)
        features, logits = net.read(x)
        found = compared(real, features, logits, around)
        found["nearness to training"] = metrics.nearer(metrics.to_nearest(some(features), whole), fresh)
        if asked is not None and system.labels:
            found |= by_class(real, y_test, features, asked)
            found |= read_right(logits if logits is not None and logits.shape[1] == system.labels else None, asked)
        elif asked is not None and net.attributes == test.attribute_names:
            found |= obeyed(net, x, asked)
        if not seed:
            once = counted_once(x, x_test, features, real)
            as_many = counted_once(batch_of(train, index)[0], x_test, known, real)
            once |= {f"{name}, real against real": value for name, value in as_many.items() if name in FLOORED}
        sets.append(found)
    told: dict[str, Any] = {"samples": n, "sets of samples": SETS, "feature net": net.name}
    if n <= real.shape[1]:
        told["caution"] = (
            f"Frechet distances need more than {real.shape[1]} examples, as many as the net has features; here they tell little"
        )
    for name in sets[0]:
        values = [found[name] for found in sets]
        told |= {name: mean(values), f"{name}, spread": stdev(values)}
        if name in floor:
            told[f"{name}, real against real"] = floor[name]
    return told | once


def read_all(net: FeatureNet, dataset: Dataset) -> tuple[Tensor, Tensor | None]:
    """Features and readings of all examples, a thousand at a time: there may be many more than fit into memory."""
    read = [net.read(batch.get("image", batch.get("row"))) for batch in map(dataset.batch, torch.arange(len(dataset)).split(1_000))]  # type: ignore[arg-type]
    readings = [logits for _, logits in read if logits is not None]
    return torch.cat([features for features, _ in read]), torch.cat(readings) if readings else None


def some(features: Tensor) -> Tensor:
    """`NEAR` rows at the most, spread evenly over all."""
    return features[torch.linspace(0, len(features) - 1, min(NEAR, len(features))).long()]


def read_right(logits: Tensor | None, y: Tensor | None) -> dict[str, float]:
    """The share of examples whose class is read; of held-out ones that is how far the reader can be trusted."""
    if logits is None or y is None or bool((y == UNLABELLED).any()):
        return {}
    return {"read as asked": float((logits.argmax(1).cpu() == y.cpu()).double().mean())}


def obeyed(net: FeatureNet, x: Tensor, asked: Float[Tensor, "n a"]) -> dict[str, float]:
    """How far attributes read in examples are from those asked for, and from those that the example before was asked for: what chance
    leaves where none is heeded."""
    read = net.described(x).cpu()
    return {
        "attributes, apart from those asked": float((read - asked).abs().mean()),
        "attributes, apart from others": float((read - asked.roll(1, 0)).abs().mean()),
    }


def compared(real: Tensor, made: Tensor, logits: Tensor | None, around: Tensor) -> dict[str, float]:
    """Metrics of one set of made examples beside real ones, whose radii are known."""
    found = {"Frechet distance": metrics.frechet_distance(real, made), "kernel distance": metrics.kernel_distance(real, made)}
    found |= metrics.neighbourhoods(real, made, around_real=around)
    if logits is not None:
        kinds, counts = logits.argmax(1), torch.ones(logits.shape[1])
        covered, nats = metrics.mode_coverage(kinds.cpu(), counts)
        found |= {"classes made": covered, "KL of classes to even": nats, "classifier score": metrics.classifier_score(logits)}
    return found


def by_class(real: Tensor, y_real: Tensor | None, made: Tensor, y_made: Tensor | None) -> dict[str, float]:
    """Coverage and Frechet distance of each class: their mean and the worst. Nothing where a class has too few examples, and no Frechet
    distances where one has no more than there are features."""
    if y_real is None or y_made is None:
        return {}
    kinds = y_real[y_real != UNLABELLED].unique()
    least = min((int((y == kind).sum()) for y in (y_real, y_made) for kind in kinds), default=0)
    if least < EACH:
        return {}
    pairs = [(real[y_real == kind], made[y_made == kind]) for kind in kinds]
    covered = [metrics.neighbourhoods(a, b)["coverage"] for a, b in pairs]
    found = {"coverage of a class, mean": mean(covered), "coverage of a class, worst": min(covered)}
    if least > real.shape[1]:
        far = [metrics.frechet_distance(a, b) for a, b in pairs]
        found |= {"Frechet distance of a class, mean": mean(far), "Frechet distance of a class, worst": max(far)}
    return found


def counted_once(x: Tensor, x_test: Tensor, features: Tensor, real: Tensor) -> dict[str, float]:
    """What is counted of one set only: near-duplicates, and the historical Parzen window on pixels in [0, 1]."""
    pairs, kinds = metrics.birthday(features, real)
    found = {"near-duplicates": pairs} | ({"different examples, by birthdays": kinds} if pairs else {})
    if x.ndim == 4 and x[0].numel() <= WINDOWED:
        a, b = ((part.flatten(1) + 1) / 2 for part in (x, x_test))
        chooses = torch.arange(len(b)) % CHOOSING == 0
        window = metrics.parzen(a, b[~chooses], b[chooses])
        found |= {"Parzen log-likelihood, historical": window.mean, "its standard error": window.error, "its width": window.sigma}
    return found


def conditions(system: Samples, test: Dataset, count: int) -> Tensor | None:
    """What `count` samples are asked to be: what held-out examples are, or the classes in turn; None of a system that is told nothing."""
    index = places(test, count)
    if system.labels:
        known = test.label is not None and bool((test.label != UNLABELLED).all()) and len(test.classes) == system.labels
        return test.label[index].cpu() if known and test.label is not None else torch.arange(count) % system.labels
    told = getattr(getattr(system, "config", None), "told", "") == "attributes"
    return test.attributes[index].cpu() if told and test.attributes is not None else None


def made(system: Samples, asked: Int[Tensor, " n"] | Tensor | None, count: int, seed: int) -> Tensor:
    """`count` samples, a few at a time."""
    sample: Callable[..., Tensor] = system.sample
    parts = torch.arange(count).split(TOGETHER)
    return torch.cat([sample(len(p), None if asked is None else asked[p], seed=seed * count + int(p[0])).cpu() for p in parts])


def places(dataset: Dataset, count: int) -> Int[Tensor, " n"]:
    """`count` places, spread evenly over a data set that may be sorted by class."""
    return torch.linspace(0, len(dataset) - 1, count).long()


def every(dataset: Dataset, count: int) -> tuple[Tensor, Tensor | None]:
    """`count` examples and their labels."""
    return batch_of(dataset, places(dataset, count))


def batch_of(dataset: Dataset, index: Int[Tensor, " n"]) -> tuple[Tensor, Tensor | None]:
    """The examples at these places, and their labels."""
    batch = dataset.batch(index)
    return batch["image"] if "image" in batch else batch["row"], batch.get("label")
