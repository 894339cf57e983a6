"""Who moves when, and along what: the rules of play.

A rule has three verbs. `game.field(movers, turn)` gives each mover's gradient, averaged over shards, everyone else frozen;
`game.twist(field)` says how that gradient turns as everyone moves; `game.move(field)` steps the movers' optimisers.
A one-player system plays by the same rules.

With z all weights, F(z) the gradients of all players (each of its own loss, by its own weights) and J = dF/dz:

    alternating     each player in turn                                   what GANs are trained by
    simultaneous    z - rate F(z)
    extragradient   z - rate F(z - rate F(z))                             Korpelevich 1976; Gidel et al. 2019
    optimistic      z - rate (2 F(z) - F(z_before))                       Popov 1980; Daskalakis et al. 2018
    consensus       z - rate (F + weight J^T F)                           Mescheder, Nowozin & Geiger 2017
    sga             z - rate (F + weight A^T F), A = (J - J^T) / 2        symplectic gradient adjustment: Balduzzi et al. 2018
    implicit        z' = z - rate F(z')                                   the proximal point method, of small games: Rockafellar 1976
    lookahead       now and then back towards where one was               Chavdarova et al. 2021

(`rate F` stands for a step of each player's optimiser, SGD or Adam, which takes in what stands behind `rate`; implicit play is for plain
SGD. So Adam's moments are those of 2 F(z) - F(z_before) under optimistic play, where Daskalakis et al. take them of F and correct its
step; looking ahead is a step of Adam as in Gidel et al., whose second step has seen the first's slope.)
"""

from dataclasses import dataclass, fields
from math import inf, isfinite
from typing import Any, Protocol

import torch
from torch import Tensor

from pushforward.core import BadInput, Player, Stage, nearest
from pushforward.training.fields import Field, dot, flat, unflat

LARGEST = 256
"""Numbers in a game that is small enough for implicit play, which solves as many linear equations in each of its Newton steps."""
NEWTON, CLOSE = 50, 1e-13
"""Newton steps at most, and the change below which they have arrived."""
BOUNDS = {"ahead": (0.0, inf), "weight": (0.0, inf), "every": (1, inf), "share": (0.0, 1.0)}
"""Of what rules take."""
UNCOMPILED = "This rule needs slopes of slopes, which compiled losses do not have; leave --compiled out."


class Game(Protocol):
    """What a rule sees of the trainer."""

    players: list[Player]
    stage: Stage
    memory: dict[str, Field]
    """What a rule remembers between rounds, under names of its own; saved, and cleared when the era changes."""

    def field(self, movers: list[Player], turn: int = 0) -> Field:
        """Each mover's gradient of its own loss with respect to its own weights."""
        ...

    def twist(self, along: Field) -> tuple[Field, Field]:
        """J^T f and J f for a field f of all players, on the batches of their first turn."""
        ...

    def move(self, field: Field) -> None:
        """One optimiser step of each player that has a gradient in `field`."""
        ...


class Rule(Protocol):
    """One round of play."""

    def round(self, game: Game) -> None:
        """Let the players move."""
        ...


@dataclass(frozen=True)
class Alternating:
    """Each player in turn, seeing what those before it did: how GANs are trained."""

    def round(self, game: Game) -> None:
        """Every player, every turn: one gradient, one step."""
        for player in game.players:
            for turn in range(player.turns):
                game.move(game.field([player], turn))


@dataclass(frozen=True)
class Simultaneous:
    """All players at once, from the same point."""

    def round(self, game: Game) -> None:
        """One gradient for all, one step for all."""
        one_turn_each(game)
        game.move(game.field(game.players))


@dataclass(frozen=True)
class Extragradient:
    """Look ahead, then step from where one stood along what one saw there (Korpelevich 1976)."""

    ahead: float = 1.0
    """How far one looks, as a multiple of the step."""

    def round(self, game: Game) -> None:
        """Two gradients, one lasting step."""
        one_turn_each(game)
        here = copied(game)
        game.move(game.field(game.players))
        if self.ahead != 1:
            put({w: old + self.ahead * (w.detach() - old) for w, old in here.items()})
        there = game.field(game.players)
        put(here)
        game.move(there)


