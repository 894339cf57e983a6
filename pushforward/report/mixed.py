"""A trained system whose codes are drawn from mixtures of Gaussians in place of its prior."""

import torch
from torch import Tensor

from pushforward.core import Encodes, Samples, System, asked
from pushforward.data import Dataset
from pushforward.maths.mixture import CodeMixture
from pushforward.report.asking import able, content, device_of, images_of, labels_of, told_labels

TOGETHER = 500
"""Examples that are encoded at a time."""


class Mixed(Samples):
    """Samples by decoding draws from `components` Gaussians fitted on the codes of `dataset`; of a system that is told the class, on those
    of each class apart: its codes lie where others' do not, and the prior covers all.

    Raises:
        BadInput: a system that does not encode, or more components than a class has examples.
    """

    def __init__(self, system: System, dataset: Dataset, components: int):
        self.decoder, self.classes, self.device = able(system, Encodes), labels_of(system), device_of(system)
        codes, labels = [], []
        for index in torch.arange(len(dataset)).split(TOGETHER):
            batch = images_of(dataset, index, system)
            told = told_labels(system, batch)
            codes.append(self.decoder.encode(content(batch), told).cpu())
            labels.append(torch.zeros(len(index), dtype=torch.int64) if told is None else told.cpu())
        code, label = torch.cat(codes), torch.cat(labels)
        self.mixtures = [CodeMixture(code[label == kind], components) for kind in range(max(1, self.classes))]

    @property
    def labels(self) -> int:
        return self.classes

    def sample(self, count: int, label: int | Tensor | None = None, seed: int | None = None) -> Tensor:
        y = asked(label, count, self.classes).cpu() if self.classes else torch.zeros(count, dtype=torch.int64)
        drawn = torch.stack([mixture.draw(count, seed) for mixture in self.mixtures])  # one place in each: the same draw for all classes
        code = drawn[y, torch.arange(count)].to(self.device)
        return self.decoder.decode(code, y.to(self.device) if self.classes else None)
