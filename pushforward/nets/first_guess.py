"""What a hole hides, if small images were Gaussian: where a network that paints begins.

x = m + U s + e, s ~ N(0, L), e ~ N(0, t sigma^2 I) over images of 32 pixels or fewer; E[hidden | seen] is the best linear answer (Tipping &
Bishop 1999), and faces, which all stand in the same place, have much that is linear. Cells that are hidden in part count by the share that
is seen. t, how much more is left over than the likeliest sigma^2 says, is chosen on images kept apart.

Where every channel of a cell is seen by the same share w, the code's precision given what is seen is, s_k the k-th scaled direction,

    A_ij = t sigma^2 1(i = j) + sum over cells w sum over channels s_i s_j

so products of directions in cells, of which half are kept, are multiplied by w: a sixth of the work of scaling directions for each image.
It depends on the mask alone: of those that were met last its Cholesky factor is kept.

Shapes: images [n, C, H, W] in [-1, 1], masks [n, 1, H, W], 1 where hidden; U [K, d] with d = C h w of small images.
"""

from collections import OrderedDict
from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, interpolate

DIRECTIONS, SHARE = 300, 4
"""K at the most; of so many values of a small image one: those left over tell the noise."""
KEPT, ENOUGH = 10, 100
"""Of so many images one is kept apart, up to so many, to choose t by."""
LEAST = 1e-3
"""Noise that there always is, so that single precision is enough."""
NOISIER = (1.0, 3.0, 10.0, 30.0, 100.0)
"""What t is chosen from."""
MASKS = 64
"""Of so many masks factors are kept, of K^2 values each."""

Mask = tuple[torch.device, bytes]
"""What tells masks apart: where one lies, and the shares of its cells that are seen."""


