import stat
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import one_hot

from pushforward import figures
from pushforward.core import BadInput
from pushforward.figures import canvas
from pushforward.figures.sheets import BLOCKS, UNSEEN

WHITE = (255, 255, 255)
TILE, GAP = 56, 2  # of images of 8 x 8


def flat(values: list[float], channels: int = 1, side: int = 8) -> torch.Tensor:
    """One even image for each value."""
    return torch.tensor(values)[:, None, None, None].expand(-1, channels, side, side)


def centre(picture: Image.Image, row: int, column: int, left: int = 0, top: int = 0) -> tuple[int, ...]:
    """The pixel in the middle of a tile."""
    return picture.getpixel((left + column * (TILE + GAP) + TILE // 2, top + row * (TILE + GAP) + TILE // 2))  # type: ignore[return-value]


def test_a_sheet_puts_images_row_by_row_with_white_gaps() -> None:
    picture = figures.sheet(flat([-1, -0.5, 0, 0.5, 1]), columns=3)
    assert picture.size == (3 * TILE + 2 * GAP, 2 * TILE + GAP)
    greys = [centre(picture, *divmod(place, 3))[0] for place in range(5)]
    assert greys == [0, 64, 128, 191, 255]
    assert centre(picture, 1, 2) == WHITE  # no sixth image
    assert picture.getpixel((TILE, 5)) == WHITE and picture.getpixel((5, TILE + 1)) == WHITE
    assert picture.getpixel((TILE - 1, 5)) == (0, 0, 0)


def test_small_images_grow_by_a_whole_factor_and_every_pixel_becomes_a_square() -> None:
    image = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    found = np.asarray(figures.sheet(image))
    expected = ((image[0] + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(found, expected.repeat(7, 0).repeat(7, 1))
    assert figures.sheet(flat([0.0], side=28)).size == (56, 56)
    assert figures.sheet(flat([0.0], side=64)).size == (64, 64)


def test_a_sheet_is_square_where_no_columns_are_asked_for() -> None:
    assert figures.sheet(flat([0.0] * 64)).size == (8 * TILE + 7 * GAP, 8 * TILE + 7 * GAP)


def test_numpy_arrays_and_tensors_give_the_same_picture() -> None:
    image = torch.rand(4, 1, 8, 8) * 2 - 1
    assert figures.sheet(image) == figures.sheet(image.numpy()) == figures.sheet(image.double().requires_grad_())


def test_values_outside_the_range_are_cut_and_broken_ones_are_magenta() -> None:
    image = flat([0.0, 5.0]).clone()
    image[0, 0, 0, 0], image[0, 0, 0, 1] = torch.nan, torch.inf
    picture = figures.sheet(image, columns=2)
    assert picture.getpixel((3, 3)) == picture.getpixel((10, 3)) == (255, 0, 255)
    assert picture.getpixel((17, 3)) == (128, 128, 128) and centre(picture, 0, 1) == WHITE


@pytest.mark.parametrize("shape", [(0, 1, 8, 8), (4, 8, 8), (4, 1, 0, 8)])
def test_what_is_no_image_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(BadInput, match=r"needs images \[N, C, H, W\], not shape"):
        figures.sheet(torch.zeros(shape))


@pytest.mark.parametrize("channels", [2, 4, 5])
def test_of_more_channels_than_colours_some_are_shown(channels: int) -> None:
    image = torch.rand(2, channels, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    seen = image[:, :3] if channels > 3 else image[:, :1]
    assert np.array_equal(canvas.pixels(image), canvas.pixels(seen))
    assert figures.completions(image, image[None, :, :2], image).size == figures.completions(seen, seen[None], seen).size


def test_captions_stand_in_a_margin_and_leave_the_images_as_they_are() -> None:
    images = flat([-1, 0, 1, -1, 0, 1])
    plain = figures.sheet(images, 3)
    picture = figures.sheet(images, 3, rows=["", "seven"], heads=["", "", "b"])
    left, top = picture.width - plain.width, picture.height - plain.height
    assert left > 40 and top > 16
    assert picture.crop((left, top, picture.width, picture.height)) == plain
    ink = np.asarray(picture.convert("L")) < 200
    rows, heads = ink[top:, :left], ink[:top, left:]
    assert not rows[: TILE + GAP].any() and rows[TILE + GAP :].any(), "only the second row has a caption"
    assert not heads[:, : 2 * TILE + GAP].any() and heads[:, 2 * (TILE + GAP) :].any(), "only the third column has one"


def test_captions_are_never_long_broken_or_formulas() -> None:
    names = ["$\\frac{", "two\nlines\tand\x00more", "x" * 500]
    picture = figures.sheet(flat([0.0] * 3), 1, rows=names)
    assert picture.width < 400 and picture.height == 3 * TILE + 2 * GAP


def test_captions_must_not_be_taken_for_other_rows() -> None:
    two = figures.sheet(flat([0.0] * 2), 1, rows=["a", "b"])
    assert two.height == 2 * TILE + GAP


def test_pairs_have_the_output_below_the_input() -> None:
    picture = figures.pairs(flat([-1, -0.5, 0, 0.5, 1]), flat([1, 0.5, 0, -0.5, -1]), columns=2)
    left, block = picture.width - 2 * TILE - GAP, 2 * TILE + GAP + BLOCKS
    assert picture.height == 3 * block - BLOCKS
    inputs = [centre(picture, 0, place % 2, left, place // 2 * block)[0] for place in range(5)]
    outputs = [centre(picture, 1, place % 2, left, place // 2 * block)[0] for place in range(5)]
    assert inputs == [0, 64, 128, 191, 255] and outputs == inputs[::-1]
    assert centre(picture, 0, 1, left, 2 * block) == WHITE  # no sixth pair


def test_completions_show_what_was_seen_then_answers_then_the_truth() -> None:
    source, mask = flat([1.0, 1.0]).clone(), torch.zeros(2, 1, 8, 8)
    mask[1] = 1
    answers = [flat([-1.0, -0.5]), flat([-0.5, 0.0])]
    picture = figures.completions(source, answers, flat([0.5, 1.0]), mask)
    left = picture.width - 2 * TILE - GAP
    assert picture.height == 4 * TILE + 3 * GAP
    found = [[centre(picture, row, column, left)[0] for column in range(2)] for row in range(4)]
    slate = tuple(round((value + 1) * 127.5) for value in UNSEEN)
    assert centre(picture, 0, 1, left) == slate and len(set(slate)) == 3
    assert found == [[255, slate[0]], [0, 64], [64, 128], [191, 255]]
    alike = figures.completions(source, [answers[0], answers[0]], flat([0.5, 1.0]), mask)
    assert alike.height == 3 * TILE + 2 * GAP, "a system without noise answers once"


def test_interpolation_runs_from_left_to_right_a_block_for_each_pair() -> None:
    walks = torch.stack([flat([-1, 0, 1]), flat([-1, 0.5, 1]), flat([1, 0, -1]), flat([1, 0.5, -1])]).unflatten(0, (2, 2))
    picture = figures.interpolation(walks, ["slerp", "linear"])
    left, block = picture.width - 3 * TILE - 2 * GAP, 2 * TILE + GAP + BLOCKS
    top = picture.height - 2 * block + BLOCKS
    assert top > 0, "t is written above the first block only"
    found = [[centre(picture, row % 2, column, left, top + row // 2 * block)[0] for column in range(3)] for row in range(4)]
    assert found == [[0, 128, 255], [0, 191, 255], [255, 128, 0], [255, 191, 0]]


def test_a_manifold_is_seamless_and_square() -> None:
    picture = figures.manifold(flat([-1, 0, 0.5, 1]))
    assert picture.size == (64, 64)
    assert [picture.getpixel(place)[0] for place in [(31, 31), (32, 31), (31, 32), (32, 32)]] == [0, 128, 191, 255]  # type: ignore[index]
    with pytest.raises(BadInput, match="5 is no square number"):
        figures.manifold(flat([0.0] * 5))


def test_save_writes_what_it_was_given_and_makes_folders(tmp_path: Path) -> None:
    picture = figures.sheet(flat([-1, 1]))
    path = figures.save(picture, tmp_path / "a" / "b.png")
    assert path == tmp_path / "a" / "b.png" and Image.open(path).convert("RGB") == picture
    (tmp_path / "as_usual").touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "as_usual").stat().st_mode)


def test_save_leaves_the_old_file_where_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = figures.save(figures.sheet(flat([0.0])), tmp_path / "x.png")
    before = path.read_bytes()

    def full(self: Image.Image, where: Path, **how: object) -> None:
        where.write_bytes(b"half a pict")
        raise OSError("No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(OSError, match="No space"):
        figures.save(figures.sheet(flat([1.0])), path)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_save_refuses_an_ending_that_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"'x\.docx'"):
        figures.save(figures.sheet(flat([0.0])), tmp_path / "x.docx")
    assert not list(tmp_path.iterdir())


def test_every_image_has_its_caption_below_it():
    images = -np.ones((7, 1, 8, 8), np.float32)
    page = np.asarray(figures.labelled(images, [f"{number} a/very/long/path/to/{number}.png" for number in range(6)] + [""], 5))
    side, below, gap = 144, 19, 12
    assert page.shape[:2] == (2 * (side + below) + gap, 5 * side + 4 * gap)
    for place in range(7):
        row, column = divmod(place, 5)
        top, left = row * (side + below + gap), column * (side + gap)
        assert not page[top : top + side, left : left + side].any()
        words = page[top + side : top + side + below, left : left + side]
        assert (words.min() < 200) == (place < 6) and (words[:, [0, -1]] == 255).all()


def test_maps_of_parts_are_coloured_however_many_there_are() -> None:
    kinds = torch.tensor([[0, 1], [2, 1]])
    for count in (3, 4):
        maps = one_hot(kinds, count).permute(2, 0, 1)[None].float()
        colours = [[int(name[place : place + 2], 16) / 127.5 - 1 for place in (1, 3, 5)] for name in figures.part_colours(count)]
        np.testing.assert_allclose(figures.as_picture(maps)[0].transpose(1, 2, 0), np.array(colours)[kinds.numpy()], atol=1e-6)
    photo, white = torch.rand(1, 3, 4, 4) * 2 - 1, torch.ones(1, 1, 4, 4)
    assert (figures.as_picture(photo) == photo.numpy()).all() and (figures.as_picture(white) == 1).all()
