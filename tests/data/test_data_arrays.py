"""Digits, IDX files and arrays."""

import gzip
import os
import struct

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pushforward.core import BadInput
from pushforward.data import DataSpec, checks, open_data


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(np.uint8).tobytes()


def pictures(count, seed=0, side=5):
    return np.random.default_rng(seed).integers(0, 256, (count, side, side)).astype(np.uint8)


def write_set(folder, zipped=True, counts=(20, 10)):
    folder.mkdir(parents=True)
    for stem, count in zip(("train", "t10k"), counts, strict=True):
        for what, array in (("images-idx3", pictures(count)), ("labels-idx1", np.arange(count) % 10)):
            content = idx(array)
            (folder / f"{stem}-{what}-ubyte{'.gz' * zipped}").write_bytes(gzip.compress(content) if zipped else content)


def refused(path, **settings):
    with pytest.raises(BadInput) as caught:
        open_data(DataSpec(str(path), **settings))
    return str(caught.value)


# digits


def test_digits():
    train, test = open_data(DataSpec("digits"))
    assert (len(train), len(test)) == (899, 898) and train.shape == (1, 8, 8) and train.classes == tuple("0123456789")
    assert train.image.dtype == torch.uint8 and train.image.min() == 0 and train.image.max() == 255
    counts = torch.stack([torch.bincount(part.label) for part in (train, test)])
    assert (counts[0] - counts[1]).abs().max() <= 1
    together = torch.cat([train.image, test.image]).flatten(1).tolist()
    assert len(together) == 1797 and set(train.image.unique().tolist()) == {round(level * 255 / 16) for level in range(17)}
    other, _ = open_data(DataSpec("digits", split_seed=1))
    assert not torch.equal(train.image, other.image)
    assert open_data(DataSpec("digits"))[0].fingerprint == train.fingerprint


# IDX


