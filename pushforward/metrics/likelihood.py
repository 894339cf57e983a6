"""log p(x) of held-out examples by importance sampling (Burda, Grosse & Salakhutdinov 2016).

    log p(x) >= E log 1/K sum_k w_k,   w_k = p(x, z_k) / q(z_k | x),   z_k ~ q(z | x)

The bound rises with K and reaches log p(x). Of a classification VAE the sum over classes is exact: p(x) = sum_y p(y) p(x|y), p(y) = 1/K',
and the same numbers classify: p(y|x) = p(x|y) p(y) / p(x). Networks run in float32, sums in float64.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import log
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from pushforward.core import UNLABELLED, BadInput, Batch, Classifies, System, Weighs
from pushforward.data import Dataset
from pushforward.training.machines import generators_left_alone, seed_of, sow

TOGETHER = 500
"""Codes that are decoded at a time: their maps stay in a processor's cache (4,000 take twice as long)."""
BLOCK = 100
"""Examples whose results come together, so that an evaluation that was stopped can go on."""


@dataclass(frozen=True)
class Weights:
    """What importance sampling found of n examples, float64 on the CPU; one column for each class that x may be of, else one.

    bound: minus the mean of log w, in nats; rate and distortion are its parts.
    """

    log_p: Float[Tensor, "n classes"]
    """log 1/K sum_k w_k."""
    distortion: Float[Tensor, "n classes"]
    rate: Float[Tensor, "n classes"]

    def joined(self, other: "Weights") -> "Weights":
        """The examples of both, in order."""
        return Weights(*(torch.cat([getattr(self, key), getattr(other, key)]) for key in ("log_p", "distortion", "rate")))

    def __len__(self) -> int:
        return len(self.log_p)


def sums_over_classes(system: System) -> bool:
    """Whether p(x) is a sum over classes that q(y|x) guesses; other systems answer for p(x), or for p(x | what they are told)."""
    return isinstance(system, Classifies) and isinstance(system, Weighs)


@torch.no_grad()
def weights(system: System, dataset: Dataset, draws: int, done: int = 0) -> Iterator[Weights]:
    """`Weights` of the examples of `dataset` from `done` on, in order and in blocks of `BLOCK`, with K = `draws` codes of each.

    The random codes of a block depend on its place and on K alone, so that an evaluation in parts gives the same numbers.

    Raises:
        BadInput: a system without a likelihood, draws < 1, or examples without the label that the system is told.
    """
    if not isinstance(system, Weighs):
        raise BadInput(f"{type(system).__name__} gives no likelihood. Use vae, ladder_vae, conditional_vae or classification_vae.")
    if draws < 1:
        raise BadInput(f"draws is {draws}, but at least 1 code of each example is needed.")
    device = next(system.parameters()).device
    classes = system.config.classes if sums_over_classes(system) else 0
    for start in range(done, len(dataset), BLOCK):
        batch = dataset.batch(torch.arange(start, min(start + BLOCK, len(dataset))))
        batch = {key: value.to(device) for key, value in batch.items()}  # type: ignore[attr-defined, assignment]
        if "label" in system.needs and not classes and bool((batch["label"] == UNLABELLED).any()):
            raise BadInput(f"{type(system).__name__} is told the label of each example, but some of '{dataset.name}' are not known.")
        with generators_left_alone():
            sow(device, seed_of("weights", start, draws))
            columns = [column(system, told(batch, y), draws) for y in range(classes)] if classes else [column(system, batch, draws)]
        yield Weights(*(torch.stack(each, 1) for each in zip(*columns, strict=True)))


def told(batch: Batch, y: int) -> Batch:
    """The same examples, all said to be of class y."""
    return {**batch, "label": torch.full_like(batch["index"], y)}


def column(system: Weighs, batch: Batch, draws: int) -> tuple[Tensor, Tensor, Tensor]:
    """log 1/K sum_k w_k, distortion and rate [n] of one batch, each a mean over K = `draws` codes."""
    n = len(batch["index"])
    parts = []
    for chunk in torch.arange(draws).split(max(1, TOGETHER // n)):
        log_p, excess = system.log_weights(batch, len(chunk))
        log_p, excess = log_p.double().cpu(), excess.double().cpu()
        parts.append(torch.stack([torch.logsumexp(log_p - excess, 0), -log_p.sum(0), excess.sum(0)]))
    found = torch.stack(parts, 1)  # [3, chunks, n]
    return torch.logsumexp(found[0], 0) - log(draws), found[1].sum(0) / draws, found[2].sum(0) / draws


def summary(found: Weights, q: Float[Tensor, "n classes"] | None = None, label: Tensor | None = None) -> dict[str, Any]:
    """Means over examples, in nats per example: `nll` (of two or more, its standard error too), `bound`, `distortion`, `rate`.

    q: q(y|x) where there are classes. The bound is then sum_y q(y|x) L(x,y) - H[q(y|x)], and `rate` holds KL(q(y|x) || p(y)) too.
    label: [n] true classes, for the accuracy of the generative classifier p(y|x); UNLABELLED where not known.
    """
    if q is None:
        nll, distortion, rate = -found.log_p[:, 0], found.distortion[:, 0], found.rate[:, 0]
    else:
        q, classes = q.double(), q.shape[1]
        nll = log(classes) - torch.logsumexp(found.log_p, 1)
        distortion = (q * found.distortion).sum(1)
        rate = (q * found.rate).sum(1) + torch.special.xlogy(q, q).sum(1) + log(classes)
    told = {"nll": nll.mean()} | ({"standard error": nll.std() / len(found) ** 0.5} if len(found) > 1 else {})
    told |= {"bound": (distortion + rate).mean(), "distortion": distortion.mean(), "rate": rate.mean()}
    if label is not None and q is not None and bool((known := label != UNLABELLED).any()):
        told["accuracy of p(y|x)"] = (found.log_p.argmax(1)[known] == label[known]).double().mean()
    return {name: float(value) for name, value in told.items()}