class FirstGuess(nn.Module):
    """side: pixels of small images. Until it is fitted its guess is grey."""

    mean: Tensor
    directions: Tensor
    variance: Tensor
    noise: Tensor
    products: Tensor

    def __init__(self, shape: tuple[int, ...], side: int):
        super().__init__()
        self.small = (shape[0], min(side, shape[1]), min(side, shape[2]))
        d = torch.Size(self.small).numel()
        count = min(DIRECTIONS, max(1, d // SHARE))
        self.register_buffer("mean", torch.zeros(d))
        self.register_buffer("directions", torch.zeros(count, d))
        self.register_buffer("variance", torch.zeros(count))
        self.register_buffer("noise", torch.ones(()))
        self.register_buffer("products", torch.zeros(0), persistent=False)
        self.factors: OrderedDict[Mask, Tensor] = OrderedDict()
        self.register_load_state_dict_post_hook(forget)

    def shrunk(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
        """Small images, in float32."""
        return adaptive_avg_pool2d(x.float(), self.small[1:]).flatten(1)

    @torch.no_grad()
    def fit(self, images: Iterable[Tensor]) -> None:
        """Measure mean, directions and noise; the mirror image of each is as likely."""
        from scipy.linalg import eigh

        x = torch.cat([self.shrunk(image).cpu() for image in images]).double()
        kept = torch.arange(len(x)) % KEPT == KEPT - 1
        train = x[~kept] if bool(kept.any()) else x
        mirror = torch.arange(train.shape[1]).view(self.small).flip(2).flatten()
        mean, spread, d = train.mean(0), torch.cov(train.T, correction=0), len(mirror)
        aside = (mean - mean[mirror]) / 2
        spread = spread + torch.outer(aside, aside)
        spread = (spread + spread[mirror][:, mirror]) / 2
        count = min(len(self.variance), max(1, len(train) - 1))
        variance, directions = map(torch.from_numpy, eigh(spread.numpy(), subset_by_index=(d - count, d - 1)))
        rest = float((spread.trace() - variance.sum()).clamp(min=0)) / (d - count) + LEAST
        forget(self, None)
        self.mean.copy_(mean - aside)
        self.variance.zero_()[:count].copy_((variance.flip(0) - rest).clamp(min=0))
        self.directions.zero_()[:count].copy_(directions.T.flip(0))
        chosen = x[kept][:ENOUGH] if bool(kept.any()) else x
        self.noise.fill_(min((rest * times for times in NOISIER), key=lambda noise: self.wrong(chosen, noise)))
        self.factors.clear()

    def wrong(self, x: Float[Tensor, "n d"], noise: float) -> float:
        """Squared error on halves and on the middle of small images."""
        self.noise.fill_(noise)
        self.factors.clear()
        x, (channels, height, width) = x.float().to(self.mean.device), self.small
        hidden = torch.zeros(3, height, width, device=x.device)
        hidden[0, :, : width // 2] = hidden[1, height // 2 :] = 1
        hidden[2, height // 4 : -(-3 * height // 4), width // 4 : -(-3 * width // 4)] = 1
        total = 0.0
        for mask in hidden.flatten(1):
            hole = mask.repeat(channels)
            wrong = (self.expected(x * (1 - hole), (1 - mask).expand(len(x), -1)) - x) * hole
            total += float(wrong.square().sum() / hole.sum().clamp(min=1))
        return total

    def expected(self, x: Float[Tensor, "n d"], weight: Float[Tensor, "n cells"]) -> Float[Tensor, "n d"]:
        """E[small image | its seen cells]; weight: the share of each that is seen."""
        with torch.autocast("cpu", enabled=False), torch.autocast("cuda", enabled=False):
            spread = self.directions * self.variance.sqrt()[:, None]
            told = (weight.repeat(1, self.small[0]) * (x - self.mean)) @ spread.T
            factors = torch.stack([self.factor(mask, row, spread) for mask, row in zip(told_apart(weight), weight, strict=True)])
            return self.mean + torch.cholesky_solve(told[:, :, None], factors)[..., 0] @ spread

    def factor(self, mask: Mask, weight: Float[Tensor, " cells"], spread: Float[Tensor, "k d"]) -> Float[Tensor, "k k"]:
        """Cholesky factor of the code's precision: one at a time, so that it is the same to the bit whatever it is asked beside."""
        if mask not in self.factors:
            if not len(self.products):
                self.products = products(spread, self.small[0])
            i, j = torch.tril_indices(len(spread), len(spread), device=spread.device)
            precision = spread.new_zeros(len(spread), len(spread))
            precision[i, j] = weight @ self.products  # of a symmetric matrix half is enough
            precision.diagonal().add_(self.noise)
            self.factors[mask] = torch.linalg.cholesky(precision)
        self.factors.move_to_end(mask)
        while len(self.factors) > MASKS:
            self.factors.popitem(last=False)
        return self.factors[mask]

    @torch.no_grad()
    def forward(self, x: Float[Tensor, "n c h w"], mask: Float[Tensor, "n 1 h w"]) -> Float[Tensor, "n c h w"]:
        """The guess, of what is seen too, where it is what few directions can say of it."""
        weight = self.shrunk(1 - mask)
        seen = self.shrunk(x * (1 - mask)) / weight.clamp(min=1e-6).repeat(1, x.shape[1])
        guess = self.expected(seen, weight).view(-1, *self.small)
        return interpolate(guess, x.shape[2:], mode="bilinear", align_corners=False).clamp(-1, 1)


def told_apart(weight: Float[Tensor, "n cells"]) -> list[Mask]:
    """A name of each mask; on the meta device, where nothing is computed, they are all one."""
    rows = [b""] * len(weight) if weight.is_meta else [row.tobytes() for row in weight.cpu().numpy()]
    return [(weight.device, row) for row in rows]


def products(spread: Float[Tensor, "k d"], channels: int) -> Float[Tensor, "cells pairs"]:
    """Of each pair i >= j of scaled directions, summed over channels."""
    i, j = torch.tril_indices(len(spread), len(spread), device=spread.device)
    total = spread.new_zeros(len(i), spread.shape[1] // channels)
    for part in spread.chunk(channels, 1):
        total += part[i] * part[j]
    return total.T.contiguous()


def forget(guess: FirstGuess, _: object) -> None:
    """Directions have come from elsewhere."""
    guess.products = guess.products.new_zeros(0)
    guess.factors.clear()
