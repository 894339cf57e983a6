"""pix2pix as a user types it: train on pairs, evaluate, edit images of one's own."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import pushforward
from pushforward import figures
from pushforward.cli.painting import Photo
from pushforward.cli.sources import shown_of
from pushforward.data import images
from pushforward.maths.poisson import blended
from pushforward.metrics.fills import COMPONENTS
from pushforward.runs import Run

COLOURS = np.array([(0, 0, 170), (255, 85, 0)], np.uint8)
SMALL = {"images": 64, "width": 4, "batch_size": 4, "quiet": True}


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder of pairs, a label map, a photo, and runs."""
    place = tmp_path_factory.mktemp("pairs")
    (place / "pairs").mkdir()
    chance = np.random.default_rng(0)
    for number in range(40):
        map_ = COLOURS[chance.integers(0, 2, (4, 4)).repeat(4, 0).repeat(4, 1)]
        photo = 255 - map_
        Image.fromarray(np.concatenate([map_, photo], 1)).save(place / "pairs" / f"{number}.png")
    Image.fromarray(map_).save(place / "map.png")
    Image.fromarray(photo).resize((40, 40)).save(place / "photo.png")
    pushforward.train("pix2pix", str(place / "pairs"), pairs="left-to-right", palette="2", run=place / "labels", **SMALL)
    pushforward.train("pix2pix", "faces", pairs="edges", size=16, run=place / "edges", **SMALL)
    pushforward.train("pix2pix", "faces", pairs="parts", size=16, objective="l1", run=place / "parts", **SMALL)
    pushforward.train(
        "conditional_vae", "faces", mask="square", size=16, run=place / "holes", images=64, width=4, latent=2, net="convolution", quiet=True
    )
    hole = Image.new("L", (16, 16), 0)
    hole.paste(255, (4, 4, 10, 12))
    hole.save(place / "hole.png")
    return place


@pytest.mark.parametrize("blend", [(), ("--blend",)])
def test_what_a_mask_hides_is_painted_and_nothing_else(ask, place, blend, tmp_path):
    Image.open(place / "photo.png").resize((16, 16)).save(tmp_path / "small.png")
    answer = ask("edit", place / "holes", tmp_path / "small.png", "--mask", place / "hole.png", *blend, "--out", tmp_path / "out")
    assert answer.code == 0, answer.err
    before, after = np.asarray(Image.open(tmp_path / "small.png")), np.asarray(Image.open(tmp_path / "out" / "small.png"))
    changed = (before != after).any(2)
    assert changed[4:12, 4:10].mean() > 0.8 and not changed[:4].any() and not changed[:, 10:].any()
    assert "has 16x16 pixels" not in answer.err
    wrong = ask("edit", place / "holes", tmp_path / "small.png", "--mask", place / "photo.png")
    assert wrong.code == 2 and "has 40x40 pixels, but images have 16x16" in wrong.err
    assert "hides nothing of them" in ask("edit", place / "edges", tmp_path / "small.png", "--mask", place / "hole.png").err


