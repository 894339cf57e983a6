"""Distances between two distributions of which only samples are known.

    energy distance   D(P, Q) = 2 E|X - Y| - E|X - X'| - E|Y - Y'|                       (Szekely & Rizzo 2013)
    in one dimension  D(P, Q) = 2 int (F(t) - G(t))^2 dt, F and G the distribution functions
    sliced            |v| = c_d E_u|<u, v>| for u uniform on the sphere, c_d = sqrt(pi) Gamma((d+1)/2) / Gamma(d/2):
                      D is c_d times the mean of the distances in one dimension along all directions
    MMD^2             E k(X, X') + E k(Y, Y') - 2 E k(X, Y), k(x, y) = sum over sigma of exp(-|x - y|^2 / (2 sigma^2)) (Gretton et al. 2012)

A V-statistic takes the means over all pairs, a point with itself among them: never negative, and as large as chance makes it where P = Q.
A U-statistic leaves a point's distance to itself out: unbiased, 0 on average where P = Q, so that its slopes are unbiased too.
"""

from collections.abc import Callable, Sequence
from functools import cache
from math import exp, lgamma, pi, sqrt
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

Statistic = Literal["v", "u"]
BLOCK = 1 << 19
"""Pairs that are taken at a time: 4 MB of float64, which stay in a processor's cache. All pairs of 10,000 points would be 800 MB."""


def energy_distance(x: Float[Tensor, "n d"], y: Float[Tensor, "m d"], statistic: Statistic = "v") -> Float[Tensor, ""]:
    """The energy distance of two samples, in the units of x (not its root), over all pairs, a block at a time."""
    return 2 * mean_over_pairs(x, y, apart) - _own_pairs(x, apart, statistic) - _own_pairs(y, apart, statistic)


def squared_mmd(x: Float[Tensor, "n d"], y: Float[Tensor, "m d"], widths: Sequence[float], statistic: Statistic = "v") -> Float[Tensor, ""]:
    """MMD^2 of two samples under the sum of the Gaussian kernels of the given `widths` sigma, in the units of x."""

    def kernel(a: Tensor, b: Tensor) -> Tensor:
        square = squares(a, b)
        return torch.stack([torch.exp(square / (-2 * width**2)) for width in widths]).sum(0)

    return _own_pairs(x, kernel, statistic) + _own_pairs(y, kernel, statistic) - 2 * mean_over_pairs(x, y, kernel)


def sliced_energy_distance(x: Float[Tensor, "n d"], y: Float[Tensor, "m d"], directions: Float[Tensor, "s d"]) -> Float[Tensor, ""]:
    """c_d times the mean of the energy distances (V-statistics) along unit `directions`, in the units of x.

    For random directions an unbiased estimate of `energy_distance`, that costs s (n + m) log(n + m) instead of (n + m)^2.
    """
    n, m = len(x), len(y)
    value, order = torch.cat([directions @ x.T, directions @ y.T], 1).sort(1)
    step = torch.where(order < n, 1 / n, -1 / m).to(value.dtype)
    f_less_g = step.cumsum(1)[:, :-1]  # F - G between one point and the next
    return constant(x.shape[1]) * 2 * (f_less_g.square() * value.diff(dim=1)).sum(1).mean()


def spread_normal(count: int, d: int, device: torch.device | str = "cpu") -> Float[Tensor, "count d"]:
    """Points of N(0, I) that lie more evenly than independent ones: a lattice without end, moved by chance, through the inverse
    distribution function (Roberts 2018: the steps are powers of 1/g, g the root of g^(d+1) = g + 1). Each point alone is N(0, I)."""
    step = lattice_step(d).to(device)
    shift = torch.rand(d, dtype=torch.float64, device=device)
    place = (torch.arange(count, dtype=torch.float64, device=device)[:, None] * step + shift) % 1
    return torch.special.ndtri(place.clamp(1e-9, 1 - 1e-9)).float()


@cache
def lattice_step(d: int) -> Float[Tensor, " d"]:
    """Powers 1..d of 1/g."""
    g = 2.0
    for _ in range(64):
        g = (1 + g) ** (1 / (d + 1))
    return g ** -torch.arange(1, d + 1, dtype=torch.float64)


def random_directions(count: int, d: int, like: Tensor) -> Float[Tensor, "count d"]:
    """Unit vectors, each uniform on the sphere, in sets of up to d at right angles: their means vary less than of independent ones."""
    sets = -(-count // d)
    turned, r = torch.linalg.qr(torch.randn(sets, d, min(count, d), dtype=like.dtype, device=like.device))
    return (turned * r.diagonal(dim1=1, dim2=2).sign()[:, None]).mT.reshape(-1, d)[:count]


def constant(d: int) -> float:
    """c_d: what the mean length of the shadows of a vector of d dimensions on all lines is multiplied by to give its length."""
    return sqrt(pi) * exp(lgamma((d + 1) / 2) - lgamma(d / 2))


def mean_over_pairs(x: Float[Tensor, "n d"], y: Float[Tensor, "m d"], kernel: Callable[[Tensor, Tensor], Tensor]) -> Float[Tensor, ""]:
    """The mean of `kernel` over all n m pairs."""
    blocks = x.split(max(1, BLOCK // len(y)))
    return torch.stack([kernel(block, y).sum() for block in blocks]).sum() / (len(x) * len(y))


def _own_pairs(x: Float[Tensor, "n d"], kernel: Callable[[Tensor, Tensor], Tensor], statistic: Statistic) -> Float[Tensor, ""]:
    """The mean of the symmetric `kernel` over the pairs of a sample: all n^2, or (of a U-statistic) the n (n - 1) of different points."""
    n = len(x)
    blocks = x.split(max(1, BLOCK // n))
    own = torch.stack([kernel(block, block).sum() for block in blocks]).sum()
    later = [kernel(block, x[(place + 1) * len(block) :]).sum() for place, block in enumerate(blocks[:-1])]
    mean = (own + 2 * torch.stack(later).sum() if later else own) / n**2
    return mean if statistic == "v" else (n * mean - kernel(x[:1], x[:1]).mean()) / (n - 1)


def squares(a: Float[Tensor, "n d"], b: Float[Tensor, "m d"]) -> Float[Tensor, "n m"]:
    """|a_i - b_j|^2."""
    return (a.square().sum(1)[:, None] + b.square().sum(1) - 2 * a @ b.T).clamp(min=0)


def apart(a: Float[Tensor, "n d"], b: Float[Tensor, "m d"]) -> Float[Tensor, "n m"]:
    """|a_i - b_j|; two points in one place push each other nowhere (the slope is 0 there)."""
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
