"""Tables of the GAN's results; what is not measured yet says so."""

from typing import Any

from writing import machine, measured, read, table, took

NOT_YET = "Not measured yet.\n"
PARZEN = "Parzen log-likelihood, historical"


def gan_training() -> str:
    """A round of a GAN beside the usual script, and what penalties cost, on each kind of machine."""
    kinds, rows = read("gan_training"), []
    first = next(iter(kinds.values()))
    for part, against in (("pair of DCGAN's size", "script / side"), ("penalties", "times no penalty")):
        for side in first[part]["milliseconds a round"]:
            row = [side if part == "penalties" else f"{part}: {side}"]
            for found in kinds.values():
                told, ratio = found[part]["milliseconds a round"][side], found[part][against][side]
                beside = "the cost of no penalty" if part == "penalties" else "the script's speed"
                row.append(f"{told['median']:.0f} ms ({told['least']:.0f} to {told['most']:.0f}), {ratio:.2f} times {beside}")
            rows.append(row)
    rows.append(["samples a second", *(f"{found['samples a second']:,.0f}" for found in kinds.values())])
    machines = "; ".join(map(machine, kinds.values()))
    after = f"\nMedian (spread). Measured by `{first['command']}`, {first['data']}; {machines}.\n"
    return table(["a round at 32x32, batch 64", *kinds], rows) + after


def gan_cells(part: str) -> list[dict[str, Any]]:
    """Cells of a part of the GAN's results."""
    return [cell for cell in read("gan")["cells"] if cell["name"].startswith(f"{part}/")]


def several(cells: list[dict[str, Any]], key: str, form: str = "{:.3f}") -> str:
    """A number of each seed."""
    return " · ".join(form.format(cell["numbers"][key]) for cell in cells)


def beside_real(cells: list[dict[str, Any]], key: str, form: str = "{:.3f}") -> str:
    """A number of each seed, and that of real examples, where they were measured."""
    known = [cell for cell in cells if key in cell["numbers"]]
    floor = [cell["numbers"][f"{key}, real against real"] for cell in known if f"{key}, real against real" in cell["numbers"]]
    return several(known, key, form) + (f" ({form.format(floor[0])})" if floor else "")


def groups(cells: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Cells by name without the part and the seed."""
    found: dict[str, list[dict[str, Any]]] = {}
    for cell in cells:
        words = [word for word in cell["name"].split("/")[1:] if not word.startswith("seed-")]
        found.setdefault(", ".join(words), []).append(cell)
    return found


def gan_samples(part: str) -> str:
    """Quality of samples, each seed, beside the floor."""
    rows: list[list[str]] = []
    if not gan_cells(part):
        return NOT_YET
    for name, cells in groups(gan_cells(part)).items():
        floor = cells[0]["numbers"]
        row = [name]
        for key in ("Frechet distance", "precision", "recall", "coverage"):
            row.append(beside_real(cells, key))
        if "read as asked" in floor:
            row += [beside_real(cells, "read as asked", "{:.2%}"), worst_class(cells)]
        rows.append([*row, several(cells, PARZEN, "{:.0f}") + parzen_floor(), took(cells)])
    told = ["read as asked", "coverage of the worst class, share of the floor"] if len(rows[0]) > 7 else []
    heads = [
        "each seed (real against real)",
        "Fréchet distance",
        "precision",
        "recall",
        "coverage",
        *told,
        "Parzen, nats",
        "minutes of two cores",
    ]
    n = gan_cells(part)[0]["numbers"]
    after = f"\n{n['samples']:,} samples, mean of {n['sets of samples']} sets, in the features of {n['feature net']}. "
    return table(heads, rows) + after + measured("gan", gan_cells(part))


def parzen_floor() -> str:
    """That of training digits in place of samples, which is one for all cells, where one of them has it."""
    floors = {cell["numbers"].get(f"{PARZEN}, real against real") for cell in read("gan")["cells"]} - {None}
    return f" ({min(floors):.0f})" if floors else ""


def worst_class(cells: list[dict[str, Any]]) -> str:
    """Coverage of the class that is covered worst, as a share of the floor's."""
    key = "coverage of a class, worst"
    return " · ".join(f"{cell['numbers'][key] / cell['numbers'][f'{key}, real against real']:.2f}" for cell in cells)


def gan_toys(part: str) -> str:
    """Modes and samples near them, each seed."""
    rows = []
    if not gan_cells(part):
        return NOT_YET
    for name, cells in groups(gan_cells(part)).items():
        if "modes" in cells[0]["numbers"]:
            most = max(cell["numbers"]["processor seconds"] for cell in cells) / 60
            told = (("modes", "{}"), ("within", "{:.1%}"), ("width", "{:.2f}"), ("KL to even", "{:.2f}"))
            rows.append([name, *(several(cells, key, form) for key, form in told), f"{most:.1f}"])
    heads = ["mixture, game", "modes", "samples within 3 sigma", "their width (real .97)", "KL of modes to even, nats"]
    heads.append("minutes of one core, at most")
    return table(heads, rows) + "\n" + measured("gan", gan_cells(part))


def gan_stacked() -> str:
    """Kinds made of 1,000, each seed."""
    rows = []
    if not gan_cells("stacked") + gan_cells("equal"):
        return NOT_YET
    for name, cells in groups(gan_cells("stacked") + gan_cells("equal")).items():
        sure = beside_real(cells, "kinds for sure", "{:.0f}")
        told = [beside_real(cells, "kinds", "{:.0f}"), sure, beside_real(cells, "KL to even")]
        rows.append([name or "the recipe", *told, f"{cells[0]['numbers']['images']:,}", took(cells)])
    heads = ["26,000 samples, each seed (real images)", "kinds of 1,000", "read five times or more", "KL to even"]
    heads += ["images it learned from", "minutes of two cores"]
    return table(heads, rows) + "\n" + measured("gan", gan_cells("stacked") + gan_cells("equal"))
