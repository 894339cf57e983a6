"""Games of a few numbers, played on the ordinary trainer, with what theory says of them."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64

from pushforward.core import SGD, BadInput, Batch, Stage, nearest
from pushforward.maths import linear_games
from pushforward.maths.linear_games import LinearGame
from pushforward.runs import config_of
from pushforward.systems.bilinear_game import BilinearGame
from pushforward.systems.dirac_gan import DiracGAN
from pushforward.training import Trainer, find_rule

ToyGame = BilinearGame | DiracGAN


TINY, ROUNDED = 1e-280, 1e-13
"""Distances that cannot be told from 0: by floating-point numbers, and where these are added to others of the size of 1 (the Dirac-GAN)."""
CURES = ("extragradient", "extragradient:ahead=2", "extragradient:ahead=4", "consensus:weight=1")
"""Rules to try in this order: looking ahead costs least, and momentum asks for a longer look."""


class Nothing:
    """A `core.Source` without examples: the value of a toy game depends on its players alone."""

    def batch(self, stage: Stage, stream: int, shard: int, shards: int) -> Batch:
        """No keys."""
        return {}


@dataclass(frozen=True)
class Played:
    """A play, and how far it was from the equilibrium."""

    places: Float64[np.ndarray, "rounds numbers"]
    """Of all players after each round, the start first."""
    theory: float | None
    """Near the equilibrium the distance changes by this factor with each round in the long run, says theory; None where there is none."""
    least: float = TINY
    """The distance below which the play is at rest."""
    averages: Float64[np.ndarray, "rounds numbers"] | None = None
    """Where the average of the places was after each round; None where none is kept."""

    @property
    def shown(self) -> Float64[np.ndarray, "rounds numbers"]:
        """What was played for: the average where one is kept, else the players."""
        return self.places if self.averages is None else self.averages

    @property
    def rate(self) -> float:
        """The factor that was measured: the slope of the logarithm of the distance over the last half of the way, or NaN."""
        distance = np.linalg.norm(self.places, axis=1)
        moving = len(distance) if distance.min() >= self.least else int((distance < self.least).argmax())
        distance = distance[moving // 2 : moving]
        if len(distance) < 2:
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
    places, averages = [system.place.numpy()], average_of(system)
    try:
        for _ in trainer.rounds():
            places.append(system.place.numpy())
            averages += average_of(system)
    except ArithmeticError:  # it has diverged, which is what some rules are shown for
        pass
    theory = linear_games.rate(round_map(system, rule)) if has_theory(system) else None
    least = ROUNDED if isinstance(system, DiracGAN) else TINY
    return Played(np.stack(places), per_round(rule, theory), least, np.stack(averages) if averages else None)


def average_of(system: ToyGame) -> list[Float64[np.ndarray, " numbers"]]:
    """Where the average of the places so far is; nothing where none is kept."""
    if not isinstance(system, BilinearGame) or system.config.averaging == "no":
        return []
    return [system.averaged_place.numpy()]


def per_round(rule: str, theory: float | None) -> float | None:
    """What theory says of one round; of lookahead it speaks of several together."""
    known = find_rule(rule)
    return theory ** (1 / known.every) if theory is not None and hasattr(known, "every") else theory


def has_theory(system: ToyGame) -> bool:
    """Whether the field has slopes at the equilibrium, and the players step by SGD: then a round is a linear map there."""
    c = system.config
    kinked = isinstance(c, DiracGAN.Config) and (c.clip or (c.gradient_penalty and c.target))
    return not kinked and all(isinstance(player.optimiser, SGD) for player in system.players())


def linear(system: ToyGame) -> LinearGame:
    """The game near the equilibrium, where all numbers are 0: F(z) = J z, exactly so of v = a' A b with curvature."""
    there = deepcopy(system).requires_grad_()  # a trainer has frozen some
    players = there.players()
    weights = [next(player.module.parameters()) for player in players]
    with torch.no_grad():
        for weight in weights:
            weight.zero_()
    slopes = [torch.autograd.grad(p.loss({})[0], w, create_graph=True)[0] for p, w in zip(players, weights, strict=True)]
    rows = [torch.autograd.grad(slope, weights, retain_graph=True, materialize_grads=True) for one in slopes for slope in one]
    return LinearGame(
        torch.stack([torch.cat(row) for row in rows]).numpy(),
        tuple(w.numel() for w in weights),
        tuple(player.optimiser.rate for player in players),
        tuple(getattr(player.optimiser, "momentum", 0.0) for player in players),
        tuple(player.turns for player in players),
    )


def round_map(system: ToyGame, rule: str) -> Float64[np.ndarray, "k k"]:
    """The linear map of a round near the equilibrium (of lookahead, of `every` rounds)."""
    return linear_games.round_map(linear(system), rule.partition(":")[0], **vars(find_rule(rule)))


def saddle(system: ToyGame) -> str:
    """What the signs of the Hessian's blocks say of v at the equilibrium.

    Strongly convex in the first player's numbers and strongly concave in the other's is what the convergence of simultaneous play asks
    for; zeros are a saddle too, but flat."""
    game = linear(system)
    cut = game.sizes[0]
    blocks = game.J[:cut, :cut], -game.J[cut:, cut:]
    first, other = (np.linalg.eigvalsh((block + block.T) / 2) for block in blocks)
    least, most = first.min() + 0.0, other.max() + 0.0  # not -0
    kind = "strongly convex-concave" if least > 0 > most else "a saddle that is flat" if least >= 0 >= most else "no saddle"
    ends = f"{least:.3g} or more in the first player's numbers, {most:.3g} or less in the other's"
    return f"{kind}: the Hessian of v at the equilibrium has {ends}"


def warning(system: ToyGame, rule: str) -> str:
    """Where steps of this size lead away from the equilibrium by theory: a sentence that says so and what to try, else nothing."""
    if not has_theory(system):
        return ""
    name, step, times = rule.partition(":")[0], system.config.rate, limit(system, rule)
    if times == 0:
        return f"{name.capitalize()} play of this game leaves the equilibrium with every step size, however small; {cure(system, rule)}."
    return f"The step size {step:g} is above {step * times:.4g}, up to which {name} play stays near the equilibrium." if times < 1 else ""


def limit(system: ToyGame, rule: str) -> float:
    """How many times as long the steps may be before a rule leads away from the equilibrium, by theory: 0 where every step does."""
    return linear_games.limit(linear(system), rule.partition(":")[0], **vars(find_rule(rule)))


def cure(system: ToyGame, rule: str) -> str:
    """What to do in place of a rule that leaves the equilibrium with every step size: the first of `CURES` that does not."""
    momentum = any(linear(system).momenta)
    if rule.startswith("extragradient") and not momentum:
        return "look a whole step ahead, as --rule extragradient does: ahead must be above 1/2"
    found = next((one for one in CURES if limit(system, one)), None)
    return f"try --rule {found}" if found else "leave momentum out"


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


KINDS: dict[str, type[ToyGame]] = {"bilinear": BilinearGame, "dirac": DiracGAN}


def toy(game: str, **settings: Any) -> ToyGame:
    """The game called "bilinear" or "dirac", with settings of its Config.

    Raises:
        BadInput: no such game.
    """
    if game not in KINDS:
        raise BadInput(f"There is no game '{game}'{nearest(game, KINDS)} Known: {', '.join(KINDS)}.")
    return KINDS[game](config_of(KINDS[game], settings))  # type: ignore[arg-type]


def settings_of(game: str) -> list[str]:
    """The names of what its Config has."""
    return [field.name for field in fields(KINDS[game].Config)]
