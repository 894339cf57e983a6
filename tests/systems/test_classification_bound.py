"""The classification VAE's losses, written out a second time from the formulas (Kingma et al. 2014; the lecture)."""

from collections.abc import Iterator
from math import log

import pytest
import torch
from torch import Tensor
from torch import distributions as D

from pushforward.core import UNLABELLED
from pushforward.systems.classification_vae import ClassificationVAE
from pushforward.systems.classification_vae import Settings as Config
from tests.systems.reference import drawn, gaussian, images, log_likelihood, roughened

N, K, LATENT, SEED = 7, 4, 3, 11
ALL, NONE = list(range(N)), []
MIXED = [0, 3, 4]
VARIANTS = [
    ("gaussian", (2, 5, 4), False),
    ("gaussian", (2, 5, 4), True),
    ("bernoulli", (1, 18, 17), False),
    ("bernoulli", (1, 18, 17), True),
]
each_variant = pytest.mark.parametrize("kind, shape, code_sees_label", VARIANTS)
each_labelling = pytest.mark.parametrize("labelled", [ALL, NONE, MIXED], ids=["supervised", "unsupervised", "semi-supervised"])


def made(
    kind: str = "gaussian", shape: tuple[int, ...] = (2, 5, 4), code_sees_label: bool = False, **settings: object
) -> ClassificationVAE:
    """A system far from its beginning, at the end of its run, whose readings of the class are neither sure nor even."""
    torch.manual_seed(0)
    config = Config(shape, K, latent=LATENT, width=12, likelihood=kind, code_sees_label=code_sees_label, **settings)  # type: ignore[arg-type]
    system = roughened(ClassificationVAE(config)).eval()
    with torch.no_grad():
        system.networks.classifier.weight.mul_(4)
        system.networks.decoder.load_state_dict({key: 2 * value for key, value in system.networks.decoder.state_dict().items()})
    system.enter(system.schedule(100, 100))
    return system  # type: ignore[return-value]


def batch_of(system: ClassificationVAE, labelled: list[int], n: int = N) -> dict[str, Tensor]:
    label = torch.full((n,), UNLABELLED)
    label[labelled] = (torch.arange(n) * 3 % K)[labelled]
    return {"image": images(n, system.config.shape, system.config.likelihood), "label": label}


def loss_of(system: ClassificationVAE, batch: dict[str, Tensor], seed: int = SEED) -> tuple[Tensor, dict[str, Tensor]]:
    torch.manual_seed(seed)
    return system.loss(batch)  # type: ignore[arg-type]


class ByHand:
    """The bounds of each image, from the networks' outputs and torch.distributions.

    The noise of z is that of the seed: one draw for each image where z is not told the class, else one for each class that is summed over.
    """

    def __init__(self, system: ClassificationVAE, batch: dict[str, Tensor], seed: int = SEED):
        self.system, self.net, self.x, self.y = system, system.networks, batch["image"], batch["label"]
        self.logits, self.spread = self.net.heads(self.x)
        self.q = D.Categorical(logits=self.logits)
        torch.manual_seed(seed)
        known = int((self.y != UNLABELLED).sum())
        draws = known + K * (len(self.y) - known) if self.net.sees_label else len(self.y)
        self.noise: Iterator[Tensor] = iter(torch.randn(draws, LATENT))

    def L(self, i: int, y: Tensor, epsilon: Tensor, beta: float = 1.0) -> Tensor:
        """E_q[-log p(x|y,z)] + beta KL(q(z|x,y) || p(z)) - log p(y), for image i and a class as a row [K], hard or soft."""
        spread = self.spread[i : i + 1]
        mean, log_var = self.net.posterior(torch.cat([spread, y[None]], 1) if self.net.sees_label else spread).chunk(2, 1)
        output = self.net.decoder(torch.cat([drawn(mean, log_var, epsilon), y[None]], 1))
        rate = D.kl_divergence(gaussian(mean, log_var), gaussian(torch.zeros_like(mean), torch.zeros_like(mean)))
        nll = -log_likelihood(self.net, output, self.x[i : i + 1], self.system.config.likelihood)
        return (nll + beta * rate).squeeze() + log(K)

    def each(self, beta: float = 1.0) -> Tensor:
        """L(x, y) where the label is known, U(x) = sum_y q(y|x) L(x, y) - H[q(y|x)] where it is not: [N]."""
        found = []
        for i, y in enumerate(self.y.tolist()):
            once = None if self.net.sees_label else next(self.noise)
            epsilons = [next(self.noise) if once is None else once for _ in range(1 if y >= 0 else K)]
            if y >= 0:
                found.append(self.L(i, torch.eye(K)[y], epsilons[0], beta))
            else:
                bounds = torch.stack([self.L(i, row, e, beta) for row, e in zip(torch.eye(K), epsilons, strict=True)])
                found.append((self.q.probs[i] * bounds).sum() - self.q.entropy()[i])
        return torch.stack(found)

    def label_losses(self) -> Tensor:
        """-log q(y|x) of the labelled images."""
        known = self.y != UNLABELLED
        return -D.Categorical(logits=self.logits[known]).log_prob(self.y[known]) if known.any() else self.logits.new_zeros(0)


