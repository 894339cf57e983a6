"""Coverage by hand, of equal distributions, and of a mode that is missed."""

import pytest
import torch

from pushforward import metrics
from pushforward.core import BadInput


def test_by_hand():
    real = torch.tensor([[0.0], [1.0], [2.0], [10.0]])
    assert metrics.coverage(real, torch.tensor([[2.5]]), nearest=1) == 0.5, "2 by distance .5 < 1, and 10 by 7.5 < 8"
    assert metrics.coverage(real, torch.tensor([[3.0]]), nearest=1) == 0.25, "on its edge a ball holds nothing"
    assert metrics.coverage(real, real, nearest=1) == 1


def test_two_samples_of_one_distribution_reach_the_floor_and_a_missed_mode_does_not():
    torch.manual_seed(0)
    real, made = torch.randn(2, 1_500, 3)
    assert metrics.coverage(real, made) == pytest.approx(1 - 2**-5, abs=0.02)
    shifted = torch.cat([real, real + 50])
    assert metrics.coverage(shifted, made) == pytest.approx((1 - 2**-5) / 2, abs=0.02)


def test_too_few():
    with pytest.raises(BadInput, match="5 real and 3 made"):
        metrics.coverage(torch.zeros(5, 2), torch.zeros(3, 2))
