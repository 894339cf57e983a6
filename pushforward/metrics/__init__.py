"""Floor 3: functions of a system and a data set that say how well it does, in numbers that can be compared."""

from pushforward.metrics.baselines import label_spreading, nearest_neighbour
from pushforward.metrics.batches import batches, device_of
from pushforward.metrics.bound import test_bound
from pushforward.metrics.calibration import Reliability, reliability
from pushforward.metrics.classification import accuracy, confusion, matched, probabilities
from pushforward.metrics.codes import ACTIVE, Codes, active, codes_of, surgery
from pushforward.metrics.copies import Parzen, birthday, nearer, nearness, parzen, to_nearest
from pushforward.metrics.distances import classifier_score, frechet_distance, kernel_distance
from pushforward.metrics.likelihood import Weights, summary, sums_over_classes, weights
from pushforward.metrics.modes import mode_coverage, near_modes
from pushforward.metrics.neighbourhoods import NEAREST, coverage, neighbourhoods, radii
from pushforward.metrics.pictures import (
    confusion_of,
    explained_by_parts,
    f_scores,
    histogram_intersection,
    l1,
    psnr,
    segmentation,
    sharpness,
    ssim,
    where_counted,
)
from pushforward.metrics.suggesting import suggestions

__all__ = [
    "ACTIVE",
    "NEAREST",
    "Codes",
    "Parzen",
    "Reliability",
    "Weights",
    "accuracy",
    "active",
    "batches",
    "birthday",
    "classifier_score",
    "codes_of",
    "confusion",
    "confusion_of",
    "coverage",
    "device_of",
    "explained_by_parts",
    "f_scores",
    "frechet_distance",
    "histogram_intersection",
    "kernel_distance",
    "l1",
    "label_spreading",
    "matched",
    "mode_coverage",
    "near_modes",
    "nearer",
    "nearest_neighbour",
    "nearness",
    "neighbourhoods",
    "parzen",
    "probabilities",
    "psnr",
    "radii",
    "reliability",
    "segmentation",
    "sharpness",
    "ssim",
    "suggestions",
    "summary",
    "sums_over_classes",
    "surgery",
    "test_bound",
    "to_nearest",
    "weights",
    "where_counted",
]
