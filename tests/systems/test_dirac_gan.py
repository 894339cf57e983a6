"""The Dirac-GAN on the ordinary trainer: its eigenvalues, and places after 500 rounds, against closed forms."""

from math import sqrt
from typing import Any

import numpy as np
import pytest
import torch

from pushforward.core import BadInput
from pushforward.maths import linear_games
from pushforward.recipes import games
from pushforward.recipes.games import Nothing
from pushforward.systems.dirac_gan import DiracGAN
from pushforward.training import Trainer, find_rule
from tests.systems.bilinear import powers

F1, F2 = 0.5, -0.25
"""f'(0), f''(0)."""
NEAR = {"start_theta": 1e-8, "start_psi": 1e-8}
"""So near to the equilibrium that what is not linear is lost in rounding."""


def played(rule: str, rounds: int, **settings: Any) -> np.ndarray:
    system = DiracGAN(DiracGAN.Config(**settings))
    trainer = Trainer(system, Nothing(), rounds, rule=find_rule(rule), device="cpu")
    return np.stack([system.place.numpy(), *(system.place.numpy() for _ in trainer.rounds())])


def field(theta: float, psi: float, **settings: Any) -> np.ndarray:
    """How the players are pushed at a place."""
    system = DiracGAN(DiracGAN.Config(start_theta=theta, start_psi=psi, **settings))
    pairs = zip(system.players(), (system.theta.value, system.psi.value), strict=True)
    return np.array([-float(torch.autograd.grad(player.loss({})[0], w)[0]) for player, w in pairs])


def jacobian(**settings: Any) -> np.ndarray:
    """Of the field that the players follow, -(dF/dz), at the equilibrium."""
    return -games.linear(DiracGAN(DiracGAN.Config(**settings))).J


def same(found: np.ndarray, expected: Any) -> None:
    """The eigenvalues of a matrix up to 1e-10 of its characteristic polynomial: rounding moves a double root by its square root."""
    np.testing.assert_allclose(np.poly(found), np.poly(expected), rtol=0, atol=1e-10)


@pytest.mark.parametrize("objective", ["minimax", "non_saturating", "relativistic"])
def test_unregularised_players_circle(objective: str) -> None:
    same(jacobian(objective=objective), [F1 * 1j, -F1 * 1j])


def test_wasserstein_players_circle_too() -> None:
    same(jacobian(objective="wasserstein"), [1j, -1j])


