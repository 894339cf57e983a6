"""Floor 1: formulas that several papers share, each tested against a reference or a closed form."""

from pushforward.maths.categorical import entropy, mutual_information, one_hot
from pushforward.maths.gaussian import at_least, draw, draws_of, kl_between, kl_from_standard_normal, log_normal, noise

__all__ = [
    "at_least",
    "draw",
    "draws_of",
    "entropy",
    "kl_between",
    "kl_from_standard_normal",
    "log_normal",
    "mutual_information",
    "noise",
    "one_hot",
]
