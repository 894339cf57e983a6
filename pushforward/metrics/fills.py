"""What completes images without learning a network: the bars that a completion has to pass.

mean colour    of what is seen
mean image     of the training images
Telea          marching inwards from the edge of the hole (Telea 2004), by OpenCV
PCA posterior  E[hidden | seen] where images are Gaussian: x = m + W s + e, s ~ N(0, I), e ~ N(0, t sigma^2 I)  (Tipping & Bishop 1999)

t is 1 where the model is true. What principal components leave of photos is correlated, and larger on new ones, so that the likeliest
sigma^2 trusts what is seen far too much; t and the number of components are chosen together, on training images kept apart.

Images are [n, c, h, w] in [-1, 1], masks [n, 1, h, w], 1 where hidden; what is seen stays as it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import util

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pushforward.core import BadInput, kept_apart
from pushforward.metrics.pictures import psnr

Images = Float[Tensor, "n c h w"]
Masks = Float[Tensor, "n 1 h w"]
Progress = Callable[[int, int], None]
"""Is told how many of how many are done."""
RADIUS = 3
"""Pixels that Telea's method looks around."""
COMPONENTS = (25, 50, 100, 200, 400, 800, 1600)
"""Numbers of directions that are tried,"""
NOISIER = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
"""and t,"""
EVERY = 10
"""on one of so many training images, kept apart for that,"""
ENOUGH = 100
"""and on so many of them at the most where each has a hole of its own."""


def mean_colour(image: Images, mask: Masks) -> Images:
    """The hole in the mean colour of what is seen."""
    seen = 1 - mask
    colour = (image * seen).sum((2, 3), keepdim=True) / seen.sum((2, 3), keepdim=True).clamp(min=1)
    return image * seen + colour * mask


def mean_image(image: Images, mask: Masks, train: Images) -> Images:
    """The hole as in the mean training image."""
    return image * (1 - mask) + train.mean(0) * mask


