"""Settings of data that are out of range or do not suit, and paths that are not there."""

import numpy as np
import pytest
import torch

from pushforward.core import BadInput
from pushforward.data import DataSpec, open_data


def refused(path, **settings):
    with pytest.raises(BadInput) as caught:
        open_data(DataSpec(str(path), **settings))
    return str(caught.value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"binarise": "dynamics"}, "binarise is 'dynamics'"),
        ({"observe": 4}, "observe is 4"),
        ({"held_out": 1.0}, "held_out is 1"),
        ({"size": 1}, "size is 1"),
        ({"size": -8}, "size is -8"),
        ({"target": "kind"}, "target is 'kind'"),
        ({"labels": 3}, "3 labels cannot cover 10 classes"),
        ({"labels": 900}, "900 labels are to be kept, but only 899"),
    ],
)
def test_settings_outside_their_range(settings, said):
    assert said in refused("digits", **settings)


def test_settings_that_do_not_suit_a_table():
    for setting in ({"binarise": "dynamic"}, {"observe": 1}, {"size": 8}):
        with pytest.raises(BadInput, match="memory"):
            open_data(DataSpec("memory", **setting), np.zeros((4, 2)))


def test_missing_paths_name_what_is_near(tmp_path, monkeypatch):
    (tmp_path / "photos").mkdir()
    assert "did you mean 'mnist'?" in refused("mnits") and "did you mean 'fashion-mnist'?" in refused("fashon-mnist")
    assert f"did you mean '{tmp_path / 'photos'}'?" in refused(tmp_path / "photo")
    (tmp_path / ".hidden").mkdir()
    assert ".hidden" not in refused(tmp_path / "hidden")
    monkeypatch.chdir(tmp_path)
    assert "did you mean 'photos'?" in refused("photso")
    for strange in ("", "\0", "x" * 5000, "~nobody-here/x", "a\nb"):
        assert repr(strange)[1:-1] in refused(strange) or strange in refused(strange)
    (tmp_path / "song.mp3").write_bytes(b"x")
    assert "'song.mp3' is of no kind" in refused("song.mp3")


def test_binarise_and_observe_reach_both_parts():
    train, test = open_data(DataSpec("digits", binarise="dynamic", observe=2))
    assert {(part.binarise, part.observe) for part in (train, test)} == {("dynamic", 2)}
    assert set(test.batch(torch.arange(5))) == {"image", "label", "index", "source", "mask"}
