"""Writes the tables of README and docs from results/*.json, between `<!-- results:NAME -->` and `<!-- end -->`.

python benchmarks/tables.py            rewrite
python benchmarks/tables.py --check    say which pages are stale
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gan_tables import gan_samples, gan_stacked, gan_toys, gan_training
from headlines import headlines
from picture_tables import by_heart, completions, conditional, edit, lengths, parsers, translations
from speed_tables import attributes, instruments, neighbours, part_colours, startup, vae_training
from writing import HOME, machine, measured, minutes_of, percent, read, spread_of, table

from pushforward.reproduce import mnist_nll as nll
from pushforward.reproduce.semi_supervised import LECTURE, PUBLISHED

PLACE = re.compile(r"(<!-- results:(\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


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
    """Accuracy of the recipe mnist_semi with few labels and with all."""
    cells, rows = [cell for cell in read("semi_supervised")["cells"] if cell["name"].startswith("labels-")], []
    for labels in (100, 60_000):
        each = [cell for cell in cells if cell["setting"]["labels"] == labels]
        right = (spread_of(each, "labels-", labels, key) for key in ("accuracy", "accuracy, views averaged"))
        rows.append([f"{labels:,}", *right, f"{max(map(minutes_of, each)):.1f}"])
    after = "\nMean ± standard deviation over label draws (the least; how many), 10,000 test images. " + measured("semi_supervised")
    return table(["labels", "test accuracy", "six views averaged", "minutes of two cores, at most"], rows) + after


def semi_supervised() -> str:
    """The lecture's table, its form re-run, ours."""
    cells = read("semi_supervised")["cells"]
    columns = sorted(LECTURE)
    rows = [["the lecture", *(percent(LECTURE[labels]) for labels in columns)]]
    kinds = {"its form, re-run": "lecture/", "ours": "labels-", "ours, views averaged": "labels-"}
    for name, begin in kinds.items():
        key = "accuracy, views averaged" if "views" in name else "accuracy"
        rows.append([name, *(spread_of(cells, begin, labels, key) for labels in columns)])
    mine = [cell for cell in cells if cell["name"].startswith("labels-")]
    minutes = {n: [minutes_of(c) for c in mine if c["setting"]["labels"] == n] for n in columns}
    rows.append(["minutes of two cores, at most", *(f"{max(minutes[n]):.1f}" if minutes[n] else "" for n in columns)])
    told = {name: ", ".join(f"{percent(v)} at {n:,}" for n, v in values.items()) for name, (values, _) in PUBLISHED.items()}
    said = "; ".join(f"{name} {told[name]} ({where})" for name, (_, where) in PUBLISHED.items())
    after = f"\nMean ± standard deviation over label draws (the least of them; number of draws). Published: {said}.\n" + measured(
        "semi_supervised"
    )
    return table(["labels", *(f"{labels:,}" for labels in columns)], rows) + after


def fashion() -> str:
    """Fashion-MNIST by the recipe of the digits."""
    cells, columns = read("fashion")["cells"], (100, 1000)
    keys = {"test accuracy": "accuracy", "views averaged": "accuracy, views averaged"}
    rows = [[name, *(spread_of(cells, "labels-", labels, key) for labels in columns)] for name, key in keys.items()]
    rows.append(
        [
            "minutes of two cores, at most",
            *(f"{max([minutes_of(c) for c in cells if c['setting']['labels'] == n], default=0):.1f}" for n in columns),
        ]
    )
    after = "\nMean ± standard deviation over label draws (the least of them; number of draws). " + measured("fashion")
    return table(["Fashion-MNIST, labels", *(f"{labels:,}" for labels in columns)], rows) + after


def parts() -> str:
    """What each part of the recipe buys at 100 labels."""
    cells = [cell for cell in read("semi_supervised")["cells"] if cell["name"].startswith("parts/")]
    rows = []
    for name in dict.fromkeys(cell["setting"]["part"] for cell in cells):
        each = [cell for cell in cells if cell["setting"]["part"] == name]
        columns = [
            " · ".join(form(cell["numbers"][key]) for cell in each if key in cell["numbers"])
            for key, form in (("accuracy", percent), ("accuracy, views averaged", percent), ("bound", "{:.0f}".format))
        ]
        rows.append([name, *columns, f"{max(map(minutes_of, each)):.1f}"])
    heads = ["100 labels, draws 0 and 1", "test accuracy", "views averaged", "bound, nats", "minutes of two cores, at most"]
    return table(heads, rows) + "\n" + measured("semi_supervised")


