"""Photos of one's own of which a part is hidden: painted, blended, evaluated, and what is refused or said."""

import json

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

import pushforward
from pushforward.cli.painting import Photo, around
from pushforward.maths.poisson import blended
from pushforward.metrics.fills import COMPONENTS


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
    where = "its central square" if size[0] <= 40 else "square"
    assert where in answer.err and "was painted in 16x16 pixels and enlarged" in answer.err
    after = np.asarray(Image.open(tmp_path / "out" / "photo.png"))
    changed = (before != after).any(2)
    assert after.shape == before.shape and not changed[hole == 0].any() and changed[hole == 255].mean() > 0.8
    assert ask("edit", place / "holes", tmp_path / "photo.png", "--out", tmp_path / "out").code == 0, "the hole of the training"


def test_the_square_that_the_run_sees_goes_where_the_hole_is(ask, place, tmp_path):
    before = np.random.default_rng(2).integers(0, 256, (30, 50, 3), np.uint8)
    Image.fromarray(before).save(tmp_path / "photo.png")
    hole = Image.new("L", (50, 30), 0)
    hole.paste(255, (2, 10, 20, 20))
    hole.save(tmp_path / "mask.png")
    answer = ask("edit", place / "holes", tmp_path / "photo.png", "--mask", tmp_path / "mask.png", "--out", tmp_path / "out")
    assert answer.code == 0 and "a square of it around what is hidden was painted in 16x16 pixels" in answer.err
    changed = (before != np.asarray(Image.open(tmp_path / "out" / "photo.png"))).any(2)
    assert changed[10:20, 2:20].mean() > 0.8 and changed.sum() == changed[10:20, 2:20].sum()


@pytest.mark.parametrize("box", [(2, 10, 45, 20), (0, 0, 30, 30), (20, 0, 50, 30)])
@pytest.mark.parametrize("blend", [(), ("--blend",)])
def test_a_hole_that_no_square_holds_is_painted_in_the_whole_photo(ask, place, blend, box, tmp_path):
    """Or one that fills the square. Mirrored edges show nothing of what is hidden."""
    before = np.random.default_rng(2).integers(0, 256, (30, 50, 3), np.uint8)
    hole = Image.new("L", (50, 30), 0)
    hole.paste(255, box)
    hole.save(tmp_path / "mask.png")
    answers = []
    for name, colour in (("as_it_is", None), ("red", (255, 0, 0))):
        photo = Image.fromarray(before)
        if colour:
            photo.paste(colour, box)
        photo.save(tmp_path / f"{name}.png")
        answer = ask("edit", place / "holes", tmp_path / f"{name}.png", "--mask", tmp_path / "mask.png", *blend, "--out", tmp_path / "out")
        assert answer.code == 0, answer.err
        assert "all of it, its edges mirrored to make a square, was painted in 16x16 pixels" in answer.err
        answers.append(np.asarray(Image.open(tmp_path / "out" / f"{name}.png")))
    changed = (before != answers[0]).any(2)
    assert changed[box[1] : box[3], box[0] : box[2]].mean() > 0.8 and changed.sum() == changed[box[1] : box[3], box[0] : box[2]].sum()
    assert (answers[0] == answers[1]).all()


