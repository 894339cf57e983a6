"""Who moves when, and along what: the rules of play.

A rule has two verbs. `game.field(movers, turn)` gives each mover's gradient, averaged over shards, everyone else frozen;
`game.move(field)` steps the movers' optimisers. A one-player system plays by the same rules.
"""

from typing import Protocol

import torch
from torch import Tensor

from pushforward.core import BadInput, Player, nearest

Field = dict[Tensor, Tensor]
"""A gradient for each weight that moves."""


class Game(Protocol):
    """What a rule sees of the trainer."""

    players: list[Player]
    memory: Field
    """What a rule remembers between rounds, by weight; saved, and cleared when the era changes."""

    def field(self, movers: list[Player], turn: int = 0) -> Field:
        """Each mover's gradient of its own loss with respect to its own weights."""
        ...

    def move(self, field: Field) -> None:
        """One optimiser step of each player that has a gradient in `field`."""
        ...


class Rule(Protocol):
    """One round of play."""

    def round(self, game: Game) -> None:
        """Let the players move."""
        ...


class Alternating:
    """Each player in turn, seeing what those before it did: how GANs are trained."""

    def round(self, game: Game) -> None:
        """Every player, every turn: one gradient, one step."""
        for player in game.players:
            for turn in range(player.turns):
                game.move(game.field([player], turn))


class Simultaneous:
    """All players at once, from the same point."""

    def round(self, game: Game) -> None:
        """One gradient for all, one step for all."""
        one_turn_each(game)
        game.move(game.field(game.players))


class Extragradient:
    """Look ahead, then step from where one stood along what one saw there (Korpelevich 1976)."""

    def round(self, game: Game) -> None:
        """Two gradients, one lasting step."""
        one_turn_each(game)
        here = {w: w.detach().clone() for player in game.players for w in player.module.parameters()}
        game.move(game.field(game.players))
        there = game.field(game.players)
        with torch.no_grad():
            for weight, value in here.items():
                weight.copy_(value)
        game.move(there)


class Optimistic:
    """Step along 2 g_t - g_(t-1): extragradient's foresight for the price of one gradient (Daskalakis et al. 2018)."""

    def round(self, game: Game) -> None:
        """One gradient, corrected by the one before."""
        one_turn_each(game)
        now = game.field(game.players)
        before, game.memory = game.memory, {w: g.clone() for w, g in now.items()}
        game.move({w: 2 * g - before.get(w, g) for w, g in now.items()})


def one_turn_each(game: Game) -> None:
    """Refuse players with several turns under a rule that moves all players together."""
    busy = [player.name for player in game.players if player.turns > 1]
    if busy:
        raise BadInput(f"Players {busy} take several turns, which only the alternating rule allows. Use --rule alternating.")


RULES: dict[str, Rule] = {
    "alternating": Alternating(),
    "simultaneous": Simultaneous(),
    "extragradient": Extragradient(),
    "optimistic": Optimistic(),
}


def find_rule(name: str) -> Rule:
    """The rule called `name`."""
    if name not in RULES:
        raise BadInput(f"There is no rule '{name}'{nearest(name, RULES)} Known: {', '.join(RULES)}.")
    return RULES[name]
