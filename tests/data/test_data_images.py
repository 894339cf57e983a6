"""Folders and zips of images: what is read, how it is converted, and what is refused."""

import io
import os
import resource
import stat
import struct
import time
import zipfile
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pushforward.core import UNLABELLED, BadInput
from pushforward.data import DataSpec, archive, checks, load_images, open_data
from pushforward.data.decode import NoImage, decode


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


# one image


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


# folders


def animals(seed=0):
    return {f"{kind}/{place}.png": encoded(colours(seed + place)) for kind in ("cat", "dog", "eel") for place in range(4)}


@pytest.mark.parametrize("as_zip", [True, False])
@pytest.mark.parametrize("above", ["", "pets/", "a/b/"])
def test_folders_are_classes(tmp_path, as_zip, above):
    files = {above + name: content for name, content in animals().items()}
    path = packed(tmp_path / "pets.zip", files) if as_zip else fill(tmp_path / "pets", files)
    train, test = read(path)
    assert train.name == "pets" and test is None and train.notes == ()
    assert train.classes == ("cat", "dog", "eel") and train.label.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert np.array_equal(train.image[5].numpy(), colours(1).transpose(2, 0, 1))


def test_without_folders_there_are_no_classes(tmp_path):
    one = encoded(colours()[..., 0])
    for place, names in enumerate((["a.png", "b.png"], ["x/a.png", "x/y/b.png"], ["a.png", "raw/b.png"])):
        train, _ = read(fill(tmp_path / str(place), dict.fromkeys(names, one)))
        assert train.label is None and train.classes == () and train.shape == (1, 8, 8) and len(train) == 2


def test_images_beside_the_class_folders_are_unlabelled(tmp_path):
    train, _ = read(fill(tmp_path, animals() | {"new.png": encoded(colours(9))}))
    assert train.label.tolist().count(UNLABELLED) == 1 and len(train.classes) == 3


def test_classes_that_are_numbers_are_in_order(tmp_path):
    train, _ = read(fill(tmp_path, {f"{kind}/a.png": encoded(colours()) for kind in range(12)}))
    assert train.classes == tuple(str(kind) for kind in range(12))


@pytest.mark.parametrize(("test_name", "left_out"), [("test", ["val", "more"]), ("val", []), ("Test", [])])
def test_train_and_test_folders_are_the_parts(tmp_path, test_name, left_out):
    files = {f"train/{name}": content for name, content in animals().items()}
    files |= {f"{test_name}/{name}": content for name, content in animals(10).items() if "eel" not in name}
    files |= {f"{name}/cat/x.png": encoded(colours()) for name in left_out}
    train, test = open_data(DataSpec(str(packed(tmp_path / "a.zip", files))))
    assert (len(train), len(test)) == (12, 8) and train.classes == test.classes == ("cat", "dog", "eel")
    assert np.array_equal(test.image[0].numpy(), colours(10).transpose(2, 0, 1)) and test.label.tolist() == [0] * 4 + [1] * 4
    assert len(train.notes) == len(left_out) and all(f"'{name}'" in " ".join(train.notes) for name in left_out)


def test_a_class_that_is_only_in_the_test_part(tmp_path):
    files = {"train/a/1.png": encoded(colours()), "train/b/1.png": encoded(colours()), "test/c/1.png": encoded(colours())}
    assert "The class 'c'" in refused(fill(tmp_path, files))


def test_hidden_files_are_not_seen(tmp_path):
    hidden = {".DS_Store": b"x", "cat/._0.png": b"x", ".git/a": b"x", "__MACOSX/cat/0.png": b"x", "Thumbs.db": b"x"}
    for path in (fill(tmp_path / "a", animals() | hidden), packed(tmp_path / "a.zip", animals() | hidden)):
        train, _ = read(path)
        assert len(train) == 12 and train.notes == ()


def test_strange_names_are_no_problem(tmp_path):
    names = ["mit Leerzeichen.png", "Übung é 日本.png", "a'b\"c.png", "-x.png", "new\nline.png", "no-suffix", "wrong.txt"]
    fill(tmp_path, {name: encoded(colours()) for name in names})
    broken = os.fsencode(tmp_path) + b"/\xff\xfe class/"
    for folder in (broken, os.fsencode(tmp_path) + b"/other/"):
        os.mkdir(folder)
        with open(folder + b"\xe9.png", "wb") as file:
            file.write(encoded(colours()))
    train, _ = read(tmp_path)
    assert len(train) == 9 and train.classes == ("other", "\\xff\\xfe class")
    assert all(name.encode() for name in train.classes)


def test_linked_folders_are_entered_once(tmp_path):
    fill(tmp_path / "real", {"a.png": encoded(colours())})
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "link").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "circle").symlink_to(tmp_path / "set")
    assert len(read(tmp_path / "set")[0]) == 1


