"""Floor 1: arrays -> pictures. Every function takes numpy arrays or tensors and returns a `PIL.Image`; `save` writes one."""

from pushforward.figures.canvas import save
from pushforward.figures.charts import accuracies, confusion, curves, reliability
from pushforward.figures.maps import animation, cloth, clouds, latent_grid
from pushforward.figures.planes import codes, marginals, points, to_plane
from pushforward.figures.sheets import as_picture, completions, interpolation, labelled, manifold, pairs, parsed, part_colours, sheet
from pushforward.figures.trajectories import distances, trajectories

__all__ = [
    "accuracies",
    "animation",
    "as_picture",
    "cloth",
    "clouds",
    "codes",
    "completions",
    "confusion",
    "curves",
    "distances",
    "interpolation",
    "labelled",
    "latent_grid",
    "manifold",
    "marginals",
    "pairs",
    "parsed",
    "part_colours",
    "points",
    "reliability",
    "save",
    "sheet",
    "to_plane",
    "trajectories",
]
