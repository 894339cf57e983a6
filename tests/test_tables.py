"""Tables in README and docs are what results/*.json say."""

import sys
from pathlib import Path
from typing import Any

HOME = Path(__file__).parents[1]
sys.path.insert(0, str(HOME / "benchmarks"))

import tables  # noqa: E402
import writing  # noqa: E402


def measured_on(gpu: str | None, seconds: float) -> dict[str, Any]:
    machine = {"processor": "AMD EPYC", "threads": 1, "gpu": gpu}
    return {
        "numbers": {"seconds of training": seconds, "processor seconds": 2 * seconds},
        "machine": machine,
        "versions": {"torch": "2.11" if gpu else "2.13"},
    }


def test_a_gpus_minutes_are_not_those_of_two_cores() -> None:
    here, there = measured_on(None, 300), measured_on("NVIDIA H200", 90)
    assert writing.took([here]) == "5.0" and writing.took([there, there]) == "1.5 on a GPU"
    assert writing.took([here, there]) == "5.0"
    assert writing.places([here]) == "1 core of AMD EPYC, torch 2.13"
    assert writing.places([there, here]) == "1 core of AMD EPYC, torch 2.13; and NVIDIA H200, torch 2.11"


def test_a_processor_without_fast_bfloat16_is_named() -> None:
    usual, slow = measured_on(None, 300), measured_on(None, 600)
    slow["machine"]["bfloat16"] = False
    assert writing.took([slow]) == writing.took([usual, slow]) == "10.0 in float32"
    assert writing.places([slow]) == "1 core of AMD EPYC without fast bfloat16, torch 2.13"
    assert writing.places([usual, slow]) == "1 core of AMD EPYC with and without fast bfloat16, torch 2.13"


def test_no_page_is_stale() -> None:
    for page in tables.pages():
        assert tables.rewritten(page.read_text()) == page.read_text(), f"{page.name} is stale: run `make tables`"


def test_a_typed_figure_is_noticed() -> None:
    page = "<!-- results:demo -->\nninety-nine per cent\n<!-- end -->"
    assert "ninety-nine" not in tables.rewritten(page)
