"""The conditional VAE is told a label, or shown a part of the image, and makes use of it."""

import pytest
import torch
from torch import Tensor
from torch import distributions as D

from pushforward.core import UNLABELLED, BadInput
from pushforward.data import Dataset, Shuffled
from pushforward.systems.conditional_vae import ConditionalVAE
from pushforward.systems.conditional_vae import Settings as Config
from pushforward.training import Trainer
from tests.systems.reference import digits, drawn, images, likelihood, log_likelihood, roughened

N, LATENT, CLASSES = 6, 3, 4
SHAPES = [("bernoulli", (1, 6, 5)), ("gaussian", (3, 18, 17)), ("gaussian", (7,))]


def told(kind: str, shape: tuple[int, ...], warm_up: float = 0.0) -> tuple[ConditionalVAE, dict[str, Tensor]]:
    """A system that is told labels, at the end of its run, and a batch."""
    torch.manual_seed(0)
    config = Config(shape, CLASSES, latent=LATENT, width=12, likelihood=kind, warm_up=warm_up)  # type: ignore[arg-type]
    system = roughened(ConditionalVAE(config))
    system.enter(system.schedule(10, 10))
    return system, {system.key: images(N, shape, kind), "label": torch.arange(N) % CLASSES}  # type: ignore[return-value]


