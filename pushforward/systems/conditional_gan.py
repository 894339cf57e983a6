"""Conditional generative adversarial nets (Mirza & Osindero 2014): generator and discriminator are told a class.

    model          y ~ the data's classes,  z ~ N(0, I),  x = G(z, y)
    discriminator  D(x, y), the logit of "x is real, given that it is of class y"
    D, G minimise  the game of `gan.py` on D(x, y) and D(G(z, y), y), relativistic by default

Three ways to tell the discriminator:

    projection     D = w' h(x) + e_y' h(x), e_y learned for each class                                         (Miyato & Koyama 2018)
    concatenation  y beside x at the entrance, as one map (or number) a class                                  (the paper)
    auxiliary      D = w' h(x), and c_y(x) names the class: both players also minimise auxiliary * -log c_y    (Odena et al. 2017)

Shapes: z [N, latent]; x [N, C, H, W] in [-1, 1], or rows [N, D], standardised; y [N] in 0..K-1; D(x, y) [N].
Departures: as in `gan.py`; relativistic pairs share a class. The auxiliary classifier learns from real examples alone in D's turn.
"""

from copy import deepcopy
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Gt
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from pushforward.core import (
    UNLABELLED,
    Adam,
    Average,
    BadInput,
    Batch,
    Player,
    Samples,
    Stage,
    System,
    Terms,
    asked,
    growing,
    warm_up_then_cosine,
)
from pushforward.maths import noise, one_hot
from pushforward.maths.game_values import Objective, discriminator_loss, generator_loss, squared_slope, value
from pushforward.nets import AdversarialNet, generator_for, reader_for

Conditioning = Literal["projection", "concatenation", "auxiliary"]


