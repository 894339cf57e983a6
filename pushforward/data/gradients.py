"""Where an image's brightness rises, and in which direction: histograms of gradients.

Strokes that run alike have like gradients in like places, whatever their thickness; for handwritten digits they are the features that
nearest neighbours and kernels have done best with (Liu, Nakashima, Sako & Fujisawa 2003; for photographs Dalal & Triggs 2005).
"""

from math import pi

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import pad

DIRECTIONS = 8
CELLS = 7
"""Along each side. Cells overlap: each is a Gaussian whose standard deviation is half a cell."""
BLUR = 0.7
"""Standard deviation, in pixels, of the Gaussian that smooths an image before its slopes are taken."""


def gradients(image: UInt8[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
    """Square roots of the gradients' lengths, summed over cells for each of `DIRECTIONS`: d = channels * directions * cells^2 features."""
    n, _, h, w = image.shape
    x = image.flatten(0, 1).float() / 255
    x = gaussian(h, torch.arange(h), BLUR) @ x @ gaussian(w, torch.arange(w), BLUR).T
    across, down = pad(x, (1, 1, 0, 0)), pad(x, (0, 0, 1, 1))
    across, down = across[..., 2:] - across[..., :-2], down[..., 2:, :] - down[..., :-2, :]
    length, turn = torch.hypot(across, down), torch.atan2(down, across) * (DIRECTIONS / (2 * pi))
    rows, columns = (gaussian(side, (torch.arange(CELLS) + 0.5) * side / CELLS - 0.5, side / CELLS / 2) for side in (h, w))
    cells = []
    for direction in range(DIRECTIONS):
        apart = (turn - direction).remainder(DIRECTIONS)
        near = (1 - torch.minimum(apart, DIRECTIONS - apart)).clamp(min=0)  # a gradient is shared by the two directions beside it
        cells.append(rows @ (near * length) @ columns.T)
    return torch.stack(cells, 1).view(n, -1).clamp(min=0).sqrt()


def gaussian(side: int, centre: Float[Tensor, "m"], width: float) -> Float[Tensor, "m {side}"]:
    """Rows that take Gaussian means around `centre` of what lies along a side, in pixels."""
    weight = torch.exp(-((torch.arange(side) - centre[:, None]) ** 2) / (2 * width**2))
    return weight / weight.sum(1, keepdim=True)
