"""Importance sampling against a model whose log p(x) is known, and what has to hold whatever the model."""

from itertools import pairwise
from math import log

import pytest
import torch
from torch import Tensor, nn

from pushforward import metrics
from pushforward.core import UNLABELLED, BadInput
from pushforward.data import Dataset
from pushforward.systems.classification_vae import ClassificationVAE
from pushforward.systems.conditional_vae import ConditionalVAE
from pushforward.systems.vae import VAE

D, LATENT = 6, 2


class Itself(nn.Module):
    features = D

    def forward(self, x: Tensor) -> Tensor:
        return x


def linear_gaussian(slack: float = 0.0) -> tuple[VAE, Tensor]:
    """x = W z + b + sigma e with orthogonal columns in W, so that p(z|x) is a diagonal Gaussian, which the guide is but for `slack`.
    Also the covariance of x."""
    torch.manual_seed(0)
    scale, sigma = torch.tensor([1.5, 0.7]), torch.tensor(0.4)
    W = torch.linalg.qr(torch.randn(D, LATENT))[0] * scale
    b = torch.randn(D)
    system = VAE(VAE.Config((D,), latent=LATENT), Itself(), nn.Linear(LATENT, D))
    net = system.networks
    variance = sigma**2 / (scale**2 + sigma**2)
    gain = (W / (scale**2 + sigma**2)).T
    with torch.no_grad():
        net.decoder.weight.copy_(W)
        net.decoder.bias.copy_(b)
        net.likelihood.tenth_log_sigma.fill_(float(sigma.log()) / 10)
        net.posterior.weight.copy_(torch.cat([gain * (1 - slack / 10), torch.zeros(LATENT, D)]))
        net.posterior.bias.copy_(torch.cat([-(gain @ b), variance.log() + slack]))
    return system.eval().requires_grad_(False), W @ W.T + sigma**2 * torch.eye(D)


def rows(n: int, covariance: Tensor, b: Tensor) -> Dataset:
    torch.manual_seed(1)
    return Dataset("rows", row=torch.distributions.MultivariateNormal(b, covariance).sample((n,)))


def whole(system, data: Dataset, draws: int) -> metrics.Weights:
    found = None
    for block in metrics.weights(system, data, draws):
        found = block if found is None else found.joined(block)
    return found


def test_with_the_true_posterior_every_weight_is_p_of_x():
    system, covariance = linear_gaussian()
    data = rows(250, covariance, system.networks.decoder.bias.detach())
    truth = torch.distributions.MultivariateNormal(system.networks.decoder.bias, covariance).log_prob(data.row).double()
    found = whole(system, data, 1)
    assert torch.allclose(found.log_p[:, 0], truth, atol=1e-3)
    assert metrics.summary(found)["nll"] == pytest.approx(-float(truth.mean()), abs=1e-3)


def test_with_another_guide_the_estimate_reaches_log_p_and_rises_with_draws():
    system, covariance = linear_gaussian(slack=0.5)
    data = rows(2_000, covariance, system.networks.decoder.bias.detach())
    truth = torch.distributions.MultivariateNormal(system.networks.decoder.bias, covariance).log_prob(data.row).double()
    nll = [metrics.summary(whole(system, data, draws))["nll"] for draws in (1, 3, 10, 100)]
    assert all(more < fewer for fewer, more in pairwise(nll)) and nll[0] > nll[-1] + 0.05
    told = metrics.summary(whole(system, data.part(torch.arange(60)), 10_000))
    assert told["nll"] == pytest.approx(-float(truth[:60].mean()), abs=1e-3)
    assert told["bound"] == pytest.approx(told["distortion"] + told["rate"]) and told["bound"] > told["nll"] + 0.05


def test_the_bound_is_the_loss_that_trains():
    system, covariance = linear_gaussian(slack=0.5)
    data = rows(200, covariance, system.networks.decoder.bias)
    told = metrics.summary(whole(system, data, 2_000))
    trained = metrics.test_bound(system, data)
    assert told["rate"] == pytest.approx(trained["rate"], abs=0.02)
    assert told["distortion"] == pytest.approx(trained["distortion"], abs=0.2)


def test_one_example_has_no_standard_error():
    system, covariance = linear_gaussian(slack=0.5)
    told = metrics.summary(whole(system, rows(1, covariance, system.networks.decoder.bias), 5))
    assert "standard error" not in told and all(value == value for value in told.values())


def test_an_evaluation_in_parts_finds_the_same_numbers():
    system, covariance = linear_gaussian(slack=0.5)
    data = rows(230, covariance, system.networks.decoder.bias)
    parts = list(metrics.weights(system, data, 7))
    assert [len(part) for part in parts] == [100, 100, 30]
    again = list(metrics.weights(system, data, 7, done=100))
    assert torch.equal(again[0].log_p, parts[1].log_p) and torch.equal(again[1].rate, parts[2].rate)


def classifier() -> tuple[ClassificationVAE, Dataset]:
    torch.manual_seed(0)
    system = ClassificationVAE(ClassificationVAE.Config((1, 4, 4), 3, latent=2, net="mlp", width=8, code_sees_label=True))
    image = torch.randint(0, 256, (20, 1, 4, 4), dtype=torch.uint8)
    return system.eval(), Dataset("noise", image=image, label=torch.arange(20) % 3, classes=("a", "b", "c"))


def test_classes_are_summed_over_exactly():
    """The bound over classes and codes is what the system's own loss says; the NLL lies below it."""
    system, data = classifier()
    found, q = whole(system, data, 3_000), metrics.probabilities(system, data)
    told = metrics.summary(found, q, data.label)
    hidden = data.labelled(torch.full((20,), UNLABELLED))
    trained = metrics.test_bound(system, hidden, batch_size=20)
    assert told["bound"] == pytest.approx(trained["bound"], abs=0.3) and told["nll"] < told["bound"]
    assert told["accuracy of p(y|x)"] == pytest.approx(float((found.log_p.argmax(1) == data.label).double().mean()))
    by_hand = [log(sum(float(w.exp()) / 3 for w in row)) for row in found.log_p]
    assert told["nll"] == pytest.approx(-sum(by_hand) / 20)


def test_a_system_that_is_told_the_label_needs_it():
    system = ConditionalVAE(ConditionalVAE.Config((1, 4, 4), 3, latent=2, net="mlp", width=8)).eval()
    _, data = classifier()
    assert whole(system, data, 2).log_p.shape == (20, 1)
    with pytest.raises(BadInput, match="told the label of each example, but some of 'noise' are not known"):
        whole(system, data.labelled(torch.full((20,), UNLABELLED)), 2)


def test_refuses_no_draws_and_systems_without_likelihood():
    system, data = classifier()
    with pytest.raises(BadInput, match="draws is 0"):
        whole(system, data, 0)
    with pytest.raises(BadInput, match="Module gives no likelihood"):
        whole(nn.Module(), data, 1)
