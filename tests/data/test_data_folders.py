"""Folders of images: classes, parts, sizes, and what is refused."""

import os

import numpy as np
import pytest
from PIL import Image

import pushforward
from pushforward.core import UNLABELLED, BadInput
from pushforward.data import DataSpec, archive, checks, load_images, open_data
from tests.data.made_images import animals, colours, encoded, fill, packed, png, read, refused


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


def test_a_stray_image_among_many_is_seen_before_training(tmp_path):
    files = {f"{kind}/{place}.png": encoded(colours(place)) for kind in ("cat", "dog") for place in range(150)}
    place = fill(tmp_path / "pets", files | {"stray.png": encoded(colours(999))})
    with pytest.raises(BadInput, match="needs the label of every example"):
        pushforward.train("conditional_vae", place, batch_size=8, images=16, run=tmp_path / "run", quiet=True)
