"""Generative face completion (Li, Liu, Yang & Yang 2017), and its kind of network with what was found since.

    model            y = G(x, m): x an image with a hole, m a mask, 1 in the hole; answer  m y + (1 - m) image
    gated            y = g + G(g, (1 - m)(x - g), m),  g = E[image | seen] of a Gaussian of small images (`nets/first_guess.py`)
    reconstruction   E d,  d = a mean over the hole + (1 - a) mean over the rest of |image - y|;  or of squares;  or E log d, d of squares
    low pass         once critics play, d is of means over squares of `lowpass` pixels: what is finer is left to them
    local critic     sees the hole alone, cut out;  global critic: the whole answer
    parsing          E -log q(argmax q(. | image) | answer) over pixels, q a given parser that stays as it is
    critics minimise 1/2 E softplus(-D(image)) + 1/2 E softplus(D(answer))  (or hinges)  [+ r1/2 E |dD/dx|^2]
    stages           reconstruction;  from `second` of the run + local critic;  from `third` + global critic and parsing
    G minimises      reconstruction + adversarial (E softplus(-D_local) + E softplus(-D_global)) + parsing

Forms: `paper`, noise in the hole, an encoder-decoder with fully connected layers in the middle that is not told the mask; and `gated`,
which is told it (Yu et al. 2019; Iizuka et al. 2017) and usually plays against a critic of patches that sees the mask too, with spectral
normalisation and hinges.

Shapes: image, x, y [N, C, H, W] in [-1, 1]; m [N, 1, H, W]; critics' logits [N], or [N, 1, P, Q].
Departures: means over pixels, where the authors' code sums (weights are converted: 300 and .05 over 128 x 128 x 3 values), of which every
hole has the same share a, a quarter as the paper's square has, or half in the gated form, so that an eye counts as much as half a face;
the logarithm gives every image its own spread (Rybkin et al. 2021), so that odd faces do not outvote the others; masks of any form, of
which the local critic sees the box around the hole; both critics begin as wide as G, where the paper's local one has twice that; averaged
weights answer; images are mirrored at random, their holes are not, and nothing is turned or shifted; four of a round share a hole where
there is a first guess, which costs by the hole; what the gated G adds cannot alternate from pixel to pixel (`nets/painters.py`);
once critics play, G slows down and reconstruction looks through a low pass.
"""

from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from math import cos, isqrt, pi
from typing import Annotated, ClassVar, Literal

import torch
from annotated_types import Ge, Gt, Interval
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, cross_entropy, relu, softplus
from torch.nn.utils.parametrizations import spectral_norm

from pushforward.core import Adam, Average, BadInput, Batch, Edits, Kept, Parses, Player, Source, Stage, System, Terms, growing
from pushforward.data import Shuffled
from pushforward.maths.game_values import zero_centred
from pushforward.nets.first_guess import FirstGuess
from pushforward.nets.painters import GatedPainter, PaperPainter, WholeCritic, hole_of
from pushforward.nets.unet import PatchCritic, fitting_field

HOLE = {"paper": 0.25, "gated": 0.5}
"""Share of the reconstruction that each hole has, whatever its size; the paper's is that of a square of half the side."""
PARSING_2017 = 0.05 * 16384 / 49152
"""Weight of the parts in the authors' code, beside l1; the paper has a tenth of it."""
LEAST = 1e-3
"""Squares that count as none where their logarithm is taken."""
LARGEST = 3 * 64 * 64
"""Values of the small images of a first guess, at the most: of each there are a few hundred to keep."""
GUESSED = 15_360
"""Images that a first guess is fitted on, at the most."""
SHARED = 4
"""Images of a round that have one hole, where there is a first guess."""
SEEN = 4
"""Pixels that a side has at the least, for a local critic."""
WARM = 0.01
"""Share of the run in which learning rates rise."""


