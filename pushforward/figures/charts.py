"""Curves of training, the confusion matrix, and how far a confidence can be believed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pushforward.figures.canvas import (
    HAIRLINE,
    INK,
    MADE,
    MARKERS,
    MUTED,
    PALETTE,
    PAPER,
    REAL,
    UNKNOWN,
    array,
    blank,
    drawn,
    legend,
    legible,
    plain,
)

START = 0.1
"""Share of a run whose steep curves may leave the chart, so that what follows can be read."""
WRITTEN = 20
"""Up to so many classes the counts are written into a confusion matrix."""


SHARES = ("share", "probability of being real", "rotation")
"""Units of which all of 0 to 1 is shown."""


def curves(metrics: Sequence[Mapping[str, float]], terms: Sequence[str], unit: str = "", level: float | None = None) -> Image.Image:
    """Terms that share a unit against images seen, in one chart.

    metrics: one mapping a report, {"seen": images, "player/term": value, ...}; terms: the keys to draw, each named by what follows
    its last slash (by the whole key where two would be called the same). Missing and infinite values are left out.
    Of shares all of 0 to 1 is shown; of other units the steep start may leave the chart, which then says so.
    level: a value to compare with, drawn as a broken line that is always in sight.
    """
    figure = blank(4.6, 3.0)
    axes = figure.add_subplot()
    plain(axes, "images seen", unit)
    axes.grid(axis="y", color=HAIRLINE, linewidth=0.6)
    axes.xaxis.set_major_formatter(_counted)
    short = [term.rsplit("/", 1)[-1] for term in terms]
    lines, later, whole = [], [], []
    for place, term in enumerate(terms):
        known = [(line["seen"], line[term]) for line in metrics if np.isfinite(line.get(term, np.nan))]
        seen, value = np.array(known, float).reshape(-1, 2).T
        marker = "o" if len(seen) == 1 else ""
        lines += axes.plot(seen, value, color=PALETTE[(0, 2, 5, 3, 1, 7, 4, 6, 8, 9)[place % 10]], linewidth=1.6, marker=marker)
        whole.append(value)
        later.append(value[seen >= START * max(line["seen"] for line in metrics)])
    if level is not None:
        axes.axhline(level, color=MUTED, linewidth=0.8, linestyle="--")
    if unit in SHARES:
        axes.set_ylim(-0.02, 1.02)
    else:
        _leave_start(axes, np.concatenate(whole), np.concatenate(later))
        if level is not None:
            low, high = axes.get_ylim()
            margin = 0.04 * (max(high, level) - min(low, level))
            axes.set_ylim(min(low, level - margin), max(high, level + margin))
    names = [name.replace("_", " ") if short.count(name) == 1 else term for name, term in zip(short, terms, strict=True)]
    legend(axes, lines, names, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=3, handlelength=1.2, columnspacing=1.4)
    return drawn(figure)


def confusion(matrix: Any, classes: Sequence[str]) -> Image.Image:
    """Counts [K, K], true classes down, answers across: right ones blue, mistakes orange, darker the larger their share of the row."""
    counts = array(matrix).astype(float)
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    side = 1.6 + 0.36 * min(len(counts), 14)
    figure = blank(side + 0.4, side)
    axes = figure.add_subplot()
    plain(axes, "answer", "truth")
    wrong = np.where(np.eye(len(counts), dtype=bool), 0, share)
    colours = _mixed(np.where(wrong > 0, np.sqrt(wrong / max(wrong.max(), 1e-9)) * 0.8 + 0.08, 0), (0xD5, 0x5E, 0x00))
    diagonal = np.arange(len(counts))
    colours[diagonal, diagonal] = _mixed(share[diagonal, diagonal] * 0.9, (0x33, 0x66, 0x99))
    colours = np.where(counts[..., None] > 0, colours, 0.965)
    axes.imshow(colours, interpolation="nearest")
    axes.set_xticks(diagonal[1:] - 0.5, minor=True)
    axes.set_yticks(diagonal[1:] - 0.5, minor=True)
    axes.grid(which="minor", color=PAPER, linewidth=1.2)
    names = [legible(name, 14) for name in classes]
    if len(counts) <= 3 * WRITTEN:
        tilt: dict[str, Any] = {} if max(map(len, names)) <= 2 else {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
        axes.set_xticks(diagonal, names, parse_math=False, **tilt)
        axes.set_yticks(diagonal, names, parse_math=False)
    axes.tick_params(which="both", length=0, labelsize=8 if len(counts) <= WRITTEN else 4)
    axes.spines[:].set_visible(False)
    if len(counts) <= WRITTEN:
        for row, column in np.argwhere(counts > 0):
            dark = colours[row, column].mean() < 0.6
            axes.text(column, row, f"{counts[row, column]:.0f}", ha="center", va="center", fontsize=7.5, color=PAPER if dark else INK)
    return drawn(figure)


def accuracies(series: Mapping[str, Mapping[int, Sequence[float]]], lone: Sequence[str] = (), across: str = "labels") -> Image.Image:
    """Accuracies against a count, both axes logarithmic: of the accuracy, its distance to 1.

    series: by name, for each count the accuracies of all seeds, drawn as their mean with a bar from the least to the most.
    lone: names of series drawn as points without a line, such as published numbers.
    """
    figure = blank(5.6, 4.0)
    axes = figure.add_subplot()
    plain(axes, across, "test accuracy")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.grid(axis="y", color=HAIRLINE, linewidth=0.6)
    lines = []
    for place, (name, found) in enumerate(series.items()):
        count = sorted(found)
        wrong = [1 - np.array(found[n], float) for n in count]
        mean = np.array([each.mean() for each in wrong])
        bars = np.array([(m - each.min(), each.max() - m) for m, each in zip(mean, wrong, strict=True)]).T
        look: dict[str, Any] = {"marker": MARKERS[place % len(MARKERS)], "color": PALETTE[place % 10], "markersize": 4.5, "linewidth": 1.4}
        look["linestyle"] = "none" if name in lone else "-"
        lines.append(axes.errorbar(count, mean, bars, capsize=2.5, elinewidth=1.0, **look))
    counts = sorted({n for found in series.values() for n in found})
    axes.set_xticks(counts, [f"{n:,}" for n in counts], rotation=30, ha="right")
    axes.minorticks_off()
    low, high = axes.get_ylim()
    ticks = [wrong for wrong in (0.9, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001) if low <= wrong <= high]
    axes.set_yticks(ticks, [f"{100 * (1 - wrong):g} %" for wrong in ticks])
    axes.invert_yaxis()
    legend(axes, lines, list(series), loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=2)
    return drawn(figure)


def reliability(found: Any) -> Image.Image:
    """Accuracy against confidence: a bar for each bin, the diagonal where confidence can be believed, and the gap between them.

    found: `metrics.Reliability`.
    """
    count, confidence, accuracy = (array(each).astype(float) for each in (found.count, found.confidence, found.accuracy))
    bins, full = len(count), count > 0
    figure = blank(3.8, 4.2)
    above, below = figure.subplots(2, sharex=True, height_ratios=(3, 1))
    plain(above, "", "share of right answers")
    plain(below, "confidence of the answer", "answers")
    middle = (np.arange(bins) + 0.5) / bins
    above.bar(middle[full], accuracy[full], 0.94 / bins, color=REAL)
    above.bar(middle[full], (confidence - accuracy)[full], 0.94 / bins, accuracy[full], color="none", edgecolor=MADE, linewidth=1.0)
    above.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8, linestyle="--")
    above.set(xlim=(0, 1), ylim=(0, 1.02))
    above.set_title(f"expected calibration error {found.error:.4f}", fontsize=9, color=INK, loc="left")
    below.bar(middle, count, 0.94 / bins, color=UNKNOWN)
    below.set_yscale("symlog", linthresh=1)
    return drawn(figure)


def _mixed(strength: NDArray[Any], colour: tuple[int, int, int]) -> NDArray[Any]:
    """White (strength 0) to `colour` (1), [*, 3] in [0, 1]."""
    return 1 - strength[..., None] * (1 - np.array(colour) / 255)


def _leave_start(axes: Any, whole: NDArray[Any], later: NDArray[Any]) -> None:
    """Let a high start leave the chart where it would squeeze all that follows into the lowest third."""
    if len(later) < 20:
        return
    low, high = whole.min(), later.max()
    if whole.max() - low > 3 * (high - low) > 0:
        margin = 0.08 * (high - low)
        axes.set_ylim(low - margin, high + margin)
        axes.text(1, 1.01, "steep start cut off", ha="right", va="bottom", transform=axes.transAxes, fontsize=6.5, color=MUTED)


def _counted(count: float, place: float) -> str:
    """1,500,000 as `1.5 M`."""
    for size, letter in ((1e6, " M"), (1e3, " k")):
        if abs(count) >= size:
            return f"{count / size:g}{letter}"
    return f"{count:g}"
