"""Points of a code space or of a table, drawn in a plane."""

from collections.abc import Sequence
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pushforward.figures.canvas import INK, MADE, MARKERS, MUTED, PALETTE, PAPER, REAL, UNKNOWN, array, blank, drawn, legend, legible, plain

NAMED = 12
"""Up to so many classes each is named where its points lie, too."""
NEAR = 0.06
"""Names of classes are left out where two would lie closer than this share of the chart."""
LISTED = 20
"""Up to so many classes the legend lists them."""
RIM = "#24292f66"
"""Around points, so that the pale colours stand out from paper."""
COLUMNS = 5
"""Columns of a table shown against each other."""


def to_plane(code: Any) -> tuple[NDArray[Any], float]:
    """Codes [N, D] as [N, 2], and the share of their variance that this shows, in [0, 1].

    Two dimensions are taken as they are, one is laid on a line, more go through a principal component analysis.
    """
    from sklearn.decomposition import PCA

    values = array(code).astype(np.float64)
    values = values.reshape(len(values), -1)
    if values.shape[1] <= 2:
        return np.pad(values, ((0, 0), (0, 2 - values.shape[1]))), 1.0
    variance = values.var(0).sum()
    if len(values) < 3 or variance == 0:
        return np.zeros((len(values), 2)), 1.0
    plane = PCA(2, svd_solver="full").fit_transform(values)
    return plane, float(plane.var(0).sum() / variance)


