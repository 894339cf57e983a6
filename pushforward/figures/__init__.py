"""Floor 1: arrays -> pictures. Every function takes numpy arrays or tensors and returns a `PIL.Image`; `save` writes one."""

from pushforward.figures.canvas import save
from pushforward.figures.charts import confusion, curves
from pushforward.figures.planes import codes, points, to_plane
from pushforward.figures.sheets import completions, interpolation, labelled, manifold, pairs, sheet

__all__ = [
    "codes",
    "completions",
    "confusion",
    "curves",
    "interpolation",
    "labelled",
    "manifold",
    "pairs",
    "points",
    "save",
    "sheet",
    "to_plane",
]
