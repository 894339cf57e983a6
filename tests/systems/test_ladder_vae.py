"""The ladder's loss is the evidence lower bound of a hierarchical model, written here with torch.distributions."""

from math import prod

import pytest
import torch
from torch import Tensor
from torch import distributions as D

from pushforward.core import BadInput
from pushforward.systems.ladder_vae import Group, LadderVAE, Settings
from tests.systems.reference import gaussian, images, log_likelihood, roughened

N, TOP, MAPS = 5, 3, 2
KINDS = [("bernoulli", (1, 8, 8)), ("gaussian", (3, 13, 10)), ("bernoulli", (1, 17, 18))]


def made(kind: str = "bernoulli", shape: tuple[int, ...] = (1, 9, 8), **settings: object) -> tuple[LadderVAE, Tensor]:
    """A ladder at the end of its run, and images for it."""
    torch.manual_seed(0)
    usual = {"width": 8, "top": TOP, "maps": MAPS, "average": 0, "likelihood": kind}
    system = LadderVAE(Settings(shape, **(usual | settings)))  # type: ignore[arg-type]
    system.enter(system.schedule(1_000, 1_000))
    return roughened(system), images(N, shape, kind)  # type: ignore[return-value]


def by_hand(system: LadderVAE, x: Tensor, seed: int) -> tuple[Tensor, list[Tensor], list[Tensor], list[Tensor]]:
    """The output, and of each group log q(z), log p(z) and KL(q || p) [N], all in the units of z and not of u."""
    torch.manual_seed(seed)
    net, features = system.networks, system.networks.up(x)
    mean, log_var = system.networks.posterior(torch.nn.functional.silu(features[0]).flatten(1)).chunk(2, 1)
    q, p = gaussian(mean, log_var), gaussian(torch.zeros_like(mean), torch.zeros_like(mean))
    z = mean + (log_var / 2).exp() * torch.randn_like(mean)
    log_q, log_p, kl = [q.log_prob(z)], [p.log_prob(z)], [D.kl_divergence(q, p)]

    def choose(group: Group, h: Tensor, size: int) -> Tensor:
        m, log_s2, _ = group.model(h).split(group.parts, 1)
        s = (log_s2 / 2).exp()
        mu, log_sigma2 = group.guide(group.meet(torch.cat([h, features[size]], 1))).chunk(2, 1)
        q = D.Independent(D.Normal(m + s * mu, s * (log_sigma2 / 2).exp()), 3)
        p = D.Independent(D.Normal(m, s), 3)
        z = q.mean + q.stddev * torch.randn_like(mu)
        log_q.append(q.log_prob(z)), log_p.append(p.log_prob(z)), kl.append(D.kl_divergence(q, p))
        return (z - m) / s

    return net.down(z, choose), log_q, log_p, kl


@pytest.mark.parametrize("kind, shape", KINDS)
def test_the_loss_is_the_negative_evidence_lower_bound(kind: str, shape: tuple[int, ...]) -> None:
    system, x = made(kind, shape)
    torch.manual_seed(5)
    loss, terms = system.loss({"image": x})
    output, _, _, kl = by_hand(system, x, 5)
    distortion = -log_likelihood(system.networks, output, x, kind).mean()
    torch.testing.assert_close(terms["distortion"], distortion)
    for place, each in enumerate(kl, 1):
        assert each.mean() > 1e-3, "a code that says nothing tests nothing"
        torch.testing.assert_close(terms[f"rate_{place}"], each.mean())
    torch.testing.assert_close(terms["rate"], sum(each.mean() for each in kl))
    torch.testing.assert_close(loss, distortion + terms["rate"])
    torch.testing.assert_close(terms["bound"], loss)


