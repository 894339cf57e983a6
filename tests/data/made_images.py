"""Images, files and folders made for the tests of reading them."""

import io
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from pushforward.core import BadInput
from pushforward.data import DataSpec, open_data


def colours(seed=0, side=8):
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3)).astype(np.uint8)


def encoded(picture, kind="PNG", **settings):
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    file = io.BytesIO()
    image.save(file, kind, **settings)
    return file.getvalue()


def png(width, height, depth, colour, rows=b""):
    """A PNG file by hand: Pillow cannot write 16-bit colours or lie about the size."""

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def fill(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def packed(path, files, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return path


def read(path, **settings):
    return open_data(DataSpec(str(path), held_out=0, **settings))


def refused(path, **settings):
    with pytest.raises(BadInput) as caught:
        read(path, **settings)
    return str(caught.value)


def animals(seed=0):
    return {f"{kind}/{place}.png": encoded(colours(seed + place)) for kind in ("cat", "dog", "eel") for place in range(4)}
