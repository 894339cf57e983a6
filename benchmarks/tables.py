"""Writes the tables of README and docs from results/*.json, between `<!-- results:NAME -->` and `<!-- end -->`.

python benchmarks/tables.py            rewrite
python benchmarks/tables.py --check    say which pages are stale
"""

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

HOME = Path(__file__).parents[1]
PLACE = re.compile(r"(<!-- results:(\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


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


def demo() -> str:
    """Classification VAE beside scikit-learn on the digits."""
    found = read("demo")
    means, cells = found["means"], found["cells"]
    rows = [[name, percent(means[key]), " · ".join(percent(c[key]) for c in cells)] for name, key in WHO.items()]
    seconds = max(c["seconds of training"] for c in cells)
    after = (
        f"\nMeasured by `{found['command']}`: {found['data']}, five splits; at most {seconds:.0f} s of training each on {machine(found)}.\n"
    )
    return table(["from 100 labels", "mean test accuracy", "each split"], rows) + after


WHO = {"classification VAE": "test accuracy", "LabelSpreading (scikit-learn)": "label spreading", "nearest neighbour": "nearest neighbour"}


def mnist_semi() -> str:
    """Accuracy of the recipe mnist_semi."""
    found = read("mnist_semi")
    rows = [[f"{c['options']['labels']:,}", percent(c["test accuracy"]), f"{c['seconds of training'] / 60:.1f}"] for c in found["cells"]]
    after = f"\nMeasured by `{found['command']}`: {found['data']}; one draw of labels (seed 0), {machine(found)}.\n"
    return table(["labels", "test accuracy", "minutes of training"], rows) + after


def vae_training() -> str:
    """Speed beside pythae, the usual loop and the bound."""
    found = read("vae_training")
    rows = []
    for kind in sorted({"a", "b"} & found.keys()):
        for side, told in found[kind]["milliseconds a step"].items():
            ratio = found[kind]["ratios"][side]
            spread = f"{told['median']:.2f} ({told['least']:.2f} to {told['most']:.2f})"
            rows.append([found[kind]["networks"], side, spread, f"{ratio['pythae / side']:.2f}", f"{ratio['float32 products / side']:.2f}"])
    heads = ["networks", "side", "ms a step: median (spread)", "times pythae's speed", "share of the float32 bound"]
    return table(heads, rows) + f"\nMeasured by `{found['command']}`, batch {found['batch']}, {found['data']}, {machine(found)}.\n"


def neighbours() -> str:
    """What the graph guesses right."""
    found = read("neighbours")
    given = found["share of the given guesses that is right"]
    rows = [[way, percent(sum(each) / len(each)), " · ".join(map(percent, each))] for way, each in given.items()]
    share = percent(found["share that is given"])
    after = f"\nMeasured by `{found['command']}`: {found['data']}, {found['labels']} labels, the surest {share} of the guesses.\n"
    return table(["images are compared", "guesses right, mean", "each draw of labels"], rows) + after


def startup() -> str:
    """Seconds until something happens."""
    found = read("startup")
    rows = [[what, f"{took:.2f}"] for what, took in found["seconds"].items()]
    after = f"\nMeasured by `{found['command']}`, medians of {found['processes of each']} processes, {machine(found)}.\n"
    return table(["start", "seconds"], rows) + after


def machine(found: dict[str, Any]) -> str:
    """two cores of an Intel Xeon, torch 2.13.0"""
    here = found["environment"]
    return f"{here['machine']['threads']} cores of {here['machine']['processor']}, torch {here['versions']['torch']}"


TABLES = {"demo": demo, "mnist_semi": mnist_semi, "vae_training": vae_training, "neighbours": neighbours, "startup": startup}


def rewritten(text: str) -> str:
    """A page with its tables made anew."""
    return PLACE.sub(lambda found: found[1] + TABLES[found[2]]() + found[3], text)


def pages() -> list[Path]:
    """README and docs."""
    return [HOME / "README.md", *sorted((HOME / "docs").glob("*.md"))]


def main() -> None:
    """Rewrite, or check."""
    stale = [page for page in pages() if rewritten(page.read_text()) != page.read_text()]
    if "--check" in sys.argv:
        sys.exit(f"Stale: {', '.join(page.name for page in stale)}. Run `make tables`." if stale else 0)
    for page in stale:
        page.write_text(rewritten(page.read_text()))
        print(page.relative_to(HOME))


if __name__ == "__main__":
    main()
