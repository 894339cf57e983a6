"""Metrics of two sets of examples: against closed forms, against prdc, against scipy, and on what they are for."""

from math import exp, log, pi, sqrt

import numpy as np
import pytest
import scipy.linalg
import torch
from prdc import compute_prdc

from pushforward import metrics
from pushforward.core import BadInput


def normal(n: int, d: int, seed: int, mean: float = 0.0, scale: float = 1.0) -> torch.Tensor:
    return mean + scale * torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


# ---------------------------------------------------------------- neighbourhoods


@pytest.mark.parametrize(("mean", "scale"), [(0.0, 1.0), (1.0, 1.0), (0.0, 0.3), (0.0, 2.0)])
@pytest.mark.parametrize("nearest", [1, 5])
def test_neighbourhoods_are_prdcs(mean: float, scale: float, nearest: int) -> None:
    real, made = normal(700, 8, 0), normal(1_300, 8, 1, mean, scale)
    expected = compute_prdc(real.numpy(), made.numpy(), nearest_k=nearest)
    assert metrics.neighbourhoods(real, made, nearest) == pytest.approx({key: float(value) for key, value in expected.items()}, abs=1e-12)
    assert metrics.coverage(real, made, nearest) == pytest.approx(float(expected["coverage"]), abs=1e-12)


def test_density_and_coverage_know_two_samples_of_one_distribution_and_precision_and_recall_do_not() -> None:
    """In many dimensions (Naeem et al. 2020)."""
    found = metrics.neighbourhoods(normal(2_000, 200, 0), normal(2_000, 200, 1))
    assert 0.9 < found["density"] < 1.2 and found["coverage"] > 0.93
    assert found["precision"] < 0.8 and found["recall"] < 0.8


def test_too_few_for_a_neighbourhood() -> None:
    with pytest.raises(BadInput, match="5 real and 9 made examples are too few for neighbourhoods of 5; give at least 6 real and 6 made"):
        metrics.neighbourhoods(normal(5, 2, 0), normal(9, 2, 1))


# ---------------------------------------------------------------- distances


def test_frechet_distance_of_gaussians_in_closed_form() -> None:
    """(m_1 - m_2)^2 + (s_1 - s_2)^2 in one dimension, on samples whitened to have exactly these moments."""
    x = normal(5_000, 1, 0).double()
    x = (x - x.mean()) / x.std()
    assert metrics.frechet_distance(x, 3 + 2 * x) == pytest.approx(9 + 1, rel=1e-5)
    assert metrics.frechet_distance(x, x) == pytest.approx(0, abs=1e-5)


def test_frechet_distance_is_scipys() -> None:
    real, made = normal(900, 6, 0), normal(800, 6, 1) @ normal(6, 6, 2) + 0.5
    a, b = real.double().numpy(), made.double().numpy()
    c, e = np.cov(a.T), np.cov(b.T)
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(c + e - 2 * scipy.linalg.sqrtm(c @ e).real)
    assert metrics.frechet_distance(real, made) == pytest.approx(expected, rel=1e-4)


def test_kernel_distance_is_zero_on_average_for_one_distribution_and_leaves_the_callers_chance_alone() -> None:
    state = torch.get_rng_state()
    same = [metrics.kernel_distance(normal(600, 16, 2 * seed), normal(600, 16, 2 * seed + 1)) for seed in range(8)]
    other = metrics.kernel_distance(normal(600, 16, 0), normal(600, 16, 1, mean=0.5))
    assert abs(np.mean(same)) < 3 * np.std(same) / 8**0.5 + 1e-3 and min(same) < 0 < other and other > 20 * np.std(same)
    assert torch.equal(state, torch.get_rng_state())
    assert metrics.kernel_distance(normal(600, 4, 0), normal(600, 4, 1)) == metrics.kernel_distance(normal(600, 4, 0), normal(600, 4, 1))


