"""Label maps as pictures: each pixel becomes one of K parts, that of the colour of a palette that it is nearest to, so that what JPEG did
to colours does no harm. Colours are named, or found; a map may hold their numbers in place of colours.
"""

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor
from torch.nn.functional import max_pool2d

from pushforward.core import BadInput
from pushforward.data.dataset import Dataset
from pushforward.data.palettes import NAMED, Palette, palette_of

LOOKED, TOGETHER = 200_000, 200
"""Pixels that colours are found in; images that are worked on at a time."""
BIN, RARE, ODD = 24, 0.25, 1e-5
"""Width of a colour's bin; the power of its frequency that it weighs by; the share of pixels below which it is a mistake."""
PLAIN = 0.97
"""Share of a label map's pixels, at the least, that its most frequent colours have, as many as its palette."""
FAR = 60.0
"""Distance in RGB (0..255) beyond which a pixel belongs to no colour; a tenth of such pixels is too many."""
SOME = 0.005
"""Share of such pixels from which on they are spoken of: JPEG makes fewer."""


def holds_numbers(data: Dataset, palette: str) -> bool:
    """Whether sources hold the number of each pixel's colour in a palette in place of it, as many label maps do."""
    meant = palette_of(palette)
    if meant is None or data.source is None or int(data.source.max()) >= len(meant.colours):
        return False
    greys = data.source.unique().float()[:, None].expand(-1, 3)
    return bool((data.source == data.source[:, :1]).all()) and bool(torch.cdist(greys, meant.colours).amin(1).max() > 0)


def numbers_as_colours(data: Dataset, palette: str) -> Dataset:
    """Sources that hold numbers of a palette's colours in these colours.

    Raises:
        BadInput: a number that the palette does not have.
    """
    meant = palette_of(palette)
    assert meant is not None and data.source is not None
    if int(data.source.max()) >= len(meant.colours):
        known = f"those of the training part were taken for numbers of the palette's colours, 0 to {len(meant.colours) - 1}"
        raise BadInput(f"Sources of '{data.name}' hold {int(data.source.max())}, but {known}; make both parts alike.")
    told = f"Sources of '{data.name}' hold 0 to {int(data.source.max())}, which were taken for numbers of the palette's colours."
    coloured = meant.colours.byte()[data.source[:, 0].long()].permute(0, 3, 1, 2).contiguous()
    return replace(data, source=coloured, notes=(*data.notes, told))


def of_several_parts(data: Dataset) -> None:
    """Refuse maps that are all of one part.

    Raises:
        BadInput: naming it.
    """
    assert data.parts is not None
    if int(data.parts.min()) == int(data.parts.max()):
        only = data.part_names[int(data.parts.min())]
        raise BadInput(f"All pixels of the sources of '{data.name}' count as {only}; are they label maps in the palette's colours?")


def palette_for(palette: str, data: Dataset) -> Palette:
    """A palette as it is named, or of as many colours as it says, found in the sources.

    Raises:
        BadInput: neither colours nor a number of them, or sources that are no map of these.
    """
    if data.source is None:
        raise BadInput("palette asks for kinds of pixels, but the source is a map of parts already; leave palette out.")
    if palette.isdecimal() and 2 <= int(palette) <= 255:
        colours = found_colours(data, int(palette))
        names = tuple(map(written, colours.expand(-1, 3).tolist()))
        meant: Palette | None = Palette(colours, tuple(range(len(names))), names)
    else:
        meant = palette_of(palette)
    if meant is None:
        raise BadInput(
            f"palette is '{palette}'; give colours such as #0000aa,#ff5500 (or #0000aa=wall,#ff5500=door), {' or '.join(NAMED)}, "
            "or how many (2 to 255) the sources have."
        )
    if data.source.shape[1] != meant.colours.shape[1]:
        other = f"give the number of their greys, or maps that hold 0 to {len(meant.colours) - 1}"
        raise BadInput(f"The sources of '{data.name}' are grey, and palette '{palette}' names colours; {other}.")
    return meant


def drawn_in(palette: Palette, data: Dataset) -> Dataset:
    """The data, with a note where some pixels of sources are in other colours.

    Raises:
        BadInput: too many pixels are far from all colours of the palette.
    """
    assert data.source is not None
    far = float((torch.cdist(even_pixels(data.source), palette.colours).amin(1) > FAR).float().mean())
    told = f"of the pixels of '{data.name}' are far from all colours of its palette"
    if far > 0.1:
        named = zip(colours_as_words(palette), [palette.names[kind] for kind in palette.kinds], strict=True)
        known = ", ".join(colour if colour == name else f"{colour}={name}" for colour, name in named)
        raise BadInput(f"{far:.0%} {told}; is the source a label map? It should be drawn in {known}.")
    return replace(data, notes=(*data.notes, f"{far:.1%} {told}, and count as the nearest.")) if far > SOME else data