def test_grey_and_colour_mixed_become_colour(tmp_path):
    files = {f"{place}.png": encoded(colours(place)[..., 0]) for place in range(5)}
    assert read(fill(tmp_path / "grey", files))[0].shape == (1, 8, 8)
    train, _ = read(fill(tmp_path / "both", files | {"3.png": encoded(colours(3))}))
    assert train.shape == (3, 8, 8)
    assert np.array_equal(train.image[0].numpy(), np.stack([colours(0)[..., 0]] * 3))
    assert np.array_equal(train.image[3].numpy(), colours(3).transpose(2, 0, 1))


def test_mixed_sizes(tmp_path):
    files = {f"{place}.png": encoded(colours(side=8)) for place in range(3)} | {"x.png": encoded(colours(side=9))}
    files |= {f"w{place}.png": encoded(colours()[:5]) for place in range(2)}
    sentence = refused(fill(tmp_path, files))
    assert "3 sizes" in sentence and "8x8 (3) and 8x5 (2)" in sentence and "--size 64" in sentence
    assert read(tmp_path, size=6)[0].image.shape == (6, 3, 6, 6)


def test_a_few_bad_files_are_noted(tmp_path):
    good = {f"{place:02}.png": encoded(colours()) for place in range(57)}
    bad = {"a.txt": b"hello", "b.jpg": encoded(colours(side=64), "JPEG")[:-600], "c.png": encoded(np.zeros((1, 1), np.uint8))}
    train, _ = read(fill(tmp_path / "a", good | bad))
    assert len(train) == 57
    assert train.notes[0].startswith("3 of 60 files were no images") and all(name in train.notes[0] for name in bad)
    assert "1x1 pixels" in train.notes[0] and "truncated" in train.notes[0]
    sentence = refused(fill(tmp_path / "a", {"d.png": b"x"}))
    assert "4 of the 61 files" in sentence and "a.txt (not a PNG" in sentence and "5 %" in sentence


def test_reading_stops_early_where_nothing_is_an_image(tmp_path):
    path = packed(tmp_path / "a.zip", {f"{place}.txt": b"x" for place in range(300)})
    assert "20 of the first 20 files" in refused(path)


@pytest.mark.parametrize(("content", "said"), [(encoded(np.zeros((1, 1), np.uint8)), "1x1 pixels"), (png(9000, 9000, 8, 0), "9000x9000")])
def test_what_is_wrong_with_every_image_is_said(tmp_path, content, said):
    assert said in refused(fill(tmp_path, {"a.png": content}))


@pytest.mark.parametrize("channels", [1, 3])
def test_images_for_a_trained_system(tmp_path, channels):
    grey = colours(1)[..., 0]
    fill(tmp_path / "a", {"x/1.png": encoded(colours()), "2.png": encoded(grey)})
    names, image, notes = load_images(tmp_path / "a", (channels, 8, 8))
    assert names == ("2.png", "x/1.png") and notes == ()
    coloured = colours().transpose(2, 0, 1) if channels == 3 else np.asarray(Image.fromarray(colours()).convert("L"))[None]
    assert np.array_equal(image[0].numpy(), np.stack([grey] * channels)) and np.array_equal(image[1].numpy(), coloured)
    names, image, _ = load_images(tmp_path / "a" / "2.png", (channels, 6, 6))
    assert names == ("2.png",) and image.shape == (1, channels, 6, 6)
    with pytest.raises(BadInput, match=r"8x8 pixels, but .* of 8x5"):
        load_images(tmp_path / "a", (channels, 5, 8))
    with pytest.raises(BadInput, match="no file or folder"):
        load_images(tmp_path / "b", (channels, 8, 8))
    with pytest.raises(BadInput, match="not a PNG"):
        load_images(fill(tmp_path, {"x.png": b"x"}) / "x.png", (channels, 8, 8))


def test_empty_folders(tmp_path):
    fill(tmp_path, {".hidden": b"x"})
    assert f"no file in '{tmp_path}'" in refused(tmp_path)
    assert "no file in" in refused(packed(tmp_path / "a.zip", {}))


def test_special_and_huge_files_are_no_images(tmp_path, monkeypatch):
    fill(tmp_path, {"a.png": encoded(colours())})
    os.mkfifo(tmp_path / "pipe.png")
    assert "pipe.png (unreadable: not an ordinary file)" in refused(tmp_path)
    os.unlink(tmp_path / "pipe.png")
    monkeypatch.setattr(archive, "MEMBER_BYTES", 50)
    assert "more than 50" in refused(tmp_path)


def test_folders_that_cannot_be_read(tmp_path, monkeypatch):
    fill(tmp_path, animals())

    def scan(path, scandir=os.scandir):
        if os.fspath(path).endswith("dog"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scan)
    assert f"'{tmp_path / 'dog'}' cannot be read (Permission denied)" in refused(tmp_path)


def test_folders_that_would_fill_the_memory(tmp_path, monkeypatch):
    fill(tmp_path, animals())
    monkeypatch.setattr(checks, "memory_limit", lambda: 12 * 3 * 64 - 1)
    assert "12x3x8x8" in refused(tmp_path) and "--size" in refused(tmp_path)
    assert len(read(tmp_path, size=4)[0]) == 12


