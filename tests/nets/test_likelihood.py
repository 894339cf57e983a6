"""What a decoder's output means, against torch.distributions."""

from math import exp

import pytest
import torch
from torch import distributions as D

from pushforward.core import BadInput
from pushforward.nets import Bernoulli, Gaussian, likelihood, suits

SHAPES = [(3, 5, 4), (6,)]


def examples(shape: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return 2 * torch.rand(7, *shape, generator=generator) - 1, 2 * torch.randn(7, *shape, generator=generator)


def with_sigma(shape: tuple[int, ...], sigma: torch.Tensor) -> Gaussian:
    """A Gaussian likelihood of these standard deviations, one per channel or column."""
    found = Gaussian(shape)
    with torch.no_grad():
        found.tenth_log_sigma.copy_(sigma.log().view_as(found.tenth_log_sigma) / 10)
    return found


@pytest.mark.parametrize("shape", SHAPES)
def test_bernoulli(shape: tuple[int, ...]) -> None:
    grey, output = examples(shape)
    x = torch.where(grey > 0, 1.0, -1.0)
    expected = D.Independent(D.Bernoulli(logits=output), len(shape)).log_prob((x + 1) / 2)
    torch.testing.assert_close(Bernoulli()(x, output), expected)
    torch.testing.assert_close(Bernoulli().mean(output), 2 * D.Bernoulli(logits=output).mean - 1)


def test_the_cross_entropy_of_grey_levels_is_the_same_formula() -> None:
    x, output = examples((1, 4, 4))
    target, q = (x + 1) / 2, output.sigmoid()
    torch.testing.assert_close(
        likelihood("cross-entropy", (1, 4, 4))(x, output), (target * q.log() + (1 - target) * (1 - q).log()).sum((1, 2, 3))
    )


def test_bernoulli_survives_extreme_logits() -> None:
    x, output = torch.tensor([[1.0, -1.0, 1.0]]), torch.tensor([[500.0, -500.0, -200.0]])
    torch.testing.assert_close(Bernoulli()(x, output), torch.tensor([-200.0]))


@pytest.mark.parametrize("shape", SHAPES)
def test_gaussian(shape: tuple[int, ...]) -> None:
    x, output = examples(shape)
    sigma = torch.linspace(0.05, 2, shape[0])
    wide = sigma.view(-1, *[1] * (len(shape) - 1))
    expected = D.Independent(D.Normal(output, wide.expand(shape)), len(shape)).log_prob(x)
    torch.testing.assert_close(with_sigma(shape, sigma)(x, output), expected)
    assert sum(p.numel() for p in Gaussian(shape).parameters()) == shape[0], "one variance per channel or column"


def test_the_learned_variance_is_the_mean_square_error() -> None:
    """Where the slope by sigma vanishes, sigma^2 is the error of the channel: sigma-VAE's closed form."""
    shape = (2, 9, 9)
    x, output = examples(shape)
    net = with_sigma(shape, (x - output).square().mean((0, 2, 3)).sqrt())
    net(x, output).mean().backward()
    assert net.tenth_log_sigma.grad.abs().max() < 1e-2
    assert Gaussian(shape)(x, output).requires_grad, "the variance is learned"


def test_sigma_has_a_floor() -> None:
    x = torch.zeros(2, 1, 3, 3)
    floor, below = with_sigma((1, 3, 3), torch.tensor([exp(-6)])), with_sigma((1, 3, 3), torch.tensor([exp(-30)]))
    torch.testing.assert_close(below(x, x), floor(x, x))
    torch.testing.assert_close(floor(x, x), D.Normal(0.0, exp(-6)).log_prob(torch.zeros(2)) * 9)


@pytest.mark.parametrize("kind", ["bernoulli", "gaussian"])
def test_only_pixels_that_are_1_there_count(kind: str) -> None:
    x, output = examples((3, 5, 4))
    x = x.sign() if kind == "bernoulli" else x
    p, where = likelihood(kind, (3, 5, 4)), torch.zeros(7, 1, 5, 4)  # type: ignore[arg-type]
    where[:, :, 2:, :3] = 1
    kept = likelihood(kind, (3, 3, 3))(x[..., 2:, :3], output[..., 2:, :3])  # type: ignore[arg-type]
    torch.testing.assert_close(p(x, output, where), kept)
    other = torch.where(where > 0, x, -x)
    torch.testing.assert_close(p(other, output, where), p(x, output, where), rtol=0, atol=0)
    torch.testing.assert_close(p(x, output, torch.ones_like(where)), p(x, output))
    assert torch.equal(p(x, output, torch.zeros_like(where)), torch.zeros(7))


def test_means_of_images_lie_in_their_range_and_those_of_rows_are_free() -> None:
    far = torch.tensor([-90.0, -0.5, 0.0, 0.5, 90.0])
    for p in (Bernoulli(), Gaussian((1, 1, 5))):
        found = p.mean(far.view(1, 1, 1, 5))
        assert found.min() == -1 and found.max() == 1 and found[..., 2] == 0
    assert torch.equal(Gaussian((5,)).mean(far[None]), far[None])


def test_half_precision_outputs_are_scored_in_single_precision() -> None:
    x, output = examples((1, 28, 28))
    for p in (Bernoulli(), Gaussian((1, 28, 28))):
        score = p(x.sign(), output.bfloat16())
        assert score.dtype == torch.float32 and p.mean(output.bfloat16()).dtype == torch.float32
        torch.testing.assert_close(score, p(x.sign(), output.bfloat16().float()))


def test_suits() -> None:
    two = torch.tensor([[-1.0, 1.0]])
    suits("bernoulli", two)
    for kind in ("gaussian", "cross-entropy"):
        suits(kind, torch.tensor([[0.3, -1.0]]))  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=r"one is 0\.3"):
        suits("bernoulli", torch.tensor([[0.3, -1.0]]))
    with pytest.raises(BadInput, match="binarise"):
        suits("bernoulli", (two + 1) / 2)


def test_names() -> None:
    assert isinstance(likelihood("gaussian", (4,)), Gaussian)
    assert isinstance(likelihood("bernoulli", (1, 2, 2)), Bernoulli) and isinstance(likelihood("cross-entropy", (1, 2, 2)), Bernoulli)
