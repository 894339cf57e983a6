"""One image: what is read, how it is converted, and what is refused."""

import io
import resource
import struct
import time
import zlib
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pushforward.data import decode as decoding
from pushforward.data.decode import NoImage, decode, loses
from tests.data.made_images import colours, encoded, png


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP"])
def test_lossless_kinds_are_read_to_the_bit(kind):
    assert np.array_equal(decode(encoded(colours(), kind, **({"lossless": True} if kind == "WEBP" else {}))), colours())


def test_jpeg_and_gif():
    smooth = np.asarray(Image.fromarray(colours(side=2)).resize((16, 16)))
    assert np.abs(decode(encoded(smooth, "JPEG", quality=95)).astype(int) - smooth).mean() < 6
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    frames = [Image.fromarray(255 - grey), Image.fromarray(grey)]
    assert np.array_equal(decode(encoded(Image.fromarray(grey), "GIF", save_all=True, append_images=frames)), grey)


def test_other_kinds_are_no_images():
    for content in (encoded(colours(), "TIFF"), encoded(colours(), "ICO"), encoded(colours(), "PPM"), b"", b"<svg/>"):
        with pytest.raises(NoImage, match="not a PNG, JPEG, WEBP, BMP or GIF"):
            decode(content)


def test_cmyk():
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 8, 4)).astype(np.uint8), "CMYK")
    content = encoded(image, "JPEG", quality=100)
    assert np.array_equal(decode(content), np.asarray(Image.open(io.BytesIO(content)).convert("RGB")))
    red = decode(encoded(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG"))
    assert np.abs(red.astype(int) - [255, 0, 0]).max() <= 3


def test_palettes():
    image = Image.fromarray(colours()).quantize(16)
    assert np.array_equal(decode(encoded(image)), np.asarray(image.convert("RGB")))
    image.info["transparency"] = 3
    pixels = decode(encoded(image, transparency=3))
    clear = np.asarray(image) == 3
    assert clear.any() and (pixels[clear] == 255).all() and np.array_equal(pixels[~clear], np.asarray(image.convert("RGB"))[~clear])


def test_one_bit():
    bits = colours()[..., 0] > 127
    assert np.array_equal(decode(encoded(Image.fromarray(bits))), bits * np.uint8(255))


def test_sixteen_bits():
    deep = np.arange(0, 65536, 16, dtype=np.uint16).reshape(64, 64)
    assert np.array_equal(decode(encoded(deep)), np.rint(deep / 257).astype(np.uint8))
    values = np.random.default_rng(0).integers(0, 65536, (4, 5, 3))
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    assert np.abs(decode(png(5, 4, 16, 2, rows)) - values / 257).max() <= 1


def test_transparent_pixels_are_laid_on_white():
    alpha = np.full((8, 8), 128, np.uint8)
    alpha[0], alpha[1] = 0, 255
    expected = np.rint(colours() * (alpha / 255)[..., None] + 255 * (1 - alpha / 255)[..., None])
    found = decode(encoded(np.dstack([colours(), alpha])))
    assert np.abs(found - expected).max() <= 1 and (found[0] == 255).all() and np.array_equal(found[1], colours()[1])
    grey = decode(encoded(Image.fromarray(np.dstack([colours()[..., 0], alpha]), "LA")))
    assert grey.ndim == 2 and (grey[0] == 255).all()


@pytest.mark.parametrize("turn", range(1, 9))
def test_exif_rotation(turn):
    upright = colours()[:, :5]
    stored = {
        1: upright, 2: np.fliplr(upright), 3: np.rot90(upright, 2), 4: np.flipud(upright), 5: upright.transpose(1, 0, 2),
        6: np.rot90(upright), 7: np.rot90(upright, 2).transpose(1, 0, 2), 8: np.rot90(upright, -1),
    }[turn]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = turn
    assert np.array_equal(decode(encoded(np.ascontiguousarray(stored), exif=exif)), upright)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "exif", [b"Exif\0\0" + b"\xff" * 40, b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12", b"x"]
)
def test_broken_exif_never_costs_an_image(exif):
    assert np.array_equal(decode(encoded(colours(), exif=exif)), colours())
    assert decode(encoded(colours(), "JPEG", exif=exif)).shape == (8, 8, 3)


def test_colour_images_without_colour_are_grey():
    grey = colours()[..., 0]
    assert np.array_equal(decode(encoded(np.dstack([grey] * 3))), grey)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 9), (9, 1)])
