"""What scikit-learn makes of the same few labels: an honest bar for semi-supervised learning on small sets."""

import numpy as np

from pushforward.core import UNLABELLED
from pushforward.data import Dataset

LARGEST = 5_000
"""Examples above which spreading labels over all pairs takes too long and too much memory."""


def flat(dataset: Dataset) -> np.ndarray:
    """Examples as rows [N, D] in [0, 1]."""
    assert dataset.image is not None
    return dataset.image.flatten(1).numpy() / 255


def label_spreading(train: Dataset, test: Dataset) -> float:
    """Test accuracy of scikit-learn's LabelSpreading (Zhou et al. 2004) on 7 neighbours, from the known labels and all training images."""
    from sklearn.semi_supervised import LabelSpreading

    assert train.label is not None and test.label is not None
    spread = LabelSpreading(kernel="knn", n_neighbors=7, alpha=0.2, max_iter=100)
    spread.fit(flat(train), train.label.numpy())  # scikit-learn marks the unknown by -1 too
    return float((spread.predict(flat(test)) == test.label.numpy()).mean())


def nearest_neighbour(train: Dataset, test: Dataset) -> float:
    """Test accuracy of taking the label of the nearest labelled training image."""
    from sklearn.neighbors import KNeighborsClassifier

    assert train.label is not None and test.label is not None
    known = (train.label != UNLABELLED).numpy()
    nearest = KNeighborsClassifier(1).fit(flat(train)[known], train.label.numpy()[known])
    return float((nearest.predict(flat(test)) == test.label.numpy()).mean())
