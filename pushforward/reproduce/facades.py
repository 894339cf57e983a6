"""Pictures from maps of their parts: what each term of pix2pix's objective does, and how large its critic's patches should be.

    facades/OBJECTIVE   l1, gan, cgan, l1+gan, l1+cgan on facades, three seeds                       (Isola et al. 2017, table 1)
    field/PIXELS        patches of 1, 16, 34 and 70 pixels, and of the whole image                    (table 3)
    better/WHAT         what came after: resizing in place of transposed convolutions, matching, several scales, slope penalty; and codes,
                        which leave dropout out and need a smaller weight of L1, so that this stands beside them alone
    celebamask/, drawn/ the same two objectives from maps of faces; drawn ones need no download
    256/OBJECTIVE, 256/field-PIXELS   the two ablations at the paper's size and width, where a GPU is at hand
    length/IMAGES       what chooses how long: 360 training pairs, and a judge of them, asked about the 40 kept apart

How long: `IMAGES`, the longest that eight minutes with fast bfloat16 allow, as the intersection over union of l1+cgan on those 40 rose with
each length of `LENGTHS` that was measured; but l1 alone `ALONE`, after which it was nearest to those 40, and ever farther from them after
more; "l1, as long" has as many as the others. 64 pixels, but for 256/. Reported on the 100 pairs of validation, which nothing was chosen
by. The judge is a parser trained on the real training pairs, and is asked about the real photos of validation too.
"""

from functools import partial
from pathlib import Path
from typing import Any

import torch

from pushforward import figures
from pushforward.core import Batch, Edits, Parses
from pushforward.data import Dataset, DataSpec
from pushforward.evaluation.parsing import of_parts
from pushforward.evaluation.translations import of_translations
from pushforward.reproduce import _photos
from pushforward.reproduce.cells import Cell, finished_runs, opened, scratch_of, trained
from pushforward.runs import Run
from pushforward.systems.pix2pix import Pix2Pix
from pushforward.training.machines import moved

PALETTE = "#0000aa,#0000ff,#0055ff,#00aaff,#00ffff,#55ffaa,#aaff55,#ffff00,#ffaa00,#ff5500,#ff0000,#aa0000"
"""The twelve colours of the maps."""
OBJECTIVES = ("l1", "gan", "cgan", "l1+gan", "l1+cgan")
FIELDS = {"1": 1, "16": 16, "34": 34, "70": 70, "whole": 142}
"""Those of 70 pixels and more see all of an image of 64, most of them its border too."""
BETTER: dict[str, dict[str, Any]] = {
    "resize": {"upwards": "resize"},
    "matching": {"matching": 10.0},
    "scales": {"scales": 2, "field": 34},
    "r1": {"r1": 1.0},
    "l1=10": {"l1": 10.0},
    "code, l1=10": {"code": 8, "l1": 10.0},
    "code, l1=10, kl=0.1": {"code": 8, "l1": 10.0, "kl": 0.1},
}
OF_FACES: dict[str, dict[str, Any]] = {
    "resize": {"upwards": "resize"},
    "code, l1=10, kl=0.1, resize": {"upwards": "resize", "code": 8, "l1": 10.0, "kl": 0.1},
}
"""What helps where a map leaves much open: hair, skin and all behind."""
LENGTHS = (3_000, 6_000, 12_000, 24_000, 36_000)
"""Images to try on training pairs kept apart; the last are about seven minutes of two cores,"""
IMAGES, ALONE = 36_000, 6_000
"""and what rows take; and what l1 takes on facades where no critic plays."""
JUDGED = 20_000
"""Images of a judge."""
ASKED = 100
"""Pairs that D is asked about."""
SEEDS, SIZE = 3, 64
LARGE, LARGE_FIELDS = 256, (1, 16, 286)
"""Pixels of a side where a GPU is at hand, and fields beside that of 70."""
LARGE_SETTING = {"data": "facades-256", "width": 64, "images": 16_000}

PARTLY = True
"""Whether pictures are drawn of what is there, before all is measured."""


def cells() -> list[Cell]:
    """The judges, lengths, objectives, fields, and the other maps."""
    large = ("facades-256",) if torch.cuda.is_available() else ()
    found = [
        Cell(f"judge/{data}", {"data": data, "images": JUDGED}, 0, partial(measure_judge, f"judge/{data}", data))
        for data in ("drawn", "facades", "choose", "celebamask", *large)
    ]
    for images in LENGTHS:
        for objective in ("l1", "l1+cgan"):
            found.append(cell(f"length/{objective}/{images}", "choose", {"objective": objective, "images": images}))
    for seed in range(SEEDS):
        ways: dict[str, dict[str, Any]] = {each: {"objective": each} for each in OBJECTIVES}
        ways |= {"l1": {"objective": "l1", "images": ALONE}, "l1, as long": {"objective": "l1"}}
        found += [cell(f"facades/{name}/seed-{seed}", "facades", setting, seed) for name, setting in ways.items()]
    found += [cell(f"field/{name}", "facades", {"field": field}) for name, field in FIELDS.items()]
    found += [cell(f"better/{name}", "facades", setting) for name, setting in BETTER.items()]
    found += [cell(f"{data}/{each}", data, {"objective": each}) for data in ("celebamask", "drawn") for each in ("l1", "l1+cgan")]
    found += [cell(f"celebamask/{name}", "celebamask", setting) for name, setting in OF_FACES.items()]
    for data in large:
        found += [cell(f"256/{each}", data, LARGE_SETTING | {"objective": each}) for each in OBJECTIVES]
        found += [cell(f"256/field-{field}", data, LARGE_SETTING | {"field": field}) for field in LARGE_FIELDS]
    return found


