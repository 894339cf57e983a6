"""The command that plays a toy game."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from pushforward.cli.opening import say


@dataclass(frozen=True)
class Game:
    """Play a game of two numbers by any rule: its rate per round beside theory's, and its way through the plane as a picture.

    Example: pushforward game bilinear --rule extragradient --rate 0.5
    """

    game: Annotated[Literal["bilinear", "dirac"], Positional, arg(help_behavior_hint="")] = "bilinear"
    """bilinear: v(a, b) = a b of the lecture. dirac: the smallest GAN."""
    rule: str = "alternating"
    """alternating, simultaneous, extragradient, optimistic, consensus, sga, implicit or lookahead; with settings as in consensus:weight=0.5
    and lookahead:rule=alternating,every=5,share=0.5."""
    rate: float = 0.1
    """Step size of both players."""
    rounds: int = 100
    """How long."""
    start: tuple[float, float] = (1.0, 1.0)
    """Where the players begin."""
    momentum: float = 0.0
    """Of both players of the bilinear game; negative momentum calms alternating play."""
    curvature: float = 0.0
    """l of v = a b + l/2 (a^2 - b^2): above 0 the bilinear game is strongly convex-concave, and simultaneous play converges."""
    objective: Literal["minimax", "non_saturating", "wasserstein", "relativistic"] = "minimax"
    """Of the Dirac-GAN."""
    r1: float = 0.0
    """Weight of the slope penalty that calms the Dirac-GAN."""
    noise: float = 0.0
    """Standard deviation of instance noise in the Dirac-GAN."""
    out: Path = Path("runs/games")
    """Folder of the picture."""

    def run_it(self) -> None:
        """Play, print, draw."""
        from pushforward import figures
        from pushforward.recipes import games

        system = games.toy(self.game, **self.settings())
        if told := games.warning(system, self.rule):
            say(told)
        played = games.play(system, self.rule, self.rounds)
        theory = "none for this game and rule" if played.theory is None else f"{played.theory:.6f}"
        near = "" if self.game == "bilinear" or played.theory is None else ", near peace"
        print(f"rate per round  {played.rate:.6f}\ntheory          {theory}{near}")
        print(games.saddle(system))
        first, *_, last = (float(place @ place) ** 0.5 for place in played.places)
        print(f"distance        {first:.6g} at first, {last:.6g} after {len(played.places) - 1} rounds")
        names = ("a", "b") if self.game == "bilinear" else ("theta", "psi")
        picture = figures.trajectories([played.places], [self.rule], [games.field_of(system)], names)
        print(figures.save(picture, self.out / f"{self.game}-{self.rule.replace(':', '-').replace(',', '-')}.png"))

    def settings(self) -> dict[str, object]:
        """What the game's Config has of these options.

        Raises:
            BadInput: one that the game does not have, or a start at peace.
        """
        from pushforward.core import BadInput

        a, b = self.start
        if a == b == 0:
            raise BadInput("The players begin at 0 0, which is peace, where nobody moves; give --start other numbers.")
        if self.game == "bilinear":
            own: dict[str, object] = {
                "momentum_a": self.momentum,
                "momentum_b": self.momentum,
                "curvature_a": self.curvature,
                "curvature_b": self.curvature,
            }
            strange: dict[str, object] = {"objective": self.objective != "minimax", "r1": self.r1, "noise": self.noise}
            own |= {"start_a": (a,), "start_b": (b,)}
        else:
            own = {"objective": self.objective, "r1": self.r1, "noise": self.noise, "start_theta": a, "start_psi": b}
            strange = {"momentum": self.momentum, "curvature": self.curvature}
        if given := [name for name, value in strange.items() if value]:
            raise BadInput(f"The game {self.game} has no --{given[0]}; leave it out.")
        return own | {"rate": self.rate}
