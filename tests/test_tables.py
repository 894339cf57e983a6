"""Tables in README and docs are what results/*.json say."""

import sys
from pathlib import Path

HOME = Path(__file__).parents[1]
sys.path.insert(0, str(HOME / "benchmarks"))

import tables  # noqa: E402


def test_no_page_is_stale() -> None:
    for page in tables.pages():
        assert tables.rewritten(page.read_text()) == page.read_text(), f"{page.name} is stale: run `make tables`"


def test_a_typed_figure_is_noticed() -> None:
    page = "<!-- results:demo -->\nninety-nine per cent\n<!-- end -->"
    assert "ninety-nine" not in tables.rewritten(page)
