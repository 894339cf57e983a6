"""Lookahead, averages and Adam on v(a, b) = ab, against closed forms."""

from math import asin, cos
from typing import Any

import numpy as np
import pytest

from pushforward.core import BadInput
from pushforward.maths import linear_games
from pushforward.maths.linear_games import LinearGame, round_map
from pushforward.recipes.games import Nothing
from pushforward.systems.bilinear_game import BilinearGame
from pushforward.training import Trainer, find_rule
from tests.systems.bilinear import AB, powers, way


@pytest.mark.parametrize(
    ("rule", "every", "expected"), [("simultaneous", 5, 0.8396), ("simultaneous", 20, 1.648), ("alternating", 5, 0.7297)]
)
def test_lookahead(rule: str, every: int, expected: float) -> None:
    """1 - share + share l^k per k rounds; of alternating play |cos(k phi / 2)|."""
    game = LinearGame(AB, (1, 1), (0.3, 0.3))
    M = round_map(game, "lookahead", rule=rule, every=every)
    assert linear_games.rate(M) == pytest.approx(expected, abs=1e-3)
    if rule == "alternating":
        assert linear_games.rate(M) == pytest.approx(abs(cos(every * asin(0.15))), abs=1e-10)
    places = way(f"lookahead:rule={rule},every={every},share=0.5", 3 * every, rate=0.3)[::every]
    np.testing.assert_allclose(places, powers(M, np.ones(2), 3), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("inner", ["optimistic", "consensus:weight=0.5"])
def test_lookahead_of_a_rule_that_remembers_or_has_a_weight(inner: str) -> None:
    rule = f"lookahead:rule={inner},every=5"
    M = round_map(LinearGame(AB, (1, 1), (0.3, 0.3)), "lookahead", **vars(find_rule(rule)))
    start = np.ones(len(M))  # z, and z_before where there is one
    theory = np.stack([(np.linalg.matrix_power(M, t) @ start)[:2] for t in range(5)])
    np.testing.assert_allclose(way(rule, 20, rate=0.3)[::5], theory, rtol=1e-10, atol=1e-10)
    with pytest.raises(BadInput, match="plays another rule than itself"):
        find_rule("lookahead:rule=lookahead")


def averaged(rule: str, rounds: int, **settings: Any) -> tuple[np.ndarray, np.ndarray]:
    """The last place and the average."""
    system = BilinearGame(BilinearGame.Config(**settings))
    for _ in Trainer(system, Nothing(), rounds, rule=find_rule(rule), device="cpu").rounds():
        pass
    return system.place.numpy(), system.averaged_place.numpy()


@pytest.mark.parametrize("rule", ["alternating", "simultaneous"])
def test_the_uniform_average_is_that_of_all_places(rule: str) -> None:
    """(1/T) (1 - M)^-1 (1 - M^T) z_0: of alternating play it goes to rest as 1/T, of simultaneous play it does not."""
    for rounds in (10, 100, 999) if rule == "alternating" else (10, 100, 400):
        M, T = round_map(LinearGame(AB, (1, 1), (0.3, 0.3)), rule), rounds + 1
        closed = np.linalg.solve(np.eye(2) - M, (np.eye(2) - np.linalg.matrix_power(M, T)) @ np.ones(2)) / T
        _, average = averaged(rule, rounds, rate=0.3, averaging="uniform")
        np.testing.assert_allclose(average, closed, rtol=1e-10, atol=1e-10)
    if rule == "alternating":
        assert np.linalg.norm(average) < 0.003
    else:
        assert np.linalg.norm(average) > 1e5


@pytest.mark.parametrize(("beta", "gain"), [(0.9, 0.3315), (0.99, 0.03348), (0.999, 0.003335)])
def test_an_exponential_average_shrinks_the_orbit_and_does_not_stop_it(beta: float, gain: float) -> None:
    phi = 2 * asin(0.15)
    assert (1 - beta) / abs(1 - beta * np.exp(-1j * phi)) == pytest.approx(gain, rel=1e-3)
    rounds = round(20 / (1 - beta))  # so that the start is forgotten
    half_life = -np.log(2) / np.log(beta)
    system = BilinearGame(BilinearGame.Config(rate=0.3, averaging="exponential", half_life=half_life))
    sizes = []
    for _ in Trainer(system, Nothing(), rounds, device="cpu").rounds():
        a, b = system.averaged_place.numpy()
        sizes.append((a**2 + b**2 - 0.3 * a * b) / 1.7)  # in the measure of the ellipse
    np.testing.assert_allclose(np.sqrt(sizes[-20:]), gain, rtol=2e-3)


def test_adam_plays_without_a_promise() -> None:
    assert np.isfinite(way("simultaneous", 200, optimiser="adam", rate=0.01)).all()
    with pytest.raises(BadInput, match="SGD without momentum"):
        way("implicit", 1, optimiser="adam")
    with pytest.raises(BadInput, match="at most 256 numbers"):
        way("implicit", 1, matrix=((1.0,) * 300,), start_b=(0.0,) * 300)
    with pytest.raises(BadInput, match="2 rows of 1 numbers"):
        BilinearGame(BilinearGame.Config(start_a=(1.0, 1.0)))
