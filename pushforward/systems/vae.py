"""Variational auto-encoder (Kingma & Welling 2014, "Auto-encoding variational Bayes").

    model      z ~ N(0, I),  x ~ p(x|z)
    guide      q(z|x) = N(mu(x), diag sigma^2(x))
    minimised  E_q(z|x)[-log p(x|z)]  +  beta KL(q(z|x) || N(0, I))
                     distortion                  rate

Sums over pixels and over codes, mean over the batch: with beta = 1 the loss is the negative evidence lower bound, in nats.

With `draws` = K > 1 the bound is the importance-weighted one (Burda, Grosse & Salakhutdinov 2016), tighter the larger K:

    minimised  -E log (1/K) sum_k w_k,   w_k = p(x|z_k) p(z_k) / q(z_k|x),   z_1..z_K ~ q(z|x)

Shapes: x [N, C, H, W] in [-1, 1], or rows [N, D], standardised; z [N, latent].
Departures: beta (Higgins et al. 2017), rising from 0 over the first `warm_up` share of the run; free bits (Kingma et al. 2016);
a learned variance where p(x|z) is Gaussian (Rybkin et al. 2021); averaged weights (`average`) to sample and to be measured by;
with K > 1 the guide follows the doubly reparametrised gradient (Tucker et al. 2019), which does not vanish as K grows.
"""

from copy import deepcopy
from dataclasses import dataclass
from math import log
from typing import Annotated

import torch
from annotated_types import Ge, Gt, Interval
from torch import Tensor, nn

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
from pushforward.maths import at_least, draw, draws_of, kl_from_standard_normal, log_normal, noise
from pushforward.nets import Kind, Net, decoder_for, encoder_for, likelihood, suits


@dataclass(frozen=True)
class Settings:
    """What a VAE is made of. `shape` follows from the data."""

    shape: tuple[int, ...]
    """(C, H, W) of images, or (D,) of rows."""
    latent: Annotated[int, Ge(1)] = 20
    """Dimensions of the code z."""
    net: Net = "auto"
    """Fully connected for tables and tiny images, convolutional above; or one of these; residual: slower, tighter bounds."""
    width: Annotated[int, Ge(0)] = 0
    """Hidden units (mlp) or channels after the first halving (convolution, residual); 0: 400, 32 or 24."""
    likelihood: Kind = "gaussian"
    """p(x|z). cross-entropy on grey levels is not a likelihood."""
    beta: Annotated[float, Ge(0)] = 1.0
    """Weight of the rate; 1 is the evidence lower bound."""
    warm_up: Annotated[float, Interval(ge=0, le=1)] = 0.1
    """Share of the run over which beta rises from 0."""
    free_bits: Annotated[float, Ge(0)] = 0.0
    """Nats per code dimension that cost nothing."""
    draws: Annotated[int, Ge(1)] = 1
    """Codes drawn for each example; with more than one the importance-weighted bound is trained."""
    draws_from: Annotated[float, Interval(ge=0, le=1)] = 0.0
    """Share of the run before which one code is drawn all the same: a first approach costs less so."""
    average: Annotated[int, Ge(0)] = 0
    """Half-life of the averaged weights that all answers come from, in images; 0: the weights themselves."""
    rate: Annotated[float, Gt(0)] = 1e-3
    """Learning rate of Adam, lowered to 0 by half a cosine."""
    batch_size: Annotated[int, Ge(1)] = 128
    """Examples of a round."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by pydantic, which core need not import


class Networks(nn.Module):
    """mu(x), log sigma^2(x), and the decoder's output."""

    def __init__(self, c: Settings, encoder: nn.Module | None, decoder: nn.Module | None):
        super().__init__()
        self.features = encoder or encoder_for(c.net, c.shape, c.width)
        self.posterior = nn.Linear(int(self.features.features), 2 * c.latent)  # type: ignore[arg-type]
        self.decoder = decoder or decoder_for(c.net, c.latent, c.shape, c.width)
        self.likelihood = likelihood(c.likelihood, c.shape)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_var = self.posterior(self.features(x)).float().chunk(2, 1)
        return mean, log_var.clamp(-12, 8)


