"""The tables of translation and completion at a hundredth of their size, on archives that hold drawn faces in place of photos."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from PIL import Image

from pushforward.core import BadInput
from pushforward.data import DataSpec, faces, open_data, palettes
from pushforward.reproduce import _photos, cells, completion, facades, gan

SIDE, SMALL = 16, {"images": 32, "width": 4, "precision": "float32"}


def encoded(pixels: np.ndarray[Any, Any], kind: str) -> bytes:
    content = BytesIO()
    Image.fromarray(pixels).save(content, kind)
    return content.getvalue()


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What $PUSHFORWARD_DATA holds: the three archives, of thirty faces each."""
    home = tmp_path_factory.mktemp("archives")
    image, parts = faces.drawn(faces.faces(30, seed=0), SIDE)
    pixels = ((image + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
    twelve = palettes.palette_of(facades.PALETTE)
    named = palettes.palette_of("celebamask-hq")
    assert twelve is not None and named is not None
    for name in ("facades", "celeba", "celebamask-hq"):
        (home / name).mkdir()
    with ZipFile(home / "facades/facades.zip", "w") as facade:
        maps = twelve.colours[parts.long() % 12].byte().numpy()
        for number in range(30):
            part = "train" if number < 20 else "val" if number < 28 else "test"
            facade.writestr(f"{part}/{number}.png", encoded(np.concatenate([pixels[number], maps[number]], 1), "PNG"))
    with ZipFile(home / "celeba/img_align_celeba_half.zip", "w") as aligned:
        for number in range(30):
            aligned.writestr(f"{number:06d}.jpg", encoded(pixels[number], "JPEG"))
    (home / "celeba/list_eval_partition.txt").write_text("".join(f"{n:06d}.jpg {0 if n < 24 else 1 if n < 28 else 2}\n" for n in range(30)))
    with ZipFile(home / "celebamask-hq/celebamask_hq_256.zip", "w") as masked:
        maps = named.colours[parts.long() % 19].byte().numpy()
        for number in range(30):
            part = "train" if number < 24 else "val"
            masked.writestr(f"{part}/images/{number}.png", encoded(pixels[number], "PNG"))
            masked.writestr(f"{part}/masks/{number}.png", encoded(maps[number], "PNG"))
    return home


@pytest.fixture
def small(archives: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUSHFORWARD_DATA", str(archives))
    monkeypatch.setattr(faces, "COUNT", 40)
    monkeypatch.setattr(faces, "HELD_OUT", 10)
    monkeypatch.setattr("pushforward.metrics.fills.COMPONENTS", (3, 6))

    def trained(folder: Path, what: str, data: Any = None, **options: Any) -> Any:
        return cells.trained(folder, what, data, **(options | SMALL))

    for module in (completion, facades):
        monkeypatch.setattr(module, "trained", trained)
        monkeypatch.setattr(module, "SIZE", SIDE)
    monkeypatch.setitem(facades.FIELDS, "whole", 34)
    monkeypatch.setitem(facades.BETTER, "scales", {"scales": 2})


def measure(module: Any, name: str, folder: Path) -> dict[str, Any]:
    cell = next(cell for cell in module.cells() if cell.name == name)
    (folder / name).mkdir(parents=True, exist_ok=True)
    return cell.measure(folder / name)


def test_archives_are_parted_as_they_say(archives: Path, small: None, tmp_path: Path) -> None:
    def listed(path: Path) -> list[str]:
        with ZipFile(path) as found:
            return found.namelist()

    tops = [name.partition("/")[0] for name in listed(_photos.facades(tmp_path))]
    assert tops.count("train") == 20 and set(tops) == {"train", "val"}, "the test part of facades is not the one reported"
    assert {name.partition("/")[0] for name in listed(_photos.facades_to_choose(tmp_path))} == {"train"}
    aligned = listed(_photos.celeba(tmp_path))
    assert len(aligned) == 28 and "train/000023.jpg" in aligned and "val/000024.jpg" in aligned
    assert all("mask" not in name for name in listed(_photos.celebamask_faces(tmp_path)))
    assert len(listed(_photos.celebamask(tmp_path))) == 60


def test_an_archive_that_is_not_there_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUSHFORWARD_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(BadInput, match=r"'facades.zip' is not there; put it into .*PUSHFORWARD_DATA"):
        _photos.facades(tmp_path)


@pytest.mark.parametrize("module", [completion, facades])
def test_cells_have_names_of_their_own_and_cover_the_tables(module: Any) -> None:
    names = [cell.name for cell in module.cells()]
    assert len(set(names)) == len(names)
    wanted = {
        completion: {"celeba/bars", "celeba/M1", "celeba/M4", "celeba/G4", "drawn/G4", "judge/celebamask", "celebamask/G1"},
        facades: {*(f"facades/{each}/seed-{seed}" for each in facades.OBJECTIVES for seed in range(3)), "field/whole", "drawn/l1+cgan"},
    }
    assert wanted[module] <= set(names)


def test_where_a_gpu_is_at_hand_there_are_larger_ones(archives: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PUSHFORWARD_DATA", str(archives))
    modules = {completion: "celebamask-128/G4", facades: "256/l1+cgan", gan: "gpu/cifar10"}
    sets = {}
    for here in (False, True):
        monkeypatch.setattr(torch.cuda, "is_available", lambda here=here: here)
        sets[here] = {module: {cell.name: cell for cell in module.cells()} for module in modules}
    for module, name in modules.items():
        assert sets[False][module].keys() < sets[True][module].keys() and name not in sets[False][module] and name in sets[True][module]
    assert sets[True][completion]["celebamask-128/M1"].setting["code"] == completion.WIDE
    assert sets[True][facades]["256/l1+cgan"].setting["width"] == 64
    assert completion.spec_of("celebamask-128", tmp_path).size == 128 and facades.spec_of("facades-256", tmp_path).size == 256
    assert completion.spec_of("celebamask", tmp_path).size == facades.spec_of("facades", tmp_path).size == 64


def test_cifar_is_written_by_part_and_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [encoded(np.full((32, 32, 3), 40 * number, np.uint8), "JPEG") for number in range(3)]
    ends = np.cumsum([0, *map(len, files)])
    found = {"jpeg": np.frombuffer(b"".join(files), np.uint8), "offsets": ends, "labels": np.array([1, 0, 1], np.uint8)}
    (tmp_path / "cifar10").mkdir()
    both = {f"{part}_{key}": value for part in ("train", "test") for key, value in found.items()}
    np.savez(tmp_path / "cifar10/cifar10_jpeg.npz", class_names=np.array(["cat", "dog"]), **both)
    monkeypatch.setenv("PUSHFORWARD_DATA", str(tmp_path))
    train, test = open_data(DataSpec(str(_photos.cifar10(tmp_path))))
    assert test is not None and train.label is not None
    assert train.classes == ("cat", "dog") and train.label.tolist() == [0, 1, 1] and len(test) == 3
    brightness = train.batch(torch.arange(3))["image"].mean((1, 2, 3))
    assert torch.allclose(brightness, torch.tensor([40.0, 0, 80]) / 127.5 - 1, atol=0.02)


@pytest.mark.parametrize("data", ["celeba", "celebamask", "drawn"])
def test_completions(small: None, tmp_path: Path, data: str) -> None:
    bars = measure(completion, f"{data}/bars", tmp_path)
    rows = {row: measure(completion, f"{data}/{row}", tmp_path) for row in completion.DATA[data]}
    for found in rows.values():
        assert set(completion.MASKS) <= found.keys() and found["n"] == bars["n"]
        for hole in completion.MASKS:
            told = found[hole]
            assert told.keys() == {name.removesuffix(", mean image") for name in bars[hole] if name.endswith(", mean image")}
            assert 0 < told["PSNR in the hole"] < told["PSNR"] and 0 <= told["parts as in the truth, in the hole"] <= 1
    assert bars["centre"]["PSNR in the hole, PCA posterior"] > bars["centre"]["PSNR in the hole, mean colour"]
    assert completion.sheet(data, tmp_path).width > 0


def test_a_row_with_a_parser_holds_a_copy_of_it(small: None, tmp_path: Path) -> None:
    measure(completion, "celeba/M4", tmp_path)
    assert (tmp_path / "celeba/M4/run/parts/parser/recipe.json").exists()
    assert (tmp_path / "judge/celebamask/run/recipe.json").exists(), "another one counts"


def test_parsers(small: None, tmp_path: Path) -> None:
    teacher, counter = (measure(completion, f"{what}/celebamask", tmp_path) for what in ("parser", "judge"))
    assert teacher["fingerprint"] == counter["fingerprint"] and teacher["mean F"] != counter["mean F"]


@pytest.mark.parametrize(
    "name", ["facades/l1+cgan/seed-1", "field/whole", "better/scales", "celebamask/l1", "drawn/l1+cgan", "length/l1/6000"]
)
def test_translations(small: None, tmp_path: Path, name: str) -> None:
    found = measure(facades, name, tmp_path)
    told = {
        "L1",
        "sharpness ratio",
        "histogram intersection, a",
        "intersection over union, by a judge",
        "L1 of place and part",
        "explained by parts",
        "diversity",
    }
    assert told <= found.keys()
    assert ("D on unseen pairs" in found) == (found.get("D on answers", 2) < 1) == (name.split("/")[1] != "l1")
    assert found["n"] == {"length": 2, "celebamask": 6, "drawn": 10}.get(name.partition("/")[0], 8)


def test_sheets_of_translations(small: None, tmp_path: Path) -> None:
    for each in ("l1", "l1+cgan"):
        measure(facades, f"drawn/{each}", tmp_path)
    assert facades.sheet({each: f"drawn/{each}" for each in ("l1", "l1+cgan")}, tmp_path, count=3).height > 0


def test_pictures_wait_for_runs_to_end(small: None, tmp_path: Path) -> None:
    measure(facades, "drawn/l1", tmp_path)
    assert cells.finished_runs(tmp_path, ["drawn/l1"]) and not cells.finished_runs(tmp_path, ["drawn/l1", "drawn/l1+cgan"])
    recipe = tmp_path / "drawn/l1/run/recipe.json"
    recipe.write_text(json.dumps(json.loads(recipe.read_text()) | {"images": 10**6}))
    assert not cells.finished_runs(tmp_path, ["drawn/l1"])


def test_judges(small: None, tmp_path: Path) -> None:
    assert 0 <= measure(facades, "judge/facades", tmp_path)["intersection over union"] <= 1


def test_the_additive_predictor_is_the_least_squares_fit() -> None:
    from pushforward.evaluation.translations import additive

    chance = torch.Generator().manual_seed(0)
    image = torch.randn(5, 1, 2, 3, generator=chance)
    parts = torch.randint(3, (5, 2, 3), generator=chance)
    place, colour = additive(image, parts, 3)
    rows = torch.cat([torch.eye(6).repeat(5, 1), torch.nn.functional.one_hot(parts.flatten(), 3).float()], 1)
    fit = rows @ torch.linalg.lstsq(rows, image.flatten()[:, None], driver="gelsd").solution
    made = place + colour[parts].permute(0, 3, 1, 2)
    torch.testing.assert_close(made.flatten(), fit[:, 0], rtol=0, atol=1e-4)