@pytest.mark.parametrize("size", [(40, 40), (30, 50), (50, 30), (8, 8)])
@pytest.mark.parametrize("blend", [(), ("--blend",)])
def test_a_photo_of_any_size_keeps_all_that_is_seen(ask, place, blend, size, tmp_path):
    chance = np.random.default_rng(1)
    before = chance.integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(before).save(tmp_path / "photo.png")
    middle = tuple(side // 2 for side in size)
    hole = np.zeros(size[::-1], np.uint8)
    hole[middle[1] - 2 : middle[1] + 2, middle[0] - 3 : middle[0] + 2] = 255
    Image.fromarray(hole).save(tmp_path / "mask.png")
    answer = ask("edit", place / "holes", tmp_path / "photo.png", "--mask", tmp_path / "mask.png", *blend, "--out", tmp_path / "out")
    assert answer.code == 0, answer.err
    assert "central square was painted in 16x16 pixels and enlarged" in answer.err
    after = np.asarray(Image.open(tmp_path / "out" / "photo.png"))
    changed = (before != after).any(2)
    assert after.shape == before.shape and not changed[hole == 0].any() and changed[hole == 255].mean() > 0.8
    assert ask("edit", place / "holes", tmp_path / "photo.png", "--out", tmp_path / "out").code == 0, "the hole of the training"


def test_a_mask_must_lie_in_what_the_run_sees(ask, place, tmp_path):
    Image.new("RGB", (50, 30), (9, 9, 9)).save(tmp_path / "photo.png")
    hole = Image.new("L", (50, 30), 0)
    hole.paste(255, (2, 10, 20, 20))
    hole.save(tmp_path / "mask.png")
    answer = ask("edit", place / "holes", tmp_path / "photo.png", "--mask", tmp_path / "mask.png")
    assert answer.code == 2 and "outside the central square of 'photo.png'" in answer.err
    (tmp_path / "empty").mkdir()
    assert "no image" in ask("edit", place / "holes", tmp_path / "empty").err


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
    assert "is the source a label map? It should be drawn in #4477aa, #ffa90e" in refused
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


def test_holes_are_filled_and_compared_with_what_needs_no_network(ask, tmp_path):
    parser = pushforward.train("parsing", "faces", size=16, images=160, width=8, run=tmp_path / "parser", quiet=True)
    options = {"size": 16, "images": 160, "width": 8, "mask": "mixed", "parser": str(parser.folder), "quiet": True}
    run = pushforward.train("completion", "faces", run=tmp_path / "holes", **options)
    assert ask("evaluate", run.folder, "--count", 60).code == 0
    found = json.loads((run.folder / "evaluation.json").read_text())
    for name in ("", ", mean colour", ", mean image", ", PCA posterior"):
        assert {f"PSNR in the hole{name}", f"parts as in the truth, in the hole{name}"} <= found.keys()
    assert (
        found["PSNR in the hole, PCA posterior"] > found["PSNR in the hole, mean image"]
        and found["components, PCA posterior"] in COMPONENTS
    )


def test_a_few_photos_are_enough_to_evaluate(ask, tmp_path):
    (tmp_path / "photos").mkdir()
    for number in range(12):
        Image.fromarray(np.random.default_rng(number).integers(0, 256, (16, 16, 3), np.uint8)).save(tmp_path / "photos" / f"{number}.png")
    run = pushforward.train("completion", str(tmp_path / "photos"), run=tmp_path / "few", mask="strokes", images=32, width=4, quiet=True)
    assert ask("evaluate", run.folder).code == 0
    found = json.loads((run.folder / "evaluation.json").read_text())
    assert "PSNR in the hole, mean image" in found and "PSNR in the hole, PCA posterior" not in found


def test_a_completion_without_a_mask_is_told_to_give_one(ask):
    answer = ask("train", "completion", "--data", "faces", "--size", 16, "--images", 100)
    assert answer.code == 2 and "Give --mask square, strokes or mixed." in answer.err


def test_several_answers_are_not_made_where_all_are_the_same(ask, place, tmp_path):
    photo = tmp_path / "photo.png"
    Image.open(place / "photo.png").resize((16, 16)).save(photo)
    pushforward.train("completion", "faces", run=tmp_path / "gated", size=16, mask="centre", images=32, width=4, quiet=True)
    pushforward.train("pix2pix", "faces", run=tmp_path / "settled", pairs="edges", size=16, dropout=0, **SMALL)
    earlier = tmp_path / "out" / "photo.png"
    earlier.parent.mkdir()
    earlier.write_bytes(b"an earlier answer")
    for run in ("gated", "settled"):
        answer = ask("edit", tmp_path / run, photo, "--several", 2, "--out", tmp_path / "out")
        assert answer.code == 2 and "answers without noise, so that all answers are the same. Leave --several out." in answer.err
        assert list(earlier.parent.iterdir()) == [earlier] and earlier.read_bytes() == b"an earlier answer"
    missing = ask("edit", tmp_path / "gated", photo, "--mask", tmp_path / "none.png")
    assert missing.code == 2 and "There is no file" in missing.err and "white where to paint" in missing.err


def test_a_longer_training_on_other_data_is_refused_before_it_is_written(ask, tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(12):
        Image.new("L", (8, 8), 20 * number).save(photos / f"{number}.png")
    run = pushforward.train("vae", str(photos), run=tmp_path / "run", images=64, width=4, latent=2, quiet=True)
    before = (run.folder / "recipe.json").read_bytes()
    Image.new("L", (8, 8), 255).save(photos / "0.png")
    answer = ask("resume", run.folder, "--extend", 200)
    assert answer.code == 2 and "are not those the run was trained on" in answer.err
    assert (run.folder / "recipe.json").read_bytes() == before


def test_what_cannot_be_kept_of_a_photo_or_a_mask_is_said(ask, place, tmp_path):
    photo = np.asarray(Image.open(place / "photo.png").resize((16, 16)).convert("RGBA")).copy()
    photo[:3, :, 3] = 0
    Image.fromarray(photo).save(tmp_path / "clear.png")
    soft = np.asarray(Image.open(place / "hole.png")).astype(float)
    soft[:, 9:12] = 140
    Image.fromarray(soft.astype(np.uint8)).save(tmp_path / "soft.png")
    answer = ask("edit", place / "holes", tmp_path / "clear.png", "--mask", tmp_path / "soft.png")
    assert answer.code == 0, answer.err
    assert "clear.png: what is transparent was laid on white" in answer.err
    assert "not black and white alone" in answer.err
    assert "not black and white" not in ask("edit", place / "holes", tmp_path / "clear.png", "--mask", place / "hole.png").err


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


@pytest.mark.parametrize("size", [(50, 30), (30, 50)])
def test_a_seam_disappears_where_the_hole_touches_the_edge_of_what_is_seen(size):
    """All is of one grey, what is painted too: so is the answer, though nothing was painted beside the square."""
    hole = torch.zeros(1, 1, *size)
    top, left = (max(0, (side - min(size)) // 2) for side in size)
    hole[..., top : top + 20, left : left + 20] = 1
    grey = torch.full((1, 3, *size), 0.5)
    photo = Photo("grey.png", grey, hole, top, left, (30, 30), {})
    torch.testing.assert_close(blended(grey, photo.put(grey[..., :30, :30]), hole), grey)


def test_the_noise_of_the_papers_form_is_drawn(ask, tmp_path):
    run = pushforward.train(
        "completion", "faces", form="paper", mask="square", size=32, images=32, width=4, run=tmp_path / "run", quiet=True
    )
    Image.new("RGB", (32, 32), (90, 60, 30)).save(tmp_path / "photo.png")
    answer = ask("edit", run.folder, tmp_path / "photo.png", "--several", 2, "--out", tmp_path / "out")
    assert answer.code == 0, answer.err
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_the_mask_of_the_training_is_not_needed_where_another_is_given(ask, place, tmp_path):
    Image.open(place / "hole.png").save(tmp_path / "own.png")
    run = pushforward.train(
        "completion", "faces", mask=str(tmp_path / "own.png"), size=16, images=32, width=4, run=tmp_path / "run", quiet=True
    )
    (tmp_path / "own.png").unlink()
    photo = Image.open(place / "photo.png").resize((16, 16))
    photo.save(tmp_path / "photo.png")
    assert ask("edit", run.folder, tmp_path / "photo.png", "--mask", place / "hole.png").code == 0
    missing = ask("edit", run.folder, tmp_path / "photo.png")
    assert missing.code == 2 and "There is no file" in missing.err


SAID = {
    "side by side": (
        lambda image: np.concatenate([image, 255 - image], 1),
        "1 of 1 images: a pair side by side, of which the left half was taken.",
    ),
    "clear": (lambda image: np.dstack([image, image[..., 0]]), "1 of 1 images: what is transparent was laid on white."),
    "deep": (lambda image: image[..., 0].astype(np.uint16) * 257, "1 of 1 images: of its 16 bits 8 were kept."),
    "wide": (lambda image: image[:10], "1 of 1 images: fitted to 16x16 pixels."),
    "grey": (lambda image: image[..., 0], "1 of 1 images: grey, but sources of the run have colours."),
    "the other way": (lambda image: 255 - image, "1 of 1 images look like what"),
}


@pytest.mark.parametrize("kind", SAID)
def test_what_is_not_as_in_training_is_said(ask, colours, kind, tmp_path):
    """The run makes light images of dark ones."""
    change, words = SAID[kind]
    image = np.random.default_rng(0).integers(0, 100, (16, 16, 3), np.uint8)
    Image.fromarray(image).save(tmp_path / "usual.png")
    usual = ask("edit", colours, tmp_path / "usual.png")
    assert usual.code == 0 and usual.err == "", usual.err
    Image.fromarray(change(image)).save(tmp_path / "given.png")
    answer = ask("edit", colours, tmp_path / "given.png")
    assert answer.code == 0 and words in answer.err, answer.err


@pytest.fixture(scope="module")
def colours(tmp_path_factory) -> Path:
    """A run that makes negatives of dark images."""
    place = tmp_path_factory.mktemp("colours")
    (place / "pairs").mkdir()
    for number in range(20):
        image = np.random.default_rng(number).integers(0, 100, (16, 16, 3), np.uint8)
        Image.fromarray(np.concatenate([image, 255 - image], 1)).save(place / "pairs" / f"{number}.png")
    pushforward.train("pix2pix", str(place / "pairs"), pairs="left-to-right", objective="l1", run=place / "run", **SMALL)
    return place / "run"


def test_what_is_lost_of_images_to_train_on_is_noted(tmp_path):
    for number in range(4):
        pixels = np.random.default_rng(number).integers(0, 256, (8, 8, 4), np.uint8)
        Image.fromarray(pixels if number else pixels[..., 0].astype(np.uint16) * 257).save(tmp_path / f"{number}.png")
    train, _ = images.read(tmp_path)
    assert set(train.notes) == {"3 of 4 images: what is transparent was laid on white.", "1 of 4 images: of its 16 bits 8 were kept."}
