"""Image-to-image translation with conditional adversarial nets (Isola, Zhu, Zhou & Efros 2017, "pix2pix").

    model          y = G(x), x a source, y the image that it should become; dropout in G is the only noise
    discriminator  D(x, y), the logit of "real" of each patch
    D minimises    1/2 E softplus(-D(x, y)) + 1/2 E softplus(D(x, G(x)))  [+ r1/2 E |dD/dy|^2]
    G minimises    E softplus(-D(x, G(x))) + l1 E |y - G(x)|_1  [+ matching E |D_k(x, y) - D_k(x, G(x))|_1]

`objective` leaves parts out: l1 has no D; gan and l1+gan have one that does not see x. D is a convolutional net of which each answer sees a
patch of `field` pixels (Li & Wand 2016), the mean of all answers counts; with `scales` several of them look at images of half the size each
(Wang et al. 2018), and G may be asked to match what they see in real images on the way (`matching`).

With a `code` (Zhu et al. 2017, "BicycleGAN") there are several answers to a source, y = G(x, z): z ~ E(y) in the terms above, which then
also pay kl KL(E(y) || N(0, I)); and for z ~ N(0, I) G minimises E softplus(-D(x, G(x, z))) + recovery E |z - E(G(x, z))|_1.

Shapes: x [N, S, H, W], in [-1, 1] or maps of 0 and 1; y [N, C, H, W] in [-1, 1]; z [N, code]; D [N, 1, P, Q].
Departures: instance normalisation without running statistics (Ulyanov et al. 2017), which at batches of one is what the paper's batch
normalisation is, and the same in use. Without being asked for noise, G leaves its dropout out, so that an answer is the same every time.
Sources and images are moved a little and mirrored alike (`data/jitter.py`); the rate falls to 0 over the second half, as in the authors'
later code. One D judges both kinds of answers where there is a code; z moves scale and shift of normalised maps (Huang et al. 2018),
where the paper's maps of z beside x would be normalised away.
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Gt, Interval
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import avg_pool2d, softplus

from pushforward.core import Adam, BadInput, Batch, Edits, Kept, Player, Stage, System, Terms
from pushforward.data import chance
from pushforward.data.jitter import jittered
from pushforward.maths import draw, kl_from_standard_normal
from pushforward.maths.game_values import squared_slope
from pushforward.nets.residual import ResidualEncoder
from pushforward.nets.unet import Norm, PatchCritic, UNet, Upwards, fitting_field, smallest

Objective = Literal["l1", "gan", "cgan", "l1+gan", "l1+cgan"]


@dataclass(frozen=True)
class Settings:
    """What pix2pix is made of. `shape` and `source` follow from the data."""

    shape: tuple[int, ...]
    """(C, H, W) of images."""
    source: int = 0
    """S."""
    twins: tuple[int, ...] = ()
    """The map of x that each becomes in a mirror, where left and right are different parts; follows from the data too."""
    objective: Objective = "l1+cgan"
    """What G wants: near the truth (l1), real to D (gan), real to D beside its source (cgan)."""
    l1: Annotated[float, Ge(0)] = 100.0
    """Weight of E |y - G(x)|_1."""
    net: Literal["unet", "encoder_decoder"] = "unet"
    """With or without a short cut at each level."""
    width: Annotated[int, Ge(1)] = 32
    """Channels after the first halving, of G and D; the paper has 64."""
    field: Literal[0, 1, 16, 34, 70, 142, 286] = 0
    """Side of the patches that D judges, in pixels; 0: 70, or what suits smaller images."""
    dropout: Annotated[float, Interval(ge=0, lt=1)] = 0.5
    """In the three innermost levels of the way up."""
    norm: Norm = "instance"
    """Normalisation of both."""
    upwards: Upwards = "transposed"
    """How G doubles its maps."""
    jitter: bool = True
    """Train on images moved a little and mirrored at random."""
    scales: Annotated[int, Interval(ge=1, le=3)] = 1
    """Critics, each of which sees images of half the size of the one before."""
    matching: Annotated[float, Ge(0)] = 0.0
    """Weight of matching what critics see on the way."""
    code: Annotated[int, Ge(0)] = 0
    """Dimensions of a code that tells answers to one source apart, in place of dropout; the paper has 8, with l1 10. 0: none."""
    kl: Annotated[float, Ge(0)] = 0.01
    """Weight of what codes cost, in nats."""
    recovery: Annotated[float, Ge(0)] = 0.5
    """Weight of finding a code again in the answer that it made."""
    r1: Annotated[float, Ge(0)] = 0.0
    """gamma of gamma/2 |dD/dy|^2 at real images."""
    rate: Annotated[float, Gt(0)] = 2e-4
    """Learning rate of Adam with betas (0.5, 0.999)."""
    batch_size: Annotated[int, Ge(1)] = 4
    """Pairs of a round; the paper has 1 to 10."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by pydantic, which core need not import


