"""The bilinear game on the ordinary trainer against closed forms: every row of the table that `docs/games.md` shows."""

from math import asin, atan, pi, sqrt
from typing import Any

import numpy as np
import pytest

from pushforward.maths import linear_games
from pushforward.maths.linear_games import LinearGame, bilinear, round_map
from pushforward.recipes import games
from pushforward.systems.bilinear_game import BilinearGame
from pushforward.training import find_rule
from tests.systems.bilinear import AB, powers, way

A23 = ((1.0, -0.5, 0.3), (0.2, 0.8, -1.1))


def bound(rule: str, J: np.ndarray = AB, sizes: tuple[int, int] = (1, 1), **game: Any) -> float:
    """The largest step size of both players that theory allows."""
    name = rule.partition(":")[0]
    return linear_games.limit(LinearGame(J, sizes, (1.0, 1.0), **game), name, **vars(find_rule(rule)))


def complex_way(z0: complex, factor: complex, rounds: int) -> np.ndarray:
    z = z0 * factor ** np.arange(rounds + 1)
    return np.stack([z.real, z.imag], 1)


def one_step(e: float) -> dict[str, complex]:
    """What a round multiplies z = a + i b by, in closed form."""
    return {
        "simultaneous": 1 + 1j * e,
        "extragradient": 1 + 1j * e - e**2,
        "extragradient:ahead=0.6": 1 + 1j * e - 0.6 * e**2,
        "extragradient:ahead=1.2": 1 + 1j * e - 1.2 * e**2,
        "implicit": 1 / (1 - 1j * e),
        "consensus:weight=0.7": 1 + e * (1j - 0.7),
        "consensus:weight=1": 1 + e * (1j - 1),
        "sga:weight=0.7": 1 + e * (1j - 0.7),
    }


@pytest.mark.parametrize("e", [0.03, 0.1, 0.5, 1.3])
@pytest.mark.parametrize("rule", one_step(0.1))
def test_a_round_turns_and_stretches_z(rule: str, e: float) -> None:
    places = way(rule, 30, rate=e)
    np.testing.assert_allclose(places, complex_way(1 + 1j, one_step(e)[rule], 30), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    ("rule", "closed"),
    [
        ("simultaneous", lambda e: sqrt(1 + e**2)),
        ("extragradient", lambda e: sqrt(1 - e**2 + e**4)),
        ("implicit", lambda e: 1 / sqrt(1 + e**2)),
        ("consensus", lambda e: sqrt((1 - e) ** 2 + e**2)),
        ("sga", lambda e: sqrt((1 - e) ** 2 + e**2)),
        ("alternating", lambda e: 1.0 if e <= 2 else (e**2 - 2 + e * sqrt(e**2 - 4)) / 2),
        ("optimistic", lambda e: sqrt((1 + sqrt(1 - 4 * e**2)) / 2) if e <= 0.5 else sqrt(0.25 + (e + sqrt(4 * e**2 - 1) / 2) ** 2)),
    ],
)
@pytest.mark.parametrize("e", [0.05, 0.3, 0.45, 0.55, 0.7, 1.1, 2.1])
def test_rates_of_theory_are_the_closed_forms(rule: str, closed: Any, e: float) -> None:
    assert linear_games.rate(round_map(LinearGame(AB, (1, 1), (e, e)), rule)) == pytest.approx(closed(e), abs=1e-10)


@pytest.mark.parametrize(
    ("rule", "threshold", "rounds"),
    [
        ("extragradient", 1.0, 900),
        ("extragradient:ahead=0.6", sqrt(0.2) / 0.6, 3000),  # e (1 + g^2) < 2 g with g = 0.6 e
        ("extragradient:ahead=2.0", sqrt(3) / 2, 300),
        ("optimistic", 1 / sqrt(3), 900),
        ("alternating", 2.0, 60),
    ],
)
def test_thresholds_hold_from_both_sides(rule: str, threshold: float, rounds: int) -> None:
    assert bound(rule) == pytest.approx(threshold, rel=1e-9)
    below, above = (np.linalg.norm(way(rule, rounds, rate=threshold * factor)[-1]) for factor in (0.99, 1.01))
    assert above > 40
    assert below < (20 if rule == "alternating" else 0.5)


