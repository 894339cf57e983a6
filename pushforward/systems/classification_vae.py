"""Classification VAE: an encoder that also classifies, a decoder that is told the class.

Source: the lecture's own system; the bound is that of Kingma et al. 2014, "Semi-supervised learning with deep generative models".

    model      y ~ Cat(1/K),  z ~ N(0, I),  x ~ p(x|y,z)
    guide      q(y|x) q(z|x), or q(y|x) q(z|x,y): one trunk, two heads
    bound      L(x,y) = E_q(z|x,y)[-log p(x|y,z)] + KL(q(z|x,y) || p(z)) + log K     y known
               U(x)   = sum_y q(y|x) L(x,y) - H[q(y|x)]                              y not known
    minimised  1/n (sum_labelled L + sum_unlabelled U + alpha sum_labelled -log q(y|x))
    lecture    1/n sum (-log p(x|y~,z) + KL(q(z|x) || p(z)))  +  1/n sum_labelled ||y - y^||^2,   y^ = q(.|x)
               with y~ = y where it is known, else the soft y^; each form learns from all labels, from some or from none

Shapes: x [N, C, H, W] in [-1, 1]; y [N], UNLABELLED where hidden; z [N, latent]; q(y|x) [N, K].
Departures: a run on views ends with batch normalisation measured on images as they are; the bound may weigh less than the labels and be
taken on a part of the batch. Beside it stand, where asked for, consistency of q(y|x) between a weak view read by the averaged teacher and a
strong one (FixMatch: Sohn et al. 2020), later a milder one (He et al. 2019, "Data augmentation revisited"), pseudo-labels aligned to equal
classes (Berthelot et al. 2020), the mutual information of the two views' classes (IIC: Ji et al. 2019), and a neighbour graph as teacher.
"""

from copy import deepcopy
from dataclasses import dataclass
from math import log
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Gt, Interval
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from pushforward.core import UNLABELLED, Adam, Average, BadInput, Batch, Player, Source, Stage, System, Terms, growing, warm_up_then_cosine
from pushforward.core.abilities import Classifies, Encodes, Samples, Weighs, asked
from pushforward.data import Shuffled
from pushforward.data.augment import VIEWS, ViewsName, see
from pushforward.data.graph_teacher import GraphTeacher
from pushforward.maths import draw, draws_of, entropy, kl_from_standard_normal, mutual_information, noise, one_hot
from pushforward.nets import Kind, Net, decoder_for, likelihood, measure_statistics, suits, trunk_for

JOINT = 64
"""Units in which q(z|x,y) joins what it reads in x with the class."""
NONE = {"consistency": 0.0, "mask_rate": 1.0, "confidence": 1.0, "information": 0.0, "rarest_class": 1.0}
"""What agreement tells of no unlabelled image: every part of a batch must give the same terms."""


@dataclass(frozen=True)
class Settings:
    """What a classification VAE is made of. `shape` and `classes` follow from the data."""

    shape: tuple[int, ...]
    """(C, H, W)."""
    classes: int
    """K."""
    form: Literal["bound", "lecture"] = "bound"
    """The bound of Kingma et al. 2014, or the lecture's loss."""
    latent: Annotated[int, Ge(1)] = 16
    """Dimensions of the code z."""
    net: Net = "auto"
    """Fully connected for tiny images, convolutional above; or one of these."""
    width: Annotated[int, Ge(0)] = 0
    """Channels after the first halving, or hidden units; 0: 32 or 400."""
    likelihood: Kind = "gaussian"
    """p(x|y,z). cross-entropy on grey levels is not a likelihood."""
    code_sees_label: bool = False
    """q(z|x,y) in place of q(z|x)."""
    label_weight: Annotated[float, Ge(0)] = 60.0
    """alpha: weight of each labelled image's -log q(y|x)."""
    bound_weight: Annotated[float, Ge(0)] = 1.0
    """Weight of the bound beside the other terms."""
    bound_every: Annotated[int, Ge(1)] = 1
    """The bound is taken on every so-many-th image of the batch."""
    warm_up: Annotated[float, Interval(ge=0, le=1)] = 0.0
    """Share of the run over which the weight of KL(q(z|x) || p(z)) rises from 0 to 1. While codes cost nothing they carry the class too,
    and the decoder does not learn to read the label."""
    settle: Annotated[float, Interval(ge=0, le=1)] = 0.0
    """Share of the run during which the bound does not move q(y|x)."""
    views: ViewsName = "none"
    """Random views of the images that are classified."""
    calm: Annotated[float, Interval(ge=0, le=1)] = 1.0
    """Share of the run after which unlabelled images are read in views as mild as those of labelled ones; 1: never."""
    consistency: Annotated[float, Ge(0)] = 0.0
    """Weight of agreement between weak and strong views of unlabelled images."""
    threshold: Annotated[float, Interval(ge=0, le=1)] = 0.95
    """Confidence that a pseudo-label needs in the first third; falls to `last_threshold` at the end."""
    last_threshold: Annotated[float, Interval(ge=0, le=1)] = 0.6
    """Confidence that a pseudo-label needs at the end."""
    mutual_information: Annotated[float, Ge(0)] = 0.0
    """Weight of the mutual information between two views' classes."""
    graph_again: Annotated[float, Interval(ge=0, le=1)] = 0.0
    """Share of the run after which the neighbour graph, where the data bring one, is made anew; 0: never."""
    rate: Annotated[float, Gt(0)] = 1e-3
    """Learning rate of Adam, lowered to 0 by half a cosine."""
    decay: Annotated[float, Ge(0)] = 0.0
    """Weight decay."""
    average: Annotated[int, Ge(0)] = 0
    """Half-life of the averaged weights that samples and predictions come from, in images; 0: the weights themselves."""
    batch_size: Annotated[int, Ge(1)] = 128
    """Images of a round; the labelled ones that `labelled` adds come on top."""

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012 - read by pydantic, which core need not import


