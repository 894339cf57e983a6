"""scikit-learn's real digits: 1,797 of 8x8 pixels, there without a download."""

import numpy as np
import torch

from pushforward.data.chance import split
from pushforward.data.dataset import Dataset

CLASSES = tuple("0123456789")


def read(seed: int = 0) -> tuple[Dataset, Dataset]:
    """Train (899) and test (898), each with about equally many of every class; `seed` chooses which. Grey levels 0..16 become 0..255.

    Source: E. Alpaydin, C. Kaynak (1998), "Optical Recognition of Handwritten Digits", UCI repository; scikit-learn holds its test part.
    """
    from sklearn.datasets import load_digits  # slow to import, and only needed here

    bunch = load_digits()
    image = torch.from_numpy(np.round(bunch.images * (255 / 16)).astype(np.uint8))[:, None]
    whole = Dataset("digits", image=image, label=torch.from_numpy(bunch.target).long(), classes=CLASSES)
    train, test = split(len(whole), 0.5, seed, whole.label)
    return whole.part(train), whole.part(test, "digits test")