@pytest.mark.parametrize("zipped", [True, False])
def test_named_sets_are_found(tmp_path, monkeypatch, zipped):
    write_set(tmp_path / "given" / "fashion-mnist", zipped)
    write_set(tmp_path / "cache" / "pushforward" / "mnist", zipped, counts=(30, 10))
    monkeypatch.setenv("PUSHFORWARD_DATA", str(tmp_path / "given"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    train, test = open_data(DataSpec("fashion-mnist"))
    assert (len(train), len(test)) == (20, 10) and train.classes[9] == "Ankle boot" and test.name == "fashion-mnist test"
    assert np.array_equal(train.image[:, 0].numpy(), pictures(20)) and torch.equal(test.label, torch.arange(10))
    assert len(open_data(DataSpec("mnist"))[0]) == 30


def test_a_missing_set_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PUSHFORWARD_DATA", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    sentence = refused("mnist")
    assert "pushforward data get mnist" in sentence
    assert str(tmp_path / "mnist") in sentence and str(tmp_path / "home" / ".cache" / "pushforward" / "mnist") in sentence


def test_an_idx_file_takes_its_labels_along(tmp_path):
    (tmp_path / "my-images-idx3-ubyte").write_bytes(idx(pictures(12)))
    train, test = open_data(DataSpec(str(tmp_path / "my-images-idx3-ubyte"), held_out=0.25))
    assert train.label is None and (len(train), len(test)) == (9, 3)
    (tmp_path / "my-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(np.arange(12) % 3)))
    train, test = open_data(DataSpec(str(tmp_path / "my-images-idx3-ubyte"), held_out=0))
    assert train.classes == ("0", "1", "2") and torch.equal(train.label, torch.arange(12) % 3) and test is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x89PNG" + bytes(50), "'89504e47'"),
        (b"\x00\x00", "'0000'"),
        (idx(pictures(4))[:10], "ends within its header"),
        (idx(pictures(4))[:-1], "announces 100 bytes (4x5x5), but only 99 follow"),
        (idx(pictures(4)) + b"x", "announces 100 bytes (4x5x5), but more follow"),
        (idx(np.arange(4)), "1 dimensions; a file of images has 3"),
        (bytes([0, 0, 8, 3]) + struct.pack(">3I", 0, 5, 5), "0x5x5"),
        (bytes([0, 0, 8, 3]) + struct.pack(">3I", 2**31, 2**15, 2**15), "2147483648x32768x32768"),
        (bytes([0, 0, 8, 3]) + struct.pack(">3I", 3, 1, 1) + b"abc", "1x1 pixels"),
        (gzip.compress(idx(pictures(4)), mtime=0)[:-12], "ended before"),
        (gzip.compress(idx(pictures(4)), mtime=0)[:-8] + bytes(8), "CRC"),
    ],
)
def test_broken_idx_files(tmp_path, content, said):
    (tmp_path / "x-images-idx3-ubyte").write_bytes(content)
    assert said in refused(tmp_path / "x-images-idx3-ubyte")


@pytest.mark.parametrize(
    ("labels", "said"),
    [(np.arange(11), "12 examples but 11 labels"), (np.array([0, 2] * 6), "none is 1"), (np.full(12, 3), "none is 0")],
)
def test_labels_that_do_not_fit(tmp_path, labels, said):
    (tmp_path / "x-images-idx3-ubyte").write_bytes(idx(pictures(12)))
    (tmp_path / "x-labels-idx1-ubyte").write_bytes(idx(labels))
    assert said in refused(tmp_path / "x-images-idx3-ubyte")


def test_labels_outside_the_ten_classes(tmp_path, monkeypatch):
    monkeypatch.setenv("PUSHFORWARD_DATA", str(tmp_path))
    write_set(tmp_path / "mnist", zipped=False)
    (tmp_path / "mnist" / "train-labels-idx1-ubyte").write_bytes(idx(np.arange(20)))
    assert "has the label 19; labels must lie in 0..9" in refused("mnist")


# arrays in memory


@pytest.mark.parametrize("shape", [(6, 5, 4), (6, 5, 4, 1), (6, 1, 5, 4), (6, 5, 4, 3), (6, 3, 5, 4)])
def test_layouts(shape):
    array = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    data, _ = open_data(DataSpec("memory", held_out=0), array)
    expected = array[:, None] if array.ndim == 3 else array if shape[1] in (1, 3) else array.transpose(0, 3, 1, 2)
    assert np.array_equal(data.image.numpy(), expected) and data.shape[1:] == (5, 4)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.int64, np.uint16, bool])
def test_kinds_of_numbers(kind):
    levels = np.arange(256).reshape(1, 16, 16)
    given = levels / 255 if np.dtype(kind).kind == "f" else levels >= 128 if kind is bool else levels
    data, _ = open_data(DataSpec("memory", held_out=0), given.astype(kind))
    assert np.array_equal(data.image.numpy()[:, 0], np.where(levels >= 128, 255, 0) if kind is bool else levels)


def test_tensors_labels_and_split():
    image, label = torch.rand(100, 1, 4, 4).bfloat16(), torch.arange(100) % 5
    label[::7] = -1
    train, test = open_data(DataSpec("memory"), (image, label))
    assert (len(train), len(test)) == (90, 10) and train.classes == tuple("01234") and (train.label == -1).any()
    hidden, _ = open_data(DataSpec("memory", labels=10), (image, label))
    assert (hidden.label != -1).sum() == 10


