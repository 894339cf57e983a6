"""A CSV that names the class of some images: what it may look like, what it teaches, and every way in which it is refused."""

import numpy as np
import pytest
import torch
from PIL import Image

from pushforward.core import UNLABELLED, BadInput
from pushforward.data import DataSpec, open_data

FILES = [f"{folder}/{number}.png" for folder in ("a", "b") for number in range(20)] + ["top.png"]


def pixels(number, seed=0):
    return np.random.default_rng([seed, number]).integers(0, 256, (8, 8), dtype=np.uint8)


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    for number, name in enumerate(FILES):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels(number)).save(folder / name)
    return folder


@pytest.fixture
def read(photos, tmp_path):
    """Train and test part for the lines of a CSV."""

    def from_lines(*lines, data=photos, **settings):
        path = tmp_path / "some.csv"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return open_data(DataSpec(str(data), labels_file=str(path), **settings))

    return from_lines


def told(dataset):
    return {name: dataset.classes[kind] for name, kind in zip(dataset.names, dataset.label.tolist(), strict=True) if kind != UNLABELLED}


@pytest.mark.parametrize(
    "lines",
    [
        ["file,class", "a/0.png,cat", "b/0.png,dog"],
        ["class;guess;file", "cat;cow;a/0.png", "dog;;b/0.png", ";cat;b/1.png"],
        ["a/0.png,cat", "./b/0.png, dog ", "", "b/1.png,"],
        ["\ufeffFile\tClass", "a\\0.png\tcat", "b\\0.png\tdog"],
    ],
)
def test_columns_separators_and_lines_still_empty(read, lines):
    train, test = read(*lines)
    assert train.classes == ("cat", "dog") and told(train) == {"a/0.png": "cat", "b/0.png": "dog"}
    assert test.classes == train.classes and len(train) + len(test) == len(FILES)


def test_the_end_of_a_path_will_do_where_it_is_unique(read):
    train, _ = read("top.png,cat", "b/3.png,dog")
    assert told(train) == {"top.png": "cat", "b/3.png": "dog"}


def test_a_backslash_may_belong_to_a_name(read, photos):
    (photos / "a\\0.png").write_bytes((photos / "top.png").read_bytes())
    train, _ = read("a\\0.png,cat", "b/0.png,dog")
    assert told(train) == {"a\\0.png": "cat", "b/0.png": "dog"}


def test_by_default_every_label_teaches_and_what_is_held_out_has_none(read):
    train, test = read(*(f"a/{number}.png,{'cat' if number % 2 else 'dog'}" for number in range(20)))
    assert (train.label != UNLABELLED).sum() == 20 and (test.label == UNLABELLED).all() and len(test) == 2
    assert "none of the 2 images held out has one" in train.notes[-1]


def test_labels_are_held_out_where_it_is_asked_for(read):
    train, test = read(*(f"a/{number}.png,{'cat' if number % 2 else 'dog'}" for number in range(20)), held_out=0.3)
    known = int((test.label != UNLABELLED).sum())
    assert 4 <= known <= 8 and len(test) == 12 and f"{known} of the 12 images held out have a label" in train.notes[-1]
    assert not told(train).keys() & told(test).keys()


def test_a_whole_set_with_labels_and_nothing_held_out(read):
    train, test = read(*(f"{name},{'cat' if place % 2 else 'dog'}" for place, name in enumerate(FILES)))
    assert test is None and (train.label != UNLABELLED).all()
    assert read("a/0.png,cat", "b/0.png,dog", held_out=0)[1] is None


def test_sub_folders_are_no_classes_then_and_a_missing_one_is_told(photos, read):
    train, _ = read("a/0.png,cat", "b/0.png,dog")
    assert train.classes == ("cat", "dog") and not any("no such class" in note for note in train.notes)
    (photos / "c").mkdir()
    Image.fromarray(pixels(99)).save(photos / "c" / "0.png")
    train, _ = read("a/0.png,a", "b/0.png,b")
    assert train.classes == ("a", "b") and "No image is named 'c'" in train.notes[0]


def test_the_fingerprint_follows_the_labels_and_not_the_names(read, photos):
    one = read("a/0.png,cat", "b/0.png,dog")[0].fingerprint
    assert read("b/0.png,dog", "a/0.png,cat")[0].fingerprint == one
    assert read("a/0.png,dog", "b/0.png,cat")[0].fingerprint != one
    assert read("a/0.png,cat", "b/0.png,cow")[0].fingerprint != one
    (photos / "top.png").rename(photos / "z.png")
    assert read("a/0.png,cat", "b/0.png,dog")[0].fingerprint == one


def test_arrays_are_named_by_number(read, tmp_path):
    np.save(tmp_path / "x.npy", np.stack([pixels(number) for number in range(30)]))
    train, test = read("file,class", "7,cat", "12,dog", data=tmp_path / "x.npy")
    assert told(train) == {"7": "cat", "12": "dog"} and len(test) == 2
    assert torch.equal(train.image[train.names.index("12"), 0], torch.from_numpy(pixels(12)))


