"""Ladder variational auto-encoder (Sonderby et al. 2016), in the residual form of Kingma et al. 2016 and Vahdat & Kautz 2020 (NVAE).

    model      z_1 ~ N(0, I),  z_l ~ p(z_l|z_<l) = N(m_l, diag s_l^2),  x ~ p(x|z_1..z_L)
    guide      q(z_l|x, z_<l) = N(m_l + s_l mu_l, diag (s_l sigma_l)^2)
    minimised  E_q[-log p(x|z)]  +  beta sum_l E_q KL(q(z_l|x, z_<l) || p(z_l|z_<l))
                 distortion              rates

Codes are found from the coarsest to the finest, each knowing the ones before it, for the model and for the guide alike. z_1 is a
vector; the others are maps of half the image's size and below, `groups` of them at each size. mu_l and sigma_l, functions of x and z_<l,
say where the guide goes *in units of the model's own guess* (m_l, s_l): the rate of a code is KL(N(mu_l, sigma_l^2) || N(0, 1)) whatever
that guess, and a code that the guide has nothing to add to costs nothing. In the same units u_l = (z_l - m_l) / s_l all codes together
are N(0, I): these are what `encode` gives, `decode` takes and `sample` draws.

Shapes: x [N, C, H, W] in [-1, 1]; u_1 [N, top], u_l [N, maps, h, w], flattened one after another into codes [N, D].
Departures: residual blocks without normalisation in place of fully connected layers with batch normalisation; bottom-up features meet
the top-down state in a layer, where the paper multiplies two Gaussians; beta rises from 0 over the first `warm_up` share of the run;
free bits (Kingma et al. 2016); averaged weights (`average`) to sample and to be measured by (Child 2021).
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from math import prod
from typing import Annotated, ClassVar

import torch
from annotated_types import Ge, Gt, Interval
from torch import Tensor, nn
from torch.nn.functional import silu

from pushforward.core import (
    Adam,
    Average,
    BadInput,
    Batch,
    Encodes,
    Player,
    Samples,
    Stage,
    System,
    Terms,
    Weighs,
    growing,
    warm_up_then_cosine,
)
from pushforward.maths import at_least, draw, kl_from_standard_normal, log_normal, noise
from pushforward.nets import Double, Halve, Kind, Net, Residual, likelihood, sizes_of, suits, widths_of

HIDDEN = 8
"""Units of the layers between z_1 and the smallest maps, for each channel of `width`."""
Stats = tuple[Tensor, Tensor]
"""Mean and log variance of the guide, in units of the model's guess."""


@dataclass(frozen=True)
class Settings:
    """What a ladder is made of. `shape` follows from the data."""

    shape: tuple[int, ...]
    """(C, H, W) of images."""
    top: Annotated[int, Ge(1)] = 32
    """Dimensions of the first code z_1, a vector."""
    groups: Annotated[int, Ge(0)] = 2
    """Codes at each size of maps; with 0 only z_1 is left, and the ladder is a VAE."""
    maps: Annotated[int, Ge(1)] = 4
    """Channels of each code that is a map."""
    width: Annotated[int, Ge(1)] = 24
    """Channels after the first halving; they double with each further one."""
    likelihood: Kind = "gaussian"
    """p(x|z). cross-entropy on grey levels is not a likelihood."""
    beta: Annotated[float, Ge(0)] = 1.0
    """Weight of the rates; 1 is the evidence lower bound."""
    warm_up: Annotated[float, Interval(ge=0, le=1)] = 0.1
    """Share of the run over which beta rises from 0."""
    free_bits: Annotated[float, Ge(0)] = 0.0
    """Nats of each of the L codes that cost nothing."""
    average: Annotated[int, Ge(0)] = 50_000
    """Half-life of the averaged weights that all answers come from, in images; 0: the weights themselves."""
    rate: Annotated[float, Gt(0)] = 1e-3
    """Learning rate of Adam, lowered to 0 by half a cosine."""
    batch_size: Annotated[int, Ge(1)] = 128
    """Images of a round."""

    net: ClassVar[Net] = "residual"
    """Says which widths `--minutes` chooses from."""
    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by pydantic, which core need not import