def test_a_side_of_one_pixel_is_refused(width, height):
    with pytest.raises(NoImage, match=f"{width}x{height} pixels, too small"):
        decode(encoded(np.zeros((height, width), np.uint8)))


def test_bombs_are_refused_before_they_are_decoded():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    large = png(8000, 8000, 1, 0, b"\0" * 1001 * 8000)  # 64 million pixels in 8 kB
    bmp = bytearray(encoded(colours(), "BMP"))
    bmp[18:26] = struct.pack("<ii", 40_000, 40_000)
    gif = bytearray(encoded(colours()[..., 0], "GIF"))
    gif[6:10] = struct.pack("<HH", 65535, 65535)
    for content in (large, png(60_000, 60_000, 8, 2), png(2**31 - 1, 2**31 - 1, 16, 6), bytes(bmp), bytes(gif)):
        with pytest.raises(NoImage, match=r"more than 50,000,000|broken"):
            decode(content, size=8)
    assert len(large) < 20_000
    assert time.monotonic() - started < 2 and (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 300


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
def test_truncated_files_are_refused(kind):
    content = encoded(colours(side=32), kind)
    for share in (0.3, 0.6, 0.9):
        with pytest.raises(NoImage):
            decode(content[: int(share * len(content))])


@pytest.mark.parametrize("size", [4, 8, 16])
def test_size_takes_the_central_square(size):
    wide = np.full((8, 20, 3), 9, np.uint8)
    wide[:, 6:14] = (200, 100, 50)
    assert decode(encoded(wide), size).shape == (size, size, 3) and (decode(encoded(wide), size) == (200, 100, 50)).all()


def test_large_jpegs_are_decoded_small():
    smooth = np.asarray(Image.fromarray(colours(side=4)).resize((640, 480)))
    exact = np.asarray(Image.fromarray(smooth).crop((80, 0, 560, 480)).resize((32, 32), Image.Resampling.LANCZOS))
    assert np.abs(decode(encoded(smooth, "JPEG", quality=95), 32).astype(int) - exact).mean() < 3


@pytest.mark.parametrize(
    ("kind", "options", "size", "alone"),
    [
        ("JPEG", {}, 0, True),
        ("JPEG", {}, 8, False),
        ("JPEG", {}, 32, True),
        ("JPEG", {"progressive": True}, 8, True),
        ("PNG", {}, 8, True),
    ],
)
def test_one_at_a_time_is_decoded_of_images_that_take_much_memory(monkeypatch, kind, options, size, alone):
    """A photo that is decoded at an eighth of its size takes little."""
    entered = []

    @contextmanager
    def noted():
        entered.append(True)
        yield

    monkeypatch.setattr(decoding, "LARGE", 64 * 64 - 1)
    monkeypatch.setattr(decoding, "_one_large", noted())
    decode(encoded(colours(side=64), kind, **options), size)
    assert entered == [True] * alone


EXAMPLES = [(kind, encoded(colours(side=24), kind)) for kind in ("PNG", "JPEG", "WEBP", "BMP", "GIF")]
EXAMPLES += [
    ("JPEG", encoded(Image.new("CMYK", (24, 24)), "JPEG")),
    ("PNG", encoded(np.dstack([colours(side=24), colours(1, 24)[..., 0]]))),
]


@given(
    st.sampled_from([content for _, content in EXAMPLES]),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=12),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=4),
    st.floats(0.2, 1.5),
    st.sampled_from([0, 8]),
)
@settings(max_examples=500, deadline=5000, derandomize=True)
def test_mutated_images_are_read_or_refused(content, changes, head, cut, size):
    bent = bytearray(content)
    for place, value in changes:
        bent[int(place * (len(bent) - 1))] = value
    for place, value in head:
        bent[place] = value
    try:
        pixels = decode(bytes(bent[: int(cut * len(bent))]), size)
    except NoImage as reason:
        assert str(reason)
    else:
        assert pixels.dtype == np.uint8 and pixels.ndim in (2, 3) and (not size or pixels.shape[:2] == (size, size))


def test_sixteen_bits_of_a_colour_are_noticed():
    """Pillow opens such a PNG as one of eight."""
    rows = b"".join(b"\0" + np.arange(24, dtype=">u2").tobytes() for _ in range(8))
    header = struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    body = b"".join(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts)
    content = b"\x89PNG\r\n\x1a\n" + body
    assert decode(content).shape[:2] == (8, 8) and loses(content) == "of its 16 bits 8 were kept"
    assert loses(encoded(colours(), "PNG")) == ""