@pytest.mark.parametrize("kind, shape", KINDS)
def test_weights_are_those_of_the_hierarchy(kind: str, shape: tuple[int, ...]) -> None:
    """log q - log p does not depend on the units, and the output is that of the codes that were drawn."""
    system, x = made(kind, shape)
    torch.manual_seed(7)
    log_p_x, excess = system.log_weights({"image": x}, 1)
    output, log_q, log_p, _ = by_hand(system, x, 7)
    torch.testing.assert_close(log_p_x[0], log_likelihood(system.networks, output, x, kind), rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(excess[0], sum(log_q) - sum(log_p), rtol=1e-4, atol=1e-3)


def test_the_mean_of_log_w_is_minus_the_bound() -> None:
    system, x = made()
    torch.manual_seed(1)
    with torch.no_grad():
        bounds = torch.stack([system.loss({"image": x.repeat(200, 1, 1, 1)})[0] for _ in range(10)])
        log_p, excess = system.log_weights({"image": x}, 2_000)
    assert log_p.shape == excess.shape == (2_000, N)
    error = (bounds.std() / 10**0.5 + (log_p - excess).mean(1).std() / 2_000**0.5).item()
    assert (log_p - excess).mean().item() == pytest.approx(-bounds.mean().item(), abs=5 * error)
    tighter = (torch.logsumexp(log_p - excess, 0) - torch.tensor(2_000.0).log()).mean()
    assert tighter > -bounds.mean(), "more draws, a tighter bound"


def test_with_one_code_it_is_a_vae() -> None:
    """Its bound is the closed form of Kingma & Welling 2014, appendix B, and all its codes are z_1."""
    system, x = made(groups=0)
    torch.manual_seed(2)
    loss, terms = system.loss({"image": x})
    torch.manual_seed(2)
    mean, log_var = system.networks.posterior(torch.nn.functional.silu(system.networks.up(x)[0]).flatten(1)).chunk(2, 1)
    z = mean + (log_var / 2).exp() * torch.randn_like(mean)
    rate = -(1 + log_var - mean.square() - log_var.exp()).sum(1).mean() / 2
    shown = (system.decode(z) + 1) / 2
    distortion = -D.Bernoulli(probs=shown).log_prob((x + 1) / 2).flatten(1).sum(1).mean()
    torch.testing.assert_close(loss, distortion + rate)
    assert set(terms) == {"bound", "distortion", "rate", "rate_1"}
    torch.testing.assert_close(system.encode(x), mean.detach())


def test_a_guide_with_nothing_to_add_costs_nothing() -> None:
    torch.manual_seed(0)
    fresh = LadderVAE(Settings((1, 8, 8), width=8, average=0))
    _, terms = fresh.loss({"image": images(N, (1, 8, 8), "gaussian")})
    assert [terms[f"rate_{place}"].item() for place in (2, 3)] == [0.0, 0.0]


@pytest.mark.parametrize("kind, shape", KINDS)
def test_codes_are_one_row_an_image(kind: str, shape: tuple[int, ...]) -> None:
    system, x = made(kind, shape)
    codes = system.encode(x)
    assert codes.shape == (N, sum(map(prod, system.networks.shapes)))
    back = system.decode(codes)
    assert back.shape == x.shape
    output, _, _ = system.networks.guided(x, lambda mean, log_var: mean)
    torch.testing.assert_close(back, system.networks.likelihood.mean(output))


def test_samples_are_decoded_noise() -> None:
    system, _ = made()
    codes = torch.randn(4, sum(map(prod, system.networks.shapes)), generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(system.sample(4, seed=3), system.decode(codes))


def test_answers_come_from_the_averaged_weights() -> None:
    system, x = made(average=100)
    with torch.no_grad():
        for weight in system.networks.parameters():
            weight.zero_()
    assert not torch.equal(system.encode(x), torch.zeros_like(system.encode(x)))
    assert system.players()[0].average is not None and made()[0].players()[0].average is None


def test_the_weight_of_the_rates_rises() -> None:
    system, x = made(warm_up=0.5, beta=2.0)
    for share, beta in ((0.0, 0.0), (0.25, 1.0), (0.5, 2.0), (1.0, 2.0)):
        system.enter(system.schedule(round(1_000 * share), 1_000))
        torch.manual_seed(1)
        loss, terms = system.loss({"image": x})
        torch.testing.assert_close(loss, terms["distortion"] + beta * terms["rate"])


def test_free_bits_lift_the_rates_of_whole_codes() -> None:
    system, x = made(free_bits=0.0)
    torch.manual_seed(1)
    _, terms = system.loss({"image": x})
    rates = torch.stack([terms[f"rate_{place}"] for place in (1, 2, 3)])
    free = rates.median().item() + 1e-3
    system, x = made(free_bits=free)
    torch.manual_seed(1)
    loss, again = system.loss({"image": x})
    torch.testing.assert_close(loss, terms["distortion"] + rates.clamp(min=free).sum())
    torch.testing.assert_close(again["rate"], terms["rate"])


def test_what_it_refuses() -> None:
    with pytest.raises(BadInput, match="maps of images"):
        LadderVAE(Settings((7,)))
    with pytest.raises(BadInput, match="Bernoulli"):
        made()[0].accept({"image": torch.rand(2, 1, 9, 8)})
    with pytest.raises(BadInput, match="without labels"):
        made()[0].sample(2, label=1)