def test_rows_are_standardised_by_the_training_part():
    rows = np.random.default_rng(0).normal(5, 3, (200, 3))
    rows[:, 2] = 7
    train, test = open_data(DataSpec("memory"), rows)
    assert train.row.dtype == torch.float32 and train.image is None and train.columns == ("0", "1", "2")
    assert torch.allclose(train.row.mean(0), torch.zeros(3), atol=1e-6)
    assert torch.allclose(train.row.std(0, correction=0), torch.tensor([1.0, 1.0, 0.0]), atol=1e-6) and train.scale[2] == 1
    back = torch.cat([part.row * part.scale + part.centre for part in (train, test)])
    assert np.allclose(np.sort(back.numpy(), 0), np.sort(rows, 0), atol=1e-5)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, "no tensor was given"),
        (np.linspace(-1, 1, 32).reshape(2, 4, 4), "[-1, 1]"),
        (np.full((2, 4, 4), 255.0), "[255, 255]"),
        (np.full((2, 4, 4), 256), "[256, 256]"),
        (np.full((2, 4, 4), -3), "[-3, -3]"),
        (np.eye(4, dtype=np.uint8)[None], "no value but 0 and 1"),
        (np.full((2, 4, 4), np.nan), "NaN"),
        (np.array([[1.0, np.inf]]), "infinity"),
        (np.full((3, 2), 1e300), "1e+300"),
        (np.zeros((2, 20, 20, 20)), "(2, 20, 20, 20)"),
        (np.zeros((2, 4, 4, 3, 1)), "(2, 4, 4, 3, 1)"),
        (np.zeros(7), "(7,)"),
        (np.zeros((0, 4, 4)), "(0, 4, 4)"),
        (np.zeros((2, 1, 1)), "1x1 pixels"),
        (np.array([["a", "b"]]), "<U1"),
        (np.zeros((2, 4, 4), complex), "complex128"),
        ([[1, 2], [3]], "no array"),
        ((np.zeros((2, 4, 4)), [0, 1, 0]), "2 examples but 3 labels"),
        ((np.zeros((2, 4, 4)), [0, 2]), "none is 1"),
        ((np.zeros((2, 4, 4)), [0, -2]), "the label -2"),
        ((np.zeros((2, 4, 4)), [0.0, 1.0]), "float64"),
        ((np.zeros((2, 4, 4)), [[0], [1]]), "(2, 1)"),
    ],
)
def test_arrays_that_cannot_be_used(given, said):
    with pytest.raises(BadInput) as caught:
        open_data(DataSpec("memory"), given)
    assert said in str(caught.value)


def test_data_that_would_fill_the_memory(monkeypatch):
    monkeypatch.setattr(checks, "memory_limit", lambda: 10_000)
    with pytest.raises(BadInput, match=r"10x1x64x64.*smaller --size"):
        open_data(DataSpec("memory", size=64), np.zeros((10, 4, 4), np.uint8))
    assert checks.memory_limit() == 10_000


def test_the_limit_where_the_system_does_not_tell_its_memory(monkeypatch, tmp_path):
    assert 2**24 < checks.memory_limit() < 2**45
    monkeypatch.delattr("os.sysconf")
    monkeypatch.setattr(checks, "ROOT", tmp_path)
    assert checks.memory_limit() == 2**33


