from math import cos, pi, sin

import numpy as np
import pytest
import torch
from PIL import Image

from pushforward.core import UNLABELLED, BadInput
from pushforward.report import pictures
from pushforward.report.asking import in_turn, latent_of, told_labels
from tests.report.fakes import FILL, Coder, Config, Editor, Sampler, Whole, strips, table

TILE, STEP, PIXEL = 56, 58, 7


def tiles(picture: Image.Image, columns: int, top: int = 0) -> np.ndarray:
    """Grey levels [rows, columns, 8, 8] of a sheet's images of 8 x 8, which end at its right edge."""
    grey, left = np.asarray(picture)[..., 0], picture.width - columns * STEP + 2
    rows = (picture.height - top + 2) // STEP
    corner = [[grey[top + r * STEP :, left + c * STEP :][:TILE:PIXEL, :TILE:PIXEL] for c in range(columns)] for r in range(rows)]
    return np.array(corner)


def grey(value: float) -> int:
    return round((value + 1) * 127.5)


def test_samples_are_those_of_the_seed_and_of_the_label() -> None:
    system = Whole(Config(classes=5))
    found = tiles(pictures.samples(system, 16, label=3, seed=5), 4)
    expected = ((system.sample(16, 3, 5) + 1) * 127.5).round().reshape(4, 4, 8, 8).numpy()
    np.testing.assert_array_equal(found, expected)
    assert (found[..., 0, 3] == 255).all()
    assert pictures.samples(system, 16, seed=1) != pictures.samples(system, 16, seed=2)


def test_samples_of_a_table_are_drawn_in_its_own_units_against_its_rows() -> None:
    system, data = Sampler(Config((3,), latent=3)), table(50)
    assert pictures.samples(system, 40, dataset=data).width > 400
    with pytest.raises(BadInput, match="give the data set too"):
        pictures.samples(system, 40)


def test_each_row_of_conditional_samples_is_a_class_and_each_column_a_style() -> None:
    found = tiles(pictures.conditional_samples(Whole(Config(classes=5)), styles=6, seed=3, classes=list("abcde")), 6)
    assert found.shape[:2] == (5, 6)
    for row in range(5):
        assert (found[row, :, 0, row] == 255).all() and (np.delete(found[row, :, 0, :5], row, 1) == 0).all()
    np.testing.assert_array_equal(found[:, :, 1:], np.broadcast_to(found[:1, :, 1:], found[:, :, 1:].shape))
    assert len(np.unique(found[0, :, 4], axis=0)) == 6
    codes = torch.randn(6, 4, generator=torch.Generator().manual_seed(3)).clamp(-1, 1)
    np.testing.assert_array_equal(found[0, :, 4, ::2], ((codes + 1) * 127.5).round().numpy())


def test_a_system_that_only_samples_repeats_its_seed_in_every_row() -> None:
    found = tiles(pictures.conditional_samples(Sampler(Config(classes=3)), styles=4), 4)
    np.testing.assert_array_equal(found[0, :, 1:], found[2, :, 1:])
    with pytest.raises(BadInput, match="takes no label"):
        pictures.conditional_samples(Sampler(Config()))


def test_reconstructions_stand_below_their_images() -> None:
    system, data = Whole(Config(classes=5)), strips(30)
    found = tiles(pictures.reconstructions(system, data, 5), 5)
    expected = data.image[:5, 0].numpy()  # type: ignore[index]
    np.testing.assert_array_equal(found[0], expected)
    np.testing.assert_array_equal(found[1], expected)
    swapped = tiles(pictures.reconstructions(system, strips(30, wrong=30), 5), 5)
    assert (swapped[0, :, 0] != swapped[1, :, 0]).any(), "the decoder is told the label, not the picture"


def test_a_walk_along_the_arc_keeps_its_length_and_a_line_does_not() -> None:
    system = Coder(Config(latent=2))
    first, second = system.decode(torch.tensor([[1.0, 0.0]])), system.decode(torch.tensor([[0.0, 1.0]]))
    picture = pictures.interpolations(system, first, second, steps=5)
    found = tiles(picture, 5, picture.height - 2 * STEP + 2)[:, :, 4, [0, 7]]
    arc = [[grey(cos(t * pi / 8)), grey(sin(t * pi / 8))] for t in range(5)]
    line = [[grey(1 - t / 4), grey(t / 4)] for t in range(5)]
    assert abs(found[0] - np.array(arc)).max() <= 1 and abs(found[1] - np.array(line)).max() <= 1