@pytest.mark.parametrize("weight", [0.5, 1.0, 3.0])
def test_consensus_has_a_threshold_and_a_best_step(weight: float) -> None:
    """Converges for e < 2 w / (1 + w^2); the best e is half of that, with rate 1 / sqrt(1 + w^2)."""
    threshold, rule = 2 * weight / (1 + weight**2), f"consensus:weight={weight}"
    assert bound(rule) == pytest.approx(bound(f"sga:weight={weight}")) == pytest.approx(threshold, rel=1e-9)
    growth = [np.linalg.norm(way(rule, 400, rate=threshold * f)[-1]) for f in (0.98, 1.02)]
    assert growth[0] < sqrt(2) < growth[1]
    best = way(rule, 5, rate=threshold / 2)
    np.testing.assert_allclose(np.linalg.norm(best[1:], axis=1) / np.linalg.norm(best[:-1], axis=1), 1 / sqrt(1 + weight**2), rtol=1e-10)


def test_extragradient_is_best_at_one_over_root_two() -> None:
    norms = np.linalg.norm(way("extragradient", 5, rate=1 / sqrt(2)), axis=1)
    np.testing.assert_allclose(norms[1:] / norms[:-1], sqrt(3) / 2, rtol=1e-10)


@pytest.mark.parametrize(
    ("rule", "best"),
    [
        ("extragradient", 1 / sqrt(2)),
        ("optimistic", 0.5),
        ("consensus:weight=0.5", 0.4),
        ("consensus:weight=3", 0.3),
        ("sga:weight=1", 0.5),
    ],
)
def test_no_step_is_better_than_the_best(rule: str, best: float) -> None:
    name, settings = rule.partition(":")[0], vars(find_rule(rule))
    rates = {e: linear_games.rate(round_map(LinearGame(AB, (1, 1), (e, e)), name, **settings)) for e in best * np.geomspace(0.5, 2, 41)}
    assert min(rates, key=rates.__getitem__) == pytest.approx(best)


@pytest.mark.parametrize("small", [1e-2, 1e-4])
def test_limits_far_below_one_are_found(small: float) -> None:
    """v = a b - c/2 b^2 holds simultaneous steps e < c, consensus those of e < 2 w / (1 + w^2)."""
    assert bound("simultaneous", bilinear(np.eye(1), curvature_b=small)) == pytest.approx(small, rel=1e-3)
    assert bound(f"consensus:weight={small}") == pytest.approx(2 * small, rel=1e-3)


@pytest.mark.parametrize("e", [0.3, 0.8, 0.99, 1.01, 1.25])
def test_a_look_ahead_of_one_over_e_leaves_the_rate_e(e: float) -> None:
    """1 + i e - e gamma, gamma the length of the look ahead: with e gamma = 1 it is i e."""
    norms = np.linalg.norm(way(f"extragradient:ahead={e**-2!r}", 40, rate=e), axis=1)
    np.testing.assert_allclose(norms, sqrt(2) * e ** np.arange(41), rtol=1e-10)


@pytest.mark.parametrize("ahead", [0.0, 0.3, 0.49, 0.5])
def test_a_look_of_half_a_step_ahead_or_less_never_converges(ahead: float) -> None:
    """(1 - g e^2)^2 + e^2 = 1 + (1 - 2 g) e^2 + g^2 e^4, above 1 for every e."""
    assert bound(f"extragradient:ahead={ahead}") == 0
    for e in (0.01, 0.1, 0.5, 1.0, 1.4):
        norms = np.linalg.norm(way(f"extragradient:ahead={ahead}", 20, rate=e), axis=1)
        np.testing.assert_allclose(norms[1:] / norms[:-1], sqrt(1 + (1 - 2 * ahead) * e**2 + ahead**2 * e**4), rtol=1e-10)
        assert (norms[1:] > norms[:-1]).all()
    assert 0 < bound("extragradient:ahead=0.501") < 0.13


@pytest.mark.parametrize("e", [0.1, 0.3, 1.9])
def test_alternating_play_stays_on_an_ellipse(e: float) -> None:
    """det 1, angle 2 asin(e/2): a^2 + b^2 - e a b stays, and after 2 pi / angle rounds it is back."""
    a, b = way("alternating", 200, rate=e).T
    np.testing.assert_allclose(a**2 + b**2 - e * a * b, 2 - e, rtol=1e-10)
    M = round_map(LinearGame(AB, (1, 1), (e, e)), "alternating")
    assert np.linalg.det(M) == pytest.approx(1, abs=1e-12)
    assert abs(np.angle(np.linalg.eigvals(M)[0])) == pytest.approx(2 * asin(e / 2), abs=1e-10)