def mnist_nll() -> str:
    """Likelihood of binarised MNIST beside the papers', the worst first."""
    rows = [(nats, [name, f"{nats:.2f}", "", "", where]) for name, (nats, where) in nll.PUBLISHED.items()]
    for cell in read("mnist_nll")["cells"]:
        found = cell["numbers"]
        exact = f"**{found['nll']:.2f}** ± {found['standard error']:.2f}"
        minutes = f"{minutes_of(cell):.0f}"
        rows.append(
            (found["nll"], [f"`{cell['setting']['recipe']}`, seed {cell['seed']}", exact, f"{found['bound']:.2f}", minutes, "here"])
        )
    heads = ["60,000 training images, dynamic binarisation", "-log p(x), nats", "bound", "minutes of two cores", "from"]
    return table(heads, (row for _, row in sorted(rows, reverse=True))) + "\n" + measured("mnist_nll")


def moment_matching() -> str:
    """Six densities, learned as well as chance lets two real samples agree."""
    cells, rows = read("moment_matching")["cells"], []
    for toy in dict.fromkeys(cell["setting"]["data"] for cell in cells):
        each = [cell["numbers"] for cell in cells if cell["setting"]["data"] == toy]
        limits = {f"{1e4 * n['real against real, 95th percentile']:.1f}" for n in each}
        found = " · ".join(f"{1e4 * n['energy distance']:.1f}" for n in each)
        seconds = max(n["seconds of training"] for n in each)
        rows.append([toy, found, " · ".join(sorted(limits)), f"{sum(n['within'] for n in each)} of {len(each)}", f"{seconds:.0f}"])
    heads = [
        "density",
        "energy distance x 10⁴, each seed",
        "real against real, 95th percentile x 10⁴",
        "within",
        "seconds of training, at most",
    ]
    return table(heads, rows) + "\n" + measured("moment_matching")


def clusters() -> str:
    """What is found without a label, each seed."""
    rows = []
    for cell in read("clusters")["cells"]:
        found = cell["numbers"]
        shares = [percent(found[f"accuracy on {part} images, matched"]) for part in ("training", "test")]
        rows.append([str(cell["seed"]), *shares, f"{minutes_of(cell):.1f}"])
    return table(["seed", "training images", "test images", "minutes of two cores"], rows) + "\n" + measured("clusters")


def collapse() -> str:
    """The lecture's form, re-run: what labels weigh, and what q(y|x) has become."""
    cells = [cell for cell in read("semi_supervised")["cells"] if cell["name"].startswith("lecture/")]
    lines: dict[str, Callable[[dict[str, float]], str]] = {
        "squared error of labels, per image of a batch": lambda n: f"{n['label loss']:.4f}",
        "nats of reconstruction, per image": lambda n: f"{n['distortion in training']:.0f}",
        "nats lost when the decoder is told another class": lambda n: f"{n['nats that the label saves']:.0f}",
        "right on its own labelled images": lambda n: percent(n["accuracy on the labelled images"]),
        "right on test images": lambda n: percent(n["accuracy"]),
        "right on test images, once classes are renamed": lambda n: percent(n["accuracy, classes matched"]),
    }
    rows = [[name, *(shown(cell["numbers"]) for cell in cells)] for name, shown in lines.items()]
    return table(["labels", *(f"{cell['setting']['labels']:,}" for cell in cells)], rows) + "\n" + measured("semi_supervised")


def lecture_figures() -> str:
    """Conditional samples, read by an independent classifier."""
    found = {cell["name"]: cell["numbers"] for cell in read("lecture_figures")["cells"]}
    digits = found["digits"]
    rows = [
        [f"codes {name}", percent(digits[f"read as asked, {name}"]), f"{digits[f'least share of the floor, {name}']:.2f}"]
        for name in ("from the prior", "from mixtures")
    ]
    after = f"\nThe reader is right on {percent(found['reader']['accuracy'])} of the test digits. " + measured("lecture_figures")
    return table(["10,000 conditional samples", "read as the class asked for", "coverage, least class, share of the floor"], rows) + after


def games() -> str:
    """Rates of every rule beside theory's on v = a b."""
    cells = [cell for cell in read("games")["cells"] if cell["name"].startswith("bilinear/")]
    heads = ["v = a b, played", "rate per round", "theory", "distance from (0, 0) at the end", "closed form, step e"]
    setting, kept = cells[0]["setting"], "Distances are the average's where one is kept."
    after = f"Step size {setting['rate']} where no other is named, {setting['rounds']} rounds; below 1 the players come to rest. {kept} "
    return table(heads, map(game_row, cells)) + f"\n{after}" + measured("games", cells)


