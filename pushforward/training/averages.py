"""Exponential moving averages of weights."""

import torch
from torch import nn

from pushforward.core import Average


@torch.no_grad()
def follow(average: Average, module: nn.Module, images: int) -> None:
    """Move the twin towards `module` by what `images` images are worth: after `half_life` images half the distance is left."""
    share = 1 - 0.5 ** (images / average.half_life) if average.half_life > 0 else 1.0
    torch._foreach_lerp_(list(average.twin.parameters()), list(module.parameters()), share)
    for kept, now in zip(average.twin.buffers(), module.buffers(), strict=True):
        # running statistics are mixed too: those of the current weights do not fit the averaged ones, which then read at chance
        kept.lerp_(now, share) if kept.is_floating_point() else kept.copy_(now)
