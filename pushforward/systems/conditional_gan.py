"""Conditional generative adversarial nets (Mirza & Osindero 2014): generator and discriminator are told a class, or named attributes.

    model          y one-hot, or attributes scaled to [-1, 1],  z ~ N(0, I),  x = G(z, y)
    discriminator  D(x, y), the logit of "x is real, given that it is of class y"
    D, G minimise  the game of `gan.py` on D(x, y) and D(G(z, y), y), relativistic by default

Three ways to tell the discriminator:

    projection     D = w' h(x) + y' E h(x), E learned                                                          (Miyato & Koyama 2018)
    concatenation  D = w' a(V [h(x), y]), y beside the features of x under one more layer                      (the paper)
    auxiliary      D = w' h(x), and c(y|x) names y: both players also minimise auxiliary * -log c(y|x)         (Odena et al. 2017)

Shapes: z [N, latent]; x [N, C, H, W] in [-1, 1], or rows [N, D], standardised; labels [N] in 0..K-1, or attributes [N, A] in [0, 1];
D(x, y) [N].
Departures: as in `gan.py`; relativistic pairs share y. Under concatenation y has no layer of its own first, and G takes it beside z. The
auxiliary classifier learns from real examples alone in D's turn; each attribute is named apart, as a probability.
"""

from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Gt, Interval
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, leaky_relu

from pushforward.core import (
    UNLABELLED,
    Adam,
    Average,
    BadInput,
    Batch,
    Generates,
    Judges,
    Kept,
    Player,
    Samples,
    Stage,
    System,
    Terms,
    asked,
    growing,
    warm_up_then_cosine,
)
from pushforward.data.chance import generator
from pushforward.maths import noise, one_hot
from pushforward.maths.game_values import (
    Objective,
    compares,
    discriminator_loss,
    floating,
    generator_loss,
    readable,
    rest,
    value,
    zero_centred,
)
from pushforward.nets import AdversarialNet, generator_for, reader_for
from pushforward.nets.adversarial import SLOPE

Conditioning = Literal["projection", "concatenation", "auxiliary"]


