import re
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pushforward.report import page, write
from pushforward.report.facts import Scores, flat, lasting, percent
from pushforward.report.glossary import grouped
from pushforward.report.sections import Plate
from tests.report.fakes import HOSTILE, Coder, Config, Editor, Refuser, Sampler, Whole, strips, table, whole_run


class Page(HTMLParser):
    """What a browser would see."""

    def __init__(self, path: Path):
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def sections(self) -> list[str]:
        return [attributes["id"] for attributes in self.all("section")]

    def pictures(self) -> list[Image.Image]:
        return [Image.open(BytesIO(b64decode(image["src"].removeprefix("data:image/png;base64,")))) for image in self.all("img")]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return Page(write(whole_run(tmp_path_factory.mktemp("run"))))


def written(folder: Path, **changed: object) -> Page:
    return Page(write(whole_run(folder, lines=[], **changed)))


def test_what_training_warned_of_is_told(tmp_path: Path) -> None:
    lines = [{"seen": 100 * n, "discriminator/real": 0.99, "generator/made": 0.01 if n > 4 else 0.4} for n in range(1, 11)]
    page = Page(write(whole_run(tmp_path, lines=lines)))
    assert "health" in page.sections
    assert "The discriminator has won" in page.text and "500" in page.text and "1,000" in page.text


def test_a_system_with_all_abilities_has_all_sections(whole: Page) -> None:
    abilities = ["encoding", "samples", "conditional-samples", "interpolation", "classification"]
    assert whole.sections == [*abilities, "curves", "evolution", "repeat", "glossary"]
    assert "Left out" not in whole.text


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        (Sampler(Config()), ["samples"]),
        (Sampler(Config(classes=5)), ["samples", "conditional-samples"]),
        (Coder(Config(latent=2)), ["encoding", "samples", "interpolation"]),
        (Editor(Config()), []),
    ],
    ids=["samples", "samples with labels", "encodes", "edits"],
)
def test_sections_follow_from_abilities(tmp_path: Path, system: Whole, expected: list[str]) -> None:
    assert written(tmp_path, system=system).sections == [*expected, "evolution", "repeat"]


def test_completions_need_a_part_of_the_image_to_be_seen(tmp_path: Path) -> None:
    data = strips(120, observe=2)
    assert written(tmp_path, system=Editor(Config()), train=data, test=data).sections == ["completions", "evolution", "repeat"]


def test_a_table_has_its_own_pictures(tmp_path: Path) -> None:
    system = Coder(Config((3,), latent=3))
    found = written(tmp_path, system=system, train=table(150), test=None)
    assert found.sections == ["encoding", "samples", "evolution", "repeat"]
    assert "150 rows of 3 columns" in found.text and "training rows" in found.all("img")[0]["alt"]


def test_a_run_that_was_told_no_label_shows_its_clusters(tmp_path: Path) -> None:
    names = ("cluster 0", "seven", "cluster of ones", "seven", "cluster 4")
    data = replace(strips(120), label=torch.full((120,), -1), classes=names)
    found = written(tmp_path, train=data, test=None)
    assert found.sections == [
        "encoding", "samples", "conditional-samples", "interpolation", "clusters", "evolution", "repeat"
    ]  # fmt: skip
    assert f"pushforward name-clusters {tmp_path} 0=NAME 1=NAME" in found.text and "20.0\u202f%" in found.text
    for name in ("cluster 0", "1: seven", "2: cluster of ones", "3: seven", "cluster 4"):
        assert f"<td>{name}</td>" in found.source
    assert "bears the names that were given" in found.text and "until it is named" not in found.text
    unnamed = replace(data, classes=tuple(f"cluster {number}" for number in range(5)))
    assert "is called by number until it is named" in written(tmp_path, train=unnamed, test=None).text
    assert "the colour is what the network reads" in found.text
    assert "clusters" not in written(tmp_path, train=replace(data, label=torch.arange(120) % 5 - 1)).sections