def test_threads_change_nothing(tmp_path, monkeypatch):
    files = {f"{kind}/{place}.png": encoded(colours(place)) for kind in "ab" for place in range(300)} | {"a/bad": b"x"}
    path = packed(tmp_path / "a.zip", files)
    threaded, _ = read(path)
    monkeypatch.setattr("pushforward.data.images.THREADED", 10**6)
    plain, _ = read(path)
    assert len(plain) == 600 and plain.fingerprint == threaded.fingerprint and plain.notes == threaded.notes


# zips


def test_compressed_zips(tmp_path):
    train, _ = read(packed(tmp_path / "a.zip", animals(), zipfile.ZIP_DEFLATED))
    assert len(train) == 12 and train.image.dtype == torch.uint8


@pytest.mark.parametrize("name", ["../a.png", "x/../../a.png", "/etc/a.png", "C:/a.png", "c:a.png", "..\\a.png", "\\\\host\\a.png", ".."])
def test_names_that_lead_out_of_the_zip(tmp_path, name):
    sentence = refused(packed(tmp_path / "a.zip", animals() | {name: encoded(colours())}))
    assert "refused" in sentence and repr(name) in sentence
    assert not (tmp_path / "a.png").exists() and not (tmp_path.parent / "a.png").exists()


def member(tmp_path, content=b"x" * 100, method=zipfile.ZIP_STORED, **attributes):
    info = zipfile.ZipInfo("strange.png")
    info.compress_type = method
    for key, value in attributes.items():
        setattr(info, key, value)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr(info, content)
    return tmp_path / "a.zip"


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"external_attr": (stat.S_IFLNK | 0o777) << 16}, "is a link"),
        ({"external_attr": (stat.S_IFIFO | 0o777) << 16}, "no ordinary file"),
        ({"method": zipfile.ZIP_LZMA}, "another method than deflate"),
        ({"method": zipfile.ZIP_BZIP2}, "another method than deflate"),
        ({"method": zipfile.ZIP_DEFLATED, "content": bytes(10**6)}, "more than 200 times"),
    ],
)
def test_members_that_are_refused(tmp_path, attributes, said):
    sentence = refused(member(tmp_path, **attributes))
    assert said in sentence and "strange.png" in sentence


def patched(path, change):
    """`path` with `change` made to the bytes of each of its headers, local and central."""
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        change(content, content.index(mark) + offset)
    path.write_bytes(content)
    return path


def test_nul_encryption_and_false_sizes(tmp_path):
    def encrypt(content, flags):
        content[flags] |= 1

    assert "is encrypted" in refused(patched(member(tmp_path), encrypt))
    path = member(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"strange.png", b"str\0nge.png"))
    assert "NUL" in refused(path)

    def claim(content, flags):
        content[flags + 16 : flags + 20] = struct.pack("<I", 201 * 10**6)  # uncompressed size

    assert "unpacks to 201,000,000 bytes" in refused(patched(member(tmp_path), claim))


def test_a_member_that_holds_more_than_it_says_is_no_image(tmp_path):
    def shrink(content, flags):
        content[flags + 16 : flags + 20] = struct.pack("<I", 1000)

    path = patched(member(tmp_path, bytes(10**5), zipfile.ZIP_DEFLATED), shrink)
    assert "strange.png (unreadable: " in refused(path)


def test_limits_on_the_whole_zip(tmp_path, monkeypatch):
    path = packed(tmp_path / "a.zip", animals())
    monkeypatch.setattr(archive, "MEMBERS", 11)
    assert "12 members, more than 11" in refused(path)
    monkeypatch.setattr(archive, "MEMBERS", 12)
    monkeypatch.setattr(archive, "TOTAL_BYTES", 1000)
    assert "more than 1,000" in refused(path)


def test_what_is_no_zip(tmp_path):
    for content in (b"", b"PK\x03\x04", b"PK\x05\x06" + bytes(10), os.urandom(500)):
        (tmp_path / "a.zip").write_bytes(content)
        assert "cannot be read as a zip" in refused(tmp_path / "a.zip")


@given(st.booleans(), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8), st.booleans())
@settings(max_examples=120, deadline=None, derandomize=True)
def test_mutated_zips_are_read_or_refused(tmp_path_factory, deflate, changes, at_the_end):
    folder = tmp_path_factory.getbasetemp() / "mutated"
    folder.mkdir(exist_ok=True)
    path = packed(folder / "a.zip", animals(), zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED)
    content = bytearray(path.read_bytes())
    start = content.index(b"PK\x01\x02") if at_the_end else 0  # the central directory, or anywhere
    for place, value in changes:
        content[start + int(place * (len(content) - start - 1))] = value
    path.write_bytes(content)
    try:
        train, _ = read(path, size=4)
        assert train.shape[1:] == (4, 4)
    except BadInput as error:
        assert "a.zip" in str(error)
    assert [item.name for item in folder.iterdir()] == ["a.zip"]  # nothing was written
