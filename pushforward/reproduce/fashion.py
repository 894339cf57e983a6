"""Fashion-MNIST from 100 and 1,000 labels: the recipe of the digits as it is, nothing tuned.

Rules as in semi-supervised: averaged weights at the end of a length fixed beforehand (six minutes of two cores), labelled images among the
unlabelled, balanced draws. A photo of a trouser has no style that straightening or shearing undoes: how much of a recipe for digits holds?
"""

from functools import partial
from typing import Any

from pushforward.reproduce import semi_supervised
from pushforward.reproduce.cells import Cell

DATA, DRAWS = "fashion-mnist", 2
IMAGES = 448_000


def cells() -> list[Cell]:
    """Two draws of each number of labels."""
    return [cell(labels, draw) for labels in (100, 1000) for draw in range(DRAWS)]


def cell(labels: int, draw: int) -> Cell:
    """One draw."""
    options: dict[str, Any] = {"data": DATA, "labels": labels, "images": IMAGES}
    setting = {"data": DATA, **semi_supervised.recipe(labels, IMAGES)}
    return Cell(f"labels-{labels}/draw-{draw}", setting, draw, partial(semi_supervised.run_of, options, draw))
