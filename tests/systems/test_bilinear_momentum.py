"""Momentum, negative too, under every rule that takes it: places against the linear map, rates against characteristic polynomials."""

from math import sqrt

import numpy as np
import pytest

from pushforward.core import BadInput
from pushforward.maths import linear_games
from pushforward.maths.linear_games import LinearGame, bilinear, round_map
from pushforward.recipes import games
from tests.systems.bilinear import AB, largest, theory, way

RULES = [
    "simultaneous",
    "alternating",
    "extragradient",
    "extragradient:ahead=0.6",
    "optimistic",
    "consensus:weight=0.7",
    "sga:weight=0.7",
    "lookahead:rule=alternating,every=1",
    "lookahead:rule=simultaneous,every=1,share=0.3",
    "lookahead:rule=extragradient,every=1",
    "lookahead:rule=optimistic,every=1",
    "lookahead:rule=consensus:weight=0.7,every=1",
]
BEST = 2 * sqrt(3) - 3


def both(e: float, m: float) -> LinearGame:
    """v = ab with one step size and one momentum."""
    return LinearGame(AB, (1, 1), (e, e), (m, m))


def rate(e: float, m: float, rule: str, **settings: float) -> float:
    return linear_games.rate(round_map(both(e, m), rule, **settings))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("momenta", [(-0.5, -0.5), (-0.5, 0.0), (0.25, 0.25), (0.9, -0.3)])
