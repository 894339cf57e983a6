"""Floor 2: trains any system; knows no system."""

from pushforward.training.rules import RULES, find_rule
from pushforward.training.trainer import Diverged, Trainer

__all__ = ["RULES", "Diverged", "Trainer", "find_rule"]