@dataclass(frozen=True)
class Settings:
    """What a conditional GAN is made of. `shape`, `classes` and `attributes` follow from the data."""

    shape: tuple[int, ...]
    """(C, H, W) of images, or (D,) of rows."""
    classes: int = 0
    """K."""
    attributes: int = 0
    """A."""
    told: Literal["label", "attributes"] = "label"
    """What both players are told of each example."""
    conditioning: Conditioning = "projection"
    """How D is told."""
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
    dropout: Annotated[float, Interval(ge=0, lt=1)] = 0.0
    """Share of D's hidden units that are left out."""
    maxout: Annotated[int, Ge(0)] = 0
    """Of D's linear units only the largest of each so many counts (Goodfellow et al. 2013), fully connected; 0: leaky ReLU."""
    r1: Annotated[float, Ge(0)] = 1.0
    """gamma of gamma/2 |dD/dx|^2 at real examples."""
    r2: Annotated[float, Ge(0)] = 1.0
    """The same at generated ones."""
    lazy: Annotated[int, Ge(1)] = 1
    """Penalties are taken every so many rounds, and weigh as many times as much."""
    auxiliary: Annotated[float, Ge(0)] = 1.0
    """Weight of -log c(y|x) under auxiliary conditioning."""
    rate: Annotated[float, Gt(0)] = 1e-3
    """Learning rate of both, lowered to a tenth by half a cosine."""
    average: Annotated[int, Ge(1)] = 20_000
    """Half-life of G's averaged weights, which samples come from, in images."""
    batch_size: Annotated[int, Ge(1)] = 64
    """Examples of a round, real and generated each."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by pydantic, which core need not import


class Discriminator(nn.Module):
    """x [N, *shape], y [N, Y] -> logit [N], and the logits of the auxiliary classifier [N, Y]."""

    def __init__(self, c: Settings, known: int):
        super().__init__()
        self.conditioning = c.conditioning
        self.reader = reader_for(c.net, c.shape, c.width, c.layers, c.dropout, c.maxout)
        features = self.reader.features
        self.head = nn.Linear(features, 1)
        if c.conditioning == "concatenation":
            self.joint = nn.Linear(features + known, features)
        else:
            self.naming = nn.Linear(features, known, bias=c.conditioning == "auxiliary")  # E, or c's layer

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        h = self.reader(x)
        if self.conditioning == "concatenation":
            h, named = leaky_relu(self.joint(torch.cat([h, y.to(h.dtype)], 1)), SLOPE), torch.zeros_like(y)
        else:
            named = self.naming(h)
        logit = self.head(h)[:, 0]
        return (logit + (named * y).sum(1) if self.conditioning == "projection" else logit).float(), named.float()


class ConditionalGAN(System, Samples, Generates, Judges):
    """config: see `Settings`."""

    Config = Settings
    compiles = False

    def __init__(self, config: Settings):
        super().__init__()
        if config.told == "label" and config.classes < 2:
            other = "Use --told attributes" if config.attributes else "Use gan"
            raise BadInput(f"A conditional GAN needs at least 2 classes, but the data have {config.classes}. {other}.")
        if config.told == "attributes" and not config.attributes:
            raise BadInput("A conditional GAN was to be told attributes, but the data have none. Name them in attributes_file, or use gan.")
        if config.conditioning != "auxiliary" and config.auxiliary != Settings.auxiliary:
            told = f"auxiliary is {config.auxiliary:g}, but D of {config.conditioning} has no auxiliary classifier"
            raise BadInput(f"{told}. Use --conditioning auxiliary, or leave it out.")
        self.config = c = config
        self.known = c.classes if c.told == "label" else c.attributes
        self.generator = generator_for(c.net, c.latent + self.known, c.shape, c.width, c.layers)
        self.discriminator = Discriminator(c, self.known)
        self.averaged = deepcopy(self.generator).eval().requires_grad_(False)
        self.key, self.kept = "image" if len(c.shape) == 3 else "row", Kept()
        self.enter(self.schedule(0, 1))

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({self.key, self.config.told})

    @property
    def labels(self) -> int:
        return self.config.classes if self.config.told == "label" else 0

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
        if self.config.told == "attributes":
            return
        y, classes = batch["label"], self.config.classes
        if bool((y == UNLABELLED).any()):
            raise BadInput("A conditional GAN is told the label of every example, but some are hidden. Keep all labels, or use gan.")
        if bool(((y < 0) | (y >= classes)).any()):
            raise BadInput(f"A label is {int(y[(y < 0) | (y >= classes)][0])}, but labels must lie in 0..{classes - 1}.")

    def y(self, batch: Batch) -> Tensor:
        """What is told [N, Y]."""
        return one_hot(batch["label"], self.known) if self.config.told == "label" else 2 * batch["attributes"] - 1

    def enter(self, stage: Stage) -> None:
        super().enter(stage)
        self.kept.clear()

    def pair(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Real x, generated G(z, y), and the y of both."""
        real, y = batch[self.key], self.y(batch)  # type: ignore[literal-required]
        z = torch.randn(len(real), self.config.latent, device=real.device)
        return real, self.generator(torch.cat([z, y], 1)).float(), y

    def naming(self, named: Tensor, batch: Batch) -> Tensor:
        """-log c(y|x)."""
        if self.config.told == "label":
            return cross_entropy(named, batch["label"])
        return binary_cross_entropy_with_logits(named, batch["attributes"])

    def judged(self, real: Tensor, made: Tensor, y: Tensor, apart: bool) -> tuple[tuple[Tensor, ...], Tensor]:
        """D of both, in one pass, or apart where slopes at one of them alone are asked for; and what real examples are named."""
        passes = [(real, y), (made, y)] if apart else [(torch.cat([real, made]), y.repeat(2, 1))]
        logits, named = zip(*(self.discriminator(x, told) for x, told in passes), strict=True)
        return torch.cat(logits).split(len(real)), named[0][: len(real)]

    def discriminator_loss(self, batch: Batch) -> tuple[Tensor, Terms]:
        """The objective, the penalties on D's slope, and what the auxiliary classifier makes of real examples."""
        c = self.config
        real, made, y = self.kept.lend(self.generator, batch, partial(self.pair, batch))
        due = self.stage.every(c.lazy) and bool(c.r1 or c.r2)
        if due:
            real, made = real.clone().requires_grad_(), made if made.requires_grad else made.detach().requires_grad_()
        (on_real, on_made), named = self.judged(real, made, y, apart=due and bool(c.r1) != bool(c.r2))
        loss = discriminator_loss(c.objective, on_real, on_made)
        middle = rest(c.objective, on_real, on_made)
        terms = {"value": value(on_real - middle, on_made - middle)}
        if due:
            loss = loss + c.lazy * zero_centred((c.r1, on_real, real), (c.r2, on_made, made))
        if c.conditioning == "auxiliary":
            terms["naming"] = self.naming(named, batch)
            loss = loss + c.auxiliary * terms["naming"]
        return loss, {name: term.detach() for name, term in terms.items()}

    def generator_loss(self, batch: Batch) -> tuple[Tensor, Terms]:
        """What G wants of D(G(z, y), y), and of the auxiliary classifier; D(x, y) is asked too where the objective compares, apart: D stays
        as it is, so that no slopes go back there."""
        c = self.config
        real, made, y = self.kept.take(self.generator, batch, partial(self.pair, batch))
        on_made, named = self.discriminator(made, y)
        on_real = self.discriminator(real, y)[0] if compares(c.objective) else on_made
        loss = generator_loss(c.objective, on_real, on_made)
        if c.conditioning == "auxiliary":
            loss = loss + c.auxiliary * self.naming(named, batch)
        return loss, {}

    # ---------------------------------------------------------------- what it can do
    @property
    def floating(self) -> bool:
        return floating(self.config.objective)

    def judge(self, batch: Batch) -> Tensor:
        logits, _ = self.discriminator(batch[self.key], self.y(batch))  # type: ignore[literal-required]
        return readable(self.config.objective, logits)

    @torch.no_grad()
    def propose(self, batch: Batch, seed: int) -> Batch:
        y = self.y(batch)
        z = noise(len(y), self.config.latent, seed, y.device)
        made: Tensor = self.generator(torch.cat([z, y], 1))
        return batch | {self.key: made.float()}  # type: ignore[return-value]

    @property
    def latent(self) -> int:
        return self.config.latent

    def told(self, count: int, label: int | Tensor | None, seed: int | None) -> Tensor:
        """What is asked for, [count, Y]: classes, each in turn where none are given; or attributes, uniform where none are given.

        Raises:
            BadInput: unknown classes, or attributes of another shape or outside [0, 1].
        """
        device = next(self.averaged.parameters()).device
        if self.config.told == "label":
            return one_hot(asked(label, count, self.labels), self.labels).to(device)
        if label is None:
            other = None if seed is None else generator("attributes", seed)  # z must not tell it
            return 2 * torch.rand(count, self.known, generator=other).to(device) - 1
        a = torch.as_tensor(label, device=device)
        if not a.is_floating_point() or a.shape not in ((self.known,), (count, self.known)) or not bool(((a >= 0) & (a <= 1)).all()):
            raise BadInput(f"This GAN is told {self.known} attributes in [0, 1] and no class; give a row of them for each example.")
        return (2 * a.float() - 1).expand(count, -1)

    def beside(self, code: Tensor, label: int | Tensor | None) -> Tensor:
        """Codes and what is told with them: attributes of which nothing is said are 1/2, for all codes alike."""
        if self.config.told == "attributes" and label is None:
            label = torch.full((self.known,), 0.5)
        return torch.cat([code, self.told(len(code), label, 0)], 1)

    def generate(self, code: Tensor, label: int | Tensor | None = None) -> Tensor:
        return self.averaged(self.beside(code, label))

    def activations(self, code: Tensor, label: int | Tensor | None = None) -> Tensor:
        return self.averaged.halfway(self.beside(code, label))

    @torch.no_grad()
    def sample(self, count: int, label: int | Tensor | None = None, seed: int | None = None) -> Tensor:
        z = noise(count, self.config.latent, seed, next(self.averaged.parameters()).device)
        x = self.averaged(torch.cat([z, self.told(count, label, seed)], 1))
        return x.clamp(-1, 1) if x.ndim == 4 else x