@each_variant
def test_with_all_labels_it_is_the_supervised_bound(kind: str, shape: tuple[int, ...], code_sees_label: bool) -> None:
    """1/n sum (L(x, y) + alpha (-log q(y|x)))."""
    system = made(kind, shape, code_sees_label, label_weight=7.0)
    batch = batch_of(system, ALL)
    loss, terms = loss_of(system, batch)
    hand = ByHand(system, batch)
    torch.testing.assert_close(loss, hand.each().mean() + 7 * hand.label_losses().mean())
    torch.testing.assert_close(terms["label_loss"], 7 * hand.label_losses().mean())


@each_variant
def test_without_labels_it_is_the_unsupervised_bound(kind: str, shape: tuple[int, ...], code_sees_label: bool) -> None:
    """1/n sum (sum_y q(y|x) L(x, y) - H[q(y|x)]), and the label loss is nothing at all."""
    system = made(kind, shape, code_sees_label)
    batch = batch_of(system, NONE)
    loss, terms = loss_of(system, batch)
    torch.testing.assert_close(loss, ByHand(system, batch).each().mean())
    assert terms["label_loss"] == 0 and terms["right"].tolist() == [0, 0]


@each_variant
def test_with_some_labels_it_is_the_weighted_mean_of_both(kind: str, shape: tuple[int, ...], code_sees_label: bool) -> None:
    """n J = n_labelled (mean L + alpha mean -log q) + n_unlabelled mean U."""
    system = made(kind, shape, code_sees_label, label_weight=7.0)
    batch = batch_of(system, MIXED)
    loss, _ = loss_of(system, batch)
    hand, known = ByHand(system, batch), batch["label"] != UNLABELLED
    each = hand.each()
    supervised = each[known].mean() + 7 * hand.label_losses().mean()
    unsupervised = each[~known].mean()
    torch.testing.assert_close(loss, (len(MIXED) * supervised + (N - len(MIXED)) * unsupervised) / N)


@pytest.mark.parametrize("code_sees_label", [False, True], ids=["q(z|x)", "q(z|x,y)"])
def test_the_exact_sum_over_y_is_what_draws_of_y_come_to(code_sees_label: bool) -> None:
    """U(x) = E_y~q(y|x)[L(x, y) + log q(y|x)], by Monte Carlo: within five standard errors."""
    system, draws = made(code_sees_label=code_sees_label, warm_up=0.5), 20_000
    system.enter(system.schedule(1, 4))  # the rate weighs half
    batch = batch_of(system, NONE, n=3)
    exact, _ = loss_of(system, batch)
    net = system.networks
    with torch.no_grad():
        hand = ByHand(system, batch)
        epsilon = torch.stack(list(hand.noise)).view(3, -1, LATENT).expand(3, K, LATENT)
        i = torch.arange(3).repeat_interleave(draws)
        torch.manual_seed(2)
        y = hand.q.sample((draws,)).T.reshape(-1)
        told = torch.eye(K)[y]
        mean, log_var = net.posterior(torch.cat([hand.spread[i], told], 1) if code_sees_label else hand.spread[i]).chunk(2, 1)
        output = net.decoder(torch.cat([drawn(mean, log_var, epsilon[i, y]), told], 1))
        rate = D.kl_divergence(gaussian(mean, log_var), gaussian(torch.zeros_like(mean), torch.zeros_like(mean)))
        each = -log_likelihood(net, output, batch["image"][i], "gaussian") + rate / 2 + log(K) + hand.logits.log_softmax(1)[i, y]
    error = (each.view(3, draws).var(1) / draws).sum().sqrt().item() / 3
    spread = each.view(3, draws).std(1)
    assert (spread > 1).all(), "the classes must differ for this to test anything"
    assert each.mean().item() == pytest.approx(exact.item(), abs=5 * error)


