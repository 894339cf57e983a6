"""Which examples to label next: those that the classifier is unsure of, and unsure of in different ways.

Source: Ash et al. 2020, "Deep batch active learning by diverse, uncertain gradient lower bounds" (BADGE). An example stands at the gradient
that the label loss would have in the classifier's last layer, were the likeliest class y^ the right one:

    g(x) = (q(y|x) - e_y^) h(x)^T                                           long where q(y|x) is unsure, 0 where it is sure
    chosen one by one, each with probability ~ min over those chosen |g - g'|^2               (k-means++)

Shapes: q(y|x) [N, K], h [N, H]; g [N, K, H] is never made, as <g, g'> = <a, a'> <h, h'> with a = q - e.
Departures: h is 1 and the code of x, which any system that encodes has. The origin, where what the network is sure of lies, counts as
chosen from the start, so that no sure example is taken for being unlike the unsure ones.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pushforward.core import UNLABELLED, BadInput, Classifies, Encodes, System
from pushforward.data import Dataset
from pushforward.data.chance import generator
from pushforward.metrics.batches import batches
from pushforward.metrics.classification import probabilities


def suggestions(system: System, dataset: Dataset, count: int, seed: int = 0) -> tuple[Int[Tensor, "m"], Float[Tensor, "m classes"]]:
    """Places in `dataset` of up to `count` images without a label that would teach most, the most useful first, and q(y|x) of each.

    Raises:
        BadInput: a system that does not classify and encode images, or data in which every label is known.
    """
    if dataset.image is None or not isinstance(system, Encodes) or not isinstance(system, Classifies):
        raise BadInput(
            f"{type(system).__name__} does not both classify and encode images, so it can suggest no labels. Use classification_vae."
        )
    label = torch.full((len(dataset),), UNLABELLED) if dataset.label is None else dataset.label.cpu()
    free = (label == UNLABELLED).nonzero().flatten()
    if not len(free):
        raise BadInput(f"Every one of the {len(dataset)} images of '{dataset.name}' has a label, so there is none to suggest.")
    candidates = dataset.part(free)
    p, h = probabilities(system, candidates), codes(system, candidates)
    chosen = diverse(p, h, count, seed)
    return free[chosen], p[chosen]


@torch.no_grad()
def codes(system: Encodes, dataset: Dataset) -> Float[Tensor, "n h"]:
    """1 and the code of each image, on the CPU."""
    assert isinstance(system, System)
    found = torch.cat([system.encode(batch["image"]).float().cpu() for batch in batches(system, dataset, 500)])
    return torch.cat([torch.ones(len(found), 1), found], 1)


def diverse(p: Float[Tensor, "n classes"], h: Float[Tensor, "n h"], count: int, seed: int = 0) -> Int[Tensor, "m"]:
    """Places of up to `count` rows, chosen as the file's caption says; fewer where all others lie at one that is chosen."""
    a = p.double() - torch.nn.functional.one_hot(p.argmax(1), p.shape[1])
    h = h.double()
    length = a.square().sum(1) * h.square().sum(1)
    chance, distance = generator("suggest", seed), length.clone()
    chosen: list[int] = []
    # rounding leaves a copy of what is chosen a little way off
    least = 1e-9 * length.max()
    while len(chosen) < count and bool((distance > least).any()):
        # the longest first, as in BADGE; the rest at random
        place = int(distance.argmax()) if not chosen else int(torch.multinomial(distance, 1, generator=chance))
        chosen.append(place)
        apart = length + length[place] - 2 * (a @ a[place]) * (h @ h[place])
        distance = torch.minimum(distance, apart)
        distance[distance <= least] = 0
    return torch.tensor(chosen, dtype=torch.int64)
