"""What completes images without learning a network: the bars that a completion has to pass.

mean colour    of what is seen
mean image     of the training images
Telea          marching inwards from the edge of the hole (Telea 2004), by OpenCV
PCA posterior  E[hidden | seen] where images are Gaussian: x = m + W s + e, s ~ N(0, I), e ~ N(0, sigma^2 I)   (Tipping & Bishop 1999)

Images are [n, c, h, w] in [-1, 1], masks [n, 1, h, w], 1 where hidden; what is seen stays as it is.
"""

from dataclasses import dataclass
from importlib import util

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pushforward.core import BadInput
from pushforward.metrics.pictures import psnr

Images = Float[Tensor, "n c h w"]
Masks = Float[Tensor, "n 1 h w"]
RADIUS = 3
"""Pixels that Telea's method looks around."""
COMPONENTS = (25, 50, 100, 200, 400, 800)
"""Numbers of directions that are tried,"""
KEPT = 0.1
"""on this share of the training images, which are kept apart for that."""


def mean_colour(image: Images, mask: Masks) -> Images:
    """The hole in the mean colour of what is seen."""
    seen = 1 - mask
    colour = (image * seen).sum((2, 3), keepdim=True) / seen.sum((2, 3), keepdim=True).clamp(min=1)
    return image * seen + colour * mask


def mean_image(image: Images, mask: Masks, train: Images) -> Images:
    """The hole as in the mean training image."""
    return image * (1 - mask) + train.mean(0) * mask


def telea(image: Images, mask: Masks) -> Images:
    """The hole by OpenCV's inpainting.

    Raises:
        BadInput: OpenCV is not there.
    """
    if not util.find_spec("cv2"):
        raise BadInput("Telea's method is OpenCV's, which is not installed here; use `pip install 'pushforward[compare]'`.")
    import cv2

    pixels = ((image + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
    holes = mask[:, 0].byte().numpy()
    made = [cv2.inpaint(np.ascontiguousarray(x), hole, RADIUS, cv2.INPAINT_TELEA) for x, hole in zip(pixels, holes, strict=True)]
    filled = torch.from_numpy(np.stack(made)).view(len(image), *image.shape[2:], -1).permute(0, 3, 1, 2).float() / 127.5 - 1
    return image * (1 - mask) + filled * mask


@dataclass(frozen=True)
class GaussianImages:
    """Images as a Gaussian of few directions, by principal components."""

    mean: Float[Tensor, " d"]
    spread: Float[Tensor, "d k"]
    """W."""
    noise: float
    """sigma^2."""

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
        noise = max(0.0, float((x.square().sum(dtype=torch.float64) / len(x) - variance.sum()) / (x.shape[1] - components)))
        return cls(mean.double(), torch.from_numpy(directions).double().T * (variance - noise).clamp(min=0).sqrt(), noise)

    def fewer(self, components: int) -> "GaussianImages":
        """That of the first directions alone, what the others explain being noise."""
        lost = float(self.spread[:, components:].square().sum())
        d, k = self.spread.shape
        noise = (self.noise * (d - k) + lost + self.noise * (k - components)) / (d - components)
        length = self.spread[:, :components].square().sum(0)
        scale = ((length + self.noise - noise).clamp(min=0) / length.clamp(min=1e-300)).sqrt()
        return GaussianImages(self.mean, self.spread[:, :components] * scale, noise)

    def fill(self, image: Images, mask: Masks) -> Images:
        """The hole as E[hidden | seen]."""
        c = image.shape[1]
        found = torch.empty_like(image)
        kinds, which = mask.flatten(1).unique(dim=0, return_inverse=True)
        for number, kind in enumerate(kinds):
            hidden = kind.bool().repeat(c)
            place = (which == number).nonzero().flatten()
            x = image[place].flatten(1).double() - self.mean
            seen = self.spread[~hidden]
            within = seen.T @ seen + self.noise * torch.eye(seen.shape[1], dtype=torch.float64)
            code = torch.linalg.solve(within, seen.T @ x[:, ~hidden].T)
            x[:, hidden] = (self.spread[hidden] @ code).T
            found[place] = (x + self.mean).to(image.dtype).view(-1, *image.shape[1:])
        return torch.where(mask > 0, found.clamp(-1, 1), image)


@dataclass(frozen=True)
class TunedGaussian:
    """A Gaussian of all training images, and what chooses its number of directions for a kind of hole."""

    whole: GaussianImages
    part: GaussianImages
    """Of all but those kept apart,"""
    kept: Images
    """which are these."""

    @classmethod
    def fitted(cls, train: Images) -> "TunedGaussian":
        """Fit to training images; their last tenth is kept apart first.

        Raises:
            BadInput: too few of them for any number of directions.
        """
        kept = max(1, round(KEPT * len(train)))
        able = [count for count in COMPONENTS if count < min(len(train) - kept, train[0].numel())]
        if not able:
            raise BadInput(f"{len(train)} training images are too few for {COMPONENTS[0]} principal components; give more.")
        return cls(GaussianImages.fitted(train, able[-1]), GaussianImages.fitted(train[:-kept], able[-1]), train[-kept:])

    def suited(self, mask: Masks) -> tuple[GaussianImages, int]:
        """The Gaussian that fills such holes best, and its number of directions; mask: one for all, or one for each image kept apart."""
        mask = mask.expand(len(self.kept), -1, -1, -1)
        able = [count for count in COMPONENTS if count <= self.part.spread.shape[1]]
        heard = {count: psnr(self.kept, self.part.fewer(count).fill(self.kept, mask), mask) for count in able}
        best = max(heard, key=heard.__getitem__)
        return self.whole.fewer(best), best