def test_accuracy_on_a_part_of_the_test_images_says_so(tmp_path: Path, whole: Page) -> None:
    test = strips(200)
    assert test.label is not None
    some = replace(test, label=torch.where(torch.arange(200) < 40, test.label, -1))
    assert "of 40 labelled test images" in written(tmp_path, test=some).text and "labelled test images" not in whole.text


def test_the_page_asks_nothing_of_the_network_and_runs_nothing(whole: Page) -> None:
    for tag, attributes in whole.tags:
        assert tag not in ("script", "link", "iframe", "object", "base", "form"), tag
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            if name in attributes:
                assert attributes[name].startswith("#" if tag == "a" else "data:image/png;base64,"), attributes[name][:60]
    assert not re.search(r"url\(|@import", whole.source)
    assert {link["href"].removeprefix("#") for link in whole.all("a")} <= set(whole.sections)


def test_names_from_the_data_are_text_and_nothing_else(whole: Page) -> None:
    for words in [f"{HOSTILE[1]} read as {HOSTILE[0]}", "1 of 61 files was <no> image.", "toy <recipe>", "'<here>'", "some & folder"]:
        assert words in whole.text
    assert "<script" not in whole.source and "<here>" not in whole.source and "<no>" not in whole.source


def test_every_picture_says_what_it_shows_and_opens(whole: Page) -> None:
    images = whole.all("img")
    assert len(images) >= 9
    for image, picture in zip(images, whole.pictures(), strict=True):
        assert len(image["alt"]) > 15 and picture.format == "PNG"
        assert abs(int(image["width"]) / int(image["height"]) - picture.width / picture.height) < 0.01
    assert len(whole.all("figcaption")) >= 7


def test_the_page_suits_a_phone_print_and_the_dark(whole: Page) -> None:
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in whole.all("meta")
    for rule in ("@media print", "prefers-color-scheme: dark", "max-width: 100%"):
        assert rule in whole.source
    assert whole.all("html") == [{"lang": "en"}] and len(whole.all("h1")) == 1


def test_the_headline_says_what_was_trained_and_how_well(whole: Page) -> None:
    text = " ".join(whole.text.split())
    for words in ["Strips", "60 images of 8 × 8 pixels from strips, all with labels", "1,000 images seen, seed 7"]:
        assert words in text
    assert "98.00 % of 200 test images are classified rightly" in text  # 4 of 200 labels are wrong
    assert "rate2.0nats, on test data" in text
    assert "1 min 15 s" in text and "pushforward train strips --data '<here>'" in text and "torch9.9" in text
    assert "z_k = mean of the k-th vertical strip" in whole.text


def test_the_commonest_mistakes_are_listed(whole: Page) -> None:
    assert f"{HOSTILE[1]} read as {HOSTILE[0]}140" in whole.text.replace("\n", "")  # 1 of the 40 of that class


def test_reconstructions_on_the_page_are_of_test_images(whole: Page) -> None:
    test = strips(200, wrong=4)
    picture = np.asarray(whole.pictures()[0].convert("L"))
    assert test.image is not None
    first = picture[:56:7, picture.shape[1] - 5 * 58 + 2 :][:, :56:7]
    assert any(np.array_equal(first, image[0]) for image in test.image.numpy())


def test_without_test_data_the_page_says_so_and_gives_no_accuracy(tmp_path: Path) -> None:
    found = written(tmp_path, test=None)
    assert "classification" not in found.sections and "accuracy" not in found.text
    assert "training images" in found.all("img")[0]["alt"] and "on training data" in found.text


def test_hidden_labels_are_counted(tmp_path: Path) -> None:
    train = strips(60)
    assert train.label is not None
    train = replace(train, label=torch.where(torch.arange(60) < 10, train.label, -1))
    assert "10 of them with a label" in written(tmp_path, system=Sampler(Config()), train=train).text


