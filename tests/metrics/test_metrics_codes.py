"""The rate and its parts against closed forms; active codes; calibration by hand."""

from math import log

import pytest
import torch

from pushforward import metrics
from pushforward.core import BadInput
from pushforward.metrics import Codes


def gaussian(n: int, share: float) -> Codes:
    """Posteriors N(m, 1 - share) with m ~ N(0, share): their mixture is the prior N(0, 1), so that the whole rate is information."""
    torch.manual_seed(0)
    mean = torch.randn(n, 1, dtype=torch.float64) * share**0.5
    mean = torch.cat([mean, torch.zeros(n, 1, dtype=torch.float64)], 1)
    log_var = torch.tensor([log(1 - share), 0.0], dtype=torch.float64).expand(n, 2)
    return Codes(mean, log_var, mean + torch.exp(log_var / 2) * torch.randn_like(mean))


def test_information_and_distance_to_the_prior():
    told = metrics.surgery(gaussian(4_000, 0.75))
    assert told["information"] == pytest.approx(-log(0.25) / 2, abs=0.03)
    assert told["marginal"] == pytest.approx(0, abs=0.03)
    assert told["rate"] == pytest.approx(told["information"] + told["marginal"])


def test_an_aggregate_posterior_beside_the_prior():
    """All posteriors N(2, 1): no information, KL 2 nats from the prior."""
    torch.manual_seed(0)
    mean = torch.full((500, 1), 2.0, dtype=torch.float64)
    told = metrics.surgery(Codes(mean, torch.zeros_like(mean), mean + torch.randn_like(mean)))
    assert told == pytest.approx({"rate": 2.0, "information": 0.0, "marginal": 2.0}, abs=1e-9)


def test_a_code_that_never_moves_is_not_active():
    assert metrics.active(gaussian(500, 0.75)).tolist() == [1, 0]


def test_reliability_by_hand():
    p = torch.tensor([[0.95, 0.05], [0.95, 0.05], [0.35, 0.65], [0.55, 0.45]])
    found = metrics.reliability(p, torch.tensor([0, 1, 1, 0]), bins=10)
    assert found.count.tolist() == [0, 0, 0, 0, 0, 1, 1, 0, 0, 2]
    assert found.accuracy[[5, 6, 9]].tolist() == [1, 1, 0.5]
    assert found.error == pytest.approx(0.25 * 0.45 + 0.25 * 0.35 + 0.5 * 0.45)


def test_confidence_of_one_is_in_the_last_bin():
    assert metrics.reliability(torch.eye(2), torch.tensor([0, 1])).count[-1] == 2
    with pytest.raises(BadInput, match="0 answers and 0 labels"):
        metrics.reliability(torch.zeros(0, 2), torch.zeros(0, dtype=torch.long))
