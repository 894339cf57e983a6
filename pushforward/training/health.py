"""Plain words when a training goes wrong in a way its terms show, and what to do about it. Reads terms by name; knows no system."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import torch

Told = dict[str, float]
STEEP = 1e4
"""Squared slope of a logit, per unit of a pixel or a standard deviation, that no sound training reaches."""
LONG, STILL = 100, 0.05
"""Reports from which on swings can be told, and the standard deviation below which a value stands still."""


@dataclass(frozen=True)
class Sign:
    """Something that the terms of a report may show."""

    needs: tuple[str, ...]
    """Terms without which it cannot be told."""
    shows: Callable[[Told], bool]
    words: str
    """What it is."""
    remedies: tuple[str, ...]
    """What may be done; those that name an option which the system lacks are not told."""
    after: float = 0.25
    """Share of the run before which it is too early to tell."""


SIGNS = (
    Sign(
        ("rate",),
        lambda t: t["rate"] < 0.5,
        "Posterior collapse: codes carry {rate:.2f} nats, so the decoder works without them.",
        ("lengthen --warm-up", "set --free-bits 0.1"),
    ),
    Sign(
        ("rate", "active_codes"),
        lambda t: t["rate"] >= 0.5 and t["active_codes"] < 0.5,
        "Dead codes: only {active_codes:.0%} of the code dimensions are used. That is harmless.",
        ("use a smaller --latent, which looks the same",),
    ),
    Sign(
        ("label_use", "distortion"),
        lambda t: t["label_use"] < 0.05,
        "The decoder ignores the label: a wrong one costs {label_use:.2f} nats.",
        ("use a smaller --latent", "use --warm-up 0"),
    ),
    Sign(
        ("rarest_class",),
        lambda t: t["rarest_class"] < 0.3,
        "Lopsided pseudo-labels: the rarest class gets {rarest_class:.0%} of its share.",
        ("label more images of it", "raise --mutual-information"),
    ),
    Sign(
        ("mask_rate",),
        lambda t: t["mask_rate"] < 0.05,
        "Hardly any unlabelled image is read with confidence ({mask_rate:.1%}), so they teach nothing.",
        ("lower --threshold", "keep more labels"),
    ),
    Sign(
        ("real", "made"),
        lambda t: t["real"] > 0.97 and t["made"] < 0.03,
        "The discriminator has won: it gives real examples {real:.0%} and generated ones {made:.0%}, and such certainty teaches little.",
        ("raise --r1 and --r2", "raise --r1", "lower --faster-discriminator"),
        after=0.15,
    ),
    Sign(
        ("real", "made", "distance"),
        lambda t: t["real"] - t["made"] < 0.04 and t["distance"] > 0.3,
        "The discriminator is too weak: it gives real and generated examples the same ({real:.0%} and {made:.0%}), and they are far apart.",
        ("raise --faster-discriminator", "raise --width", "lower --r1 and --r2"),
    ),
    Sign(
        ("real", "held_out"),
        lambda t: t["real"] - t["held_out"] > 0.2,
        "The discriminator knows its training examples by heart: it gives them {real:.0%}, and held-out ones {held_out:.0%}.",
        ("use --augment adaptive", "give more data", "raise --r1"),
    ),
    Sign(
        ("spread",),
        lambda t: t["spread"] < 0.4,
        "Collapse: generated examples differ from each other only {spread:.0%} as much as real ones do.",
        ("use --objective relativistic with --r1 and --r2, or raise them",),
        after=0.15,
    ),
    Sign(
        ("rarest_kind", "spread"),
        lambda t: t["spread"] >= 0.4 and t["rarest_kind"] < 0.05,
        "A class is missing among generated examples: the rarest comes {rarest_kind:.0%} as often as it should.",
        ("use --objective relativistic with --r1 and --r2", "tell the class (conditional_gan)"),
        after=0.75,
    ),
    Sign(
        ("slope_real", "slope_made"),
        lambda t: t["slope_made"] > 100 * t["slope_real"] + 1,
        "The discriminator grows steep at generated examples (squared slope {slope_made:.3g}, {slope_real:.3g} at real ones).",
        ("raise --r2",),
        after=0.15,
    ),
    Sign(
        ("slope_real", "slope_made"),
        lambda t: t["slope_real"] > STEEP and t["slope_made"] <= 100 * t["slope_real"] + 1,
        "The discriminator's slopes explode (squared {slope_real:.3g} at real and {slope_made:.3g} at generated examples).",
        ("raise --r1 and --r2", "use --spectral", "lower --rate"),
        after=0.05,
    ),
    Sign(
        ("swing",),
        lambda t: t["swing"] > 0.3,
        "The players orbit: the value of the game swings to and fro (regularity {swing:.0%}), as v = a b does.",
        ("use --rule extragradient", "raise --r1 and --r2"),
    ),
    Sign(
        ("outside",),
        lambda t: t["outside"] > 0.25,
        "Pixels are saturated: {outside:.0%} of what the generator makes is out of range and will be cut.",
        ("lower --rate", "raise --r2"),
        after=0.15,
    ),
)


def advice(
    terms: Mapping[str, float], progress: float, options: Collection[str] | None = None, history: Sequence[Mapping[str, float]] = ()
) -> list[str]:
    """Sentences about what the terms {player/term: value} of a report show at this share of the run; none where all is well.

    options: fields of the system's Config, without which nothing is advised that they would do; history: the reports so far.
    """
    return [f"{sign.words.format(**told)}{possible(sign.remedies, options)}" for sign, told in signs(terms, progress, history)]


def signs(terms: Mapping[str, float], progress: float, history: Sequence[Mapping[str, float]] = ()) -> list[tuple[Sign, Told]]:
    """The signs that a report shows, each with the terms that show it."""
    told = {key.rpartition("/")[2]: value for key, value in terms.items()}
    if len(values := [line["discriminator/value"] for line in history if "discriminator/value" in line]) >= LONG:
        told["swing"] = swing(values[len(values) // 4 :])
    present = [sign for sign in SIGNS if progress >= sign.after and all(need in told for need in sign.needs)]
    return [(sign, told) for sign in present if sign.shows(told)]


@dataclass(frozen=True)
class Warned:
    """A warning of a run: as it was last given, after how many images it first and last showed, and in how many reports."""

    words: str
    first: int
    last: int
    times: int


def warnings(reports: Sequence[Mapping[str, float]], images: int, options: Collection[str] | None = None) -> list[Warned]:
    """What training warned of, from its reports {"seen": images so far, player/term: value}, in order of first showing."""
    found: dict[Sign, list[tuple[int, Told]]] = {}
    for place, report in enumerate(reports):
        history = reports if place == len(reports) - 1 else ()  # swings need the whole way, and are looked for once
        for sign, told in signs(report, report["seen"] / max(1, images), history):
            found.setdefault(sign, []).append((int(report["seen"]), told))
    return [
        Warned(f"{sign.words.format(**shown[-1][1])}{possible(sign.remedies, options)}", shown[0][0], shown[-1][0], len(shown))
        for sign, shown in found.items()
    ]


def possible(remedies: Sequence[str], options: Collection[str] | None) -> str:
    """` Raise --r1, or lower --rate.` of what the system's options allow; --rule is one of every training."""
    named = [(remedy, [name.replace("-", "_") for name in re.findall(r"--([a-z0-9-]+)", remedy)]) for remedy in remedies]
    known = [remedy for remedy, names in named if options is None or all(name in options or name == "rule" for name in names)]
    kept = [one for one in known if not any(one != other and other.startswith(f"{one} and") for other in known)]
    if not kept:
        return ""
    text = f"{', '.join(kept[:-1])}, or {kept[-1]}" if len(kept) > 1 else kept[0]
    return f" {text[0].upper()}{text[1:]}."


def swing(values: Sequence[float]) -> float:
    """How regularly a quantity swings about its trend: the smaller of its autocorrelation's trough and the peak that follows, 0 to 1;
    0 where it hardly moves."""
    time = torch.linspace(-1, 1, len(values), dtype=torch.float64)
    v = torch.tensor(values, dtype=torch.float64)
    v = v - v.mean() - time * (time * (v - v.mean())).sum() / time.square().sum()
    if float(v.std()) < STILL:
        return 0.0
    lags = range(len(v) // 2)
    r = torch.stack([(v[: len(v) - lag] * v[lag:]).mean() for lag in lags]) / v.square().mean()
    deep = float(r.min())
    trough = int((r <= 0.8 * deep).nonzero()[0]) if deep < 0 else 0
    return max(0.0, min(-deep, float(r[trough:].max())))
