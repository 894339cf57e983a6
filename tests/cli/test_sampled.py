"""Examples that `sample` writes as data: read again they are those that the system makes."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import pushforward
from pushforward.cli import sampled
from pushforward.core import Samples
from pushforward.data import DataSpec, open_data
from pushforward.report import pictures
from pushforward.runs import Run
from tests.cli.conftest import TINY


def bytes_of(images: torch.Tensor) -> np.ndarray:
    return ((images + 1) * 127.5).round().byte().numpy()


@pytest.mark.parametrize("out", ["many/", "some.day/", "few"])
def test_a_folder_has_an_image_each_and_their_names_sort(ask, runs, tmp_path, out):
    answer = ask("sample", runs["vae"], "--count", 12, "--seed", 3, "--out", out)
    assert answer.code == 0, answer.err
    names = sorted(path.name for path in answer.path.iterdir())
    assert names == [f"{number:04}.png" for number in range(12)] and (tmp_path / out).is_dir()
    found = np.stack([np.asarray(Image.open(answer.path / name)) for name in names])
    np.testing.assert_array_equal(found, bytes_of(pushforward.load(runs["vae"]).sample(12, seed=3))[:, 0])


def test_names_sort_where_there_are_more_images_than_four_digits_number(monkeypatch, tmp_path):
    monkeypatch.setattr(sampled, "DIGITS", 1)
    sampled.write_images(f"{tmp_path}/many/", torch.zeros(11, 3, 4, 4), None)
    assert sorted(path.name for path in (tmp_path / "many").iterdir()) == [f"{number:02}.png" for number in range(11)]


def test_images_as_arrays_are_read_again_with_their_classes(ask, runs, tmp_path):
    system = pushforward.load(runs["conditional"])
    assert ask("sample", runs["conditional"], "--count", 20, "--out", "new/all.npz").code == 0
    train, _ = open_data(DataSpec("new/all.npz", held_out=0))
    np.testing.assert_array_equal(train.image, bytes_of(system.sample(20, seed=0)))
    assert train.label.tolist() == [number % 10 for number in range(20)]
    with np.load("new/all.npz", allow_pickle=False) as found:
        assert found["image"].dtype == np.uint8 and found["image"].shape == (20, 8, 8)

    assert ask("sample", runs["conditional"], "--count", 5, "--label", 3, "--out", "threes.npz").code == 0
    threes, _ = open_data(DataSpec("threes.npz", held_out=0))
    np.testing.assert_array_equal(threes.image, bytes_of(system.sample(5, 3, seed=0)))
    assert threes.label is None, "a class 3 without 0, 1 and 2 could not be read"

    assert ask("sample", runs["vae"], "--mixture", 2, "--count", 4, "--out", "mixed.npy").code == 0
    assert np.load("mixed.npy", allow_pickle=False).shape == (4, 8, 8)
    sampled.write_images("colour.npy", torch.rand(3, 3, 4, 6), None)
    assert np.load("colour.npy", allow_pickle=False).shape == (3, 4, 6, 3)


def test_rows_are_in_the_units_of_the_table(ask, runs):
    data, _ = Run(runs["table"]).data()
    expected = pushforward.load(runs["table"]).sample(30, seed=1) * data.scale + data.centre
    for ending in ("csv", "npy", "npz"):
        answer = ask("sample", runs["table"], "--count", 30, "--seed", 1, "--out", f"rows.{ending}")
        assert answer.code == 0, answer.err
    assert answer.path.name == "rows.npz" and set(np.load("rows.npz", allow_pickle=False)) == {"image"}
    heads, *rows = csv.reader(Path("rows.csv").read_text().splitlines())
    assert heads == ["length", "weight"]
    array = np.load("rows.npy", allow_pickle=False)
    assert array.dtype == np.float32
    for found in (array, np.array(rows, np.float32), np.load("rows.npz", allow_pickle=False)["image"]):
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert ask("data", "describe", "rows.csv").code == 0


def test_a_table_with_classes_has_them_in_its_own_column(ask, tmp_path):
    (tmp_path / "pets.csv").write_text("kind,size\n" + "".join(f"{'cat' if n % 2 else 'dog'},{n}\n" for n in range(40)))
    run = pushforward.train("conditional_vae", "pets.csv", target="kind", run="run", **(TINY | {"images": 128}))
    assert ask("sample", run.folder, "--count", 4, "--out", "all.csv").code == 0
    heads, *rows = csv.reader(Path("all.csv").read_text().splitlines())
    assert heads == ["size", "kind"] and [row[1] for row in rows] == ["cat", "dog", "cat", "dog"]


def test_as_many_rows_as_real_ones_are_drawn_where_no_number_is_given(ask, runs, monkeypatch):
    data, _ = Run(runs["table"]).data()
    counts = []
    kind = type(pushforward.load(runs["table"]))
    made = kind.sample
    monkeypatch.setattr(kind, "sample", lambda self, count, *more, **rest: counts.append(count) or made(self, count, *more, **rest))
    for words, points in (((), 3000), ((), 50), (("--out", "rows.csv"), 50), (("--count", 7), 50)):
        monkeypatch.setattr(pictures, "POINTS", points)
        assert ask("sample", runs["table"], *words).code == 0
    assert ask("sample", runs["vae"]).code == 0
    assert counts == [len(data), 50, 50, 7, 64] and len(data) > 64 and issubclass(kind, Samples)


def test_what_is_there_is_kept(ask, runs, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "0000.png").write_bytes(b"a photo")
    (tmp_path / "note").write_text("a note")
    (tmp_path / "v.npz").mkdir()
    told = {"mine": "'mine' holds files", "mine/": "'mine/' holds files", "note": "'note' is a file", "v.npz": "'v.npz' is a folder"}
    for out, part in told.items():
        answer = ask("sample", runs["vae"], "--out", out)
        assert answer.code == 2 and part in answer.err and answer.err.count("\n") == 1
    assert (tmp_path / "mine" / "0000.png").read_bytes() == b"a photo" and (tmp_path / "note").read_text() == "a note"
