"""How near one picture is to another, and whether it looks like a picture at all.

L1            E |y - y'|, pixels in [-1, 1]
PSNR          10 log10(4 / E (y - y')^2), in decibels
SSIM          structural similarity (Wang et al. 2004), brightness in 0..1; 1 for equal pictures
sharpness     variance of the Laplacian, y' as a share of y: below 1 blur, above 1 noise; of a hole without its rim, where it sees the seam
intersection  of the histograms of L, a and b over all pixels of a set, 1 for equal ones              (Isola et al. 2017, section 4.2)
explained     share of the variance within a picture that its parts explain, where they are known        (correlation ratio, Fisher 1925)
segmentation  pixel and class accuracy, F and intersection over union, from a confusion matrix        (Long et al. 2015)

L1, PSNR, SSIM and sharpness take a mask, 1 where pixels count.
"""

from collections.abc import Callable
from statistics import mean

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import conv2d, max_pool2d

from pushforward.core import BadInput
from pushforward.data.pairs import luma

Pictures = Float[Tensor, "n c h w"]
Masks = Float[Tensor, "n 1 h w"]
TOGETHER = 100
"""Pictures that are measured at a time: doubles and the windows of structural similarity take many times the memory of a picture."""
REACH = 5
"""Pixels to each side that a window of structural similarity reaches."""
BINS = 64
"""Of a histogram of L, a or b."""
RANGES = ((0.0, 100.0), (-100.0, 100.0), (-100.0, 100.0))
TO_XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
WHITE = (0.95047, 1.0, 1.08883)
"""sRGB to XYZ, and its white (D65)."""


def same_shape(truth: Tensor, made: Tensor) -> None:
    """Refuse pictures that cannot be compared.

    Raises:
        BadInput: their shapes.
    """
    if truth.shape != made.shape or not len(truth):
        raise BadInput(f"Pictures of shapes {tuple(truth.shape)} and {tuple(made.shape)} cannot be compared; give as many of one size.")


def where_counted(value: Float[Tensor, "n c h w"], mask: Masks | None) -> Float[Tensor, " m"]:
    """The mean of each picture over the pixels that count, of those pictures where some do."""
    if mask is None:
        return value.flatten(1).mean(1)
    counted = mask.double().flatten(1).sum(1) * value.shape[1]
    return (value * mask).flatten(1).sum(1)[counted > 0] / counted[counted > 0]


def over_pictures(measure: Callable[..., Float[Tensor, " m"]], *pictures: Pictures, mask: Masks | None) -> Float[Tensor, ""]:
    """The mean of what `measure(*pictures, mask)` gives for each picture, asked of a few pictures at a time.

    Raises:
        BadInput: a mask that covers nothing.
    """
    parts = [each.split(TOGETHER) for each in pictures]
    masks = [None] * len(parts[0]) if mask is None else mask.split(TOGETHER)
    found = torch.cat([measure(*few) for few in zip(*parts, masks, strict=True)])
    if not len(found):
        raise BadInput("A mask covers no pixel of any picture; give one with a hole.")
    return found.mean()


def l1(truth: Pictures, made: Pictures, mask: Masks | None = None) -> float:
    """E |y - y'|, mean over pictures."""
    same_shape(truth, made)
    return float(over_pictures(lambda y, x, hole: where_counted((y.double() - x.double()).abs(), hole), truth, made, mask=mask))


def psnr(truth: Pictures, made: Pictures, mask: Masks | None = None) -> float:
    """Mean over pictures, in decibels."""

    def decibels(y: Pictures, x: Pictures, hole: Masks | None) -> Float[Tensor, " m"]:
        square = where_counted((y.double() - x.double()).square(), hole)
        return 10 * torch.log10(4 / square.clamp(min=1e-12))

    same_shape(truth, made)
    return float(over_pictures(decibels, truth, made, mask=mask))


def ssim(truth: Pictures, made: Pictures, mask: Masks | None = None) -> float:
    """Mean over pictures; of a mask, over the windows whose middle lies in it.

    Raises:
        BadInput: other shapes, or pictures of fewer than 6 pixels.
    """

    def similarity(y: Pictures, x: Pictures, hole: Masks | None) -> Float[Tensor, " m"]:
        bright, other = (y.double() + 1) / 2, (x.double() + 1) / 2  # means are compared as well: black has to be 0
        return where_counted(similarities(bright, other), hole)

    same_shape(truth, made)
    if min(truth.shape[2:]) <= REACH:
        raise BadInput(
            f"Structural similarity looks through windows of 11 pixels, and pictures have {tuple(truth.shape[2:])}; give larger ones."
        )
    return float(over_pictures(similarity, truth, made, mask=mask))


def similarities(y: Pictures, x: Pictures) -> Pictures:
    """(2 m m' + .01^2) (2 cov + .03^2) / (m^2 + m'^2 + .01^2) (var + var' + .03^2) in the Gaussian window around each pixel.

    Windows are products of matrices, a blurred row and column each: the library's convolutions of doubles take far longer."""
    down, across = (gaussian_windows(side).to(x) for side in x.shape[2:])

    def mean_of(value: Pictures) -> Pictures:
        return down @ value @ across.T

    of_y, of_x = mean_of(y), mean_of(x)
    joint = mean_of(y * x) - of_y * of_x
    both = (mean_of(y * y) - of_y.square()).clamp(min=0) + (mean_of(x * x) - of_x.square()).clamp(min=0)
    alike = (2 * of_y * of_x + 1e-4) * (2 * joint + 9e-4)
    return alike / ((of_y.square() + of_x.square() + 1e-4) * (both + 9e-4))


