"""The few numbers of the README: what was measured, beside what it is measured against."""

import statistics
from collections.abc import Iterable, Iterator
from typing import Any

from writing import percent, read, spread_of, table, took

from pushforward.reproduce import gan, mnist_nll
from pushforward.reproduce.semi_supervised import LECTURE, PUBLISHED

Row = list[str]


def headlines() -> str:
    """A row for each claim; its page has the whole table."""
    rows = [*labels(), *likelihoods(), *mixtures(), *pictures(), *speeds()]
    return table(["measured", "here", "beside", "minutes of two cores", "more"], rows)


def cells_of(name: str, begin: str) -> list[dict[str, Any]]:
    """Cells of a table whose names begin so."""
    return [cell for cell in read(name)["cells"] if cell["name"].startswith(begin)]


def most(cells: Iterable[dict[str, Any]]) -> str:
    """The longest training."""
    return took(cells)


def page(name: str) -> str:
    """A link to docs/NAME.md."""
    return f"[{name}](docs/{name}.md)"


def labels() -> Iterator[Row]:
    """Few labels, and none."""
    few = cells_of("semi_supervised", "labels-100/")
    best = spread_of(few, "labels-", 100, "accuracy")
    best_known = ", ".join(f"{percent(PUBLISHED[name][0][100])} ({name})" for name in ("Bad GAN, 2017", "ADGM, 2016"))
    beside = f"{best_known}, {percent(LECTURE[100])} (the lecture)"
    yield ["MNIST from 100 labels (least; draws)", best, beside, most(few), page("semi_supervised")]
    none = cells_of("clusters", "seed-")
    right = [cell["numbers"]["accuracy on training images, matched"] for cell in none]
    found = f"{percent(statistics.median(right))} (least {percent(min(right))}; {len(right)} seeds)"
    yield ["MNIST without labels, images in their class's cluster", found, "", most(none), page("semi_supervised")]


def likelihoods() -> Iterator[Row]:
    """-log p(x) in nats, the lower the better."""
    for recipe, *peers in (("mnist_ladder", "NVAE", "ladder VAE, five layers"), ("mnist_vae", "IWAE, one layer, 50 draws")):
        cells = cells_of("mnist_nll", f"{recipe}/")
        found = " · ".join(f"{cell['numbers']['nll']:.2f}" for cell in cells)
        beside = ", ".join(f"{mnist_nll.PUBLISHED[peer][0]:.2f} ({peer})" for peer in peers)
        yield [f"binarised MNIST, `{recipe}`, -log p(x) in nats", found, beside, most(cells), page("vae")]
    (ours,), (pyro,) = cells_of("conditional", "ours/1"), cells_of("conditional", "pyro-cvae/1")
    found, beside = (f"{cell['numbers']['nll']:.2f}" for cell in (ours, pyro))
    yield ["three hidden quadrants of MNIST, nats", found, f"{beside} (Pyro's example, re-run)", most([ours]), page("conditional_vae")]


def mixtures() -> Iterator[Row]:
    """Generator nets in the plane."""
    cells = cells_of("moment_matching", "")
    within = sum(cell["numbers"]["within"] for cell in cells)
    found = f"{within} of {len(cells)} runs"
    yield ["six densities, within the 95th percentile of real against real", found, "", most(cells), page("moment_matching")]
    modern, old = cells_of("gan", "toys/gaussians/modern/"), cells_of("gan", "toys/gaussians/2014/")
    found, beside = (" · ".join(str(cell["numbers"]["modes"]) for cell in each) for each in (modern, old))
    alone = max(cell["numbers"]["processor seconds"] for cell in modern) / 60  # two cores would not halve what networks so small take
    told = f"{alone:.1f} of one core"
    yield ["25 Gaussians, modes found by a GAN, each seed", found, f"{beside} (the game of 2014)", told, page("gan")]


def pictures() -> Iterator[Row]:
    """Generator nets for images."""
    stacked = cells_of("gan", "equal/relativistic")
    found = " · ".join(f"{cell['numbers']['kinds']:.0f}" for cell in stacked)
    beside = "; ".join(f"{kinds} ({who})" for who, kinds in gan.PUBLISHED.items())
    yield ["stacked MNIST, kinds found of 1,000, each seed", found, beside, most(stacked), page("gan")]
    runs = [cells_of("facades", f"facades/{each}/") for each in ("l1+cgan", "l1")]
    found, beside = (f"{statistics.mean(cell['numbers']['sharpness ratio'] for cell in each):.2f}" for each in runs)
    yield ["facades from maps by pix2pix, sharpness beside photos", found, f"{beside} (L1 alone)", "", page("pix2pix")]


def speeds() -> Iterator[Row]:
    """Training beside the peer of each benchmark."""
    found = read("vae_training")
    ratio = [found[kind]["ratios"]["ours"]["pythae / side"] for kind in "ab"]
    yield ["speed of VAE training", "; ".join(f"{each:.1f}x" for each in ratio), "pythae: fully connected; convolutions", "", page("speed")]
    pair = {kind: found["pair of DCGAN's size"]["script / side"]["ours"] for kind, found in read("gan_training").items()}
    kinds = [f"{ratio:.1f}x {kind}" for kind, ratio in pair.items()]
    yield ["speed of GAN training", "; ".join(kinds), "PyTorch's DCGAN example", "", page("gan")]
    edits = {kind: found["training, by side in pixels"] for kind, found in read("edit").items()}
    ratios = {kind: [told["times the usual speed"]["ours"] for told in sides.values()] for kind, sides in edits.items()}
    kinds = [f"{', '.join(f'{each:.1f}x' for each in ratio)} {kind}" for kind, ratio in ratios.items()]
    beside = f"the usual pix2pix, {' and '.join(next(iter(edits.values())))} pixels"
    yield ["speed of pix2pix training", "; ".join(kinds), beside, "", page("pix2pix")]
