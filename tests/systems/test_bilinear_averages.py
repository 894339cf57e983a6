"""Lookahead, averages and Adam on v(a, b) = ab, against closed forms."""

from math import asin, cos, sin, sqrt
from typing import Any

import numpy as np
import pytest

from pushforward.core import BadInput
from pushforward.maths import linear_games
from pushforward.maths.linear_games import LinearGame, round_map
from pushforward.recipes import games
from pushforward.systems.bilinear_game import BilinearGame
from pushforward.training import find_rule
from tests.systems.bilinear import AB, powers, way

E = 0.3
"""Step size."""


@pytest.mark.parametrize(("rule", "every", "known"), [("simultaneous", 5, 0.8396), ("simultaneous", 20, 1.648), ("alternating", 5, 0.7297)])
def test_lookahead(rule: str, every: int, known: float) -> None:
    """1/2 + 1/2 l^k in k rounds, l = 1 + i e of simultaneous and exp(i phi) of alternating play, where it is |cos(k phi / 2)|."""
    e = 0.3
    M = round_map(LinearGame(AB, (1, 1), (e, e)), "lookahead", rule=rule, every=every)
    closed = abs(0.5 + 0.5 * (1 + 1j * e) ** every) if rule == "simultaneous" else abs(cos(every * asin(e / 2)))
    assert linear_games.rate(M) == pytest.approx(closed, abs=1e-10)
    assert closed == pytest.approx(known, rel=3e-4), "the digits that are known"
    places = way(f"lookahead:rule={rule},every={every},share=0.5", 6 * every, rate=e)[::every]
    np.testing.assert_allclose(places, powers(M, np.ones(2), 6), rtol=1e-10, atol=1e-10)
    if rule == "simultaneous":
        np.testing.assert_allclose(np.linalg.norm(places, axis=1), sqrt(2) * closed ** np.arange(7), rtol=1e-10)


@pytest.mark.parametrize("share", [0.2, 0.8])
def test_lookahead_by_another_share(share: float) -> None:
    places = way(f"lookahead:rule=simultaneous,every=5,share={share}", 30, rate=0.3)[::5]
    closed = abs(1 - share + share * (1 + 0.3j) ** 5)
    np.testing.assert_allclose(np.linalg.norm(places, axis=1), sqrt(2) * closed ** np.arange(7), rtol=1e-10)


@pytest.mark.parametrize("inner", ["optimistic", "consensus:weight=0.5"])
def test_lookahead_of_a_rule_that_remembers_or_has_a_weight(inner: str) -> None:
    rule = f"lookahead:rule={inner},every=5"
    M = round_map(LinearGame(AB, (1, 1), (0.3, 0.3)), "lookahead", **vars(find_rule(rule)))
    start = np.ones(len(M))  # z, and z_before where there is one
    theory = np.stack([(np.linalg.matrix_power(M, t) @ start)[:2] for t in range(5)])
    np.testing.assert_allclose(way(rule, 20, rate=0.3)[::5], theory, rtol=1e-10, atol=1e-10)
    with pytest.raises(BadInput, match="plays another rule than itself"):
        find_rule("lookahead:rule=lookahead")


def averaged(rule: str, rounds: int, **settings: Any) -> np.ndarray:
    """The average [rounds + 1, 2] after every round, the start first."""
    played = games.play(games.toy("bilinear", rate=E, **settings), rule, rounds)
    assert played.averages is not None and played.shown is played.averages
    return played.averages


def map_of(rule: str) -> np.ndarray:
    return round_map(LinearGame(AB, (1, 1), (E, E)), rule)


def size(places: np.ndarray) -> np.ndarray:
    """In the measure that alternating play keeps: the root of a^2 + b^2 - e a b."""
    a, b = places.T
    return np.sqrt(a**2 + b**2 - E * a * b)


def test_the_uniform_average_of_alternating_play_comes_to_rest_as_one_over_t() -> None:
    """T times the average of T places is (1 - M)^-1 (z_0 - z_T), and z_T stays on an ellipse."""
    T, here = np.arange(1, 1001), powers(map_of("alternating"), np.array([1.0, 0.0]), 1000)
    average = averaged("alternating", 999, averaging="uniform", start_b=(0.0,))
    closed = (here[:1] - here[1:]) @ np.linalg.inv(np.eye(2) - map_of("alternating")).T
    np.testing.assert_allclose(T[:, None] * average, closed, rtol=0, atol=1e-10)
    farthest = 2 * size(here[:1])[0] / (2 * sin(asin(E / 2)))  # the inverse divides by |1 - exp(i phi)| in this measure
    assert (T * size(average) <= farthest + 1e-10).all()
    assert (T * size(average)).max() > 0.99 * farthest, "and it is no smaller"
    assert round(float(np.linalg.norm(average[-1])), 5) == 0.00143


def test_the_uniform_average_of_simultaneous_play_does_not() -> None:
    """z_0 ((1 + i e)^T - 1) / (i e T)."""
    average = averaged("simultaneous", 400, averaging="uniform")
    T = np.arange(1, 402)
    closed = (1 + 1j) * ((1 + 1j * E) ** T - 1) / (1j * E * T)
    np.testing.assert_allclose(average, np.stack([closed.real, closed.imag], 1), rtol=1e-10, atol=1e-10)
    assert np.linalg.norm(average[-1]) > 1e5


