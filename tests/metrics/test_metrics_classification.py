"""Probabilities, accuracy and confusion against counts by hand."""

import pytest
import torch
from torch import Tensor

from pushforward import metrics
from pushforward.core import UNLABELLED, BadInput, Classifies, Player, Stage, System
from pushforward.data import Dataset


class Darkness(System, Classifies):
    """Answers the class 0, 1 or 2 by the grey level of the first pixel."""

    needs = frozenset({"image"})

    def __init__(self):
        super().__init__()
        self.asked: list[int] = []

    def schedule(self, seen: int, total: int) -> Stage:
        return Stage(seen, 1)

    def players(self) -> list[Player]:
        return []

    def logits(self, image: Tensor) -> Tensor:
        self.asked.append(len(image))
        return -(image[:, 0, 0, 0, None] - torch.tensor([-1.0, 0.0, 1.0])).square() * 9


def dataset(label: list[int] | None) -> Dataset:
    grey = torch.tensor([0, 0, 128, 128, 255], dtype=torch.uint8)
    image = grey[:, None, None, None].expand(5, 1, 2, 2).contiguous()
    return Dataset("greys", image=image, label=None if label is None else torch.tensor(label), classes=("a", "b", "c"))


def test_probabilities_are_the_softmax_of_the_logits_in_order():
    system, data = Darkness(), dataset(None)
    p = metrics.probabilities(system, data, batch_size=2)
    assert system.asked == [2, 2, 1]
    assert torch.allclose(p, system.logits(data.batch(torch.arange(5))["image"]).softmax(1))
    assert torch.allclose(p.sum(1), torch.ones(5)) and p.argmax(1).tolist() == [0, 0, 1, 1, 2]


def test_confusion_counts_by_class_and_answer_without_the_unlabelled():
    data = dataset([0, 1, 1, UNLABELLED, 0])
    assert metrics.confusion(Darkness(), data).tolist() == [[1, 0, 1], [1, 1, 0], [0, 0, 0]]
    assert metrics.accuracy(Darkness(), data) == 0.5


def test_all_right():
    assert metrics.accuracy(Darkness(), dataset([0, 0, 1, 1, 2])) == 1.0


@pytest.mark.parametrize("label", [None, [UNLABELLED] * 5])
def test_refuses_data_without_labels(label):
    with pytest.raises(BadInput, match="No label of 'greys' is known"):
        metrics.accuracy(Darkness(), dataset(label))


def test_refuses_labels_the_system_does_not_know():
    with pytest.raises(BadInput, match=r"label 3, but the system knows the classes 0\.\.2"):
        metrics.confusion(Darkness(), dataset([0, 1, 2, 3, 0]))


def test_refuses_a_system_that_does_not_classify():
    from pushforward.systems.vae import VAE

    with pytest.raises(BadInput, match="VAE does not classify"):
        metrics.probabilities(VAE(VAE.Config((1, 2, 2), net="mlp", width=4)), dataset(None))


def test_views_are_averaged_and_change_no_generator():
    from pushforward.systems.classification_vae import ClassificationVAE

    torch.manual_seed(0)
    system = ClassificationVAE(ClassificationVAE.Config((1, 8, 8), 3, net="mlp", width=8, views="small-digits")).eval()
    data = Dataset(
        "noise", image=torch.randint(0, 256, (9, 1, 8, 8), dtype=torch.uint8), label=torch.arange(9) % 3, classes=("a", "b", "c")
    )
    before = torch.get_rng_state()
    plain, seen = metrics.probabilities(system, data), metrics.probabilities(system, data, views=3)
    assert torch.equal(before, torch.get_rng_state()) and torch.equal(seen, metrics.probabilities(system, data, views=3))
    assert not torch.allclose(plain, seen) and torch.allclose(seen.sum(1), torch.ones(9))
    assert metrics.accuracy(system, data, views=3) == pytest.approx(float((seen.argmax(1) == data.label).double().mean()))
    system.config = ClassificationVAE.Config((1, 8, 8), 3, net="mlp", width=8)
    with pytest.raises(BadInput, match="3 views are to be averaged"):
        metrics.probabilities(system, data, views=3)


def test_clusters_are_matched_with_classes_one_to_one():
    counts = torch.tensor([[0, 9, 1], [8, 2, 0], [1, 5, 4]])  # the last class wants the second cluster too, but it is taken
    assert metrics.matched(counts) == pytest.approx((9 + 8 + 4) / 30)
