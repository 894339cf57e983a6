"""Nearness and sharpness of pictures against closed forms and textbook values."""

import pytest
import torch
from torchmetrics.functional.image import structural_similarity_index_measure

from pushforward.core import BadInput
from pushforward.metrics import pictures

X = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_equal_pictures_are_equal_in_every_way() -> None:
    assert pictures.l1(X, X) == 0 and pictures.psnr(X, X) > 100
    assert pictures.ssim(X, X) == pytest.approx(1, abs=1e-5) and pictures.sharpness(X, X) == pytest.approx(1)
    assert pictures.histogram_intersection(X, X) == pytest.approx((1, 1, 1))


def test_psnr_of_a_constant_difference_and_inside_a_mask() -> None:
    y = X.clone()
    y[..., :16] += 0.2
    assert pictures.psnr(X, X + 0.2) == pytest.approx(20, abs=1e-4)
    mask = torch.zeros(4, 1, 32, 32)
    mask[..., :16] = 1
    assert pictures.psnr(X, y, mask) == pytest.approx(20, abs=1e-4)
    assert pictures.psnr(X, y) == pytest.approx(20 + 10 * torch.log10(torch.tensor(2.0)).item(), abs=1e-4)
    assert pictures.l1(X, y) == pytest.approx(0.1, abs=1e-6)
    assert pictures.l1(X, y, mask) == pytest.approx(0.2, abs=1e-6) and pictures.l1(X, y, 1 - mask) == 0


def test_sharpness_inside_a_mask_is_that_of_the_part_and_not_of_its_seam() -> None:
    blur = torch.nn.functional.avg_pool2d(X, 3, 1, 1)
    mask = torch.zeros(4, 1, 32, 32)
    mask[:, :, :, 20:] = 1
    half = torch.where(mask > 0, blur, X)
    assert pictures.sharpness(X, half, 1 - mask) == pytest.approx(1)
    assert pictures.sharpness(X, half, mask) == pytest.approx(pictures.sharpness(X[..., 20:], blur[..., 20:]), rel=0.1)
    assert pictures.sharpness(X, torch.where(mask > 0, 0.3, X), mask) == pytest.approx(0, abs=1e-6), "one colour is not sharp"
    thin = torch.zeros(4, 1, 32, 32)
    thin[..., 7] = 1
    assert pictures.sharpness(X, X, thin) == pytest.approx(1), "of a hole that is all rim, the rim"


