"""The VAE's loss is the evidence lower bound, and the bound is one."""

import pytest
import torch
from torch import Tensor, nn
from torch import distributions as D

from pushforward.core import BadInput
from pushforward.systems.vae import VAE
from pushforward.systems.vae import Settings as Config
from tests.systems.reference import drawn, gaussian, images, log_likelihood, roughened

N, LATENT = 6, 3
KINDS = [("bernoulli", (1, 6, 5)), ("gaussian", (3, 4, 4)), ("gaussian", (7,)), ("bernoulli", (1, 17, 18))]


def at(system: VAE, share: float) -> VAE:
    """The system at a share of a run."""
    system.enter(system.schedule(round(1_000 * share), 1_000))
    return system


def made(kind: str, shape: tuple[int, ...], **settings: object) -> tuple[VAE, dict[str, Tensor]]:
    torch.manual_seed(0)
    system = VAE(Config(shape, LATENT, width=12, likelihood=kind, **settings))  # type: ignore[arg-type]
    return roughened(system), {system.key: images(N, shape, kind)}  # type: ignore[return-value]


def by_hand(system: VAE, x: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """-log p(x|z) [N] and KL(q(z|x) || N(0, I)) of each code [N, latent], for the noise of this seed."""
    torch.manual_seed(seed)
    epsilon, net, kind = torch.randn(len(x), LATENT), system.networks, system.config.likelihood
    mean, log_var = net.encode(x)
    nll = -log_likelihood(net, net.decoder(drawn(mean, log_var, epsilon)), x, kind)
    return nll, D.kl_divergence(D.Normal(mean, (log_var / 2).exp()), D.Normal(torch.zeros_like(mean), 1.0))


@pytest.mark.parametrize("kind, shape", KINDS)
def test_the_loss_is_the_negative_evidence_lower_bound(kind: str, shape: tuple[int, ...]) -> None:
    system, batch = made(kind, shape)
    at(system, 1.0)
    torch.manual_seed(5)
    loss, terms = system.loss(batch)  # type: ignore[arg-type]
    nll, kl = by_hand(system, batch[system.key], 5)
    torch.testing.assert_close(loss, (nll + kl.sum(1)).mean())
    torch.testing.assert_close(terms["distortion"], nll.mean())
    torch.testing.assert_close(terms["rate"], kl.sum(1).mean())
    torch.testing.assert_close(terms["bound"], loss)
    assert terms["active_codes"] == (kl.mean(0) > 0.01).float().mean()


def test_beta_rises_over_its_share_of_the_run() -> None:
    system, batch = made("gaussian", (7,), beta=4.0, warm_up=0.2)
    for share, beta in ((0.0, 0.0), (0.05, 1.0), (0.1, 2.0), (0.2, 4.0), (0.6, 4.0), (1.0, 4.0)):
        at(system, share)
        assert system.beta.item() == pytest.approx(beta)
        torch.manual_seed(1)
        loss, terms = system.loss(batch)  # type: ignore[arg-type]
        torch.testing.assert_close(loss, terms["distortion"] + beta * terms["rate"])
        torch.testing.assert_close(terms["bound"], terms["distortion"] + terms["rate"])
    assert at(made("gaussian", (7,), warm_up=0.0)[0], 0.0).beta.item() == 1.0
    short, long = (VAE(Config((7,))).schedule(total // 20, total).progress for total in (1_000, 60_000))
    assert short == long, "a share of the run, not a number of images"


@pytest.mark.parametrize("free", [0.01, 0.1, 50.0])
def test_free_bits(free: float) -> None:
    system, batch = made("gaussian", (7,), free_bits=free)
    at(system, 1.0)
    torch.manual_seed(2)
    loss, terms = system.loss(batch)  # type: ignore[arg-type]
    nll, kl = by_hand(system, batch["row"], 2)
    torch.testing.assert_close(loss, nll.mean() + torch.maximum(kl.mean(0), torch.tensor(free)).sum())
    torch.testing.assert_close(terms["rate"], kl.sum(1).mean())
    weight = system.networks.posterior.weight
    pull, alone = (torch.autograd.grad(part, weight, retain_graph=True)[0] for part in (loss, nll.mean()))
    below = kl.mean(0) < free
    assert torch.allclose(pull, alone, atol=1e-6) == bool(below.all()), "codes below their free bits feel no pull to the prior, others do"
    mean = slice(0, LATENT)
    assert torch.equal((pull[mean] - alone[mean]).abs().amax(1) < 1e-6, below)


class AsItIs(nn.Module):
    """An encoder whose features are x itself."""

    def __init__(self, d: int):
        super().__init__()
        self.features = d

    def forward(self, x: Tensor) -> Tensor:
        return x


class LinearGaussian:
    """x = W z + b + s e with z, e ~ N(0, I) and orthogonal columns of W, so that p(x) and p(z|x) are known and p(z|x) is diagonal."""

    d, k, s = 6, 2, 0.7

    def __init__(self) -> None:
        torch.manual_seed(3)
        self.W = torch.linalg.qr(torch.randn(self.d, self.k)).Q * torch.tensor([1.5, 0.6])
        self.b = torch.randn(self.d)
        self.evidence = D.MultivariateNormal(self.b, self.W @ self.W.T + self.s**2 * torch.eye(self.d))
        self.variance = 1 / (1 + self.W.square().sum(0) / self.s**2)  # of p(z|x)
        self.gain = self.variance[:, None] * self.W.T / self.s**2  # E[z|x] = gain (x - b)

    def vae(self) -> VAE:
        """The same model as a VAE, with its guide at the optimum."""
        decoder = nn.Linear(self.k, self.d)
        system = VAE(Config((self.d,), self.k, warm_up=0.0), AsItIs(self.d), decoder)
        with torch.no_grad():
            decoder.weight.copy_(self.W)
            decoder.bias.copy_(self.b)
            system.networks.likelihood.tenth_log_sigma.fill_(torch.tensor(self.s).log() / 10)
            system.networks.posterior.weight.copy_(torch.cat([self.gain, torch.zeros_like(self.gain)]))
            system.networks.posterior.bias.copy_(torch.cat([-self.gain @ self.b, self.variance.log()]))
        return system

    def bound(self, system: VAE, x: Tensor) -> tuple[float, float]:
        """Mean of the bound over x and many draws, and its standard error."""
        with torch.no_grad():
            found = torch.stack([-system.loss({"row": x.repeat(2_500, 1)})[0] for _ in range(20)])
        return found.mean().item(), found.std().item() / 20**0.5


def test_at_the_optimal_posterior_the_bound_is_the_log_evidence() -> None:
    model = LinearGaussian()
    x = model.evidence.sample((5,))
    bound, error = model.bound(model.vae(), x)
    assert error < 0.01
    assert bound == pytest.approx(model.evidence.log_prob(x).mean().item(), abs=5 * error)


@pytest.mark.parametrize("shift, spread", [(0.3, 0.0), (0.0, 0.8), (-0.5, -0.6)])
def test_elsewhere_it_lies_below_by_the_distance_to_the_posterior(shift: float, spread: float) -> None:
    model = LinearGaussian()
    x, system = model.evidence.sample((5,)), model.vae()
    with torch.no_grad():
        system.networks.posterior.bias += torch.tensor([shift] * model.k + [spread] * model.k)
        mean, log_var = system.networks.encode(x)
    posterior = D.Independent(D.Normal((x - model.b) @ model.gain.T, model.variance.sqrt()), 1)
    gap = D.kl_divergence(gaussian(mean, log_var), posterior).mean().item()
    evidence = model.evidence.log_prob(x).mean().item()
    bound, error = model.bound(system, x)
    assert gap > 10 * error and bound < evidence
    assert bound == pytest.approx(evidence - gap, abs=5 * error)


def test_samples_of_a_known_model_have_its_mean() -> None:
    model = LinearGaussian()
    made = model.vae().sample(50_000, seed=0)
    torch.testing.assert_close(made.mean(0), model.b, atol=0.05, rtol=0)
    torch.testing.assert_close(torch.cov(made.T), model.W @ model.W.T, atol=0.05, rtol=0)  # means of p(x|z), without its noise


def test_what_it_refuses() -> None:
    grey = VAE(Config((1, 4, 4), likelihood="bernoulli"))
    with pytest.raises(BadInput, match="Bernoulli"):
        grey.accept({"image": torch.rand(2, 1, 4, 4)})
    with pytest.raises(BadInput, match="without labels"):
        grey.sample(2, label=1)


def test_images_that_are_given_to_it_are_encoded_by_their_mean_alone() -> None:
    system, batch = made("gaussian", (3, 4, 4))
    codes = system.encode(batch["image"])
    assert torch.equal(codes, system.encode(batch["image"])) and codes.shape == (N, LATENT)
    torch.testing.assert_close(codes, system.networks.encode(batch["image"])[0].detach())
