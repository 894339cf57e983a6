"""What the benchmarks share: where results go, and on what they were measured."""

import json
from pathlib import Path
from typing import Any

from pushforward.runs.run import environment as described

RESULTS = Path(__file__).parents[1] / "results"


def environment() -> dict[str, Any]:
    """Versions and machine, without the command line."""
    return {key: value for key, value in described().items() if key != "command"}


def rounded(tree: Any, digits: int = 4) -> Any:
    """Numbers of a nested result with so many significant digits."""
    if isinstance(tree, dict):
        return {key: rounded(value, digits) for key, value in tree.items()}
    if isinstance(tree, list):
        return [rounded(value, digits) for value in tree]
    return float(f"{tree:.{digits}g}") if isinstance(tree, float) else tree


def results(name: str, found: dict[str, Any]) -> None:
    """Write `results/NAME`."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / name
    path.write_text(json.dumps(found, indent=1) + "\n")
    print(path.relative_to(RESULTS.parent))
