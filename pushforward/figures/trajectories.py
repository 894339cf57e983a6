"""Play in the plane: where two players went, on the field that pushes them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pushforward.figures.canvas import HAIRLINE, INK, MADE, MUTED, PALETTE, REAL, array, blank, drawn, legend, legible, plain

Field = Callable[[NDArray[Any], NDArray[Any]], tuple[NDArray[Any], NDArray[Any]]]
"""(a, b) -> how fast each is pushed, on grids of the plane."""
ARROWS = 17


def trajectories(
    ways: Sequence[Any], names: Sequence[str], fields: Sequence[Field], axes_names: tuple[str, str] = ("a", "b")
) -> Image.Image:
    """Places [rounds + 1, 2] of several plays side by side, each from its start (a ring) on, over the arrows of its field.

    The equilibrium, at the origin, is a cross. All are shown at one scale; a play that leaves it is cut off at the edge.
    """
    columns = min(4, len(ways))
    rows = -(-len(ways) // columns)
    figure = blank(2.5 * columns + 0.4, 2.6 * rows + 0.3)
    grid = figure.subplots(rows, columns, squeeze=False).flatten()
    reach = 1.35 * max(float(np.abs(array(way)[0]).max()) for way in ways) * 2**0.5
    for axes, way, name, field in zip(grid, ways, names, fields, strict=False):
        _arrows(axes, field, reach)
        _way(axes, array(way).clip(-10 * reach, 10 * reach))
        plain(axes, axes_names[0], axes_names[1])
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
        axes.set_title(legible(name, 40), fontsize=9, color=INK, parse_math=False)
    for axes in grid[len(ways) :]:
        axes.set_axis_off()
    return drawn(figure)


def _arrows(axes: Any, field: Field, reach: float) -> None:
    """The field's directions, the fainter the slower."""
    side = np.linspace(-reach, reach, ARROWS)
    a, b = np.meshgrid(side, side)
    right, up = field(a, b)
    axes.quiver(a, b, right, up, color=HAIRLINE, angles="xy", width=0.006, headwidth=4)


def _way(axes: Any, way: NDArray[Any]) -> None:
    """A line through the places, its start, its end, and the equilibrium."""
    axes.plot(*way.T, color=REAL, linewidth=1.0, marker="o", markersize=1.6, markeredgewidth=0)
    axes.plot(*way[:1].T, marker="o", markersize=6, markerfacecolor="none", markeredgecolor=MUTED, linestyle="")
    axes.plot(*way[-1:].T, marker="o", markersize=5, color=MADE, linestyle="")
    axes.plot([0], [0], marker="+", markersize=9, color=INK, linestyle="")


def distances(ways: Sequence[Any], names: Sequence[str], theory: Sequence[float | None]) -> Image.Image:
    """Distance from the equilibrium after each round, log axis; where theory gives a rate, its slope as a thin line through the middle."""
    figure = blank(7.0, 3.4)
    axes = figure.add_subplot()
    plain(axes, "round", "distance from the equilibrium")
    axes.set_yscale("log")
    lines = []
    for place, (way, rate) in enumerate(zip(ways, theory, strict=True)):
        distance = np.linalg.norm(array(way), axis=1)
        colour = PALETTE[place % len(PALETTE)]
        lines += axes.plot(distance.clip(1e-12), color=colour, linewidth=1.5, linestyle="-" if place < len(PALETTE) else "--")
        if rate is not None:
            middle = len(distance) // 2
            axes.plot(
                distance[middle].clip(1e-12) * rate ** (np.arange(len(distance)) - middle), color=colour, linewidth=0.7, linestyle=":"
            )
    low, high = 1e-8, 1e4
    axes.set_ylim(max(low, axes.get_ylim()[0]), min(high, axes.get_ylim()[1]))
    legend(axes, lines, list(names), 40, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return drawn(figure)
