"""Zips of images: what is read, and what is refused."""

import os
import stat
import struct
import zipfile

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pushforward.core import BadInput
from pushforward.data import archive
from tests.data.made_images import animals, colours, encoded, packed, read, refused


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
