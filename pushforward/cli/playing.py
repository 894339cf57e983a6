"""The command that plays a toy game."""

import re
from dataclasses import dataclass, fields
from hashlib import sha256
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import Positional, arg

from pushforward.cli.opening import say

if TYPE_CHECKING:
    from PIL.Image import Image

    from pushforward.recipes.games import Played, ToyGame

BOTH = ("game", "rule", "rounds", "start", "out", "rate")
"""What every game has, beside the settings of its Config."""
LONGEST = 120
"""Letters in a picture's name."""


@dataclass(frozen=True)
class Game:
    """Play a game of few numbers by any rule: its rate per round beside theory's, and its way through the plane as a picture.

    Example: pushforward game bilinear --rule extragradient --rate 0.5
    """

    game: Annotated[Literal["bilinear", "dirac"], Positional, arg(help_behavior_hint="")] = "bilinear"
    """bilinear: v(a, b) = a b of the lecture, or a' A b. dirac: the smallest GAN."""
    rule: str = "alternating"
    """alternating, simultaneous, extragradient, optimistic, consensus, sga, implicit or lookahead; with settings as in consensus:weight=0.5
    and lookahead:rule=alternating,every=5,share=0.5."""
    rate: float = 0.1
    """Step size of both players."""
    rounds: int = 100
    """How long."""
    start: tuple[float, ...] = ()
    """Where the players begin, the numbers of a (of theta) first; none: at 1."""
    matrix: str = "1"
    """A of the bilinear game a' A b, rows parted by semicolons: "1 0.5; -0.3 0.8"."""
    curvature_a: float = 0.0
    """c_a of v = a' A b + c_a/2 |a|^2 - c_b/2 |b|^2: with both above 0 the bilinear game is strongly convex-concave."""
    curvature_b: float = 0.0
    """c_b: what a slope penalty does to a discriminator."""
    faster_b: float = 1.0
    """The step size of b as a multiple of that of a."""
    momentum_a: float = 0.0
    """Momentum of a; negative momentum calms alternating play."""
    momentum_b: float = 0.0
    """Momentum of b."""
    turns_b: int = 1
    """Steps of b for each of a, in alternating play."""
    optimiser: Literal["sgd", "adam"] = "sgd"
    """Of both players of the bilinear game."""
    averaging: Literal["no", "uniform", "exponential"] = "no"
    """Average all places of the bilinear game alike, or the latest ones."""
    half_life: float = 10.0
    """Of exponential averaging, in rounds."""
    objective: Literal["minimax", "non_saturating", "wasserstein", "relativistic"] = "minimax"
    """Of the Dirac-GAN."""
    r1: float = 0.0
    """Weight of the slope penalty at the data that calms the Dirac-GAN."""
    r2: float = 0.0
    """The same at generated points."""
    noise: float = 0.0
    """Standard deviation of instance noise in the Dirac-GAN."""
    clip: float = 0.0
    """Bound on the discriminator's number psi."""
    gradient_penalty: float = 0.0
    """Weight of the penalty on slopes that differ from the target."""
    target: float = 1.0
    """The slope that the gradient penalty asks for."""
    turns: int = 1
    """Steps of psi in a round, in alternating play."""
    turns_theta: int = 1
    """Steps of theta in a round, in alternating play."""
    out: Path = Path("runs/games")
    """Folder of the picture."""

    def run_it(self) -> None:
        """Play, print, draw."""
        from pushforward import figures
        from pushforward.recipes import games

        system = games.toy(self.game, **self.config())
        if told := games.warning(system, self.rule):
            say(told)
        played = games.play(system, self.rule, self.rounds)
        theory = "none for this game and rule" if played.theory is None else f"{played.theory:.6f}"
        near = "" if self.game == "bilinear" or played.theory is None else ", near the equilibrium"
        print(f"rate per round  {played.rate:.6f}\ntheory          {theory}{near}")
        print(games.saddle(system))
        for name, way in (("distance", played.places), ("of average", played.averages)):
            if way is not None:
                first, *_, last = (float(place @ place) ** 0.5 for place in way)
                print(f"{name:<16}{first:.6g} at first, {last:.6g} after {len(way) - 1} rounds")
        print(figures.save(self.picture(system, played), self.out / f"{self.name()}.png"))

    def picture(self, system: "ToyGame", played: "Played") -> "Image":
        """The way through the plane, and that of the average; of more than two numbers their distance from the equilibrium."""
        from pushforward import figures
        from pushforward.recipes import games

        ways = {self.rule: played.places} | ({f"its {self.averaging} average": played.averages} if played.averages is not None else {})
        if played.places.shape[1] > 2:
            theory = [played.theory, None][: len(ways)]
            return figures.distances(list(ways.values()), list(ways), theory)
        axes = ("a", "b") if self.game == "bilinear" else ("theta", "psi")
        return figures.trajectories(list(ways.values()), list(ways), [games.field_of(system)] * len(ways), axes)

    def chosen(self) -> dict[str, Any]:
        """What was asked for beside the game, the rule and the folder: pictures of different plays have different names."""
        return {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if f.name not in ("game", "rule", "out") and getattr(self, f.name) != f.default
        }

    def name(self) -> str:
        """Of the picture: the game, the rule, and all that was chosen."""
        words = " ".join([self.game, self.rule, *(f"{name} {value}" for name, value in self.chosen().items())])
        name = re.sub(r"[^\w.+-]+", "-", words).strip("-")
        return name if len(name) <= LONGEST else f"{name[:LONGEST]}-{sha256(words.encode()).hexdigest()[:8]}"

    def config(self) -> dict[str, Any]:
        """What the game's Config has of these options.

        Raises:
            BadInput: one that the game does not have, or a start that does not fit or is the equilibrium.
        """
        from pushforward.core import BadInput
        from pushforward.recipes import games

        known = games.settings_of(self.game)
        if strange := [name for name in self.chosen() if name not in (*BOTH, *known)]:
            raise BadInput(f"The game {self.game} has no --{strange[0].replace('_', '-')}; leave it out.")
        A = rows(self.matrix)
        cut, numbers = len(A), len(A) + len(A[0])
        start = self.start or (1.0,) * numbers
        if len(start) != numbers or not all(map(isfinite, start)):
            raise BadInput(f"The players begin at {in_words(start)}; give --start {numbers} finite numbers, one for each that they choose.")
        if not any(start):
            raise BadInput(f"The players begin at {in_words(start)}, the equilibrium, where nobody moves; give --start other numbers.")
        begin: dict[str, Any] = {"start_theta": start[0], "start_psi": start[1]}
        if self.game == "bilinear":
            begin = {"matrix": A, "start_a": start[:cut], "start_b": start[cut:]}
        return {name: getattr(self, name) for name in known if name in vars(self)} | begin


def in_words(numbers: tuple[float, ...]) -> str:
    """0 0"""
    return " ".join(f"{number:g}" for number in numbers)


def rows(text: str) -> tuple[tuple[float, ...], ...]:
    """A matrix that is written row by row.

    Raises:
        BadInput: it is none.
    """
    from pushforward.core import BadInput

    try:
        found = tuple(tuple(float(word) for word in row.replace(",", " ").split()) for row in text.split(";"))
    except ValueError:
        found = ((),)
    if not found[0] or any(len(row) != len(found[0]) or not all(map(isfinite, row)) for row in found):
        raise BadInput(f"matrix is '{text}'; give rows of as many numbers each, parted by semicolons: '1 0.5; -0.3 0.8'.")
    return found
