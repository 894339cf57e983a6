"""Generative moment matching network (Li, Swersky & Zemel 2015, "Generative moment matching networks"; Dziugaite, Roy & Ghahramani 2015,
"Training generative neural networks via maximum mean discrepancy optimization"): a plain generator net, without encoder or critic.

    model      z ~ N(0, I),  x = G(z; theta)
    minimised  a distance between generated x and real y, seen through samples alone:
      energy   2 E|x - y| - E|x - x'| - E|y - y'|                                                        (Szekely & Rizzo 2013)
      mmd      E k(x, x') + E k(y, y') - 2 E k(x, y),  k(a, b) = sum over sigma of exp(-|a - b|^2 / (2 sigma^2))

Both are 0 if and only if the two distributions are the same: all moments are matched at once. Means are over all pairs of a batch
(V-statistics), so that the loss of a perfect G is not 0 but what chance leaves between two samples of a batch's size.

Shapes: z [N, latent]; x, y [N, D] rows, standardised, or [N, C, H, W] images in [-1, 1], which are compared pixel by pixel.
Departures: z is normal, not uniform; MMD^2 is minimised, not its root; no auto-encoder's code space. The energy distance is taken along
random directions, where sorting does for all pairs (`slices`). The codes of a batch are spread more evenly than independent ones, because
the noise of small batches hides the weak slopes of fine detail; samples (drawn from independent codes) come from averaged weights.
"""

from copy import deepcopy
from dataclasses import dataclass
from math import sqrt
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Gt
from torch import Tensor, nn

from pushforward.core import Adam, Average, BadInput, Batch, Player, Samples, Stage, System, Terms, warm_up_then_cosine
from pushforward.maths import energy_distance, noise, random_directions, sliced_energy_distance, spread_normal, squared_mmd
from pushforward.nets import FlatDecoder

WIDTHS = (0.05, 0.2, 1.0, 5.0)
"""Kernel widths sigma, as shares of the typical distance of two rows with standardised columns, sqrt(2 D)."""
AVERAGED = 20
"""Rounds that the average of the weights reaches back (its half-life)."""


@dataclass(frozen=True)
class Settings:
    """What a generator net is made of, and by what it is taught. `shape` follows from the data."""

    shape: tuple[int, ...]
    """(C, H, W) of images, or (D,) of rows."""
    objective: Literal["energy", "mmd"] = "energy"
    """The distance that is minimised; mmd sees pairs farther apart than a few kernel widths as equally far."""
    latent: Annotated[int, Ge(1)] = 2
    """Dimensions of z; with 2 the grid of z and its image can be drawn."""
    units: Annotated[int, Ge(1)] = 64
    """Hidden units of a layer."""
    layers: Annotated[int, Ge(1)] = 7
    """Hidden layers; depth is what makes edges sharp."""
    slices: Annotated[int, Ge(0)] = 8
    """Random directions of a batch along which the energy distance is taken; 0: over all pairs."""
    rate: Annotated[float, Gt(0)] = 1e-2
    """Learning rate of Adam, lowered to 0 by half a cosine."""
    batch_size: Annotated[int, Ge(2)] = 256
    """Examples of a round, real and generated each."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by pydantic, which core need not import


class Generator(nn.Module):
    """G: z [N, latent] -> x [N, *shape]; images are cut to [-1, 1] smoothly."""

    def __init__(self, c: Settings):
        super().__init__()
        self.net = FlatDecoder(c.latent, c.shape, c.units, c.layers)
        self.bounded = len(c.shape) == 3
        *hidden, _ = [part for part in self.net.layers if isinstance(part, nn.Linear)]
        for layer in hidden:  # torch's usual start is too small for so many layers (He et al. 2015)
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
        nn.init.uniform_(hidden[0].bias, -2, 2)  # folds all over N(0, I), not only through its middle

    def forward(self, z: Tensor) -> Tensor:
        x = self.net(z)
        return x.tanh() if self.bounded else x


class MomentMatching(System, Samples):
    """config: see `Settings`."""

    Config = Settings

    def __init__(self, config: Settings):
        super().__init__()
        self.config = config
        self.generator = Generator(config)
        self.average = deepcopy(self.generator).eval().requires_grad_(False)
        self.key = "image" if len(config.shape) == 3 else "row"
        self.enter(self.schedule(0, 1))

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({self.key})

    @property
    def labels(self) -> int:
        return 0

    def schedule(self, seen: int, total: int) -> Stage:
        progress = min(1.0, seen / total)
        return Stage(seen, self.config.batch_size, progress=progress, rate=warm_up_then_cosine(progress))

    def players(self) -> list[Player]:
        average = Average(self.average, AVERAGED * self.config.batch_size)
        return [Player("generator", self.generator, self.loss, Adam(self.config.rate), average=average)]

    def loss(self, batch: Batch) -> tuple[Tensor, Terms]:
        """The distance between real y and as many generated x = G(z), in the units of the data."""
        y = batch[self.key].flatten(1)  # type: ignore[literal-required]
        z = spread_normal(len(y), self.config.latent, y.device)
        x = self.generator(z).flatten(1)
        with torch.autocast(y.device.type, enabled=False):
            distance = self.distance(x.float(), y)
        return distance, {}

    def distance(self, x: Tensor, y: Tensor) -> Tensor:
        d, c = y.shape[1], self.config
        if c.objective == "mmd":
            return squared_mmd(x, y, [width * sqrt(2 * d) for width in WIDTHS])
        if c.slices:
            return sliced_energy_distance(x, y, random_directions(c.slices, d, y))
        return energy_distance(x, y)

    @torch.no_grad()
    def sample(self, count: int, label: int | Tensor | None = None, seed: int | None = None) -> Tensor:
        if label is not None:
            raise BadInput(f"A generator net is trained without labels and cannot be asked for label {label}. Use conditional_vae.")
        return self.average(noise(count, self.config.latent, seed, next(self.average.parameters()).device))
