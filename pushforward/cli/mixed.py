"""A trained system whose codes are drawn from a mixture of Gaussians in place of its prior. Imports torch: loaded when needed."""

import torch
from torch import Tensor

from pushforward.core import Encodes, Samples, System
from pushforward.data import Dataset
from pushforward.maths.mixture import CodeMixture
from pushforward.report.asking import able, content, images_of, labels_of, told_labels

TOGETHER = 500
"""Examples that are encoded at a time."""


class Mixed(Samples):
    """Samples by decoding draws from `components` Gaussians fitted on the codes of `dataset`.

    Raises:
        BadInput: a system that does not encode, or more components than examples.
    """

    def __init__(self, system: System, dataset: Dataset, components: int):
        self.decoder, self.classes = able(system, Encodes), labels_of(system)
        found = []
        for index in torch.arange(len(dataset)).split(TOGETHER):
            batch = images_of(dataset, index, system)
            found.append(self.decoder.encode(content(batch), told_labels(system, batch)))
        codes = torch.cat(found)
        self.device, self.mixture = codes.device, CodeMixture(codes, components)

    @property
    def labels(self) -> int:
        return self.classes

    def sample(self, count: int, label: int | Tensor | None = None, seed: int | None = None) -> Tensor:
        return self.decoder.decode(self.mixture.draw(count, seed).to(self.device), label)
