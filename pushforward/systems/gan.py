"""Generative adversarial nets (Goodfellow et al. 2014).

By default in the form of Huang et al. 2024, "The GAN is dead; long live the GAN! A modern baseline GAN" (R3GAN):

    model          z ~ N(0, I),  x = G(z)
    discriminator  D(x), the logit of "x is real"
    D minimises    E softplus(D(G(z)) - D(x)) + r1/2 E |dD/dx|^2 + r2/2 E |dD/dG(z)|^2
    G minimises    E softplus(D(x) - D(G(z)))

No normalisation layers; averaged weights of G give the samples. `objective` names the other games (`pushforward.maths.game_values`). The
GAN of 2014 is `--objective non_saturating --r1 0 --r2 0 --dropout 0.5 --maxout 5 --net mlp_2014 --optimiser sgd`, zero-sum with
`--objective minimax`; least squares, hinge (with `--spectral`) and Wasserstein (with `--gradient-penalty 10 --turns 5`) are there to
compare, as in their papers with `--r1 0 --r2 0`.

Shapes: z [N, latent]; x [N, C, H, W] in [-1, 1], or rows [N, D], standardised; D(x) [N].
Departures: residual networks with pixel shuffling and SiLU, whose slopes are smooth, in place of bilinear resampling and leaky ReLU;
penalties may be lazy (Karras et al. 2020: every k-th round, k times as heavy), which is cheaper, and no longer what convergence is proved
for. Images are cut to [-1, 1] when sampled, not by a layer that saturates. Of adaptive views (Karras et al. 2020) the share p follows
E sign D(x), where D compares E sign(D(x) - its middle), every round; the views are those of Zhao et al. 2020. G moves on the z that D
has just judged, where the papers draw others for it: one pass through G serves both, as in the usual scripts.
"""

from copy import deepcopy
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Gt, Interval
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from pushforward.core import (
    SGD,
    Adam,
    Average,
    BadInput,
    Batch,
    Generates,
    Judges,
    Kept,
    Optimiser,
    Player,
    Samples,
    Source,
    Stage,
    System,
    Terms,
    alike,
    growing,
    warm_up_then_cosine,
)
from pushforward.data import Shuffled
from pushforward.data.adversarial_views import shown
from pushforward.maths import noise
from pushforward.maths.game_values import (
    Objective,
    compares,
    discriminator_loss,
    distance_from_slope,
    floating,
    generator_loss,
    readable,
    rest,
    value,
    zero_centred,
)
from pushforward.nets import AdversarialNet, Critic, generator_for, reader_for
from pushforward.nets.adversarial import FlatGenerator2014

TARGET, PACE, SHARE = 0.6, 500_000, 0.25
"""Of adaptive views: E sign D(x) that D is held at, and the images in which their share could go from 0 to 1 (Karras et al. 2020), or the
share of a run that is shorter."""


