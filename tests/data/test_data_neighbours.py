"""Labels spread over a neighbour graph."""

from dataclasses import replace

import pytest
import torch

from pushforward.core import UNLABELLED, BadInput, Stage
from pushforward.data import Dataset, DataSpec, Shuffled, open_data
from pushforward.data.neighbours import SURE, SURER, guesses
from pushforward.metrics import matched


def test_few_labels_reach_most_digits() -> None:
    truth = open_data(DataSpec("digits"))[0].label
    train, _ = open_data(DataSpec("digits", labels=100))
    found = guesses(train, 10)
    given = found != UNLABELLED
    assert truth is not None and abs(given.float().mean() - SURE) < 0.05
    assert (found[given] == truth[given]).float().mean() > 0.94
    known = train.label != UNLABELLED
    assert torch.equal(found[known], truth[known])


def test_two_chains_are_told_apart_by_one_label_each() -> None:
    """Far ends of a chain lie nearer to the other chain's label than to their own."""
    along = torch.linspace(0, 10, 200)
    rows = torch.cat([torch.stack([along, 0 * along], 1), torch.stack([along, 0 * along + 3], 1)])
    label = torch.full((400,), UNLABELLED)
    label[0], label[399] = 0, 1
    found = guesses(Dataset("chains", row=rows, label=label, classes=("low", "high")), 4)
    given = found != UNLABELLED
    assert torch.equal(found[given], (torch.arange(400) >= 200).long()[given])


def test_without_labels_the_classes_are_clusters() -> None:
    along = torch.linspace(0, 10, 200)
    rows = torch.cat([torch.stack([along, 0 * along], 1), torch.stack([along, 0 * along + 3], 1)])
    data = Dataset("chains", row=rows, label=torch.full((400,), UNLABELLED), classes=("low", "high"))
    found = guesses(data, 4)
    low, high = (set(part[part != UNLABELLED].tolist()) for part in found.split(200))
    assert {len(low), len(high), len(low | high)} == {1, 2} and torch.equal(found, guesses(data, 4))
    assert (found == UNLABELLED).float().mean() == pytest.approx(1 - SURE, abs=0.01)


def test_real_digits_without_a_label() -> None:
    truth = open_data(DataSpec("digits"))[0].label
    found = guesses(open_data(DataSpec("digits", labels=0))[0], 10)
    assert truth is not None
    given = found != UNLABELLED
    counts = torch.bincount(truth[given] * 10 + found[given], minlength=100).reshape(10, 10)
    assert matched(counts) > 0.75


def test_what_a_network_sees_joins_the_graph() -> None:
    """Rows say nothing here; the features that a network has found tell the classes apart."""
    truth = torch.arange(300) % 3
    torch.manual_seed(0)
    label = torch.where(torch.arange(300) < 9, truth, UNLABELLED)
    data = Dataset("noise", row=torch.randn(300, 4), label=label, classes=("a", "b", "c"))
    seen = torch.eye(3)[truth] * 40 + torch.randn(300, 3)
    given = (found := guesses(data, 5, seen)) != UNLABELLED
    assert given.float().mean() > SURER - 0.02 and (found == truth)[given].float().mean() > 0.99
    assert (guesses(data, 5) == truth).float().mean() < 0.7


def test_batches_carry_the_guesses_and_no_hidden_label() -> None:
    spec = DataSpec("digits", labels=50, neighbours=5)
    train, _ = open_data(spec)
    batch = Shuffled(train, labelled=8).batch(Stage(0, 32), 0, 0, 1)
    assert torch.equal(batch["guess"], guesses(train, 5)[batch["index"]])
    assert "guess" not in Shuffled(replace(train, neighbours=0), labelled=8).batch(Stage(0, 32), 0, 0, 1)


def test_refusals() -> None:
    classless = Dataset("rows", row=torch.rand(40, 2), neighbours=5)
    with pytest.raises(BadInput, match="'rows' has no classes to guess"):
        Shuffled(classless)
    few = Dataset("few", row=torch.rand(4, 2), label=torch.tensor([0, 1, -1, -1]), classes=("a", "b"), neighbours=5)
    with pytest.raises(BadInput, match="only 4 examples"):
        Shuffled(few)
    with pytest.raises(BadInput, match="neighbours is -1"):
        open_data(DataSpec("digits", neighbours=-1))