class Critics(nn.Module):
    """y [N, C, H, W] beside x, or alone -> a list of logits and maps, one for each scale."""

    def __init__(self, into: int, field: int, width: int, norm: Norm, scales: int):
        super().__init__()
        self.scales = nn.ModuleList(PatchCritic(into, field, width, norm) for _ in range(scales))

    def forward(self, seen: Tensor) -> list[tuple[Tensor, list[Tensor]]]:
        found = []
        for number, critic in enumerate(self.scales):
            found.append(critic(avg_pool2d(seen, 2**number) if number else seen))
        return found


class Coder(nn.Module):
    """E: y [N, C, H, W] -> mean and log variance of z [N, code]."""

    def __init__(self, shape: tuple[int, ...], code: int, width: int):
        super().__init__()
        self.reader = ResidualEncoder(shape, width)
        self.head = nn.Linear(self.reader.features, 2 * code)

    def forward(self, y: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_var = self.head(self.reader(y)).float().chunk(2, 1)
        return mean, log_var.clamp(-12, 8)


class Generator(nn.Module):
    """x [N, S, H, W], and z [N, code] where there is one -> y [N, C, H, W]. It keeps E, which learns with it."""

    def __init__(self, c: Settings):
        super().__init__()
        size, dropout = (c.shape[1], c.shape[2]), 0.0 if c.code else c.dropout
        self.net = UNet(c.source, c.shape[0], size, c.width, c.norm, c.upwards, dropout, c.net == "unet", code=c.code)
        self.coder = Coder(c.shape, c.code, c.width) if c.code else None

    def forward(self, x: Tensor, z: Tensor | None = None) -> Tensor:
        return self.net(x, None if z is None else z.to(x)).float()


class Pix2Pix(System, Edits):
    """config: see `Settings`."""

    Config = Settings
    compiles = False

    def __init__(self, config: Settings):
        super().__init__()
        self.config = c = config
        if len(c.shape) != 3 or not c.source:
            raise BadInput("pix2pix translates pairs of images. Give --pairs left-to-right, SOURCE:TARGET, edges, grey or parts.")
        size = (c.shape[1], c.shape[2])
        field = c.field or fitting_field((size[0] // 2 ** (c.scales - 1), size[1] // 2 ** (c.scales - 1)))
        least = smallest(field) * 2 ** (c.scales - 1)
        if min(size) < least:
            twice = f" at {c.scales} scales" if c.scales > 1 else ""
            advice = "Lower --field." if field > 1 else "Use larger images, or fewer --scales."
            raise BadInput(f"Patches of {field} pixels{twice} need images of at least {least}, but these have {min(size)}. {advice}")
        if c.objective == "l1" and (idle := [name for name in ("r1", "matching") if getattr(c, name)]):
            told = f"With --objective l1 there is no D, so that {' and '.join(idle)} would do nothing"
            raise BadInput(f"{told}. Use l1+cgan, or leave it out.")
        if not c.code and (idle := [name for name in ("kl", "recovery") if getattr(c, name) != getattr(Settings, name)]):
            raise BadInput(f"Without a code {' and '.join(idle)} would do nothing. Give --code 8, say, or leave it out.")
        if c.code and c.objective == "l1":
            raise BadInput("With --objective l1 nobody asks for several answers, so that a code learns nothing. Use l1+cgan, or --code 0.")
        self.generator, self.kept = Generator(c), Kept()
        self.conditional = c.objective.endswith("cgan")
        if c.objective != "l1":
            into = c.shape[0] + (c.source if self.conditional else 0)
            self.discriminator = Critics(into, field, c.width, c.norm, c.scales)
        self.enter(self.schedule(0, 1))

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"image", "source"})

    def schedule(self, seen: int, total: int) -> Stage:
        progress = min(1.0, seen / total)
        return Stage(seen, self.config.batch_size, progress=progress, rate=min(1.0, 2 - 2 * progress))

    def players(self) -> list[Player]:
        steps = Adam(self.config.rate, (0.5, 0.999))
        generator = Player("generator", self.generator, self.generator_loss, steps)
        if self.config.objective == "l1":
            return [generator]
        return [Player("discriminator", self.discriminator, self.discriminator_loss, steps), generator]

    def enter(self, stage: Stage) -> None:
        super().enter(stage)
        self.kept.clear()

    def answers(self, batch: Batch) -> tuple[Tensor, ...]:
        """x and y, changed alike where that was asked for, and G(x). With codes G answers twice, [2N, C, H, W], for those found in y and
        for drawn ones, and mean and log variance of the former and the latter follow."""
        x, y = batch["source"], batch["image"]
        if self.config.jitter:
            x, y = jittered(x, y, twins=self.config.twins)
        if self.generator.coder is None:
            return x, y, self.generator(x)
        mean, log_var = self.generator.coder(y)
        z = torch.randn_like(mean)
        return x, y, self.generator(x.repeat(2, 1, 1, 1), torch.cat([draw(mean, log_var), z])), mean, log_var, z

    def judged(self, x: Tensor, *images: Tensor) -> list[list[tuple[Tensor, list[Tensor]]]]:
        """For each of several sets of images [k N, C, H, W] the logits and maps of every critic. They are judged together, where no
        normalisation makes one's answer depend on others."""
        if self.config.norm == "batch":
            return [self.discriminator(self.beside(x, y)) for y in images]
        sizes = [len(y) for y in images]
        found = self.discriminator(self.beside(x, torch.cat(images)))
        split = [(logits.split(sizes), [each.split(sizes) for each in maps]) for logits, maps in found]
        return [[(logits[n], [each[n] for each in maps]) for logits, maps in split] for n in range(len(images))]

    def beside(self, x: Tensor, y: Tensor) -> Tensor:
        """What D sees of images, in the order of their sources."""
        return torch.cat([x.repeat(len(y) // len(x), 1, 1, 1), y], 1) if self.conditional else y

    def discriminator_loss(self, batch: Batch) -> tuple[Tensor, Terms]:
        """1/2 E softplus(-D(x, y)) + 1/2 E softplus(D(x, G(x)))."""
        x, y, answer, *_ = self.kept.lend(self.generator, batch, partial(self.answers, batch))
        y = y.clone().requires_grad_(bool(self.config.r1))
        if self.config.r1:  # apart, or the way back to y would pass through what D thinks of answers too
            (real,), (made,) = self.judged(x, y), self.judged(x, answer)
        else:
            real, made = self.judged(x, y, answer)
        loss = sum_of([softplus(-r).mean() + softplus(m).mean() for (r, _), (m, _) in zip(real, made, strict=True)]) / 2
        if self.config.r1:
            loss = loss + self.config.r1 / 2 * squared_slope(sum_of([r.mean((1, 2, 3)) for r, _ in real]), y)
        said = {"real": real[0][0].sigmoid().mean(), "made": made[0][0].sigmoid().mean()}
        return loss, {name: value.detach() for name, value in said.items()}

    def generator_loss(self, batch: Batch) -> tuple[Tensor, Terms]:
        """E softplus(-D(x, G(x))) + l1 E |y - G(x)|_1 + matching; with codes also what these ask for."""
        c = self.config
        x, y, answer, *coded = self.kept.take(self.generator, batch, partial(self.answers, batch))
        made = answer[: len(x)]
        apart = (y - made).abs().mean()
        loss, terms = made.new_zeros(()), {"l1": apart.detach()}
        if "l1" in c.objective:
            loss = loss + c.l1 * apart
        if c.objective != "l1":
            (seen,) = self.judged(x, answer)
            loss = loss + sum_of([softplus(-logits).mean() for logits, _ in seen]) * (len(answer) // len(x))
            if c.matching:
                loss = loss + c.matching * self.unlike(seen, *self.judged(x, y))
        if coded:
            mean, log_var, z = coded
            terms["rate"] = rate = kl_from_standard_normal(mean, log_var).sum(1).mean()
            terms["recovery"] = lost = (z - self.found_again(answer[len(x) :])).abs().mean()
            loss = loss + c.kl * rate + c.recovery * lost
        return loss, terms

    def found_again(self, made: Tensor) -> Tensor:
        """The code of answers; E itself learns from real images alone."""
        assert self.generator.coder is not None
        still = {name: weight.detach() for name, weight in self.generator.coder.named_parameters()}
        mean, _ = functional_call(self.generator.coder, still, (made,))
        return mean

    def unlike(self, made: list[tuple[Tensor, list[Tensor]]], real: list[tuple[Tensor, list[Tensor]]]) -> Tensor:
        """How far apart critics' maps of generated and of real images are, mean over layers and scales."""
        pairs = [(m[: len(r)], r) for (_, ms), (_, rs) in zip(made, real, strict=True) for m, r in zip(ms, rs, strict=True)]
        return sum_of([(m - r.detach()).abs().mean().float() for m, r in pairs]) / len(pairs)

    @property
    def varied(self) -> bool:
        return bool(self.config.code)

    @torch.no_grad()
    def edit(self, batch: Batch, seed: int | None = None) -> Tensor:
        """What batch["source"] becomes: without noise (or for the code 0), or with the dropout or the code that a seed draws: for
        each image by its `index`, where the batch has one, whatever is beside it."""
        x, code = batch["source"], self.config.code
        places = batch.get("index", torch.arange(len(x))).tolist()
        chances = None if seed is None else [chance.generator("answer", seed, place) for place in places]
        if code:
            z = torch.zeros(len(x), code) if chances is None else torch.cat([torch.randn(1, code, generator=own) for own in chances])
            return self.generator(x, z.to(x.device)).clamp(-1, 1)
        noisy = [part for part in self.generator.modules() if isinstance(part, nn.Dropout)]
        modes = [part.training for part in noisy]
        with torch.random.fork_rng():
            for part in noisy:
                part.train(seed is not None)
            try:
                return (self.generator(x) if chances is None else self.drawn(x, chances)).clamp(-1, 1)
            finally:
                for part, mode in zip(noisy, modes, strict=True):
                    part.train(mode)

    def drawn(self, x: Tensor, chances: list[torch.Generator]) -> Tensor:
        """Answers with dropout, each with its own: what becomes of an image does not hang on those beside it."""
        answers = []
        for one, own in zip(x.split(1), chances, strict=True):
            torch.manual_seed(own.initial_seed())
            answers.append(self.generator(one))
        return torch.cat(answers)


def sum_of(values: list[Tensor]) -> Tensor:
    """Their sum."""
    return torch.stack(values).sum(0)
