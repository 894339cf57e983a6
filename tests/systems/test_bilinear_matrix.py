"""x' A y on the ordinary trainer: every rule by the singular values of A."""

import numpy as np
import pytest

from pushforward.maths import linear_games
from pushforward.maths.linear_games import LinearGame, bilinear, round_map
from pushforward.training import find_rule
from tests.systems.bilinear import AB, theory, way

A23 = ((1.0, -0.5, 0.3), (0.2, 0.8, -1.1))
RULES = ["simultaneous", "alternating", "extragradient", "optimistic", "consensus:weight=0.5", "sga:weight=0.5", "implicit"]


def limit(rule: str, J: np.ndarray, n: int) -> float:
    return linear_games.limit(LinearGame(J, (n, n), (1.0, 1.0)), rule)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_is_the_linear_map_of_theory(rule: str) -> None:
    start = np.array([1.0, -1.0, 0.5, 0.3, 2.0])
    places = way(rule, 40, rate=0.3, matrix=A23, start_a=(1.0, -1.0), start_b=(0.5, 0.3, 2.0))
    game = LinearGame(bilinear(np.array(A23)), (2, 3), (0.3, 0.3))
    np.testing.assert_allclose(places, theory(game, rule, start, 40), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("rule", RULES)
def test_the_rate_is_the_worst_over_singular_values(rule: str) -> None:
    """e sigma in place of e. An adjustment weighs sigma^2, so that its weight would have to follow."""
    square, e = np.array(((1.0, 0.5), (-0.3, 0.8))), 0.3
    name, settings = rule.partition(":")[0], vars(find_rule(rule))
    each = [
        (LinearGame(AB, (1, 1), (e * s, e * s)), {key: value * s if key == "weight" else value for key, value in settings.items()})
        for s in np.linalg.svd(square)[1]
    ]
    worst = max(linear_games.rate(round_map(game, name, **one)) for game, one in each)
    found = linear_games.rate(round_map(LinearGame(bilinear(square), (2, 2), (e, e)), name, **settings))
    assert found == pytest.approx(worst, abs=1e-10)


@pytest.mark.parametrize(("rule", "threshold"), [("extragradient", 1.0), ("optimistic", 1 / 3**0.5), ("alternating", 2.0)])
def test_thresholds_are_those_of_the_largest_singular_value(rule: str, threshold: float) -> None:
    square = np.array(((1.0, 0.5), (-0.3, 0.8)))
    assert limit(rule, bilinear(square), 2) == pytest.approx(threshold / np.linalg.norm(square, 2), rel=1e-9)
    assert limit("simultaneous", bilinear(square), 2) == 0 and limit("implicit", bilinear(square), 2) == np.inf
