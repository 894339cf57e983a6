"""Pairs that come as arrays, with a source of each image."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pushforward.core import BadInput
from pushforward.data import DataSpec, open_data


def several(count: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).integers(0, 256, (count, *shape)).astype(np.uint8)


def test_arrays_of_any_channels_are_pairs(tmp_path: Path) -> None:
    kept = {
        "image": several(9, 16, 20, 2),
        "source": several(9, 16, 20, 5),
        "test_image": several(3, 16, 20, 2),
        "test_source": several(3, 16, 20, 5),
    }
    np.savez(tmp_path / "pairs.npz", **kept)
    train, test = open_data(DataSpec(str(tmp_path / "pairs.npz"), pairs="source"))
    assert test is not None and (len(train), len(test)) == (9, 3)
    assert (train.shape, train.source_channels) == ((2, 16, 20), 5)
    batch = train.batch(torch.tensor([4]))
    expected = torch.from_numpy(kept["source"][4]).permute(2, 0, 1).float() / 127.5 - 1
    torch.testing.assert_close(batch["source"][0], expected)
    small, _ = open_data(DataSpec(str(tmp_path / "pairs.npz"), pairs="source", size=8))
    assert small.batch(torch.tensor([0]))["source"].shape == (1, 5, 8, 8)
    assert "source" not in open_data(DataSpec(str(tmp_path / "pairs.npz")))[0].batch(torch.tensor([0]))


@pytest.mark.parametrize(
    ("kept", "palette", "words"),
    [
        ({"image": several(9, 16, 16)}, "", "has no sources; give an .npz with the keys source and image"),
        ({"image": several(9, 16, 16), "source": several(8, 16, 16)}, "", "beside 9 of"),
        ({"image": several(9, 16, 16), "source": several(9, 4)}, "", "give an image as source of each image"),
        ({"image": several(9, 16, 16), "source": several(9, 16, 16), "test_image": several(9, 16, 16)}, "", "but not for both"),
        ({"image": several(9, 16, 16), "source": several(9, 16, 16), "test_source": several(9, 16, 16)}, "", "add the key test_image"),
        (
            {
                "image": several(9, 16, 16),
                "source": several(9, 16, 16),
                "test_image": several(9, 16, 16),
                "test_source": several(9, 16, 16, 3),
            },
            "",
            "have 1 channels to train on and 3 to test on",
        ),
        ({"image": several(9, 16, 16), "source": several(9, 16, 16) % 2}, "", "no value but 0 and 1"),
        ({"image": several(9, 16, 16), "source": several(9, 16, 16)}, "#ff0000,#00ff00", "or maps that hold 0 to 1"),
        (
            {
                "image": several(9, 16, 16),
                "source": several(9, 16, 16) % 2,
                "test_image": several(9, 16, 16),
                "test_source": several(9, 16, 16),
            },
            "#ff0000,#00ff00",
            "taken for numbers of the palette's colours, 0 to 1; make both parts alike",
        ),
        ({"image": several(9, 16, 16), "source": several(9, 16, 12)}, "", "make them of one size"),
        ({"image": several(9, 16, 16), "source": several(9, 16, 16, 4)}, "#000000,#ffffff", "4 channels, which are no colours"),
    ],
)
def test_sources_that_do_not_fit_are_a_sentence(tmp_path: Path, kept: dict[str, np.ndarray], palette: str, words: str) -> None:
    np.savez(tmp_path / "pairs.npz", **kept)
    with pytest.raises(BadInput) as caught:
        open_data(DataSpec(str(tmp_path / "pairs.npz"), pairs="source", palette=palette))
    assert words in str(caught.value)


def test_numbers_of_parts_are_numbers_in_the_test_part_too(tmp_path: Path) -> None:
    number = several(9, 16, 16) % 2
    np.savez(tmp_path / "pairs.npz", image=several(9, 16, 16), source=number, test_image=several(3, 16, 16), test_source=number[:3] * 0)
    train, test = open_data(DataSpec(str(tmp_path / "pairs.npz"), pairs="source", palette="#ff0000=wall,#00ff00=door"))
    assert train.parts is not None and np.array_equal(train.parts.numpy(), number)
    assert test is not None and test.parts is not None and not test.parts.any()
