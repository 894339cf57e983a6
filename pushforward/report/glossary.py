"""The terms of training in plain words, with their units: how curves are grouped and explained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log


@dataclass(frozen=True)
class Term:
    """A quantity that training writes down."""

    unit: str
    """What its axis says. Terms of one unit share a chart."""
    words: str
    """What it is and which way is good."""


LOOK = {
    "nats per example": "Should fall and level out. Where it still falls at the end, more images help.",
    "rate (nats per example)": "Should leave 0 and settle: at 0 the codes say nothing.",
    "share": "Between 0 and 1, the higher the better.",
    "weight of the rate": "Set by the schedule.",
    "loss on labels": "Falls fast where labels are few, and then teaches no more.",
    "times its fair share": "Should stay near 1; on the way to 0 a class is being lost.",
    "nats of the label": "Should grow and stay well above 0.",
    "disagreement (nats)": "Should fall once labels are trusted.",
    "information (nats)": "Should rise towards log K.",
    "probability of being real": "At convergence the discriminator says 1/2 of all three. Held-out below real: it knows examples by heart.",
    "value (nats)": "-log 4 = -1.386 where the discriminator cannot tell, 0 where it is never wrong.",
    "squared slope": "Should settle. Growing without end at generated examples: raise r2.",
    "share of what real examples have": "Should come near 1; far below it is collapse.",
    "share of the largest": "Should fall towards 0.",
    "difference": "Should fall and level out.",
}
"""What to look for in a chart of each unit."""

LEVELS = {"probability of being real": 0.5, "value (nats)": -log(4), "share of what real examples have": 1.0}
"""What a chart's curves are compared with."""

NATS, RATE, SHARE, *_ = LOOK

TERMS = {
    "loss": Term(NATS, "What the weights are moved to make small: all that follows, each with its weight."),
    "bound": Term(NATS, "Distortion plus rate: what describing an example with this model costs, at least -log p(x). Lower is better."),
    "distortion": Term(NATS, "How badly an example is explained once its code is known: -log p(x|z). Lower is a closer reconstruction."),
    "rate": Term(RATE, "How much a code says about its example: the divergence of q(z|x) from p(z). Near 0 the codes say nothing."),
    "active_codes": Term(SHARE, "Share of the code's dimensions that carry more than 0.01 nats. The others are noise to the decoder."),
    "beta": Term(
        "weight of the rate", "How much the rate counts. It rises at the start, so that codes come into use; at 1 the loss is the bound."
    ),
    "label_loss": Term("loss on labels", "How badly the known labels are predicted, with the weight that this has in the loss."),
    "apart": Term("difference", "Mean difference of read attributes from those that were told, both from 0 to 1. Lower is better."),
    "accuracy": Term(
        SHARE, "Share of the labelled training images that are classified rightly; says little about new ones if labels are few."
    ),
    "confidence": Term(SHARE, "Mean probability that the classifier gives its own answer on unlabelled images."),
    "mask_rate": Term(SHARE, "Share of the unlabelled images whose predicted class is sure enough to learn from."),
    "rarest_class": Term(
        "times its fair share", "How often the least predicted class is predicted. Near 0 a class is being forgotten; 1 is fair."
    ),
    "label_use": Term(
        "nats of the label", "How much worse images are explained when the decoder is told a wrong class. 0: it ignores the class."
    ),
    "consistency": Term("disagreement (nats)", "How much the answers on two views of one unlabelled image disagree. Lower is better."),
    "information": Term(
        "information (nats)", "How much the class of one view tells about the class of another; at most log K for K classes."
    ),
    "real": Term("probability of being real", "What the discriminator gives examples that it learns from."),
    "held_out": Term("probability of being real", "What it gives real examples that it has never seen."),
    "made": Term("probability of being real", "What it gives generated examples."),
    "value": Term("value (nats)", "v = E log D(x) + E log(1 - D(G(z))), which the discriminator wants large."),
    "slope_real": Term("squared slope", "E |dD/dx|^2 at real examples."),
    "slope_made": Term("squared slope", "The same at generated ones."),
    "spread": Term("share of what real examples have", "Mean distance of generated examples from each other."),
    "rarest_kind": Term("share of what real examples have", "How often the rarest class is made, by the nearest real example."),
    "distance": Term("share of the largest", "Energy distance of generated examples from real ones; chance alone gives 0.01."),
    "rotation": Term(
        "rotation", "How much of the game's slope turns rather than descends: 1 is the orbit of v = a b, 0 is descent as of one player."
    ),
    "outside": Term("pixels out of range", "Share of generated pixels that lie outside what a picture can show."),
    "above": Term("above the middle", "E sign D(x), which adaptive views hold at 0.6: near 1 every real example is known for one."),
    "naming": Term("naming (nats)", "How badly the auxiliary classifier names what is told of real examples."),
}


def grouped(metrics: Sequence[Mapping[str, float]]) -> list[tuple[str, list[str]]]:
    """(unit, keys "player/term") of each chart, in the order of the glossary; terms it does not know come after, a chart for each name.

    A weight that never changed needs no chart.
    """
    keys = dict.fromkeys(key for line in metrics for key in line if "/" in key)
    moving = [key for key in keys if not (name_of(key) == "beta" and len({line[key] for line in metrics if key in line}) == 1)]
    place = {name: order for order, name in enumerate(TERMS)}
    charts: dict[str, list[str]] = {}
    for key in sorted(moving, key=lambda key: place.get(name_of(key), len(place))):
        name = name_of(key)
        charts.setdefault(TERMS[name].unit if name in TERMS else name.replace("_", " "), []).append(key)
    return list(charts.items())


def explained(metrics: Sequence[Mapping[str, float]]) -> list[tuple[str, str]]:
    """(name, sentences) of each known term that was written down."""
    found = {name_of(key) for line in metrics for key in line if "/" in key}
    return [(name.replace("_", " "), term.words) for name, term in TERMS.items() if name in found]


def name_of(key: str) -> str:
    """`rate` of `vae/rate`."""
    return key.rsplit("/", 1)[-1]
