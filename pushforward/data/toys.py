"""Densities in the plane: points made from a seed, as many as are asked for.

Source of the shapes: the ring is the lecture's G(z) = z/10 + z/|z| with z ~ N(0, I); the others are those that papers on generative
networks usually show (25 Gaussians: Metz et al. 2017; checkerboard, spirals: Grathwohl et al. 2019).
"""

from collections.abc import Callable
from math import pi
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from pushforward.core import BadInput
from pushforward.data.chance import generator
from pushforward.data.dataset import Dataset

BLUR = 0.05
"""Standard deviation of each Gaussian of a mixture."""
CENTRES = {
    "gaussians": torch.cartesian_prod(*[torch.arange(-2, 3, dtype=torch.float64)] * 2),
    "eight": 2 * torch.stack([(angle := torch.arange(8, dtype=torch.float64) * pi / 4).cos(), angle.sin()], 1),
}
"""Where their Gaussians are."""
COUNT = 100_000
"""Points of a data set: so many that its distance from the density itself is a tenth of that of 10,000 points."""
Chance = torch.Generator


def ring(count: int, chance: Chance) -> Float[Tensor, "n 2"]:
    """z/10 + z/|z|: directions uniform, the radius 1 + |z|/10."""
    return lecture_ring(normal(count, chance))


def lecture_ring(z: Float[Tensor, "n 2"]) -> Float[Tensor, "n 2"]:
    """The lecture's generator G(z) = z/10 + z/|z|."""
    return z / 10 + z / z.norm(dim=1, keepdim=True)


def moons(count: int, chance: Chance) -> Float[Tensor, "n 2"]:
    """Two half circles of radius 1 that reach into each other, blurred by N(0, 0.1^2)."""
    angle, upper = pi * uniform(count, chance)[:, 0], uniform(count, chance)[:, :1] < 0.5
    arc = torch.stack([angle.cos(), angle.sin()], 1)
    centre = torch.tensor([1.0, 0.5], dtype=torch.float64)
    return torch.where(upper, arc, centre - arc) + 0.1 * normal(count, chance)


def spirals(count: int, chance: Chance) -> Float[Tensor, "n 2"]:
    """Two arms of one and a half turns, their points as dense near the middle as far out, blurred by N(0, 0.1^2)."""
    angle = 3 * pi * uniform(count, chance)[:, :1].sqrt()
    arm = torch.where(uniform(count, chance)[:, :1] < 0.5, 1.0, -1.0)
    return arm * angle / 3 * torch.cat([angle.cos(), angle.sin()], 1) + 0.1 * normal(count, chance)


def gaussians(count: int, chance: Chance) -> Float[Tensor, "n 2"]:
    """25 equally probable Gaussians of standard deviation 0.05 at {-2, -1, 0, 1, 2}^2."""
    return (5 * uniform(count, chance)).floor().clamp(max=4) - 2 + BLUR * normal(count, chance)


def eight(count: int, chance: Chance) -> Float[Tensor, "n 2"]:
    """Eight equally probable Gaussians of standard deviation 0.05 on a circle of radius 2."""
    return CENTRES["eight"][(8 * uniform(count, chance)[:, 0]).floor().clamp(max=7).long()] + BLUR * normal(count, chance)


def checkerboard(count: int, chance: Chance) -> Float[Tensor, "n 2"]:
    """Uniform on the eight black fields of a board of 4 x 4 over [-2, 2]^2."""
    field = (8 * uniform(count, chance)[:, :1]).floor().clamp(max=7)
    row = (field / 2).floor()
    corner = torch.cat([2 * (field % 2) + row % 2, row], 1)
    return corner - 2 + uniform(count, chance)


def theta(count: int, chance: Chance) -> Float[Tensor, "n 2"]:
    """The letter of G's parameters, drawn as a picture of 96 x 96 pixels: an ellipse and a bar."""
    side = (np.arange(96) + 0.5) / 48 - 1
    across, down = np.meshgrid(side, side)
    radius = np.hypot(across / 0.62, down / 0.92)
    ink = ((radius > 0.66) & (radius < 1)) | ((abs(down) < 0.12) & (radius < 0.8))
    return from_ink(torch.from_numpy(ink.astype(np.float64)), count, chance)


TOYS: dict[str, Callable[[int, Chance], Tensor]] = {
    "ring": ring,
    "moons": moons,
    "spirals": spirals,
    "gaussians": gaussians,
    "eight": eight,
    "checkerboard": checkerboard,
    "theta": theta,
}
COLUMNS = ("x", "y")


def points(name: str, count: int, *purpose: int | str) -> Float[Tensor, "n 2"]:
    """`count` points of the density called `name`, float64; another `purpose` (a seed, and the like), independent points."""
    return TOYS[name](count, generator("toy", name, *purpose))


def read(name: str, seed: int = 0) -> Dataset:
    """100,000 points of the density called `name`, not standardised."""
    return Dataset(name, row=points(name, COUNT, seed), columns=COLUMNS)


def read_picture(path: Path, seed: int = 0) -> Dataset:
    """100,000 points of the density that a picture shows: the darker a pixel, the more points; it spans [-1, 1] on its longer side.

    Raises:
        BadInput: a file that cannot be read as a picture, or one that is white all over.
    """
    try:
        with Image.open(path) as picture:
            paper = Image.new("RGBA", picture.size, "white")
            flat = Image.alpha_composite(paper, picture.convert("RGBA")).convert("L")
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise BadInput(f"'{path}' cannot be read as a picture ({error}); give another PNG.") from error
    ink = 1 - torch.from_numpy(np.asarray(flat, np.float64)) / 255
    if not ink.any():
        raise BadInput(f"'{path}' is white all over, and points lie where a picture is dark; give one with something drawn on it.")
    return Dataset(path.stem, row=from_ink(ink, COUNT, generator("picture", seed)), columns=COLUMNS)


def from_ink(ink: Float[Tensor, "h w"], count: int, chance: Chance) -> Float[Tensor, "n 2"]:
    """Points of which each pixel has as many as its share of the ink, spread evenly over its square; upright, with y upwards."""
    height, width = ink.shape
    edges = ink.flatten().cumsum(0)
    place = torch.searchsorted(edges, uniform(count, chance)[:, 0] * edges[-1], right=True).clamp(max=ink.numel() - 1)
    inside = uniform(count, chance)
    across, down = place % width + inside[:, 0], place // width + inside[:, 1]
    return torch.stack([across - width / 2, height / 2 - down], 1) / (max(height, width) / 2)


def uniform(count: int, chance: Chance) -> Float[Tensor, "n 2"]:
    """Points of [0, 1)^2."""
    return torch.rand(count, 2, dtype=torch.float64, generator=chance)


def normal(count: int, chance: Chance) -> Float[Tensor, "n 2"]:
    """Points of N(0, I)."""
    return torch.randn(count, 2, dtype=torch.float64, generator=chance)