def codes(code: Any, label: Any = None, classes: Sequence[str] = (), axes_names: tuple[str, str] = ("z1", "z2")) -> Image.Image:
    """Codes [N, 2], coloured by class. label [N]: -1 (or None for all) is drawn in grey; classes: the names of 0..K-1."""
    points = array(code)
    kind = np.full(len(points), -1) if label is None else array(label).astype(np.int64)
    figure = blank(5.0 if classes else 4.4, 4.0)
    axes = figure.add_subplot()
    plain(axes, *axes_names)
    size = float(np.clip(9000 / max(len(points), 1), 5, 26))
    order = np.random.default_rng(0).permutation(len(points))  # else the last class would hide the others
    for shape, marker in enumerate([*MARKERS, None]):
        known = (kind >= 0) & (np.minimum(kind // len(PALETTE), len(MARKERS)) == shape)
        mine = order[(known if marker else kind < 0)[order]]
        colour = [PALETTE[k % len(PALETTE)] for k in kind[mine]] if marker else UNKNOWN
        look: dict[str, Any] = {"marker": marker or "o", "zorder": 2 if marker else 1}
        axes.scatter(points[mine, 0], points[mine, 1], s=size, c=colour, edgecolors=RIM, linewidths=0.3, alpha=0.9, **look)
    _name_clouds(axes, points, kind, classes)
    _list_classes(figure, axes, kind, classes)
    return drawn(figure)


def points(real: Any, made: Any, columns: Sequence[str]) -> Image.Image:
    """Rows of a table [N, D] beside rows that a system made [M, D]: each column's histogram, and each pair of columns.

    More than five columns: the first five. Values are drawn in the units they are given in. The fewer points there are of a kind, the
    larger they are, so that a few are seen among many.
    """
    names = [legible(name, 20) for name in columns[:COLUMNS]]
    true, false = array(real)[:, : len(names)], array(made)[:, : len(names)]
    order = np.random.default_rng(0).permutation(len(true) + len(false))  # else the one would hide the other
    size = np.repeat([np.clip(3000 / len(rows), 1.5, 12) for rows in (true, false)], [len(true), len(false)])[order]
    side = max(3.4, 1.5 * len(names) + 0.6)
    figure = blank(side, side * (0.8 if len(names) == 1 else 1))
    grid = figure.add_gridspec(len(names), len(names))
    for row, up in enumerate(names):
        for column, across in enumerate(names[: row + 1]):
            axes = figure.add_subplot(grid[row, column])
            last = row == len(names) - 1
            plain(axes, across if last else "", up if column == 0 and row else "")
            axes.tick_params(labelbottom=last, labelleft=column == 0 and row > 0, labelsize=7)
            axes.locator_params(nbins=4)
            axes.set_xlim(*_reach(true[:, column]))
            if column == row:
                _histogram(axes, true[:, row], false[:, row])
            else:
                axes.set_ylim(*_reach(true[:, row]))
                both, colours = np.concatenate([true, false])[order], np.repeat([REAL, MADE], [len(true), len(false)])[order]
                axes.scatter(both[:, column], both[:, row], s=size, c=colours, alpha=0.55, linewidths=0)
    from matplotlib.patches import Patch

    legend(figure, [Patch(color=REAL), Patch(color=MADE)], ["real", "generated"], loc="outside upper right", ncols=2, handlelength=0.9)
    return drawn(figure)


def _reach(values: NDArray[Any]) -> tuple[float, float]:
    """The range of the real values, widened by a sixth: what is made far outside would squeeze all the rest."""
    margin = (np.ptp(values) or 1) / 6
    return float(values.min() - margin), float(values.max() + margin)


def _histogram(axes: Any, true: NDArray[Any], false: NDArray[Any]) -> None:
    """Shares of both in the same bins over what is seen of the column: the real ones filled, the made ones a line."""
    low, high = axes.get_xlim()
    bins = np.linspace(low, high, 6 + min(24, isqrt(len(true))))
    for values, style in ((true, {"color": REAL, "alpha": 0.5, "fill": True}), (false, {"color": MADE, "linewidth": 1.4})):
        axes.stairs(np.histogram(values, bins)[0] / len(values), bins, **style)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def _name_clouds(axes: Any, points: NDArray[Any], kind: NDArray[Any], classes: Sequence[str]) -> None:
    """Each class's name at the median of its points, where these medians lie far enough apart to be read."""
    from matplotlib.patheffects import withStroke

    present = [k for k in range(len(classes)) if (kind == k).sum() >= 3]
    if not 1 < len(present) <= NAMED:
        return
    middles = np.array([np.median(points[kind == k], 0) for k in present])
    reach = np.maximum(np.ptp(points, 0), 1e-9)
    apart = np.linalg.norm((middles[:, None] - middles[None]) / reach, axis=-1) + np.eye(len(present))
    if apart.min() < NEAR:
        return
    for k, middle in zip(present, middles, strict=True):
        text = axes.text(*middle, legible(classes[k], 14), ha="center", va="center", fontsize=11, weight="bold", color=INK)
        text.set(parse_math=False, path_effects=[withStroke(linewidth=3, foreground=PAPER)])


def _list_classes(figure: Any, axes: Any, kind: NDArray[Any], classes: Sequence[str]) -> None:
    """The legend, at the right: classes, then grey for the unlabelled where there are any."""
    from matplotlib.lines import Line2D

    names = list(classes) if len(classes) <= LISTED else []
    looks = [(PALETTE[k % len(PALETTE)], MARKERS[k // len(PALETTE)]) for k in range(len(names))]
    if (kind < 0).any():
        names, looks = [*names, "unlabelled" if classes else "examples"], [*looks, (UNKNOWN, "o")]
    if len(names) > 1:
        marks = [Line2D([], [], color=colour, marker=marker, linestyle="", markersize=5) for colour, marker in looks]
        legend(figure, marks, names, loc="outside right upper", handletextpad=0.1, labelspacing=0.45)


def marginals(code: Any, active: Any) -> Image.Image:
    """Histograms of the codes z ~ q(z) of a data set, one chart for each of up to twelve dimensions, beside the prior N(0, 1).

    code: [N, D]; active: [D], 1 where a dimension is; those come first.
    """
    z, used = array(code).astype(np.float64), array(active) > 0
    shown = np.argsort(~used, kind="stable")[:12]
    columns = min(4, len(shown))
    rows = -(-len(shown) // columns)
    figure = blank(1.5 * columns + 0.3, 1.25 * rows + 0.3)
    grid = np.linspace(-4, 4, 200)
    prior = np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi)
    for axes, d in zip(figure.subplots(rows, columns, squeeze=False).flat, [*shown, *[-1] * (rows * columns - len(shown))], strict=True):
        plain(axes)
        axes.set(yticks=[], xlim=(-4, 4))
        axes.spines["left"].set_visible(False)
        if d < 0:
            axes.set_visible(False)
            continue
        axes.hist(z[:, d].clip(-4, 4), bins=40, range=(-4, 4), density=True, color=REAL if used[d] else UNKNOWN)
        axes.plot(grid, prior, color=MADE, linewidth=1.2)
        axes.set_title(f"z{d + 1}" + ("" if used[d] else ", not active"), fontsize=8, color=MUTED)
    return drawn(figure)