@pytest.mark.parametrize("gamma", [0.1, 0.3, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("which", ["r1", "r2"])
@pytest.mark.parametrize("objective", ["minimax", "non_saturating", "relativistic"])
def test_a_slope_penalty_calms_them_whatever_its_weight(gamma: float, which: str, objective: str) -> None:
    root = np.sqrt(complex(gamma**2 / 4 - F1**2))
    expected = [-gamma / 2 + root, -gamma / 2 - root]
    same(jacobian(objective=objective, **{which: gamma}), expected)
    assert max(e.real for e in expected) < 0
    same(jacobian(r1=gamma / 2, r2=gamma / 2), expected)


@pytest.mark.parametrize("noise", [0.2, 1.0, 2.0])
def test_instance_noise_calms_them(noise: float) -> None:
    root = np.sqrt(complex(F2**2 * noise**4 - F1**2))
    same(jacobian(noise=noise), [F2 * noise**2 + root, F2 * noise**2 - root])


PLACES = [(1.0, 1.0), (-0.7, 1.3), (0.4, -2.0), (3.0, 2.5), (-1.5, -0.2)]


@pytest.mark.parametrize("objective", ["minimax", "relativistic", "wasserstein"])
def test_the_flow_keeps_the_distance(objective: str) -> None:
    """d/dt (theta^2 + psi^2) = 2 (theta, psi) . field = 0 everywhere."""
    for place in PLACES:
        assert np.array(place) @ field(*place, objective=objective) == pytest.approx(0, abs=1e-14)


def test_the_non_saturating_flow_comes_in_by_a_term_of_fourth_order() -> None:
    """(theta, psi) . field = -theta psi tanh(theta psi / 2): never outwards, and nothing that eigenvalues see."""
    for theta, psi in PLACES:
        inwards = np.array([theta, psi]) @ field(theta, psi, objective="non_saturating")
        assert inwards == pytest.approx(-theta * psi * np.tanh(theta * psi / 2), abs=1e-12) and inwards < 0


def test_a_clipped_critic_circles_whatever_its_turns() -> None:
    """With k steps of psi, Q = k theta^2 + psi^2 - k h theta psi stays between clips. A clip at |psi| = c leaves
    Q = k (theta - h psi / 2)^2 + c^2 (1 - k h^2 / 4): never below the last term, to which it falls."""
    h, c = 0.1, 0.3
    for k in (1, 2, 5, 20):
        theta, psi = played("alternating", 300, objective="wasserstein", clip=c, turns=k, rate=h).T
        Q, least = k * theta**2 + psi**2 - k * h * theta * psi, c**2 * (1 - k * h**2 / 4)
        assert Q.min() >= least - 1e-12 and Q[-1] < 1.05 * least
        untouched = np.abs(psi[1:]) < c - 1e-12
        np.testing.assert_allclose(Q[1:][untouched], Q[:-1][untouched], rtol=1e-10)
        assert (Q[1:] <= Q[:-1] + 1e-12).all() and untouched.any() and not untouched.all()


def test_a_gradient_penalty_leaves_no_place_to_rest() -> None:
    """theta rests only where psi = 0, and there psi is pushed to both sides: by theta +- lambda target."""
    for theta in (0.0, 0.05, 0.5):
        above, below = (field(theta, side, objective="wasserstein", gradient_penalty=1.0, target=0.3)[1] for side in (1e-12, -1e-12))
        assert (above, below) == pytest.approx((theta + 0.3, theta - 0.3), abs=1e-10)


def by_hand(rule: str, rounds: int, saturating: bool, gamma: float, h: float = 0.1) -> np.ndarray:
    """psi moves along theta f'(theta psi) - gamma psi, theta along -psi f'(+-theta psi), f'(t) = sigma(-t); in turn G goes first."""
    theta, psi, places = 1.0, 1.0, [(1.0, 1.0)]
    for _ in range(rounds):
        new = theta - h * psi / (1 + np.exp((1 if saturating else -1) * theta * psi))
        seen = new if rule == "alternating" else theta
        theta, psi = new, psi + h * (seen / (1 + np.exp(seen * psi)) - gamma * psi)
        places.append((theta, psi))
    return np.array(places)


@pytest.mark.parametrize(
    ("rule", "settings", "distance"),
    [
        ("simultaneous", {}, 2.2536),
        ("alternating", {}, 1.4154),
        ("simultaneous", {"objective": "non_saturating"}, 0.5211),
        ("alternating", {"objective": "non_saturating"}, 0.3902),
        ("simultaneous", {"r1": 0.3}, 9.20e-4),
        ("simultaneous", {"r1": 1.0}, 2.28e-10),
        ("simultaneous", {"r1": 2.0}, 1.22e-3),
    ],
)
def test_five_hundred_rounds_by_hand(rule: str, settings: dict[str, Any], distance: float) -> None:
    """Every place, and the distance at the end to the digits that are known."""
    places = played(rule, 500, **settings)
    expected = by_hand(rule, 500, "objective" not in settings, settings.get("r1", 0.0))
    np.testing.assert_allclose(places, expected, rtol=0, atol=1e-10)
    digits = 4 if distance > 0.1 else 2
    assert float(f"{np.linalg.norm(places[-1]):.{digits}{'f' if digits == 4 else 'e'}}") == distance


def test_rates_near_peace_are_those_of_the_eigenvalues() -> None:
    """sqrt(1 + h^2/4) without a penalty."""
    norms = np.linalg.norm(played("simultaneous", 50, **NEAR), axis=1)
    np.testing.assert_allclose(norms[1:] / norms[:-1], sqrt(1 + 0.01 / 4), rtol=1e-10)


def test_critical_damping_is_a_double_root() -> None:
    """gamma = 1: M = r + N with r = 1 - h/2 and N N = 0, so that M^t = r^t + t r^(t-1) N, at rate .95 in the long run for h = .1."""
    h = 0.1
    r, N = 1 - h / 2, h / 2 * np.array([[1.0, -1.0], [1.0, -1.0]])
    np.testing.assert_allclose(games.round_map(DiracGAN(DiracGAN.Config(r1=1.0)), "simultaneous"), r * np.eye(2) + N, rtol=0, atol=1e-12)
    start = np.array([1e-8, 0.5e-8])
    closed = np.stack([(r**t * np.eye(2) + t * r ** (t - 1) * N) @ start for t in range(401)])
    places = played("simultaneous", 400, r1=1.0, start_theta=start[0], start_psi=start[1])
    np.testing.assert_allclose(places, closed, rtol=1e-10, atol=0)


@pytest.mark.parametrize(("turns_theta", "turns"), [(1, 1), (1, 4), (3, 1), (2, 3)])
def test_alternating_steps_stay_bounded_below_their_threshold(turns_theta: int, turns: int) -> None:
    """h <= 2 / (f'(0) sqrt(n_g n_d)), near the equilibrium, where the game is linear: as if theta stepped by n_g h and psi by n_d h."""
    threshold, turning = 2 / (F1 * sqrt(turns_theta * turns)), {"turns_theta": turns_theta, "turns": turns}
    system = DiracGAN(DiracGAN.Config(rate=1.0, **turning))
    assert linear_games.limit(games.linear(system), "alternating") == pytest.approx(threshold, rel=1e-9)
    h = 0.3 * threshold
    ellipse = np.array([[1.0, -turns_theta * h * F1], [turns * h * F1, 1 - turns_theta * turns * (h * F1) ** 2]])
    np.testing.assert_allclose(played("alternating", 40, rate=h, **turning, **NEAR), powers(ellipse, np.full(2, 1e-8), 40), rtol=1e-9)
    inside, outside = (np.linalg.norm(played("alternating", 30, rate=threshold * f, **turning, **NEAR)[-1]) for f in (0.98, 1.05))
    assert inside < 1e-6 and outside > 10 * inside


def test_several_turns_are_for_alternating_play() -> None:
    with pytest.raises(BadInput, match="'generator' takes 2 turns, and only the alternating rule allows several"):
        played("simultaneous", 1, turns_theta=2)


@pytest.mark.parametrize(
    ("settings", "settles"),
    [
        ({"objective": "wasserstein", "clip": 0.3}, False),
        ({"objective": "wasserstein", "gradient_penalty": 1.0, "target": 0.3}, False),
        ({"objective": "minimax", "gradient_penalty": 1.0}, False),  # DRAGAN: around the data a linear D has the same slope
        ({"noise": 1.0}, True),
        ({"r1": 0.3}, True),
        ({"r2": 0.3}, True),
    ],
)
def test_who_settles(settings: dict[str, Any], settles: bool) -> None:
    """A clipped or gradient-penalised Wasserstein critic goes on for ever: only R1, R2 and noise bring it to rest."""
    far = np.linalg.norm(played("alternating", 3000, **settings)[-200:], axis=1)
    assert (far.max() < 1e-6) == settles
    if not settles:
        assert 0.01 < far.max() < 10


@pytest.mark.parametrize("weight", [0.2, 1.0])
def test_near_peace_every_rule_is_the_linear_map_of_theory(weight: float) -> None:
    """Consensus has the eigenvalues of J + w J^T J: real parts above 0 for every weight above 0."""
    system = DiracGAN(DiracGAN.Config())
    J = games.linear(system).J
    assert np.linalg.eigvals(J + weight * J.T @ J).real == pytest.approx(weight * F1**2, abs=1e-10)
    for rule in (f"consensus:weight={weight}", f"sga:weight={weight}", "extragradient", "simultaneous", "alternating", "implicit"):
        M = games.round_map(system, rule)
        theory = np.stack([np.linalg.matrix_power(M, t) @ np.full(2, 1e-8) for t in range(31)])
        np.testing.assert_allclose(played(rule, 30, **NEAR), theory, rtol=1e-10, atol=0)


@pytest.mark.parametrize("rule", ["consensus:weight=1.0", "sga:weight=1.0", "extragradient", "optimistic", "implicit"])
def test_cured_by_the_rule_in_place_of_the_objective(rule: str) -> None:
    assert np.linalg.norm(played(rule, 1200, rate=0.2)[-1]) < 0.05


def test_the_value_at_peace_is_minus_log_four() -> None:
    system = DiracGAN(DiracGAN.Config(start_theta=0.0, start_psi=0.0, noise=0.7))
    assert float(system.value().detach()) == pytest.approx(-np.log(4), abs=1e-12)