@pytest.mark.parametrize(("beta", "known"), [(0.9, 0.3315), (0.99, 0.03348), (0.999, 0.003335)])
def test_an_exponential_average_shrinks_the_orbit_and_does_not_stop_it(beta: float, known: float) -> None:
    """x_t = beta x_(t-1) + (1 - beta) z_t from x_0 = z_0: G z_t + beta^t (z_0 - G z_0), G = (1 - beta) M (M - beta)^-1. Of a rotation by
    phi G is one too, times (1 - beta) / |1 - beta exp(-i phi)|: a circle of that size, once beta^t is forgotten."""
    M, z0 = map_of("alternating"), np.ones(2)
    G = (1 - beta) * M @ np.linalg.inv(M - beta * np.eye(2))
    places, t = powers(M, z0, 600), np.arange(601)
    closed = places @ G.T + beta ** t[:, None] * (z0 - G @ z0)
    average = averaged("alternating", 600, averaging="exponential", half_life=-np.log(2) / np.log(beta))
    np.testing.assert_allclose(average, closed, rtol=0, atol=1e-10)
    gain = (1 - beta) / abs(1 - beta * np.exp(-2j * asin(E / 2)))
    assert gain == pytest.approx(known, rel=3e-4), "the digits that are known"
    lasting = average - beta ** t[:, None] * (z0 - G @ z0)
    np.testing.assert_allclose(size(lasting) / size(places), gain, rtol=1e-10)
    recurrence = np.block([[M, np.zeros((2, 2))], [(1 - beta) * M, beta * np.eye(2)]])
    assert linear_games.rate(recurrence) == pytest.approx(1, abs=1e-10), "its rate is that of the players"


class Adam:
    """Steps of Adam, written out."""

    def __init__(self, rate: float) -> None:
        self.rate, self.t, self.mean, self.square = rate, 0, np.zeros(2), np.zeros(2)

    def __call__(self, slope: np.ndarray) -> np.ndarray:
        self.t, slow, slower = self.t + 1, 0.5, 0.9
        self.mean, self.square = slow * self.mean + (1 - slow) * slope, slower * self.square + (1 - slower) * slope**2
        return -self.rate * self.mean / (1 - slow**self.t) / (np.sqrt(self.square / (1 - slower**self.t)) + 1e-8)


def field(z: np.ndarray) -> np.ndarray:
    """Of v = ab: each player's slope of its own loss."""
    return np.array([z[1], -z[0]])


def adam(rule: str, rounds: int, rate: float, start: tuple[float, float]) -> np.ndarray:
    """Adam on v = ab. Looking ahead is a step of it, too (Gidel et al. 2019, algorithm 4); J' F is z."""
    z, step, before = np.array(start), Adam(rate), field(np.array(start))
    places = [z]
    for _ in range(rounds):
        now = field(z)
        if rule == "extragradient":
            now = field(z + step(now))
        elif rule == "optimistic":
            now, before = 2 * now - before, now
        elif rule != "simultaneous":
            now = now + 0.5 * z
        z = z + step(now)
        places.append(z)
    return np.array(places)


@pytest.mark.parametrize("rule", ["simultaneous", "extragradient", "optimistic", "consensus:weight=0.5", "sga:weight=0.5"])
def test_rules_by_adam(rule: str) -> None:
    """Each rule gives Adam its own slope."""
    places = way(rule, 60, optimiser="adam", rate=0.05, start_a=(2.0,), start_b=(0.5,))
    np.testing.assert_allclose(places, adam(rule, 60, 0.05, (2.0, 0.5)), rtol=0, atol=1e-10)


@pytest.mark.parametrize(("rate", "start"), [(0.1, (2.0, 0.5)), (0.01, (0.2, 0.05)), (0.01, (0.002, 0.001)), (0.3, (6.0, 1.5))])
def test_adam_does_not_settle(rate: float, start: tuple[float, float]) -> None:
    """Place by place; and from near and far it comes to a ring of some sixteen steps around the equilibrium, whatever their length."""
    places = way("simultaneous", 400, optimiser="adam", rate=rate, start_a=start[:1], start_b=start[1:])
    np.testing.assert_allclose(places, adam("simultaneous", 400, rate, start), rtol=0, atol=1e-10)
    steps = np.linalg.norm(places[-100:], axis=1) / rate
    assert steps.min() > 15 and steps.max() < 18


def test_nothing_is_foretold_of_adam() -> None:
    system = games.toy("bilinear", optimiser="adam")
    assert games.warning(system, "simultaneous") == "" and games.play(system, "simultaneous", 10).theory is None


def test_what_these_players_cannot_do() -> None:
    with pytest.raises(BadInput, match="SGD without momentum"):
        way("implicit", 1, optimiser="adam")
    with pytest.raises(BadInput, match="at most 256 numbers"):
        way("implicit", 1, matrix=((1.0,) * 300,), start_b=(0.0,) * 300)
    with pytest.raises(BadInput, match="2 rows of 1 numbers"):
        BilinearGame(BilinearGame.Config(start_a=(1.0, 1.0)))
