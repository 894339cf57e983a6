"""What a hole hides, if images were Gaussian: where a network that paints begins.

x = m + U s + e, s ~ N(0, L), e ~ N(0, t sigma^2 I) over images of 64 pixels or fewer; E[hidden | seen] is the best linear answer (Tipping &
Bishop 1999), and faces, which all stand in the same place, have much that is linear. Cells that are hidden in part count by the share that
is seen. The number of directions, and t, how much more is left over than the likeliest sigma^2 says, are chosen on images kept apart.

Where all channels of a cell are seen by the same share w, the code c = E[L^-1/2 s | seen] solves, S = U L^1/2 the scaled directions,

    A c = S^T w (x - m),  A = t sigma^2 I + S^T S - S^T (1 - w) S

of which the last alone depends on the mask, and on those rows alone that it hides. Of masks that were met last A's Cholesky factor is kept.

A network that learns from images of which the Gaussian knows would learn to trust it too much. What one of N images, their mirror images
among them, adds to its own guess is linear in it: with z = L^-1 S^T (x - m) its code where nothing is hidden, (c - a z) / (1 - a) is left
without it, as of all linear smoothers, a = g z^T c / N. Directions lean towards their images too: g is such that guesses are as wrong as
those of images kept apart.

Shapes: images [n, C, H, W] in [-1, 1], masks [n, 1, H, W], 1 where hidden; U [d, K] with d = C h w of small images.
"""

from collections import OrderedDict
from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from pushforward.core import kept_apart