@pytest.mark.parametrize(
    ("groups", "limits", "least"),
    [
        ("0::/", {"memory.max": "6291456\n"}, 6291456),
        ("0::/", {"memory.max": "max\n"}, None),
        ("0::/job/step", {"job/step/memory.max": "max\n", "job/memory.max": "3000\n"}, 3000),
        ("5:pids:/a\n4:cpu,memory:/a\n0::/", {"memory/a/memory.limit_in_bytes": "6000", "pids/a/memory.limit_in_bytes": "3"}, 6000),
        ("4:memory:/docker/x", {"memory/memory.limit_in_bytes": "9000"}, 9000),
        ("4:memory:/", {"memory/memory.limit_in_bytes": "9223372036854771712"}, None),
    ],
)
def test_the_limit_of_a_container_or_a_job(monkeypatch, tmp_path, groups, limits, least):
    """Control groups of version 2 and 1, told to a process as Linux does."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path, content in {"proc/self/cgroup": groups, **{f"sys/fs/cgroup/{path}": limit for path, limit in limits.items()}}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
    monkeypatch.setattr(checks, "ROOT", tmp_path)
    assert checks.memory_limit() == (least or machine) // 3


def test_arrays_are_resized():
    image = np.zeros((3, 4, 8), np.uint8)
    image[:, :, 2:6] = 200
    data, _ = open_data(DataSpec("memory", size=8, held_out=0), image)
    assert data.shape == (1, 8, 8) and (data.image == 200).all()  # the central square only


# .npy and .npz


@pytest.mark.parametrize("order", ["C", "F"])
def test_npy(tmp_path, order):
    np.save(tmp_path / "a.npy", np.asarray(pictures(20), order=order))
    train, test = open_data(DataSpec(str(tmp_path / "a.npy")))
    assert (len(train), len(test)) == (18, 2) and train.name == "a"
    assert np.array_equal(open_data(DataSpec(str(tmp_path / "a.npy"), held_out=0))[0].image[:, 0].numpy(), pictures(20))


@pytest.mark.parametrize("keys", [("image", "label", "test_image", "test_label"), ("images", "labels", "images_test", "labels_test"),
                                  ("x_train", "y_train", "x_test", "y_test"), ("X", "Y", "test_X", "test_Y")])  # fmt: skip
def test_npz(tmp_path, keys):
    arrays = (pictures(20), np.arange(20) % 4, pictures(6, seed=1), np.arange(6) % 4)
    np.savez_compressed(tmp_path / "a.npz", **dict(zip(keys, arrays, strict=True)), other=np.zeros(3))
    train, test = open_data(DataSpec(str(tmp_path / "a.npz")))
    assert np.array_equal(train.image[:, 0].numpy(), arrays[0]) and np.array_equal(test.image[:, 0].numpy(), arrays[2])
    assert torch.equal(train.label, torch.arange(20) % 4) and torch.equal(test.label, torch.arange(6) % 4) and len(test.classes) == 4


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"pixels": np.zeros(3)}, "its keys are pixels"),
        ({"x": np.zeros((2, 3, 3)), "image": np.zeros((2, 3, 3))}, "more than one array of images for train: x, image"),
        ({"x": np.array([None])}, "holds Python objects"),
        ({"x": np.zeros((2, 3, 3)), "test_x": np.zeros((2, 4, 4))}, "(1, 4, 4)"),
        ({"x": np.zeros((2, 3, 3)), "y": [0, 1], "x_test": np.zeros((1, 3, 3)), "y_test": [2]}, "the label 2; labels must lie in 0..1"),
    ],
)
def test_npz_that_cannot_be_used(tmp_path, arrays, said):
    np.savez(tmp_path / "a.npz", **arrays)
    assert said in refused(tmp_path / "a.npz")


def test_an_array_that_announces_more_than_there_is(tmp_path):
    np.save(tmp_path / "a.npy", pictures(20))
    content = (tmp_path / "a.npy").read_bytes()
    for shape, said in (("(90, 5, 5)", "cannot be read as .npy"), ("(9**9, 5)", "cannot be"), ("(-1, 5, 5)", "impossible")):
        (tmp_path / "b.npy").write_bytes(content.replace(b"(20, 5, 5)", shape.ljust(10).encode()))
        assert said in refused(tmp_path / "b.npy")
    (tmp_path / "b.npy").write_bytes(content.replace(b"(20, 5, 5), }", b"(99999999999999,), }"[:20]))
    refused(tmp_path / "b.npy")


@given(st.integers(0, 10**6), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6), st.floats(0, 1))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_mutated_array_files_are_read_or_refused(tmp_path_factory, which, changes, cut):
    folder = tmp_path_factory.getbasetemp()
    kind = ("npy", "npz", "idx", "gz")[which % 4]
    source = folder / f"whole.{kind}"
    if not source.exists():
        with source.open("wb") as file:
            if kind == "npy":
                np.save(file, pictures(8))
            elif kind == "npz":
                np.savez_compressed(file, x=pictures(8), y=np.arange(8))
            else:
                file.write(gzip.compress(idx(pictures(8))) if kind == "gz" else idx(pictures(8)))
    content = bytearray(source.read_bytes())
    for place, value in changes:
        content[int(place * (len(content) - 1))] = value
    target = folder / (f"bent.{kind}" if kind.startswith("np") else "bent-images-idx3-ubyte")
    target.write_bytes(content[: int(cut * len(content))] if which % 3 == 0 else content)
    try:
        data, _ = open_data(DataSpec(str(target), held_out=0))
        assert data.image is None or data.image.numel() <= 1000
    except BadInput as error:
        assert "'" in str(error)
