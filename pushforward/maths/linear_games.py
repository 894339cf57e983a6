"""Play of a game whose field is linear, F(z) = J z: one round is a linear map, and its spectral radius is the rate per round.

z = (a, b); J stacks dF_a and dF_b. Step sizes and momenta are a number for each of z, so that S = diag(step sizes), m = diag(momenta).
Where there is momentum the velocity u is remembered beside z, and z' = z - S u':

    simultaneous    u' = m u + J z
    alternating     the same, one player's rows at a time
    extragradient   u_1 = m u + J z,  u' = m u_1 + J (z - g S u_1),  g the length of the look ahead as a multiple of the step
    optimistic      u' = m u + 2 J z - J z_before
    consensus       u' = m u + (J + w J^T J) z
    sga             u' = m u + (J + w A^T J) z,  A = (J - J^T) / 2;  w has this sign near the equilibrium, where |F| is small
    implicit        z' = (1 + S J)^-1 z, without momentum
    lookahead       (1 - share) + share M^every of z, after `every` rounds M of another rule; what else is remembered stays

Looking ahead is a step of the optimiser like any other: it moves u (m is in u' twice), as it moves the moments in ExtraAdam of Gidel et al.

Of v(a, b) = a b, J = [[0, 1], [-1, 0]], the rates are, in one step size e:

    simultaneous sqrt(1 + e^2);  alternating 1 for e <= 2;  extragradient sqrt((1 - g e^2)^2 + e^2);  implicit 1 / sqrt(1 + e^2)
    optimistic sqrt((1 + sqrt(1 - 4 e^2)) / 2) for e <= 1/2;  consensus and sga sqrt((1 - e w)^2 + e^2)
    extragradient with momentum m comes to rest in small steps where g > (1 + m^2) / (2 (1 - m))
    alternating play with momentum m of both is fastest with m = 4 sqrt(3) - 7 and e = 8/3 sqrt(2 sqrt(3) - 3): 2 sqrt(3) - 3

(Gidel et al. 2019, "Negative momentum for improved game dynamics"; Gidel et al. 2019, "A variational inequality perspective on GANs";
Mescheder et al. 2017; Balduzzi et al. 2018.)
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from pushforward.core import BadInput

Matrix = Float64[np.ndarray, "n n"]
SCALES = np.geomspace(2e-3, 30, 500)
"""Step sizes, in units of 1 / |J|, among which the first is looked for that leads away,"""
AWAY = 1e-12
"""which is one whose rate is so much above 1. Extragradient that looks half a step ahead leaves slowest: its rate is 1 + e^4 / 8."""
SHORTER = np.geomspace(2e-3, 1e-8, 500)
"""Where the first of those leads away: shorter steps, one of which may come in, with a rate so much below 1."""


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
    def m(self) -> Matrix:
        """diag(momenta)."""
        return np.diag(np.repeat(np.array(self.momenta or (0.0,) * len(self.sizes), float), self.sizes))

    @property
    def n(self) -> int:
        """Numbers in z."""
        return sum(self.sizes)


def bilinear(A: Float64[np.ndarray, "a b"], curvature_a: float = 0.0, curvature_b: float = 0.0) -> Matrix:
    """J of v = a' A b + c_a/2 |a|^2 - c_b/2 |b|^2, where b wants v large."""
    m, n = A.shape
    return np.block([[curvature_a * np.eye(m), A], [-A.T, curvature_b * np.eye(n)]])


def round_map(game: LinearGame, name: str, **settings: float | int | str) -> Float64[np.ndarray, "k k"]:
    """The linear map of one round on z; on (z, u) with momentum; with z_before last in optimistic play; of `every` rounds of lookahead.

    name, settings: those of the rule; lookahead's `rule` is a name too, or one with a setting, "consensus:weight=0.5". u starts at 0,
    z_before at z.

    Raises:
        BadInput: implicit play with momentum, or a rule that is not known.
    """
    J, S, m, one = game.J, game.S, game.m, np.eye(game.n)
    weight = float(settings.get("weight", 1.0))
    if name == "lookahead":
        return looked_ahead(
            game, str(settings.get("rule", "alternating")), int(settings.get("every", 5)), float(settings.get("share", 0.5))
        )
    if name == "alternating":
        return in_turn(game)
    if name == "simultaneous":
        return together(game, J, m)
    if name == "extragradient":
        seen = m - float(settings.get("ahead", 1.0)) * J @ S  # what of u_1 is in u', beside J z
        return together(game, J + seen @ J, seen @ m)
    if name == "optimistic":
        return together(game, 2 * J, m, -J)
    if name == "consensus":
        return together(game, J + weight * J.T @ J, m)
    if name == "sga":
        return together(game, J + weight * (J.T - J) / 2 @ J, m)
    if name != "implicit":
        raise BadInput(f"There is no theory of the rule '{name}' here.")
    if any(game.momenta):
        raise BadInput(f"Implicit play takes plain gradient steps, and the momenta are {game.momenta}. Leave them out.")
    return np.linalg.inv(one + S @ J)