def games_dirac() -> str:
    """The same of the Dirac-GAN, with the eigenvalues of its field."""
    cells = [cell for cell in read("games")["cells"] if cell["name"].startswith("dirac/")]
    heads = ["Dirac-GAN, alternating", "rate per round", "theory, near (0, 0)", "distance from (0, 0) at the end", "eigenvalues at (0, 0)"]
    after = "Step size {rate}, {rounds} rounds from (1, 1).".format(**cells[0]["setting"])
    return table(heads, map(game_row, cells)) + f"\n{after} " + measured("games", cells)


def game_row(cell: dict[str, Any]) -> list[str]:
    """A play."""
    numbers, name = cell["numbers"], cell["name"].partition("/")[2]
    theory = "none" if numbers["theory"] is None else f"{numbers['theory']:.4f}"
    return [name, f"{numbers['rate per round']:.4f}", theory, f"{numbers['last distance']:.2g}", CLOSED[name]]


CLOSED = {
    "simultaneous": "√(1 + e²)",
    "simultaneous, step 0.01": "√(1 + e²): nearly a circle",
    "alternating": "1, for e ≤ 2",
    "alternating, momentum 0.25": "largest root of (λ-1)²(λ-¼)² + e²λ³",
    "alternating, momentum -0.5": "largest root of (λ-1)²(λ+½)² + e²λ³",
    "alternating, uniform average": "the average falls as 1/T, the players circle",
    "alternating, exponential average": "the average circles too, (1-β) / abs(1 - β exp(2i asin(e/2))) as far out",
    "simultaneous, Adam, step 0.1": "none: a ring around the equilibrium",
    "extragradient": "√(1 - e² + e⁴), converges for e < 1",
    "optimistic": "√((1 + √(1 - 4e²))/2) for e ≤ 1/2, converges for e < 1/√3",
    "consensus, weight 1": "√((1 - e)² + e²), converges for e < 1",
    "symplectic adjustment, weight 1": "the same: this game only rotates",
    "implicit": "1/√(1 + e²), for every e",
    "lookahead, 5 alternating rounds": "abs(cos(5 asin(e/2)))^(1/5)",
    "simultaneous, convex-concave l = 0.5": "√((1 - e/2)² + e²), converges for e < 4/5",
    "simultaneous, penalty 0.5 on b": "√(1 - e/2 + e²), converges for e < 1/2",
    "minimax": "±i/2",
    "non-saturating": "±i/2; what comes in is of higher order",
    "Wasserstein, clipped": "±i where nothing is clipped",
    "Wasserstein, gradient penalty": "none: the penalty has a kink there",
    "minimax + R1": "-γ/2 ± √(γ²/4 - 1/4), γ = 0.3",
    "minimax + R1, critical": "the same, γ = 1: -1/2 twice",
    "minimax + instance noise": "-s²/4 ± √(s⁴/16 - 1/4), s = 1",
    "minimax, extragradient": "±i/2",
}
"""Rates of v = a b in closed form, and eigenvalues of the Dirac-GAN."""


TABLES = {
    "headlines": headlines,
    "demo": demo,
    "mnist_semi": mnist_semi,
    "vae_training": vae_training,
    "gan_training": gan_training,
    "neighbours": neighbours,
    "startup": startup,
    "instruments": instruments,
    "attributes": attributes,
    "part_colours": part_colours,
    "semi_supervised": semi_supervised,
    "fashion": fashion,
    "parts": parts,
    "clusters": clusters,
    "collapse": collapse,
    "games": games,
    "games_dirac": games_dirac,
    "gan_mnist": lambda: gan_samples("mnist"),
    "gan_conditional": lambda: gan_samples("conditional"),
    "gan_dropout": lambda: gan_samples("dropout"),
    "gan_toys": lambda: gan_toys("toys"),
    "gan_stacked": gan_stacked,
    "gan_rules_ring": lambda: gan_toys("rules/eight"),
    "gan_rules_mnist": lambda: gan_samples("rules/mnist"),
    "lecture_figures": lecture_figures,
    "facades": lambda: translations("facades", "facades, objective"),
    "facades_field": lambda: translations("field", "facades, patches of D"),
    "facades_better": lambda: translations("better", "facades, l1+cgan and", "facades/l1+cgan/seed-0"),
    "facades_256": lambda: translations("256", "facades, 256 pixels"),
    "facades_length": lengths,
    "facades_by_heart": by_heart,
    "celebamask_pairs": lambda: translations("celebamask", "faces from their parts"),
    "drawn_pairs": lambda: translations("drawn", "drawn faces from their parts"),
    "completion_celeba": lambda: completions("celeba"),
    "completion_celebamask": lambda: completions("celebamask"),
    "completion_128": lambda: completions("celebamask-128"),
    "completion_drawn": lambda: completions("drawn"),
    "conditional": conditional,
    "edit": edit,
    "parsers": parsers,
    "mnist_nll": mnist_nll,
    "moment_matching": moment_matching,
}


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
