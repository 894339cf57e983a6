"""Examples kept apart, counted."""

import pytest
import torch

from pushforward.core import kept_apart


@pytest.mark.parametrize(("count", "number"), [(200, 20), (8000, 800), (8000, 100), (97, 9), (40, 4), (12, 1)])
def test_so_many_are_kept_in_ten_runs_spread_evenly(count: int, number: int) -> None:
    kept = kept_apart(count, number)
    assert kept.shape == (count,) and abs(int(kept.sum()) - number) <= 10 * (count % min(10, number) > 0)
    starts = kept & ~torch.cat([torch.zeros(1, dtype=torch.bool), kept[:-1]])
    assert int(starts.sum()) == min(10, number)
    halves = kept.long().split(-(-count // 2))
    assert number < 10 or abs(int(halves[0].sum() - halves[1].sum())) <= 2


def test_none_are_kept_of_none_or_where_none_is_asked() -> None:
    assert not kept_apart(0, 0).any() and not kept_apart(9, 0).any()
