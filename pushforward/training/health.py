"""Plain words when a training goes wrong in a way its terms show, and what to do about it. Reads terms by name; knows no system."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import torch

Told = dict[str, float]
Settings = Mapping[str, Any]
STEEP = 1e4
"""Squared slope of a logit, per unit of a pixel or a standard deviation, that no sound training reaches."""
DEAD = 1e-6
"""Squared slope below which a discriminator is the same everywhere; sound ones on images and mixtures stay above 1e-5."""
LONG, STILL = 100, 0.05
"""Reports from which on swings can be told, and the standard deviation below which a value stands still."""
ROUNDS = 50
"""Rounds before which nothing can be told, however short the run."""


@dataclass(frozen=True)
class Remedy:
    """Something that may be done about a sign, and which settings it changes."""

    words: str
    raises: tuple[str, ...] = ()
    lowers: tuple[str, ...] = ()
    sets: tuple[tuple[str, Any], ...] = ()
    unless: str = ""
    """A setting of systems that do so anyway."""
    where: Callable[[Settings], bool] = lambda _: True
    """Whether the system takes it with its other settings."""

    def possible(self, settings: Settings | None) -> bool:
        """Whether it can be followed where these are all settings, and was not before."""
        if settings is None:
            return True
        if (
            self.unless in settings
            or not self.where(settings)
            or not all(name in settings for name in (*self.raises, *self.lowers, *dict(self.sets)))
        ):
            return False
        follows = bool(self.sets) and all(settings[name] == value for name, value in self.sets)
        return not follows and not (self.lowers and not any(settings[name] for name in self.lowers))

    def contradicts(self, other: "Remedy") -> bool:
        """Whether one raises what the other lowers."""
        return bool({*self.raises} & {*other.lowers} or {*self.lowers} & {*other.raises})


@dataclass(frozen=True)
class Sign:
    """Something that the terms of a report may show."""

    needs: tuple[str, ...]
    """Terms without which it cannot be told."""
    shows: Callable[[Told], bool]
    words: str
    """What it is."""
    remedies: tuple[Remedy, ...]
    """What may be done."""
    after: float = 0.25
    """Share of the run before which it is too early to tell."""

    def possible(self, settings: Settings | None) -> list[Remedy]:
        """What may be done where these are all settings."""
        return [remedy for remedy in self.remedies if remedy.possible(settings)]

    def contradicts(self, other: "Sign", settings: Settings | None) -> bool:
        """Whether something that may be done about one undoes what may be done about the other."""
        return any(one.contradicts(two) for one in self.possible(settings) for two in other.possible(settings))


FIRMER = Remedy("raise --r1 and --r2", raises=("r1", "r2"))
RELATIVE = Remedy("use --objective relativistic with --r1 and --r2", raises=("r1", "r2"), sets=(("objective", "relativistic"),))
LOOSER = Remedy("lower --r1 and --r2", lowers=("r1", "r2"))
SLOWER = Remedy("lower --rate", lowers=("rate",))
AHEAD = Remedy(
    "use --rule extragradient",
    sets=(("rule", "extragradient"),),
    where=lambda s: s.get("turns", 1) == 1 and s.get("optimiser") == "sgd",
)
"""Measured with Adam it made MNIST worse, not better."""
SIGNS = (
    Sign(
        ("rate",),
        lambda t: t["rate"] < 0.5,
        "Posterior collapse: codes carry {rate:.2f} nats, so the decoder works without them.",
        (Remedy("lengthen --warm-up", raises=("warm_up",)), Remedy("raise --free-bits", raises=("free_bits",))),
    ),
    Sign(
        ("rate", "active_codes"),
        lambda t: t["rate"] >= 0.5 and t["active_codes"] < 0.5,
        "Dead codes: only {active_codes:.0%} of the code dimensions are used. That is harmless.",
        (Remedy("use a smaller --latent, which looks the same", lowers=("latent",)),),
    ),
    Sign(
        ("label_use", "rate"),
        lambda t: t["rate"] >= 0.5 and t["label_use"] < 0.05,
        "The decoder ignores the label: a wrong one costs {label_use:.2f} nats.",
        (Remedy("use a smaller --latent", lowers=("latent",)), Remedy("use --warm-up 0", lowers=("warm_up",))),
    ),
    Sign(
        ("rarest_class",),
        lambda t: t["rarest_class"] < 0.3,
        "Lopsided pseudo-labels: the rarest class gets {rarest_class:.0%} of its share.",
        (Remedy("label more images of it", raises=("labels",)), Remedy("raise --mutual-information", raises=("mutual_information",))),
    ),
    Sign(
        ("mask_rate",),
        lambda t: t["mask_rate"] < 0.05,
        "Hardly any unlabelled image is read with confidence ({mask_rate:.1%}), so they teach nothing.",
        (Remedy("lower --threshold", lowers=("threshold",)), Remedy("keep more labels", raises=("labels",))),
    ),
    Sign(
        ("real", "made"),
        lambda t: t["real"] > 0.97 and t["made"] < 0.03,
        "The discriminator has won: it gives real examples {real:.0%} and generated ones {made:.0%}, and such certainty teaches little.",
        (FIRMER, Remedy("raise --r1", raises=("r1",)), Remedy("lower --faster-discriminator", lowers=("faster_discriminator",))),
        after=0.15,
    ),
    Sign(
        ("real", "held_out"),
        lambda t: t["real"] - t["held_out"] > 0.2,
        "The discriminator knows its training examples by heart: it gives them {real:.0%}, and held-out ones {held_out:.0%}.",
        (
            Remedy("use --augment adaptive", sets=(("augment", "adaptive"),), where=lambda s: len(s.get("shape", "chw")) == 3),
            Remedy("give more data"),
            Remedy("raise --r1", raises=("r1",)),
        ),
    ),
    Sign(
        ("slope_real", "slope_made"),
        lambda t: t["slope_made"] > 100 * t["slope_real"] + 1,
        "The discriminator grows steep at generated examples (squared slope {slope_made:.3g}, {slope_real:.3g} at real ones).",
        (Remedy("raise --r2", raises=("r2",)),),
        after=0.15,
    ),
    Sign(
        ("slope_real", "slope_made"),
        lambda t: t["slope_real"] > STEEP and t["slope_made"] <= 100 * t["slope_real"] + 1,
        "The discriminator's slopes explode (squared {slope_real:.3g} at real and {slope_made:.3g} at generated examples).",
        (FIRMER, Remedy("use --spectral", sets=(("spectral", True),)), SLOWER),
        after=0.05,
    ),
    Sign(
        ("swing",),
        lambda t: t["swing"] > 0.3,
        "The players orbit: the value of the game swings to and fro (regularity {swing:.0%}), as v = a b does.",
        (FIRMER, AHEAD),
    ),
    Sign(
        ("slope_real", "slope_made"),
        lambda t: max(t["slope_real"], t["slope_made"]) < DEAD,
        "The discriminator has died: it says the same of everything (squared slopes {slope_real:.1g} and {slope_made:.1g}).",
        (SLOWER, LOOSER),
        after=0.05,
    ),
    Sign(
        ("real", "made", "distance"),
        lambda t: t["real"] - t["made"] < 0.04 and t["distance"] > 0.3,
        "The discriminator is too weak: it gives real and generated examples the same ({real:.0%} and {made:.0%}), and they are far apart.",
        (
            Remedy("raise --faster-discriminator", raises=("faster_discriminator",)),
            Remedy("raise --width", raises=("width",)),
            LOOSER,
        ),
    ),
    Sign(
        ("spread",),
        lambda t: t["spread"] < 0.4,
        "Collapse: generated examples differ from each other only {spread:.0%} as much as real ones do.",
        (RELATIVE, FIRMER),
        after=0.15,
    ),
    Sign(
        ("rarest_kind", "spread"),
        lambda t: t["spread"] >= 0.4 and t["rarest_kind"] < 0.05,
        "A class is missing among generated examples: the rarest comes {rarest_kind:.0%} as often as it should.",
        (RELATIVE, FIRMER, Remedy("tell the class (conditional_gan)", unless="conditioning")),
        after=0.75,
    ),
    Sign(
        ("outside",),
        lambda t: t["outside"] > 0.25,
        "Pixels are saturated: {outside:.0%} of what the generator makes is out of range and will be cut.",
        (SLOWER, Remedy("raise --r2", raises=("r2",))),
        after=0.15,
    ),
)
"""The stronger of two whose remedies contradict each other stands first: a discriminator that is steep or turns only looks weak, and a weak
one teaches the generator nothing, so that collapse and saturation come of it."""


def advice(
    terms: Mapping[str, float], progress: float, settings: Settings | None = None, history: Sequence[Mapping[str, float]] = ()
) -> list[str]:
    """Sentences about what the terms {player/term: value} of a report show at this share of the run; none where all is well.

    terms: with "seen", the images so far, nothing is told before `ROUNDS` batches of that setting. settings: as `Recipe.settings` has them,
    without which everything is advised that may be done; history: the reports so far.
    """
    return [spoken(sign, told, settings) for sign, told in signs(terms, progress, settings, history)]


def signs(
    terms: Mapping[str, float], progress: float, settings: Settings | None = None, history: Sequence[Mapping[str, float]] = ()
) -> list[tuple[Sign, Told]]:
    """The signs that a report shows, each with the terms that show it. Of two whose remedies contradict each other the stronger."""
    told = {key.rpartition("/")[2]: value for key, value in terms.items()}
    if told.get("seen", inf) < ROUNDS * (settings or {}).get("batch_size", 0):
        return []
    if len(values := [line["discriminator/value"] for line in history if "discriminator/value" in line]) >= LONG:
        told["swing"] = swing(values[len(values) // 4 :])
    found: list[Sign] = []
    for sign in SIGNS:
        if progress >= sign.after and all(need in told for need in sign.needs) and sign.shows(told):
            found += [] if any(sign.contradicts(stronger, settings) for stronger in found) else [sign]
    return [(sign, told) for sign in found]


@dataclass(frozen=True)
class Warned:
    """A warning of a run: as it was last given, after how many images it first and last showed, and in how many reports."""

    words: str
    first: int
    last: int
    times: int


def warnings(reports: Sequence[Mapping[str, float]], images: int, settings: Settings | None = None) -> list[Warned]:
    """What training warned of, from its reports {"seen": images so far, player/term: value}, in order of first showing."""
    found: dict[Sign, list[tuple[int, Told]]] = {}
    for place, report in enumerate(reports):
        history = reports if place == len(reports) - 1 else ()  # swings need the whole way, and are looked for once
        for sign, told in signs(report, report["seen"] / max(1, images), settings, history):
            found.setdefault(sign, []).append((int(report["seen"]), told))
    return [Warned(spoken(sign, shown[-1][1], settings), shown[0][0], shown[-1][0], len(shown)) for sign, shown in found.items()]


def spoken(sign: Sign, told: Told, settings: Settings | None) -> str:
    """What a sign is, and what may be done: `... Raise --r1, or lower --rate.`"""
    known = [remedy.words for remedy in sign.possible(settings)]
    kept = [one for one in known if not any(one != other and other.startswith(f"{one} and") for other in known)]
    text = f"{', '.join(kept[:-1])}, or {kept[-1]}" if len(kept) > 1 else "".join(kept)
    return sign.words.format(**told) + (f" {text[0].upper()}{text[1:]}." if text else "")


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