@dataclass(frozen=True)
class Optimistic:
    """Step along 2 g_t - g_(t-1): extragradient's foresight for the price of one gradient (Popov 1980, Daskalakis et al. 2018)."""

    def round(self, game: Game) -> None:
        """One gradient, corrected by the one before."""
        one_turn_each(game)
        now = game.field(game.players)
        before, game.memory["before"] = game.memory.get("before", now), {w: g.clone() for w, g in now.items()}
        game.move({w: 2 * g - before.get(w, g) for w, g in now.items()})


@dataclass(frozen=True)
class Consensus:
    """Every player also wants all gradients small: descent on |F|^2 / 2 added to the field (Mescheder, Nowozin & Geiger 2017)."""

    weight: float = 1.0

    def round(self, game: Game) -> None:
        """One gradient and one product with J^T."""
        one_turn_each(game)
        now = game.field(game.players)
        towards_rest, _ = game.twist(now)
        game.move({w: g + self.weight * towards_rest[w] for w, g in now.items()})


@dataclass(frozen=True)
class SymplecticAdjustment:
    """Only the rotating part of the field is turned inwards; the sign of the weight keeps it from being drawn to unstable points
    (Balduzzi et al. 2018, "The mechanics of n-player differentiable games")."""

    weight: float = 1.0

    def round(self, game: Game) -> None:
        """One gradient, one product with J^T and one with J."""
        one_turn_each(game)
        now = game.field(game.players)
        along, against = game.twist(now)  # J^T F, the slope of |F|^2 / 2, and J F
        inwards = {w: (along[w] - against[w]) / 2 for w in now}
        aligned = dot(now, along) * dot(inwards, along) / sum(w.numel() for w in now) + 0.1
        weight = self.weight * torch.sign(aligned)
        game.move({w: g + weight * inwards[w] for w, g in now.items()})


@dataclass(frozen=True)
class Implicit:
    """Step along the gradients of where the step ends, found by Newton's method: for games of a few numbers, moved by plain SGD."""

    def round(self, game: Game) -> None:
        """As many products with J as there are numbers, in each Newton step.

        Raises:
            BadInput: a game of more than `LARGEST` numbers, or one that momentum or Adam moves.
        """
        one_turn_each(game)
        here = copied(game)
        rate = torch.cat([flat_rate(player, game.stage.rate) for player in game.players])
        if len(rate) > LARGEST:
            raise BadInput(
                f"Implicit play is for games of at most {LARGEST} numbers, and this one has {len(rate)}. Use --rule extragradient."
            )
        start = flat(here, here)
        for _ in range(NEWTON):
            now = game.field(game.players)
            z = flat({w: w.detach() for w in here}, here)
            units = torch.eye(len(z), dtype=z.dtype, device=z.device)
            J = torch.stack([flat(game.twist(unflat(unit, here))[1], here) for unit in units], 1)
            change = torch.linalg.solve(units + rate[:, None] * J, start - z - rate * flat(now, here))
            put(unflat(z + change, here))
            if change.abs().max() < CLOSE:
                break