def test_kernel_distance_is_that_of_its_definition() -> None:
    """The U-statistic of (<a, b> / d + 1)^3 over all pairs, which subsets estimate; of N(0, 1) and N(1, 1) it is 3 + 3 + 16, from the
    differences 1, 1 and 4 of their first three moments."""
    real, made = (normal(4_000, 3, seed, mean=0.3 * seed) for seed in (0, 1))

    def between(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (a.double() @ b.double().T / a.shape[1] + 1) ** 3

    own = [(k := between(x, x)).sum().sub(k.trace()) / (len(x) * (len(x) - 1)) for x in (real, made)]
    expected = float(own[0] + own[1] - 2 * between(real, made).mean())
    assert metrics.kernel_distance(real, made) == pytest.approx(expected, rel=0.03)
    assert metrics.kernel_distance(normal(30_000, 1, 0), normal(30_000, 1, 1, mean=1.0)) == pytest.approx(22, rel=0.08)


def test_classifier_score() -> None:
    """K where every example is surely one of K equally frequent classes; 1 where nothing is told."""
    sure = 60 * torch.eye(7).repeat(200, 1)
    assert metrics.classifier_score(sure) == pytest.approx(7, rel=0.02)
    assert metrics.classifier_score(torch.zeros(500, 7)) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("measure", [metrics.frechet_distance, metrics.kernel_distance])
def test_too_few_for_a_distance(measure) -> None:
    with pytest.raises(BadInput, match=r"takes at least \d examples of each kind, and there are 1 and 9"):
        measure(normal(1, 3, 0), normal(9, 3, 1))


# ---------------------------------------------------------------- modes


def test_mode_coverage() -> None:
    share = torch.tensor([1.0, 1.0, 2.0])
    assert metrics.mode_coverage(torch.tensor([0, 1, 2, 2]), share) == (3, pytest.approx(0, abs=1e-12))
    assert metrics.mode_coverage(torch.tensor([2, 2]), share) == (1, pytest.approx(log(2)))
    assert [metrics.mode_coverage(torch.tensor([0, 1, 2, 2]), share, least)[0] for least in (2, 3)] == [1, 0]
    drawn = torch.randint(0, 1_000, (26_000,), generator=torch.Generator().manual_seed(0))
    covered, nats = metrics.mode_coverage(drawn, torch.ones(1_000))
    assert covered == 1_000 and nats == pytest.approx(999 / 52_000, rel=0.15)
    with pytest.raises(BadInput, match=r"Kinds lie in 0\.\.3, but only 0\.\.2"):
        metrics.mode_coverage(torch.tensor([0, 3]), share)


def test_near_modes() -> None:
    centre = torch.tensor([[0.0, 0.0], [10.0, 0.0]])
    points = torch.cat([0.1 * normal(1_000, 2, 0), torch.tensor([[5.0, 0.0]])])
    found = metrics.near_modes(points, centre, sigma=0.1)
    assert found["modes"] == 1 and found["KL to even"] == pytest.approx(log(2))
    assert found["within"] == pytest.approx(1_000 / 1_001 * (1 - exp(-4.5)), abs=0.01)
    assert found["width"] == pytest.approx(sqrt(1 - 4.5 * exp(-4.5) / (1 - exp(-4.5))), abs=0.02)
    none = {"modes": 0, "within": 0.0, "width": 0.0, "KL to even": pytest.approx(log(2))}
    assert metrics.near_modes(torch.full((4, 2), 50.0), centre, 0.1) == none


# ---------------------------------------------------------------- copies


def test_a_real_example_that_is_there_twice_hides_no_copies() -> None:
    chance = torch.Generator().manual_seed(0)
    real, few = torch.randn(300, 8, generator=chance), torch.randn(40, 8, generator=chance)
    made = few[torch.randint(40, (300,), generator=chance)]
    pairs = metrics.birthday(made, real)[0]
    real[7] = real[8]
    assert metrics.birthday(made, real)[0] == pairs > 500


def test_nearness_tells_copies_from_fresh_examples() -> None:
    training, held_out, fresh = (normal(800, 5, seed) for seed in range(3))
    assert metrics.nearness(fresh, training, held_out) == pytest.approx(0.5, abs=0.04)
    assert metrics.nearness(training + 1e-3, training, held_out) > 0.99
    assert metrics.nearness(fresh + 9, training, held_out) < 0.01


def test_birthdays() -> None:
    """200 different examples, 400 drawn from them: about 400^2 / (2 * 200) pairs fall together."""
    real, kinds = normal(400, 5, 0), normal(200, 5, 1)
    drawn = kinds[torch.randint(0, 200, (400,), generator=torch.Generator().manual_seed(2))]
    pairs, estimate = metrics.birthday(drawn, real)
    assert pairs > 300 and estimate == pytest.approx(200, rel=0.3)
    assert metrics.birthday(normal(400, 5, 3), real)[0] < 10
    with pytest.raises(BadInput, match="of which there are 400"):
        metrics.birthday(normal(500, 5, 3), real)


def test_parzen_window() -> None:
    """One made example: N(x; 0, s^2 I), with the best s of the choosing examples."""
    made, x, choose = torch.zeros(1, 3), 0.5 * normal(400, 3, 0), 0.5 * normal(400, 3, 1)
    found = metrics.parzen(made, x, choose)
    assert found.sigma == pytest.approx(0.5, rel=0.15)
    expected = -x.double().square().sum(1) / (2 * found.sigma**2) - 1.5 * log(2 * pi * found.sigma**2)
    assert found.mean == pytest.approx(float(expected.mean())) and found.error == pytest.approx(float(expected.std()) / 20)
    two = metrics.parzen(torch.tensor([[0.0], [1.0]]), torch.tensor([[0.3]]), torch.tensor([[0.3], [0.6]]))
    density = sum(exp(-((0.3 - m) ** 2) / (2 * two.sigma**2)) for m in (0, 1)) / 2 / (2 * pi * two.sigma**2) ** 0.5
    assert two.mean == pytest.approx(log(density))
