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


def test_batches_carry_the_guesses_and_no_hidden_label() -> None:
    spec = DataSpec("digits", labels=50, neighbours=5)
    train, _ = open_data(spec)
    batch = Shuffled(train, labelled=8).batch(Stage(0, 32), 0, 0, 1)
    assert torch.equal(batch["guess"], guesses(train, 5)[batch["index"]])
    assert "guess" not in Shuffled(replace(train, neighbours=0), labelled=8).batch(Stage(0, 32), 0, 0, 1)


def test_refusals() -> None:
    unlabelled, _ = open_data(DataSpec("digits", labels=0, neighbours=5))
    with pytest.raises(BadInput, match="no label"):
        Shuffled(unlabelled)
    few = Dataset("few", row=torch.rand(4, 2), label=torch.tensor([0, 1, -1, -1]), classes=("a", "b"), neighbours=5)
    with pytest.raises(BadInput, match="only 4 examples"):
        Shuffled(few)
    with pytest.raises(BadInput, match="neighbours is -1"):
        open_data(DataSpec("digits", neighbours=-1))
