"""Parts of faces are counted a few images at a time, to the numbers of all at once."""

import pytest
import torch
from torch import Tensor, nn

from pushforward import metrics
from pushforward.core import Parses
from pushforward.data import DataSpec, open_data
from pushforward.evaluation import parsing
from pushforward.evaluation.translations import read_as


class ByBrightness(nn.Module, Parses):
    """Takes the brightness of a pixel for its part."""

    def parse(self, image: Tensor) -> Tensor:
        return nn.functional.one_hot(((image.mean(1) + 1) * 5).long(), 11).permute(0, 3, 1, 2).float()


def test_confusion_matrices_are_summed(monkeypatch: pytest.MonkeyPatch) -> None:
    judge, dataset = ByBrightness(), open_data(DataSpec("faces", size=16))[0].part(torch.arange(70))
    batch, count, sizes = dataset.batch(torch.arange(70)), metrics.confusion_of, list[int]()
    whole = count(batch["parts"].flatten(), parsing.parts_in(judge, batch["image"]).flatten(), len(dataset.part_names))

    def noted(truth: Tensor, answer: Tensor, classes: int) -> Tensor:
        sizes.append(len(truth) // 16**2)
        return count(truth, answer, classes)

    monkeypatch.setattr(metrics, "confusion_of", noted)
    found = parsing.of_parts(judge, dataset)
    assert {name: found[name] for name in metrics.segmentation(whole)} == metrics.segmentation(whole)
    assert [found.get(f"F of {name}") for name in dataset.part_names] == metrics.f_scores(whole)
    judged = read_as(judge, batch["image"], dataset)
    assert list(judged.values()) == list(metrics.segmentation(whole).values())
    assert sizes == 2 * [32, 32, 6]
