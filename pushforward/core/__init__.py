"""Floor 0: the six ideas everything else is written in (torch only)."""

from pushforward.core.abilities import (
    Classifies,
    Compares,
    Condition,
    Describes,
    Edits,
    Encodes,
    Generates,
    Judges,
    Parses,
    Samples,
    Weighs,
    asked,
)
from pushforward.core.batch import UNLABELLED, Batch, Source, Terms, check
from pushforward.core.errors import BadInput
from pushforward.core.keeping_apart import kept_apart
from pushforward.core.kept import Kept
from pushforward.core.player import SGD, Adam, Average, Moments, Optimiser, Player, alike, growing
from pushforward.core.stage import Stage, warm_up_then_cosine
from pushforward.core.system import System, find_system, system_names
from pushforward.spelling import nearest

__all__ = [
    "SGD",
    "UNLABELLED",
    "Adam",
    "Average",
    "BadInput",
    "Batch",
    "Classifies",
    "Compares",
    "Condition",
    "Describes",
    "Edits",
    "Encodes",
    "Generates",
    "Judges",
    "Kept",
    "Moments",
    "Optimiser",
    "Parses",
    "Player",
    "Samples",
    "Source",
    "Stage",
    "System",
    "Terms",
    "Weighs",
    "alike",
    "asked",
    "check",
    "find_system",
    "growing",
    "kept_apart",
    "nearest",
    "system_names",
    "warm_up_then_cosine",
]
