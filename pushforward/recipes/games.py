"""Games of a few numbers, played on the ordinary trainer, with what theory says of them."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64

from pushforward.core import BadInput, Batch, Stage, nearest
from pushforward.maths import linear_games
from pushforward.maths.linear_games import LinearGame
from pushforward.runs import config_of
from pushforward.systems.bilinear_game import BilinearGame
from pushforward.systems.dirac_gan import DiracGAN
from pushforward.training import Trainer, find_rule

ToyGame = BilinearGame | DiracGAN


TINY = 1e-280
"""A distance that floating-point numbers no longer tell from 0."""


class Nothing:
    """A `core.Source` without examples: the value of a toy game depends on its players alone."""

    def batch(self, stage: Stage, stream: int, shard: int, shards: int) -> Batch:
        """No keys."""
        return {}


@dataclass(frozen=True)
class Played:
    """A play, and how far it was from peace."""

    places: Float64[np.ndarray, "rounds numbers"]
    """Of all players after each round, the start first."""
    theory: float | None
    """The factor by which theory says that the distance changes with each round in the long run; None where there is none."""

    @property
    def rate(self) -> float:
        """The factor that was measured: the slope of the logarithm of the distance over the last half; NaN where that came to rest."""
        distance = np.linalg.norm(self.places, axis=1)[len(self.places) // 2 :]
        if distance.min() < TINY:
            return float("nan")
        return float(np.exp(np.polynomial.polynomial.polyfit(np.arange(len(distance)), np.log(distance), 1)[1]))


def play(system: ToyGame, rule: str, rounds: int) -> Played:
    """Play from where the system stands. Stops early where a number leaves all bounds.

    Raises:
        BadInput: no such rule, one that these players cannot follow, or too few rounds.
    """
    if rounds < 4:
        raise BadInput(f"rounds is {rounds}, but a rate is measured over at least 4.")
    trainer = Trainer(system, Nothing(), rounds * system.config.batch_size, rule=find_rule(rule), device="cpu")
    places = [system.place.numpy()]
    try:
        for _ in trainer.rounds():
            places.append(system.place.numpy())
    except ArithmeticError:  # it has diverged, which is what some rules are shown for
        pass
    theory = linear_games.rate(round_map(system, rule)) if has_theory(system, rule) else None
    return Played(np.stack(places), per_round(rule, theory))


def per_round(rule: str, theory: float | None) -> float | None:
    """What theory says of one round; of lookahead it speaks of several together."""
    known = find_rule(rule)
    return theory ** (1 / known.every) if theory is not None and hasattr(known, "every") else theory


def has_theory(system: ToyGame, rule: str) -> bool:
    """Whether the game is linear, its players step by SGD, and the rule's play with their momenta is written down."""
    c = system.config
    if not isinstance(c, BilinearGame.Config) or c.optimiser != "sgd":
        return False
    return rule.partition(":")[0] in ("simultaneous", "alternating") or not (c.momentum_a or c.momentum_b)


def round_map(system: ToyGame, rule: str) -> Float64[np.ndarray, "k k"]:
    """The linear map of a round (of lookahead, of `every` rounds)."""
    c: Any = system.config
    J = linear_games.bilinear(np.array(c.matrix, float), c.curvature_a, c.curvature_b)
    sizes = (len(c.start_a), len(c.start_b))
    game = LinearGame(J, sizes, (c.rate, c.rate * c.faster_b), (c.momentum_a, c.momentum_b), (1, c.turns_b))
    settings = vars(find_rule(rule))
    return linear_games.round_map(game, rule.partition(":")[0], **settings)


def warning(system: ToyGame, rule: str) -> str:
    """Where the step size of a bilinear game is above what theory allows the rule: a sentence that says so, else nothing."""
    c: Any = system.config
    if not isinstance(system, BilinearGame) or c.curvature_a or c.curvature_b or c.momentum_a or c.momentum_b or c.optimiser != "sgd":
        return ""
    name, step = rule.partition(":")[0], c.rate * c.faster_b**0.5
    bound = linear_games.limit(linear_games.bilinear(np.array(c.matrix, float)), name)
    if name == "simultaneous":
        return "Simultaneous play of a bilinear game leaves peace with every step size, however small; try --rule extragradient."
    return f"The step size {step:g} is above {bound:.4g}, up to which {name} play of this game stays near peace." if step > bound else ""


def field_of(system: ToyGame) -> Callable[[Any, Any], tuple[Any, Any]]:
    """How each of two players is pushed at places (a, b) of the plane, given as grids."""

    def pushed(a: Any, b: Any) -> tuple[Any, Any]:
        slopes = []
        for place in zip(a.flatten(), b.flatten(), strict=True):
            here = deepcopy(system).requires_grad_()  # a trainer has frozen some
            players = here.players()
            weights = [next(player.module.parameters()) for player in players]
            with torch.no_grad():
                for weight, value in zip(weights, place, strict=True):
                    weight.fill_(value)
            slopes.append([-float(torch.autograd.grad(p.loss({})[0], w)[0]) for p, w in zip(players, weights, strict=True)])
        found = np.array(slopes).T.reshape(2, *a.shape)
        return found[0], found[1]

    return pushed


def toy(game: str, **settings: Any) -> ToyGame:
    """The game called "bilinear" or "dirac", with settings of its Config.

    Raises:
        BadInput: no such game.
    """
    kinds: dict[str, type[ToyGame]] = {"bilinear": BilinearGame, "dirac": DiracGAN}
    if game not in kinds:
        raise BadInput(f"There is no game '{game}'{nearest(game, kinds)} Known: {', '.join(kinds)}.")
    kind = kinds[game]
    return kind(config_of(kind, settings))