class VAE(System, Samples, Encodes, Weighs):
    """config: see `Settings`. encoder, decoder: other networks than the usual ones (encoder x -> [N, encoder.features],
    decoder [N, latent] -> output of the shape of x); a run made with them opens only where they are given again."""

    Config = Settings
    beta: Tensor

    def __init__(self, config: Settings, encoder: nn.Module | None = None, decoder: nn.Module | None = None):
        super().__init__()
        self.config = config
        self.networks = Networks(config, encoder, decoder)
        if config.average:
            self.averaged = deepcopy(self.networks).eval().requires_grad_(False)
        if config.draws > 1 and config.free_bits:
            raise BadInput(f"free_bits ({config.free_bits:g}) are for the bound of one draw, but draws is {config.draws}. Leave one out.")
        self.key = "image" if len(config.shape) == 3 else "row"
        self.register_buffer("beta", torch.tensor(config.beta), persistent=False)  # a tensor: it changes inside compiled code
        self.enter(self.schedule(0, 1))

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({self.key})

    @property
    def labels(self) -> int:
        return 0

    @property
    def judged(self) -> Networks:
        """The weights that answer: the averaged ones where there are some."""
        return self.averaged if self.config.average else self.networks

    def schedule(self, seen: int, total: int) -> Stage:
        progress = min(1.0, seen / total)
        return Stage(seen, self.config.batch_size, progress=progress, rate=warm_up_then_cosine(progress))

    def enter(self, stage: Stage) -> None:
        self.stage = stage
        self.weighs = self.config.draws > 1 and stage.progress >= self.config.draws_from
        warm_up = self.config.warm_up
        self.beta.fill_(self.config.beta * (min(1.0, stage.progress / warm_up) if warm_up else 1.0))

    def players(self) -> list[Player]:
        half_life = growing(self.config.average, self.stage.seen)
        average = Average(self.averaged, half_life) if self.config.average else None
        return [Player("vae", self.networks, self.loss, Adam(self.config.rate), average=average)]

    def accept(self, batch: Batch) -> None:
        suits(self.config.likelihood, batch[self.key])  # type: ignore[literal-required]

    def loss(self, batch: Batch) -> tuple[Tensor, Terms]:
        """E_q(z|x)[-log p(x|z)] + beta KL(q(z|x) || N(0, I)), in nats per example."""
        x, net = batch[self.key], self.networks  # type: ignore[literal-required]
        mean, log_var = net.encode(x)
        if self.weighs:
            return self.weighted(x, (mean, log_var))
        z = draw(mean, log_var)
        distortion = -net.likelihood(x, net.decoder(z)).mean()
        kl = kl_from_standard_normal(mean, log_var)  # [N, latent]
        rate = kl.sum(1).mean()
        paid = at_least(kl, self.config.free_bits) if self.config.free_bits else rate
        active = (kl.detach().mean(0) > 0.01).float().mean()
        bound = distortion.detach() + rate.detach()
        return distortion + self.beta * paid, {"bound": bound, "distortion": distortion, "rate": rate, "active_codes": active}

    def weighted(self, x: Tensor, q: tuple[Tensor, Tensor]) -> tuple[Tensor, Terms]:
        """-E log (1/K) sum_k w_k, the rate in log w_k weighted by beta, in nats per example."""
        k, net = self.config.draws, self.networks
        z, _ = draws_of(k, q)
        fixed = [part.detach() for part in q]  # the guide moves through z alone (Roeder et al. 2017)
        excess = (log_normal(z, *fixed) - log_normal(z, *map(torch.zeros_like, fixed))).sum(-1)  # [K, N]
        explained = net.likelihood(x.expand(k, *x.shape).flatten(0, 1), net.decoder(z.flatten(0, 1))).view(k, -1)
        log_w = explained - self.beta * excess
        share = log_w.detach().softmax(0)
        if z.requires_grad:
            z.register_hook(lambda slope: slope * share[..., None])  # share^2 in all: doubly reparametrised
        pull = -(share * log_w).sum(0).mean()
        loss = log(k) - log_w.detach().logsumexp(0).mean()
        bound = log(k) - (explained - excess).detach().logsumexp(0).mean()
        active = (kl_from_standard_normal(*fixed).mean(0) > 0.01).float().mean()
        terms = {"bound": bound, "distortion": -explained.mean(), "rate": excess.mean(), "active_codes": active}
        return loss + pull - pull.detach(), terms

    @torch.no_grad()
    def sample(self, count: int, label: int | Tensor | None = None, seed: int | None = None) -> Tensor:
        return self.decode(noise(count, self.config.latent, seed, self.beta.device), label)

    @torch.no_grad()
    def encode(self, image: Tensor, label: int | Tensor | None = None) -> Tensor:
        return self.judged.encode(image)[0]

    @torch.no_grad()
    def decode(self, code: Tensor, label: int | Tensor | None = None) -> Tensor:
        if label is not None:
            raise BadInput(f"This VAE was trained without labels and cannot be asked for label {label}. Use conditional_vae.")
        return self.judged.likelihood.mean(self.judged.decoder(code))

    @torch.no_grad()
    def log_weights(self, batch: Batch, draws: int) -> tuple[Tensor, Tensor]:
        x, net = batch[self.key], self.judged  # type: ignore[literal-required]
        z, excess = draws_of(draws, self.posterior(batch))
        many = x.expand(draws, *x.shape).flatten(0, 1)
        return net.likelihood(many, net.decoder(z.flatten(0, 1))).view(draws, -1), excess

    @torch.no_grad()
    def posterior(self, batch: Batch) -> tuple[Tensor, Tensor]:
        return self.judged.encode(batch[self.key])  # type: ignore[literal-required]
