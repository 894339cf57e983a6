"""All that may change while training runs: a pure function of the number of images seen."""

from dataclasses import dataclass
from math import cos, pi


@dataclass(frozen=True)
class Stage:
    """Where training stands."""

    seen: int
    """Images seen so far."""
    batch_size: int
    """Images of one round."""
    resolution: int = 0
    """Pixels along a side; 0 where the data decide."""
    progress: float = 0.0
    """min(1, seen / total)."""
    fade: float = 1.0
    """0: new layers silent; 1: fully in."""
    rate: float = 1.0
    """Multiplies every learning rate."""
    era: int = 0
    """When it changes, at the end of a round, optimiser moments and the rule's memory are cleared."""

    def every(self, rounds: int) -> bool:
        """Whether a lazy term (a penalty taken now and then) is due in this round."""
        return self.seen // self.batch_size % rounds == 0


def warm_up_then_cosine(progress: float, warm: float = 0.01, floor: float = 0.0) -> float:
    """Learning-rate factor in [0, 1]: linear over the first `warm` share of the run, then half a cosine down to `floor`."""
    if progress < warm:
        return max(progress / warm, 1e-2)
    return floor + (1 - floor) * (1 + cos(pi * (progress - warm) / (1 - warm))) / 2
