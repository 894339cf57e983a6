"""The Gaussian mixture over codes: it finds what made the codes, and draws the same each time."""

import pytest
import torch

from pushforward.core import BadInput
from pushforward.maths.mixture import CodeMixture

CENTRES = torch.tensor([[-4.0, 0.0], [4.0, 1.0]])


@pytest.fixture(scope="module")
def codes() -> torch.Tensor:
    noise = torch.randn(2000, 2, generator=torch.Generator().manual_seed(0))
    slanted = noise @ torch.tensor([[1.0, 0.8], [0.0, 0.3]])
    return slanted + CENTRES[(torch.arange(2000) % 4 == 0).long()]  # three quarters at the first


def test_finds_weights_means_and_covariances(codes):
    mixture = CodeMixture(codes, 2)
    order = mixture.mean[:, 0].argsort()
    assert torch.allclose(mixture.weight[order], torch.tensor([0.75, 0.25]).double(), atol=0.02)
    assert torch.allclose(mixture.mean[order].float(), CENTRES, atol=0.15)
    covariance = mixture.root @ mixture.root.transpose(1, 2)
    wanted = torch.tensor([[1.0, 0.8], [0.8, 0.73]]).double()
    assert torch.allclose(covariance, wanted.expand(2, 2, 2), atol=0.15)


def test_draws_have_the_moments_of_the_codes(codes):
    drawn = CodeMixture(codes, 2).draw(20_000, seed=1)
    assert drawn.shape == (20_000, 2) and drawn.dtype == torch.float32
    assert torch.allclose(drawn.mean(0), codes.mean(0), atol=0.1)
    assert torch.allclose(drawn.T.cov(), codes.T.cov(), rtol=0.05, atol=0.05)
    share = (drawn[:100, 0] > 0).float().mean()  # not sorted by component
    assert 0.1 < share < 0.45


def test_same_seed_same_codes_and_the_default_generator_is_left_alone(codes):
    mixture = CodeMixture(codes, 3)
    state = torch.get_rng_state()
    assert torch.equal(mixture.draw(8, seed=5), mixture.draw(8, seed=5))
    assert not torch.equal(mixture.draw(8, seed=5), mixture.draw(8, seed=6))
    assert torch.equal(state, torch.get_rng_state())
    assert mixture.draw(8).shape == (8, 2)


def test_one_component_is_the_mean_and_covariance(codes):
    mixture = CodeMixture(codes, 1)
    assert torch.allclose(mixture.mean[0].float(), codes.mean(0), atol=1e-4)
    assert torch.allclose((mixture.root[0] @ mixture.root[0].T).float(), codes.T.cov(correction=0), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("components", [0, -1, 2001])
def test_refuses_impossible_numbers_of_components(codes, components):
    with pytest.raises(BadInput, match=f"mixture of {components} Gaussians"):
        CodeMixture(codes, components)


def test_refuses_codes_that_are_not_finite():
    with pytest.raises(BadInput, match="NaN"):
        CodeMixture(torch.tensor([[0.0], [float("nan")]]), 1)
