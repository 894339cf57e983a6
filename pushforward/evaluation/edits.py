"""What of a system that edits is measured with other networks: the run that judges its answers, and answers as a set in a feature space."""

from typing import Any

from torch import Tensor

from pushforward import metrics
from pushforward.core import BadInput, Edits, Parses
from pushforward.data import Dataset
from pushforward.evaluation.completions import images_of, of_completions
from pushforward.evaluation.feature_nets import FeatureNet, feature_net
from pushforward.evaluation.translations import answered, of_translations, pictures_of
from pushforward.metrics.fills import Progress
from pushforward.runs import Run

LEAST = 20
"""Answers from which on they are compared as a set."""


def of_edits(
    run: Run, system: Edits, dataset: Dataset, train: Dataset, judge: str, features: str, progress: Progress | None = None
) -> dict[str, Any]:
    """All metrics of translations or completions. judge: the run of a parser, or nothing; features and progress: as of `evaluate`."""
    found: dict[str, Any] = {}
    if dataset.translate:
        found |= of_translations(system, dataset, train, judge_of(judge, dataset.shape, dataset.part_names) if judge else None)
    if dataset.hides:
        found |= of_completions(system, dataset, train, judge_of(judge, dataset.shape) if judge else None, progress)
    net = feature_net(features, run.recipe.data.path, train.shape, train.fingerprint)
    if net is not None and min(len(dataset), len(train)) >= LEAST:
        found |= as_a_set(answered(system, dataset, 0 if system.varied else None), dataset, train, net)
    return found


def judge_of(folder: str, shape: tuple[int, ...], parts: tuple[str, ...] = ()) -> Parses:
    """The parser of a run; shape: of the answers it is to read; parts: those it should name, where they are known.

    Raises:
        BadInput: a run of something else, one of other images, or one of other parts.
    """
    run = Run(folder)
    system = run.open()
    if not isinstance(system, Parses):
        raise BadInput(f"'{folder}' is a {type(system).__name__}, which names no parts; give the run of a parsing system as judge.")
    if tuple(system.config.shape) != tuple(shape):
        known, asked = ("x".join(map(str, each)) for each in (system.config.shape, shape))
        raise BadInput(f"The judge '{folder}' reads images of {known}, but these answers are {asked}; train one with the same --size.")
    if parts and run.recipe.parts != parts:
        raise BadInput(
            f"The judge '{folder}' names {len(run.recipe.parts)} other parts than the {len(parts)} of these sources; train one on them."
        )
    return system


def as_a_set(answer: Tensor, dataset: Dataset, train: Dataset, net: FeatureNet) -> dict[str, Any]:
    """Fréchet and kernel distance of answers to true images, beside what as many training images have."""
    truth = pictures_of(dataset)
    count = min(len(truth), len(train))
    real, made, known = (net.read(x[:count].cpu())[0] for x in (truth, answer, images_of(train, count)))
    found: dict[str, Any] = {"feature net": net.name}
    for name, measure in (("Frechet distance", metrics.frechet_distance), ("kernel distance", metrics.kernel_distance)):
        found |= {name: measure(real, made), f"{name}, real against real": measure(real, known)}
    return found
