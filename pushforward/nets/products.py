"""Convolutions as matrix products, for processors that multiply matrices faster than they convolve: bfloat16 several times.

A convolution with millions of weights over few positions spends its time rearranging weights, at every step and in both directions. As one
product of [positions, weights] it does not. Measured in bfloat16 by `benchmarks/vae_training.py` (b): pythae's networks train twice as
fast; in float32 by `benchmarks/edit.py`.

Images lie as [N, H, W, C] here (channels_last), so that a window is a few copies of whole rows of channels, and weights as [out, k, l, in].
"""

from collections.abc import Iterator
from types import MethodType
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad
from torch.nn.grad import conv2d_input, conv2d_weight

HEAVY, FEW = 2**20, 64
"""Weights of one layer from which the product is faster, and positions of its smaller map up to which it is."""

Pair = tuple[int, int]


def gather(x: Float[Tensor, "n i h w"], k: Pair, s: Pair, p: Pair, size: Pair) -> Float[Tensor, "m d"]:
    """The windows of x, a row each: [N * H' * W', k * l * I], for (H', W') = size."""
    x = pad(x.permute(0, 2, 3, 1), (0, 0, p[1], p[1] + s[1], p[0], p[0] + s[0]))
    windows = x.new_empty(len(x), *size, *k, x.shape[-1])
    for a in range(k[0]):
        for b in range(k[1]):
            windows[:, :, :, a, b] = x[:, a : a + s[0] * size[0] : s[0], b : b + s[1] * size[1] : s[1]]
    return windows.flatten(3).flatten(0, 2)


