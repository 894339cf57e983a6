"""One way of making images square and of one size, for files and arrays alike."""

from dataclasses import replace

import numpy as np
import torch
from PIL import Image

from pushforward.core import BadInput
from pushforward.data.checks import check_memory
from pushforward.data.dataset import Dataset


def fitted(image: Image.Image, size: int, way: Image.Resampling = Image.Resampling.LANCZOS) -> Image.Image:
    """The central square of `image`, resampled to `size` x `size` pixels."""
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    if width != height:  # `resize` with a box would mix in what lies just outside it
        image = image.crop((left, top, left + side, top + side))
    return image.resize((size, size), way)


def resized(dataset: Dataset, size: int) -> Dataset:
    """`dataset` with images [n, c, size, size]; the same where they have that size already, or where `size` is 0.

    Raises:
        BadInput: a size asked of a table, or one that fills the memory.
    """
    if not size or dataset.shape[1:] == (size, size):
        return dataset
    if dataset.image is None:
        raise BadInput(f"size is {size}, but '{dataset.name}' is a table; leave size out.")
    count, channels, *_ = dataset.image.shape
    check_memory(dataset.name, (count, channels, size, size))
    out = np.empty((count, channels, size, size), np.uint8)
    for place, image in enumerate(dataset.image.numpy()):
        for channel, plane in enumerate(image):
            out[place, channel] = np.asarray(fitted(Image.fromarray(plane), size))
    return replace(dataset, image=torch.from_numpy(out))