@pytest.mark.parametrize("size", [(6, 6), (16, 9), (40, 64)], ids=str)
def test_structural_similarity_is_that_of_torchmetrics(size: tuple[int, int]) -> None:
    """But for its weights, which are of single precision."""
    y = torch.rand(3, 2, *size, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    x = (y + torch.randn(y.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64) / 4).clamp(0, 1)
    mean, each = structural_similarity_index_measure(x, y, data_range=1.0, reduction="none", return_full_image=True)
    torch.testing.assert_close(pictures.similarities(y, x), each, atol=2e-5, rtol=0)
    assert pictures.ssim(2 * y - 1, 2 * x - 1) == pytest.approx(float(mean.mean()), abs=2e-5)


def test_structural_similarity_of_two_greys_is_that_of_their_brightness() -> None:
    """(2 a b + c) / (a² + b² + c), c = .01², for brightness a and b in 0..1 (Wang et al. 2004): there is no structure to differ."""
    a, b = torch.full((1, 3, 16, 16), -0.05), torch.full((1, 3, 16, 16), 0.05)
    assert pictures.ssim(a, b) == pytest.approx((2 * 0.475 * 0.525 + 1e-4) / (0.475**2 + 0.525**2 + 1e-4), abs=1e-5)
    assert pictures.ssim(-torch.ones_like(a), torch.ones_like(a)) == pytest.approx(1e-4, abs=1e-5), "black beside white"
    assert pictures.ssim(X, -X) < 0, "the negative of what has no brightness in common but the mean"


def test_structural_similarity_inside_a_mask_is_that_of_its_windows() -> None:
    y = torch.where(torch.arange(32) < 16, X, X.flip(0))
    left, right = torch.zeros(4, 1, 32, 32), torch.zeros(4, 1, 32, 32)
    left[..., :10], right[..., 22:] = 1, 1  # windows reach five pixels to each side
    assert pictures.ssim(X, y, left) == pytest.approx(1, abs=1e-5)
    assert abs(pictures.ssim(X, y, right)) < 0.2, "of pictures that have nothing to do with each other"
    everything = torch.ones(4, 1, 32, 32)
    everything[..., :5, :] = everything[..., -5:, :] = everything[..., :5] = everything[..., -5:] = 0
    assert pictures.ssim(X, y) == pytest.approx(pictures.ssim(X, y, everything), abs=0.1)


def test_pictures_are_measured_a_few_at_a_time_to_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last one has no hole and is a part of its own: only where no picture at all has one is a mask refused."""
    sizes: list[int] = []
    y, mask, count = (X + X.flip(0)) / 2, torch.zeros(4, 1, 32, 32), pictures.where_counted
    mask[:3, :, 8:20, 4:28] = 1
    asked = [(ask, hole) for ask in (pictures.l1, pictures.psnr, pictures.ssim, pictures.sharpness) for hole in (None, mask)]
    whole = [ask(X, y, hole) for ask, hole in asked]

    def noted(value: torch.Tensor, hole: torch.Tensor | None) -> torch.Tensor:
        sizes.append(len(value))
        return count(value, hole)

    monkeypatch.setattr(pictures, "where_counted", noted)
    monkeypatch.setattr(pictures, "TOGETHER", 3)
    assert [ask(X, y, hole) for ask, hole in asked] == pytest.approx(whole, rel=1e-6)
    assert set(sizes) == {3, 1}


def test_blur_is_dull_and_noise_is_too_sharp() -> None:
    blur = torch.nn.functional.avg_pool2d(X, 3, 1, 1)
    assert pictures.sharpness(X, blur) < 0.2 < 1.5 < pictures.sharpness(X, X + torch.randn_like(X))
    ramp = torch.linspace(-1, 1, 32).expand(1, 1, 32, 32)
    assert float(pictures.laplacian_variance(ramp)) == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize(
    ("rgb", "expected"),
    [((255, 255, 255), (100, 0, 0)), ((0, 0, 0), (0, 0, 0)), ((255, 0, 0), (53.24, 80.09, 67.20)), ((0, 0, 255), (32.30, 79.19, -107.86))],
)
def test_colours_in_lab_are_those_of_the_tables(rgb: tuple[int, ...], expected: tuple[float, ...]) -> None:
    x = torch.tensor(rgb).view(1, 3, 1, 1) / 127.5 - 1
    assert pictures.lab(x).flatten().tolist() == pytest.approx(expected, abs=0.05)


def test_colours_that_share_nothing_do_not_intersect() -> None:
    dark, light = torch.full((1, 3, 8, 8), -0.9), torch.full((1, 3, 8, 8), 0.9)
    level, a, b = pictures.histogram_intersection(dark, light)
    assert level == 0 and a == b == pytest.approx(1)


def test_white_counts_as_much_as_black() -> None:
    white, half = torch.ones(1, 3, 8, 8), torch.ones(1, 3, 8, 8)
    half[..., :4] = -1
    assert pictures.histogram_intersection(white, white)[0] == pytest.approx(1)
    assert pictures.histogram_intersection(half, -white)[0] == pytest.approx(0.5)


def test_segmentation_from_a_confusion_matrix() -> None:
    truth, answer = torch.tensor([0, 0, 0, 0, 1, 1]), torch.tensor([0, 0, 0, 1, 1, 0])
    found = pictures.segmentation(pictures.confusion_of(truth, answer, 3))
    assert found["pixel accuracy"] == pytest.approx(4 / 6) and found["class accuracy"] == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert found["mean F"] == pytest.approx((2 * 3 / 8 + 2 * 1 / 4) / 2)
    assert found["intersection over union"] == pytest.approx((3 / 5 + 1 / 3) / 2)


def test_parts_explain_the_variance_between_them() -> None:
    parts = torch.zeros(2, 8, 8, dtype=torch.long)
    parts[:, :4], parts[1, :, :2] = 1, 2
    plain = torch.tensor([0.5, -0.2, 0.1, 0.9])[parts][:, None].expand(2, 3, 8, 8) + torch.tensor([0.3, -0.4])[:, None, None, None]
    assert pictures.explained_by_parts(plain, parts, 4) == pytest.approx(1)
    checks = torch.ones(8, 8)
    checks[::2, ::2], checks[1::2, 1::2] = -1, -1
    assert pictures.explained_by_parts(checks.expand(2, 3, 8, 8), parts, 4) == pytest.approx(0)
    two = parts[:1].float() * 2 - 1  # halves at -1 and 1, and checks of .5 upon them: variances 1 and .25
    assert pictures.explained_by_parts((two + 0.5 * checks)[None], parts[:1], 4) == pytest.approx(0.8)
    assert pictures.explained_by_parts(torch.zeros(2, 3, 8, 8), parts, 4) == 0


def test_what_cannot_be_compared_is_a_sentence() -> None:
    for ask, words in (
        (lambda: pictures.l1(X, X[:2]), "cannot be compared"),
        (lambda: pictures.psnr(X, X, torch.zeros(4, 1, 32, 32)), "covers no pixel"),
        (lambda: pictures.ssim(X[..., :5], X[..., :5]), "windows of 11 pixels"),
        (lambda: pictures.histogram_intersection(X[:, :1], X), "Colours of pictures with 1 and 3 channels"),
    ):
        with pytest.raises(BadInput, match=words):
            ask()
