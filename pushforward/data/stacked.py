"""Stacked MNIST: three digits of MNIST, one in each colour, in 28x28: 1,000 kinds of equal probability (Metz et al. 2017, "Unrolled
generative adversarial networks"). The kind is the number that red, green and blue spell."""

from dataclasses import replace

import torch

from pushforward.data import idx
from pushforward.data.chance import generator
from pushforward.data.dataset import Dataset

NAME = "stacked-mnist"
COUNT, HELD_OUT = 128_000, 10_000
"""Training images (as many as Lin et al. 2018 took, "PacGAN"), and those held out, which are stacked of test digits."""


def read(seed: int = 0) -> tuple[Dataset, Dataset]:
    """Train and test; seed: chooses the digits.

    Raises:
        BadInput: MNIST is not there.
    """
    train, test = idx.read_named("mnist")
    return stacked(train, COUNT, NAME, seed), stacked(test, HELD_OUT, f"{NAME} test", seed)


def stacked(digits: Dataset, count: int, name: str, seed: int) -> Dataset:
    """`count` images of three digits each, drawn independently."""
    assert digits.image is not None and digits.label is not None
    place = torch.randint(len(digits), (count, 3), generator=generator("stacked", name, seed))
    label = (digits.label[place] * torch.tensor([100, 10, 1])).sum(1)
    kinds = tuple(f"{kind:03}" for kind in range(1000))
    return replace(digits, name=name, image=digits.image[place, 0], label=label, classes=kinds)
