"""What the benchmarks share: where results go, and on what they were measured."""

import json
from pathlib import Path
from typing import Any

from pushforward.reproduce.running import rounded
from pushforward.runs.run import environment as described

RESULTS = Path(__file__).parents[1] / "results"


def environment() -> dict[str, Any]:
    """Versions and machine, without the command line."""
    return {key: value for key, value in described().items() if key != "command"}


def results(name: str, found: dict[str, Any]) -> None:
    """Write `results/NAME`, numbers with four significant digits."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / name
    path.write_text(json.dumps(rounded(found, 4), indent=1) + "\n")
    print(path.relative_to(RESULTS.parent))
