"""Exponential moving averages of weights."""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from pushforward.core import Average


@dataclass
class Averages:
    """Averaged twins of modules. Their tensors are listed once: walking over the parts of a small network takes as long as a step of it."""

    pairs: dict[nn.Module, tuple[list[Tensor], ...]] = field(default_factory=dict)

    @torch.no_grad()
    def follow(self, average: Average, module: nn.Module, images: int) -> None:
        """Move the twin towards `module` by what `images` images are worth: after `half_life` images half the distance is left."""
        share = 1 - 0.5 ** (images / average.half_life) if average.half_life > 0 else 1.0
        if average.twin not in self.pairs:
            self.pairs[average.twin] = tuple([*get()] for m in (average.twin, module) for get in (m.parameters, m.buffers))
        kept, kept_buffers, now, now_buffers = self.pairs[average.twin]
        torch._foreach_lerp_(kept, now, share)
        for old, new in zip(kept_buffers, now_buffers, strict=True):
            # running statistics are mixed too: those of the current weights do not fit the averaged ones, which then read at chance
            old.lerp_(new, share) if old.is_floating_point() else old.copy_(new)