def test_how_the_colours_of_a_photo_are_meant_is_kept(ask, place, tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.open(place / "photo.png").convert("RGB").save(tmp_path / "photo.jpg", icc_profile=profile)
    assert ask("edit", place / "holes", tmp_path / "photo.jpg", "--out", tmp_path / "out").code == 0
    assert Image.open(tmp_path / "out" / "photo.png").info["icc_profile"] == profile


def test_the_picture_of_a_grey_run_is_grey():
    grey = Photo("grey.png", torch.linspace(-1, 1, 256).view(1, 1, 16, 16), torch.zeros(1, 1, 16, 16), 0, 0, (16, 16), "", {}, b"grey")
    made = grey.picture(grey.image)
    assert made.mode == "L" and made.info["icc_profile"] == b"grey" and np.asarray(made).flatten().tolist() == list(range(256))


@pytest.mark.parametrize(("hidden", "begins"), [((20, 30), 10), ((2, 20), 2), ((35, 45), 15), ((0, 30), 0), ((20, 50), 20)])
def test_where_the_square_begins(hidden, begins):
    """As near to the middle, 10, as a square of 30 pixels that holds what is hidden can lie."""
    line = torch.zeros(50)
    line[slice(*hidden)] = 1
    assert around(line, 30, 10) == begins


def test_what_is_hidden_does_not_show_in_the_answer(ask, place, tmp_path):
    """Photos are made smaller with their hole filled from around it, else its content would be mixed into what is seen."""
    photo = np.random.default_rng(3).integers(0, 256, (64, 64, 3), np.uint8)
    hole = np.zeros((64, 64), np.uint8)
    hole[21:42, 18:39] = 255
    Image.fromarray(hole).save(tmp_path / "mask.png")
    answers = []
    for name, colour in (("as_it_is", None), ("white", (255, 255, 255)), ("red", (255, 0, 0))):
        scribbled = photo.copy()
        if colour:
            scribbled[hole > 0] = colour
        Image.fromarray(scribbled).save(tmp_path / f"{name}.png")
        ask("edit", place / "holes", tmp_path / f"{name}.png", "--mask", tmp_path / "mask.png", "--blend", "--out", tmp_path / "out")
        answers.append(np.asarray(Image.open(tmp_path / "out" / f"{name}.png")))
    assert (answers[0] == answers[1]).all() and (answers[0] == answers[2]).all()


def test_a_grey_photo_is_said_to_become_coloured(ask, place, tmp_path):
    Image.new("L", (16, 16), 90).save(tmp_path / "photo.png")
    answer = ask("edit", place / "holes", tmp_path / "photo.png", "--mask", place / "hole.png", "--out", tmp_path / "out")
    assert "photo.png: it is grey, and the run paints in colours" in answer.err


def test_nowhere_to_go(ask, place, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "no image" in ask("edit", place / "holes", tmp_path / "empty").err


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
    assert found["mask"] == "mixed"
    assert ask("evaluate", run.folder, "--count", 60, "--mask", "centre").code == 0
    other = json.loads((run.folder / "evaluation.json").read_text())
    assert other["mask"] == "centre" and other["PSNR in the hole"] != found["PSNR in the hole"]
    wrong = ask("evaluate", run.folder, "--mask", "center")
    assert wrong.code == 2 and "mask is 'center'; choose" in wrong.err and "centre" in wrong.err
    assert "paints no holes. Leave --mask out." in ask("evaluate", parser.folder, "--mask", "centre").err
    soft = np.full((16, 16), 140, np.uint8)
    soft[:8] = 0
    Image.fromarray(soft).save(tmp_path / "soft.png")
    assert "not black and white alone" in ask("evaluate", run.folder, "--count", 10, "--mask", tmp_path / "soft.png").err


@pytest.fixture
def several(tmp_path):
    """Photos of several sizes with a mask each, and the boxes that these hide."""
    photos = {"a.jpg": ((16, 16), (2, 2, 6, 6)), "more/b.PNG": ((50, 30), (30, 9, 44, 20)), "caf\u00e9.png": ((20, 40), (4, 22, 12, 36))}
    masks = ("a.png", "more/b.PNG", "caf\u00e9.jpg")
    chance = np.random.default_rng(3)
    for (name, (size, box)), mask in zip(photos.items(), masks, strict=True):
        for folder in ("mine", "masks"):
            (tmp_path / folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(chance.integers(0, 256, (size[1], size[0], 3), np.uint8)).save(tmp_path / "mine" / name)
        hole = Image.new("L", size, 0)
        hole.paste(255, box)
        hole.save(tmp_path / "masks" / mask, quality=100)
    (tmp_path / "mine" / "notes.txt").write_text("no photo")
    return {name: box for name, (_, box) in photos.items()}


def test_each_photo_may_have_a_mask_of_its_own(ask, place, several, tmp_path):
    answer = ask("edit", place / "holes", tmp_path / "mine", "--mask", tmp_path / "masks", "--out", tmp_path / "out")
    assert answer.code == 0 and answer.err.count("notes.txt") == 1, answer.err
    for name, box in several.items():
        before = np.asarray(Image.open(tmp_path / "mine" / name))
        changed = (before != np.asarray(Image.open((tmp_path / "out" / name).with_suffix(".png")))).any(2)
        inside = changed[box[1] : box[3], box[0] : box[2]]
        assert inside.mean() > 0.8 and changed.sum() == inside.sum(), name


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("gone", "There is no mask for 1 of 3 photos: more/b.PNG. Draw them, each called as its photo, white where to paint."),
        ("black", "hides nothing: it is black all over"),
        ("small", "has 9x9 pixels, but images have 50x30"),
    ],
)
def test_a_mask_that_does_not_fit_is_found_before_the_first_photo_is_painted(ask, place, several, wrong, told, tmp_path):
    mask = tmp_path / "masks" / "more" / "b.PNG"
    if wrong == "gone":
        mask.unlink()
    else:
        Image.new("L", (50, 30) if wrong == "black" else (9, 9), 0).save(mask)
    answer = ask("edit", place / "holes", tmp_path / "mine", "--mask", tmp_path / "masks", "--out", tmp_path / "out")
    assert answer.code == 2 and told in answer.err and not (tmp_path / "out").exists()


def test_what_is_no_mask_is_refused_and_a_grey_one_said(ask, place, several, tmp_path):
    how = ("edit", place / "holes", tmp_path / "mine", "--out", tmp_path / "out", "--mask")
    assert "is the folder of the photos" in ask(*how, tmp_path / "mine").err
    misspelt = ask(*how, "Center")
    assert misspelt.code == 2 and "mask is 'Center'; choose square" in misspelt.err
    soft = np.array(Image.open(tmp_path / "masks" / "a.png"))
    soft[8:] = 140
    Image.fromarray(soft).save(tmp_path / "masks" / "a.png")
    assert "1 of 3 masks are not black and white alone" in ask(*how, tmp_path / "masks").err


def test_a_hole_may_be_too_large_to_be_blended(ask, place, monkeypatch):
    monkeypatch.setattr("pushforward.cli.editing.BLENDED", 100)
    answer = ask("edit", place / "holes", place / "photo.png", "--mask", "left", "--blend")
    assert answer.code == 2 and "The hole of 'photo.png' has 800 pixels, but no more than 100 are blended" in answer.err


def test_a_hole_may_have_a_name(ask, place, tmp_path):
    Image.open(place / "photo.png").resize((16, 16)).save(tmp_path / "small.png")
    answer = ask("edit", place / "holes", tmp_path / "small.png", "--mask", "left", "--out", tmp_path / "out")
    assert answer.code == 0, answer.err
    before, after = np.asarray(Image.open(tmp_path / "small.png")), np.asarray(Image.open(tmp_path / "out" / "small.png"))
    changed = (before != after).any(2)
    assert changed[:, :8].mean() > 0.8 and not changed[:, 8:].any()


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
    assert "1 of 1 masks are not black and white alone" in answer.err
    assert "not black and white" not in ask("edit", place / "holes", tmp_path / "clear.png", "--mask", place / "hole.png").err


@pytest.mark.parametrize("size", [(50, 30), (30, 50)])
def test_a_seam_disappears_where_the_hole_touches_the_edge_of_what_is_seen(size):
    """All is of one grey, what is painted too: so is the answer, though nothing was painted beside the square."""
    hole = torch.zeros(1, 1, *size)
    top, left = (max(0, (side - min(size)) // 2) for side in size)
    hole[..., top : top + 20, left : left + 20] = 1
    grey = torch.full((1, 3, *size), 0.5)
    photo = Photo("grey.png", grey, hole, top, left, (30, 30), True, {})
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