@dataclass(frozen=True)
class Settings:
    """What a completion is made of. `shape` follows from the data."""

    shape: tuple[int, ...]
    """(C, H, W)."""
    form: Literal["gated", "paper"] = "gated"
    """G."""
    critics: Literal["patch", "local", "local+global", "none"] = "patch"
    """Who judges; the paper has local+global."""
    width: Annotated[int, Ge(1)] = 32
    """Channels of the first layers, of G and of critics; the paper's G and global critic have 32, its local critic 64."""
    code: Annotated[int, Ge(1)] = 512
    """Units in the middle of the paper's G, which has 4096 for 128 pixels."""
    guess: Annotated[int, Ge(0)] = 64
    """Side of the small images whose Gaussian gives the gated G a first guess, fewer where images have more than 3 channels; 0: none."""
    distance: Literal["log", "l1", "l2"] = "log"
    """Of the reconstruction: the logarithm of each image's squares, squares, as in the paper, or l1 as in the authors' code."""
    adversarial: Annotated[float, Ge(0)] = 0.6
    """Weight of what each critic says, beside a logarithm, and far too much beside l1 or l2: the paper has 300/49152 beside l1."""
    parsing: Annotated[float, Ge(0)] = 10.0
    """Weight of the parts, where a parser is given; beside a logarithm too."""
    second: Annotated[float, Interval(ge=0, le=1)] = 0.75
    """Share of the run after which the local critic joins, or that of patches; half in `completion_2017`."""
    lowpass: Annotated[int, Ge(1)] = 2
    """Side, in pixels, of the squares whose means reconstruction compares once critics play; 1, as in the paper: all of it, always."""
    third: Annotated[float, Interval(ge=0, le=1)] = 0.9
    """Share after which the global critic and the parser join."""
    rate: Annotated[float, Gt(0)] = 1e-3
    """Learning rate of G, from `third` on lowered to 0 by half a cosine; the paper has 1e-4. Weights of the gated form move by
    ten times as much of what they start with (`nets/paced.py`)."""
    slower: Annotated[float, Gt(0)] = 0.2
    """Share of its rate at which G learns once critics play, so that these keep up (Heusel et al. 2017); 1: all, as in the paper."""
    critic_rate: Annotated[float, Gt(0)] = 1e-3
    """Learning rate of critics, which stays, with betas (0.5, 0.999); the paper has 2e-4."""
    r1: Annotated[float, Ge(0)] = 0.0
    """gamma of gamma/2 |dD/dx|^2 at what a critic sees of true images (Mescheder et al. 2018)."""
    average: Annotated[int, Ge(1)] = 2_000
    """Half-life of the averaged weights, in images."""
    batch_size: Annotated[int, Ge(1)] = 16
    """Images of a round; the paper has 2, an image and its mirror."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by pydantic, which core need not import


class MaskedPatches(nn.Module):
    """image and mask -> logits [N, 1, P, Q] of patches; every layer is divided by its largest singular value (Miyato et al. 2018)."""

    def __init__(self, channels: int, size: tuple[int, int], width: int):
        super().__init__()
        self.critic = PatchCritic(channels + 1, fitting_field(size), width, "none")
        for part in self.critic.modules():
            if isinstance(part, nn.Conv2d):
                part.reset_parameters()  # its start at 0.02 is for layers that are normalised otherwise
                spectral_norm(part)

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        """Logits."""
        return self.critic(torch.cat([image, mask], 1))[0]


class Completion(System, Edits):
    """config: see `Settings`. parser: names the parts of images of the same shape."""

    Config = Settings
    compiles = False
    needs: frozenset[str] = frozenset({"image", "source", "mask"})
    given: ClassVar[dict[str, type]] = {"parser": Parses}

    def __init__(self, config: Settings, parser: System | None = None):
        super().__init__()
        self.config = c = config
        if len(c.shape) != 3:
            raise BadInput(f"Completion paints images, but the data have shape {c.shape}. Use vae for rows of numbers.")
        if c.form == "paper" and c.guess != Settings.guess:
            raise BadInput(f"guess is {c.guess}, but the paper's form has no first guess. Use --form gated, or leave it out.")
        if c.form == "gated" and c.code != Settings.code:
            raise BadInput(f"code is {c.code}, but the gated form has no units in its middle. Use --form paper, or leave it out.")
        if parser is None and c.parsing not in (Settings.parsing, PARSING_2017):
            raise BadInput(f"parsing is {c.parsing:g}, but no parser says which parts there are. Give --parser RUN, or leave it out.")
        if c.r1 and c.critics == "none":
            raise BadInput(f"r1 is {c.r1:g}, but there are no critics that it could calm. Use --critics patch, or leave it out.")
        if c.critics.startswith("local") and min(c.shape[1:]) < SEEN:
            raise BadInput(f"Local critics need sides of at least {SEEN} pixels, but these have {min(c.shape[1:])}. Use --critics patch.")
        self.parser = None if parser is None else fitting(parser, c.shape)
        channels, size = c.shape[0], (c.shape[1], c.shape[2])
        self.generator = GatedPainter(c.shape, c.width) if c.form == "gated" else PaperPainter(c.shape, c.width, c.code)
        self.averaged = deepcopy(self.generator).eval().requires_grad_(False)
        self.guess = FirstGuess(c.shape, min(c.guess, isqrt(LARGEST // channels))) if c.form == "gated" and c.guess else None
        self.critics, self.kept = nn.ModuleDict(), Kept()
        if c.critics == "patch":
            self.critics["patch"] = MaskedPatches(channels, size, c.width)
        elif c.critics != "none":
            self.critics["local"] = WholeCritic(channels, (size[0] // 2, size[1] // 2), c.width)
        if c.critics == "local+global":
            self.critics["global"] = WholeCritic(channels, size, c.width)
        self.enter(self.schedule(0, 1))

    def schedule(self, seen: int, total: int) -> Stage:
        progress = min(1.0, seen / total)
        rate = min(1.0, max(progress / WARM, WARM))
        return Stage(seen, self.config.batch_size, progress=progress, rate=rate, era=int(seen > 0))

    def players(self) -> list[Player]:
        c, here = self.config, self.stage.progress
        steps = Adam(c.critic_rate, (0.5, 0.999))
        found = []
        for name, critic in self.critics.items():
            found.append(Player(name, critic, partial(self.critic_loss, name), steps, plays=here >= self.joins(name)))
        average = Average(self.averaged, growing(c.average, self.stage.seen))
        return [*found, Player("generator", self.generator, self.generator_loss, Adam(c.rate * self.fall()), average=average)]

    def fall(self) -> float:
        """G's share of its learning rate: critics that join late need a G that still moves, and one that they can follow."""
        c, here = self.config, self.stage.progress
        last = min(1.0, max(0.0, here - c.third) / max(1e-9, 1 - c.third))
        return (c.slower if self.criticised() else 1.0) * (1 + cos(pi * last)) / 2

    def criticised(self) -> bool:
        """Whether critics play."""
        return any(self.stage.progress >= self.joins(name) for name in self.critics)

    def joins(self, what: str) -> float:
        """The share of the run after which a critic, or the parser, has a say."""
        return self.config.third if what in ("global", "parser") else self.config.second

    def accept(self, batch: Batch) -> None:
        if not bool(batch["mask"].any()):
            raise BadInput("The mask hides nothing, so that there is nothing to paint. Train with --mask square, strokes or the like.")

    def survey(self, source: Source) -> None:
        """After the first round: images tell the Gaussian of the first guess."""
        if self.guess is not None and isinstance(source, Shuffled):
            data = replace(source.dataset, mask="")
            some = min(len(data), GUESSED)
            places = torch.arange(some) * len(data) // some  # in their order: neighbours may be alike, and are kept apart together
            self.guess.fit((data.batch(part)["image"] for part in places.split(256)), len(data))

    def painted_by(self, generator: nn.Module, x: Tensor, mask: Tensor, seed: int | None = None, known: Tensor | None = None) -> Tensor:
        """y = G(x, m); of the gated form y = g + G(g, (1 - m)(x - g), m), g the first guess, or 0; known: images that it was fitted on.

        g is as smooth where the image is seen as in the hole: what it leaves unexplained there tells what it leaves in the hole.
        """
        if self.config.form == "gated":
            guess = torch.zeros_like(x) if self.guess is None else self.guess(x, mask, known)
            return guess + generator(guess, (x - guess) * (1 - mask), mask).float()
        # a seed's noise is the same for every image, so that an answer does not depend on which others are answered with it
        noise = torch.rand(x.shape) if seed is None else torch.rand(x.shape[1:], generator=torch.Generator().manual_seed(seed))
        return generator(x * (1 - mask) + (noise * 2 - 1).to(x) * mask).float()

    def enter(self, stage: Stage) -> None:
        super().enter(stage)
        self.kept.clear()

    def completed(self, batch: Batch) -> tuple[Tensor, ...]:
        """Image, mask, y and the answer: of images that are mirrored at random; some share a hole where first guesses cost by the hole."""
        image, mask = batch["image"], batch["mask"]
        image = torch.where(torch.rand(len(image), 1, 1, 1, device=image.device) < 0.5, image.flip(3), image)
        if self.guess is not None:
            mask = mask[::SHARED].repeat_interleave(SHARED, 0)[: len(mask)]
        y = self.painted_by(self.generator, image * (1 - mask), mask, known=image)
        return image, mask, y, torch.where(mask > 0, y, image)

    def seen_by(self, name: str, image: Tensor, mask: Tensor) -> Tensor:
        """What a critic sees of images: all of them, or the hole."""
        return hole_of(image, mask) if name == "local" else image

    def logits(self, name: str, seen: Tensor, mask: Tensor) -> Tensor:
        """What a critic says of what it sees."""
        critic = self.critics[name]
        return critic(seen, mask) if name == "patch" else critic(seen)

    def critic_loss(self, name: str, batch: Batch) -> tuple[Tensor, Terms]:
        """1/2 E softplus(-D(image)) + 1/2 E softplus(D(answer)); of patches E max(0, 1 - D(image)) + E max(0, 1 + D(answer)); and R1."""
        gamma = self.config.r1
        image, mask, _, answer = self.kept.lend(self.generator, batch, partial(self.completed, batch))
        true = self.seen_by(name, image, mask).detach().requires_grad_(bool(gamma))
        real, made = self.logits(name, true, mask), self.logits(name, self.seen_by(name, answer, mask), mask)
        loss = relu(1 - real).mean() + relu(1 + made).mean() if name == "patch" else (softplus(-real).mean() + softplus(made).mean()) / 2
        if gamma:
            loss = loss + zero_centred((gamma, real.reshape(len(real), -1).mean(1), true))
        return loss, {"real": real.detach().mean(), "made": made.detach().mean()}

    def generator_loss(self, batch: Batch) -> tuple[Tensor, Terms]:
        """Reconstruction, and what those say that have joined."""
        c, here = self.config, self.stage.progress
        image, mask, y, answer = self.kept.take(self.generator, batch, partial(self.completed, batch))
        side = min(c.lowpass, *image.shape[2:]) if self.criticised() else 1
        apart, hole = (avg_pool2d(value, side, 1) for value in (image - y, mask))
        far = reconstruction(apart.abs() if c.distance == "l1" else apart.square(), hole, HOLE[c.form])
        loss = ((far + LEAST).log() if c.distance == "log" else far).mean()
        terms = {"reconstruction": loss.detach(), "hole": ((image - y).detach().abs() * mask).sum() / (mask.sum() * len(image[0]))}
        for name in self.critics:
            if here >= self.joins(name):
                said = self.logits(name, self.seen_by(name, answer, mask), mask)
                loss = loss + c.adversarial * (-said.mean() if name == "patch" else softplus(-said).mean())
        if self.parser is not None and c.parsing and here >= self.joins("parser"):
            terms["parsing"] = parts = self.unlike(image, answer)
            loss = loss + c.parsing * parts
        return loss, terms

    def unlike(self, image: Tensor, answer: Tensor) -> Tensor:
        """E -log q(argmax q(. | image) | answer)."""
        assert isinstance(self.parser, nn.Module) and isinstance(self.parser, Parses)
        with torch.no_grad():
            parts = self.parser.parse(image).argmax(1)
        return cross_entropy(self.parser.parse(answer), parts)

    @torch.no_grad()
    def edit(self, batch: Batch, seed: int | None = None) -> Tensor:
        """What is hidden of batch["source"] is painted; what is seen stays to the bit. seed: of the paper's noise."""
        return torch.where(batch["mask"] > 0, self.painted(batch, seed), batch["source"])

    @torch.no_grad()
    def painted(self, batch: Batch, seed: int | None = None) -> Tensor:
        """y, what is seen painted too; without a seed always the same, and none that a seed draws."""
        return self.painted_by(self.averaged, batch["source"], batch["mask"], 0 if seed is None else seed + 1).clamp(-1, 1)


def reconstruction(apart: Tensor, mask: Tensor, hole: float) -> Tensor:
    """How far each image is off [N]: `hole` of the mean over its hole and the rest of that over the rest, of how far each pixel is."""
    share = mask.mean((1, 2, 3), keepdim=True)
    weight = hole * mask / share.clamp_min(1e-6) + (1 - hole) * (1 - mask) / (1 - share).clamp_min(1e-6)
    return (apart * weight).mean((1, 2, 3))


def fitting(parser: System, shape: tuple[int, ...]) -> System:
    """The parser.

    Raises:
        BadInput: it is for images of another shape.
    """
    if tuple(parser.config.shape) != tuple(shape):
        known, asked = ("x".join(map(str, each)) for each in (parser.config.shape, shape))
        raise BadInput(f"The parser is for images of {known}, but these have {asked}. Train one with the same --size.")
    return parser.eval().requires_grad_(False)
