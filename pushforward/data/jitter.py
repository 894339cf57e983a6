"""The same random change of a source and of its image: enlarged a little, cut at a random place, mirrored or not (Isola et al. 2017)."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

LARGER = 286 / 256
"""Of the paper: images of 256 pixels are enlarged to 286, of which 256 are cut out."""


def jittered(
    source: Float[Tensor, "n s h w"], image: Float[Tensor, "n c h w"], flips: bool = True, twins: tuple[int, ...] = ()
) -> tuple[Float[Tensor, "n s h w"], Float[Tensor, "n c h w"]]:
    """Both, changed alike; a source of zeros and ones stays one. twins: the map that each of the source becomes in a mirror, where left and
    right are different parts. Random numbers come from torch's default generator."""
    n, _, height, width = image.shape
    up = [max(side + 1, round(side * LARGER)) for side in (height, width)]
    place = []
    for dimension, (large, small) in enumerate(zip(up, (height, width), strict=True), 2):
        start = torch.randint(0, large - small + 1, (n, 1, 1, 1), device=image.device)
        place.append(start + torch.arange(small, device=image.device).view(-1, *[1] * (3 - dimension)))
    if flips:
        mirrored = torch.rand(n, 1, 1, 1, device=image.device) < 0.5
        place[1] = torch.where(mirrored, place[1].flip(3), place[1])
        source = torch.where(mirrored, source[:, list(twins)], source) if twins else source
    changed = []
    for x in (source, image):
        binary = x is source and bool(((x == 0) | (x == 1)).all())
        larger = interpolate(x, up, mode="nearest-exact") if binary else interpolate(x, up, mode="bilinear", antialias=True)
        rows = torch.take_along_dim(larger, place[0], 2)
        changed.append(torch.take_along_dim(rows, place[1], 3))
    return changed[0], changed[1]