@pytest.mark.parametrize(("e", "c"), [(0.1, 0.7), (2.5, 1.5), (0.4, 9.9)])
def test_alternating_play_in_unequal_steps_stays_on_another_ellipse(e: float, c: float) -> None:
    """c a^2 + e b^2 - e c a b stays, for e c < 4."""
    a, b = way("alternating", 200, rate=e, faster_b=c / e).T
    np.testing.assert_allclose(c * a**2 + e * b**2 - e * c * a * b, c + e - e * c, rtol=1e-10, atol=1e-10)
    assert linear_games.rate(round_map(LinearGame(AB, (1, 1), (e, c)), "alternating")) == pytest.approx(1, abs=1e-10)
    assert linear_games.rate(round_map(LinearGame(AB, (1, 1), (e, 4.01 / e)), "alternating")) > 1.05


def test_small_simultaneous_steps_are_the_lectures_circle() -> None:
    e, rounds = 1e-3, round(2 * pi / atan(1e-3))
    places = way("simultaneous", rounds, rate=e)
    assert np.linalg.norm(places[-1] - places[0]) < 0.01
    assert np.linalg.norm(places, axis=1).max() < 1.0032 * sqrt(2)


@pytest.mark.parametrize("e", [0.2, 0.5, 0.56])
def test_optimistic_play_is_a_sum_of_two_powers(e: float) -> None:
    places = way("optimistic", 60, rate=e)
    s = np.sqrt(complex(1 - 4 * e**2))
    if abs(s) > 1e-8:
        plus, minus = (1 + s) / 2 + 1j * e, (1 - s) / 2 + 1j * e
        z0, z1 = 1 + 1j, (1 + 1j * e) * (1 + 1j)
        c = np.linalg.solve(np.array([[1, 1], [plus, minus]]), np.array([z0, z1]))
        z = c[0] * plus ** np.arange(61) + c[1] * minus ** np.arange(61)
    else:  # a double root: t rate^t
        z = np.array(
            [(1 + 1j) * (root := 0.5 + 0.5j) ** t + t * ((1 + 0.5j) * (1 + 1j) - root * (1 + 1j)) * root ** (t - 1) for t in range(61)]
        )
        M = round_map(LinearGame(AB, (1, 1), (e, e)), "optimistic")
        np.testing.assert_allclose(np.poly(M), np.poly([0.5 + 0.5j, 0.5 - 0.5j] * 2), rtol=0, atol=1e-10)
    np.testing.assert_allclose(places, np.stack([z.real, z.imag], 1), rtol=0, atol=1e-10)


