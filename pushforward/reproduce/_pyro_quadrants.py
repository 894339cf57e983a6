"""The networks of Pyro's quadrant completion (its tutorial "Conditional variational auto-encoder", after Sohn, Lee & Yan 2015), re-run here
on the protocol of `conditional.py`.

    baseline   y^ = f(s),  784-500-500-784                                     minimised  -log p(x | y^) over hidden pixels
    CVAE       z ~ p(z|s, y^),  x ~ p(x|z),  guide q(z|s, x),  z of 200         minimised  E_q[-log p(x|z)] + KL(q(z|s,x) || p(z|s,y^))
               both Gaussian nets and the generator 500-500; the baseline is trained first and stays as it is

Shapes: x, s [N, 1, 28, 28] in [-1, 1], s 0 where hidden; mask [N, 1, 28, 28], 1 where hidden; z [N, 200].
Departures: one system whose first `share` of the run trains the baseline, in place of two scripts that stop early on a validation set;
pixels are binarised, so that the numbers are likelihoods.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pushforward.core import Adam, Batch, Edits, Player, Stage, System, Terms, Weighs
from pushforward.maths import draw, draws_of, kl_between, noise
from pushforward.nets import Bernoulli

HIDDEN, LATENT = 500, 200


@dataclass(frozen=True)
class Settings:
    """What the tutorial leaves open."""

    shape: tuple[int, ...]
    share: float = 0.3
    """Of the run, for the baseline alone."""
    baseline: bool = False
    """Only the baseline: it predicts without a code."""
    batch_size: int = 128

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by pydantic, which core need not import


def layers(into: int, out: int) -> nn.Sequential:
    """Two hidden layers."""
    return nn.Sequential(nn.Linear(into, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, out))


class Networks(nn.Module):
    """q(z|s,x), p(z|s,y^) and p(x|z)."""

    def __init__(self, pixels: int):
        super().__init__()
        self.guide, self.prior, self.generator = layers(pixels, 2 * LATENT), layers(pixels, 2 * LATENT), layers(LATENT, pixels)


class PyroQuadrants(System, Edits, Weighs):
    """config: see `Settings`."""

    Config = Settings

    def __init__(self, config: Settings):
        super().__init__()
        self.config = config
        pixels = config.shape[0] * config.shape[1] * config.shape[2]
        self.predict, self.networks, self.likelihood = layers(pixels, pixels), Networks(pixels), Bernoulli()
        self.enter(self.schedule(0, 1))

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"image", "source", "mask"})

    def schedule(self, seen: int, total: int) -> Stage:
        progress = min(1.0, seen / total)
        era = int(progress >= self.config.share and not self.config.baseline)
        return Stage(seen, self.config.batch_size, progress=progress, era=era)

    def players(self) -> list[Player]:
        first = self.stage.era == 0
        return [
            Player("baseline", self.predict, self.baseline_loss, Adam(1e-3), plays=first),
            Player("cvae", self.networks, self.loss, Adam(1e-3), plays=not first),
        ]

    def predicted(self, batch: Batch) -> Tensor:
        """Logits of the whole image, from what is seen of it."""
        return self.predict(batch["source"].flatten(1)).view_as(batch["image"])

    def baseline_loss(self, batch: Batch) -> tuple[Tensor, Terms]:
        """-log p(x | y^) of the hidden pixels, in nats per image."""
        return -self.likelihood(batch["image"], self.predicted(batch), batch["mask"]).mean(), {}

    def both(self, batch: Batch) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """Mean and log-variance of q(z|s,x) and of p(z|s,y^), where y^ fills in what is hidden."""
        hidden = batch["mask"] > 0
        answer = torch.where(hidden, torch.tanh(self.predicted(batch).detach().float() / 2), batch["source"])
        q, p = (net(x.flatten(1)).float().chunk(2, 1) for net, x in ((self.networks.guide, batch["image"]), (self.networks.prior, answer)))
        return (q[0], q[1].clamp(-12, 8)), (p[0], p[1].clamp(-12, 8))

    def loss(self, batch: Batch) -> tuple[Tensor, Terms]:
        """E_q[-log p(x|z)] + KL(q(z|s,x) || p(z|s,y^)), in nats per image."""
        q, p = self.both(batch)
        distortion = -self.likelihood(batch["image"], self.made(draw(*q), batch), batch["mask"]).mean()
        rate = kl_between(*q, *p).sum(1).mean()
        return distortion + rate, {"distortion": distortion, "rate": rate}

    def made(self, z: Tensor, batch: Batch) -> Tensor:
        """Logits of images [*, C, H, W]."""
        return self.networks.generator(z).view(*z.shape[:-1], *batch["image"].shape[1:])

    @torch.no_grad()
    def edit(self, batch: Batch, seed: int | None = None) -> Tensor:
        if self.config.baseline:
            logits = self.predicted(batch)
        else:
            _, (mean, log_var) = self.both(batch)
            z = mean if seed is None else mean + (log_var / 2).exp() * noise(len(mean), LATENT, seed, mean.device)
            logits = self.made(z, batch)
        return torch.where(batch["mask"] > 0, self.likelihood.mean(logits), batch["source"])

    @torch.no_grad()
    def log_weights(self, batch: Batch, draws: int) -> tuple[Tensor, Tensor]:
        x, hidden = (v.expand(draws, *v.shape).flatten(0, 1) for v in (batch["image"], batch["mask"]))
        if self.config.baseline:
            log_p = self.likelihood(batch["image"], self.predicted(batch), batch["mask"]).expand(draws, -1)
            return log_p, torch.zeros_like(log_p)
        z, excess = draws_of(draws, *self.both(batch))
        return self.likelihood(x, self.made(z, batch).flatten(0, 1), hidden).view(draws, -1), excess
