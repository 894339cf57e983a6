"""Plain words when a training goes wrong in a way its terms show, and what to do about it. Reads terms by name; knows no system."""

from collections.abc import Callable
from dataclasses import dataclass

Told = dict[str, float]


@dataclass(frozen=True)
class Sign:
    """Something that the terms of a report may show."""

    needs: tuple[str, ...]
    """Terms without which it cannot be told."""
    shows: Callable[[Told], bool]
    words: str
    after: float = 0.25
    """Share of the run before which it is too early to tell."""


SIGNS = (
    Sign(
        ("rate",),
        lambda t: t["rate"] < 0.5,
        "Posterior collapse: codes carry {rate:.2f} nats, so the decoder works without them. Lengthen --warm-up, or set --free-bits 0.1.",
    ),
    Sign(
        ("rate", "active_codes"),
        lambda t: t["rate"] >= 0.5 and t["active_codes"] < 0.5,
        "Dead codes: only {active_codes:.0%} of the code dimensions are used. That is harmless; with a smaller --latent it looks the same.",
    ),
    Sign(
        ("label_use", "distortion"),
        lambda t: t["label_use"] < 0.05,
        "The decoder ignores the label: a wrong one costs {label_use:.2f} nats. Use a smaller --latent, or --warm-up 0.",
    ),
    Sign(
        ("rarest_class",),
        lambda t: t["rarest_class"] < 0.3,
        "Lopsided pseudo-labels: the rarest class gets {rarest_class:.0%} of its share. Label more images of it, or raise "
        "--mutual-information.",
    ),
    Sign(
        ("mask_rate",),
        lambda t: t["mask_rate"] < 0.05,
        "Hardly any unlabelled image is read with confidence ({mask_rate:.1%}), so they teach nothing. Lower --threshold, or keep "
        "more labels.",
    ),
    Sign(
        ("real", "made"),
        lambda t: t["real"] > 0.97 and t["made"] < 0.03,
        "The discriminator has won: it gives real examples {real:.0%} and generated ones {made:.0%}, and such certainty teaches little. "
        "Raise --r1 and --r2, or lower --faster-discriminator.",
        after=0.15,
    ),
    Sign(
        ("spread",),
        lambda t: t["spread"] < 0.4,
        "Collapse: generated examples differ from each other only {spread:.0%} as much as real ones do. Use --objective relativistic with "
        "--r1 and --r2, or raise them.",
        after=0.15,
    ),
    Sign(
        ("slope_real", "slope_made"),
        lambda t: t["slope_made"] > 100 * t["slope_real"] + 1,
        "The discriminator grows steep at generated examples (squared slope {slope_made:.3g}, {slope_real:.3g} at real ones). Raise --r2.",
        after=0.15,
    ),
)


def advice(terms: dict[str, float], progress: float) -> list[str]:
    """Sentences about what the terms {player/term: value} of a report show at this share of the run; none where all is well."""
    told = {key.rpartition("/")[2]: value for key, value in terms.items()}
    present = [sign for sign in SIGNS if progress >= sign.after and all(need in told for need in sign.needs)]
    return [sign.words.format(**told) for sign in present if sign.shows(told)]
