"""Conditional variational auto-encoder (Sohn, Lee & Yan 2015, "Learning structured output representation using deep conditional generative
models"; with a class label as condition: Kingma et al. 2014, model M2 with every label known).

    label   z ~ N(0, I),                     x ~ p(x|z,y),      guide q(z|x,y)
    image   z ~ N(mu(s), diag sigma^2(s)),   x ~ p(x|z,s),      guide q(z|x,s)          s: the part of x that is seen
    minimised   E_q[-log p(x|z,c)]  +  KL(q(z|x,c) || p(z|c)),      c = y or s

Sums over pixels (with s: over the hidden ones) and over codes, mean over the batch, in nats: an upper bound of -log p(x|c).

Shapes: x [N, C, H, W] in [-1, 1], or rows [N, D]; y [N]; s [N, C, H, W], 0 where hidden; mask [N, 1, H, W], 1 where hidden; z [N, latent].
Departures: the networks are convolutional for images above 16 pixels; the rate's weight may rise from 0 over the first `warm_up` share
of the run; x and c meet in a hidden layer of the guide; no hybrid term (the paper's alpha is 1).
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Gt, Interval
from torch import Tensor, nn

from pushforward.core import (
    UNLABELLED,
    Adam,
    BadInput,
    Batch,
    Edits,
    Encodes,
    Player,
    Samples,
    Stage,
    System,
    Terms,
    Weighs,
    asked,
    warm_up_then_cosine,
)
from pushforward.maths import draw, draws_of, kl_between, noise, one_hot
from pushforward.nets import Kind, Net, decoder_for, encoder_for, likelihood, suits

JOINT = 64
"""Units in which the guide joins what it reads in x with the condition."""


@dataclass(frozen=True)
class Settings:
    """What a conditional VAE is made of. `shape` and `classes` follow from the data."""

    shape: tuple[int, ...]
    """(C, H, W) of images, or (D,) of rows."""
    classes: int = 0
    """Classes of the label; unused where the condition is an image."""
    condition: Literal["label", "image"] = "label"
    """What is given: a class, or the seen part of an image (`--observe` 1 to 3 quadrants)."""
    latent: Annotated[int, Ge(1)] = 10
    """Dimensions of the code z."""
    net: Net = "auto"
    """Fully connected for tables and tiny images, convolutional above; or one of these."""
    width: Annotated[int, Ge(0)] = 0
    """Hidden units (mlp) or channels after the first halving (convolution); 0: 400 or 32."""
    likelihood: Kind = "gaussian"
    """p(x|z,c). cross-entropy on grey levels is not a likelihood."""
    warm_up: Annotated[float, Interval(ge=0, le=1)] = 0.0
    """Share of the run over which the weight of the rate rises from 0 to 1. While codes cost nothing they carry the class too, and the
    decoder does not learn to read the label."""
    rate: Annotated[float, Gt(0)] = 2e-3
    """Learning rate of Adam, lowered to 0 by half a cosine."""
    batch_size: Annotated[int, Ge(1)] = 128
    """Examples of a round."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by pydantic, which core need not import