def gaussian_windows(side: int) -> Float[Tensor, "side side"]:
    """A row of weights for each of `side` pixels, sigma 1.5; what lies beyond an end is mirrored at it."""
    reach = torch.arange(-REACH, REACH + 1)
    weights = (-(reach.double() / 1.5).square() / 2).exp()
    place = (torch.arange(side)[:, None] + reach).abs()
    place = torch.minimum(place, 2 * (side - 1) - place)
    return weights.new_zeros(side, side).scatter_add_(1, place, (weights / weights.sum()).expand(side, -1))


def laplacian_variance(x: Pictures, mask: Masks | None = None) -> Float[Tensor, " n"]:
    """Variance of the Laplacian of the brightness of each picture; the frame of one pixel does not count, nor do pixels of the mask whose
    neighbours are not in it, but where that leaves none."""
    weights = luma(x.shape[1]).to(x.device)
    kernel = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]], device=x.device)[None, None]
    found, inner = conv2d((x.float() * weights).sum(1, keepdim=True), kernel), None
    if mask is not None:
        within = -max_pool2d(-mask, 3, 1)
        inner = torch.where(within.amax((1, 2, 3), keepdim=True) > 0, within, mask[..., 1:-1, 1:-1])
    return where_counted(found.square(), inner) - where_counted(found, inner).square()


def sharpness(truth: Pictures, made: Pictures, mask: Masks | None = None) -> float:
    """Mean Laplacian variance of made pictures, as a share of that of true ones."""
    same_shape(truth, made)
    of_made, of_truth = (over_pictures(laplacian_variance, x, mask=mask) for x in (made, truth))
    return float(of_made / of_truth.clamp(min=1e-12))


def lab(x: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 h w"]:
    """CIE L*a*b* of sRGB in [-1, 1]: L in 0..100."""
    share = ((x.double() + 1) / 2).clamp(0, 1)
    linear = torch.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    white = torch.tensor(WHITE, dtype=torch.float64, device=x.device)
    xyz = torch.einsum("ij,njhw->nihw", torch.tensor(TO_XYZ, dtype=torch.float64, device=x.device), linear) / white.view(1, 3, 1, 1)
    root = torch.where(xyz > (6 / 29) ** 3, xyz.clamp(min=1e-12) ** (1 / 3), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    a, b, c = root.unbind(1)
    return torch.stack([116 * b - 16, 500 * (a - b), 200 * (b - c)], 1)


def histogram_intersection(truth: Float[Tensor, "n 3 h w"], made: Float[Tensor, "m 3 h w"]) -> tuple[float, float, float]:
    """Of L, a and b.

    Raises:
        BadInput: grey pictures.
    """
    if truth.shape[1] != 3 or made.shape[1] != 3:
        raise BadInput(f"Colours of pictures with {truth.shape[1]} and {made.shape[1]} channels cannot be compared; give coloured ones.")
    found = []
    for plane, (low, high) in enumerate(RANGES):
        shares = []
        for x in (truth, made):
            counts = torch.histc(torch.cat([lab(part)[:, plane].clamp(low, high).flatten() for part in x.split(TOGETHER)]), BINS, low, high)
            shares.append(counts / counts.sum().clamp(min=1))
        found.append(float(torch.minimum(*shares).sum()))
    return found[0], found[1], found[2]


def explained_by_parts(x: Pictures, parts: Int[Tensor, "n h w"], count: int) -> float:
    """Share of the variance within pictures that lies between parts, pixels about the mean of their picture: the correlation ratio
    (Fisher 1925). 1 where every part of a picture has one colour, 0 where all parts have the same on the mean."""
    n, c = x.shape[:2]
    pixels = (x.double() - x.double().mean((2, 3), keepdim=True)).permute(0, 2, 3, 1).flatten(0, 2)
    place = (parts + count * torch.arange(n, device=parts.device)[:, None, None]).flatten()
    often = torch.bincount(place, minlength=n * count).clamp(min=1)[:, None]
    total = pixels.new_zeros(n * count, c).index_add_(0, place, pixels)
    return float((total.square() / often).sum() / pixels.square().sum().clamp(min=1e-12))


def confusion_of(truth: Int[Tensor, " m"], answer: Int[Tensor, " m"], classes: int) -> Float[Tensor, "k k"]:
    """Pixels of each true part (row) by answer (column)."""
    return torch.bincount(truth * classes + answer, minlength=classes * classes).view(classes, classes).double()


def f_scores(matrix: Float[Tensor, "k k"]) -> list[float | None]:
    """F = 2 |A B| / (|A| + |B|) of each part, from a confusion matrix; None of one that does not occur in the truth."""
    F = 2 * matrix.diagonal() / (matrix.sum(0) + matrix.sum(1)).clamp(min=1)
    return [value if there else None for value, there in zip(F.tolist(), (matrix.sum(1) > 0).tolist(), strict=True)]


def segmentation(matrix: Float[Tensor, "k k"]) -> dict[str, float]:
    """Pixel accuracy, and the means of F (2 |A B| / (|A| + |B|)), accuracy and intersection over union over classes of the truth, from a
    confusion matrix."""
    right, there = matrix.diagonal(), matrix.sum(1)
    occurs = there > 0
    union = there + matrix.sum(0) - right
    return {
        "mean F": mean([F for F in f_scores(matrix) if F is not None]),
        "pixel accuracy": float(right.sum() / matrix.sum()),
        "class accuracy": float((right / there.clamp(min=1))[occurs].mean()),
        "intersection over union": float((right / union.clamp(min=1))[occurs].mean()),
    }
