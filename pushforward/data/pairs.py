"""Pairs: a source image, and the image that it should become (Isola et al. 2017).

    left-to-right, right-to-left   the two halves of each image
    SOURCE:TARGET                  two folders of images of equal names
    edges, grey                    made here from any images: their outlines, or their brightness
    source                         the key of that name of an .npz, beside its images
    parts                          of images that come with a map of parts, such as procedural faces: that map

A label map is a source of a few colours: with a `palette` each pixel becomes one of K parts (`label_maps.py`), and a batch then holds K
maps of 0 and 1 in place of colours.
"""

from dataclasses import replace

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import interpolate, pad

from pushforward.core import BadInput
from pushforward.data.dataset import Dataset
from pushforward.data.label_maps import drawn_in, holds_numbers, numbers_as_colours, of_several_parts, palette_for, snapped
from pushforward.data.resize import resized

HALVES = ("left-to-right", "right-to-left")
WAYS = (*HALVES, "source", "edges", "grey", "parts")
LUMA = (0.299, 0.587, 0.114)
"""Of red, green and blue (ITU-R 601)."""
TOGETHER = 200
"""Images that are worked on at a time."""
STRONG = 0.12
"""Slope of brightness (0..1, a pixel) that makes a full outline."""


def paired(train: Dataset, test: Dataset | None, way: str, palette: str, size: int) -> tuple[Dataset, Dataset | None]:
    """Both parts with a source beside each image, in the size asked for (0: as they are).

    Raises:
        BadInput: an unknown way, images that are no pairs, or a source that is no map of so many colours.
    """
    if way not in WAYS and ":" not in way:
        raise BadInput(f"pairs is '{way}'; choose {', '.join(WAYS)}, or SOURCE:TARGET for two folders of equal file names.")
    if train.image is None:
        raise BadInput(f"'{train.name}' holds rows of numbers, of which there are no pairs; leave pairs out.")
    if palette and way in ("edges", "grey"):
        raise BadInput(f"palette is '{palette}', but sources of --pairs {way} are made of photos and are no maps; leave palette out.")
    parts = [part_of(part, way) for part in (train, test) if part is not None]
    if palette and holds_numbers(parts[0], palette) and bool(parts[0].source.any()):  # type: ignore[union-attr]
        parts = [numbers_as_colours(part, palette) for part in parts]
    of_channels(parts, palette)
    if palette:
        meant = palette_for(palette, parts[0])
        parts = [snapped(drawn_in(meant, part), meant) for part in parts]
        of_several_parts(parts[0])
    parts = [replace(fitted(part, size), translate=True) for part in parts]
    return parts[0], parts[1] if len(parts) > 1 else None


def part_of(data: Dataset, way: str) -> Dataset:
    """One part with its sources."""
    assert data.image is not None
    if way in HALVES:
        return halved(data, way == "left-to-right")
    if way == "source":
        if data.source is None:
            raise BadInput(f"'{data.name}' has no sources; give an .npz with the keys source and image, or choose another kind of pairs.")
        return data
    if way == "edges":
        return replace(data, source=outlines(data.image))
    if way == "grey":
        if data.shape[0] == 1:
            raise BadInput(f"The images of '{data.name}' are grey, so that there is no colour to find; give coloured ones.")
        return replace(data, source=brightness(data.image).mul(255).round().byte())
    if way == "parts":
        if data.parts is None:
            raise BadInput(f"'{data.name}' has no map of parts; use faces, or pairs of your own.")
        return data
    return joined(data, *way.split(":", 1))


def of_channels(parts: list[Dataset], palette: str) -> None:
    """Refuse sources of several numbers of channels, those that have no colours where there is a palette, and numbers where there is none.

    Raises:
        BadInput: naming them.
    """
    sources = [part.source for part in parts if part.source is not None]
    counts, name = [source.shape[1] for source in sources], parts[0].name
    if len(set(counts)) > 1:
        raise BadInput(f"Sources of '{name}' have {counts[0]} channels to train on and {counts[1]} to test on; make them equal.")
    if palette and counts and counts[0] not in (1, 3):
        raise BadInput(f"The sources of '{name}' have {counts[0]} channels, which are no colours; leave palette out.")
    if not palette and counts and int(sources[0].max()) <= 1:
        raise BadInput(
            f"The sources of '{name}' hold no value but 0 and 1, nearly black; name what they are by palette, or give 0 and 255."
        )


