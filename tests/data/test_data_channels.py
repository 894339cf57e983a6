"""Arrays of images of any number of channels, and of 16 bits."""

import numpy as np
import pytest
import torch

from pushforward.core import BadInput
from pushforward.data import DataSpec, open_data


def test_16_bits_mean_the_same_in_both_parts_and_either_order_of_bytes(tmp_path):
    bright = np.full((6, 8, 8), 65535, ">u2")
    np.savez(tmp_path / "set.npz", image=bright, test_image=np.full((2, 8, 8), 600, np.uint16))
    train, test = open_data(DataSpec(str(tmp_path / "set.npz")))
    assert (int(train.image.min()), int(test.image.max())) == (255, 2)


def test_rows_of_16_bits_stay_what_they_are(tmp_path):
    rows = np.arange(300, 360, dtype=np.uint16).reshape(20, 3)
    np.savez(tmp_path / "rows.npz", image=rows)
    train, _ = open_data(DataSpec(str(tmp_path / "rows.npz"), held_out=0))
    own = train.row * train.scale + train.centre
    torch.testing.assert_close(own, torch.from_numpy(rows.astype(np.float32)))


def test_images_that_may_lie_either_way_are_spoken_of():
    train, _ = open_data(DataSpec("memory", held_out=0), np.zeros((5, 8, 12, 16), np.uint8))
    assert train.shape == (8, 12, 16) and "Images of 'memory' were taken for 8 channels of 16x12 pixels." in train.notes
    assert not open_data(DataSpec("memory", held_out=0), np.zeros((5, 8, 12, 3), np.uint8))[0].notes


@pytest.mark.parametrize("channels", [2, 4, 5, 16])
def test_images_of_any_channels_are_read_either_way_round(channels):
    image = np.random.default_rng(0).integers(0, 256, (7, 20, 24, channels)).astype(np.uint8)
    for either in (image, image.transpose(0, 3, 1, 2)):
        train, _ = open_data(DataSpec("memory", held_out=0), either)
        assert train.shape == (channels, 20, 24) and np.array_equal(train.image.numpy(), image.transpose(0, 3, 1, 2))
    small, _ = open_data(DataSpec("memory", size=10, held_out=0), image)
    assert small.shape == (channels, 10, 10)


def test_three_colours_are_told_from_rows_of_few_pixels(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (7, 2, 9, 3)).astype(np.uint8)
    assert open_data(DataSpec("memory", held_out=0), image)[0].shape == (3, 2, 9)
    np.save(tmp_path / "wide.npy", np.zeros((5, 20, 20, 17), np.uint8))
    with pytest.raises(BadInput, match="1 to 16 channels"):
        open_data(DataSpec(str(tmp_path / "wide.npy")))


def test_of_16_bits_the_upper_8_are_kept_and_that_is_said():
    values = np.array([0, 128, 129, 257, 32768, 65535, 65406, 65407], np.uint16).reshape(2, 2, 2)
    train, _ = open_data(DataSpec("memory", held_out=0), values)
    assert train.image.flatten().tolist() == [0, 0, 1, 1, 128, 255, 254, 255]
    assert "Of the 16 bits of 'memory' 8 were kept (its largest value is 65,535 of 65,535)." in train.notes
    train, _ = open_data(DataSpec("memory", held_out=0), np.array([0, 255, 3, 4], np.uint16).reshape(1, 2, 2))
    assert train.image.flatten().tolist() == [0, 255, 3, 4], "numbers 0..255 are what they are in any kind"
    assert train.notes == ("'memory' has 16 bits and no value above 255, and was taken for 8 bits.",)
