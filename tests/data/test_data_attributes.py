"""Attributes of images: a CSV or CelebA's table, bad lines in one sentence each; faces bring their own. Stacked digits spell numbers."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from pushforward.core import BadInput
from pushforward.data import Dataset, DataSpec, open_data
from pushforward.data.stacked import stacked
from pushforward.systems.conditional_gan import ConditionalGAN


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    for name in ("a", "b", "c"):
        Image.new("RGB", (16, 16), (ord(name), 0, 0)).save(tmp_path / "photos" / f"{name}.png")
    return tmp_path / "photos"


def opened(photos: Path, text: str) -> Dataset:
    (photos.parent / "attributes.txt").write_text(text)
    return open_data(DataSpec(str(photos), attributes_file=str(photos.parent / "attributes.txt"), held_out=0.0))[0]


@pytest.mark.parametrize(
    "text",
    ["file,smile,hat\nb.png,0,1\na.png,1,0.5\nc.png,0,0\n", "3\nsmile hat\na.png  1  1\nb.png -1  1\nc.png -1 -1\n"],
)
def test_values_are_those_of_the_file_that_is_named(photos: Path, text: str) -> None:
    found = opened(photos, text)
    assert found.attribute_names == ("smile", "hat") and found.attributes is not None
    row = dict(zip(found.names, found.attributes.tolist(), strict=True))
    assert row["b.png"] == [0, 1] and row["a.png"][0] == 1 and row["c.png"] == [0, 0]
    assert found.batch(torch.tensor([1]))["attributes"].shape == (1, 2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names no attribute"),
        ("file,smile\n", "has no line below its first"),
        ("file,smile\na.png,1\nb.png,0\n", "has no line for 'c.png'"),
        ("file,smile\na.png,1\nb.png\n", "Line 3 of .* has 1 values"),
        ("file,smile\na.png,1\nb.png,yes\nc.png,0\n", "Line 3 of .* has the value 'yes'"),
        ("file,smile\na.png,1\nb.png,nan\nc.png,0\n", "has the value 'nan'"),
        ("file,smile\na.png,1\nb.png,3\nc.png,0\n", "Line 3 of .* has a value outside"),
        ("file,smile\na.png,1\nb.png,1\nd.png,0\n", "names what is no image"),
    ],
)
def test_what_is_wrong_is_one_sentence(photos: Path, text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        opened(photos, text)


def test_attributes_belong_to_the_fingerprint(photos: Path) -> None:
    first, second = (opened(photos, f"file,smile\na.png,1\nb.png,{b}\nc.png,0.5\n").fingerprint for b in (0, 1))
    assert first != second


def test_a_gan_that_is_told_attributes_listens_and_refuses_others() -> None:
    torch.manual_seed(0)
    system = ConditionalGAN(ConditionalGAN.Config((1, 8, 8), attributes=3, told="attributes", latent=4)).eval()
    same = system.sample(4, torch.tensor([[0.0, 1.0, 0.5]]).expand(4, 3), seed=0)
    assert not torch.equal(same, system.sample(4, torch.rand(4, 3), seed=0)) and not torch.equal(same, system.sample(4, seed=0))
    assert system.labels == 0 and system.needs == {"image", "attributes"}
    for wrong in (torch.full((4, 3), 1.5), torch.rand(4, 2), 1):
        with pytest.raises(BadInput, match="told 3 attributes"):
            system.sample(4, wrong)
    with pytest.raises(BadInput, match="the data have none"):
        ConditionalGAN(ConditionalGAN.Config((1, 8, 8), told="attributes"))


def test_stacked_digits_spell_their_kind() -> None:
    digits = Dataset("d", image=torch.arange(10, dtype=torch.uint8).view(10, 1, 1, 1).expand(-1, 1, 4, 4), label=torch.arange(10))
    found = stacked(digits, 500, "s", 0)
    assert found.image is not None and found.label is not None and found.shape == (3, 4, 4) and len(found.classes) == 1000
    assert torch.equal(found.label, (found.image[:, :, 0, 0].long() * torch.tensor([100, 10, 1])).sum(1))
    assert len(found.label.unique()) > 300 and found.classes[307] == "307"
    assert not torch.equal(stacked(digits, 500, "s", 1).label, found.label)  # type: ignore[arg-type]