def halved(data: Dataset, left_first: bool) -> Dataset:
    """Images [n, c, h, 2w] as pairs [n, c, h, w].

    Raises:
        BadInput: an odd width.
    """
    assert data.image is not None
    width = data.shape[2]
    if width % 2:
        raise BadInput(f"The images of '{data.name}' are {width} pixels wide, which has no two halves; crop them to an even width.")
    left, right = data.image[..., : width // 2], data.image[..., width // 2 :]
    return replace(data, source=(left if left_first else right).contiguous(), image=(right if left_first else left).contiguous())


def joined(data: Dataset, source: str, target: str) -> Dataset:
    """Images whose class is the folder they lie in, as pairs of equal file names from two of these.

    Raises:
        BadInput: a folder that is not there, or files without a partner.
    """
    assert data.image is not None
    if not source or not target or not {source, target} <= set(data.classes):
        raise BadInput(f"'{data.name}' has no two folders '{source}' and '{target}'; it has: {', '.join(data.classes) or 'none'}.")
    assert data.label is not None
    places: list[dict[str, int]] = []
    for folder in (source, target):
        own = (data.label == data.classes.index(folder)).nonzero().flatten().tolist()
        inside = {part.lower() for place in own for part in data.names[place].split("/")[:-1]}
        if "train" in inside and inside & {"test", "val"}:
            told = f"'{data.name}' has train and test within '{folder}', where all of them would be trained on"
            raise BadInput(f"{told}; put the parts outside, as train/{folder} and test/{folder}.")
        places.append({data.names[place].rpartition("/")[2].rpartition(".")[0]: place for place in own})
        if len(places[-1]) < len(own):
            raise BadInput(
                f"Some files of '{folder}' bear one name ({len(own)} files, {len(places[-1])} names); rename them, each pair alike."
            )
    if alone := sorted(places[0].keys() ^ places[1].keys()):
        shown = ", ".join(alone[:10]) + (f" and {len(alone) - 10} more" if len(alone) > 10 else "")
        raise BadInput(f"{len(alone)} files of '{source}' and '{target}' have no partner of the same name: {shown}; add or remove them.")
    names = sorted(places[0])
    first, second = (torch.tensor([each[name] for name in names]) for each in places)
    pairs = data.part(second)
    return replace(pairs, source=data.image[first], label=None, classes=())


def luma(channels: int) -> Float[Tensor, "1 c 1 1"]:
    """What each channel counts for in brightness: red, green and blue as eyes see them, others alike."""
    return torch.tensor(LUMA if channels == 3 else (1 / channels,) * channels).view(1, -1, 1, 1)


def brightness(image: UInt8[Tensor, "n c h w"]) -> Float[Tensor, "n 1 h w"]:
    """In 0..1."""
    weights = luma(image.shape[1])
    return torch.cat([(part.float() / 255 * weights).sum(1, keepdim=True) for part in image.split(TOGETHER)])


def outlines(image: UInt8[Tensor, "n c h w"]) -> UInt8[Tensor, "n 1 h w"]:
    """Dark lines on white where brightness changes: the length of its slope (Sobel), thinned to its ridges."""
    kernel = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]]) / 8
    kernels = torch.stack([kernel, kernel.T])[:, None]
    found = []
    for grey in brightness(image).split(TOGETHER):
        slope = torch.nn.functional.conv2d(pad(grey, (1, 1, 1, 1), mode="replicate"), kernels)
        length = slope.norm(dim=1, keepdim=True)
        across = slope[:, :1].abs() >= slope[:, 1:].abs()
        wide = pad(length, (1, 1, 1, 1))
        left_right = torch.maximum(wide[..., 1:-1, :-2], wide[..., 1:-1, 2:])
        beside = torch.where(across, left_right, torch.maximum(wide[..., :-2, 1:-1], wide[..., 2:, 1:-1]))
        ridge = torch.where(length >= beside, length, 0.0)
        found.append((255 * (1 - (ridge / STRONG).clamp(max=1))).round().byte())
    return torch.cat(found)


def fitted(data: Dataset, size: int) -> Dataset:
    """A pair in another size: the image as all images are resized, a map of parts by its nearest pixels.

    Raises:
        BadInput: sides of different size.
    """
    other = data.source if data.source is not None else data.parts
    assert other is not None
    if other.shape[-2:] != data.shape[1:]:
        a, b = "x".join(map(str, other.shape[:-3:-1])), "x".join(map(str, data.shape[:0:-1]))
        raise BadInput(f"Sources of '{data.name}' have {a} pixels and their images {b}; make them of one size.")
    if not size or data.shape[1:] == (size, size):
        return data
    made = resized(replace(data, source=None, parts=None), size)
    if data.source is not None:
        return replace(made, source=resized(replace(data, image=data.source, source=None), size).image)
    assert data.parts is not None
    return replace(made, parts=nearest_pixels(data.parts, size, size))


def nearest_pixels(parts: UInt8[Tensor, "n h w"], height: int, width: int) -> UInt8[Tensor, "n p q"]:
    """A map in another size: of its middle that has the same proportions, the nearest pixels."""
    scale = min(parts.shape[1] / height, parts.shape[2] / width)
    tall, wide = round(height * scale), round(width * scale)
    top, left = (parts.shape[1] - tall) // 2, (parts.shape[2] - wide) // 2
    middle = parts[:, top : top + tall, left : left + wide]
    return interpolate(middle[:, None].float(), (height, width), mode="nearest-exact")[:, 0].byte()


def as_source(data: Dataset, height: int, width: int) -> Float[Tensor, "n p h w"]:
    """The maps of 0 and 1 that a batch would hold, in another size."""
    assert data.parts is not None
    fitted_parts = nearest_pixels(data.parts, height, width)
    return torch.nn.functional.one_hot(fitted_parts.long(), len(data.part_names)).permute(0, 3, 1, 2).float()
