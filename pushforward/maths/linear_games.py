"""Play of a game whose field is linear, F(z) = J z: one round is a linear map, and its spectral radius is the rate per round.

z = (a, b); J stacks dF_a and dF_b. Step sizes and momenta are a number for each of z, so that S = diag(step sizes).

    simultaneous    z' = (1 - S J) z;  with momentum m on (z, u): u' = m u + J z,  z' = z - S u'
    alternating     the same, one player's rows at a time
    extragradient   z' = (1 - S J + S J S J) z
    optimistic      on (z, z_before): z' = (1 - 2 S J) z + S J z_before
    consensus       z' = (1 - S (J + w J^T J)) z
    sga             z' = (1 - S (J + w A^T J)) z,  A = (J - J^T) / 2
    implicit        z' = (1 + S J)^-1 z
    lookahead       (1 - share) + share M^every, after `every` rounds M of another rule

Of v(a, b) = a b, J = [[0, 1], [-1, 0]], the rates are, in one step size e:

    simultaneous sqrt(1 + e^2);  alternating 1 for e <= 2;  extragradient sqrt(1 - e^2 + e^4);  implicit 1 / sqrt(1 + e^2)
    optimistic sqrt((1 + sqrt(1 - 4 e^2)) / 2) for e <= 1/2;  consensus and sga sqrt((1 - e w)^2 + e^2)

(Gidel et al. 2019, "Negative momentum for improved game dynamics"; Gidel et al. 2019, "A variational inequality perspective on GANs";
Mescheder et al. 2017; Balduzzi et al. 2018.)
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from pushforward.core import BadInput

Matrix = Float64[np.ndarray, "n n"]


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

    name, settings: those of the rule. z is first; what else is remembered starts at 0 (u) or at z (z_before).

    Raises:
        BadInput: a rule whose play with momentum is not written here, or one that is not known.
    """
    J, S, one = game.J, game.S, np.eye(game.n)
    weight = float(settings.get("weight", 1.0))
    if name == "lookahead":
        M = round_map(game, str(settings.get("rule", "alternating")))
        share = float(settings.get("share", 0.5))
        return (1 - share) * np.eye(len(M)) + share * np.linalg.matrix_power(M, int(settings.get("every", 5)))
    if any(game.momenta) and name not in ("simultaneous", "alternating"):
        raise BadInput(f"The theory of {name} play is written without momentum, and the momenta are {game.momenta}. Leave them out.")
    if name in ("simultaneous", "alternating"):
        return steps(game, name == "alternating")
    if name == "extragradient":
        return one - S @ J + S @ J @ S @ J
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


def limit(J: Matrix, rule: str) -> float:
    """The largest step size with which play of `rule` still converges (or, alternating on a bilinear game, stays bounded); 0: none.

    sigma: the largest singular value of J. Known here for a bilinear game without curvature, where these hold exactly.
    """
    sigma = float(np.linalg.norm(J, 2))
    factor = {"simultaneous": 0.0, "alternating": 2.0, "extragradient": 1.0, "optimistic": 3**-0.5, "implicit": np.inf}.get(rule, np.nan)
    return factor / sigma
