"""What tables of results share: Markdown, numbers as words, and how a result was measured."""

import json
import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Any

HOME = Path(__file__).parents[1]


def table(heads: list[str], rows: Iterable[list[str]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def read(name: str) -> dict[str, Any]:
    """results/NAME.json."""
    return json.loads((HOME / "results" / f"{name}.json").read_text())


def percent(share: float) -> str:
    """98.71 %"""
    return f"{100 * share:.2f} %"


def minutes_of(cell: dict[str, Any]) -> float:
    """Minutes of training, of two cores: a cell may run on one beside another; old ones tell only what the clock said."""
    numbers, threads = cell["numbers"], cell["machine"]["threads"]
    return float(numbers.get("processor seconds", numbers["seconds of training"] * threads)) / 120


def took(cells: Iterable[dict[str, Any]]) -> str:
    """7.1, the most minutes of two cores that a cell took; where they ran on a GPU, 3.1 on a GPU by the clock; on processors without fast
    bfloat16, 14.2 in float32."""
    cells = list(cells)
    on_gpu = [cell["numbers"]["seconds of training"] / 60 for cell in cells if cell["machine"].get("gpu")]
    if len(on_gpu) == len(cells):
        return f"{max(on_gpu):.1f} on a GPU"
    longest = max((cell for cell in cells if not cell["machine"]["gpu"]), key=minutes_of)
    return f"{minutes_of(longest):.1f}" + ("" if fast(longest["machine"]) else " in float32")


def fast(machine: dict[str, Any]) -> bool:
    """Whether a machine multiplies bfloat16 faster than float32, as all did of which it is not said."""
    return bool(machine.get("bfloat16", True))


def spread_of(cells: list[dict[str, Any]], begin: str, labels: int, key: str) -> str:
    """99.20 ± 0.05 % (99.11; 5): mean, standard deviation, least, draws."""
    found = [c["numbers"][key] for c in cells if c["name"].startswith(begin) and c["setting"]["labels"] == labels and key in c["numbers"]]
    if len(found) < 2:
        return percent(found[0]) if found else ""
    return f"{100 * statistics.mean(found):.2f} ± {100 * statistics.stdev(found):.2f} % ({100 * min(found):.2f}; {len(found)})"


def measured(name: str, cells: list[dict[str, Any]] | None = None) -> str:
    """How, where and with what cells were measured: those of a table, or all of its file."""
    found = read(name)
    return f"Measured by `{found['command']}` (`results/{name}.json`), {places(cells or found['cells'])}.\n"


def places(cells: list[dict[str, Any]]) -> str:
    """1 core of AMD EPYC, torch 2.13.0; and on NVIDIA H200, torch 2.11.0."""
    told = []
    here = [cell for cell in cells if not cell["machine"].get("gpu")]
    if here:
        threads = cores(cell["machine"]["threads"] for cell in here)
        kinds = {fast(cell["machine"]) for cell in here}
        without = " with and without fast bfloat16" if len(kinds) > 1 else "" if kinds == {True} else " without fast bfloat16"
        told.append(f"{threads} of {here[-1]['machine']['processor']}{without}, torch {here[-1]['versions']['torch']}")
    for gpu in sorted({cell["machine"].get("gpu") for cell in cells} - {None}):
        there = [cell for cell in cells if cell["machine"].get("gpu") == gpu]
        told.append(f"{gpu}, torch {there[-1]['versions']['torch']}")
    return "; and ".join(told)


def machine(found: dict[str, Any]) -> str:
    """two cores of an Intel Xeon, torch 2.13.0"""
    here = found["environment"]
    without = "" if fast(here["machine"]) else " without fast bfloat16"
    return f"{cores([here['machine']['threads']])} of {here['machine']['processor']}{without}, torch {here['versions']['torch']}"


def cores(threads: Iterable[int]) -> str:
    """1 core, 2 cores, or 1 to 2 cores."""
    least, most = min(each := list(threads)), max(each)
    return f"{least} to {most} cores" if least < most else f"{most} core{'s' if most > 1 else ''}"
