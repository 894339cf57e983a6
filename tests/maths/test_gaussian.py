"""Gaussians of variational auto-encoders, against torch.distributions."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from pushforward.maths import at_least, draw, kl_between, kl_from_standard_normal, noise

SHAPES = [(7, 3), (3,), (2, 5, 4)]


def gaussians(shape: tuple[int, ...], seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(3 * torch.randn(2, *shape, dtype=torch.float64, generator=generator))  # type: ignore[return-value]


def as_normal(mean: torch.Tensor, log_var: torch.Tensor) -> Normal:
    return Normal(mean, (log_var / 2).exp())


@pytest.mark.parametrize("shape", SHAPES)
def test_kl_from_standard_normal(shape: tuple[int, ...]) -> None:
    q = gaussians(shape)
    expected = kl_divergence(as_normal(*q), Normal(torch.zeros(shape, dtype=torch.float64), 1.0))
    torch.testing.assert_close(kl_from_standard_normal(*q), expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_kl_between(shape: tuple[int, ...]) -> None:
    q, p = gaussians(shape), gaussians(shape, 1)
    torch.testing.assert_close(kl_between(*q, *p), kl_divergence(as_normal(*q), as_normal(*p)))
    zero = torch.zeros(shape, dtype=torch.float64)
    torch.testing.assert_close(kl_between(*q, zero, zero), kl_from_standard_normal(*q))


def test_kl_is_zero_only_where_the_two_are_one() -> None:
    zero = torch.zeros(4, 2)
    assert torch.equal(kl_from_standard_normal(zero, zero), zero)
    q = tuple(half.float() for half in gaussians((4, 2)))
    torch.testing.assert_close(kl_between(*q, *q), zero, atol=1e-6, rtol=0)
    assert (kl_from_standard_normal(*q) > 0).all()


def test_the_slope_of_the_kl_is_that_of_torch_distributions() -> None:
    ours, theirs = ([half.clone().requires_grad_() for half in gaussians((6, 3))] for _ in range(2))
    kl_from_standard_normal(*ours).sum().backward()
    kl_divergence(as_normal(*theirs), Normal(torch.zeros(6, 3, dtype=torch.float64), 1.0)).sum().backward()
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a.grad, b.grad)


def test_draws_have_the_mean_and_variance_they_were_asked_for() -> None:
    count, mean, sigma = 200_000, torch.tensor([0.0, -3.0, 5.0]), torch.tensor([1.0, 0.1, 2.0])
    torch.manual_seed(0)
    z = draw(mean.expand(count, 3), (2 * sigma.log()).expand(count, 3))
    # five standard errors: of a mean sigma / sqrt(n), of a standard deviation sigma / sqrt(2 n)
    assert ((z.mean(0) - mean).abs() < 5 * sigma / count**0.5).all()
    assert ((z.std(0) - sigma).abs() < 5 * sigma / (2 * count) ** 0.5).all()
    dependence = torch.corrcoef(z.T) - torch.eye(3)
    assert dependence.abs().max() < 5 / count**0.5


def test_slopes_flow_through_a_draw() -> None:
    mean, log_var = torch.randn(5, 2, requires_grad=True), torch.randn(5, 2, requires_grad=True)
    torch.manual_seed(1)
    z = draw(mean, log_var)
    torch.manual_seed(1)
    epsilon = torch.randn(5, 2)
    torch.testing.assert_close(z, mean + (log_var / 2).exp() * epsilon)
    z.sum().backward()
    torch.testing.assert_close(mean.grad, torch.ones(5, 2))
    torch.testing.assert_close(log_var.grad, epsilon * (log_var.detach() / 2).exp() / 2)


def test_the_slope_of_an_expectation_is_found_through_draws() -> None:
    """d/dm E[z^2] = 2 m and d/d(log s^2) E[z^2] = s^2, for z ~ N(m, s^2)."""
    mean, log_var = torch.tensor([0.7]).requires_grad_(), torch.tensor([-0.5]).requires_grad_()
    torch.manual_seed(2)
    draw(mean.expand(100_000, 1), log_var.expand(100_000, 1)).square().mean().backward()
    assert mean.grad.item() == pytest.approx(1.4, abs=0.02)
    assert log_var.grad.item() == pytest.approx(torch.exp(log_var).item(), abs=0.02)


def test_free_bits_cost_nothing_and_pull_at_nothing() -> None:
    rate = torch.tensor([[0.1, 1.0], [0.3, 3.0]], requires_grad=True)
    assert at_least(rate, 0.5).item() == pytest.approx(0.5 + 2.0)
    at_least(rate, 0.5).backward()
    assert rate.grad.tolist() == [[0.0, 0.5], [0.0, 0.5]]
    assert at_least(rate, 0.0).item() == pytest.approx(0.2 + 2.0)


def test_noise_of_a_seed_is_always_the_same() -> None:
    cpu = torch.device("cpu")
    state = torch.get_rng_state()
    first = noise(6, 4, 7, cpu)
    assert first.shape == (6, 4) and torch.equal(noise(6, 4, 7, cpu), first) and not torch.equal(noise(6, 4, 8, cpu), first)
    assert torch.equal(torch.get_rng_state(), state), "a seed was given, yet the default generator moved"
    torch.manual_seed(3)
    without = noise(6, 4, None, cpu)
    torch.manual_seed(3)
    assert torch.equal(without, torch.randn(6, 4)) and not torch.equal(noise(6, 4, None, cpu), without)
    many = noise(100_000, 1, 0, cpu)
    assert many.mean().abs() < 0.02 and abs(many.std() - 1) < 0.02


@pytest.mark.parametrize(
    "wrong", [(torch.zeros(3, 2), torch.zeros(3, 4)), (torch.zeros(3, 2), torch.zeros(2)), (torch.zeros(3, 2).long(), torch.zeros(3, 2))]
)
def test_shapes_are_checked_in_tests(wrong: tuple[torch.Tensor, torch.Tensor]) -> None:
    pytest.importorskip("beartype")
    with pytest.raises(Exception, match=r"(?i)type-check"):
        kl_from_standard_normal(*wrong)