@dataclass(frozen=True)
class Settings:
    """What a GAN is made of. `shape` follows from the data."""

    shape: tuple[int, ...]
    """(C, H, W) of images, or (D,) of rows."""
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
    """The same at generated ones; without it D's slopes may grow there."""
    gradient_penalty: Annotated[float, Ge(0)] = 0.0
    """lambda of lambda (|dD/dx| - 1)^2 between real and generated examples."""
    lazy: Annotated[int, Ge(1)] = 1
    """Penalties are taken every so many rounds, and weigh as many times as much."""
    spectral: bool = False
    """Every layer of D is divided by its largest singular value (Miyato et al. 2018)."""
    dropout: Annotated[float, Interval(ge=0, lt=1)] = 0.0
    """Share of D's hidden units that are left out."""
    maxout: Annotated[int, Ge(0)] = 0
    """Of D's linear units only the largest of each so many counts (Goodfellow et al. 2013), fully connected; 0: leaky ReLU."""
    turns: Annotated[int, Ge(1)] = 1
    """Steps of D for each of G."""
    optimiser: Literal["adam", "sgd"] = "adam"
    """Adam with betas (0, 0.99), or SGD."""
    momentum: Annotated[float, Interval(gt=-1, lt=1)] = 0.5
    """Of SGD; below 0 it calms alternating play (Gidel et al. 2019)."""
    rate: Annotated[float, Gt(0)] = 1e-3
    """Learning rate of both, lowered to a tenth by half a cosine."""
    faster_discriminator: Annotated[float, Gt(0)] = 1.0
    """D's learning rate as a multiple of G's (two time scales: Heusel et al. 2017)."""
    augment: Literal["none", "always", "adaptive"] = "none"
    """D sees images changed at random, always or as often as keeps it from learning them by heart: for a few thousand images or fewer."""
    averaging: Literal["exponential", "uniform"] = "exponential"
    """What of G's way is averaged, which samples come from: the latest weights, or all of them alike."""
    average: Annotated[int, Ge(1)] = 20_000
    """Half-life of exponential averages, in images."""
    batch_size: Annotated[int, Ge(1)] = 64
    """Examples of a round, real and generated each."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by pydantic, which core need not import


class GAN(System, Samples, Generates, Judges):
    """config: see `Settings`."""

    Config = Settings
    compiles = False
    strength: Tensor
    """The share of images that D sees changed."""

    def __init__(self, config: Settings):
        super().__init__()
        self.config = c = config
        self.generator = generator_for(c.net, c.latent, c.shape, c.width, c.layers)
        self.discriminator = Critic(reader_for(c.net, c.shape, c.width, c.layers, c.dropout, c.maxout))
        if c.spectral:
            for part in list(self.discriminator.modules()):
                if isinstance(part, nn.Linear | nn.Conv2d):
                    if not bool(part.weight.any()):  # a residual branch starts at zero, which has no norm to divide by
                        part.reset_parameters()
                    spectral_norm(part)
        self.averaged = deepcopy(self.generator).eval().requires_grad_(False)
        self.key, self.kept = "image" if len(c.shape) == 3 else "row", Kept()
        if self.key == "row" and c.augment != "none":
            raise BadInput(f"augment is '{c.augment}', but rows of a table have no views as images do. Leave it out.")
        if c.optimiser == "adam" and c.momentum != Settings.momentum:
            raise BadInput(f"momentum is {c.momentum:g}, but Adam has its own. Use --optimiser sgd, or leave momentum out.")
        self.register_buffer("strength", torch.tensor(float(c.augment == "always")))
        self.enter(self.schedule(0, 1))

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({self.key})

    @property
    def labels(self) -> int:
        return 0

    def schedule(self, seen: int, total: int) -> Stage:
        progress = min(1.0, seen / total)
        era = int(seen > 0 and isinstance(self.generator, FlatGenerator2014))
        return Stage(seen, self.config.batch_size, progress=progress, rate=warm_up_then_cosine(progress, floor=0.1), era=era)

    def survey(self, source: Source) -> None:
        """After the first round of the networks of 2014: G starts from the mean image."""
        if isinstance(self.generator, FlatGenerator2014) and isinstance(source, Shuffled):
            batches = [batch["image"] for batch in source.dataset.spread()]
            mean = torch.stack([batch.sum(0) for batch in batches]).sum(0) / sum(map(len, batches))
            self.generator.start_from(mean)
            self.averaged.load_state_dict(self.averaged.state_dict() | {"often": self.generator.often})

    def players(self) -> list[Player]:
        c = self.config
        half_life = alike(c.batch_size, self.stage.seen) if c.averaging == "uniform" else growing(c.average, self.stage.seen)
        average = Average(self.averaged, half_life)
        return [
            Player("discriminator", self.discriminator, self.discriminator_loss, self.steps(c.faster_discriminator), c.turns),
            Player("generator", self.generator, self.generator_loss, self.steps(1.0), average=average),
        ]

    def steps(self, faster: float) -> Optimiser:
        rate = self.config.rate * faster
        return Adam(rate, (0.0, 0.99)) if self.config.optimiser == "adam" else SGD(rate, self.config.momentum)

    def enter(self, stage: Stage) -> None:
        super().enter(stage)
        self.kept.clear()

    def made(self, x: Tensor) -> Tensor:
        """G(z), as many as x, in float32."""
        return self.generator(torch.randn(len(x), self.config.latent, device=x.device)).float()

    def shown(self, x: Tensor) -> Tensor:
        """What D sees of examples."""
        return x if self.config.augment == "none" else shown(x, self.strength)

    def discriminator_loss(self, batch: Batch) -> tuple[Tensor, Terms]:
        """The objective, and the penalties on D's slope."""
        c = self.config
        real = batch[self.key].clone()  # type: ignore[literal-required]
        (made,) = self.kept.lend(self.generator, batch, lambda: (self.made(real),))
        due = self.stage.every(c.lazy)
        real.requires_grad_(bool(due and c.r1))
        if due and c.r2 and not made.requires_grad:
            made = made.detach().requires_grad_()
        on_real, on_made = self.judged(real, made, apart=due and bool(c.r1) != bool(c.r2))
        loss = discriminator_loss(c.objective, on_real, on_made)
        middle = rest(c.objective, on_real, on_made)
        terms = {"value": value(on_real - middle, on_made - middle), "above": torch.sign(on_real - middle).mean()}
        if due:
            loss = loss + c.lazy * self.penalty(real, made, on_real, on_made)
        return loss, {name: term.detach() for name, term in terms.items()}

    def judged(self, real: Tensor, made: Tensor, apart: bool) -> tuple[Tensor, ...]:
        """D of both, in one pass; apart where slopes at one of them alone are asked for, which would go back through both."""
        passes = (real, made) if apart else (torch.cat([real, made]),)
        return torch.cat([self.discriminator(self.shown(x)).float() for x in passes]).split(len(real))

    def penalty(self, real: Tensor, made: Tensor, on_real: Tensor, on_made: Tensor) -> Tensor:
        """r1/2 E |dD/dx|^2 + r2/2 E |dD/dG(z)|^2 + lambda E (|dD/dx^| - 1)^2."""
        c = self.config
        penalty = zero_centred((c.r1, on_real, real), (c.r2, on_made, made))
        if c.gradient_penalty:
            share = torch.rand(len(real), *[1] * (real.ndim - 1), device=real.device)
            between = real.detach().lerp(made, share)
            between = between if between.requires_grad else between.requires_grad_()
            penalty = penalty + c.gradient_penalty * distance_from_slope(self.discriminator(self.shown(between)).float(), between)
        return penalty

    def generator_loss(self, batch: Batch) -> tuple[Tensor, Terms]:
        """What G wants of D(G(z)), of the z that D has judged; D(x) is asked too where the objective compares, apart: D stays as it is, so
        that no slopes go back."""
        c, real = self.config, batch[self.key]  # type: ignore[literal-required]
        (made,) = self.kept.take(self.generator, batch, lambda: (self.made(real),))
        on_made = self.discriminator(self.shown(made)).float()
        on_real = self.discriminator(self.shown(real)).float() if compares(c.objective) else on_made
        return generator_loss(c.objective, on_real, on_made), {}

    def adapt(self, player: str, terms: Terms) -> None:
        if player == "discriminator" and self.config.augment == "adaptive":
            at = self.stage
            pace = min(PACE, SHARE * at.seen / at.progress) if at.progress else PACE
            self.strength.copy_((self.strength + torch.sign(terms["above"] - TARGET) * self.config.batch_size / pace).clamp(0, 1))

    # ---------------------------------------------------------------- what it can do
    @property
    def floating(self) -> bool:
        return floating(self.config.objective)

    def judge(self, batch: Batch) -> Tensor:
        return readable(self.config.objective, self.discriminator(batch[self.key]).float())  # type: ignore[literal-required]

    @torch.no_grad()
    def propose(self, batch: Batch, seed: int) -> Batch:
        x = batch[self.key]  # type: ignore[literal-required]
        made: Tensor = self.generator(noise(len(x), self.config.latent, seed, x.device))
        return batch | {self.key: made.float()}  # type: ignore[return-value]

    @property
    def latent(self) -> int:
        return self.config.latent

    def generate(self, code: Tensor, label: int | Tensor | None = None) -> Tensor:
        refuse(label)
        return self.averaged(code)

    def activations(self, code: Tensor, label: int | Tensor | None = None) -> Tensor:
        refuse(label)
        return self.averaged.halfway(code)

    @torch.no_grad()
    def sample(self, count: int, label: int | Tensor | None = None, seed: int | None = None) -> Tensor:
        x = self.generate(noise(count, self.config.latent, seed, next(self.averaged.parameters()).device), label)
        return x.clamp(-1, 1) if x.ndim == 4 else x


def refuse(label: int | Tensor | None) -> None:
    """Refuse a label.

    Raises:
        BadInput: there is one.
    """
    if label is not None:
        raise BadInput(f"This GAN was trained without labels and cannot be asked for label {label}. Use conditional_gan.")
