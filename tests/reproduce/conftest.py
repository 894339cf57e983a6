"""scikit-learn's digits where MNIST is looked for, so that tables run without a download."""

import struct
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch.nn.functional import interpolate


def idx(path: Path, array: np.ndarray) -> None:
    path.write_bytes(b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(np.uint8).tobytes())


@pytest.fixture(scope="module")
def mnist(tmp_path_factory) -> Path:
    """scikit-learn's digits at 28x28: 900 to train on, 300 to test."""
    folder = tmp_path_factory.mktemp("data") / "mnist"
    folder.mkdir()
    found = load_digits()
    large = interpolate(torch.from_numpy(found.images).float()[:, None] / 16, (28, 28), mode="bilinear")[:, 0]
    for part, start, end in (("train", 0, 900), ("t10k", 900, 1200)):
        idx(folder / f"{part}-images-idx3-ubyte", (255 * large[start:end]).round().numpy())
        idx(folder / f"{part}-labels-idx1-ubyte", found.target[start:end])
    copytree(folder, folder.parent / "fashion-mnist")
    return folder.parent
