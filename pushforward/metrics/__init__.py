"""Floor 3: functions of a system and a data set that say how well it does, in numbers that can be compared."""

from pushforward.metrics.baselines import label_spreading, nearest_neighbour
from pushforward.metrics.bound import test_bound
from pushforward.metrics.classification import accuracy, confusion, probabilities
from pushforward.metrics.suggesting import suggestions

__all__ = ["accuracy", "confusion", "label_spreading", "nearest_neighbour", "probabilities", "suggestions", "test_bound"]
