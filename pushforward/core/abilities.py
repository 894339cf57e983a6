"""What a trained system can do, said in its class line. Commands, report and tests ask this, never which system it is."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

from pushforward.core.batch import Batch

Condition = Callable[[Tensor], Tensor]
"""image [N, C, H, W] -> log p(condition | image) [N]; conditions add up."""


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
    def encode(self, image: Tensor, label: Tensor | None = None) -> Float[Tensor, "n latent"]:
        """Posterior means of the codes of images [N, C, H, W] in [-1, 1] (or of rows [N, D])."""

    @abstractmethod
    def decode(self, code: Float[Tensor, "n latent"], label: Tensor | None = None) -> Tensor:
        """The mean of p(x | z), or of p(x | z, y): images [N, C, H, W] in [-1, 1], or rows [N, D]."""


class Classifies(ABC):
    """Tells classes apart."""

    @abstractmethod
    def logits(self, image: Tensor) -> Float[Tensor, "n classes"]:
        """Unnormalised log-probabilities of the classes of images [N, C, H, W] in [-1, 1]."""


class Edits(ABC):
    """Turns an image into another: pix2pix reads `source`, completion `image` and `mask`."""

    @abstractmethod
    def edit(self, batch: Batch) -> Float[Tensor, "n c h w"]:
        """Edited images in [-1, 1]."""
