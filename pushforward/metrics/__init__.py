"""Floor 3: functions of a system and a data set that say how well it does, in numbers that can be compared."""

from pushforward.metrics.baselines import label_spreading, nearest_neighbour
from pushforward.metrics.batches import batches
from pushforward.metrics.bound import test_bound
from pushforward.metrics.calibration import Reliability, reliability
from pushforward.metrics.classification import accuracy, confusion, matched, probabilities
from pushforward.metrics.codes import ACTIVE, Codes, active, codes_of, surgery
from pushforward.metrics.likelihood import Weights, summary, sums_over_classes, weights

__all__ = [
    "ACTIVE",
    "Codes",
    "Reliability",
    "Weights",
    "accuracy",
    "active",
    "batches",
    "codes_of",
    "confusion",
    "label_spreading",
    "matched",
    "nearest_neighbour",
    "probabilities",
    "reliability",
    "summary",
    "sums_over_classes",
    "surgery",
    "test_bound",
    "weights",
]
