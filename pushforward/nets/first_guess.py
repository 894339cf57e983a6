"""What a hole hides, if small images were Gaussian: where a network that paints begins.

x = m + U s + e, s ~ N(0, L), e ~ N(0, t sigma^2 I) over images of 32 pixels or fewer; E[hidden | seen] is the best linear answer (Tipping &
Bishop 1999), and faces, which all stand in the same place, have much that is linear. Cells that are hidden in part count by the share that
is seen. t, how much more is left over than the likeliest sigma^2 says, is chosen on images kept apart.

Shapes: images [n, C, H, W] in [-1, 1], masks [n, 1, H, W], 1 where hidden; U [K, d] with d = C h w of small images.
"""

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, interpolate

DIRECTIONS = 150
"""K at the most,"""
KEPT, ENOUGH = 10, 100
"""and of so many images one is kept apart, up to so many, to choose t by."""
LEAST = 1e-3
"""Noise that there always is, so that single precision is enough."""
NOISIER = (1.0, 3.0, 10.0, 30.0, 100.0)
"""What t is chosen from."""


class FirstGuess(nn.Module):
    """side: pixels of small images. Until it is fitted its guess is grey."""

    mean: Tensor
    directions: Tensor
    variance: Tensor
    noise: Tensor

    def __init__(self, shape: tuple[int, ...], side: int):
        super().__init__()
        self.small = (shape[0], min(side, shape[1]), min(side, shape[2]))
        d = torch.Size(self.small).numel()
        count = min(DIRECTIONS, d - 1)
        self.register_buffer("mean", torch.zeros(d))
        self.register_buffer("directions", torch.zeros(count, d))
        self.register_buffer("variance", torch.zeros(count))
        self.register_buffer("noise", torch.ones(()))

    def shrunk(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
        """Small images, in float32."""
        return adaptive_avg_pool2d(x.float(), self.small[1:]).flatten(1)

    @torch.no_grad()
    def fit(self, images: Iterable[Tensor]) -> None:
        """Measure mean, directions and noise."""
        from scipy.linalg import eigh

        x = torch.cat([self.shrunk(image).cpu() for image in images]).double()
        kept = torch.arange(len(x)) % KEPT == KEPT - 1
        train = x[~kept] if bool(kept.any()) else x
        spread, d = torch.cov(train.T, correction=0), train.shape[1]
        count = min(len(self.variance), max(1, len(train) - 1))
        variance, directions = map(torch.from_numpy, eigh(spread.numpy(), subset_by_index=(d - count, d - 1)))
        rest = float((spread.trace() - variance.sum()).clamp(min=0)) / (d - count) + LEAST
        self.mean.copy_(train.mean(0))
        self.variance.zero_()[:count].copy_((variance.flip(0) - rest).clamp(min=0))
        self.directions.zero_()[:count].copy_(directions.T.flip(0))
        chosen = x[kept][:ENOUGH] if bool(kept.any()) else x
        self.noise.fill_(min((rest * times for times in NOISIER), key=lambda noise: self.wrong(chosen, noise)))

    def wrong(self, x: Float[Tensor, "n d"], noise: float) -> float:
        """Squared error on halves and on the middle of small images."""
        self.noise.fill_(noise)
        x, (channels, height, width) = x.float().to(self.mean.device), self.small
        hidden = torch.zeros(3, height, width, device=x.device)
        hidden[0, :, : width // 2] = hidden[1, height // 2 :] = 1
        hidden[2, height // 4 : -(-3 * height // 4), width // 4 : -(-3 * width // 4)] = 1
        total = 0.0
        for mask in hidden:
            weight = (1 - mask).flatten().repeat(channels).expand(len(x), -1)
            total += float(((self.expected(x * weight, weight) - x) * (1 - weight)).square().sum() / (1 - weight).sum().clamp(min=1))
        return total

    def expected(self, x: Float[Tensor, "n d"], weight: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
        """E[small image | its seen cells]; weight: the share of each that is seen."""
        with torch.autocast("cpu", enabled=False), torch.autocast("cuda", enabled=False):
            spread = self.directions * self.variance.sqrt()[:, None]
            within = (spread * weight[:, None]) @ spread.T
            within.diagonal(dim1=1, dim2=2).add_(self.noise)
            told = (weight * (x - self.mean)) @ spread.T
            code = torch.cholesky_solve(told[:, :, None], torch.linalg.cholesky(within))[..., 0]
            return self.mean + code @ spread

    @torch.no_grad()
    def forward(self, x: Float[Tensor, "n c h w"], mask: Float[Tensor, "n 1 h w"]) -> Float[Tensor, "n c h w"]:
        """The guess, of what is seen too, where it is what few directions can say of it."""
        weight = self.shrunk(1 - mask).view(len(x), 1, -1).expand(-1, x.shape[1], -1).flatten(1)
        seen = self.shrunk(x * (1 - mask)) / weight.clamp(min=1e-6)
        guess = self.expected(seen, weight).view(-1, *self.small)
        return interpolate(guess, x.shape[2:], mode="bilinear", align_corners=False).clamp(-1, 1)
