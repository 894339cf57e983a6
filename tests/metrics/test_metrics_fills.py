"""The bars that a completion has to pass: each against what it should be."""

import sys

import pytest
import torch

from pushforward.core import BadInput, kept_apart
from pushforward.data import faces, masks
from pushforward.metrics import fills


def images(count: int = 40, channels: int = 3, side: int = 8) -> torch.Tensor:
    """Gaussian images of three directions and a little noise, within [-1, 1]."""
    chance = torch.Generator().manual_seed(0)
    directions = torch.randn(3, channels * side * side, generator=chance) / 12
    x = torch.randn(count, 3, generator=chance) @ directions + 0.02 * torch.randn(count, channels * side * side, generator=chance)
    return x.clamp(-1, 1).view(count, channels, side, side)


def hole(name: str, count: int, side: int = 8) -> torch.Tensor:
    return masks.holes(name, count, side, side, torch.Generator().manual_seed(1))


@pytest.mark.parametrize("times", [1.0, 7.0])
def test_the_posterior_of_a_gaussian_is_that_of_its_covariance(times: float) -> None:
    train, (image, mask) = images(200), (images(6), hole("centre", 6))
    model = fills.GaussianImages.fitted(train, 5)
    noise = model.noise(5)
    spread = model.directions * (model.variance - noise).sqrt()
    covariance = spread @ spread.T + times * noise * torch.eye(len(model.mean), dtype=torch.float64)
    hidden = mask[0].flatten().bool().repeat(3)
    x = image.flatten(1).double() - model.mean
    expected = x.clone()
    expected[:, hidden] = x[:, ~hidden] @ torch.linalg.solve(covariance[~hidden][:, ~hidden], covariance[~hidden][:, hidden])
    made = model.fill(image, mask, times=times)
    torch.testing.assert_close(made.flatten(1).double(), (expected + model.mean).clamp(-1, 1), rtol=0, atol=1e-5)
    assert torch.equal(made * (1 - mask), image * (1 - mask)), "what is seen stays"


def test_the_likeliest_gaussian_has_the_variances_of_the_principal_components() -> None:
    train, (image, mask) = images(300), (images(6), hole("centre", 6))
    x = train.flatten(1).double()
    variance = torch.linalg.eigvalsh((x - x.mean(0)).T @ (x - x.mean(0)) / len(x)).flip(0)
    model = fills.GaussianImages.fitted(train, 3)
    assert model.noise(3) == pytest.approx(float(variance[3:].mean()), rel=1e-4)
    torch.testing.assert_close(model.variance, variance[:3], rtol=1e-4, atol=1e-6)
    two = fills.GaussianImages.fitted(train, 2)
    assert model.noise(2) == pytest.approx(two.noise(2), rel=1e-4)
    torch.testing.assert_close(model.fill(image, mask, 2), two.fill(image, mask), rtol=1e-3, atol=1e-4)


def test_it_beats_what_knows_less_and_takes_a_mask_for_each_image() -> None:
    train, image, mask = images(300), images(30), hole("mixed", 30)
    model = fills.GaussianImages.fitted(train, 3)
    made = {"posterior": model.fill(image, mask), "mean": fills.mean_image(image, mask, train), "colour": fills.mean_colour(image, mask)}
    wrong = {name: float(((x - image).square() * mask).sum()) for name, x in made.items()}
    assert wrong["posterior"] < 0.1 * min(wrong["mean"], wrong["colour"])
    assert all(torch.equal(x * (1 - mask), image * (1 - mask)) for x in made.values())
    told: list[tuple[int, int]] = []
    model.fill(image, mask, progress=lambda done, total: told.append((done, total)))
    kinds = len(mask.flatten(1).unique(dim=0))
    assert told == [(done + 1, kinds) for done in range(kinds)] and kinds > 1


def test_the_number_of_directions_is_the_one_that_fills_best(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fills, "COMPONENTS", (1, 3, 50))
    monkeypatch.setattr(fills, "NOISIER", (1.0,))
    tuned = fills.TunedGaussian.fitted(images(200))
    assert torch.equal(tuned.kept, images(200)[kept_apart(200, 20)])
    assert tuned.suited(hole("centre", 1))[0] == tuned.suited(hole("mixed", 20))[0] == 3
    monkeypatch.setattr(fills, "ENOUGH", 7)
    seen: list[torch.Tensor] = []
    monkeypatch.setattr(fills, "psnr", lambda image, *others: seen.append(image) or 0.0)
    tuned.suited(hole("mixed", 20))
    assert torch.equal(seen[0], tuned.kept[::3])  # where each has a hole of its own
    with pytest.raises(BadInput, match="1 training images are too few for 1 principal components"):
        fills.TunedGaussian.fitted(images(1))


def test_more_noise_is_chosen_where_what_is_left_is_smooth(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faces have more than a few directions, and what these leave is anything but white."""
    monkeypatch.setattr(fills, "COMPONENTS", (10, 40))
    x = faces.drawn(faces.faces(300), 16)[0]
    mask = masks.holes("left", 1, 16, 16, torch.Generator())
    tuned = fills.TunedGaussian.fitted(x)
    count, times = tuned.suited(mask)
    assert times > 1

    def wrong(made: torch.Tensor) -> float:
        return float(((made - tuned.kept).square() * mask).sum())

    every = mask.expand(30, -1, -1, -1)
    best = wrong(tuned.part.fill(tuned.kept, every, count, times))
    assert best < min(wrong(tuned.part.fill(tuned.kept, every, count)), wrong(fills.mean_image(tuned.kept, every, x[:270])))


def test_the_mean_colour_is_that_of_what_is_seen() -> None:
    image, mask = torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4)
    image[..., 2:, :] = 1.0
    mask[..., 3, :] = 1
    assert torch.allclose(fills.mean_colour(image, mask)[..., 3, :], torch.tensor(1 / 3))


def test_telea_continues_what_is_around() -> None:
    pytest.importorskip("cv2")
    ramp = torch.linspace(-0.9, 0.9, 16).expand(2, 3, 16, 16).contiguous()
    mask = hole("centre", 2, 16)
    made = fills.telea(ramp, mask)
    assert torch.equal(made * (1 - mask), ramp * (1 - mask))
    assert float(((made - ramp).abs() * mask).max()) < 0.4


def test_what_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for few in (0, 40, 41):
        with pytest.raises(BadInput, match=f"{few} components are asked of 40 images of 192 values"):
            fills.GaussianImages.fitted(images(), few)
    monkeypatch.setitem(sys.modules, "cv2", None)
    monkeypatch.setattr("pushforward.metrics.fills.util.find_spec", lambda name: None)
    with pytest.raises(BadInput, match=r"pushforward\[compare\]"):
        fills.telea(images(), hole("centre", 40))