class Group(nn.Module):
    """One code z_l of maps: p(z_l|z_<l) and q(z_l|x, z_<l) from the state h of the way down, and what the code does to that state."""

    def __init__(self, channels: int, maps: int):
        super().__init__()
        self.model = nn.Sequential(
            nn.SiLU(), nn.Conv2d(channels, channels, 3, 1, 1), nn.SiLU(), nn.Conv2d(channels, 2 * maps + channels, 1)
        )
        self.meet = nn.Conv2d(2 * channels, channels, 1)
        self.guide = nn.Sequential(nn.SiLU(), nn.Conv2d(channels, channels, 3, 1, 1), nn.SiLU(), nn.Conv2d(channels, 2 * maps, 1))
        self.enter = nn.Conv2d(maps, channels, 1)
        self.mix = Residual(channels)
        self.parts = [maps, maps, channels]
        for last in (self.model[-1], self.guide[-1]):  # at first the guide is the model's guess, and that is N(0, I)
            for weight in last.parameters():
                nn.init.zeros_(weight)

    def guess(self, h: Tensor, seen: Tensor) -> Stats:
        """mu_l, log sigma_l^2 [N, maps, h, w] of the guide, from the state and the features of x."""
        return stats(self.guide(self.meet(torch.cat([h, seen], 1))))

    def forward(self, h: Tensor, u: Tensor) -> Tensor:
        """The state after z_l = m_l + s_l u_l is known."""
        m, log_s2, certain = self.model(h).split(self.parts, 1)
        z = m.float() + (log_s2.float().clamp(-8, 8) / 2).exp() * u
        return self.mix(h + certain + self.enter(z))


class Networks(nn.Module):
    """The way up (features of x at every size) and the way down (codes, then the output)."""

    def __init__(self, c: Settings):
        super().__init__()
        sizes = sizes_of(*c.shape[1:])
        channels = [c.shape[0], *widths_of(len(sizes) - 1, c.width)]
        steps = list(zip(channels, channels[1:], sizes, strict=False))
        self.smallest = (channels[-1], *sizes[-1])
        self.ups = nn.ModuleList(nn.Sequential(Halve(*step), Residual(step[1])) for step in steps)
        self.posterior = nn.Sequential(nn.Linear(prod(self.smallest), HIDDEN * c.width), nn.SiLU(), nn.Linear(HIDDEN * c.width, 2 * c.top))
        self.start = nn.Sequential(nn.Linear(c.top, HIDDEN * c.width), nn.SiLU(), nn.Linear(HIDDEN * c.width, prod(self.smallest)))
        self.groups = nn.ModuleList(nn.ModuleList(Group(out, c.maps) for _ in range(c.groups)) for _, out, _ in reversed(steps))
        self.doubles = nn.ModuleList(
            nn.Sequential(Residual(out), nn.SiLU(), Double(out, into, size)) for into, out, size in reversed(steps)
        )
        self.likelihood = likelihood(c.likelihood, c.shape)
        self.shapes = [(c.top,), *[(c.maps, *size) for size in sizes[:0:-1] for _ in range(c.groups)]]

    def up(self, x: Tensor) -> list[Tensor]:
        """Features of x, the smallest maps first."""
        found: list[Tensor] = []
        for step in self.ups:
            x = step(x)
            found.insert(0, x)
        return found

    def down(self, top: Tensor, choose: Callable[[Group, Tensor, int], Tensor]) -> Tensor:
        """The output for z_1 = `top`; choose(group, state, size) gives the code u_l of each further group in turn."""
        h = self.start(top).unflatten(1, self.smallest).contiguous(memory_format=torch.channels_last)
        for size, (groups, double) in enumerate(zip(self.groups, self.doubles, strict=True)):
            for group in groups:  # type: ignore[attr-defined]
                h = group(h, choose(group, h, size))
            h = double(h)
        return h

    def guided(self, x: Tensor, pick: Callable[[Tensor, Tensor], Tensor], draws: int = 1) -> tuple[Tensor, list[Stats], list[Tensor]]:
        """The output, the guide of each code, and the codes u_l = pick(mu_l, log sigma_l^2), `draws` times for each x [draws * N]."""
        features = [f.expand(draws, *f.shape).flatten(0, 1) for f in self.up(x)]
        guides = [stats(self.posterior(silu(features[0]).flatten(1)))]
        codes = [pick(*guides[0])]

        def choose(group: Group, h: Tensor, size: int) -> Tensor:
            guides.append(group.guess(h, features[size]))
            codes.append(pick(*guides[-1]))
            return codes[-1]

        return self.down(codes[0], choose), guides, codes


