"""Tables of translation and completion; what is not measured yet says so."""

import statistics
from typing import Any

from gan_tables import NOT_YET, groups
from writing import HOME, machine, measured, minutes_of, percent, read, table, took

from pushforward.reproduce.completion import MASKS

BARS = ("mean colour", "mean image", "Telea", "PCA posterior")
CALLED = {
    "M1": "M1: reconstruction",
    "M2": "M2: + local critic",
    "M3": "M3: + global critic",
    "M4": "M4: + parsing",
    "G1": "G1: gated, reconstruction",
    "G2": "G2: + critic of patches",
    "G4": "G4: + parsing",
}
HOLE = "PSNR in the hole"
READ = ("pixel accuracy", "class accuracy", "intersection over union")
"""What a judge says of parts."""


def cells_of(name: str, part: str) -> list[dict[str, Any]]:
    """Cells of a part of a table's results; none where nothing is measured."""
    if not (HOME / "results" / f"{name}.json").exists():
        return []
    return [cell for cell in read(name)["cells"] if cell["name"].startswith(f"{part}/")]


def over_seeds(cells: list[dict[str, Any]], key: str, form: str = "{:.3f}") -> str:
    """Mean, and standard deviation where there are several seeds."""
    found = [cell["numbers"][key] for cell in cells if key in cell["numbers"]]
    if not found:
        return ""
    spread = f" ± {form.format(statistics.stdev(found))}" if len(found) > 1 else ""
    return form.format(statistics.mean(found)) + spread


def translations(part: str, heading: str, before: str = "") -> str:
    """Answers of each way, as a judge reads them and beside the truth; first those of the cell `before`."""
    cells = cells_of("facades", part)
    if not cells:
        return NOT_YET
    rows, plain = [], [cell for cell in cells_of("facades", "facades") if cell["name"] == before]
    for name, each in (({"nothing": plain} if plain else {}) | groups(cells)).items():
        row = [name, over_seeds(each, "L1")]
        row += [over_seeds(each, f"{key}, by a judge") for key in READ]
        row += [over_seeds(each, "sharpness ratio", "{:.2f}"), over_seeds(each, "explained by parts")]
        row += [" / ".join(over_seeds(each, f"histogram intersection, {plane}", "{:.2f}").split(" ±")[0] for plane in "Lab")]
        rows.append([*row, over_seeds(each, "diversity"), f"{each[0]['setting']['images']:,}", took(each), str(len(each))])
    judges = {judge["name"]: judge["numbers"] for judge in cells_of("facades", "judge")}
    real = judges.get(f"judge/{cells[0]['setting']['data']}", {})
    for cell in cells:  # newer ones say what their judge reads in real pictures
        real |= {key: cell["numbers"][told] for key in READ if (told := f"{key}, by a judge, of real pictures") in cell["numbers"]}
    if real:
        told = "explained by parts, of real pictures"
        explained = over_seeds([cell for cell in cells if told in cell["numbers"]][-1:], told)
        rows.append(["real pictures", "0", *(f"{real[key]:.3f}" for key in READ), "1", explained, "1 / 1 / 1", "", "", "", ""])
    bars = [f"{cells[0]['numbers'][key]:.3f} for {what}" for key, what in TRIVIAL.items() if key in cells[0]["numbers"]]
    heads = [heading, "L1", "pixel accuracy", "class accuracy", "IoU", "sharpness ratio", "explained by parts", "L / a / b", "diversity"]
    heads += ["images", "minutes", "seeds"]
    after = f"\nTested on {cells[0]['numbers']['n']} pairs that training has not seen. L1 without a network: {', '.join(bars)}. "
    after += "Minutes are half of one core's, as two would take, where no GPU is named. "
    return table(heads, rows) + after + measured("facades", plain + cells)


def lengths() -> str:
    """What chooses how long: answers to the training pairs kept apart."""
    cells = cells_of("facades", "length")
    if not cells:
        return NOT_YET
    keys = ("L1", "intersection over union, by a judge", "sharpness ratio")
    rows = [
        [cell["name"].split("/")[1], f"{cell['setting']['images']:,}", *(over_seeds([cell], key) for key in keys), took([cell])]
        for cell in cells
    ]
    return table(["objective", "images", "L1", "IoU", "sharpness ratio", "minutes of two cores"], rows) + "\n" + measured("facades", cells)


def by_heart() -> str:
    """What D says of pairs that it learned from, of pairs that it has not seen, and of answers."""
    kinds = ("training pairs", "unseen pairs", "answers")
    rows, told = [], []
    for part in ("facades", "field", "better", "celebamask", "drawn"):
        for name, cells in groups(cells_of("facades", part)).items():
            if asked := [cell for cell in cells if "D on answers" in cell["numbers"]]:
                rows.append([f"{part}, {name}", *(over_seeds(asked, f"D on {kind}") for kind in kinds), str(len(asked))])
                told += asked
    if not rows:
        return NOT_YET
    return table(["mean probability of being real", *kinds, "seeds"], rows) + "\n" + measured("facades", told)


TRIVIAL = {"L1 of the mean training image": "the mean training image", "L1 of place and part": "the best sum of place and part"}


