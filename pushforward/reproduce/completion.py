"""Faces of which a part is hidden, completed: rows M1 to M4 of Li et al. 2017 and its gated kin, beside what needs no network.

    M1   reconstruction alone;  M2  + local critic;  M3  + global critic;  M4  + parsing         (form paper, random squares)
    G1   reconstruction alone;  G2  + critic of patches;  G4  + parsing                          (form gated, holes of all kinds)

Data: `celeba`, 8,000 aligned faces to train on, 1,000 of its validation part to test; `celebamask`, 800 and 100; `drawn`, procedural
faces, which need no download. 64 pixels; where a GPU is at hand also `celebamask-128`, of 128. The parser learned from the training pairs
of CelebAMask-HQ (Helen's 11 parts), or from drawn faces; parts in answers are counted by a second parser, trained apart and of another
width, which is also asked about the true faces of CelebAMask-HQ. Nobody drew the parts of CelebA's faces, which stand otherwise in their
frames: there is only its agreement with itself.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from pushforward import figures
from pushforward.core import Edits, Parses
from pushforward.data import Dataset, DataSpec, open_data
from pushforward.evaluation.completions import TrueParts, bars, images_of, of_answers
from pushforward.evaluation.parsing import of_parts
from pushforward.evaluation.translations import answered
from pushforward.metrics.fills import COMPONENTS, TunedGaussian
from pushforward.recipes.painting import completion_2017
from pushforward.reproduce import _photos
from pushforward.reproduce.cells import Cell, finished_runs, opened, scratch_of, trained
from pushforward.runs import Run

MASKS = {
    "centre": "centre",
    "O1": "left-face",
    "O2": "right-face",
    "O3": "eyes",
    "O4": "left-eye",
    "O5": "right-eye",
    "O6": "lower-face",
    "left": "left",
    "right": "right",
    "lower": "lower",
}
"""What is hidden in tests; O1 to O6 as in the paper, then halves of the whole image."""
PAPER: dict[str, Any] = completion_2017().settings | {"mask": "square", "images": 60_000}
GATED: dict[str, Any] = {"form": "gated", "mask": "mixed", "width": 16, "distance": "log", "batch_size": 8}
ROWS: dict[str, dict[str, Any]] = {
    "M1": PAPER | {"critics": "none"},
    "M2": PAPER | {"critics": "local"},
    "M3": PAPER | {"critics": "local+global"},
    "M4": PAPER | {"critics": "local+global", "parser": True},
    "G1": GATED | {"critics": "none", "third": 0.5, "average": 10_000, "images": 170_000},
    "G2": GATED | {"images": 130_000},
    "G4": GATED | {"images": 130_000, "parser": True},
}
"""Rows take less than 25 minutes of two cores with fast bfloat16, and about twice that without."""
FEWER = {"drawn": 30_000, "celebamask": 30_000, "celebamask-128": 60_000}
"""Images of every row at the most, on data that are easier or fewer."""
DATA = {"celeba": tuple(ROWS), "celebamask": ("G1", "G4"), "drawn": ("M1", "G1", "G4")}
LARGE = {"celebamask-128": ("M1", "M4", "G1", "G4")}
"""Hours on a CPU."""
WIDE = 1024
"""Units in the middle of the paper's form at 128 pixels; the paper has 4096."""
PARSED = 40_000
"""Images of a parser."""
SIZE = 64

PARTLY = True
"""Whether pictures are drawn of what is there, before all is measured."""


def cells() -> list[Cell]:
    """Parsers first, then bars, then rows."""
    setting: dict[str, Any]
    found, every = [], DATA | (LARGE if torch.cuda.is_available() else {})
    for data in dict.fromkeys(map(parsed, every)):
        for seed, what in enumerate(("parser", "judge")):
            setting = {"data": data, "images": PARSED}
            found.append(Cell(f"{what}/{data}", setting, seed, partial(measure_parser, f"{what}/{data}", data, seed)))
    for data in every:
        setting = {"data": data, "components": max(COMPONENTS), "holes": list(MASKS.values())}
        found.append(Cell(f"{data}/bars", setting, 0, partial(measure_bars, f"{data}/bars", data)))
    for data, rows in every.items():
        for row in rows:
            setting = {"data": data, "holes": list(MASKS.values())} | ROWS[row]
            setting["images"] = min(setting["images"], FEWER.get(data, setting["images"]))
            if data in LARGE and setting["form"] == "paper":
                setting |= {"code": WIDE}
            found.append(Cell(f"{data}/{row}", setting, 0, partial(measure_row, f"{data}/{row}", data, setting)))
    return found


def parsed(data: str) -> str:
    """The faces whose parts are known that stand for these."""
    return "celebamask" if data == "celeba" else data


def size_of(data: str) -> int:
    """Pixels of a side."""
    return 2 * SIZE if data in LARGE else SIZE


