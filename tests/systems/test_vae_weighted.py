"""With several draws the VAE's loss is the importance-weighted bound, and its slopes are those of the bound."""

from math import log

import pytest
import torch
from torch import Tensor

from pushforward.core import BadInput
from pushforward.maths import log_normal
from pushforward.systems.vae import VAE, Settings
from tests.systems.reference import drawn, images, log_likelihood, roughened

N, LATENT, K = 4, 3, 5


def made(beta: float = 1.0) -> tuple[VAE, Tensor]:
    torch.manual_seed(0)
    system = VAE(Settings((1, 6, 5), LATENT, width=12, likelihood="bernoulli", draws=K, beta=beta))
    system.enter(system.schedule(1_000, 1_000))
    return roughened(system), images(N, (1, 6, 5), "bernoulli")  # type: ignore[return-value]


def log_w(system: VAE, x: Tensor, epsilon: Tensor, beta: float = 1.0) -> Tensor:
    """log w [K, N] for this noise [K, N, latent], without a trick."""
    net = system.networks
    mean, log_var = (part.expand_as(epsilon) for part in net.encode(x))
    z = drawn(mean, log_var, epsilon)
    excess = (log_normal(z, mean, log_var) - log_normal(z, torch.zeros_like(z), torch.zeros_like(z))).sum(-1)
    each = [log_likelihood(net, net.decoder(codes), x, "bernoulli") for codes in z]
    return torch.stack(each) - beta * excess


@pytest.mark.parametrize("beta", [1.0, 0.5])
def test_the_loss_is_minus_the_importance_weighted_bound(beta: float) -> None:
    system, x = made(beta)
    torch.manual_seed(3)
    loss, terms = system.loss({"image": x})
    torch.manual_seed(3)
    epsilon = torch.randn(K, N, LATENT)
    torch.testing.assert_close(loss, log(K) - log_w(system, x, epsilon, beta).logsumexp(0).mean())
    torch.testing.assert_close(terms["bound"], log(K) - log_w(system, x, epsilon).detach().logsumexp(0).mean())
    torch.testing.assert_close(terms["distortion"] + terms["rate"], -log_w(system, x, epsilon).mean())
    assert terms["bound"] < terms["distortion"] + terms["rate"], "tighter than the bound of one draw"


def test_the_decoder_follows_the_bound_and_the_guide_follows_it_on_average() -> None:
    system, x = made()
    many = x.repeat(100, 1, 1, 1)
    net = system.networks
    decoder, guide = net.decoder.layers[-1].bias, net.posterior.bias  # type: ignore[union-attr, index]
    plain, ours = [], []
    for seed in range(60):
        torch.manual_seed(seed)
        a = torch.autograd.grad(system.loss({"image": many})[0], [decoder, guide])
        torch.manual_seed(seed)
        bound = log(K) - log_w(system, many, torch.randn(K, len(many), LATENT)).logsumexp(0).mean()
        b = torch.autograd.grad(bound, [decoder, guide])
        torch.testing.assert_close(a[0], b[0], rtol=1e-4, atol=1e-5)
        ours.append(a[1]), plain.append(b[1])
    ours, plain = torch.stack(ours), torch.stack(plain)
    error = (ours.var(0) + plain.var(0)).div(60).sqrt()
    assert ((ours.mean(0) - plain.mean(0)).abs() < 5 * error).all()
    assert plain.mean(0).abs().max() > 20 * error.max(), "a slope lost in noise tests nothing"


def test_one_code_is_drawn_before_its_share_of_the_run() -> None:
    system, x = VAE(Settings((1, 6, 5), LATENT, likelihood="bernoulli", draws=K, draws_from=0.5)), images(N, (1, 6, 5), "bernoulli")
    for share, one in ((0.0, True), (0.49, True), (0.5, False), (1.0, False)):
        system.enter(system.schedule(round(1_000 * share), 1_000))
        _, terms = system.loss({"image": x})
        apart = (terms["bound"] - terms["distortion"] - terms["rate"]).abs()
        assert (apart < 1e-4) == one, "of one code the bound is the sum of its parts, of several it is tighter"


def test_it_refuses_free_bits() -> None:
    with pytest.raises(BadInput, match="free_bits"):
        VAE(Settings((7,), draws=2, free_bits=0.1))


def test_answers_come_from_the_averaged_weights() -> None:
    system = VAE(Settings((7,), LATENT, average=100))
    before = system.sample(3, seed=0)
    with torch.no_grad():
        for weight in system.networks.parameters():
            weight.zero_()
    assert torch.equal(system.sample(3, seed=0), before)
    average = system.players()[0].average
    assert average is not None and average.twin is system.averaged and VAE(Settings((7,))).players()[0].average is None
