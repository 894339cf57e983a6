"""The Dirac-GAN on the ordinary trainer: its eigenvalues, and places after 500 rounds, against closed forms."""

from math import sqrt
from typing import Any

import numpy as np
import pytest
import torch

from pushforward.maths import linear_games
from pushforward.recipes import games
from pushforward.recipes.games import Nothing
from pushforward.systems.dirac_gan import DiracGAN
from pushforward.training import Trainer, find_rule

F1, F2 = 0.5, -0.25
"""f'(0), f''(0)."""


def played(rule: str, rounds: int, **settings: Any) -> np.ndarray:
    system = DiracGAN(DiracGAN.Config(**settings))
    trainer = Trainer(system, Nothing(), rounds, rule=find_rule(rule), device="cpu")
    return np.stack([system.place.numpy(), *(system.place.numpy() for _ in trainer.rounds())])


def eigenvalues(**settings: Any) -> np.ndarray:
    """Of the field that the players follow, -(dF/dz), at peace."""
    system = DiracGAN(DiracGAN.Config(start_theta=0.0, start_psi=0.0, **settings))
    weights = [system.theta.value, system.psi.value]
    slopes = [torch.autograd.grad(player.loss({})[0], w, create_graph=True)[0] for player, w in zip(system.players(), weights, strict=True)]
    J = [[float(torch.autograd.grad(s, w, retain_graph=True, allow_unused=True)[0] or 0) for w in weights] for s in slopes]
    return np.linalg.eigvals(-np.array(J))


def same(found: np.ndarray, expected: Any) -> None:
    """Up to 1e-10, but for a double root, which rounding moves by its square root."""
    expected = np.sort_complex(np.array(expected, complex))
    close = 1e-7 if abs(expected[0] - expected[1]) < 1e-6 else 1e-10
    np.testing.assert_allclose(np.sort_complex(found), expected, rtol=0, atol=close)


@pytest.mark.parametrize("objective", ["minimax", "non_saturating", "relativistic"])
def test_unregularised_players_circle(objective: str) -> None:
    same(eigenvalues(objective=objective), [F1 * 1j, -F1 * 1j])


def test_wasserstein_players_circle_too() -> None:
    same(eigenvalues(objective="wasserstein"), [1j, -1j])


@pytest.mark.parametrize("gamma", [0.1, 0.3, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("which", ["r1", "r2"])
@pytest.mark.parametrize("objective", ["minimax", "non_saturating", "relativistic"])
def test_a_slope_penalty_calms_them_whatever_its_weight(gamma: float, which: str, objective: str) -> None:
    root = np.sqrt(complex(gamma**2 / 4 - F1**2))
    expected = [-gamma / 2 + root, -gamma / 2 - root]
    same(eigenvalues(objective=objective, **{which: gamma}), expected)
    assert max(e.real for e in expected) < 0
    same(eigenvalues(r1=gamma / 2, r2=gamma / 2), expected)


@pytest.mark.parametrize("noise", [0.2, 1.0, 2.0])
def test_instance_noise_calms_them(noise: float) -> None:
    root = np.sqrt(complex(F2**2 * noise**4 - F1**2))
    same(eigenvalues(noise=noise), [F2 * noise**2 + root, F2 * noise**2 - root])


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
    """sqrt(1 + h^2/4) without a penalty; with gamma = 1 a double root at 1 - h/2."""
    near = {"start_theta": 1e-6, "start_psi": 1e-6}
    norms = np.linalg.norm(played("simultaneous", 50, **near), axis=1)
    np.testing.assert_allclose(norms[1:] / norms[:-1], sqrt(1 + 0.01 / 4), rtol=1e-6)
    damped = np.linalg.norm(played("simultaneous", 400, r1=1.0, **near), axis=1)
    assert (damped[-1] / damped[-2]) == pytest.approx(0.95, abs=3e-3)


def test_alternating_steps_stay_bounded_below_their_threshold() -> None:
    """h <= 2 / (f'(0) sqrt(n_g n_d)), near peace, where the game is linear."""
    near = {"start_theta": 1e-8, "start_psi": 1e-8}
    for turns in (1, 4):
        threshold = 2 / (F1 * sqrt(turns))
        system = DiracGAN(DiracGAN.Config(rate=1.0, turns=turns))
        assert linear_games.limit(games.linear(system), "alternating") == pytest.approx(threshold, rel=1e-6)
        inside, outside = (np.linalg.norm(played("alternating", 30, rate=threshold * f, turns=turns, **near)[-1]) for f in (0.98, 1.05))
        assert inside < 1e-6 and outside > 10 * inside


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
    """A clipped or gradient-penalised Wasserstein critic goes on for ever: only R1, R2 and noise bring peace."""
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
    near = {"start_theta": 1e-9, "start_psi": 1e-9}
    for rule in (f"consensus:weight={weight}", "extragradient", "simultaneous"):
        M = games.round_map(system, rule)
        theory = np.stack([np.linalg.matrix_power(M, t) @ np.full(2, 1e-9) for t in range(31)])
        np.testing.assert_allclose(played(rule, 30, **near), theory, rtol=1e-7, atol=0)


@pytest.mark.parametrize("rule", ["consensus:weight=1.0", "sga:weight=1.0", "extragradient", "optimistic", "implicit"])
def test_cured_by_the_rule_in_place_of_the_objective(rule: str) -> None:
    assert np.linalg.norm(played(rule, 3000, rate=0.2)[-1]) < 0.05


def test_the_value_at_peace_is_minus_log_four() -> None:
    system = DiracGAN(DiracGAN.Config(start_theta=0.0, start_psi=0.0, noise=0.7))
    assert float(system.value().detach()) == pytest.approx(-np.log(4), abs=1e-12)