@dataclass(frozen=True)
class Lookahead:
    """Every so many rounds of another rule, back to a point between here and where one stood then (Chavdarova et al. 2021)."""

    rule: str = "alternating"
    every: int = 5
    share: float = 0.5
    """0: back to where one stood; 1: stay."""

    def round(self, game: Game) -> None:
        """A round of the other rule, and now and then the way back."""
        if "slow" not in game.memory:
            game.memory["slow"] = copied(game)
        find_rule(self.rule).round(game)
        if (game.stage.seen // game.stage.batch_size + 1) % self.every == 0:
            put({w: old.lerp(w.detach(), self.share) for w, old in game.memory["slow"].items()})
            game.memory["slow"] = copied(game)


def one_turn_each(game: Game) -> None:
    """Refuse players with several turns under a rule that moves all players together."""
    check_turns(game.players)


def check_turns(players: list[Player]) -> None:
    """Refuse several turns.

    Raises:
        BadInput: a player takes some.
    """
    for player in players:
        if player.turns > 1:
            told = f"Player '{player.name}' takes {player.turns} turns, and only the alternating rule allows several"
            raise BadInput(f"{told}. Use --rule alternating, or one turn.")


def innermost(rule: Rule) -> Rule:
    """The rule that steps, where others look ahead."""
    return innermost(find_rule(rule.rule)) if isinstance(rule, Lookahead) else rule


def check_play(rule: Rule, players: list[Player], compiled: bool = False) -> None:
    """Refuse, before anything is written, what networks cannot play.

    Raises:
        BadInput: implicit play, several turns where all move together, or slopes of slopes of compiled losses.
    """
    played = innermost(rule)
    if compiled and isinstance(played, Consensus | SymplecticAdjustment):
        raise BadInput(UNCOMPILED)
    if isinstance(played, Implicit):
        raise BadInput("Implicit play is for games of a few numbers (pushforward game). Use --rule extragradient.")
    if not isinstance(played, Alternating):
        check_turns(players)


def copied(game: Game) -> Field:
    """All players' weights as they are."""
    return {w: w.detach().clone() for player in game.players for w in player.module.parameters()}


@torch.no_grad()
def put(values: Field) -> None:
    """Write values into the weights they belong to."""
    for weight, value in values.items():
        weight.copy_(value)


def flat_rate(player: Player, stage_rate: float) -> Tensor:
    """The step size of each of a player's numbers."""
    if player.optimiser.kind != "sgd" or player.optimiser.momentum:
        raise BadInput(
            f"Implicit play takes plain gradient steps, and player '{player.name}' has {player.optimiser}. Use SGD without momentum."
        )
    return torch.cat([torch.full_like(w, player.optimiser.rate * stage_rate).flatten() for w in player.module.parameters()])


RULES: dict[str, type[Rule]] = {
    "alternating": Alternating,
    "simultaneous": Simultaneous,
    "extragradient": Extragradient,
    "optimistic": Optimistic,
    "consensus": Consensus,
    "sga": SymplecticAdjustment,
    "implicit": Implicit,
    "lookahead": Lookahead,
}


def find_rule(text: str) -> Rule:
    """The rule that `text` names, with settings where it has some: "alternating", "consensus:weight=0.3", "lookahead:every=5,share=0.5".

    Raises:
        BadInput: no such rule, or a setting that it does not have.
    """
    name, _, rest = text.partition(":")
    if name not in RULES:
        raise BadInput(f"There is no rule '{name}'{nearest(name, RULES)} Known: {', '.join(RULES)}.")
    kind = RULES[name]
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    settings: dict[str, Any] = {}
    for word in filter(None, rest.split(",")):
        key, _, value = word.partition("=")
        if key not in known:
            has = ", ".join(f"{key}={f.default}" for key, f in known.items()) or "none"
            raise BadInput(f"The rule {name} has no setting '{key}'{nearest(key, known)} It has: {has}.")
        settings[key] = read(name, key, value, type(known[key].default))
    return kind(**settings)


def read(rule: str, key: str, value: str, kind: type) -> Any:
    """A setting's value; the rule that lookahead plays is looked up at once.

    Raises:
        BadInput: something else than the setting takes, or a number that it cannot be.
    """
    try:
        found = kind(value)
    except ValueError:
        raise BadInput(f"{key} of the rule {rule} is '{value}', but should be {'a whole number' if kind is int else 'a number'}.") from None
    if kind is str and isinstance(find_rule(found), Lookahead):
        raise BadInput(f"{key} of the rule {rule} is '{value}', but lookahead plays another rule than itself. Give it one of the others.")
    if kind is not str and not (BOUNDS[key][0] <= found <= BOUNDS[key][1] and isfinite(found)):
        least, most = BOUNDS[key]
        wanted = f"a number of at least {least:g}" if most == inf else f"a number from {least:g} to {most:g}"
        raise BadInput(f"{key} of the rule {rule} is {value}, but should be {wanted}.")
    return found