DIRECTIONS, SHARE = (100, 200, 400, 800), 4
"""What K is chosen from; of so many values of a small image one at the most: those left over tell the noise."""
NOISIER = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""What t is chosen from,"""
PULLS = tuple(number / 4 for number in range(25))
"""and g,"""
KEPT, ENOUGH = 10, 100
"""by images kept apart: one of so many, and so many at the most."""
MOST = 0.9
"""Of a."""
LEAST = 1e-3
"""Noise that there always is, so that single precision is enough."""
ROUNDS = 4
"""Of the decomposition."""
BLOCK = 160
"""Columns of a precision that are computed together."""
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
    pull: Tensor
    """g / N, times the share of images that it was fitted on."""
    scaled: Tensor
    products: Tensor

    def __init__(self, shape: tuple[int, ...], side: int):
        super().__init__()
        self.small = (shape[0], min(side, shape[1]), min(side, shape[2]))
        d = torch.Size(self.small).numel()
        count = min(max(DIRECTIONS), max(1, d // SHARE))
        self.register_buffer("mean", torch.zeros(d))
        self.register_buffer("directions", torch.zeros(count, d))
        self.register_buffer("variance", torch.zeros(count))
        self.register_buffer("noise", torch.ones(()))
        self.register_buffer("pull", torch.zeros(()))
        self.register_buffer("scaled", torch.zeros(0), persistent=False)
        self.register_buffer("products", torch.zeros(0), persistent=False)
        self.factors: OrderedDict[Mask, Tensor] = OrderedDict()
        self.register_load_state_dict_post_hook(forget)

    def shrunk(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
        """Small images, in float32."""
        return adaptive_avg_pool2d(x.float(), self.small[1:]).flatten(1)

    @torch.no_grad()
    def fit(self, images: Iterable[Tensor], among: int = 0) -> None:
        """Measure mean, directions and noise; the mirror image of each is as likely. What images kept apart have chosen is then measured
        anew on all of them, so that the network may be told of each that it is known.

        among: of how many images these are some; each of all of them is taken for as well known as they are on average.
        """
        x = torch.cat([self.shrunk(image).cpu() for image in images])
        kept = kept_apart(len(x), min(len(x) // KEPT, ENOUGH))
        fresh, train = (x[kept], x[~kept]) if bool(kept.any()) else (x.clone(), x.clone())
        known, number = train[:: max(1, len(train) // ENOUGH)][:ENOUGH].clone(), len(train)
        variance, total = self.measure(train)
        del train  # it may be large
        count, times = self.choose(variance, total, fresh)
        aim = self.wrong(fresh)
        pull = min(PULLS, key=lambda pull: abs(self.wrong(known, pull / (2 * number)) - aim))
        self.pull.fill_(pull / (2 * max(len(x), among)))
        variance, total = self.measure(x)
        self.noise.fill_(self.take(variance, total, count) * times)

    def measure(self, x: Float[Tensor, "n d"]) -> tuple[Float[Tensor, " k"], float]:
        """The mean and the directions of images, which are lost, and of mirrored ones -> variances along these; that of all values."""
        mirror = torch.arange(x.shape[1]).view(self.small).flip(2).flatten()
        mean = x.mean(0)
        mean = (mean + mean[mirror]) / 2
        x -= mean
        total = float(x.square().sum(dtype=torch.float64)) / len(x)
        even = x[:, mirror].add_(x).div_(2)
        found = [principal(part, len(self.variance)) for part in (even, x.sub_(even))]  # directions are even or odd
        variance, directions = map(torch.cat, zip(*found, strict=True))
        variance, first = variance.topk(min(len(self.variance), len(variance)))
        self.mean.copy_(mean)
        self.directions.zero_()[: len(first)].copy_(directions[first])
        return variance, total

    def choose(self, variance: Float[Tensor, " k"], total: float, fresh: Float[Tensor, "n d"]) -> tuple[int, float]:
        """How many directions, and how much more noise than is left over, guess images best on which they were not measured; total:
        variance of all values."""
        found = {}
        for count in [count for count in DIRECTIONS if count < len(variance)] + [len(variance)]:
            rest = self.take(variance, total, count)
            for times in NOISIER:
                self.noise.fill_(rest * times)
                self.factors.clear()
                found[count, times] = self.wrong(fresh)
        count, times = min(found, key=found.__getitem__)
        self.noise.fill_(self.take(variance, total, count) * times)
        return count, times

    def take(self, variance: Float[Tensor, " k"], total: float, count: int) -> float:
        """Keep so many directions -> sigma^2, what the others explain, evenly."""
        rest = max(0.0, total - float(variance[:count].sum())) / max(1, len(self.mean) - count) + LEAST
        self.variance.zero_()[:count].copy_((variance[:count] - rest).clamp(min=0))
        forget(self, None)
        return rest

    def wrong(self, x: Float[Tensor, "n d"], pull: float | None = None) -> float:
        """The mean logarithm of squared errors on halves, and that on the middle, together; pull: of images that it knows."""
        x, (channels, height, width) = x.to(self.mean.device), self.small
        hidden = torch.zeros(3, height, width, device=x.device)
        hidden[0, :, : width // 2] = hidden[1, height // 2 :] = 1
        hidden[2, height // 4 : -(-3 * height // 4), width // 4 : -(-3 * width // 4)] = 1
        if pull is not None:
            self.pull.fill_(pull)
        total = 0.0
        for mask in hidden.flatten(1):
            hole = mask.repeat(channels)
            guess = self.expected(x * (1 - hole), (1 - mask).expand(len(x), -1), None if pull is None else x)
            total += float((((guess - x) * hole).square().sum(1) / hole.sum().clamp(min=1) + LEAST).log().mean())
        return total

    def expected(
        self, x: Float[Tensor, "n d"], weight: Float[Tensor, "n cells"], known: Float[Tensor, "n d"] | None = None
    ) -> Float[Tensor, "n d"]:
        """E[small image | its seen cells]; weight: the share of each that is seen; known: whole images that it was fitted on."""
        with torch.autocast("cpu", enabled=False), torch.autocast("cuda", enabled=False):
            if not len(self.scaled):
                used = len(self.variance) if self.variance.is_meta else max(1, int((self.variance > 0).sum()))
                self.scaled = (self.directions[:used] * self.variance[:used].sqrt()[:, None]).T.contiguous()
                self.products = self.scaled.T @ self.scaled
            told = (weight.repeat(1, self.small[0]) * (x - self.mean)) @ self.scaled
            factors = (self.factor(mask, row) for mask, row in zip(told_apart(weight), weight, strict=True))
            codes = [torch.cholesky_solve(row[:, None], factor) for row, factor in zip(told, factors, strict=True)]
            code = torch.cat(codes, 1).T
            return self.mean + (code if known is None else self.apart(code, known)) @ self.scaled.T

    def apart(self, code: Float[Tensor, "n k"], known: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        """Codes of known images as if these had not been among those that the Gaussian was fitted on."""
        whole = (known - self.mean) @ self.scaled / self.variance[: code.shape[1]].clamp(min=1e-9)
        own = (self.pull * (whole * code).sum(1, keepdim=True)).clamp(0, MOST)
        return (code - own * whole) / (1 - own)

    def factor(self, mask: Mask, weight: Float[Tensor, " cells"]) -> Float[Tensor, "k k"]:
        """Cholesky factor of the code's precision: one at a time, so that it is the same to the bit whatever it is asked beside."""
        if mask not in self.factors:
            hides = (1 - weight).sqrt().repeat(self.small[0])[:, None]
            behind = self.scaled * hides if weight.is_meta else self.scaled[hides[:, 0] > 0] * hides[hides > 0][:, None]
            precision = self.products.clone()
            for start in range(0, len(precision), BLOCK):  # of a symmetric matrix half is enough
                precision[start:, start : start + BLOCK] -= behind[:, start:].T @ behind[:, start : start + BLOCK]
            precision.diagonal().add_(self.noise)
            self.factors[mask] = torch.linalg.cholesky(precision)
        self.factors.move_to_end(mask)
        while len(self.factors) > MASKS:
            self.factors.popitem(last=False)
        return self.factors[mask]

    @torch.no_grad()
    def forward(
        self, x: Float[Tensor, "n c h w"], mask: Float[Tensor, "n 1 h w"], known: Float[Tensor, "n c h w"] | None = None
    ) -> Float[Tensor, "n c h w"]:
        """The guess, of what is seen too, where it is what few directions can say of it; known: images without holes, if it was fitted on
        them and is to guess as if it had not been."""
        weight = self.shrunk(1 - mask)
        seen = self.shrunk(x * (1 - mask)) / weight.clamp(min=1e-6).repeat(1, x.shape[1])
        guess = self.expected(seen, weight, None if known is None else self.shrunk(known)).view(-1, *self.small)
        return interpolate(guess, x.shape[2:], mode="bilinear", align_corners=False).clamp(-1, 1)


def told_apart(weight: Float[Tensor, "n cells"]) -> list[Mask]:
    """A name of each mask; on the meta device, where nothing is computed, they are all one."""
    rows = [b""] * len(weight) if weight.is_meta else [row.tobytes() for row in weight.cpu().numpy()]
    return [(weight.device, row) for row in rows]


def principal(x: Float[Tensor, "n d"], count: int) -> tuple[Float[Tensor, " k"], Float[Tensor, "k d"]]:
    """The largest variances around 0 and their directions, k of count at the most, by a randomised decomposition (Halko et al. 2011)."""
    from sklearn.utils.extmath import randomized_svd

    _, root, directions = randomized_svd(x.numpy(), min(count, *x.shape), n_iter=ROUNDS, random_state=0)
    return torch.from_numpy(root).square() / len(x), torch.from_numpy(directions)


def forget(guess: FirstGuess, _: object) -> None:
    """Directions have come from elsewhere."""
    guess.scaled, guess.products = guess.scaled.new_zeros(0), guess.products.new_zeros(0)
    guess.factors.clear()
