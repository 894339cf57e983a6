"""What a game looks like from outside, now and then while it is played: what the discriminator says of examples it learned from, of
held-out ones and of generated ones, how steep it is, and how much generated examples differ from each other and from real ones."""

import torch
from torch import Tensor

from pushforward.core import Batch, Judges, System
from pushforward.data import Dataset
from pushforward.maths import energy_distance
from pushforward.maths.game_values import squared_slope
from pushforward.training.machines import generators_left_alone, moved

COUNT = 128
"""Examples of each kind."""
KINDS, KNOWN = 20, 1_000
"""Up to so many classes are looked for among generated examples, each of which has that of the nearest of so many real ones."""
BEYOND = 1.5
"""Pixels lie in [-1, 1]; further out than this, one is out of range."""


def probed(system: System, train: Dataset, held_out: Dataset | None) -> dict[str, float]:
    """Terms "judge/..." of a system that judges; none of another.

    real, held_out, made    mean probability that D gives: less what it gives all alike, where its logits float
    slope_real, slope_made  E |dD/dx|^2
    spread                  mean distance between generated examples, as a share of that between real ones
    distance                energy distance of real and generated examples as a share of its largest value, 0 to 1
    rarest_kind             generated examples of the rarest class, as a share of the real ones; classes by the nearest real example
    outside                 share of generated pixels out of range
    """
    if not isinstance(system, Judges):
        return {}
    system.eval()
    with generators_left_alone():
        real = few(train, system)
        made = system.propose(real, seed=0)
        found = judged(system, real, made, None if held_out is None else few(held_out, system), system.needs)
        found |= compared(real, made)
        if "label" not in system.needs and 2 <= len(train.classes) <= KINDS:
            known = few(train, system, KNOWN)
            if bool((known["label"] >= 0).any()):
                found |= {"rarest_kind": rarest(system.propose(few(train, system, 2 * COUNT), seed=1), known, len(train.classes))}
    return {f"judge/{name}": value for name, value in found.items()}


def few(dataset: Dataset, system: System, count: int = COUNT) -> Batch:
    """Examples spread evenly over a data set, where the weights lie."""
    index = torch.linspace(0, len(dataset) - 1, min(count, len(dataset))).long()
    return moved(dataset.batch(index), next(system.parameters()).device)


def content(batch: Batch) -> Tensor:
    """Images or rows."""
    return batch["image"] if "image" in batch else batch["row"]


def judged(system: Judges, real: Batch, made: Batch, held_out: Batch | None, needs: frozenset[str]) -> dict[str, float]:
    """What D says, and how steep it is; needs: what it reads of a batch."""
    key = "image" if "image" in real else "row"
    logits, slopes = {}, {}
    for name, batch in (("real", real), ("made", made), ("held_out", held_out)):
        if batch is None:
            continue
        with torch.enable_grad():
            x = batch[key].clone().requires_grad_()  # type: ignore[literal-required]
            says = system.judge(batch | {key: x})  # type: ignore[arg-type, operator]
            slopes[name] = squared_slope(says, x)
        logits[name] = says.detach().double()
    told, by_class = {}, "label" in needs
    for name, batch in (("real", real), ("made", made), ("held_out", held_out)):
        if batch is not None:
            middle = middles(logits, real, batch, by_class) if system.floating else 0.0
            told[name] = float((logits[name] - middle).sigmoid().mean())
    return told | {f"slope_{name}": float(slopes[name].detach()) for name in ("real", "made")}


def middles(logits: dict[str, Tensor], real: Batch, batch: Batch, by_class: bool) -> Tensor:
    """What D gives real and generated examples alike, for each example of a batch: of its own class, where D is told one."""
    alike = (logits["real"] + logits["made"]) / 2  # generated examples are asked to be of the classes of real ones
    if not by_class:
        return alike.mean()
    same = batch["label"][:, None] == real["label"]
    of_class = (same * alike).sum(1) / same.sum(1).clamp(min=1)
    return torch.where(same.any(1), of_class, alike.mean())


def compared(real: Batch, made: Batch) -> dict[str, float]:
    """How generated examples lie among themselves and among real ones."""
    x, y = (content(batch).flatten(1).double() for batch in (real, made))
    apart = torch.cdist(x, y).mean()
    found = {
        "spread": float(torch.pdist(y).mean() / torch.pdist(x).mean().clamp(min=1e-9)),
        "distance": float(energy_distance(x, y) / (2 * apart).clamp(min=1e-9)),
    }
    if "image" in made:
        found["outside"] = float((made["image"].abs() > BEYOND).double().mean())
    return found


def rarest(made: Batch, known: Batch, classes: int) -> float:
    """How often the rarest class is made, as a share of how often it is real; examples whose label is hidden are left out."""
    told = known["label"] >= 0
    x, y, label = content(known)[told].flatten(1).double(), content(made).flatten(1).double(), known["label"][told]
    kinds = label[torch.cdist(y, x).argmin(1)].bincount(minlength=classes) / len(y)
    real = label.bincount(minlength=classes) / len(x)
    return float((kinds / real)[real > 0].min())
