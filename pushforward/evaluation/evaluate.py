"""All that can be said of a trained system on examples that it has not seen."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from PIL import Image
from torch import Tensor

from pushforward import figures, metrics
from pushforward.core import UNLABELLED, BadInput, Classifies, Describes, Edits, Encodes, Parses, Samples, System, Weighs
from pushforward.data import Dataset, open_data
from pushforward.data.spec import hidden_by
from pushforward.evaluation.edits import of_edits
from pushforward.evaluation.feature_nets import cached, feature_net
from pushforward.evaluation.kept import weighed
from pushforward.evaluation.parsing import of_parts
from pushforward.evaluation.samples import LEAST, of_samples
from pushforward.metrics.fills import Progress
from pushforward.metrics.likelihood import BLOCK
from pushforward.runs import Run, durable
from pushforward.training.machines import usual_device


@dataclass(frozen=True)
class Asked:
    """What to evaluate on."""

    split: Literal["test", "train"] = "test"
    draws: int = 100
    """K: codes drawn of each example (for each class, where classes are summed over)."""
    count: int = 0
    """The first so many examples; 0: all."""
    samples: int = 2_000
    """Samples in each of the sets that are compared with held-out examples; 0: none."""
    features: str = ""
    """The run of a classifier or a describer in whose features they are compared; else the one that comes with the package."""
    judge: str = ""
    """The run of a parser that names the parts in answers of a system that edits."""
    mask: str = ""
    """What is hidden, of a system that paints holes; else what was hidden in training."""


def evaluate(run: Run, asked: Asked, folder: Path, memory: Any = None, progress: Progress | None = None) -> dict[str, Any]:
    """Evaluate a run; write `evaluation.json` and pictures into `folder`, and give the numbers back.

    Likelihoods are in nats per example. memory: the data, where they came from there. progress: told of what takes long, log p(x) of
    examples, and holes that a Gaussian fills, how many of how many are done.

    Raises:
        BadInput: nothing was held out, too few examples, a judge of a system that edits nothing, or a mask of one that paints no holes.
    """
    system, dataset = run.open().to(usual_device()), examples(run, asked, memory)
    if asked.judge and not isinstance(system, Edits):
        raise BadInput(f"{run} edits no images, so that there is nothing to judge. Leave --judge out.")
    found: dict[str, Any] = {
        "run": str(run),
        "images seen": system.stage.seen,
        "data": dataset.name,
        "split": asked.split,
        "fingerprint": dataset.fingerprint[:16],
        "binarisation": dataset.binarise,
        "n": len(dataset),
    } | ({"mask": asked.mask or run.recipe.data.mask} if dataset.hides else {})
    pictures: dict[str, Image.Image] = {}
    q = None
    if isinstance(system, Classifies) and dataset.image is not None:
        q = metrics.probabilities(system, dataset, BLOCK)  # of the very pixels that the likelihood is of
        found |= classes(run, q, dataset.label, pictures)
    if isinstance(system, Weighs):
        of_what = f"{run.weights()} on {usual_device().type}, {dataset.fingerprint}"
        found |= likelihood(system, dataset, asked.draws, q, folder, of_what, progress)
    found |= codes(system, dataset, q, pictures)
    if isinstance(system, Describes) and dataset.attributes is not None:
        found |= described(system, dataset, run.data(memory)[0])
    if isinstance(system, Parses) and dataset.parts is not None:
        found |= of_parts(system, dataset)
    if isinstance(system, Edits) and (dataset.translate or dataset.hides):
        found |= of_edits(run, system, dataset, run.data(memory)[0], asked.judge, asked.features, progress)
    if isinstance(system, Samples) and "source" not in system.needs and asked.samples:
        found |= invented(run, system, asked, memory)
    for name, picture in pictures.items():
        figures.save(picture, folder / "pictures" / f"{name}.png")
    folder.mkdir(parents=True, exist_ok=True)
    durable.write(folder / "evaluation.json", json.dumps(found, indent=1).encode() + b"\n")
    return found | {"pictures": [folder / "pictures" / f"{name}.png" for name in pictures]}


def invented(run: Run, system: Samples, asked: Asked, memory: Any) -> dict[str, Any]:
    """How good samples are, where enough was held out to compare with and there is a feature net for the data."""
    spec = replace(run.recipe.data, binarise="no", observe=0, neighbours=0)  # samples are grey: compare them with what was binarised
    train, test = open_data(spec, memory)
    net = feature_net(asked.features, spec.path, train.shape, train.fingerprint)
    if test is None:
        return {"samples": "not compared: nothing was held out"}
    fewest, what = min((len(test), "held-out"), (len(train), "training"))
    if fewest < LEAST:
        how = "train with another --held-out, or more data"
        return {"samples": f"not compared: only {fewest} {what} examples, {LEAST} are needed; {how}"}
    if net is None:
        told = f" --labels {spec.labels_file}" if spec.labels_file else ""
        reader = "reader" if train.classes and not spec.classes else "describer" if train.attribute_names else ""
        told += f" --attributes-file {spec.attributes_file}" if spec.attributes_file else ""
        made = f"pushforward train {reader} --data {spec.path}{told} --size {spec.size} --run {cached(train.fingerprint)}"
        how = f"`{made}` makes one" if reader else "--features RUN or --features module:name names one"
        return {"samples": f"not compared: there is no feature net for these data; {how}"}
    return of_samples(system, train, test, net, asked.samples)


def examples(run: Run, asked: Asked, memory: Any) -> Dataset:
    """The examples that a run is evaluated on.

    Raises:
        BadInput: there are none, or they have no hole that a mask could be in place of.
    """
    train, test = run.data(memory)
    if asked.split == "test" and test is None:
        raise BadInput(f"Of the data of {run} nothing was held out. Evaluate on --split train, or train with --held-out 0.1.")
    dataset = train if asked.split == "train" else test
    assert dataset is not None
    if not 0 <= asked.count <= len(dataset):
        raise BadInput(f"--count is {asked.count}, but the {asked.split} part has {len(dataset)} examples; 0 takes all.")
    dataset = dataset.part(torch.arange(asked.count), dataset.name) if asked.count else dataset
    if asked.mask and not dataset.hides:
        raise BadInput(f"{run} was trained without --mask, and paints no holes. Leave --mask out.")
    if not asked.mask:
        return dataset
    hidden = hidden_by(dataset, asked.mask)
    run.notices.extend(hidden.notes[len(dataset.notes) :])
    return hidden


def classes(run: Run, q: Tensor, label: Tensor | None, pictures: dict[str, Image.Image]) -> dict[str, Any]:
    """Accuracy, confusion matrix and calibration of q(y|x) on the examples whose class is known."""
    known = torch.zeros(len(q), dtype=torch.bool) if label is None else label.cpu() != UNLABELLED
    if label is None or not bool(known.any()):
        return {}
    p, y, K = q[known], label.cpu()[known], q.shape[1]
    matrix = torch.bincount(y * K + p.argmax(1), minlength=K * K).reshape(K, K)
    names = run.recipe.classes if len(run.recipe.classes) == K else tuple(map(str, range(K)))
    sure = metrics.reliability(p, y)
    pictures["confusion"], pictures["reliability"] = figures.confusion(matrix, names), figures.reliability(sure)
    return {
        "accuracy of q(y|x)": float((p.argmax(1) == y).double().mean()),
        "labelled examples": int(known.sum()),
        "expected calibration error": sure.error,
        "confusion (rows: truth)": matrix.tolist(),
    }


def described(system: Describes, dataset: Dataset, train: Dataset) -> dict[str, Any]:
    """How far read attributes are off, and how far their means over the training images are."""
    assert dataset.attributes is not None and train.attributes is not None and isinstance(system, System)
    told, usual = dataset.attributes.cpu(), train.attributes.cpu().mean(0)
    read = torch.cat([system.describe(batch["image"]).cpu() for batch in metrics.batches(system, dataset, 250)])
    apart, plain = (read - told).abs().mean(0), (usual - told).abs().mean(0)
    return {
        "attributes, mean absolute error": float(apart.mean()),
        "attributes, mean absolute error of their means": float(plain.mean()),
    } | {f"error of {name}": float(error) for name, error in zip(dataset.attribute_names, apart, strict=True)}


def likelihood(
    system: System, dataset: Dataset, draws: int, q: Tensor | None, folder: Path, of_what: str, progress: Progress | None
) -> dict[str, Any]:
    """Bound and importance-weighted NLL, of a system that has a likelihood."""
    summed = metrics.sums_over_classes(system)
    found = weighed(system, dataset, draws, folder / "evaluation" / f"weights-{draws}.safetensors", of_what, progress)
    label = dataset.label.cpu() if dataset.label is not None else None
    told: dict[str, Any] = {"draws": draws, "p(x|y,z) of": getattr(system.config, "likelihood", "")}
    told["conditional on"] = "" if summed else ", ".join(sorted(system.needs - {"image", "row", "index"}))
    return told | metrics.summary(found, q if summed else None, label)


def codes(system: System, dataset: Dataset, q: Tensor | None, pictures: dict[str, Image.Image]) -> dict[str, Any]:
    """Active units, and the aggregate posterior beside the prior. Where labels are guessed, the likeliest class stands in for them."""
    if q is not None:
        dataset = dataset.labelled(q.argmax(1))
    if (found := metrics.codes_of(system, dataset)) is None:
        return active_only(system, dataset)
    pictures["aggregate-posterior"] = figures.marginals(found.z, metrics.active(found))
    told = {f"{name} of codes": value for name, value in metrics.surgery(found).items()}
    return {"active units": int(metrics.active(found).sum()), "units": found.mean.shape[1], **told}


def active_only(system: System, dataset: Dataset) -> dict[str, Any]:
    """Active units of a system whose posterior is no single Gaussian."""
    if not isinstance(system, Encodes) or isinstance(system, Edits) or "label" in system.needs:
        return {}
    mean = torch.cat([system.encode(b["image" if "image" in b else "row"]).cpu() for b in metrics.batches(system, dataset, 250)])
    return {"active units": int((mean.double().var(0) > metrics.ACTIVE).sum()), "units": mean.shape[1]}
