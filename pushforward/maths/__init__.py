"""Floor 1: formulas that several papers share, each tested against a reference or a closed form."""

from pushforward.maths.categorical import entropy, mutual_information, one_hot
from pushforward.maths.gaussian import at_least, draw, draws_of, kl_between, kl_from_standard_normal, log_normal, noise
from pushforward.maths.kernels import energy_distance, random_directions, sliced_energy_distance, spread_normal, squared_mmd

__all__ = [
    "at_least",
    "draw",
    "draws_of",
    "energy_distance",
    "entropy",
    "kl_between",
    "kl_from_standard_normal",
    "log_normal",
    "mutual_information",
    "noise",
    "one_hot",
    "random_directions",
    "sliced_energy_distance",
    "spread_normal",
    "squared_mmd",
]
