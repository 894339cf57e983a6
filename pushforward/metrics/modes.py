"""Which kinds of examples are made at all, and how often."""

from math import log

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pushforward.core import BadInput


def mode_coverage(kinds: Int[Tensor, " n"], share: Float[Tensor, " k"], least: int = 1) -> tuple[int, float]:
    """How many of k kinds were made at least `least` times, and KL(made || real) in nats between their frequencies.

    kinds: of each made example, in 0..k-1; share: of each kind among the real ones (Srivastava et al. 2017: 26,000 stacked digits of 1,000
    kinds). KL is that of the empirical frequencies: with n examples of k equally frequent kinds a perfect generator has about (k - 1) / 2n.

    Raises:
        BadInput: no example, or a kind that is not known.
    """
    if not len(kinds):
        raise BadInput("No example was made, so no kind can be counted; give at least one.")
    if not (int(kinds.min()) >= 0 and int(kinds.max()) < len(share)):
        raise BadInput(f"Kinds lie in {int(kinds.min())}..{int(kinds.max())}, but only 0..{len(share) - 1} are known.")
    count = torch.bincount(kinds, minlength=len(share)).double()
    made, real = count / count.sum(), share.double() / share.double().sum()
    nats = torch.special.xlogy(made, made / real).sum()
    return int((count >= least).sum()), float(nats)


def near_modes(x: Float[Tensor, "n d"], centre: Float[Tensor, "k d"], sigma: float, within: float = 3.0) -> dict[str, float]:
    """Of Gaussian modes at `centre` with standard deviation `sigma`: how many have a point within `within` sigma, the share of points that
    lie so near to one, and how wide those lie, root mean square as a share of sigma: .97 of points of Gaussians in the plane, of which
    3 sigma leave out the farthest."""
    distance, nearest = torch.cdist(x.double(), centre.double()).min(1)
    near = distance < within * sigma
    count = torch.bincount(nearest[near], minlength=len(centre)).double()
    frequency = count / count.sum().clamp(min=1)
    nats = float(torch.special.xlogy(frequency, frequency * len(centre)).sum()) if count.sum() else log(len(centre))
    width = float(distance[near].square().mean().div(x.shape[1]).sqrt() / sigma) if count.sum() else 0.0
    return {"modes": int((count > 0).sum()), "within": float(near.double().mean()), "width": width, "KL to even": nats}