def test_what_a_system_refuses_is_left_out_with_its_sentence(tmp_path: Path) -> None:
    found = written(tmp_path, system=Refuser(Config()))
    assert found.sections == ["samples", "evolution", "repeat"]
    assert "Left out: Encoding: This toy encodes <nothing>." in found.text


def test_a_sheet_that_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    run = whole_run(tmp_path, system=Sampler(Config()), lines=[])
    before = len(Page(write(run)).all("img"))
    (tmp_path / "samples" / "000000500.png").write_bytes(b"\x89PNG no more")
    assert len(Page(write(run)).all("img")) == before


def test_the_same_run_gives_the_same_bytes_and_leaves_chance_alone(tmp_path: Path, whole: Page) -> None:
    run = whole_run(tmp_path)
    state = torch.random.get_rng_state()
    assert write(run).read_text(encoding="utf-8") == whole.source
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_report_that_fails_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = whole_run(tmp_path, system=Sampler(Config()), lines=[])
    path = write(run)
    before, files = path.read_bytes(), sorted(tmp_path.iterdir())

    def full(self: Path, content: bytes) -> int:
        with self.open("wb") as file:
            file.write(content[:100])
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        write(run)
    assert path.read_bytes() == before and sorted(tmp_path.iterdir()) == files


def test_names_that_are_no_text_can_be_written(tmp_path: Path) -> None:
    assert written(tmp_path, system=Sampler(Config()), train=replace(strips(60), name="bad\udcffname")).all("h1")


def test_heavy_pictures_are_made_smaller_but_keep_their_place_on_the_page() -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (800, 600, 3), dtype=np.uint8))
    found = page.inlined(Plate(noise, "noise", ""))
    assert (found.width, found.height) == (600, 800)
    assert 100_000 < len(found.data) < page.LARGEST * 4 / 3 + 100
    small = Image.new("RGB", (600, 800))
    assert Image.open(BytesIO(b64decode(page.inlined(Plate(small, "", "")).data.split(",")[1]))).size == (600, 800)
    assert page.inlined(Plate(small, "", "", kind="chart")).width == 300


def test_a_page_stays_below_six_megabytes(whole: Page) -> None:
    assert len(whole.source) < 2e6
    assert 15 * page.LARGEST * 4 / 3 < 6e6 + 1, "fifteen of the largest pictures fit"


def test_scores() -> None:
    scores = Scores(torch.tensor([[40, 0, 3], [1, 45, 0], [0, 1, 10]]))
    assert (scores.count, scores.accuracy) == (100, 0.95)
    assert scores.interval == pytest.approx((0.8882, 0.9785), abs=1e-4)  # Wilson's score interval of 95 of 100
    assert scores.confused() == [(0, 2, 3, 43), (1, 0, 1, 46), (2, 1, 1, 11)]
    assert Scores(torch.diag(torch.tensor([3, 3]))).confused() == []


def test_terms_of_one_unit_share_a_chart() -> None:
    lines = [{"seen": 1, "vae/rate": 1.0, "vae/oddity": 2.0, "vae/distortion": 3.0, "vae/loss": 4.0, "vae/beta": 1.0, "x/oddity": 5.0}]
    units = grouped(lines)
    assert units == [
        ("nats per example", ["vae/loss", "vae/distortion"]),
        ("rate (nats per example)", ["vae/rate"]),
        ("oddity", ["vae/oddity", "x/oddity"]),
    ]
    assert ("weight of the rate", ["vae/beta"]) in grouped([*lines, {"seen": 2, "vae/beta": 0.5}])


def test_small_words() -> None:
    assert [lasting(s) for s in (0.4, 41, 200, 7500)] == ["0 s", "41 s", "3 min 20 s", "2 h 05 min"]
    assert percent(0.98114) == "98.1\u202f%" and percent(0.98114, 2) == "98.11\u202f%"
    assert flat({"a_b": 1, "c": {"d": [1, 2], "e": None}, "f": False, "g": ""}) == [("a b", "1"), ("d", "1, 2"), ("f", "False")]
