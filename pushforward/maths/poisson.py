"""Seams that disappear: inside a hole the slopes of one image, at its edge the values of another (Perez, Gangnet & Blake 2003).

    inside the hole   sum over neighbours q of p of (f_p - f_q) = sum of (g_p - g_q),  g the image whose slopes are wanted
    outside it        f = the image around the hole

One sparse linear system for each image, solved exactly.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor


def blended(around: Float[Tensor, "n c h w"], inside: Float[Tensor, "n c h w"], mask: Float[Tensor, "n 1 h w"]) -> Float[Tensor, "n c h w"]:
    """Images that are `around` where mask is 0, to the bit, and have the slopes of `inside` where it is 1."""
    made = [one_blended(a, b, m[0] > 0.5) for a, b, m in zip(around, inside, mask, strict=True)]
    return torch.stack(made) if made else around.clone()


def one_blended(around: Float[Tensor, "c h w"], inside: Float[Tensor, "c h w"], hole: Tensor) -> Float[Tensor, "c h w"]:
    """One image; a hole without an edge (the whole image) keeps `inside`."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.linalg import splu

    hidden = hole.cpu().numpy()
    if not hidden.any():
        return around.clone()
    if hidden.all():
        return inside.clone()
    f, g = around.double().cpu().numpy(), inside.double().cpu().numpy()
    height, width = hidden.shape
    number = np.full(hidden.shape, -1)
    row, column = np.nonzero(hidden)
    number[row, column] = np.arange(len(row))
    degree, right = np.zeros(len(row)), np.zeros((len(row), len(f)))
    ones, twos = [], []
    for down, across in ((-1, 0), (1, 0), (0, -1), (0, 1)):
        r, k = row + down, column + across
        there = (r >= 0) & (r < height) & (k >= 0) & (k < width)
        p, q = np.arange(len(row))[there], (r[there], k[there])
        degree[p] += 1
        right[p] += (g[:, row[there], column[there]] - g[:, q[0], q[1]]).T
        beside = number[q]
        known = beside < 0
        right[p[known]] += f[:, q[0][known], q[1][known]].T
        ones.append(p[~known])
        twos.append(beside[~known])
    first, second = np.concatenate([*ones, np.arange(len(row))]), np.concatenate([*twos, np.arange(len(row))])
    value = np.concatenate([-np.ones(sum(map(len, ones))), degree])
    system = coo_matrix((value, (first, second)), shape=(len(row), len(row))).tocsc()
    # symmetric and positive definite: an order for such, and no pivots, take two thirds of the memory
    found = splu(system, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}).solve(right)
    out = around.clone()
    out[:, torch.from_numpy(row), torch.from_numpy(column)] = torch.from_numpy(found.T.copy()).to(out)
    return out