def taps(k: Pair, s: Pair, p: Pair, small: Pair, large: Pair) -> Iterator[tuple[Pair, tuple[slice, ...], tuple[slice, ...]]]:
    """For each place (a, b) of the kernel the positions of the small map that reach the large one through it, and what they reach there:
    position i reaches s i - p + a. What falls into the padding is left out: up to a third of the work where maps are small."""

    def reach(d: int, a: int) -> tuple[slice, slice]:
        first, last = max(0, -((a - p[d]) // s[d])), min(small[d] - 1, (large[d] - 1 + p[d] - a) // s[d])
        start = s[d] * first - p[d] + a
        return slice(first, last + 1), slice(start, start + s[d] * (last - first) + 1, s[d])

    for a in range(k[0]):
        for b in range(k[1]):
            (up, up_large), (across, across_large) = reach(0, a), reach(1, b)
            if up.stop > up.start and across.stop > across.start:
                yield (a, b), (slice(None), up, across), (slice(None), up_large, across_large)


def scatter(small: Float[Tensor, "n o p q"], w: Float[Tensor, "o i k l"], s: Pair, p: Pair, shape: Pair) -> Float[Tensor, "n i h w"]:
    """Every position of the small map adds its product with w to its window in an image of `shape`.

    Of each s[0] x s[1] block of the image, a pixel is reached through taps of its own: one product for each pixel of the block, in which
    what it is reached by lies side by side, so that sums are taken in the product and not in bfloat16."""
    y, w = small.permute(0, 2, 3, 1), w.permute(2, 3, 0, 1)
    edge = [(max(0, (w.shape[d] - 1 - p[d]) // s[d]), max(0, (shape[d] - 1 + p[d]) // s[d] - y.shape[1 + d] + 1)) for d in (0, 1)]
    y = pad(y, (0, 0, *edge[1], *edge[0]))
    x = y.new_empty(len(y), *shape, w.shape[-1])

    def reached(d: int, first: int) -> list[tuple[int, slice]]:
        """The taps through which pixels first, first + s, ... are reached, and from where in y."""
        count = len(range(first, shape[d], s[d]))
        ways = [(a, (first + p[d] - a) // s[d] + edge[d][0]) for a in range((first + p[d]) % s[d], w.shape[d], s[d])]
        return [(a, slice(start, start + count)) for a, start in ways]

    for up in range(min(s[0], shape[0])):
        for across in range(min(s[1], shape[1])):
            ways = [(w[a, b], y[:, i, j]) for a, i in reached(0, up) for b, j in reached(1, across)]
            there = x[:, up :: s[0], across :: s[1]]
            if ways:
                weights, rows = (torch.cat(each, d) for each, d in zip(zip(*ways, strict=True), (0, 3), strict=True))
                there.copy_((rows.flatten(0, 2) @ weights).view(there.shape))
            else:
                there.zero_()
    return x.permute(0, 3, 1, 2)


def slopes(
    small: Float[Tensor, "n o p q"], large: Float[Tensor, "n i h w"], weight: Float[Tensor, "o i k l"], s: Pair, p: Pair
) -> Float[Tensor, "o i k l"]:
    """Of the weights, in their precision: for each tap, the products of what it joins, summed over positions. channels_last."""
    y, x, (out, into, *k) = small.permute(0, 2, 3, 1), large.permute(0, 2, 3, 1), weight.shape
    reached = list(taps((k[0], k[1]), s, p, (y.shape[1], y.shape[2]), (x.shape[1], x.shape[2])))
    g = weight.new_empty(out, *k, into) if len(reached) == k[0] * k[1] else weight.new_zeros(out, *k, into)
    for (a, b), at, there in reached:
        g[:, a, b] = y[at].flatten(0, 2).T @ x[there].flatten(0, 2)
    return g.permute(0, 3, 1, 2)


def flat(w: Float[Tensor, "o i k l"]) -> Float[Tensor, "o d"]:
    """Weights as a matrix; a view where they are channels_last."""
    return w.permute(0, 2, 3, 1).flatten(1)


class Convolution(torch.autograd.Function):
    """y = conv2d(x, w) in the precision of x, forwards and backwards as products."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, s: Pair, p: Pair) -> Tensor:
        k = (w.shape[2], w.shape[3])
        up, across = ((x.shape[2 + d] + 2 * p[d] - k[d]) // s[d] + 1 for d in (0, 1))
        ctx.how, ctx.rounded = (s, p), w.to(x.dtype)
        ctx.save_for_backward(x, w)
        return (gather(x, k, s, p, (up, across)) @ flat(ctx.rounded).T).view(len(x), up, across, -1).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        (x, w), (s, p) = ctx.saved_tensors, ctx.how
        if torch.is_grad_enabled():  # the slope of a slope: rare, and left to the library
            return conv2d_input(x.shape, w.to(x.dtype), g, s, p), conv2d_weight(x, w.shape, g, s, p).to(w.dtype), None, None
        g_x = scatter(g, ctx.rounded, s, p, (x.shape[2], x.shape[3])) if ctx.needs_input_grad[0] else None
        return g_x, slopes(g, x, w, s, p) if ctx.needs_input_grad[1] else None, None, None


class TransposedConvolution(torch.autograd.Function):
    """y = conv_transpose2d(x, w) in the precision of x, forwards and backwards as products."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, s: Pair, p: Pair, more: Pair) -> Tensor:
        height, width = ((x.shape[2 + d] - 1) * s[d] - 2 * p[d] + w.shape[2 + d] + more[d] for d in (0, 1))
        ctx.how, ctx.rounded = (s, p), w.to(x.dtype)
        ctx.save_for_backward(x, w)
        return scatter(x, ctx.rounded, s, p, (height, width))

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        (x, w), (s, p) = ctx.saved_tensors, ctx.how
        if torch.is_grad_enabled():
            rounded = w.to(x.dtype)
            return conv2d(g, rounded, None, s, p), conv2d_weight(g, w.shape, x, s, p).to(w.dtype), None, None, None
        size, k = (x.shape[2], x.shape[3]), (w.shape[2], w.shape[3])
        g_x = None
        if ctx.needs_input_grad[0]:
            g_x = (gather(g, k, s, p, size) @ flat(ctx.rounded).T).view(len(x), *size, -1).permute(0, 3, 1, 2)
        return g_x, slopes(x, g, w, s, p) if ctx.needs_input_grad[1] else None, None, None, None


def product(layer: nn.Conv2d | nn.ConvTranspose2d, x: Float[Tensor, "n i h w"]) -> Float[Tensor, "n o p q"]:
    """What `layer` makes of x, in the precision of x."""
    w, s, p = layer.weight, layer.stride, layer.padding
    if isinstance(layer, nn.ConvTranspose2d):
        made = TransposedConvolution.apply(x, w, s, p, layer.output_padding)
    else:
        made = Convolution.apply(x, w, s, p)
    return made if layer.bias is None else made + layer.bias.to(x.dtype)[:, None, None]


def forward(self: nn.Conv2d | nn.ConvTranspose2d, x: Tensor) -> Tensor:
    """The layer as a product where positions are few, and bfloat16 is on or a slope may be asked for; as it was otherwise: what opens a run
    in float32 to use it computes the same bits as a machine without products."""
    smaller = x.shape[2] * x.shape[3] / (1 if isinstance(self, nn.ConvTranspose2d) else self.stride[0] * self.stride[1])
    rounded = torch.is_autocast_enabled("cpu")
    if smaller > FEW or not (rounded or torch.is_grad_enabled()):
        return type(self).forward(self, x)  # type: ignore[arg-type]
    return product(self, x.bfloat16() if rounded else x)


def use_products(system: nn.Module) -> None:
    """Let the heavy plain convolutions of `system` compute by products; weights and their names stay as they are."""
    for layer in system.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) and plain(layer) and heavy(layer):
            layer.forward = MethodType(forward, layer)  # type: ignore[method-assign]


def plain(layer: nn.Conv2d | nn.ConvTranspose2d) -> bool:
    """Whether it is a convolution without groups, holes or unusual padding."""
    return layer.groups == 1 and set(layer.dilation) == {1} and layer.padding_mode == "zeros" and not isinstance(layer.padding, str)


def heavy(layer: nn.Conv2d | nn.ConvTranspose2d) -> bool:
    """Whether the product is faster. A weight that is parametrised is not asked for: that has effects."""
    return max(weight.numel() for weight in layer.parameters()) >= HEAVY