@each_labelling
@pytest.mark.parametrize("code_sees_label", [False, True], ids=["q(z|x)", "q(z|x,y)"])
def test_the_lecture_s_loss(labelled: list[int], code_sees_label: bool) -> None:
    """1/n sum (-log p(x|y~,z) + KL) + 1/n sum_labelled ||y - y^||^2, with y~ = y where it is known and the soft y^ elsewhere."""
    system = made(code_sees_label=code_sees_label, form="lecture")
    batch = batch_of(system, labelled)
    loss, terms = loss_of(system, batch)
    hand = ByHand(system, batch)
    torch.manual_seed(SEED)
    epsilon = torch.randn(N, LATENT)
    total = torch.zeros(())
    for i, y in enumerate(batch["label"].tolist()):
        read = hand.logits[i].softmax(0)
        total = total + hand.L(i, read if y == UNLABELLED else torch.eye(K)[y], epsilon[i]) - log(K)
        if y != UNLABELLED:
            total = total + (torch.eye(K)[y] - read).square().sum()
    torch.testing.assert_close(loss, total / N)
    torch.testing.assert_close(terms["bound"] + terms["label_loss"], loss)


@each_labelling
def test_the_term_called_bound_is_the_bound(labelled: list[int]) -> None:
    system = made()
    batch = batch_of(system, labelled)
    torch.testing.assert_close(loss_of(system, batch)[1]["bound"], ByHand(system, batch).each().mean())


@each_labelling
def test_the_rate_is_weighed_by_a_share_of_the_run(labelled: list[int]) -> None:
    system = made(warm_up=0.2, label_weight=0.0)
    batch = batch_of(system, labelled)
    for seen, beta in ((0, 0.0), (10, 0.5), (20, 1.0), (70, 1.0)):
        system.enter(system.schedule(seen, 100))
        assert system.beta == beta
        torch.testing.assert_close(loss_of(system, batch)[0], ByHand(system, batch).each(beta).mean())
    assert made(warm_up=0.0).beta == 1.0


def test_weights_of_the_bound_and_the_part_it_is_taken_on() -> None:
    system = made(bound_weight=0.25, bound_every=3, label_weight=2.0)
    batch = batch_of(system, MIXED)
    loss, _ = loss_of(system, batch)
    part = ByHand(system, {key: value[::3] for key, value in batch.items()}).each().mean()
    labels = ByHand(system, batch).label_losses().sum() / N
    torch.testing.assert_close(loss, part / 4 + 2 * labels)


@pytest.mark.parametrize("code_sees_label", [False, True], ids=["q(z|x)", "q(z|x,y)"])
def test_until_it_is_settled_the_bound_does_not_move_the_classes(code_sees_label: bool) -> None:
    system = made(code_sees_label=code_sees_label, settle=0.5)
    head = system.networks.classifier.weight
    for seen, moves in ((49, False), (50, True)):
        system.enter(system.schedule(seen, 100))
        for labelled in (NONE, MIXED):
            bound, _ = system.bound(*batch_of(system, labelled).values(), *system.networks.heads(batch_of(system, labelled)["image"]))
            slope = torch.autograd.grad(bound, head, allow_unused=True)[0]
            assert (slope is not None and bool(slope.any())) == moves


def test_labels_alone_move_the_classes_where_all_are_known() -> None:
    """In the bound of a labelled image q(y|x) does not occur: the reason for alpha (Kingma et al. 2014, section 3.1.2)."""
    system = made(label_weight=0.0)
    loss, _ = loss_of(system, batch_of(system, ALL))
    slope = torch.autograd.grad(loss, system.networks.classifier.weight, allow_unused=True)[0]
    assert slope is None or not slope.any()


def test_a_class_is_told_by_how_well_it_explains() -> None:
    """The slope of U by q(y|x) vanishes at softmax(-L): there U is -log sum_y exp(-L), the bound with y summed out."""
    system = made()
    batch = batch_of(system, NONE, n=1)
    hand = ByHand(system, batch)
    epsilon = next(hand.noise)
    bounds = torch.stack([hand.L(0, row, epsilon) for row in torch.eye(K)]).detach()
    logits = (-bounds).requires_grad_()
    torch.manual_seed(SEED)
    found, _ = system.bound(batch["image"], batch["label"], logits[None], hand.spread)
    torch.testing.assert_close(found, -torch.logsumexp(-bounds, 0))
    assert torch.autograd.grad(found, logits)[0].abs().max() < 1e-4


def test_a_very_sure_reading_does_no_harm() -> None:
    system = made()
    with torch.no_grad():
        system.networks.classifier.bias += torch.tensor([0.0, 0.0, 0.0, 300.0])
    loss, _ = loss_of(system, batch_of(system, NONE))
    assert torch.isfinite(loss)
    assert all(torch.isfinite(slope).all() for slope in torch.autograd.grad(loss, system.networks.parameters()) if slope is not None)


def test_the_decoder_s_use_of_the_label_is_told() -> None:
    system = made()
    batch = batch_of(system, ALL)
    assert loss_of(system, batch)[1]["label_use"] != 0
    first = next(part for part in system.networks.decoder.modules() if isinstance(part, torch.nn.Linear))
    with torch.no_grad():
        first.weight[:, LATENT:] = 0  # deaf to the class
    assert loss_of(system, batch)[1]["label_use"].abs() < 1e-4
