"""What a trained system can do, said in its class line. Commands, report and tests ask this, never which system it is."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pushforward.core.batch import Batch
from pushforward.core.errors import BadInput

Condition = Callable[[Tensor], Tensor]
"""image [N, C, H, W] -> log p(condition | image) [N]; conditions add up."""


def asked(label: "int | Tensor | None", count: int, classes: int) -> Int[Tensor, "n"]:
    """The classes [count] that a user asks for: one for all, one for each, or (None) each class in turn.

    Raises:
        BadInput: a class outside 0..classes-1, or what is no whole number.
    """
    if isinstance(label, str):
        raise BadInput(f"Label is '{label}', but a number in 0..{classes - 1} is needed; a run's `classes` holds the names in order.")
    y = torch.arange(count) % classes if label is None else torch.as_tensor(label)
    if y.is_floating_point():
        raise BadInput(f"Label is {y.flatten()[0]:g}, but labels are whole numbers in 0..{classes - 1}.")
    if y.ndim and y.shape != (count,):
        raise BadInput(f"{y.numel()} labels are given for {count} examples. Give one for all, or one for each.")
    y = y.long().expand(count)
    if len(y) and (y.min() < 0 or y.max() >= classes):
        raise BadInput(f"Label {int(y.max() if y.max() >= classes else y.min())} was asked for, but the classes are 0..{classes - 1}.")
    return y


class Samples(ABC):
    """Invents new examples."""

    @property
    @abstractmethod
    def labels(self) -> int:
        """How many classes may be asked for; 0 where it takes no label."""

    @abstractmethod
    def sample(self, count: int, label: "int | Tensor | None" = None, seed: int | None = None) -> Tensor:
        """`count` new images [count, C, H, W] in [-1, 1], or standardised rows [count, D].

        label: one class for all, or one for each [count]; None lets the system choose. seed: the same seed, the same examples.

        Raises:
            BadInput: a label asked of a system without labels, or outside 0..K-1.
        """


class Encodes(ABC):
    """Maps images to codes and back."""

    @abstractmethod
    def encode(self, image: Tensor, label: "int | Tensor | None" = None) -> Float[Tensor, "n latent"]:
        """Posterior means of the codes of images [N, C, H, W] in [-1, 1] (or of rows [N, D])."""

    @abstractmethod
    def decode(self, code: Float[Tensor, "n latent"], label: "int | Tensor | None" = None) -> Tensor:
        """The mean of p(x | z), or of p(x | z, y): images [N, C, H, W] in [-1, 1], or rows [N, D].

        label: one class for all, or one for each [N]; None takes the classes in turn where the system is told one.
        """


class Generates(ABC):
    """Turns codes z ~ N(0, I) into examples: what walks, projections and directions need."""

    @property
    @abstractmethod
    def latent(self) -> int:
        """Dimensions of z."""

    @abstractmethod
    def generate(self, code: Float[Tensor, "n latent"], label: "int | Tensor | None" = None) -> Tensor:
        """G(z): images [N, C, H, W], not cut to [-1, 1], or rows [N, D]; differentiable. label as in `Samples.sample`."""

    @abstractmethod
    def activations(self, code: Float[Tensor, "n latent"], label: "int | Tensor | None" = None) -> Float[Tensor, "n units"]:
        """What the generator makes of codes on the way, half done."""


class Judges(ABC):
    """Tells real examples from those that its generator makes."""

    @property
    @abstractmethod
    def floating(self) -> bool:
        """Whether logits mean something only beside each other."""

    @abstractmethod
    def judge(self, batch: Batch) -> Float[Tensor, "n"]:
        """D: the logit of "real" of each example, 0 for one that it cannot tell (where logits do not float); differentiable."""

    @abstractmethod
    def propose(self, batch: Batch, seed: int) -> Batch:
        """A batch of as many generated examples, with the labels of `batch`: by the generator as it plays, not averaged, not cut."""


class Parses(ABC):
    """Says which part of the picture each pixel belongs to."""

    @abstractmethod
    def parse(self, image: Tensor) -> Float[Tensor, "n parts h w"]:
        """Unnormalised log-probabilities of the parts of images [N, C, H, W] in [-1, 1]; differentiable."""


class Compares(ABC):
    """Sees images as points of a space in which sets of them can be compared."""

    @abstractmethod
    def features(self, image: Tensor) -> Float[Tensor, "n d"]:
        """Where images [N, C, H, W] in [-1, 1] lie."""

    def read(self, image: Tensor) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n classes"] | None]:
        """The same, and the logits of their classes where the system has any."""
        return self.features(image), self.logits(image) if isinstance(self, Classifies) else None


class Describes(ABC):
    """Says how much there is of each named attribute."""

    @abstractmethod
    def describe(self, image: Tensor) -> Float[Tensor, "n a"]:
        """Attributes in [0, 1] of images [N, C, H, W] in [-1, 1]."""


class Classifies(ABC):
    """Tells classes apart."""

    @abstractmethod
    def logits(self, image: Tensor) -> Float[Tensor, "n classes"]:
        """Unnormalised log-probabilities of the classes of images [N, C, H, W] in [-1, 1]."""


class Weighs(ABC):
    """Says how probable examples are: log p(x) = log E_q(z|x)[w], w = p(x, z) / q(z | x)."""

    @abstractmethod
    def log_weights(self, batch: Batch, draws: int) -> tuple[Float[Tensor, "k n"], Float[Tensor, "k n"]]:
        """For `draws` codes z ~ q(z | x) of each example: log p(x | z) and log q(z | x) - log p(z), in nats; log w is their difference.

        The means are minus the distortion and the rate. A system that is told a class or a condition reads it in the batch, where it has
        to be known, and answers for p(x | class). z comes from torch's default generator.
        """

    def posterior(self, batch: Batch) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n d"]] | None:
        """Mean and logarithm of the variance of q(z | x), where that is a diagonal Gaussian and p(z) is N(0, I); None where it is not."""
        return None


class Edits(ABC):
    """Turns an image into another: pix2pix reads `source`, completion `source`, the image with 0 in its hole, and `mask`."""

    @abstractmethod
    def edit(self, batch: Batch, seed: int | None = None) -> Float[Tensor, "n c h w"]:
        """Edited images in [-1, 1]: the likeliest answer, or with a seed one drawn at random where there are several."""

    @property
    def varied(self) -> bool:
        """Whether answers drawn at random are what it makes, and the one without a seed only the middle of them."""
        return False