def shown(kind: str, shape: tuple[int, ...], observe: int = 1) -> tuple[ConditionalVAE, dict[str, Tensor]]:
    """A system that is shown quadrants, at the end of its run, and a batch as data give it."""
    torch.manual_seed(0)
    system = roughened(ConditionalVAE(Config(shape, 0, "image", LATENT, width=12, likelihood=kind)))  # type: ignore[arg-type]
    system.enter(system.schedule(10, 10))
    image = torch.randint(0, 256, (N, *shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    data = Dataset("made", image=image, binarise="threshold" if kind == "bernoulli" else "no", observe=observe)
    return system, data.batch(torch.arange(N))  # type: ignore[return-value]


@pytest.mark.parametrize("kind, shape", SHAPES)
def test_with_a_label_the_loss_is_the_bound_of_p_x_given_y(kind: str, shape: tuple[int, ...]) -> None:
    system, batch = told(kind, shape)
    net, x = system.networks, batch[system.key]
    y = torch.eye(CLASSES)[batch["label"]]
    torch.manual_seed(4)
    loss, terms = system.loss(batch)  # type: ignore[arg-type]
    torch.manual_seed(4)
    epsilon = torch.randn(N, LATENT)
    mean, log_var = net.posterior(torch.cat([net.features(x), y], 1)).chunk(2, 1)
    nll = -log_likelihood(net, net.decoder(torch.cat([drawn(mean, log_var, epsilon), y], 1)), x, kind)
    kl = D.kl_divergence(D.Normal(mean, (log_var / 2).exp()), D.Normal(torch.zeros_like(mean), 1.0)).sum(1)
    torch.testing.assert_close(loss, (nll + kl).mean())
    torch.testing.assert_close(terms["distortion"], nll.mean())
    torch.testing.assert_close(terms["rate"], kl.mean())
    torch.testing.assert_close(terms["bound"], loss)


@pytest.mark.parametrize("kind, shape", SHAPES[:2])
@pytest.mark.parametrize("observe", [1, 2, 3])
def test_with_an_image_the_loss_is_the_bound_of_its_hidden_pixels(kind: str, shape: tuple[int, ...], observe: int) -> None:
    system, batch = shown(kind, shape, observe)
    net, x, mask = system.networks, batch["image"], batch["mask"]
    outputs: list[Tensor] = []
    net.decoder.register_forward_hook(lambda _, __, output: outputs.append(output) or output.retain_grad())
    torch.manual_seed(4)
    loss, terms = system.loss(batch)  # type: ignore[arg-type]
    loss.backward()
    visible = (mask == 0).expand_as(x)
    assert visible.any() and not outputs[0].grad[visible].any(), "a visible pixel pulls at the decoder"
    assert outputs[0].grad[~visible].all()

    torch.manual_seed(4)
    epsilon = torch.randn(N, LATENT)
    seen = torch.cat([batch["source"], mask], 1)
    c = net.reader(seen)
    mean, log_var = net.posterior(torch.cat([net.features(torch.cat([x, seen], 1)), c], 1)).chunk(2, 1)
    prior_mean, prior_log_var = net.prior(c).chunk(2, 1)
    p = likelihood(net, net.decoder(torch.cat([drawn(mean, log_var, epsilon), c], 1)), kind)
    each = p.log_prob((x + 1) / 2 if kind == "bernoulli" else x)
    nll = -torch.stack([each[i][~visible[i]].sum() for i in range(N)])
    kl = D.kl_divergence(D.Normal(mean, (log_var / 2).exp()), D.Normal(prior_mean, (prior_log_var / 2).exp())).sum(1)
    torch.testing.assert_close(loss, (nll + kl).mean())
    torch.testing.assert_close(terms["rate"], kl.mean())


def test_told_a_class_every_pixel_counts_whatever_the_data_hide() -> None:
    system, batch = told("gaussian", (3, 18, 17))
    hiding = batch | {"mask": torch.zeros(N, 1, 18, 17)}
    for one in (lambda b: system.loss(b)[0], lambda b: system.log_weights(b, 2)[0]):
        torch.manual_seed(0)
        whole = one(batch)
        torch.manual_seed(0)
        assert torch.equal(one(hiding), whole)


def test_the_source_is_the_image_where_it_is_seen() -> None:
    _, batch = shown("gaussian", (3, 18, 17))
    assert torch.equal(batch["source"], batch["image"] * (1 - batch["mask"]))


@pytest.mark.parametrize("kind, shape", SHAPES[:2])
def test_what_is_seen_stays_to_the_bit(kind: str, shape: tuple[int, ...]) -> None:
    system, batch = shown(kind, shape, 2)
    system.eval()
    seen = (batch["mask"] == 0).expand_as(batch["image"])
    likeliest, one, other = (system.edit(batch, seed) for seed in (None, 0, 1))  # type: ignore[arg-type]
    for made in (likeliest, one, other):
        assert torch.equal(made[seen], batch["image"][seen])
        assert made.abs().max() <= 1
    assert not torch.equal(one[~seen], other[~seen]) and not torch.equal(likeliest[~seen], one[~seen])
    unseen = {key: value for key, value in batch.items() if key != "image"}
    assert torch.equal(system.edit(unseen, 0), one), "a completion must not read what is hidden"  # type: ignore[arg-type]


def test_the_rate_is_weighed_by_a_share_of_the_run() -> None:
    system, batch = told("gaussian", (7,), warm_up=0.1)
    for seen, beta in ((0, 0.0), (50, 0.5), (100, 1.0), (1_000, 1.0)):
        system.enter(system.schedule(seen, 1_000))
        loss, terms = system.loss(batch)  # type: ignore[arg-type]
        torch.testing.assert_close(loss, terms["distortion"] + beta * terms["rate"])


def test_every_network_reads_the_label() -> None:
    system, batch = told("gaussian", (3, 18, 17))
    system.eval()
    x = batch["image"]
    assert not torch.equal(system.encode(x, 0), system.encode(x, 1))
    code = system.encode(x, batch["label"])
    assert torch.equal(code, system.encode(x, batch["label"]))
    assert not torch.equal(system.decode(code, 0), system.decode(code, 1))
    torch.testing.assert_close(system.decode(code)[1], system.decode(code, 1)[1])
    with pytest.raises(BadInput, match="label"):
        system.encode(x)


def test_digits_of_a_class_look_like_it() -> None:
    """After a short training, samples asked of a class lie nearest to the mean image of that class."""
    train, _ = digits()
    torch.manual_seed(0)
    system = ConditionalVAE(Config((1, 8, 8), 10, latent=4, width=128, warm_up=0.3, rate=5e-3))
    trainer = Trainer(system, Shuffled(train), 128 * 250, device="cpu")
    for _ in trainer.rounds():
        pass
    y = torch.arange(10).repeat_interleave(8)
    made = system.eval().sample(len(y), label=y, seed=0)
    x = train.batch(torch.arange(len(train)))["image"]
    means = torch.stack([x[train.label == k].mean(0) for k in range(10)])
    nearest = torch.cdist(made.flatten(1), means.flatten(1)).argmin(1)
    assert (nearest == y).float().mean() > 0.8
    assert trainer.report()["vae/label_use"] > 1


def test_a_digit_is_completed_better_than_by_the_mean_image() -> None:
    train, test = digits(observe=2)
    torch.manual_seed(0)
    system = ConditionalVAE(Config((1, 8, 8), 0, "image", 4, width=128, rate=5e-3))
    for _ in Trainer(system, Shuffled(train), 128 * 250, device="cpu").rounds():
        pass
    batch = test.batch(torch.arange(300))
    mean = train.batch(torch.arange(len(train)))["image"].mean(0)
    hidden = batch["mask"].bool()
    ours, theirs = ((made - batch["image"])[hidden].square().mean() for made in (system.eval().edit(batch), mean))
    assert ours < 0.7 * theirs


def test_what_it_refuses() -> None:
    with pytest.raises(BadInput, match="needs labels"):
        ConditionalVAE(Config((1, 4, 4)))
    system, batch = told("gaussian", (7,))
    system.accept(batch)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="hidden"):
        system.accept(batch | {"label": torch.full((N,), UNLABELLED)})  # type: ignore[arg-type]
    with pytest.raises(BadInput, match=r"0\.\.3"):
        system.accept(batch | {"label": torch.full((N,), CLASSES)})  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="completes nothing"):
        system.edit(batch)  # type: ignore[arg-type]
    completing, _ = shown("gaussian", (1, 6, 5))
    assert completing.labels == 0
    for ask in (
        lambda: completing.sample(2),
        lambda: completing.encode(torch.zeros(2, 1, 6, 5)),
        lambda: completing.decode(torch.zeros(2, 3)),
    ):
        with pytest.raises(BadInput, match="edit"):
            ask()


def test_a_wrong_number_of_labels_is_refused_in_a_sentence() -> None:
    with pytest.raises(BadInput, match="3 labels"):
        told("gaussian", (7,))[0].sample(5, label=torch.tensor([0, 1, 2]))