def test_the_class_of_a_walk_changes_in_its_middle() -> None:
    system = Whole(Config(classes=5))
    image = strips(10).batch(torch.tensor([1, 4]))["image"]
    for labels in (None, (torch.tensor([1]), torch.tensor([4]))):
        picture = pictures.interpolations(system, image[:1], image[1:], labels, steps=4)
        shown = tiles(picture, 4, picture.height - 2 * STEP + 2)[:, :, 0, :5].argmax(-1)
        np.testing.assert_array_equal(shown, [[1, 1, 4, 4]] * 2)


class Uneven(Coder):
    """Its third code dimension changes the image most, its second least."""

    def decode(self, code: torch.Tensor, label: int | torch.Tensor | None = None) -> torch.Tensor:
        return super().decode(code * torch.tensor([0.8, 0.2, 1.0, 0.5]))


def test_a_traversal_moves_one_dimension_a_row_and_the_strongest_come_first() -> None:
    code = torch.tensor([0.0, -0.5, 0.9, 0.0])
    picture = pictures.traversals(Uneven(Config()), code, spread=0.5, steps=3)
    found = tiles(picture, 3, picture.height - 4 * STEP + 2)[:, :, 4, ::2]
    for row, dimension, strength in zip(found, (2, 0, 3, 1), (1.0, 0.8, 0.5, 0.2), strict=True):
        assert abs(row[:, dimension] - np.array([grey(shift * strength) for shift in (-0.5, 0, 0.5)])).max() <= 1
        assert len(np.unique(np.delete(row, dimension, 1), axis=0)) == 1, "the other dimensions stay as they are"


def test_two_dimensional_codes_are_shown_whole() -> None:
    picture = pictures.traversals(Coder(Config(latent=2)), torch.zeros(2))
    assert picture.size == (20 * 32, 20 * 32)
    assert picture.getpixel((4, 20))[0] == 0 and picture.getpixel((612, 20))[0] == 255, "z1 runs to the right"  # type: ignore[index]
    assert picture.getpixel((28, 20))[0] == 255 and picture.getpixel((28, 620))[0] == 0, "z2 runs upwards"  # type: ignore[index]


def test_the_code_space_is_shown_whole_in_two_dimensions_and_in_part_above() -> None:
    assert pictures.code_space(Coder(Config(latent=2)), strips(40, latent=2))[1] == 1
    share = pictures.code_space(Whole(Config(classes=5)), strips(40))[1]
    assert 0.3 < share < 0.99
    with pytest.raises(BadInput, match="Sampler cannot encode examples"):
        pictures.code_space(Sampler(Config()), strips(4))


def test_completions_show_the_likeliest_answer_first() -> None:
    found = tiles(pictures.completions(Editor(Config()), strips(20, classes=(), observe=1), count=3, answers=2), 3)
    assert found.shape[0] == 4
    hidden, seen = (slice(0, 4), slice(4, 8)), (slice(4, 8), slice(0, 4))
    assert (found[1][:, *hidden] == grey(FILL)).all() and (found[2][:, *hidden] == grey(-FILL)).all()
    for row in range(4):
        np.testing.assert_array_equal(found[row][:, *seen], found[3][:, *seen])
    assert not (found[0][:, *hidden] == found[3][:, *hidden]).all()


def test_examples_are_taken_from_the_classes_in_turn() -> None:
    data = strips(12, classes=("a", "b", "c"))
    shuffled = data.part(torch.randperm(12, generator=torch.Generator().manual_seed(0)))
    assert shuffled.label is not None
    assert shuffled.label[in_turn(shuffled, 7)].tolist() == [0, 1, 2, 0, 1, 2, 0]
    assert len(set(in_turn(shuffled, 99).tolist())) == 12
    assert in_turn(strips(11, classes=()), 3).tolist() == [0, 5, 10]


def test_hidden_labels_are_answered_by_the_system_or_refused() -> None:
    batch = strips(5).batch(torch.arange(5))
    batch["label"] = torch.tensor([0, UNLABELLED, 4, UNLABELLED, 4])
    told = told_labels(Whole(Config(classes=5)), batch)
    assert told is not None and told.tolist() == [0, 1, 4, 3, 4]
    assert told_labels(Whole(Config()), batch) is None
    with pytest.raises(BadInput, match="2 have none"):
        told_labels(Coder(Config(classes=5)), batch)


def test_the_size_of_the_code_is_asked_of_the_encoder() -> None:
    assert latent_of(Coder(Config(latent=8))) == 8
    assert latent_of(Whole(Config(classes=5))) == 4