@dataclass(frozen=True)
class Settings:
    """What a conditional GAN is made of. `shape` and `classes` follow from the data."""

    shape: tuple[int, ...]
    """(C, H, W) of images, or (D,) of rows."""
    classes: int
    """K."""
    conditioning: Conditioning = "projection"
    """How D is told the class."""
    objective: Objective = "relativistic"
    """What the players want."""
    latent: Annotated[int, Ge(1)] = 64
    """Dimensions of z."""
    net: AdversarialNet = "auto"
    """Fully connected for rows and tiny images, residual above; or one of these."""
    width: Annotated[int, Ge(0)] = 0
    """Hidden units (mlp) or channels after the first halving (residual); 0: 128 or 32."""
    layers: Annotated[int, Ge(1)] = 3
    """Hidden layers of fully connected networks."""
    r1: Annotated[float, Ge(0)] = 1.0
    """gamma of gamma/2 |dD/dx|^2 at real examples."""
    r2: Annotated[float, Ge(0)] = 1.0
    """The same at generated ones."""
    lazy: Annotated[int, Ge(1)] = 1
    """Penalties are taken every so many rounds, and weigh as many times as much."""
    auxiliary: Annotated[float, Ge(0)] = 1.0
    """Weight of -log c_y(x) under auxiliary conditioning."""
    rate: Annotated[float, Gt(0)] = 2e-4
    """Learning rate of both, lowered to a tenth by half a cosine."""
    average: Annotated[int, Ge(1)] = 20_000
    """Half-life of G's averaged weights, which samples come from, in images."""
    batch_size: Annotated[int, Ge(1)] = 64
    """Examples of a round, real and generated each."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by pydantic, which core need not import


class Discriminator(nn.Module):
    """x [N, *shape], y [N, K] one-hot -> logit [N], and the logits of the auxiliary classifier [N, K]."""

    def __init__(self, c: Settings):
        super().__init__()
        self.conditioning = c.conditioning
        beside = c.classes if c.conditioning == "concatenation" else 0
        self.reader = reader_for(c.net, (c.shape[0] + beside, *c.shape[1:]), c.width, c.layers)
        self.head = nn.Linear(self.reader.features, 1)
        if c.conditioning != "concatenation":
            self.classes = nn.Linear(self.reader.features, c.classes, bias=c.conditioning == "auxiliary")  # rows e_y, or c's layer

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        if self.conditioning == "concatenation":
            x = torch.cat([x, y.view(*y.shape, *[1] * (x.ndim - 2)).expand(*y.shape, *x.shape[2:])], 1)
        h = self.reader(x)
        logit, named = self.head(h)[:, 0], torch.zeros_like(y) if self.conditioning == "concatenation" else self.classes(h)
        return (logit + (named * y).sum(1) if self.conditioning == "projection" else logit).float(), named.float()


class ConditionalGAN(System, Samples):
    """config: see `Settings`."""

    Config = Settings

    def __init__(self, config: Settings):
        super().__init__()
        if config.classes < 2:
            raise BadInput(f"A conditional GAN needs at least 2 classes, but the data have {config.classes}. Use gan.")
        self.config = c = config
        self.generator = generator_for(c.net, c.latent + c.classes, c.shape, c.width, c.layers)
        self.discriminator = Discriminator(c)
        self.averaged = deepcopy(self.generator).eval().requires_grad_(False)
        self.key = "image" if len(c.shape) == 3 else "row"
        self.enter(self.schedule(0, 1))

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({self.key, "label"})

    @property
    def labels(self) -> int:
        return self.config.classes

    def schedule(self, seen: int, total: int) -> Stage:
        progress = min(1.0, seen / total)
        return Stage(seen, self.config.batch_size, progress=progress, rate=warm_up_then_cosine(progress, floor=0.1))

    def players(self) -> list[Player]:
        c, average = self.config, Average(self.averaged, growing(self.config.average, self.stage.seen))
        steps = Adam(c.rate, (0.0, 0.99))
        return [
            Player("discriminator", self.discriminator, self.discriminator_loss, steps),
            Player("generator", self.generator, self.generator_loss, steps, average=average),
        ]

    def accept(self, batch: Batch) -> None:
        y, classes = batch["label"], self.config.classes
        if bool((y == UNLABELLED).any()):
            raise BadInput("A conditional GAN is told the label of every example, but some are hidden. Keep all labels, or use gan.")
        if bool(((y < 0) | (y >= classes)).any()):
            raise BadInput(f"A label is {int(y[(y < 0) | (y >= classes)][0])}, but labels must lie in 0..{classes - 1}.")

    def pair(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Real x, generated G(z, y), and the y of both, one-hot."""
        real, y = batch[self.key], one_hot(batch["label"], self.config.classes)  # type: ignore[literal-required]
        z = torch.randn(len(real), self.config.latent, device=real.device)
        return real, self.generator(torch.cat([z, y], 1)).float(), y

    def discriminator_loss(self, batch: Batch) -> tuple[Tensor, Terms]:
        """The objective, the penalties on D's slope, and what the auxiliary classifier makes of real examples."""
        c = self.config
        real, made, y = self.pair(batch)
        due = self.stage.every(c.lazy) and bool(c.r1 or c.r2)
        if due:
            real, made = real.clone().requires_grad_(), made if made.requires_grad else made.detach().requires_grad_()
        logits, named = self.discriminator(torch.cat([real, made]), y.repeat(2, 1))
        on_real, on_made = logits.split(len(real))
        loss = discriminator_loss(c.objective, on_real, on_made)
        terms = {"value": value(on_real, on_made), "real": on_real.sigmoid().mean(), "made": on_made.sigmoid().mean()}
        if due:
            terms |= {"slope_real": squared_slope(on_real, real), "slope_made": squared_slope(on_made, made)}
            loss = loss + c.lazy * (c.r1 * terms["slope_real"] + c.r2 * terms["slope_made"]) / 2
        if c.conditioning == "auxiliary":
            terms["naming"] = cross_entropy(named[: len(real)], batch["label"])
            loss = loss + c.auxiliary * terms["naming"]
        return loss, {name: term.detach() for name, term in terms.items()}

    def generator_loss(self, batch: Batch) -> tuple[Tensor, Terms]:
        """What G wants of D(G(z, y), y), and of the auxiliary classifier."""
        c = self.config
        real, made, y = self.pair(batch)
        logits, named = self.discriminator(torch.cat([real, made]), y.repeat(2, 1))
        on_real, on_made = logits.split(len(real))
        loss = generator_loss(c.objective, on_real, on_made)
        if c.conditioning == "auxiliary":
            loss = loss + c.auxiliary * cross_entropy(named[len(real) :], batch["label"])
        spread = made.detach().flatten(1).std(0).mean() / real.flatten(1).std(0).mean().clamp(min=1e-6)
        return loss, {"spread": spread}

    @torch.no_grad()
    def sample(self, count: int, label: int | Tensor | None = None, seed: int | None = None) -> Tensor:
        z = noise(count, self.config.latent, seed, next(self.averaged.parameters()).device)
        y = one_hot(asked(label, count, self.labels), self.labels).to(z)
        x = self.averaged(torch.cat([z, y], 1))
        return x.clamp(-1, 1) if x.ndim == 4 else x
