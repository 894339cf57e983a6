"""Which labels to ask for: unsure images, unlike each other, the same ones every time."""

import pytest
import torch

from pushforward.core import UNLABELLED, BadInput
from pushforward.data import Dataset
from pushforward.metrics import suggestions
from pushforward.metrics.suggesting import diverse
from tests.report.fakes import Coder, Config, Whole, strips


def sure(count, classes=3):
    return torch.eye(classes)[torch.arange(count) % classes]


def unsure(*pairs):
    """Rows torn between two classes of three."""
    p = torch.zeros(len(pairs), 3)
    for row, pair in zip(p, pairs, strict=True):
        row[list(pair)] = torch.tensor([0.51, 0.49])
    return p


def test_sure_images_are_not_chosen():
    p = torch.cat([sure(200), unsure((0, 1), (1, 2), (2, 0))])
    h = torch.cat([torch.ones(203, 1), torch.randn(203, 4, generator=torch.Generator().manual_seed(0))], 1)
    assert sorted(diverse(p, h, 10).tolist()) == [200, 201, 202]


def test_copies_are_not_chosen_twice():
    p = torch.cat([unsure((0, 1)).repeat(50, 1), unsure((1, 2)).repeat(50, 1)])
    h = torch.tensor([[1.0, 0.3, -2.0]]).repeat(100, 1)
    found = diverse(p, h, 20)
    assert len(found) == 2 and {int(place) // 50 for place in found} == {0, 1}


def test_images_torn_between_the_same_classes_differ_by_their_codes():
    p = unsure((0, 1)).repeat(60, 1)
    h = torch.tensor([[1.0, 5, 0], [1.0, -5, 0], [1.0, 0, 5]]).repeat_interleave(20, 0)
    for seed in range(5):
        assert {int(place) // 20 for place in diverse(p, h, 3, seed)} == {0, 1, 2}


def test_the_same_seed_chooses_the_same():
    chance = torch.Generator().manual_seed(1)
    p, h = torch.rand(300, 5, generator=chance).softmax(1), torch.randn(300, 4, generator=chance)
    torch.manual_seed(0)
    one = diverse(p, h, 12)
    torch.manual_seed(1)
    assert torch.equal(diverse(p, h, 12), one) and len(one.unique()) == 12
    assert not torch.equal(diverse(p, h, 12, seed=1), one)
    assert torch.equal(diverse(p, h, 5), one[:5])


def test_distances_are_those_of_the_gradients():
    """The first chosen is the longest gradient; where only two clumps are left, the choice falls on them alone."""
    chance = torch.Generator().manual_seed(2)
    p, h = torch.randn(40, 3, generator=chance).softmax(1), torch.randn(40, 2, generator=chance)
    a = p - torch.nn.functional.one_hot(p.argmax(1), 3)
    g = torch.einsum("nk,nh->nkh", a, h).flatten(1)
    assert int(diverse(p, h, 1)) == int(g.square().sum(1).argmax())


def test_none_is_chosen_where_all_is_sure():
    assert diverse(sure(30), torch.ones(30, 2), 5).tolist() == []


def test_only_images_without_a_label_are_suggested():
    data = strips(60)
    label = torch.where(torch.arange(60) < 30, data.label, UNLABELLED)
    system = Whole(Config(classes=5)).eval()
    hidden = Dataset("strips", data.image, label=label, classes=data.classes)
    places, p = suggestions(system, hidden, 8)
    assert len(places) == 8 and int(places.min()) >= 30
    assert p.shape == (8, 5) and torch.allclose(p.sum(1), torch.ones(8))
    bare, _ = suggestions(system, Dataset("strips", data.image), 8)
    assert len(bare) == 8


def test_bad_input():
    with pytest.raises(BadInput, match="Every one of the 60 images of 'strips' has a label"):
        suggestions(Whole(Config(classes=5)).eval(), strips(60), 8)
    with pytest.raises(BadInput, match="Coder does not both classify"):
        suggestions(Coder(Config()).eval(), Dataset("strips", strips(60).image), 8)
    rows = Dataset("rows", row=torch.zeros(4, 2))
    with pytest.raises(BadInput, match="does not both classify and encode images"):
        suggestions(Whole(Config(classes=5)).eval(), rows, 2)