@pytest.mark.parametrize(("faster", "turns"), [(4.0, 1), (1.0, 3)])
def test_two_time_scales_do_not_help(faster: float, turns: int) -> None:
    """Simultaneous: the rate is sqrt(1 + e_a e_b). Alternating with k steps of b is e_b = k e: on a circle of its own."""
    if turns == 1:
        assert linear_games.rate(round_map(LinearGame(AB, (1, 1), (0.1, 0.4)), "simultaneous")) == pytest.approx(sqrt(1.04), abs=1e-12)
        places = way("simultaneous", 50, rate=0.1, faster_b=faster)
        M = round_map(LinearGame(AB, (1, 1), (0.1, 0.4)), "simultaneous")
    else:
        places = way("alternating", 50, rate=0.1, turns_b=turns)
        M = round_map(LinearGame(AB, (1, 1), (0.1, 0.1), turns=(1, 3)), "alternating")
        assert pytest.approx(round_map(LinearGame(AB, (1, 1), (0.1, 0.3)), "alternating")) == M
    np.testing.assert_allclose(places, powers(M, np.ones(2), 50), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("gamma", [0.1, 0.5, 1.5, 2.0, 3.0])
def test_a_penalty_on_b_calms_the_game(gamma: float) -> None:
    """v - gamma/2 b^2. Simultaneous: trace 2 - e gamma, determinant 1 - e gamma + e^2; alternating: 2 - e gamma - e^2 and 1 - e gamma."""
    J = bilinear(np.ones((1, 1)), 0.0, gamma)
    for e in (0.1, 0.3, 0.45):
        for rule, polynomial in (
            ("simultaneous", [1, e * gamma - 2, 1 - e * gamma + e**2]),
            ("alternating", [1, e * gamma + e**2 - 2, 1 - e * gamma]),
        ):
            M = round_map(LinearGame(J, (1, 1), (e, e)), rule)
            np.testing.assert_allclose(np.poly(M), polynomial, rtol=0, atol=1e-10)
            if polynomial[1] ** 2 < 4 * polynomial[2] - 1e-9:  # no real roots: both are as large as the root of their product
                assert linear_games.rate(M) == pytest.approx(sqrt(polynomial[2]), abs=1e-10)
            np.testing.assert_allclose(way(rule, 40, rate=e, curvature_b=gamma), powers(M, np.ones(2), 40), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("gamma", [0.1, 0.5, 1.5])
@pytest.mark.parametrize("rule", ["simultaneous", "alternating"])
def test_steps_up_to_which_a_penalty_on_b_calms_it(rule: str, gamma: float) -> None:
    """Simultaneous: e < gamma, where the determinant is 1; alternating: e < sqrt(gamma^2 + 4) - gamma, where a root passes -1."""
    edge = gamma if rule == "simultaneous" else sqrt(gamma**2 + 4) - gamma
    assert bound(rule, bilinear(np.ones((1, 1)), 0.0, gamma)) == pytest.approx(edge, rel=1e-9)
    rounds = 300 if rule == "simultaneous" else 30
    for share, calm in ((0.97, True), (1.03, False)):
        far = np.linalg.norm(way(rule, rounds, rate=edge * share, curvature_b=gamma), axis=1)
        early, late = far[: rounds // 3].max(), far[-rounds // 3 :].max()
        assert (late < early) if calm else (late > early), share


def test_a_small_penalty_calms_alternating_play_where_simultaneous_play_leaves() -> None:
    J = bilinear(np.ones((1, 1)), 0.0, 0.1)
    rates = [linear_games.rate(round_map(LinearGame(J, (1, 1), (0.3, 0.3)), rule)) for rule in ("alternating", "simultaneous")]
    assert rates == pytest.approx([sqrt(1 - 0.03), sqrt(1 - 0.03 + 0.09)], abs=1e-10)
    assert [round(each, 5) for each in rates] == [0.98489, 1.02956]


def test_strongly_convex_concave_play_converges() -> None:
    """v = a b + l/2 (a^2 - b^2): |1 - e (l - i)|^2 = (1 - e l)^2 + e^2 each round, below 1 for e < 2 l / (1 + l^2)."""
    for strength in (0.2, 1.0):
        threshold = 2 * strength / (1 + strength**2)
        assert bound("simultaneous", bilinear(np.ones((1, 1)), strength, strength)) == pytest.approx(threshold, rel=1e-9)
        for e in (0.05, threshold * 0.99, threshold * 1.01):
            norms = np.linalg.norm(way("simultaneous", 30, rate=e, curvature_a=strength, curvature_b=strength), axis=1)
            np.testing.assert_allclose(norms[1:] / norms[:-1], sqrt((1 - e * strength) ** 2 + e**2), rtol=1e-10)
            assert (norms[-1] < norms[0]) == (e < threshold)


@pytest.mark.parametrize(
    ("curvatures", "kind"), [((0.3, 0.2), "strongly convex-concave"), ((0.0, 0.2), "a saddle that is flat"), ((0.0, 0.0), "a saddle")]
)
def test_the_saddle_is_known_by_the_signs_of_its_hessians_blocks(curvatures: tuple[float, float], kind: str) -> None:
    c_a, c_b = curvatures
    system = BilinearGame(BilinearGame.Config(curvature_a=c_a, curvature_b=c_b, matrix=A23, start_a=(1.0, 2.0), start_b=(1.0, 0.0, -1.0)))
    np.testing.assert_allclose(games.linear(system).J, bilinear(np.array(A23), c_a, c_b), rtol=0, atol=0)
    assert games.saddle(system).startswith(kind)
    assert f"has {c_a:.3g} or more" in games.saddle(system) and f", {-c_b + 0.0:.3g} or less" in games.saddle(system)


def test_a_hundred_rounds() -> None:
    """|z_100| / |z_0| at step 0.1, in closed form and to the digits that are known."""
    e, known = 0.1, {"simultaneous": 1.6446, "extragradient": 0.60807, "implicit": 0.60804, "consensus": 4.906e-5}
    for rule, digits in known.items():
        ratio = np.linalg.norm(way(rule, 100)[-1]) / sqrt(2)
        assert ratio == pytest.approx(abs(one_step(e)[rule if rule != "consensus" else "consensus:weight=1"]) ** 100, rel=1e-10)
        assert ratio == pytest.approx(digits, rel=1e-4)
    s = sqrt(1 - 4 * e**2)
    dominant = sqrt((1 + s) / 2)
    assert linear_games.rate(round_map(LinearGame(AB, (1, 1), (e, e)), "optimistic")) == pytest.approx(dominant, abs=1e-10)
    assert round(dominant**100, 5) == 0.6019
