"""The classes that are asked for."""

import pytest
import torch

from pushforward.core import BadInput
from pushforward.core.abilities import asked


def test_one_for_all_one_for_each_or_each_in_turn() -> None:
    assert asked(None, 5, 3).tolist() == [0, 1, 2, 0, 1]
    assert asked(2, 3, 3).tolist() == [2, 2, 2]
    assert asked(torch.tensor([2, 0]), 2, 3).tolist() == [2, 0]


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("seven", "Label is 'seven', but a number in 0..2 is needed"),
        (3, r"Label 3 was asked for, but the classes are 0..2"),
        (-1, "Label -1 was asked for"),
        (1.7, "Label is 1.7, but labels are whole numbers in 0..2"),
        (torch.tensor([1, 2]), "2 labels are given for 4 examples"),
    ],
)
def test_what_is_no_class_is_refused(label: object, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        asked(label, 4, 3)  # type: ignore[arg-type]
