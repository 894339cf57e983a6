"""Distributions over classes, against torch.distributions and closed cases."""

from math import log

import pytest
import torch
from torch.distributions import Categorical

from pushforward.core import UNLABELLED
from pushforward.maths import entropy, mutual_information, one_hot


def distributions(n: int, k: int, seed: int = 0) -> torch.Tensor:
    return (3 * torch.randn(n, k, generator=torch.Generator().manual_seed(seed))).softmax(1)


@pytest.mark.parametrize("k", [1, 2, 10])
def test_entropy(k: int) -> None:
    p = distributions(20, k)
    torch.testing.assert_close(entropy(p), Categorical(p, validate_args=False).entropy())
    torch.testing.assert_close(entropy(torch.full((4, k), 1 / k)), torch.full((4,), log(k)))


def test_certainty_has_no_entropy() -> None:
    assert torch.equal(entropy(torch.eye(5)), torch.zeros(5))


def test_the_slope_of_the_entropy() -> None:
    """Through a softmax: -q (log q + H)."""
    logits = torch.randn(6, 4, dtype=torch.float64, requires_grad=True)
    q = logits.softmax(1)
    entropy(q).sum().backward()
    torch.testing.assert_close(logits.grad, (-q * (q.log() + entropy(q)[:, None])).detach())


def test_the_entropy_of_a_very_sure_reading_has_a_slope() -> None:
    logits = torch.tensor([[0.0, 200.0, 3.0]], requires_grad=True)
    entropy(logits.softmax(1)).sum().backward()
    assert torch.isfinite(logits.grad).all()


def test_one_hot() -> None:
    assert torch.equal(one_hot(torch.tensor([2, 0]), 3), torch.tensor([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]))
    assert torch.equal(one_hot(torch.tensor([UNLABELLED, 1]), 2), torch.tensor([[0.0, 0.0], [0.0, 1.0]]))
    assert one_hot(torch.tensor([], dtype=torch.int64), 4).shape == (0, 4)


@pytest.mark.parametrize("k", [2, 5, 10])
def test_mutual_information_of_two_that_agree_is_log_k(k: int) -> None:
    y = torch.eye(k).repeat(3, 1)
    assert mutual_information(y, y).item() == pytest.approx(log(k), abs=1e-4)
    if k > 2:  # agreement up to names counts by half: the joint distribution is that of both orders of the two views
        assert mutual_information(y, y.roll(1, 1)).item() == pytest.approx(log(k / 2), abs=1e-4)


def test_mutual_information_of_two_that_know_nothing_of_each_other_is_none() -> None:
    p = torch.eye(4).repeat_interleave(4, 0)
    q = torch.eye(4).repeat(4, 1)  # every pair of classes once
    assert mutual_information(p, q).item() == pytest.approx(0, abs=1e-5)
    same = torch.tensor([0.7, 0.2, 0.1]).expand(9, 3)
    assert mutual_information(same, same).item() == pytest.approx(0, abs=1e-5)
    certain = torch.eye(3)[:1].expand(9, 3)  # always the same class, surely: nothing is told either
    assert mutual_information(certain, certain).item() == pytest.approx(0, abs=1e-5)


def test_mutual_information_of_a_noisy_channel() -> None:
    """Balanced classes, read right with probability 1 - e: log 2 - H(e) for a symmetric binary channel."""
    e = 0.1
    y, read = torch.eye(2).repeat(5, 1), torch.tensor([[1 - e, e], [e, 1 - e]]).repeat(5, 1)
    expected = log(2) + e * log(e) + (1 - e) * log(1 - e)
    assert mutual_information(y, read).item() == pytest.approx(expected, abs=1e-5)


def test_mutual_information_takes_both_views_alike_and_stays_in_its_range() -> None:
    for seed in range(5):
        p, q = distributions(12, 6, seed), distributions(12, 6, seed + 100)
        found = mutual_information(p, q)
        torch.testing.assert_close(found, mutual_information(q, p))
        assert -1e-5 < found <= log(6) + 1e-5


def test_mutual_information_has_a_slope_where_a_class_is_never_met() -> None:
    logits = torch.tensor([[90.0, 0.0, -200.0], [0.0, 90.0, -200.0]], requires_grad=True)
    mutual_information(logits.softmax(1), logits.softmax(1)).backward()
    assert torch.isfinite(logits.grad).all()


def test_mutual_information_is_not_rounded_where_bfloat16_is_on() -> None:
    torch.manual_seed(0)
    p, q = (torch.randn(256, 10).mul(0.3).softmax(1) for _ in range(2))
    with torch.autocast("cpu", torch.bfloat16):
        rounded = mutual_information(p, q)
    torch.testing.assert_close(rounded, mutual_information(p, q), atol=1e-7, rtol=1e-5)