def test_every_rule_plays_the_linear_map_of_theory(rule: str, momenta: tuple[float, float]) -> None:
    game = LinearGame(AB, (1, 1), (0.3, 0.3), momenta)
    places = way(rule, 40, rate=0.3, momentum_a=momenta[0], momentum_b=momenta[1])
    np.testing.assert_allclose(places, theory(game, rule, np.ones(2), 40), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("rule", ["lookahead:rule=alternating,every=5", "lookahead:rule=optimistic,every=3", "lookahead:rule=sga,every=4"])
def test_velocities_stay_when_one_goes_back(rule: str) -> None:
    every = int(rule[-1])
    places = way(rule, 8 * every, rate=0.3, momentum_a=-0.4, momentum_b=0.2)[::every]
    game = LinearGame(AB, (1, 1), (0.3, 0.3), (-0.4, 0.2))
    np.testing.assert_allclose(places, theory(game, rule, np.ones(2), 8), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("rule", RULES[:7])
def test_a_matrix_two_speeds_curvature_and_momentum_together(rule: str) -> None:
    A = np.array(((1.0, -0.5, 0.3), (0.2, 0.8, -1.1)))
    game = LinearGame(bilinear(A, 0.3, 0.1), (2, 3), (0.2, 0.1), (-0.3, 0.4))
    start = np.array([1.0, -1.0, 0.5, 0.3, 2.0])
    settings = {"matrix": A.tolist(), "start_a": (1.0, -1.0), "start_b": (0.5, 0.3, 2.0), "curvature_a": 0.3, "curvature_b": 0.1}
    places = way(rule, 40, rate=0.2, faster_b=0.5, momentum_a=-0.3, momentum_b=0.4, **settings)
    np.testing.assert_allclose(places, theory(game, rule, start, 40), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("rule", RULES)
def test_a_rate_is_told_with_momentum(rule: str) -> None:
    played = games.play(games.toy("bilinear", momentum_a=-0.2, momentum_b=-0.2, rate=0.3), rule, 600)
    assert played.theory is not None and played.rate == pytest.approx(played.theory, abs=1e-3)


def test_implicit_play_has_no_momentum() -> None:
    with pytest.raises(BadInput, match="Implicit play takes plain gradient steps, and the momenta are"):
        round_map(both(0.3, 0.1), "implicit")
    with pytest.raises(BadInput, match="Implicit play takes plain gradient steps"):
        way("implicit", 1, momentum_a=0.1)


@pytest.mark.parametrize(("e", "equal", "one"), [(0.3, 0.98661, 0.98988), (0.5, 0.96254, 0.97129), (1.0, 1.0, 0.87218)])
def test_negative_momentum_cures_alternating_play(e: float, equal: float, one: float) -> None:
    """(l - 1)^2 (l - m_a)(l - m_b) + e^2 l^3 = 0."""
    for (m, k), known in (((-0.5, -0.5), equal), ((-0.5, 0.0), one)):
        M = round_map(LinearGame(AB, (1, 1), (e, e), (m, k)), "alternating")
        np.testing.assert_allclose(
            np.poly(M), [1, e**2 - 2 - m - k, 1 + 2 * (m + k) + m * k, -(m + k) - 2 * m * k, m * k], rtol=0, atol=1e-10
        )
        assert round(linear_games.rate(M), 5) == known
    for m in (0.1, 0.25, 0.5, 0.9):
        M = round_map(both(e, m), "alternating")
        np.testing.assert_allclose(np.poly(M), [1, e**2 - 2 - 2 * m, 1 + 4 * m + m**2, -2 * m - 2 * m**2, m**2], rtol=0, atol=1e-10)
        assert linear_games.rate(M) > 1
    assert round(rate(0.3, 0.25, "alternating"), 4) == 1.0455


def test_the_best_momentum_of_alternating_play() -> None:
    """Three roots meet at -(2 sqrt(3) - 3), the fourth is a ninth of it: m = 4 sqrt(3) - 7, e = 8/3 sqrt(2 sqrt(3) - 3)."""
    m, e = 4 * sqrt(3) - 7, 8 / 3 * sqrt(BEST)
    np.testing.assert_allclose(np.poly(round_map(both(e, m), "alternating")), np.poly([-BEST] * 3 + [-BEST / 9]), rtol=0, atol=1e-10)
    near = [rate(e + 0.01 * de, m + 0.001 * dm, "alternating") for de in range(-9, 10) for dm in range(-9, 10) if de or dm]
    far = [rate(step, momentum, "alternating") for step in np.linspace(0.02, 2.2, 60) for momentum in np.linspace(-0.95, 0.95, 77)]
    assert min(near) > BEST and min(far) > BEST
    places = way("alternating", 60, rate=e, momentum_a=m, momentum_b=m)
    np.testing.assert_allclose(places, theory(both(e, m), "alternating", np.ones(2), 60), rtol=0, atol=1e-10)
    assert np.linalg.norm(places[-1]) < 60**2 * BEST**58, "t^2 rate^t: no factor is left to grow"


@pytest.mark.parametrize("momenta", [(-0.5, -0.5), (-0.5, 0.0), (-0.1, -0.3)])
def test_steps_up_to_which_negative_momentum_cures_it(momenta: tuple[float, float]) -> None:
    """A root passes -1 at e = 2 sqrt((1 + m_a)(1 + m_b))."""
    edge = 2 * sqrt((1 + momenta[0]) * (1 + momenta[1]))
    assert linear_games.limit(LinearGame(AB, (1, 1), (1.0, 1.0), momenta), "alternating") == pytest.approx(edge, rel=1e-9)
    for share, calm in ((0.99, True), (1.01, False)):
        places = way("alternating", 300, rate=share * edge, momentum_a=momenta[0], momentum_b=momenta[1])
        far = np.linalg.norm(places, axis=1)
        assert (far[-1] < 0.8 * far[150]) if calm else (far[-1] > 1.25 * far[150]), share


def test_no_momentum_cures_simultaneous_play() -> None:
    """l^2 - (1 + m + i e) l + m = 0, with a root outside the circle for every m and e."""
    for m in np.linspace(-0.99, 0.99, 67):
        for e in (0.05, 0.3, 1.0):
            assert rate(e, m, "simultaneous") == pytest.approx(largest(1, -(1 + m + 1j * e), m), abs=1e-10)
            assert rate(e, m, "simultaneous") > 1
    for m in (-0.5, 0.5):  # the demonstration of Gidel et al.: from (2, 1/2), in steps of 1/10
        far = np.linalg.norm(way("simultaneous", 100, rate=0.1, momentum_a=m, momentum_b=m, start_a=(2.0,), start_b=(0.5,)), axis=1)
        assert far[-1] > far[0]


@pytest.mark.parametrize("m", [-0.9, -0.5, -0.1, 0.0, 0.1, 0.3, 0.5])
def test_extragradient_with_momentum_must_look_farther(m: float) -> None:
    """(l - 1)(l - q) + e p l = 0 with p = (1 + m) j + g e, q = m^2 - g e m j, j = i: at the equilibrium in small steps for
    g > (1 + m^2) / (2 (1 - m)). The look ahead moves the velocity, so that m comes in twice."""
    least = (1 + m**2) / (2 * (1 - m))
    for e in (0.01, 0.3, 0.8):
        for g in (0.5, 1.0, 2.0):
            p, q = (1 + m) * 1j + g * e, m**2 - g * e * m * 1j
            assert rate(e, m, "extragradient", ahead=g) == pytest.approx(largest(1, -(1 + q - e * p), q), abs=1e-10)
    assert linear_games.limit(both(1.0, m), "extragradient", ahead=0.99 * least) == 0
    assert linear_games.limit(both(1.0, m), "extragradient", ahead=1.01 * least) > 0
    for factor in (0.7, 1.5):
        far = np.linalg.norm(way(f"extragradient:ahead={factor * least}", 300, rate=0.1, momentum_a=m, momentum_b=m), axis=1)
        assert (far[-1] < far[100]) == (factor > 1)
