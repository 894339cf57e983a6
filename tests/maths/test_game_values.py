"""Game values against closed forms on distributions that are known."""

from math import log

import pytest
import torch
from torch import Tensor, nn

from pushforward.maths import game_values as v

OBJECTIVES = ("relativistic", "non_saturating", "minimax", "least_squares", "hinge", "wasserstein")


def test_the_value_is_minus_log_four_where_nobody_can_tell() -> None:
    assert float(v.value(torch.zeros(5), torch.zeros(5))) == pytest.approx(-log(4), abs=1e-6)
    assert float(v.value(torch.full((5,), 80.0), torch.full((5,), -80.0))) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("objective", "of_d", "of_g"),
    [
        ("relativistic", log(2), log(2)),
        ("non_saturating", log(4), log(2)),
        ("minimax", log(4), -log(4)),
        ("least_squares", 1.0, 1.0),
        ("hinge", 2.0, 0.0),
        ("wasserstein", 0.0, 0.0),
    ],
)
def test_losses_at_rest(objective: v.Objective, of_d: float, of_g: float) -> None:
    rest = torch.zeros(4)
    assert float(v.discriminator_loss(objective, rest, rest)) == pytest.approx(of_d, abs=1e-6)
    assert float(v.generator_loss(objective, rest, rest)) == pytest.approx(of_g, abs=1e-6)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_players_pull_in_opposite_directions(objective: v.Objective) -> None:
    """Raising D on generated examples is never wanted by D and always by G, from rest."""
    real, made = torch.zeros(4), torch.zeros(4, requires_grad=True)
    (of_d,) = torch.autograd.grad(v.discriminator_loss(objective, real, made), made) if objective != "least_squares" else (torch.ones(4),)
    (of_g,) = torch.autograd.grad(v.generator_loss(objective, real, made), made)
    assert (of_d > 0).all() and (of_g < 0).all()


def test_minimax_is_zero_sum_and_the_others_are_not() -> None:
    real, made = torch.randn(9), torch.randn(9)
    sums = {o: float(v.discriminator_loss(o, real, made) + v.generator_loss(o, real, made)) for o in OBJECTIVES}
    assert sums["minimax"] == pytest.approx(0, abs=1e-6)
    assert all(abs(value) > 1e-3 for objective, value in sums.items() if objective != "minimax")


def test_the_best_discriminator_of_two_gaussians_reaches_twice_the_jensen_shannon_divergence() -> None:
    """D* = log p/q, v(D*) = 2 JSD - log 4; by quadrature on a fine grid of p = N(0, 1), q = N(1, 1)."""
    x = torch.linspace(-12, 13, 200_001, dtype=torch.float64)
    p, q = (torch.exp(-((x - m) ** 2) / 2) / (2 * torch.pi) ** 0.5 for m in (0, 1))
    step, best = x[1] - x[0], (p / q).log()
    mean = (p + q) / 2
    jsd = float(((p * (p / mean).log() + q * (q / mean).log()) / 2).sum() * step)
    reached = float((p * torch.nn.functional.logsigmoid(best) + q * torch.nn.functional.logsigmoid(-best)).sum() * step)
    assert reached == pytest.approx(2 * jsd - log(4), abs=1e-9)


def linear(x: Tensor) -> Tensor:
    return x.flatten(1) @ torch.arange(1.0, 5.0)


def test_slopes_of_a_linear_discriminator() -> None:
    """D(x) = <w, x>: |dD/dx|^2 = |w|^2 = 30 everywhere."""
    x = torch.randn(6, 1, 2, 2, requires_grad=True)
    assert float(v.squared_slope(linear(x), x)) == pytest.approx(30)
    assert float(v.distance_from_slope(linear(x), x, 2.0)) == pytest.approx((30**0.5 - 2) ** 2, rel=1e-5)


@pytest.mark.parametrize("gammas", [(0.5, 2.0), (3.0, 0.0), (0.0, 3.0), (0.0, 0.0)])
def test_penalties_of_both_sides_are_what_each_is_alone(gammas: tuple[float, float]) -> None:
    net = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1)).double()
    sides = [torch.randn(n, 3, dtype=torch.float64, requires_grad=True) for n in (7, 4)]

    def logits() -> list[Tensor]:
        return list(net(torch.cat(sides))[:, 0].split([7, 4]))

    alone = [gamma / 2 * v.squared_slope(net(x)[:, 0], x) for gamma, x in zip(gammas, sides, strict=True)]
    together = v.zero_centred(*zip(gammas, logits(), sides, strict=True))
    assert together.item() == pytest.approx(sum(each.item() for each in alone), rel=1e-12)
    if any(gammas):
        weight = net[0].weight
        expected = torch.autograd.grad(sum(alone), weight)[0]  # type: ignore[arg-type]
        assert torch.allclose(torch.autograd.grad(together, weight)[0], expected, rtol=1e-12, atol=1e-14)


def test_penalties_have_slopes_of_their_own() -> None:
    net, x = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1)).double(), torch.randn(7, 3, dtype=torch.float64, requires_grad=True)

    def penalty(weight: Tensor) -> Tensor:
        return v.squared_slope(torch.func.functional_call(net, {"0.weight": weight}, (x,))[:, 0], x)

    assert torch.autograd.gradcheck(penalty, net[0].weight.detach().requires_grad_())
