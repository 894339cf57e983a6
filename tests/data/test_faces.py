"""Procedural faces: the same each time, different from each other, and what their attributes and parsing maps say."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
import torch

from pushforward.core import BadInput
from pushforward.data import DataSpec, faces, open_data
from pushforward.data.faces import ATTRIBUTES, CLASSES, PARTS

PLAIN = dict.fromkeys(ATTRIBUTES, 0.5) | {"glasses": 0.0, "beard": 0.0}


def face(size: int = 48, seed: int = 3, **attributes: float) -> tuple[torch.Tensor, torch.Tensor]:
    row = torch.tensor([[(PLAIN | attributes)[name] for name in ATTRIBUTES]])
    image, parts = faces.drawn(row, size, seed)
    return image[0], parts[0]


def count(parts: torch.Tensor, name: str) -> int:
    return int((parts == PARTS.index(name)).sum())


@pytest.mark.parametrize("size", [8, 28, 64, 100])
def test_faces_of_any_size_are_the_same_each_time(size: int) -> None:
    attributes = faces.faces(6, seed=1)
    image, parts = faces.drawn(attributes, size, seed=1)
    again, _ = faces.drawn(attributes, size, seed=1)
    other, _ = faces.drawn(attributes, size, seed=2)
    assert image.shape == (6, 3, size, size) and parts.shape == (6, size, size)
    assert image.abs().max() <= 1 and parts.min() >= 0 and parts.max() < len(PARTS)
    assert torch.equal(image, again) and not torch.equal(image, other)


def test_a_batch_does_not_change_a_face() -> None:
    attributes = faces.faces(300, seed=5)
    many, parts = faces.drawn(attributes, 16)
    few, few_parts = faces.drawn(attributes[:3], 16)
    assert torch.equal(many[:3], few) and torch.equal(parts[:3], few_parts)


@pytest.mark.parametrize(
    ("part", "off", "on"),
    [
        ("glasses", {"glasses": 0.4}, {"glasses": 0.6}),
        ("beard", {"beard": 0.4}, {"beard": 0.6}),
        ("hair", {"hair_length": 0.0}, {}),
        ("teeth", {"mouth_open": 0.0}, {"mouth_open": 0.6}),
    ],
)
def test_parts_are_there_when_their_attribute_says_so(part: str, off: dict[str, float], on: dict[str, float]) -> None:
    assert count(face(**off)[1], part) == 0 < count(face(**on)[1], part)


def test_everybody_has_a_face() -> None:
    _, parts = faces.drawn(faces.faces(200, seed=2), 64)
    for name in ("background", "clothes", "neck", "skin", "eye", "brow", "nose", "mouth"):
        share = ((parts == PARTS.index(name)).flatten(1).sum(1) > 0).float().mean()
        assert share > 0.98, f"{name} is missing in {1 - share:.0%}"


def test_attributes_do_what_they_are_called() -> None:
    def colour(part: str, **attributes: float) -> torch.Tensor:
        image, parts = face(**attributes)
        return image[:, parts == PARTS.index(part)].mean(1)

    assert colour("skin", skin=0.0).mean() > colour("skin", skin=1.0).mean() + 0.5
    assert colour("hair", hair=0.0, age=0.2).mean() < colour("hair", hair=0.7, age=0.2).mean() - 0.3
    left, right = (face(light=value)[0] for value in (0.0, 1.0))
    assert (left - right)[..., :12].mean() > 0.02 and (left - right)[..., -12:].mean() < -0.02
    place = torch.arange(48.0)
    middle = [
        float((face(turn=value)[1] == PARTS.index("nose")).float().sum(0) @ place / count(face(turn=value)[1], "nose")) for value in (0, 1)
    ]
    assert middle[1] - middle[0] > 8, "the nose turns with the head"
    assert count(face(hair_length=1.0)[1], "hair") > 1.3 * count(face(hair_length=0.3)[1], "hair")
    assert count(face(smile=1.0)[1], "mouth") > count(face(smile=0.0)[1], "mouth")


def test_tilt_background_eyes_width_and_age_do_what_they_are_called() -> None:
    def shown(part: str, **attributes: float) -> torch.Tensor:
        image, parts = face(96, **attributes)
        return image[:, parts == PARTS.index(part)]

    places = [face(96, tilt=tilt)[1].eq(PARTS.index("eye")).nonzero().double().T for tilt in (0.0, 1.0)]
    slopes = [float(place.cov()[0, 1]) for place in places]
    assert slopes[0] * slopes[1] < 0 and min(map(abs, slopes)) > 1, "eyes lie on a slope, and on the other one at the other tilt"
    ground = [shown("background", background=value).mean(1) for value in (0.0, 0.33, 0.66)]
    assert min(float((a - b).abs().max()) for a, b in pairwise(ground)) > 0.1
    iris = [shown("eye", eyes=value).mean(1) for value in (0.0, 0.5, 1.0)]
    assert min(float((a - b).abs().max()) for a, b in pairwise(iris)) > 0.02
    assert count(face(96, width=1.0)[1], "skin") > 1.1 * count(face(96, width=0.0)[1], "skin")
    young, old = (shown("hair", age=value, hair=0.5) for value in (0.2, 1.0))
    assert old.std(0).mean() < young.std(0).mean() / 2, "hair turns grey"


def test_the_data_set_by_name() -> None:
    train, test = open_data(DataSpec("faces", size=8))
    assert test is not None and (len(train), len(test)) == (10_000, 1_000) and train.classes == CLASSES
    assert train.image is not None and test.image is not None and train.image.shape[1:] == (3, 8, 8)
    assert torch.bincount(train.label).min() > 2_000  # type: ignore[arg-type]
    assert (
        train.fingerprint
        == open_data(DataSpec("faces", size=8))[0].fingerprint
        != open_data(DataSpec("faces", size=8, split_seed=1))[0].fingerprint
    )
    assert not {tuple(x.flatten().tolist()) for x in train.image[:500]} & {tuple(x.flatten().tolist()) for x in test.image[:500]}


def test_a_data_set_holds_the_bytes_of_its_faces_drawn_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never does it hold all of them as floats: none but the bytes are joined."""
    monkeypatch.setattr(faces, "COUNT", 300)
    attributes, joined, cat = faces.faces(300, seed=4), list[torch.dtype](), torch.cat
    image, parts = faces.drawn(attributes, 16, seed=4)

    def noted(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
        joined.extend(x.dtype for x in tensors if len(x) == faces.TOGETHER)
        return cat(list(tensors))

    monkeypatch.setattr(torch, "cat", noted)
    found = faces.read(16, seed=2)[0]
    assert found.image is not None and torch.equal(found.image, ((image + 1) * 127.5).round().byte())
    assert found.parts is not None and torch.equal(found.parts, parts.byte())
    assert found.attributes is not None and torch.equal(found.attributes, attributes)
    assert set(joined) == {torch.uint8}


def test_bad_input() -> None:
    with pytest.raises(BadInput, match="Attributes have 3 columns"):
        faces.drawn(torch.rand(2, 3), 16)
    with pytest.raises(BadInput, match=r"in \[.*, 2\], but 14 in \[0, 1\] are needed: skin, hair"):
        faces.drawn(torch.full((2, len(ATTRIBUTES)), 2.0), 16)
    with pytest.raises(BadInput, match="size is 4"):
        faces.drawn(faces.faces(1), 4)