class Networks(nn.Module):
    """One trunk with two heads, and the decoder."""

    def __init__(self, c: Settings):
        super().__init__()
        self.trunk = trunk_for(c.net, c.shape, c.width)
        self.classifier = nn.Linear(self.trunk.pooled, c.classes)
        # a hidden layer, so that a class may change how a style is read from x, and not only move its code
        read = nn.Linear(self.trunk.spread + (c.classes if c.code_sees_label else 0), JOINT)
        self.posterior = nn.Sequential(read, nn.SiLU(), nn.Linear(JOINT, 2 * c.latent))
        self.decoder = decoder_for(c.net, c.latent + c.classes, c.shape, c.width)
        self.likelihood = likelihood(c.likelihood, c.shape)
        self.sees_label = c.code_sees_label

    def heads(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """logits of q(y|x) [N, K], and what q(z|x) reads [N, spread]."""
        pooled, spread = self.trunk(x)
        return self.classifier(pooled).float(), spread

    def code(self, spread: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """mu, log sigma^2 of q(z|x), or of q(z|x,y); y [N, K] one-hot or soft."""
        mean, log_var = self.posterior(torch.cat([spread, y], 1) if self.sees_label else spread).float().chunk(2, 1)
        return mean, log_var.clamp(-12, 8)

    def explain(self, x: Tensor, y: Tensor, z: Tensor) -> Tensor:
        """-log p(x|y,z) [N]."""
        return -self.likelihood(x, self.decoder(torch.cat([z, y], 1)))


class ClassificationVAE(System, Samples, Encodes, Classifies, Weighs):
    """config: see `Settings`."""

    Config = Settings
    compiles = False
    marginal: Tensor
    right: Tensor

    def __init__(self, config: Settings):
        super().__init__()
        self.config = config
        self.networks = Networks(config)
        self.averaged = deepcopy(self.networks).eval().requires_grad_(False)
        self.register_buffer("marginal", torch.full((config.classes,), 1 / config.classes))  # running mean of the teacher's q(y|x)
        self.register_buffer("right", torch.zeros(2))  # running means of (labelled images read right, labelled images)
        self.graph = GraphTeacher(config.graph_again)
        self.enter(self.schedule(0, 1))

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"image", "label"})

    @property
    def labels(self) -> int:
        return self.config.classes

    def schedule(self, seen: int, total: int) -> Stage:
        progress = min(1.0, seen / total)
        era = self.graph.era(progress) + (self.config.views != "none" and progress == 1)
        return Stage(seen, self.config.batch_size, progress=progress, rate=warm_up_then_cosine(progress, 0.03), era=era)

    def players(self) -> list[Player]:
        average = Average(self.averaged, growing(self.config.average, self.stage.seen))
        return [Player("vae", self.networks, self.loss, Adam(self.config.rate, (0.9, 0.99), decay=self.config.decay), average=average)]

    def accept(self, batch: Batch) -> None:
        suits(self.config.likelihood, batch["image"])
        y, classes = batch["label"], self.config.classes
        wrong = y[(y < UNLABELLED) | (y >= classes)]
        if len(wrong):
            raise BadInput(f"A label is {int(wrong[0])}, but labels must lie in 0..{classes - 1} (or be {UNLABELLED} where not known).")

    def adapt(self, player: str, terms: Terms) -> None:
        self.right.lerp_(terms["right"], 0.05)
        if "marginal" in terms:
            self.marginal.lerp_(terms["marginal"], 0.01)

    def survey(self, source: Source) -> None:
        if isinstance(source, Shuffled) and self.stage.progress < 1:
            self.graph.look(source.dataset, lambda image: self.averaged.trunk(image)[0])
        elif isinstance(source, Shuffled) and self.config.views != "none":  # from now on it is asked for images as they are
            images = (batch["image"].to(self.marginal.device) for batch in source.dataset.spread())
            measure_statistics(self.averaged, self.averaged.trunk, images)

    def loss(self, batch: Batch) -> tuple[Tensor, Terms]:
        """J^alpha of Kingma et al. 2014 or the lecture's loss, plus agreement of views where it is asked for."""
        c, x, y = self.config, batch["image"], batch["label"]
        known = y != UNLABELLED
        logits_l, logits_u, logits, spread = self.read(x, known)
        bound, terms = getattr(self, c.form)(x[:: c.bound_every], y[:: c.bound_every], logits, spread)
        label_loss, right = self.label_loss(logits_l, y[known], len(x))
        terms |= {"label_loss": label_loss, "accuracy": self.right[0] / self.right[1].clamp(min=1e-8), "right": right}
        loss = c.bound_weight * bound + label_loss
        if (c.consistency or c.mutual_information) and not len(logits_u):
            terms |= {key: x.new_tensor(value) for key, value in NONE.items()} | {"marginal": self.marginal}
        elif c.consistency or c.mutual_information:
            graph = self.graph.says(batch, self.stage.progress)
            loss = loss + self.agreement(x[~known], logits_u, None if graph is None else graph[~known], terms)
        return loss, terms

    def read(self, x: Tensor, known: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """logits of labelled images (in a middling view), of unlabelled ones (in a strong view, later a middling one), of the bound's part
        (as it is), and the spread-out features of the latter: one pass of the trunk, which normalises them together."""
        c = self.config
        if c.views == "none":
            logits, spread = self.networks.heads(x)
            return logits[known], logits[~known], logits[:: c.bound_every], spread[:: c.bound_every]
        _, middling, strong = VIEWS[c.views]
        x_l, x_u = see(x[known], middling), see(x[~known], strong if self.stage.progress < c.calm else middling)
        part = x[:: c.bound_every]
        logits, spread = self.networks.heads(torch.cat([x_l, x_u, part]))
        return *logits.split([len(x_l), len(x_u), len(part)]), spread[-len(part) :]  # type: ignore[return-value]

    def bound(self, x: Tensor, y: Tensor, logits: Tensor, spread: Tensor) -> tuple[Tensor, Terms]:
        """1/n (sum_labelled L + sum_unlabelled U), exact in y. All in nats."""
        net, K, known = self.networks, self.config.classes, y != UNLABELLED
        q = logits.softmax(1)
        q = q.detach() if self.stage.progress < self.config.settle else q
        weight = torch.where(known[:, None], one_hot(y, K), q)  # [n, K]: the classes each image's bound is a sum over
        rows, classes = (~known[:, None] | (weight > 0)).nonzero(as_tuple=True)
        each = torch.eye(K, device=x.device)[classes]  # a labelled image once, an unlabelled one K times
        mean, log_var = net.code(spread[rows] if net.sees_label else spread, each)
        z, kl = draw(mean, log_var), kl_from_standard_normal(mean, log_var)
        z, kl = (z, kl) if net.sees_label else (z[rows], kl[rows])  # where codes depend on x alone, one serves every class
        nll = net.explain(x[rows], each, z)
        L, w = nll + self.beta * kl.sum(1) + log(K), weight[rows, classes]
        uncertainty, terms = entropy(weight).sum() / len(x), self.told(w, nll, kl, len(x))
        terms["bound"] = terms["bound"] + log(K) - uncertainty.detach()
        return (w * L).sum() / len(x) - uncertainty, terms | self.use_of_label(x, weight, spread)

    def lecture(self, x: Tensor, y: Tensor, logits: Tensor, spread: Tensor) -> tuple[Tensor, Terms]:
        """1/n sum (-log p(x|y~,z) + KL(q(z|x) || p(z))), the decoder fed the soft y^ where y is not known."""
        net, K, known = self.networks, self.config.classes, y != UNLABELLED
        y_fed = torch.where(known[:, None], one_hot(y, K), logits.softmax(1))
        mean, log_var = net.code(spread, y_fed)
        nll, kl = net.explain(x, y_fed, draw(mean, log_var)), kl_from_standard_normal(mean, log_var)
        return (nll + self.beta * kl.sum(1)).mean(), self.told(torch.ones_like(nll), nll, kl, len(x)) | self.use_of_label(x, y_fed, spread)

    def label_loss(self, logits: Tensor, y: Tensor, n: int) -> tuple[Tensor, Tensor]:
        """What the labelled images ask of q(y|x), summed over them and divided by the n images of the batch; and (right, asked) / n."""
        right = torch.stack([(logits.argmax(1) == y).float().sum(), logits.new_tensor(float(len(y)))]) / n
        if self.config.form == "lecture":
            return (one_hot(y, self.config.classes) - logits.softmax(1)).square().sum() / n, right
        return self.config.label_weight * cross_entropy(logits, y, reduction="sum") / n, right

    def agreement(self, x_u: Tensor, logits: Tensor, graph: Tensor | None, terms: Terms) -> Tensor:
        """consistency * C - mutual_information * I, C = mean m CE(argmax p~, q(y|strong)), p~ the teacher's reading of a weak view,
        aligned to equal classes, m = 1 where it is confident. While a graph teaches, its guesses stand in for argmax p~."""
        c = self.config
        with torch.no_grad():
            weak = see(x_u, VIEWS[c.views][0]) if c.views != "none" else x_u
            p = self.averaged.heads(weak)[0].softmax(1)
            aligned = p / self.marginal**self.balance
            confidence, guess = (aligned / aligned.sum(1, keepdim=True)).max(1)
            sure = (confidence >= self.required).float()
            if graph is not None:
                sure, guess = (graph != UNLABELLED).float(), graph.clamp(min=0)
        consistent = (sure * cross_entropy(logits, guess, reduction="none")).mean()
        information = mutual_information(p, logits.softmax(1))
        terms |= {"consistency": consistent, "mask_rate": sure.mean(), "confidence": confidence.mean(), "information": information}
        terms |= {"rarest_class": one_hot(guess, c.classes).mean(0).min() * c.classes, "marginal": p.mean(0)}
        return min(1.0, self.stage.progress / 0.05) * (c.consistency * consistent - self.balance * c.mutual_information * information)

    @property
    def required(self) -> float:
        """Confidence that a pseudo-label needs now."""
        first, last = self.config.threshold, self.config.last_threshold
        return last + (first - last) * min(1.0, (1 - self.stage.progress) / 0.7)

    @property
    def balance(self) -> float:
        """How far all classes are taken to be equally frequent: 1 at first, which keeps them apart; 0 in the last third."""
        return min(1.0, max(0.0, 2 - 3 * self.stage.progress))

    @property
    def beta(self) -> float:
        """Weight of KL(q(z|x) || p(z)) now."""
        return min(1.0, self.stage.progress / self.config.warm_up) if self.config.warm_up else 1.0

    def told(self, w: Tensor, nll: Tensor, kl: Tensor, n: int) -> Terms:
        """Terms in nats per image; w [m] weighs the m (image, class) pairs."""
        w, rates = w.detach(), (w[:, None] * kl).detach().sum(0) / n
        terms = {"distortion": (w * nll.detach()).sum() / n, "rate": rates.sum()}
        return terms | {"bound": terms["distortion"] + terms["rate"], "active_codes": (rates > 0.01).float().mean()}

    @torch.no_grad()
    def use_of_label(self, x: Tensor, y: Tensor, spread: Tensor) -> Terms:
        """By how many nats a few images are explained worse when the decoder is told the next class: 0 where it ignores the class."""
        told = one_hot(y[:8].argmax(1), self.config.classes)
        z, net = self.networks.code(spread[:8], told)[0], self.networks
        return {"label_use": (net.explain(x[:8], told.roll(1, 1), z) - net.explain(x[:8], told, z)).mean()}

    @torch.no_grad()
    def logits(self, image: Tensor) -> Tensor:
        return self.averaged.heads(image)[0]

    @torch.no_grad()
    def sample(self, count: int, label: int | Tensor | None = None, seed: int | None = None) -> Tensor:
        return self.decode(noise(count, self.config.latent, seed, self.marginal.device), label)

    @torch.no_grad()
    def encode(self, image: Tensor, label: int | Tensor | None = None) -> Tensor:
        logits, spread = self.averaged.heads(image)
        y = logits.softmax(1) if label is None else one_hot(asked(label, len(image), self.labels), self.labels).to(spread)
        return self.averaged.code(spread, y)[0]

    @torch.no_grad()
    def decode(self, code: Tensor, label: int | Tensor | None = None) -> Tensor:
        net, y = self.averaged, one_hot(asked(label, len(code), self.labels), self.labels).to(code)
        return net.likelihood.mean(net.decoder(torch.cat([code, y], 1)))

    @torch.no_grad()
    def log_weights(self, batch: Batch, draws: int) -> tuple[Tensor, Tensor]:
        x, y, net = batch["image"], one_hot(batch["label"], self.config.classes), self.averaged
        z, excess = draws_of(draws, self.posterior(batch))
        x, y = (v.expand(draws, *v.shape).flatten(0, 1) for v in (x, y))
        return -net.explain(x, y, z.flatten(0, 1)).view(draws, -1), excess

    @torch.no_grad()
    def posterior(self, batch: Batch) -> tuple[Tensor, Tensor]:
        return self.averaged.code(self.averaged.heads(batch["image"])[1], one_hot(batch["label"], self.config.classes))
