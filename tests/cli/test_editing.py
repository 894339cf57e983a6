"""pix2pix as a user types it: train on pairs, evaluate, edit images of one's own."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import pushforward
from pushforward import figures
from pushforward.cli.sources import shown_of
from pushforward.data.resize import fitted
from pushforward.runs import Run
from tests.cli.conftest import PAIRED


@pytest.mark.parametrize(("run", "image"), [("labels", "map.png"), ("edges", "photo.png")])
def test_edit_writes_an_answer_and_several(ask, place, run, image, tmp_path):
    answer = ask("edit", place / run, place / image, "--several", 2, "--out", tmp_path / "out")
    assert answer.code == 0, answer.err
    stem = Path(image).stem
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [f"{stem}-1.png", f"{stem}-2.png", f"{stem}.png"]
    first, second = (np.asarray(Image.open(tmp_path / "out" / f"{stem}-{n}.png")) for n in (1, 2))
    assert first.shape == (16, 16, 3) and (first != second).any()


def test_evaluate_compares_with_the_truth(ask, place):
    answer = ask("evaluate", place / "labels", "--split", "train")
    assert answer.code == 0, answer.err
    found = json.loads((place / "labels" / "evaluation.json").read_text())
    assert {
        "L1",
        "PSNR",
        "SSIM",
        "sharpness ratio",
        "histogram intersection, L",
        "diversity",
        "L1 of the mean training image",
    } <= found.keys()
    assert found["diversity"] > 0


@pytest.mark.parametrize("run", ["labels", "edges", "parts"])
def test_pictures_and_pages(ask, place, run):
    assert ask("reconstruct", place / run).code == 0
    page = ask("report", place / run)
    assert page.code == 0 and 'id="translations"' in page.path.read_text()


def test_maps_of_parts_are_painted_in_the_colours_of_sheets(ask, place, tmp_path):
    run = Run(place / "parts")
    batch = run.data()[1].batch(torch.arange(1))
    picture = figures.as_picture(batch["source"])[0].transpose(1, 2, 0)
    Image.fromarray(np.round((picture + 1) * 127.5).astype(np.uint8)).save(tmp_path / "map.png")
    answer = ask("edit", place / "parts", tmp_path / "map.png", "--out", tmp_path / "made")
    assert answer.code == 0, answer.err
    made = np.asarray(Image.open(tmp_path / "made" / "map.png")) / 127.5 - 1
    wanted = run.open().edit({"source": batch["source"]})[0].permute(1, 2, 0).numpy()
    assert np.abs(made - wanted).max() < 0.01


def test_what_cannot_be_edited_is_a_sentence(ask, place, tmp_path):
    refused = ask("edit", place / "parts", place / "photo.png").err
    assert "is the source a label map? It should be drawn in #4477aa=background, #ffa90e=clothes, " in refused
    several = ask("edit", place / "labels", place / "photo.png", "--several", 2, "--deterministic")
    assert several.code == 2 and "--deterministic asks for one answer, and --several 2 for others" in several.err
    file = ask("edit", place / "labels", place / "photo.png", "--out", "answer.PNG")
    assert file.code == 2 and "--out is 'answer.PNG', a file, but each answer is written under its source's name." in file.err
    assert "which edits no images" in ask("edit", "zoo/vae", place / "photo.png").err
    Image.new("RGB", (16, 16), (0, 255, 0)).save(tmp_path / "green.png")
    assert "are far from all colours of its palette" in ask("edit", place / "labels", tmp_path / "green.png").err
    answer = ask("train", "pix2pix", "--data", "digits", "--images", 100)
    assert answer.code == 2 and "translates pairs of images. Give --pairs" in answer.err


def test_parts_of_faces_are_found_and_scored(ask, tmp_path):
    run = pushforward.train("parsing", "faces", size=16, images=1_600, width=8, run=tmp_path / "parts", quiet=True)
    assert ask("evaluate", run.folder).code == 0
    found = json.loads((run.folder / "evaluation.json").read_text())
    assert found["pixel accuracy"] > 0.5 and {"mean F", "F of skin", "intersection over union"} <= found.keys()
    page = ask("report", run.folder)
    assert page.code == 0 and 'id="parts"' in page.path.read_text() and run.sheets()
    answer = ask("train", "parsing", "--data", "digits", "--images", 100)
    assert answer.code == 2 and "Parsing learns from maps of 2 parts or more" in answer.err


@pytest.mark.parametrize("of", ["faces", "pairs"])
def test_parts_of_photos_of_ones_own_are_drawn_as_maps_are(ask, place, tmp_path, of):
    data = "faces" if of == "faces" else str(place / "pairs")
    paired = {} if of == "faces" else {"pairs": "left-to-right", "palette": "#0000aa=dark,#ff5500=light,#0000ab=dark"}
    run = pushforward.train("parsing", data, size=16, images=320, width=4, run=tmp_path / "parser", quiet=True, **paired)
    (tmp_path / "mine").mkdir()
    Image.open(place / "photo.png").save(tmp_path / "mine" / "a.png")
    Image.open(place / "photo.png").resize((16, 16)).convert("L").save(tmp_path / "mine" / "b.jpg")
    (tmp_path / "mine" / "c.png").write_bytes(b"no picture")
    answer = ask("edit", run.folder, tmp_path / "mine", "--out", tmp_path / "maps")
    assert answer.code == 0 and "2 of 2 images were fitted" in answer.err and "c.png (not a PNG" in answer.err, answer.err
    assert sorted(path.name for path in (tmp_path / "maps").iterdir()) == ["a.png", "b.png"]
    colours = figures.part_colours(13) if of == "faces" else ["#0000aa", "#ff5500"]
    known = np.array([[int(each[at : at + 2], 16) for at in (1, 3, 5)] for each in colours], np.uint8)
    for name in ("a.png", "b.jpg"):
        photo = np.asarray(fitted(Image.open(tmp_path / "mine" / name).convert("RGB"), 16)).transpose(2, 0, 1)[None]
        wanted = run.open().parse(torch.from_numpy(photo.copy()).float() / 127.5 - 1).argmax(1)[0].numpy()
        made = np.asarray(Image.open((tmp_path / "maps" / name).with_suffix(".png")))
        assert made.shape == (16, 16, 3) and (made == known[wanted]).all(), name
    drawn = ask("edit", run.folder, place / "photo.png", "--drawn")
    assert drawn.code == 2 and "names the parts of photos as they are. Leave --mask, --blend, --drawn and --several out." in drawn.err
    assert "Use `pushforward edit" in ask("predict", run.folder, tmp_path / "mine").err


def test_several_answers_are_not_made_where_all_are_the_same(ask, place, tmp_path):
    photo = tmp_path / "photo.png"
    Image.open(place / "photo.png").resize((16, 16)).save(photo)
    pushforward.train("completion", "faces", run=tmp_path / "gated", size=16, mask="centre", images=32, width=4, quiet=True)
    pushforward.train("pix2pix", "faces", run=tmp_path / "settled", pairs="edges", size=16, dropout=0, **PAIRED)
    earlier = tmp_path / "out" / "photo.png"
    earlier.parent.mkdir()
    earlier.write_bytes(b"an earlier answer")
    for run in ("gated", "settled"):
        answer = ask("edit", tmp_path / run, photo, "--several", 2, "--out", tmp_path / "out")
        assert answer.code == 2 and "answers without noise, so that all answers are the same. Leave --several out." in answer.err
        assert list(earlier.parent.iterdir()) == [earlier] and earlier.read_bytes() == b"an earlier answer"
    missing = ask("edit", tmp_path / "gated", photo, "--mask", tmp_path / "none.png")
    assert missing.code == 2 and "There is no file" in missing.err and "white where to paint" in missing.err


def test_photos_of_one_name_get_answers_of_their_own_and_what_is_left_out_is_said(ask, place, tmp_path):
    (tmp_path / "mine").mkdir()
    for name in ("a.png", "a.jpg"):
        Image.open(place / "photo.png").convert("RGB").save(tmp_path / "mine" / name)
    (tmp_path / "mine" / "b.png").write_bytes(b"no picture")
    for run in ("holes", "edges"):
        answer = ask("edit", place / run, tmp_path / "mine", "--out", tmp_path / run)
        assert answer.code == 0 and "b.png (not a PNG" in answer.err, answer.err
        assert sorted(path.name for path in (tmp_path / run).iterdir()) == ["a-png.png", "a.png"]


def test_several_answers_do_not_take_the_name_of_anothers(ask, place, tmp_path):
    (tmp_path / "mine").mkdir()
    for name in ("a.png", "a-1.png"):
        Image.open(place / "photo.png").save(tmp_path / "mine" / name)
    answer = ask("edit", place / "edges", tmp_path / "mine", "--several", 1, "--out", tmp_path / "out")
    assert answer.code == 0, answer.err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a-1-1.png", "a-1.png", "a-png-1.png", "a-png.png"]


def test_every_answer_has_a_name_of_its_own(ask, place, tmp_path):
    (tmp_path / "mine").mkdir()
    for name in ("a-png.jpg", "a.jpg", "a.png"):
        Image.open(place / "photo.png").convert("RGB").save(tmp_path / "mine" / name)
    assert ask("edit", place / "edges", tmp_path / "mine", "--out", tmp_path / "out").code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a-png-2.png", "a-png.png", "a.png"]


def test_no_answer_takes_the_place_of_what_was_given(ask, place, tmp_path):
    (tmp_path / "mine").mkdir()
    photo, mask = tmp_path / "mine" / "photo.png", tmp_path / "other" / "photo.png"
    Image.open(place / "photo.png").save(photo)
    mask.parent.mkdir()
    Image.fromarray(np.uint8([[0, 255]]).repeat(8, 1).repeat(16, 0)).resize(Image.open(photo).size, 0).save(mask)
    np.save(tmp_path / "mine" / "sources.npy", np.zeros((2, 3, 16, 16), np.uint8))
    before = [path.read_bytes() for path in (photo, mask)]
    for asked in (
        ("edges", photo, "--out", tmp_path / "mine"),
        ("edges", tmp_path / "mine", "--out", tmp_path / "mine"),
        ("holes", photo, "--mask", mask, "--out", tmp_path / "other"),
        ("edges", tmp_path / "mine" / "sources.npy", "--out", tmp_path / "other" / ".." / "mine"),
    ):
        answer = ask("edit", place / asked[0], *asked[1:])
        assert answer.code == 2 and "which was given. Name another folder" in answer.err, answer.err
    assert before == [path.read_bytes() for path in (photo, mask)]


def test_a_drawing_is_a_source_as_it_is(ask, place, tmp_path):
    """A ring of three dark pixels in 400 becomes a ring of one in 16, and does not fade."""
    pixels = np.full((400, 480), 255, np.uint8)
    pixels[100:300, 140:340] = 0
    pixels[103:297, 143:337] = 255
    Image.fromarray(pixels).save(tmp_path / "ring.png")
    run = Run(place / "edges")
    files, batch = shown_of(run, tmp_path / "ring.png", drawn=True)
    ring = batch["source"][0, 0]
    assert files == ["ring.png"] and batch["source"].shape == (1, 1, 16, 16)
    assert bool((ring[4, 4:12] == -1).all() and (ring[4:12, 4] == -1).all()) and float(ring[7, 7]) == float(ring[0, 0]) == 1
    answer = ask("edit", place / "edges", tmp_path / "ring.png", "--drawn", "--out", tmp_path / "a")
    other = ask("edit", place / "edges", tmp_path / "ring.png", "--out", tmp_path / "b")
    assert answer.code == other.code == 0, answer.err
    assert (tmp_path / "a" / "ring.png").read_bytes() != (tmp_path / "b" / "ring.png").read_bytes()
    assert "Leave --drawn out" in ask("edit", place / "labels", place / "map.png", "--drawn").err
    assert "Leave --drawn out" in ask("edit", place / "holes", place / "photo.png", "--drawn").err


def test_answers_are_judged_by_other_networks(ask, place, tmp_path):
    parser = pushforward.train("parsing", "faces", size=16, images=800, width=8, run=tmp_path / "judge", quiet=True).folder
    reader = pushforward.train("classifier", "faces", size=16, images=64, width=8, run=tmp_path / "reader", quiet=True).folder
    answer = ask("evaluate", place / "parts", "--count", 40, "--judge", parser, "--features", reader)
    assert answer.code == 0, answer.err
    found = json.loads((place / "parts" / "evaluation.json").read_text())
    by_a_judge = "intersection over union, by a judge"
    assert 0 < found[by_a_judge] < 1 and 0 < found[f"{by_a_judge}, of real pictures"] < 1
    assert found["Frechet distance"] > found["Frechet distance, real against real"] > 0 and "SHA-256" in found["feature net"]
    small = pushforward.train("parsing", "faces", size=12, images=64, width=8, run=tmp_path / "small", quiet=True).folder
    refused = {
        "reads images of 3x12x12, but these answers are 3x16x16": (place / "parts", small),
        "names no parts": (place / "parts", reader),
        "other parts than the 2": (place / "labels", parser),
        "edits no images": (reader, parser),
    }
    for words, (run, judge) in refused.items():
        answer = ask("evaluate", run, "--split", "train", "--count", 20, "--judge", judge)
        assert answer.code == 2 and words in answer.err, (words, answer.err)


def test_arrays_of_other_channels_are_translated_into_arrays(ask, tmp_path):
    chance = np.random.default_rng(0)
    source, image = (chance.integers(0, 256, (40, 16, 16, channels)).astype(np.uint8) for channels in (5, 2))
    np.savez(tmp_path / "pairs.npz", image=image, source=source)
    np.save(tmp_path / "new.npy", source[:20])
    Image.fromarray(image[0, :, :, 0]).save(tmp_path / "photo.png")
    run = pushforward.train("pix2pix", tmp_path / "pairs.npz", run=tmp_path / "run", pairs="source", **PAIRED).folder
    answer = ask("edit", run, tmp_path / "new.npy", "--several", 1, "--out", tmp_path / "out")
    assert answer.code == 0, answer.err
    first, drawn = (np.load(tmp_path / "out" / f"{name}.npy") for name in ("new", "new-1"))
    assert first.shape == drawn.shape == (20, 16, 16, 2) and first.dtype == np.uint8 and (first != drawn).any()
    system, shown = Run(run).open(), {"source": torch.from_numpy(source[:20]).permute(0, 3, 1, 2).float() / 127.5 - 1}
    made = system.edit(shown | {"index": torch.arange(20)}).add(1).mul(127.5).round().byte().permute(0, 2, 3, 1)
    assert np.abs(made.numpy().astype(int) - first).max() <= 1
    assert ask("report", run).code == ask("evaluate", run).code == 0
    refused = ask("edit", run, tmp_path / "photo.png")
    assert refused.code == 2 and "2 channels, which no picture holds. Give sources as .npy" in refused.err
    np.save(tmp_path / "other.npy", image)
    refused = ask("edit", run, tmp_path / "other.npy")
    assert refused.code == 2 and "takes arrays [n, c, h, w] of [5, 16, 16]" in refused.err


def test_images_of_other_channels_are_sampled_into_arrays(ask, tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (60, 16, 16, 4)).astype(np.uint8)
    np.save(tmp_path / "images.npy", image)
    run = pushforward.train(
        "vae", tmp_path / "images.npy", run=tmp_path / "run", images=640, width=8, latent=3, net="mlp", quiet=True
    ).folder
    assert ask("sample", run, "--count", 5, "--out", tmp_path / "made.npy").code == 0
    assert np.load(tmp_path / "made.npy").shape == (5, 16, 16, 4)
    assert ask("sample", run, "--count", 5).code == ask("report", run).code == 0
    refused = ask("sample", run, "--count", 5, "--out", tmp_path / "folder/")
    assert refused.code == 2 and "a folder of PNGs, but images of the run have 4 channels" in refused.err


def test_arrays_are_answered_as_pictures_of_the_same_pixels_are(ask, place, tmp_path):
    run = place / "labels"
    picture = np.asarray(Image.open(place / "map.png").convert("RGB"))
    np.savez(tmp_path / "both.npz", source=picture[None], test_source=picture[None, :, ::-1])
    assert ask("edit", run, tmp_path / "both.npz", "--out", tmp_path / "out").code == 0
    assert ask("edit", run, place / "map.png", "--out", tmp_path / "out").code == 0
    made = np.load(tmp_path / "out" / "both.npy")
    assert len(made) == 2 and np.array_equal(made[0], np.asarray(Image.open(tmp_path / "out" / "map.png")))


def test_an_edges_run_makes_sources_of_the_images_of_an_array(ask, place, tmp_path):
    photo = np.asarray(Image.open(place / "photo.png").convert("RGB"))
    np.savez(tmp_path / "pair.npz", image=photo[None], source=photo[None, ::-1])
    for path in (tmp_path / "pair.npz", place / "photo.png"):
        assert ask("edit", place / "edges", path, "--out", tmp_path / "out").code == 0
    assert np.array_equal(np.load(tmp_path / "out" / "pair.npy")[0], np.asarray(Image.open(tmp_path / "out" / "photo.png")))


@pytest.mark.parametrize(
    ("run", "words", "said"),
    [
        ("edges", ["photo.npy", "--drawn"], "--drawn is for pictures of drawings"),
        ("labels", ["missing.npy"], "There is no file"),
        ("labels", ["photo.npy"], "takes maps of parts of 16x16"),
    ],
)
def test_arrays_that_do_not_fit_are_a_sentence(ask, place, tmp_path, run, words, said):
    np.save(tmp_path / "photo.npy", np.random.default_rng(0).integers(0, 256, (3, 16, 16, 4)).astype(np.uint8))
    answer = ask("edit", place / run, tmp_path / words[0], *words[1:])
    assert answer.code == 2 and said in answer.err


def test_holes_and_parts_of_images_of_other_channels(ask, tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (60, 16, 16, 4)).astype(np.uint8)
    np.savez(tmp_path / "images.npz", image=image, source=image[..., 0] // 128)
    how = {"images": 64, "width": 4, "quiet": True}
    run = pushforward.train("completion", tmp_path / "images.npz", run=tmp_path / "holes", mask="mixed", **how).folder
    assert ask("evaluate", run, "--count", 5).code == ask("report", run).code == 0
    refused = ask("edit", run, tmp_path / "images.npz")
    assert refused.code == 2 and "paints holes of photos" in refused.err
    palette = "#ff0000=dark,#00ff00=bright"
    run = pushforward.train("parsing", tmp_path / "images.npz", run=tmp_path / "parts", pairs="source", palette=palette, **how).folder
    assert ask("evaluate", run).code == ask("report", run).code == 0