def spec_of(data: str, scratch: Path, mask: str = "") -> DataSpec:
    """Faces of one kind, with holes."""
    where = {"drawn": lambda _: "faces", "celeba": _photos.celeba}.get(data, _photos.celebamask_faces)
    return DataSpec(str(where(scratch)), size=size_of(data), mask=mask)


def parser_of(what: str, data: str, scratch: Path) -> tuple[Run, dict[str, float]]:
    """The parser that teaches ("parser") or counts ("judge") on these data, trained now or before."""
    folder = scratch / what / data / "run"
    apart = {"seed": 1, "width": 16} if what == "judge" else {}
    if data == "drawn":
        return trained(folder, "parsing", DataSpec("faces", size=SIZE), images=PARSED, **apart)
    spec = DataSpec(str(_photos.celebamask(scratch)), size=size_of(data), pairs="masks:images", palette="helen")
    return trained(folder, "parsing", spec, images=PARSED, **apart)


def judge_of(data: str, scratch: Path) -> Parses:
    """What counts parts in answers."""
    judge = opened(parser_of("judge", parsed(data), scratch)[0])
    assert isinstance(judge, Parses)
    return judge


def measure_parser(name: str, data: str, seed: int, folder: Path) -> dict[str, Any]:
    """A parser, and how well it names parts of faces that it has not seen."""
    run, seconds = parser_of(name.partition("/")[0], data, scratch_of(name, folder))
    train, test = run.data()
    parser = opened(run)
    assert isinstance(parser, Parses) and test is not None
    return {"fingerprint": train.fingerprint[:16], **seconds, **of_parts(parser, test)}


def measure_bars(name: str, data: str, folder: Path) -> dict[str, Any]:
    """What completes faces without a network, hole by hole."""
    scratch = scratch_of(name, folder)
    train, test = open_data(spec_of(data, scratch))
    assert test is not None
    images, true = images_of(train, len(train)), TrueParts.of(judge_of(data, scratch), test)
    gaussian, mean = TunedGaussian.fitted(images), images.mean(0)
    found = {short: bars(replace(test, mask=mask), mean, gaussian, true) for short, mask in MASKS.items()}
    return {"fingerprint": train.fingerprint[:16], "n": len(test), **found}


def measure_row(name: str, data: str, setting: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A completion, and its answers hole by hole."""
    scratch = scratch_of(name, folder)
    options = {key: value for key, value in setting.items() if key not in ("data", "holes", "mask", "parser")}
    if setting.get("parser"):
        options["parser"] = str(parser_of("parser", parsed(data), scratch)[0].folder)
    run, seconds = trained(folder / "run", "completion", spec_of(data, scratch, setting["mask"]), **options)
    train, test = run.data()
    system = opened(run)
    assert isinstance(system, Edits) and test is not None
    true = TrueParts.of(judge_of(data, scratch), test)
    found = {short: of_hole(system, replace(test, mask=mask), true) for short, mask in MASKS.items()}
    return {"fingerprint": train.fingerprint[:16], **seconds, "images": run.recipe.images, "n": len(test), **found}


def of_hole(system: Edits, test: Dataset, true: TrueParts) -> dict[str, float]:
    """Metrics of a system's answers to one kind of hole."""
    return of_answers(answered(system, test, None), test, true)


def pictures(results: dict[str, Any], runs: Path) -> list[Path]:
    """A face for each hole: what is seen, every row's answer, and the truth; what a parser names in drawn faces. Of runs that are there."""
    there = [data for data, rows in (DATA | LARGE).items() if finished_runs(runs, [f"{data}/{row}" for row in rows])]
    drawn = {f"completion-{data}": sheet(data, runs) for data in there}
    if finished_runs(runs, ["parser/drawn"]):
        drawn["parsing-drawn"] = named(Run(runs / "parser/drawn/run"))
    return [figures.save(picture, runs / "pictures" / f"{name}.png") for name, picture in drawn.items()]


def named(run: Run) -> Any:
    """Faces that a parser has not seen, the parts it names, and the true ones."""
    system, test = run.open(), run.data()[1]
    assert isinstance(system, Parses) and test is not None
    batch = test.batch(torch.arange(8))
    return figures.parsed(batch["image"], system.parse(batch["image"]).argmax(1), batch["parts"], len(test.part_names))


def sheet(data: str, runs: Path) -> Any:
    """A row of answers for each system."""
    found = {row: Run(runs / data / row / "run") for row in (DATA | LARGE)[data]}
    test = next(iter(found.values())).data()[1]
    assert test is not None
    batches = [replace(test, mask=mask).batch(torch.tensor([number % len(test)])) for number, mask in enumerate(MASKS.values())]
    rows = {"seen": [batch["source"] for batch in batches]}
    for row, run in found.items():
        system = run.open()
        assert isinstance(system, Edits)
        rows[row] = [system.edit(batch) for batch in batches]
    rows["truth"] = [batch["image"] for batch in batches]
    tiles = torch.cat([tile for row in rows.values() for tile in row])
    return figures.sheet(tiles, len(MASKS), rows=list(rows), heads=list(MASKS))