class Networks(nn.Module):
    """q(z|x,c), p(z|c) and p(x|z,c). The condition reaches them as features: a one-hot label, or what an encoder reads in (s, mask)."""

    def __init__(self, c: Settings):
        super().__init__()
        self.classes = c.classes
        self.reader: nn.Module | None = None
        self.prior: nn.Module | None = None
        if c.condition == "label":
            self.features, size = encoder_for(c.net, c.shape, c.width), c.classes
        else:
            seen = (c.shape[0] + 1, *c.shape[1:])
            self.features = encoder_for(c.net, (c.shape[0] + seen[0], *c.shape[1:]), c.width)
            self.reader = reader = encoder_for(c.net, seen, c.width)
            size = reader.features
            self.prior = nn.Linear(size, 2 * c.latent)
        # a hidden layer, so that a class may change how a style is read from x, and not only move its code
        read = nn.Linear(self.features.features + size, JOINT)
        self.posterior = nn.Sequential(read, nn.SiLU(), nn.Linear(JOINT, 2 * c.latent))
        self.latent = c.latent
        self.decoder = decoder_for(c.net, c.latent + size, c.shape, c.width)
        self.likelihood = likelihood(c.likelihood, c.shape)

    def condition(self, batch: Batch) -> Tensor:
        """Features [N, size] of the condition."""
        if self.reader is None:
            return one_hot(batch["label"], self.classes)
        return self.reader(torch.cat([batch["source"], batch["mask"]], 1)).float()

    def guide(self, batch: Batch, x: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """mu, log sigma^2 of q(z|x,c)."""
        seen = torch.cat([x, batch["source"], batch["mask"]], 1) if self.reader else x
        return halves(self.posterior(torch.cat([self.features(seen), c], 1)))

    def before(self, c: Tensor) -> tuple[Tensor, Tensor]:
        """mu, log sigma^2 of p(z|c)."""
        if self.prior is not None:
            return halves(self.prior(c))
        zero = c.new_zeros(len(c), self.latent)
        return zero, zero


def halves(both: Tensor) -> tuple[Tensor, Tensor]:
    """mu and log sigma^2 [N, latent] of a layer's [N, 2 latent] outputs."""
    mean, log_var = both.float().chunk(2, 1)
    return mean, log_var.clamp(-12, 8)


class ConditionalVAE(System, Samples, Encodes, Edits, Weighs):
    """config: see `Settings`."""

    Config = Settings
    beta: Tensor

    def __init__(self, config: Settings):
        super().__init__()
        if config.condition == "label" and config.classes < 1:
            raise BadInput("A conditional VAE needs labels, but the data have none. Use vae, or --condition image with --observe 1.")
        self.config = config
        self.networks = Networks(config)
        self.key = "image" if len(config.shape) == 3 else "row"
        self.register_buffer("beta", torch.tensor(1.0), persistent=False)  # a tensor: it changes inside compiled code
        self.enter(self.schedule(0, 1))

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({self.key, "label"} if self.config.condition == "label" else {"image", "source", "mask"})

    @property
    def labels(self) -> int:
        return self.config.classes if self.config.condition == "label" else 0

    def schedule(self, seen: int, total: int) -> Stage:
        progress = min(1.0, seen / total)
        return Stage(seen, self.config.batch_size, progress=progress, rate=warm_up_then_cosine(progress))

    def enter(self, stage: Stage) -> None:
        self.stage = stage
        self.beta.fill_(min(1.0, stage.progress / self.config.warm_up) if self.config.warm_up else 1.0)

    def players(self) -> list[Player]:
        return [Player("vae", self.networks, self.loss, Adam(self.config.rate))]

    def accept(self, batch: Batch) -> None:
        suits(self.config.likelihood, batch[self.key])  # type: ignore[literal-required]
        if self.config.condition == "label" and bool((batch["label"] == UNLABELLED).any()):
            raise BadInput(
                "A conditional VAE needs the label of every example, but some are hidden. Keep all labels, or use classification_vae."
            )
        asked(batch["label"] if self.labels else None, len(batch[self.key]), max(1, self.labels))  # type: ignore[literal-required]

    def loss(self, batch: Batch) -> tuple[Tensor, Terms]:
        """E_q(z|x,c)[-log p(x|z,c)] + beta KL(q(z|x,c) || p(z|c)), in nats per example."""
        x, net = batch[self.key], self.networks  # type: ignore[literal-required]
        c = net.condition(batch)
        q, p = net.guide(batch, x, c), net.before(c)
        z = draw(*q)
        distortion = -net.likelihood(x, net.decoder(torch.cat([z, c], 1)), self.hidden(batch)).mean()
        kl = kl_between(*q, *p)  # [N, latent]
        rate = kl.sum(1).mean()
        active = (kl.detach().mean(0) > 0.01).float().mean()
        terms = {"bound": distortion.detach() + rate.detach(), "distortion": distortion, "rate": rate, "active_codes": active}
        return distortion + self.beta * rate, terms | (self.use_of_label(x, q[0], c) if self.labels else {})

    def hidden(self, batch: Batch) -> Tensor | None:
        """The pixels that count: those that s does not show; all where s is a class, whatever the data hide."""
        return None if self.labels else batch["mask"]

    @torch.no_grad()
    def use_of_label(self, x: Tensor, z: Tensor, c: Tensor) -> Terms:
        """By how many nats a few examples are explained worse when the decoder is told the next class: 0 where it ignores the class."""
        x, z, c, net = x[:8], z[:8], c[:8], self.networks
        right, wrong = (net.likelihood(x, net.decoder(torch.cat([z, told], 1))) for told in (c, c.roll(1, 1)))
        return {"label_use": (right - wrong).mean()}

    @torch.no_grad()
    def sample(self, count: int, label: int | Tensor | None = None, seed: int | None = None) -> Tensor:
        self.refuse_image_condition("sample")
        return self.decode(noise(count, self.config.latent, seed, self.beta.device), label)

    @torch.no_grad()
    def encode(self, image: Tensor, label: int | Tensor | None = None) -> Tensor:
        self.refuse_image_condition("encode")
        if label is None:
            raise BadInput("A conditional VAE encodes an image together with its label. Give the labels too.")
        y = asked(label, len(image), self.labels).to(image.device)
        return self.networks.guide({}, image, one_hot(y, self.labels))[0]

    @torch.no_grad()
    def decode(self, code: Tensor, label: int | Tensor | None = None) -> Tensor:
        self.refuse_image_condition("decode")
        c = one_hot(asked(label, len(code), self.labels), self.labels).to(code)
        return self.networks.likelihood.mean(self.networks.decoder(torch.cat([code, c], 1)))

    @torch.no_grad()
    def edit(self, batch: Batch, seed: int | None = None) -> Tensor:
        """The hidden part of batch["source"] filled in: from the mean of p(z|s), or with a seed from a draw. What is seen stays."""
        if self.labels:
            raise BadInput(
                "This conditional VAE is told a class, not a part of an image, so it completes nothing. Train with --condition image."
            )
        return torch.where(batch["mask"] > 0, self.painted(batch, seed), batch["source"])

    @torch.no_grad()
    def painted(self, batch: Batch, seed: int | None = None) -> Tensor:
        """The whole image as the decoder paints it, what is seen included."""
        c = self.networks.condition(batch)
        mean, log_var = self.networks.before(c)
        z = mean if seed is None else mean + (log_var / 2).exp() * noise(len(mean), mean.shape[1], seed, mean.device)
        return self.networks.likelihood.mean(self.networks.decoder(torch.cat([z, c], 1)))

    @torch.no_grad()
    def log_weights(self, batch: Batch, draws: int) -> tuple[Tensor, Tensor]:
        x, net = batch[self.key], self.networks  # type: ignore[literal-required]
        c = net.condition(batch)
        z, excess = draws_of(draws, net.guide(batch, x, c), net.before(c))
        told = torch.cat([z, c.expand(draws, *c.shape)], 2).flatten(0, 1)
        many, hidden = (v if v is None else v.expand(draws, *v.shape).flatten(0, 1) for v in (x, self.hidden(batch)))
        return net.likelihood(many, net.decoder(told), hidden).view(draws, -1), excess

    @torch.no_grad()
    def posterior(self, batch: Batch) -> tuple[Tensor, Tensor] | None:
        net = self.networks
        return net.guide(batch, batch[self.key], net.condition(batch)) if self.labels else None  # type: ignore[literal-required]

    def refuse_image_condition(self, verb: str) -> None:
        """Completing systems answer to a part of an image, which `sample`, `encode` and `decode` cannot give."""
        if not self.labels:
            raise BadInput(f"This conditional VAE completes images and cannot {verb} without one. Use its edit(batch).")
