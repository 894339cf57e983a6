"""Play of a game whose field is linear, F(z) = J z: one round is a linear map, and its spectral radius is the rate per round.

z = (a, b); J stacks dF_a and dF_b. Step sizes and momenta are a number for each of z, so that S = diag(step sizes).

    simultaneous    z' = (1 - S J) z;  with momentum m on (z, u): u' = m u + J z,  z' = z - S u'
    alternating     the same, one player's rows at a time
    extragradient   z' = (1 - S J + g S J S J) z,  g the length of the look ahead as a multiple of the step
    optimistic      on (z, z_before): z' = (1 - 2 S J) z + S J z_before
    consensus       z' = (1 - S (J + w J^T J)) z
    sga             z' = (1 - S (J + w A^T J)) z,  A = (J - J^T) / 2
    implicit        z' = (1 + S J)^-1 z
    lookahead       (1 - share) + share M^every of z, after `every` rounds M of another rule; what else is remembered stays

Of v(a, b) = a b, J = [[0, 1], [-1, 0]], the rates are, in one step size e:

    simultaneous sqrt(1 + e^2);  alternating 1 for e <= 2;  extragradient sqrt((1 - g e^2)^2 + e^2);  implicit 1 / sqrt(1 + e^2)
    optimistic sqrt((1 + sqrt(1 - 4 e^2)) / 2) for e <= 1/2;  consensus and sga sqrt((1 - e w)^2 + e^2)

(Gidel et al. 2019, "Negative momentum for improved game dynamics"; Gidel et al. 2019, "A variational inequality perspective on GANs";
Mescheder et al. 2017; Balduzzi et al. 2018.)
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from pushforward.core import BadInput

Matrix = Float64[np.ndarray, "n n"]
SCALES = np.geomspace(1e-3, 30, 500)
"""Step sizes, in units of 1 / |J|, among which the first is looked for that leads away,"""
AWAY = 1e-10
"""which is one whose rate is so much above 1."""


@dataclass(frozen=True)
class LinearGame:
    """F(z) = J z, the numbers of z that each player has, and how they step."""

    J: Matrix
    sizes: tuple[int, ...]
    """Of each player, in order of play."""
    rates: tuple[float, ...]
    """Step size of each player."""
    momenta: tuple[float, ...] = ()
    """Momentum of each player; none: 0."""
    turns: tuple[int, ...] = ()
    """Steps of each player in an alternating round; none: 1."""

    @property
    def S(self) -> Matrix:
        """diag(step sizes)."""
        return np.diag(np.repeat(np.array(self.rates, float), self.sizes))

    @property
    def n(self) -> int:
        """Numbers in z."""
        return sum(self.sizes)


def bilinear(A: Float64[np.ndarray, "a b"], curvature_a: float = 0.0, curvature_b: float = 0.0) -> Matrix:
    """J of v = a' A b + c_a/2 |a|^2 - c_b/2 |b|^2, where b wants v large."""
    m, n = A.shape
    return np.block([[curvature_a * np.eye(m), A], [-A.T, curvature_b * np.eye(n)]])


def round_map(game: LinearGame, name: str, **settings: float | int | str) -> Float64[np.ndarray, "k k"]:
    """The linear map of one round on z, or on (z, u) with momentum, or on (z, z_before) of optimistic play; of `every` rounds of lookahead.

    name, settings: those of the rule; lookahead's `rule` is a name too, or one with a setting, "consensus:weight=0.5". z is first; what
    else is remembered starts at 0 (u) or at z (z_before).

    Raises:
        BadInput: a rule whose play with momentum is not written here, or one that is not known.
    """
    J, S, one = game.J, game.S, np.eye(game.n)
    weight = float(settings.get("weight", 1.0))
    if name == "lookahead":
        inner, _, setting = str(settings.get("rule", "alternating")).partition(":")
        M = round_map(game, inner, **dict([setting.split("=")] if setting else []))
        M, share = np.linalg.matrix_power(M, int(settings.get("every", 5))), float(settings.get("share", 0.5))
        return np.vstack([(1 - share) * np.eye(len(M))[: game.n] + share * M[: game.n], M[game.n :]])
    if any(game.momenta) and name not in ("simultaneous", "alternating"):
        raise BadInput(f"The theory of {name} play is written without momentum, and the momenta are {game.momenta}. Leave them out.")
    if name in ("simultaneous", "alternating"):
        return steps(game, name == "alternating")
    if name == "extragradient":
        return one - S @ J + float(settings.get("ahead", 1.0)) * S @ J @ S @ J
    if name == "optimistic":
        return np.block([[one - 2 * S @ J, S @ J], [one, 0 * one]])
    if name == "consensus":
        return one - S @ (J + weight * J.T @ J)
    if name == "sga":
        return one - S @ (J + weight * (J.T - J) / 2 @ J)
    if name == "implicit":
        return np.linalg.inv(one + S @ J)
    raise BadInput(f"There is no theory of the rule '{name}' here.")


def steps(game: LinearGame, in_turn: bool) -> Float64[np.ndarray, "k k"]:
    """Gradient steps, of all players at once or in turn; on (z, u) where there is momentum."""
    n, J, S = game.n, game.J, game.S
    momenta = game.momenta or (0.0,) * len(game.sizes)
    turns = game.turns or (1,) * len(game.sizes)
    who = np.repeat(np.arange(len(game.sizes)), game.sizes)
    m = np.diag(np.repeat(np.array(momenta, float), game.sizes))
    M = np.eye(2 * n)
    moves = [np.diag((who == player).astype(float)) for player in range(len(game.sizes)) for _ in range(turns[player])]
    for P in moves if in_turn else [np.eye(n)]:  # u' = P (m u + J z) + (1 - P) u,  z' = z - S P u'
        u = np.hstack([P @ J, P @ m + np.eye(n) - P])
        M = np.vstack([np.hstack([np.eye(n), np.zeros((n, n))]) - S @ P @ u, u]) @ M
    return M if any(momenta) else M[:n, :n]


def rate(M: Float64[np.ndarray, "k k"]) -> float:
    """The factor by which a round changes the distance in the long run: the spectral radius."""
    return float(np.abs(np.linalg.eigvals(M)).max())


def limit(game: LinearGame, name: str, **settings: float | int | str) -> float:
    """How many times as long the step sizes may be before play leads away from peace: 0 where every step does, infinity where none.

    Found by halving, to 1e-12 of itself. Of v = a' A b, s the largest singular value of A and steps of 1:
        alternating 2 / s;  extragradient sqrt(2 g - 1) / (g s);  optimistic 1 / (sqrt(3) s);  consensus 2 w / (1 + w^2) where s = 1
    """

    def leads_away(times: float) -> bool:
        longer = replace(game, rates=tuple(times * step for step in game.rates))
        return rate(round_map(longer, name, **settings)) > 1 + AWAY

    units = 1 / (np.linalg.norm(game.J, 2) * max(game.rates))
    found = next((place for place, scale in enumerate(SCALES) if leads_away(scale * units)), None)
    if not found:
        return np.inf if found is None else 0.0
    low, high = SCALES[found - 1] * units, SCALES[found] * units
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if leads_away(middle) else (middle, high)
    return float(low)
