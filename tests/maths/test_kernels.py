"""Distances between samples, against closed forms."""

from math import erf, exp, pi, sqrt

import pytest
import torch
from torch import Tensor

from pushforward.maths import energy_distance, random_directions, sliced_energy_distance, spread_normal, squared_mmd
from pushforward.maths.kernels import constant


def samples(n: int = 4_000, d: int = 1, mean: float = 0.0, scale: float = 1.0, seed: int = 0) -> Tensor:
    return mean + scale * torch.randn(n, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def mean_length(mean: float, variance: float) -> float:
    """E|V|, V ~ N(mean, variance)."""
    return sqrt(2 * variance / pi) * exp(-(mean**2) / (2 * variance)) + mean * erf(mean / sqrt(2 * variance))


def test_energy_distance_of_two_gaussians() -> None:
    expected = 2 * mean_length(1.0, 1 + 4) - mean_length(0, 2) - mean_length(0, 8)
    found = [float(energy_distance(samples(seed=s), samples(mean=1.0, scale=2.0, seed=s + 50), "u")) for s in range(5)]
    assert sum(found) / 5 == pytest.approx(expected, rel=0.03)


def test_mmd_of_two_gaussians() -> None:
    """E k(X, Y) = prod over dimensions of sigma / sqrt(sigma^2 + v) exp(-m^2 / (2 (sigma^2 + v))), v and m of X - Y."""

    def mean_kernel(m: float, v: float, width: float) -> float:
        return (width**2 / (width**2 + v)) * exp(-(m**2) / (width**2 + v))  # two dimensions

    widths = (0.5, 2.0)
    expected = sum(mean_kernel(0, 2, w) + mean_kernel(0, 8, w) - 2 * mean_kernel(0.7, 5, w) for w in widths)
    found = [float(squared_mmd(samples(d=2, seed=s), samples(d=2, mean=0.7, scale=2.0, seed=s + 50), widths, "u")) for s in range(5)]
    assert sum(found) / 5 == pytest.approx(expected, rel=0.03)


def test_of_equal_distributions_u_is_nothing_and_v_what_chance_leaves() -> None:
    n, pairs = 200, [(samples(200, 2, seed=s), samples(200, 2, seed=s + 1_000)) for s in range(200)]
    length = sqrt(pi)  # E|X - X'| of N(0, I) in the plane
    u = torch.stack([energy_distance(x, y, "u") for x, y in pairs])
    v = torch.stack([energy_distance(x, y) for x, y in pairs])
    assert abs(float(u.mean())) < 4 * float(u.std()) / sqrt(len(pairs))
    assert float(v.mean()) == pytest.approx(2 * length / n, rel=0.1) and float(v.min()) > 0


def test_a_few_points_by_hand() -> None:
    x, y = torch.tensor([[0.0], [3.0]]), torch.tensor([[1.0]])
    assert float(energy_distance(x, y)) == pytest.approx(2 * 1.5 - 1.5)
    assert float(energy_distance(x, x)) == 0 and float(squared_mmd(x, x, [1.0])) == 0
    assert float(squared_mmd(x[:1], y, [1.0])) == pytest.approx(2 - 2 * exp(-0.5))


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = samples(101, 3), samples(57, 3, mean=0.3, seed=1)
    whole = energy_distance(x, y), squared_mmd(x, y, [1.0], "u")
    monkeypatch.setattr("pushforward.maths.kernels.BLOCK", 200)
    torch.testing.assert_close((energy_distance(x, y), squared_mmd(x, y, [1.0], "u")), whole)


def test_in_one_dimension_a_slice_is_the_whole() -> None:
    x, y = samples(70), samples(90, mean=0.5, seed=1)
    torch.testing.assert_close(sliced_energy_distance(x, y, torch.ones(1, 1, dtype=torch.float64)), energy_distance(x, y))


@pytest.mark.parametrize("d", [2, 3, 10])
def test_slices_estimate_the_whole(d: int) -> None:
    torch.manual_seed(0)
    x, y = samples(60, d), samples(50, d, mean=0.4, seed=1)
    found = sliced_energy_distance(x, y, random_directions(20_000, d, x))
    torch.testing.assert_close(found, energy_distance(x, y), rtol=0.02, atol=0)
    assert constant(1) == pytest.approx(1) and constant(2) == pytest.approx(pi / 2)


def test_slopes_of_a_slice_are_those_of_all_pairs() -> None:
    x, y = samples(30).requires_grad_(), samples(40, seed=1)
    one = torch.autograd.grad(sliced_energy_distance(x, y, torch.ones(1, 1, dtype=torch.float64)), x)
    torch.testing.assert_close(one, torch.autograd.grad(energy_distance(x, y), x))


def test_points_in_one_place_have_finite_slopes() -> None:
    x = torch.zeros(5, 2, requires_grad=True)
    for distance in (energy_distance(x, x.detach()), squared_mmd(x, x.detach(), [1.0])):
        assert torch.isfinite(torch.autograd.grad(distance, x)[0]).all()


def test_directions_are_unit_and_at_right_angles() -> None:
    torch.manual_seed(0)
    u = random_directions(7, 3, torch.zeros((), dtype=torch.float64))
    assert u.shape == (7, 3)
    torch.testing.assert_close(u[:3] @ u[:3].T, torch.eye(3, dtype=torch.float64))
    few = random_directions(8, 12_288, u)  # of an image of 64 x 64 x 3: a whole basis would take more than a gigabyte
    torch.testing.assert_close(few @ few.T, torch.eye(8, dtype=torch.float64))
    many = random_directions(30_000, 2, u)
    torch.testing.assert_close(many.mT @ many / len(many), torch.eye(2, dtype=torch.float64) / 2, atol=0.01, rtol=0)
    assert float(many.mean(0).abs().max()) < 0.02


def test_spread_codes_are_normal_and_lie_more_evenly() -> None:
    torch.manual_seed(0)
    many = torch.cat([spread_normal(16, 2) for _ in range(4_000)]).double()
    torch.testing.assert_close(many.mT @ many / len(many), torch.eye(2, dtype=torch.float64), atol=0.03, rtol=0)
    means = torch.stack([spread_normal(256, 2).mean(0) for _ in range(200)])
    assert float(means.std()) < 0.3 / sqrt(256), "independent ones: 1 / sqrt(256)"
    assert not torch.equal(spread_normal(4, 3), spread_normal(4, 3)) and spread_normal(4, 30).shape == (4, 30)
