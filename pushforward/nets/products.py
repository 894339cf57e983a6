"""Convolutions as matrix products, for processors that multiply bfloat16 matrices several times faster than they convolve.

A convolution with millions of weights over few positions spends its time rearranging weights, at every step and in both directions. As one
product of [positions, weights] it does not. Measured by `benchmarks/vae_training.py` (b): pythae's networks train twice as fast.

Images lie as [N, H, W, C] here (channels_last), so that a window is a few copies of whole rows of channels, and weights as [out, k, l, in].
"""

from types import MethodType
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad
from torch.nn.grad import conv2d_input, conv2d_weight

HEAVY = 2**20
"""Weights of one layer from which the product is faster."""

Pair = tuple[int, int]


def gather(x: Float[Tensor, "n i h w"], k: Pair, s: Pair, p: Pair, size: Pair) -> Float[Tensor, "m d"]:
    """The windows of x, a row each: [N * H' * W', k * l * I], for (H', W') = size."""
    x = pad(x.permute(0, 2, 3, 1), (0, 0, p[1], p[1] + s[1], p[0], p[0] + s[0]))
    windows = x.new_empty(len(x), *size, *k, x.shape[-1])
    for a in range(k[0]):
        for b in range(k[1]):
            windows[:, :, :, a, b] = x[:, a : a + s[0] * size[0] : s[0], b : b + s[1] * size[1] : s[1]]
    return windows.flatten(3).flatten(0, 2)


def scatter(rows: Float[Tensor, "m d"], n: int, k: Pair, s: Pair, p: Pair, size: Pair, shape: Pair) -> Float[Tensor, "n i h w"]:
    """The transpose of `gather`: windows are added up where they overlap, in an image of `shape`."""
    windows = rows.view(n, *size, *k, -1)
    x = rows.new_zeros(n, *(shape[d] + 2 * p[d] + s[d] + k[d] for d in (0, 1)), windows.shape[-1])
    for a in range(k[0]):
        for b in range(k[1]):
            x[:, a : a + s[0] * size[0] : s[0], b : b + s[1] * size[1] : s[1]] += windows[:, :, :, a, b]
    return x[:, p[0] : p[0] + shape[0], p[1] : p[1] + shape[1]].permute(0, 3, 1, 2)


def flat(w: Float[Tensor, "o i k l"]) -> Float[Tensor, "o d"]:
    """Weights as a matrix; a view where they are channels_last."""
    return w.permute(0, 2, 3, 1).flatten(1)


def unflat(w: Float[Tensor, "o d"], shape: torch.Size) -> Float[Tensor, "o i k l"]:
    """The inverse of `flat`, channels_last."""
    return w.view(shape[0], *shape[2:], shape[1]).permute(0, 3, 1, 2)


def rows_of(x: Float[Tensor, "n c h w"]) -> Float[Tensor, "m c"]:
    """Positions as rows."""
    return x.permute(0, 2, 3, 1).flatten(0, 2)


class Convolution(torch.autograd.Function):
    """y = conv2d(x, w), forwards and backwards as products."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, s: Pair, p: Pair) -> Tensor:
        k = (w.shape[2], w.shape[3])
        up, across = ((x.shape[2 + d] + 2 * p[d] - k[d]) // s[d] + 1 for d in (0, 1))
        size = (up, across)
        ctx.how = (k, s, p, size)
        ctx.save_for_backward(x, w)
        return (gather(x, k, s, p, size) @ flat(w).T).view(len(x), *size, -1).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        (x, w), (k, s, p, size) = ctx.saved_tensors, ctx.how
        if torch.is_grad_enabled():  # the slope of a slope: rare, and left to the library
            return conv2d_input(x.shape, w, g, s, p), conv2d_weight(x, w.shape, g, s, p), None, None
        rows = rows_of(g)
        g_w = unflat(rows.T @ gather(x, k, s, p, size), w.shape)
        g_x = scatter(rows @ flat(w), len(x), k, s, p, size, (x.shape[2], x.shape[3])) if ctx.needs_input_grad[0] else None
        return g_x, g_w, None, None


class TransposedConvolution(torch.autograd.Function):
    """y = conv_transpose2d(x, w), forwards and backwards as products."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, s: Pair, p: Pair, more: Pair) -> Tensor:
        k, size = (w.shape[2], w.shape[3]), (x.shape[2], x.shape[3])
        height, width = ((size[d] - 1) * s[d] - 2 * p[d] + k[d] + more[d] for d in (0, 1))
        ctx.how = (k, s, p, size)
        ctx.save_for_backward(x, w)
        return scatter(rows_of(x) @ flat(w), len(x), k, s, p, size, (height, width))

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        (x, w), (k, s, p, size) = ctx.saved_tensors, ctx.how
        if torch.is_grad_enabled():
            return conv2d(g, w, None, s, p), conv2d_weight(g, w.shape, x, s, p), None, None, None
        windows = gather(g, k, s, p, size)
        g_x = (windows @ flat(w).T).view(len(x), *size, -1).permute(0, 3, 1, 2)
        return g_x, unflat(rows_of(x).T @ windows, w.shape), None, None, None


def product(layer: nn.Conv2d | nn.ConvTranspose2d, x: Float[Tensor, "n i h w"]) -> Float[Tensor, "n o p q"]:
    """What `layer` makes of x, in the precision of x."""
    w, s, p = layer.weight.to(x.dtype), layer.stride, layer.padding
    if isinstance(layer, nn.ConvTranspose2d):
        made = TransposedConvolution.apply(x, w, s, p, layer.output_padding)
    else:
        made = Convolution.apply(x, w, s, p)
    return made if layer.bias is None else made + layer.bias.to(x.dtype)[:, None, None]


def forward(self: nn.Conv2d | nn.ConvTranspose2d, x: Tensor) -> Tensor:
    """The layer as a product where bfloat16 is on, as it was otherwise: what opens a run in float32 computes the same bits."""
    if not torch.is_autocast_enabled("cpu"):
        return type(self).forward(self, x)  # type: ignore[arg-type]
    return product(self, x.bfloat16())


def use_products(system: nn.Module) -> None:
    """Let the heavy plain convolutions of `system` compute by products; weights and their names stay as they are."""
    for layer in system.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) and plain(layer) and layer.weight.numel() >= HEAVY:
            layer.forward = MethodType(forward, layer)  # type: ignore[method-assign]


def plain(layer: nn.Conv2d | nn.ConvTranspose2d) -> bool:
    """Whether it is a convolution without groups, holes or unusual padding."""
    return layer.groups == 1 and set(layer.dilation) == {1} and layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