def like_a_photo(data: Dataset, palette: Palette) -> bool:
    """Whether sources have many more colours than a map in these would."""
    assert data.source is not None
    _, often = (even_pixels(data.source) // BIN).unique(dim=0, return_counts=True)
    return float(often.sort(descending=True).values[: len(palette.colours)].sum() / often.sum()) < PLAIN


def colours_as_words(palette: Palette) -> list[str]:
    """Each as `#rrggbb`."""
    return [written(colour) for colour in palette.colours.expand(-1, 3).tolist()]


def written(colour: list[float]) -> str:
    """Red, green and blue in 0..255, or a grey, as `#rrggbb`."""
    return "#" + "".join(f"{round(value):02x}" for value in colour)


def found_colours(data: Dataset, count: int) -> Float[Tensor, "k c"]:
    """The colours that a label map is drawn in: all of them where there are just so many, else by k-means; the most frequent first.

    Raises:
        BadInput: fewer colours than that.
    """
    from sklearn.cluster import KMeans

    assert data.source is not None
    each, often = different_colours(data.source)
    if len(each) < count:
        raise BadInput(f"palette is {count}, but the sources of '{data.name}' have {len(each)} colours; give no more than these.")
    if len(each) == count:
        return each[often.argsort(descending=True, stable=True)]
    seen = even_pixels(data.source)
    bins, place, often = (seen // BIN).unique(dim=0, return_inverse=True, return_counts=True)
    mean = torch.zeros(len(bins), seen.shape[1]).index_add_(0, place, seen) / often[:, None]
    # a rare colour counts nearly as much as a common one, a handful of odd pixels hardly
    weight = often.double().pow(RARE).where(often > len(seen) * ODD, 0.0)
    if int((weight > 0).sum()) < count:
        raise BadInput(f"palette is {count}, but the sources of '{data.name}' have some in a few odd pixels only; name them.")
    found = KMeans(count, n_init=10, random_state=0).fit(mean.numpy(), sample_weight=weight.numpy())
    centre = torch.from_numpy(np.asarray(found.cluster_centers_, np.float32))
    nearest = torch.cdist(seen, centre).argmin(1)
    return centre[nearest.bincount(minlength=count).argsort(descending=True, stable=True)]


def even_pixels(source: UInt8[Tensor, "n c h w"]) -> Float[Tensor, "m c"]:
    """Colours of pixels, spread over all images, whose neighbours look like them: JPEG mixes colours where they meet."""
    found = []
    each = max(1, LOOKED // len(source))
    for image in source:
        x = image[None].float()
        spread = (max_pool2d(x, 3, 1, 1) + max_pool2d(-x, 3, 1, 1)).amax((0, 1)).flatten()
        even = (spread <= BIN).nonzero().flatten()
        even = even if len(even) else torch.arange(len(spread))
        chosen = even[torch.linspace(0, len(even) - 1, min(each, len(even)), dtype=torch.float64).long()]
        found.append(x[0].flatten(1)[:, chosen].T)
    return torch.cat(found)


def different_colours(source: UInt8[Tensor, "n c h w"]) -> tuple[Float[Tensor, "k c"], Int[Tensor, " k"]]:
    """Every colour that occurs, and how often."""
    place = 256 ** torch.arange(source.shape[1]).view(1, -1, 1, 1)
    found = [(part.long() * place).sum(1).flatten().unique(return_counts=True) for part in source.split(TOGETHER)]
    number, back = torch.cat([numbers for numbers, _ in found]).unique(return_inverse=True)
    often = torch.zeros(len(number), dtype=torch.int64).index_add_(0, back, torch.cat([counts for _, counts in found]))
    return (number[:, None] // place.view(1, -1) % 256).float(), often


def snapped(data: Dataset, palette: Palette) -> Dataset:
    """The source as a map of parts, each pixel of that whose colour is nearest."""
    assert data.source is not None
    found, kinds = [], torch.tensor(palette.kinds)
    for part in data.source.split(16):
        pixels = part.permute(0, 2, 3, 1).float()
        nearest = torch.cdist(pixels.reshape(-1, pixels.shape[-1]), palette.colours).argmin(1)
        found.append(kinds[nearest].view(pixels.shape[:3]).byte())
    return replace(data, source=None, parts=torch.cat(found), part_names=palette.names)