def stats(found: Tensor) -> Stats:
    """Mean and log variance from a layer that gives both."""
    mean, log_var = found.float().chunk(2, 1)
    return mean, log_var.clamp(-12, 8)


class LadderVAE(System, Samples, Encodes, Weighs):
    """config: see `Settings`."""

    Config = Settings
    labels = 0
    needs = frozenset({"image"})
    beta: Tensor

    def __init__(self, config: Settings):
        super().__init__()
        if len(config.shape) != 3:
            raise BadInput(f"A ladder is made of maps of images, but the examples have shape {config.shape}. Use vae for rows of numbers.")
        self.config = config
        self.networks = Networks(config)
        if config.average:
            self.averaged = deepcopy(self.networks).eval().requires_grad_(False)
        self.register_buffer("beta", torch.tensor(config.beta), persistent=False)  # a tensor: it changes inside compiled code
        self.enter(self.schedule(0, 1))

    @property
    def judged(self) -> Networks:
        """The weights that answer: the averaged ones where there are some."""
        return self.averaged if self.config.average else self.networks

    def schedule(self, seen: int, total: int) -> Stage:
        progress = min(1.0, seen / total)
        return Stage(seen, self.config.batch_size, progress=progress, rate=warm_up_then_cosine(progress))

    def enter(self, stage: Stage) -> None:
        self.stage = stage
        warm_up = self.config.warm_up
        self.beta.fill_(self.config.beta * (min(1.0, stage.progress / warm_up) if warm_up else 1.0))

    def players(self) -> list[Player]:
        half_life = growing(self.config.average, self.stage.seen)
        average = Average(self.averaged, half_life) if self.config.average else None
        return [Player("ladder", self.networks, self.loss, Adam(self.config.rate), average=average)]

    def accept(self, batch: Batch) -> None:
        suits(self.config.likelihood, batch["image"])

    def loss(self, batch: Batch) -> tuple[Tensor, Terms]:
        """E_q[-log p(x|z)] + beta sum_l KL_l, in nats per image; rate_1 is the rate of z_1, and so on down."""
        x, net = batch["image"], self.networks
        output, guides, _ = net.guided(x, draw)
        distortion = -net.likelihood(x, output).mean()
        rates = torch.stack([kl_from_standard_normal(*guide).flatten(1).sum(1) for guide in guides], 1)  # [N, L]
        rate = rates.sum(1).mean()
        paid = at_least(rates, self.config.free_bits) if self.config.free_bits else rate
        terms = {"bound": (distortion + rate).detach(), "distortion": distortion, "rate": rate}
        return distortion + self.beta * paid, terms | {f"rate_{place}": each for place, each in enumerate(rates.detach().mean(0), 1)}

    @torch.no_grad()
    def sample(self, count: int, label: int | Tensor | None = None, seed: int | None = None) -> Tensor:
        return self.decode(noise(count, sum(map(prod, self.networks.shapes)), seed, self.beta.device), label)

    @torch.no_grad()
    def encode(self, image: Tensor, label: int | Tensor | None = None) -> Tensor:
        _, _, codes = self.judged.guided(image, lambda mean, log_var: mean)
        return torch.cat([u.flatten(1) for u in codes], 1)

    @torch.no_grad()
    def decode(self, code: Tensor, label: int | Tensor | None = None) -> Tensor:
        if label is not None:
            raise BadInput(f"This ladder was trained without labels and cannot be asked for label {label}. Use conditional_vae.")
        net = self.judged
        parts = code.split(list(map(prod, net.shapes)), 1)
        codes = iter([part.unflatten(1, shape) for part, shape in zip(parts, net.shapes, strict=True)])
        return net.likelihood.mean(net.down(next(codes), lambda *_: next(codes)))

    @torch.no_grad()
    def log_weights(self, batch: Batch, draws: int) -> tuple[Tensor, Tensor]:
        x, net = batch["image"], self.judged
        output, guides, codes = net.guided(x, draw, draws)
        excess = [log_normal(u, *guide) - log_normal(u, *map(torch.zeros_like, guide)) for u, guide in zip(codes, guides, strict=True)]
        many = x.expand(draws, *x.shape).flatten(0, 1)
        rate = torch.stack([each.flatten(1).sum(1) for each in excess]).sum(0)
        return net.likelihood(many, output).view(draws, -1), rate.view(draws, -1)
