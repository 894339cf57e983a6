"""Labels spread over a neighbour graph."""

from dataclasses import replace

import pytest
import torch

from pushforward.core import UNLABELLED, BadInput, Stage
from pushforward.data import Dataset, DataSpec, Shuffled, open_data
from pushforward.data.neighbours import SURE, guesses


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


def test_without_labels_the_parts_of_the_graph_are_the_guesses() -> None:
    along = torch.linspace(0, 10, 200)
    rows = torch.cat([torch.stack([along, 0 * along], 1), torch.stack([along, 0 * along + 3], 1)])
    chains = Dataset("chains", row=rows, label=torch.full((400,), UNLABELLED), classes=("cluster 0", "cluster 1"))
    found = guesses(chains, 4)
    assert (found[:200] == found[0]).all() and (found[200:] == 1 - found[0]).all()


def test_parts_of_the_graph_of_digits_are_mostly_digits() -> None:
    truth = open_data(DataSpec("digits"))[0].label
    unlabelled, _ = open_data(DataSpec("digits", labels=0))
    found = guesses(unlabelled, 10)
    assert truth is not None and found.dtype == torch.int64 and len(found.unique()) == 10
    right = sum(int(truth[found == part].bincount().max()) for part in range(10))  # each part called by its commonest digit
    assert right / len(truth) > 0.75


def test_batches_carry_the_guesses_and_no_hidden_label() -> None:
    spec = DataSpec("digits", labels=50, neighbours=5)
    train, _ = open_data(spec)
    batch = Shuffled(train, labelled=8).batch(Stage(0, 32), 0, 0, 1)
    assert torch.equal(batch["guess"], guesses(train, 5)[batch["index"]])
    assert "guess" not in Shuffled(replace(train, neighbours=0), labelled=8).batch(Stage(0, 32), 0, 0, 1)


def test_refusals() -> None:
    with pytest.raises(BadInput, match="no label"):
        Shuffled(Dataset("bare", row=torch.rand(9, 2), neighbours=5))
    few = Dataset("few", row=torch.rand(4, 2), label=torch.tensor([0, 1, -1, -1]), classes=("a", "b"), neighbours=5)
    with pytest.raises(BadInput, match="only 4 examples"):
        Shuffled(few)
    with pytest.raises(BadInput, match="neighbours is -1"):
        open_data(DataSpec("digits", neighbours=-1))