def telea(image: Images, mask: Masks) -> Images:
    """The hole by OpenCV's inpainting; of other channels than red, green and blue each by itself.

    Raises:
        BadInput: OpenCV is not there.
    """
    if not util.find_spec("cv2"):
        raise BadInput("Telea's method is OpenCV's, which is not installed here; use `pip install 'pushforward[compare]'`.")
    import cv2

    if image.shape[1] not in (1, 3):
        return torch.cat([telea(channel, mask) for channel in image.split(1, 1)], 1)
    pixels = ((image + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
    holes = mask[:, 0].byte().numpy()
    made = [cv2.inpaint(np.ascontiguousarray(x), hole, RADIUS, cv2.INPAINT_TELEA) for x, hole in zip(pixels, holes, strict=True)]
    filled = torch.from_numpy(np.stack(made)).view(len(image), *image.shape[2:], -1).permute(0, 3, 1, 2).float() / 127.5 - 1
    return image * (1 - mask) + filled * mask


Choice = tuple[int, float]
"""A number of directions, and t."""


@dataclass(frozen=True)
class GaussianImages:
    """Images as a Gaussian of few directions, by principal components."""

    mean: Float[Tensor, " d"]
    directions: Float[Tensor, "d k"]
    """Orthonormal, the one that explains most first,"""
    variance: Float[Tensor, " k"]
    """and what each explains."""
    total: float
    """Variance of all values together."""

    @classmethod
    def fitted(cls, train: Images, components: int) -> "GaussianImages":
        """The likeliest one of `components` directions, found by a randomised decomposition (Halko et al. 2011).

        Raises:
            BadInput: as many directions as there are images or values, or more.
        """
        from sklearn.utils.extmath import randomized_svd

        x = train.flatten(1)
        if not 0 < components < min(x.shape):
            raise BadInput(f"{components} components are asked of {len(x)} images of {x.shape[1]} values; give fewer, at least 1.")
        mean = x.mean(0)
        x = x - mean
        _, root, directions = randomized_svd(x.numpy(), components, n_iter=4, random_state=0)
        variance = torch.from_numpy(root).double().square() / len(x)
        total = float(x.square().sum(dtype=torch.float64)) / len(x)
        orthonormal = torch.linalg.qr(torch.from_numpy(directions).double().T)[0]  # float32 leaves them so to six digits
        return cls(mean.double(), orthonormal, variance, total)

    def noise(self, count: int) -> float:
        """The likeliest sigma^2 with `count` directions: what the others explain, evenly."""
        return max(1e-9, (self.total - float(self.variance[:count].sum())) / (len(self.mean) - count))

    def fill(self, image: Images, mask: Masks, count: int | None = None, times: float = 1.0, progress: Progress | None = None) -> Images:
        """The hole as E[hidden | seen] with `count` directions (all, where nothing is said) and so many times the likeliest noise."""
        return self.fills(image, mask, [(count or len(self.variance), times)], progress)[0]

    def fills(self, image: Images, mask: Masks, choices: list[Choice], progress: Progress | None = None) -> list[Images]:
        """The same for each choice; what a hole costs is paid once. progress: called with (holes done, different holes)."""
        made = [image.clone() for _ in choices]
        most = max(count for count, _ in choices)
        kinds, which = mask.flatten(1).unique(dim=0, return_inverse=True)
        for number, kind in enumerate(kinds):
            hidden, place = kind.bool().repeat(image.shape[1]), (which == number).nonzero().flatten()
            x, behind = image[place].flatten(1).double() - self.mean, self.directions[hidden, :most]
            square = torch.eye(most, dtype=torch.float64) - behind.T @ behind  # of what is seen: directions are orthonormal
            told = self.directions[:, :most].T @ x.masked_fill(hidden, 0).T
            for (count, times), filled in zip(choices, made, strict=True):
                noise = self.noise(count)
                root = (self.variance[:count] - noise).clamp(min=0).sqrt()[:, None]
                within = root * square[:count, :count] * root.T + times * noise * torch.eye(count, dtype=torch.float64)
                code = root * torch.cholesky_solve(root * told[:count], torch.linalg.cholesky(within))
                x[:, hidden] = (behind[:, :count] @ code).T
                answer = (x + self.mean).clamp(-1, 1).to(image.dtype).view(-1, *image.shape[1:])
                filled[place] = torch.where(mask[place] > 0, answer, image[place])
            if progress:
                progress(number + 1, len(kinds))
        return made


@dataclass(frozen=True)
class TunedGaussian:
    """A Gaussian of all training images, and what chooses its number of directions and its noise for a kind of hole."""

    whole: GaussianImages
    part: GaussianImages
    """Of all but those kept apart,"""
    kept: Images
    """which are these."""

    @classmethod
    def fitted(cls, train: Images) -> "TunedGaussian":
        """Fit to training images; a tenth is kept apart first.

        Raises:
            BadInput: too few of them for any number of directions.
        """
        kept = kept_apart(len(train), len(train) // EVERY)
        part, apart = train[~kept], train[kept]
        able = [count for count in COMPONENTS if len(apart) and count < min(len(part), train[0].numel())]
        if not able:
            raise BadInput(f"{len(train)} training images are too few for {COMPONENTS[0]} principal components; give more.")
        return cls(GaussianImages.fitted(train, able[-1]), GaussianImages.fitted(part, able[-1]), apart)

    def suited(self, mask: Masks) -> Choice:
        """The number of directions, and how many times the likeliest noise, that fill such holes best; mask: one for all, or several."""
        kept = self.kept if len(mask) == 1 else self.kept[:: -(-len(self.kept) // ENOUGH)]
        mask = mask[torch.arange(len(kept)) % len(mask)]
        able = [count for count in COMPONENTS if count <= len(self.part.variance)]
        choices = [(count, times) for count in able for times in NOISIER]
        heard = [psnr(kept, filled, mask) for filled in self.part.fills(kept, mask, choices)]
        return choices[max(range(len(choices)), key=heard.__getitem__)]
