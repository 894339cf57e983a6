"""The bytes of one image file -> its pixels."""

import io
from contextlib import nullcontext, suppress
from threading import Lock

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from pushforward.data.resize import fitted

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
PIXELS = 50 * 10**6
LARGE = 10**7
ORIENTATION = 0x0112
"""Of EXIF: from 5 on an image lies on its side."""
DEPTH = 24
"""The byte of a PNG that says how many bits a value has; Pillow tells it of grey ones alone."""
_one_large = Lock()
"""Decoding is threaded; of images that take above LARGE pixels one at a time is decoded, so that a few huge ones do not fill the memory."""


class NoImage(Exception):
    """Why a file cannot be used as an image, in a few words."""


def decode(content: bytes, size: int = 0, ground: str = "white", way: Image.Resampling = Image.Resampling.LANCZOS) -> np.ndarray:
    """uint8 [h, w] where all three colours are equal everywhere, else [h, w, 3]; turned upright as EXIF says.

    Of an animation the first frame, of 16 bits the upper 8; palettes and CMYK become RGB; what is transparent is laid on the ground.
    size: the central square in `size` x `size` pixels, made that size in a `way`; 0 leaves the image as it is.

    Raises:
        NoImage: not one of FORMATS, broken or cut off, more than PIXELS pixels, or a side of one pixel.
    """
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            return _pixels(image, size, ground, way)
    except NoImage:
        raise
    except UnidentifiedImageError as error:
        raise NoImage("not a PNG, JPEG, WEBP, BMP or GIF image") from error
    except Exception as error:  # Pillow raises nearly every kind on broken files
        raise NoImage(f"broken: {error or type(error).__name__}") from error


def sides(content: bytes) -> tuple[int, int]:
    """Width and height of an image file as it is shown, turned upright; 0 and 0 of what is none."""
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            turned = image.getexif().get(ORIENTATION, 1) >= 5
            return image.size[::-1] if turned else image.size
    except Exception:  # it is no image, which `decode` says
        return 0, 0


def loses(content: bytes) -> str:
    """What of a file `decode` cannot keep, in a few words; nothing, where all is kept."""
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            deep = image.mode.startswith("I") or (image.format == "PNG" and content[DEPTH] > 8)
            lost = ["of its 16 bits 8 were kept"] if deep else []
            return ", and ".join([*lost, "what is transparent was laid on white"] if image.has_transparency_data else lost)
    except Exception:  # it is no image, which `decode` says
        return ""


def _pixels(image: Image.Image, size: int, ground: str, way: Image.Resampling) -> np.ndarray:
    width, height = image.size
    if width * height > PIXELS:
        raise NoImage(f"{width}x{height} pixels, more than {PIXELS:,}")
    if min(width, height) < 2:
        raise NoImage(f"{width}x{height} pixels, too small")
    if size and way == Image.Resampling.LANCZOS:
        image.draft(None, (2 * size, 2 * size))  # a JPEG is decoded at a fraction of its size, still twice what is needed
    if not image.info.get("progressive"):  # of such all coefficients are held, however small it is decoded
        width, height = image.size
    with _one_large if width * height > LARGE else nullcontext():
        image.load()
        upright = _plain(_upright(image), ground)
        pixels = np.asarray(fitted(upright, size, way) if size and upright.size != (size, size) else upright)
    grey = pixels.ndim == 3 and (pixels == pixels[..., :1]).all()
    return pixels[..., 0] if grey else pixels


def _upright(image: Image.Image) -> Image.Image:
    with suppress(Exception):  # broken EXIF data never cost an image
        return ImageOps.exif_transpose(image)
    return image


def _plain(image: Image.Image, ground: str) -> Image.Image:
    """Mode L or RGB."""
    if image.mode.startswith("I"):  # 16 bits: 65535 = 255 * 257
        values = np.asarray(image).astype(np.int64).clip(0, 65535)
        return Image.fromarray(((values + 128) // 257).astype(np.uint8))
    if image.has_transparency_data:
        colours = image.convert("RGBA")
        laid = Image.new("RGB", image.size, ground)
        laid.paste(colours, mask=colours.getchannel("A"))
        return laid
    return image.convert("L" if image.mode in ("1", "L") else "RGB")
