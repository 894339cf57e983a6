"""The same random change of a source and of its image: moved a little, mirrored or not (after Isola et al. 2017).

Departure: the paper enlarges images by 286 / 256 before it cuts the old size out of them. Of 64 pixels that leaves a third of the sharpness
(variance of the Laplacian), and a critic takes for real what is not sharp. Here images move as far and keep their pixels; what comes in at
an edge mirrors what is there.
"""

import torch
from jaxtyping import Float
from torch import Tensor

FURTHEST = (286 - 256) / 2 / 256
"""How far an image moves at the most, as a share of its side."""


def jittered(
    source: Float[Tensor, "n s h w"], image: Float[Tensor, "n c h w"], flips: bool = True, twins: tuple[int, ...] = ()
) -> tuple[Float[Tensor, "n s h w"], Float[Tensor, "n c h w"]]:
    """Both, changed alike. twins: the map that each of the source becomes in a mirror, where left and right are different parts. Random
    numbers come from torch's default generator."""
    n = len(image)
    rows, columns = (moved(n, side, image.device) for side in image.shape[2:])
    if flips:
        mirrored = torch.rand(n, 1, device=image.device) < 0.5
        columns = torch.where(mirrored, columns.flip(1), columns)
        source = torch.where(mirrored[:, :, None, None], source[:, list(twins)], source) if twins else source
    changed = []
    for x in (source, image):
        taken = torch.take_along_dim(x, rows[:, None, :, None], 2)
        changed.append(torch.take_along_dim(taken, columns[:, None, None, :], 3))
    return changed[0], changed[1]


def moved(count: int, side: int, device: torch.device) -> Tensor:
    """Places int64 [count, side] that an axis is read at."""
    most = min(side - 1, max(1, round(FURTHEST * side)))
    place = torch.arange(side, device=device) + torch.randint(-most, most + 1, (count, 1), device=device)
    place = place.abs()
    return torch.where(place >= side, 2 * (side - 1) - place, place)