def cell(name: str, data: str, setting: dict[str, Any], seed: int = 0) -> Cell:
    """One translator."""
    setting = {"data": data, "images": IMAGES} | setting
    return Cell(name, setting, seed, partial(measure, name, setting, seed))


def spec_of(data: str, scratch: Path) -> DataSpec:
    """Maps and pictures."""
    if data == "drawn":
        return DataSpec("faces", size=SIZE, pairs="parts")
    if data == "celebamask":
        return DataSpec(str(_photos.celebamask(scratch)), size=SIZE, pairs="masks:images", palette="celebamask-hq")
    archive = _photos.facades_to_choose(scratch) if data == "choose" else _photos.facades(scratch)
    return DataSpec(str(archive), size=LARGE if data == "facades-256" else SIZE, pairs="right-to-left", palette=PALETTE)


def judge_of(data: str, scratch: Path) -> tuple[Run, dict[str, float]]:
    """The parser that judges these data, trained now or before."""
    return trained(scratch / "judge" / data / "run", "parsing", spec_of(data, scratch), images=JUDGED)


def measure_judge(name: str, data: str, folder: Path) -> dict[str, Any]:
    """A judge, and what it says of real pictures that it has not seen: the best that can be asked of made ones."""
    run, seconds = judge_of(data, scratch_of(name, folder))
    train, test = run.data()
    judge = opened(run)
    assert isinstance(judge, Parses) and test is not None
    return {"fingerprint": train.fingerprint[:16], **seconds, **of_parts(judge, test)}


def measure(name: str, setting: dict[str, Any], seed: int, folder: Path) -> dict[str, Any]:
    """A translator, and all that can be said of its answers."""
    scratch = scratch_of(name, folder)
    options = {key: value for key, value in setting.items() if key != "data"}
    run, seconds = trained(folder / "run", "pix2pix", spec_of(setting["data"], scratch), seed=seed, **options)
    train, test = run.data()
    system, judge = opened(run), opened(judge_of(setting["data"], scratch)[0])
    assert isinstance(system, Edits) and isinstance(judge, Parses) and test is not None
    found = of_translations(system, test, train, judge) | by_heart(system, train, test)
    return {"fingerprint": train.fingerprint[:16], **seconds, "images": run.recipe.images, "n": len(test), **found}


@torch.no_grad()
def by_heart(system: Edits, train: Dataset, test: Dataset) -> dict[str, float]:
    """The mean probability of being real that D gives patches of training pairs, of pairs that it has not seen, and of answers to these."""
    if not isinstance(system, Pix2Pix) or system.config.objective == "l1":
        return {}
    seen, unseen = (some(each, system) for each in (train, test))
    pairs = {
        "training pairs": (seen["source"], seen["image"]),
        "unseen pairs": (unseen["source"], unseen["image"]),
        "answers": (unseen["source"], system.edit(unseen)),
    }
    return {f"D on {name}": float(system.judged(x, y)[0][0][0].sigmoid().mean()) for name, (x, y) in pairs.items()}


def some(dataset: Dataset, system: Pix2Pix) -> Batch:
    """Pairs spread evenly over a data set, where the weights lie."""
    index = torch.linspace(0, len(dataset) - 1, min(ASKED, len(dataset))).long()
    return moved(dataset.batch(index), next(system.parameters()).device)


def pictures(results: dict[str, Any], runs: Path) -> list[Path]:
    """Map, answers and truth: of objectives, of fields, and of drawn faces; of those whose runs are there."""
    ways = {
        "facades": {each: f"facades/{each}/seed-0" for each in OBJECTIVES},
        "fields": {name: f"field/{name}" for name in FIELDS},
        "celebamask": {each: f"celebamask/{each}" for each in ("l1", "l1+cgan", *OF_FACES)},
        "drawn": {each: f"drawn/{each}" for each in ("l1", "l1+cgan")},
    }
    ways = {name: rows for name, rows in ways.items() if finished_runs(runs, rows.values())}
    drawn = [figures.save(sheet(rows, runs), runs / "pictures" / f"pairs-{name}.png") for name, rows in ways.items()]
    large = {each: f"256/{each}" for each in ("l1", "cgan", "l1+cgan")}
    if finished_runs(runs, large.values()):
        drawn.append(figures.save(sheet(large, runs, count=3), runs / "pictures/pairs-256.jpg"))
    return drawn


def sheet(rows: dict[str, str], runs: Path, count: int = 8) -> Any:
    """A column for each map: itself, the answer of each run, the truth."""
    found = {name: Run(runs / cell / "run") for name, cell in rows.items()}
    test = next(iter(found.values())).data()[1]
    assert test is not None
    batch = test.batch(torch.linspace(0, len(test) - 1, count).long())
    tiles = [torch.from_numpy(figures.as_picture(batch["source"]))]
    for run in found.values():
        system = run.open()
        assert isinstance(system, Edits)
        tiles.append(system.edit(batch))
    return figures.sheet(torch.cat([*tiles, batch["image"]]), count, rows=["input", *found, "truth"])