def test_a_test_part_that_knows_its_labels_keeps_them(read, tmp_path):
    folder = tmp_path / "parts"
    names = ["train/x/0.png", "train/x/1.png", "test/cat/2.png", "test/dog/3.png", "test/cow/4.png", "test/dog/5.png", "train/cat/6.png"]
    for number, name in enumerate([*names, "train/dog/7.png", "train/cow/8.png"]):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels(number)).save(folder / name)
    train, test = read("train/x/0.png,cat", "train/x/1.png,dog", "5.png,cat", data=folder)
    assert told(train) == {"train/x/0.png": "cat", "train/x/1.png": "dog"}
    assert told(test) == {"test/cat/2.png": "cat", "test/dog/3.png": "dog", "test/dog/5.png": "cat"}
    with pytest.raises(BadInput, match="names the class 'cow' for test images only; name a training image of it"):
        read("train/x/0.png,cat", "train/x/1.png,dog", "4.png,cow", data=folder)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([""], "names the class of no image; write a line such as"),
        (["file,class"], "names the class of no image"),
        (["file,class", "a/0.png,"], "names the class of no image"),
        (["a/0.png,cat", "b/0.png,cat"], "names only one class, 'cat'"),
        (["a/0.png,cat", "b/0.png,dog", "x.png,dog", "y.png,cat"], "no image of 'photos': 'x.png' (line 3), 'y.png' (line 4); correct"),
        (["a/0.png,cat", "b/0.png,dog", "0.png,dog"], "files of which 'photos' has several: '0.png' (line 3)"),
        (["file,class", "top.png,cat", "b/0.png,dog", "top.png,cat"], "more than once: 'top.png' (line 2: cat, line 4: cat); keep one"),
        (["top.png,cat", "./top.png,dog"], "more than once: 'top.png' (line 1: cat, line 2: dog)"),
        (["a/0.png,cat,3"], "Line 1 of"),
        (["a/0.png,cat", "b/0.png"], "Line 2 of"),
        (["file,class", ",cat"], "has no file; write file,class"),
    ],
)
def test_labels_that_are_refused(read, lines, said):
    with pytest.raises(BadInput) as refused:
        read(*lines)
    sentence = str(refused.value)
    assert said in sentence and sentence.endswith(".") and "\n" not in sentence


def test_only_the_first_of_many_wrong_lines_are_listed(read):
    with pytest.raises(BadInput, match=r"\(line 10\) and 15 more; correct"):
        read(*(f"x{number}.png,{number % 2}" for number in range(25)))


def test_files_that_are_no_csv(photos, tmp_path):
    (tmp_path / "bytes.csv").write_bytes(b"a/0.png,\xff\n")
    (tmp_path / "heads.csv").write_text("file,label\na/0.png,cat\n")
    for name, said in (
        ("missing.csv", "There is no file of labels"),
        ("bytes.csv", "cannot be read as a CSV file in UTF-8"),
        ("photos", "There is no file of labels"),
        ("heads.csv", "names the columns file, label; the one that holds classes must be called class"),
    ):
        with pytest.raises(BadInput, match=said):
            open_data(DataSpec(str(photos), labels_file=str(tmp_path / name)))
    with pytest.raises(BadInput, match="4000 clusters are to be found among"):
        open_data(DataSpec(str(photos), labels=0, classes=4000))
    (tmp_path / "table.csv").write_text("x,y\n1,2\n3,4\n")
    with pytest.raises(BadInput, match="holds rows of numbers, which no file names"):
        open_data(DataSpec(str(tmp_path / "table.csv"), labels_file=str(tmp_path / "some.csv")))


def test_images_that_are_all_the_same(tmp_path, photos, read):
    for name in FILES:
        Image.fromarray(pixels(0)).save(photos / name)
    for refuse in (lambda: read("a/0.png,cat", "b/0.png,dog"), lambda: open_data(DataSpec(str(photos), labels=0))):
        with pytest.raises(BadInput, match="All 41 images of 'photos' are the same"):
            refuse()


def test_pixels_that_are_no_numbers(read, tmp_path):
    image = np.stack([pixels(number) / 255.0 for number in range(9)])
    image[3, 2, 2] = np.nan
    np.save(tmp_path / "x.npy", image)
    np.savez(tmp_path / "x.npz", x=image)
    for data in ("x.npy", "x.npz"):
        with pytest.raises(BadInput, match="holds NaN or infinity; clean the data first"):
            read("0,cat", "1,dog", data=tmp_path / data)
    with pytest.raises(BadInput, match="holds NaN"):
        open_data(DataSpec("memory", classes=2), torch.from_numpy(image))


def test_clusters_for_images_without_any_label(photos):
    train, test = open_data(DataSpec("digits", labels=0))
    assert train.classes == test.classes == tuple(f"cluster {number}" for number in range(10))
    assert (train.label == UNLABELLED).all() and (test.label == UNLABELLED).all()
    assert open_data(DataSpec("digits", labels=0, classes=3))[0].classes == ("cluster 0", "cluster 1", "cluster 2")
    image = torch.stack([torch.from_numpy(pixels(number)) for number in range(9)])
    assert len(open_data(DataSpec("memory", classes=4), image)[0].classes) == 4


def test_clusters_beside_labels_in_a_csv_are_refused_with_what_can_be_done(photos, tmp_path):
    (tmp_path / "some.csv").write_text("a/0.png,cat\nb/0.png,dog\n")
    with pytest.raises(BadInput, match=r"--classes is 4, but '.*some.csv' names 2 classes; leave --classes out, or leave --labels out"):
        open_data(DataSpec(str(photos), labels_file=str(tmp_path / "some.csv"), classes=4))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"path": "digits", "classes": 5},
            "--classes is 5, but 'digits' has 10 classes of its own; leave --classes out, or hide all labels with --labels 0",
        ),
        ({"path": "digits", "classes": 1, "labels": 0}, "classes is 1; give 2 clusters or more"),
        ({"path": "digits", "classes": -2}, "classes is -2"),
        ({"path": "memory", "labels": 0}, "it has no classes; say how many clusters to look for .--classes 10"),
    ],
)
def test_clusters_that_are_refused(settings, said):
    with pytest.raises(BadInput, match=said):
        open_data(DataSpec(**settings), torch.stack([torch.from_numpy(pixels(number)) for number in range(9)]))
