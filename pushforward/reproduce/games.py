"""v(a, b) = a b and the Dirac-GAN by every rule of play: rates per round beside theory, and where each goes."""

from functools import partial
from math import ceil, pi
from pathlib import Path
from typing import Any

from PIL.Image import Image

from pushforward import figures
from pushforward.recipes import games
from pushforward.recipes.games import Played
from pushforward.reproduce.cells import Cell

STEP, ROUNDS, SHOWN = 0.3, 600, 60
"""Rounds in which rates are measured, and those that are drawn."""
BILINEAR: dict[str, tuple[str, dict[str, Any]]] = {
    "simultaneous": ("simultaneous", {}),
    "simultaneous, step 0.01": ("simultaneous", {"rate": 0.01}),
    "alternating": ("alternating", {}),
    "alternating, momentum 0.25": ("alternating", {"momentum_a": 0.25, "momentum_b": 0.25}),
    "alternating, momentum -0.5": ("alternating", {"momentum_a": -0.5, "momentum_b": -0.5}),
    "alternating, uniform average": ("alternating", {"averaging": "uniform"}),
    "alternating, exponential average": ("alternating", {"averaging": "exponential", "half_life": 10.0}),
    "simultaneous, Adam, step 0.1": ("simultaneous", {"optimiser": "adam", "rate": 0.1}),
    "extragradient": ("extragradient", {}),
    "optimistic": ("optimistic", {}),
    "consensus, weight 1": ("consensus:weight=1.0", {}),
    "symplectic adjustment, weight 1": ("sga:weight=1.0", {}),
    "implicit": ("implicit", {}),
    "lookahead, 5 alternating rounds": ("lookahead:rule=alternating,every=5,share=0.5", {}),
    "simultaneous, convex-concave l = 0.5": ("simultaneous", {"curvature_a": 0.5, "curvature_b": 0.5}),
    "simultaneous, penalty 0.5 on b": ("simultaneous", {"curvature_b": 0.5}),
}
"""Name: the rule, and what the game has beside v = a b and steps of `STEP`."""
DIRAC: dict[str, tuple[str, dict[str, Any]]] = {
    "minimax": ("alternating", {}),
    "non-saturating": ("alternating", {"objective": "non_saturating"}),
    "Wasserstein, clipped": ("alternating", {"objective": "wasserstein", "clip": 0.8}),
    "Wasserstein, gradient penalty": ("alternating", {"objective": "wasserstein", "gradient_penalty": 1.0, "target": 0.3}),
    "minimax + R1": ("alternating", {"r1": 0.3}),
    "minimax + R1, critical": ("alternating", {"r1": 1.0}),
    "minimax + instance noise": ("alternating", {"noise": 1.0}),
    "minimax, extragradient": ("extragradient", {}),
}
"""The same of the Dirac-GAN."""


def cells() -> list[Cell]:
    """Every play."""
    return [
        Cell(f"{game}/{name}", {"rule": rule, "rate": STEP, "rounds": ROUNDS, **settings}, 0, partial(measure, game, rule, settings))
        for game, each in (("bilinear", BILINEAR), ("dirac", DIRAC))
        for name, (rule, settings) in each.items()
    ]


def play(game: str, rule: str, settings: dict[str, Any], rounds: int) -> Played:
    """A play in steps of `STEP`, where nothing else is said."""
    return games.play(games.toy(game, **{"rate": STEP, **settings}), rule, rounds)


def measure(game: str, rule: str, settings: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Play, and how the distance from the equilibrium changed."""
    played = play(game, rule, settings, ROUNDS)
    return {
        "fingerprint": "no data",
        "rate per round": played.rate,
        "theory": played.theory,
        "last place": played.places[-1].tolist(),
        "last distance": float((played.shown[-1] ** 2).sum() ** 0.5),
    }


def pictures(results: dict[str, Any], runs: Path) -> list[Path]:
    """The panels of all plays, averages in place of players where they are kept, and the distances of the bilinear ones."""
    found = []
    for game, each, axes in (("bilinear", BILINEAR, ("a", "b")), ("dirac", DIRAC, ("theta", "psi"))):
        plays = [play(game, rule, settings, drawn(settings)) for rule, settings in each.values()]
        fields = [games.field_of(games.toy(game, **{"rate": STEP, **settings})) for _, settings in each.values()]
        panel = figures.trajectories([played.shown for played in plays], list(each), fields, axes)
        found.append(figures.save(panel, runs / "pictures" / f"games-{game}.png"))
        if game == "bilinear":
            found.append(figures.save(distances(dict(zip(each, plays, strict=True))), runs / "pictures" / "games-distances.png"))
    return found


def distances(plays: dict[str, Played]) -> Image:
    """Those of the players of every play that has a rate, in steps of `STEP`."""
    shown = {name: played for name, played in plays.items() if played.averages is None and "rate" not in BILINEAR[name][1]}
    return figures.distances([played.places for played in shown.values()], list(shown), [played.theory for played in shown.values()])


def drawn(settings: dict[str, Any]) -> int:
    """Rounds that are drawn: in small steps those of one turn of v = a b."""
    return ceil(2 * pi / settings["rate"]) if "rate" in settings else SHOWN