def looked_ahead(game: LinearGame, rule: str, every: int, share: float) -> Float64[np.ndarray, "k k"]:
    """`every` rounds of another rule, then z back towards where it was."""
    inner, _, setting = rule.partition(":")
    M = np.linalg.matrix_power(round_map(game, inner, **dict([setting.split("=")] if setting else [])), every)
    M[: game.n] = (1 - share) * np.eye(len(M))[: game.n] + share * M[: game.n]
    return M


def together(game: LinearGame, of_z: Matrix, of_u: Matrix, of_before: Matrix | None = None) -> Float64[np.ndarray, "k k"]:
    """u' = of_z z + of_u u + of_before z_before and z' = z - S u', on what is remembered."""
    n, remembers = game.n, [of_z]
    remembers += [of_u] if any(game.momenta) else []
    remembers += [of_before] if of_before is not None else []
    u = np.hstack(remembers)
    still = np.eye(n, u.shape[1])
    rows = [still - game.S @ u]
    rows += [u] if any(game.momenta) else []
    rows += [still] if of_before is not None else []
    return np.vstack(rows)


def in_turn(game: LinearGame) -> Float64[np.ndarray, "k k"]:
    """Gradient steps of one player after another, each as often as it has turns."""
    n, J, S, m, one = game.n, game.J, game.S, game.m, np.eye(game.n)
    turns = game.turns or (1,) * len(game.sizes)
    who = np.repeat(np.arange(len(game.sizes)), game.sizes)
    M = np.eye(2 * n)
    for P in (np.diag((who == player).astype(float)) for player, times in enumerate(turns) for _ in range(times)):
        u = np.hstack([P @ J, P @ m + one - P])  # u' = P (m u + J z) + (1 - P) u,  z' = z - S P u'
        M = np.vstack([np.eye(n, 2 * n) - S @ P @ u, u]) @ M
    return M if any(game.momenta) else M[:n, :n]


def rate(M: Float64[np.ndarray, "k k"]) -> float:
    """The factor by which a round changes the distance in the long run: the spectral radius."""
    return float(np.abs(np.linalg.eigvals(M)).max())


def limit(game: LinearGame, name: str, **settings: float | int | str) -> float:
    """How many times as long steps may be before play leads away from the equilibrium: 0 where every step does, infinity where none.

    Found by halving, to 1e-12 of itself. Of v = a' A b, s the largest singular value of A and steps of 1:
        alternating 2 / s;  extragradient sqrt(2 g - 1) / (g s);  optimistic 1 / (sqrt(3) s);  consensus 2 w / (1 + w^2) where s = 1
    """

    def beyond(times: float) -> float:
        """How far above 1 the rate is."""
        longer = replace(game, rates=tuple(times * step for step in game.rates))
        return rate(round_map(longer, name, **settings)) - 1

    units = 1 / (np.linalg.norm(game.J, 2) * max(game.rates))
    if beyond(SCALES[0] * units) > AWAY:
        found = next((place for place, scale in enumerate(SHORTER) if beyond(scale * units) < -AWAY), None)
        if found is None:
            return 0.0
        low, high = SHORTER[found] * units, SHORTER[found - 1] * units
    else:
        found = next((place for place, scale in enumerate(SCALES) if beyond(scale * units) > AWAY), None)
        if found is None:
            return np.inf
        low, high = SCALES[found - 1] * units, SCALES[found] * units
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if beyond(middle) > AWAY else (middle, high)
    return float(low)