def completions(data: str) -> str:
    """Decibels in the hole for each hole, and what critics and the parser are for."""
    cells = cells_of("completion", data)
    if not cells:
        return NOT_YET
    rows, common = [], [hole for hole in MASKS if all(hole in cell["numbers"] for cell in cells)]
    for cell in cells:
        numbers = cell["numbers"]
        if cell["name"].endswith("/bars"):
            rows += [row_of(numbers, name, f", {name}", common) for name in BARS if f"{HOLE}, {name}" in numbers["centre"]]
        else:
            row = row_of(numbers, CALLED[cell["name"].rpartition("/")[2]], "", common)
            rows.append([*row, f"{cell['setting']['images']:,}", took([cell])])
    heads = [f"{HOLE}, dB", *MASKS, "sharpness ratio", "parts as in the truth", "SSIM", "images", "minutes"]
    rows = [[*row, *[""] * (len(heads) - len(row))] for row in rows]
    all_of = "the holes" if len(common) == len(MASKS) else f"{', '.join(common[:-1])} and {common[-1]}, which all rows have"
    after = f"\nSharpness and parts (in the hole alone) and SSIM (of the whole picture) are means over {all_of}. Minutes are"
    after += " half of one core's, as two would take, where no GPU is named. "
    return table(heads, rows) + after + measured("completion", cells)


def row_of(numbers: dict[str, Any], name: str, suffix: str, common: list[str]) -> list[str]:
    """Decibels for each hole, then means over those that all rows have."""
    means = {key: statistics.mean(numbers[hole][key + suffix] for hole in common) for key in (SHARP, PARTS)}
    found = [f"{numbers[hole][HOLE + suffix]:.2f}" if hole in numbers else "" for hole in MASKS]
    alike = [numbers[hole]["SSIM" + suffix] for hole in common if "SSIM" + suffix in numbers[hole]]
    return [name, *found, f"{means[SHARP]:.2f}", percent(means[PARTS]), f"{statistics.mean(alike):.3f}" if alike else ""]


SHARP, PARTS = "sharpness ratio in the hole", "parts as in the truth, in the hole"


QUADRANTS = {"baseline": "Pyro's baseline network, re-run", "pyro-cvae": "Pyro's CVAE, re-run", "ours": "`conditional_vae`"}


def conditional() -> str:
    """Nats of hidden quadrants for each system."""
    found = {cell["name"]: cell for cell in read("conditional")["cells"]}
    rows = []
    for name, called in QUADRANTS.items():
        cells = [found.get(f"{name}/{seen}-seen") for seen in (1, 2, 3)]
        nats = [f"{cell['numbers']['nll']:.2f} ± {cell['numbers']['standard error']:.2f}" if cell else "" for cell in cells]
        minutes = max((minutes_of(cell) for cell in cells if cell), default=0.0)
        rows.append([called, *nats, f"{minutes:.1f}"])
    heads = ["-log p(hidden given seen), nats", "1 quadrant seen", "2 seen", "3 seen", "minutes of two cores, at most"]
    return table(heads, rows) + "\n" + measured("conditional")


PARSED = {
    "drawn": "drawn faces, 13 parts",
    "celebamask": "CelebAMask-HQ as Helen's 11 parts",
    "celebamask-128": "CelebAMask-HQ, 128 pixels",
    "facades": "facades, 12 parts",
    "facades-256": "facades, 256 pixels",
}


JUDGES = ("judge/facades", "judge/facades-256")


def parsers() -> str:
    """How well parsers name parts of pictures that they have not seen."""
    cells = [*cells_of("completion", "parser"), *[cell for cell in cells_of("facades", "judge") if cell["name"] in JUDGES]]
    if not cells:
        return NOT_YET
    keys = ("pixel accuracy", "class accuracy", "mean F", "intersection over union")
    rows = [[PARSED[cell["setting"]["data"]], *(f"{cell['numbers'][key]:.3f}" for key in keys), took([cell])] for cell in cells]
    where = "`pushforward reproduce completion` and `pushforward reproduce facades`"
    return table(["64 pixels, where nothing else is said", *keys, "minutes"], rows) + f"\nMeasured by {where}.\n"


def edit() -> str:
    """Speed of pix2pix beside the usual implementation, on each kind of machine."""
    rows, after = [], ""
    for kind, found in read("edit").items():
        for side, told in found["training, by side in pixels"].items():
            for name, each in told["milliseconds a round"].items():
                rate, ratio = told["images a second"][name], told["times the usual speed"][name]
                spread = f"{each['median']:.0f} ({each['least']:.0f} to {each['most']:.0f})"
                memory = f"{each['peak memory, MiB']:,.0f}"
                rows.append([kind, f"{side} pixels, batch {told['batch']}", name, spread, f"{rate:.1f}", f"{ratio:.2f}", memory])
        took = ", ".join(f"{name} {value:.0f} ms" for name, value in found["milliseconds to edit one image of 256 pixels"].items())
        after += f"\nOne image of 256 pixels {kind}: {took}. Measured by `{found['command']}`, width {found['width']}, {machine(found)}.\n"
    heads = ["machine", "training", "side", "ms a round: median (spread)", "images/s", "times the usual speed", "peak MiB"]
    return table(heads, rows) + after
