"""Pairs of images: halves, folders, outlines, brightness, parts; label maps snapped to their colours; bad pairs in one sentence."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pushforward import metrics
from pushforward.core import BadInput
from pushforward.data import Dataset, DataSpec, faces, open_data
from pushforward.data.jitter import jittered
from pushforward.data.label_maps import like_a_photo
from pushforward.data.pairs import outlines, paired
from pushforward.data.palettes import palette_of, twins

COLOURS = ((0, 0, 170), (255, 85, 0), (0, 255, 255))


def opened(path: Path, pairs: str, **options: object) -> Dataset:
    return open_data(DataSpec(str(path), pairs=pairs, held_out=0.0, **options))[0]  # type: ignore[arg-type]


@pytest.fixture
def halves(tmp_path: Path) -> Path:
    """Six photos with their label maps at the right, as JPEG."""
    chance = np.random.default_rng(0)
    for number in range(6):
        kinds = chance.integers(0, 3, (4, 4)).repeat(8, 0).repeat(8, 1)
        photo = np.full((32, 32, 3), 40 * number, np.uint8)
        both = np.concatenate([photo, np.array(COLOURS, np.uint8)[kinds]], 1)
        Image.fromarray(both).save(tmp_path / f"{number}.jpg", quality=75)
    return tmp_path


def test_halves_either_way(halves: Path) -> None:
    there, back = opened(halves, "left-to-right"), opened(halves, "right-to-left")
    assert there.shape == back.shape == (3, 32, 32) and there.source_channels == 3
    a, b = there.batch(torch.arange(6)), back.batch(torch.arange(6))
    torch.testing.assert_close(a["source"], b["image"])
    torch.testing.assert_close(a["image"], b["source"])
    assert there.fingerprint != back.fingerprint


@pytest.mark.parametrize("palette", ["#0000aa,#ff5500,#00ffff", "3"])
def test_a_label_map_is_snapped_to_its_colours(halves: Path, palette: str) -> None:
    found = opened(halves, "right-to-left", palette=palette, size=16)
    batch = found.batch(torch.arange(6))
    assert batch["source"].shape == (6, 3, 16, 16) and batch["parts"].shape == (6, 16, 16) and found.shape == (3, 16, 16)
    assert torch.equal(batch["source"].sum(1), torch.ones(6, 16, 16)) and set(batch["source"].unique().tolist()) == {0.0, 1.0}
    blocks = batch["parts"].view(6, 4, 4, 4, 4)
    assert (blocks == blocks[:, :, 1:2, :, 1:2]).float().mean() > 0.97, "what JPEG did at edges is undone"
    rgb = torch.tensor([[int(name[i : i + 2], 16) for i in (1, 3, 5)] for name in found.part_names])
    assert all((rgb - torch.tensor(colour)).abs().amax(1).min() < 20 for colour in COLOURS)


def test_two_folders_of_equal_names(tmp_path: Path) -> None:
    for folder, level in (("maps", 10), ("photos", 200)):
        (tmp_path / folder).mkdir()
        for number in range(3):
            Image.new("L", (8, 8), level + number).save(tmp_path / folder / f"{number}.png")
    found = opened(tmp_path, "maps:photos")
    batch = found.batch(torch.arange(3))
    assert len(found) == 3 and torch.allclose(batch["image"] - batch["source"], torch.tensor(190 / 127.5))
    assert found.label is None and found.classes == ()
    (tmp_path / "maps" / "2.png").unlink()
    with pytest.raises(BadInput, match="1 files of 'maps' and 'photos' have no partner of the same name: 2"):
        opened(tmp_path, "maps:photos")
    with pytest.raises(BadInput, match="has no two folders 'maps' and 'foto'; it has: maps, photos"):
        opened(tmp_path, "maps:foto")


def test_parts_within_the_two_folders_are_refused(tmp_path: Path) -> None:
    for part, number in (("train", 0), ("train", 1), ("val", 2)):
        for folder in ("A", "B"):
            (tmp_path / folder / part).mkdir(parents=True, exist_ok=True)
            Image.new("L", (8, 8), 90 + number).save(tmp_path / folder / part / f"{number}.png")
    with pytest.raises(BadInput, match=r"has train and test within 'A'.*; put the parts outside, as train/A and test/A"):
        opened(tmp_path, "A:B")


@pytest.mark.parametrize("way", ["edges", "grey"])
def test_what_is_made_of_photos_has_no_palette(halves: Path, way: str) -> None:
    with pytest.raises(
        BadInput, match=f"palette is '4', but sources of --pairs {way} are made of photos and are no maps; leave palette out"
    ):
        opened(halves, way, palette="4")


def test_two_folders_of_several_sizes_are_fitted_pair_by_pair(tmp_path: Path) -> None:
    """Maps by their nearest pixels: their colours stay what they are."""
    colours = np.array(COLOURS, np.uint8)
    for folder in ("maps", "photos"):
        (tmp_path / folder).mkdir()
    for number, (wide, tall) in enumerate(((48, 48), (32, 48), (96, 64))):
        kinds = np.arange(3).repeat(-(-wide // 3))[:wide]
        Image.fromarray(colours[kinds][None].repeat(tall, 0)).save(tmp_path / "maps" / f"{number}.png")
        Image.new("RGB", (2 * wide, 2 * tall), (40 * number, 9, 9)).save(tmp_path / "photos" / f"{number}.png")
    found = opened(tmp_path, "maps:photos", size=16, palette="#0000aa,#ff5500,#00ffff")
    assert len(found) == 3 and found.shape == (3, 16, 16) and found.parts is not None
    assert found.parts[0].unique().tolist() == [0, 1, 2] and torch.equal(found.parts[0], found.parts[0, :1].expand(16, 16))
    with pytest.raises(BadInput, match="have 6 sizes"):
        opened(tmp_path, "maps:photos", palette="#0000aa,#ff5500,#00ffff")
    Image.new("RGB", (60, 40)).save(tmp_path / "photos" / "1.png")
    with pytest.raises(
        BadInput, match=r"1 pairs of .* have other proportions than each other, 1 first: 32x48 in 'maps' and 60x40 in 'photos'"
    ):
        opened(tmp_path, "maps:photos", size=16, palette="#0000aa,#ff5500,#00ffff")


def test_outlines_lie_where_brightness_changes_and_are_thin() -> None:
    image = torch.zeros(1, 3, 16, 16, dtype=torch.uint8)
    image[..., 8:] = 200
    line = outlines(image)[0, 0]
    assert line.shape == (16, 16) and (line[:, :6] == 255).all() and (line[:, 10:] == 255).all()
    assert (line < 128).sum(1).max() <= 2 and (line[:, 7:9].amin(1) < 30).all()


def test_grey_to_colour_and_parts_of_faces() -> None:
    grey = open_data(DataSpec("faces", pairs="grey", size=16))[0]
    assert grey.source_channels == 1 and grey.batch(torch.arange(2))["source"].shape == (2, 1, 16, 16)
    parts = open_data(DataSpec("faces", pairs="parts", size=16))[0]
    batch = parts.batch(torch.arange(3))
    assert batch["source"].shape == (3, 13, 16, 16) and torch.equal(batch["source"].argmax(1), batch["parts"])
    assert "source" not in open_data(DataSpec("faces", size=16))[0].batch(torch.arange(2))


def test_colours_of_one_name_are_one_part_and_left_is_right_in_a_mirror(halves: Path) -> None:
    found = opened(halves, "right-to-left", palette="#0000aa=wall,#ff5500=left door,#00ffff=wall", size=16)
    each = opened(halves, "right-to-left", palette="#0000aa,#ff5500,#00ffff", size=16)
    assert found.part_names == ("wall", "left door") and found.parts is not None and each.parts is not None
    assert torch.equal(found.parts == 1, each.parts == 1)
    celebamask, helen = (palette_of(name) for name in ("celebamask-hq", "helen"))
    assert celebamask and helen and len(celebamask.names) == 19 and len(helen.names) == 11 and len(helen.colours) == 19
    become = [helen.names[helen.kinds[celebamask.names.index(part)]] for part in ("left ear", "hat", "hair")]
    assert become == ["skin", "background", "hair"]
    assert twins(("skin", "left eye", "right eye", "left door")) == (0, 2, 1, 3) and twins(("skin", "hair")) == ()
    maps = torch.zeros(64, 2, 4, 4)
    maps[:, 0, :, :2] = maps[:, 1, :, 2:] = 1  # the left part lies left: so it does in a mirror too
    torch.manual_seed(0)
    swapped, _ = jittered(maps, torch.zeros(64, 1, 4, 4), twins=(1, 0))
    assert bool((swapped[:, 0, :, 0] == 1).all() and (swapped[:, 1, :, 3] == 1).all())
    plain, _ = jittered(maps, torch.zeros(64, 1, 4, 4))
    assert 10 < int((plain[:, 1, 0, 0] == 1).sum()) < 54
    with pytest.raises(BadInput, match="where a colour is given twice"):
        palette_of("#000000=a,#000000=b")


@pytest.mark.parametrize(
    ("way", "palette", "words"),
    [
        ("sideways", "", "pairs is 'sideways'; choose left-to-right"),
        ("left-to-right", "300", "palette is '300'"),
        ("left-to-right", "#00zz00,#ffffff", "palette is '#00zz00"),
        ("left-to-right", "#00ff00,#ffffff", "are far from all colours of its palette"),
        ("left-to-right", "200", "have 1 colours; give no more|have .* colours; give no more"),
    ],
)
def test_bad_pairs_are_a_sentence(way: str, palette: str, words: str) -> None:
    image = torch.zeros(4, 3, 8, 16, dtype=torch.uint8)
    with pytest.raises(BadInput, match=words):
        paired(Dataset("d", image=image), None, way, palette, 0)


def test_far_colours_of_the_test_part_are_refused_too() -> None:
    plain, odd = torch.zeros(4, 3, 8, 16, dtype=torch.uint8), torch.full((2, 3, 8, 16), 128, dtype=torch.uint8)
    with pytest.raises(BadInput, match="100% of the pixels of 'held out' are far from all colours"):
        paired(Dataset("d", image=plain), Dataset("held out", image=odd), "left-to-right", "#000000,#ffffff", 0)


def test_a_few_pixels_of_other_colours_are_spoken_of() -> None:
    image = torch.zeros(4, 3, 32, 64, dtype=torch.uint8)
    image[:, :, 16:] = 255
    image[:, 1, :8, :8] = 255
    train, _ = paired(Dataset("d", image=image), None, "left-to-right", "#000000,#ffffff", 0)
    (note,) = train.notes
    assert note.startswith("5.") and note.endswith(
        "of the pixels of 'd' are far from all colours of its palette, and count as the nearest."
    )


def test_maps_that_hold_numbers_are_read_as_the_palettes_colours_and_that_is_said() -> None:
    numbers = torch.randint(19, (4, 1, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    numbers[0, 0, 0, 0] = 18
    image = torch.cat([numbers.expand(-1, 3, -1, -1), torch.full((4, 3, 8, 8), 77, dtype=torch.uint8)], 3)
    train, _ = paired(Dataset("d", image=image), None, "left-to-right", "celebamask-hq", 0)
    assert train.parts is not None and torch.equal(train.parts, numbers[:, 0])
    assert train.notes == ("Sources of 'd' hold 0 to 18, which were taken for numbers of the palette's colours.",)


def test_greys_that_a_palette_has_are_colours_whatever_their_numbers() -> None:
    greys = torch.randint(3, (4, 1, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    image = torch.cat([greys.expand(-1, 3, -1, -1), torch.full((4, 3, 8, 8), 77, dtype=torch.uint8)], 3)
    train, _ = paired(Dataset("d", image=image), None, "left-to-right", "#020202,#000000,#010101", 0)
    assert train.parts is not None and torch.equal(train.parts, (greys[:, 0] + 1) % 3) and not train.notes


def test_maps_of_one_part_are_refused() -> None:
    with pytest.raises(BadInput, match="All pixels of the sources of 'd' count as #0000aa; are they label maps"):
        blue = torch.tensor([0, 0, 170], dtype=torch.uint8).view(1, 3, 1, 1).expand(4, 3, 8, 16)
        paired(Dataset("d", image=blue), None, "left-to-right", "#0000aa,#ff5500", 0)


def test_a_map_is_told_from_a_photo() -> None:
    twelve = palette_of("#0000aa,#0000ff,#0055ff,#00aaff,#00ffff,#55ffaa,#aaff55,#ffff00,#ffaa00,#ff5500,#ff0000,#aa0000")
    assert twelve is not None
    parts = torch.arange(12).repeat_interleave(12).expand(2, 32, 144)
    drawn = twelve.colours[parts].permute(0, 3, 1, 2).byte().contiguous()
    smooth = torch.stack([*torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij"), torch.zeros(64, 64)]).mul(3.9).byte()[None]
    assert not like_a_photo(Dataset("d", image=drawn, source=drawn), twelve)
    assert like_a_photo(Dataset("d", image=smooth, source=smooth), twelve)


def test_grey_sources_have_no_named_colours() -> None:
    grey = Dataset("d", image=torch.zeros(4, 1, 8, 16, dtype=torch.uint8))
    with pytest.raises(BadInput, match="The sources of 'd' are grey, and palette '#000000,#ffffff' names colours; give the number"):
        paired(grey, None, "left-to-right", "#000000,#ffffff", 0)


def test_odd_widths_tables_grey_images_and_other_sizes() -> None:
    odd, grey = torch.zeros(2, 3, 8, 15, dtype=torch.uint8), torch.zeros(2, 1, 8, 8, dtype=torch.uint8)
    for data, way, words in (
        (Dataset("d", image=odd), "left-to-right", "are 15 pixels wide, which has no two halves"),
        (Dataset("d", image=grey), "grey", "are grey, so that there is no colour"),
        (Dataset("d", row=torch.zeros(2, 2)), "edges", "holds rows of numbers"),
        (Dataset("d", image=grey), "parts", "has no map of parts"),
    ):
        with pytest.raises(BadInput, match=words):
            paired(data, None, way, "", 0)
    with pytest.raises(BadInput, match="only pairs have a source"):
        open_data(DataSpec("digits", palette="3"))
    with pytest.raises(BadInput, match="pairs are given with observe or binarise"):
        open_data(DataSpec("digits", pairs="edges", observe=1))


def test_jitter_keeps_what_is_sharp() -> None:
    """A critic takes for real what it is shown: enlarged pictures of 64 pixels have a third of this."""
    torch.manual_seed(0)
    image = faces.drawn(faces.faces(60), 64)[0]
    moved, _ = jittered(image, image)
    assert metrics.sharpness(image, moved) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("mask", ["square", "strokes", "mixed", "eyes"])
def test_the_hole_of_an_example_does_not_depend_on_those_beside_it(mask: str) -> None:
    image = torch.zeros(12, 3, 16, 16, dtype=torch.uint8)
    data = Dataset("grey", image=image, mask=mask)
    together = data.batch(torch.arange(12))["mask"]
    apart = torch.cat([data.batch(part)["mask"] for part in torch.arange(12).flip(0).split(5)]).flip(0)
    assert torch.equal(together, apart)
    assert mask == "eyes" or len(together.flatten(1).unique(dim=0)) > 6, "and each has its own"


def test_pairs_of_several_sizes_are_told_to_become_one_first(tmp_path: Path) -> None:
    for number, side in enumerate((16, 16, 24)):
        Image.new("RGB", (2 * side, side), (number, 0, 0)).save(tmp_path / f"{number}.png")
    with pytest.raises(BadInput, match=r"32x16 .* and 48x24 .*if they are pairs, before training"):
        opened(tmp_path, "left-to-right", size=16)


def test_outlines_are_those_of_the_size_that_is_asked_for(tmp_path: Path) -> None:
    """Of arrays as of files: `edit` draws them of images that have that size."""
    pixels = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), np.uint8)
    np.save(tmp_path / "photos.npy", pixels)
    train, _ = open_data(DataSpec(str(tmp_path / "photos.npy"), pairs="edges", size=16))
    assert train.image is not None and train.source is not None and train.image.shape[2:] == (16, 16)
    assert torch.equal(train.source, outlines(train.image))
