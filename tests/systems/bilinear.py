"""v(a, b) = ab as the trainer plays it."""

from typing import Any

import numpy as np

from pushforward.maths.linear_games import LinearGame, bilinear, round_map
from pushforward.recipes.games import Nothing
from pushforward.systems.bilinear_game import BilinearGame
from pushforward.training import Trainer, find_rule

AB = bilinear(np.ones((1, 1)))


def way(rule: str, rounds: int, **settings: Any) -> np.ndarray:
    """The places [rounds + 1, numbers] of a play that the trainer makes."""
    system = BilinearGame(BilinearGame.Config(**settings))
    trainer = Trainer(system, Nothing(), rounds, rule=find_rule(rule), device="cpu")
    return np.stack([system.place.numpy(), *(system.place.numpy() for _ in trainer.rounds())])


def powers(M: np.ndarray, start: np.ndarray, rounds: int) -> np.ndarray:
    """M^t (start, rest), the part that is z."""
    z = np.concatenate([start, np.zeros(len(M) - len(start))])
    return np.stack([(np.linalg.matrix_power(M, t) @ z)[: len(start)] for t in range(rounds + 1)])


def theory(game: LinearGame, rule: str, start: np.ndarray, rounds: int) -> np.ndarray:
    """The places [rounds + 1, numbers] of theory: what a rule remembers starts at 0 (velocities) or at the start (the place before)."""
    M = round_map(game, rule.partition(":")[0], **vars(find_rule(rule)))
    before = start if "optimistic" in rule else start[:0]
    z = np.concatenate([start, np.zeros(len(M) - len(start) - len(before)), before])
    return np.stack([(np.linalg.matrix_power(M, t) @ z)[: len(start)] for t in range(rounds + 1)])


def largest(*coefficients: complex) -> float:
    """The absolute value of the largest root of a polynomial."""
    return float(np.abs(np.roots(coefficients)).max())
