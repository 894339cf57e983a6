"""GANs measured: mixtures in the plane, stacked MNIST, MNIST, the class asked for, dropout in D, and the rules of play on real nets.

    toys         25 Gaussians and a ring of 8: modes found and samples within 3 sigma; the modern game and that of 2014
    stacked      1,000 kinds of images: how many are made at all, among 26,000 samples
    equal        the same at equal budget, for six games
    mnist        Frechet distance, precision, recall, coverage of the GAN of 2014, close to its own settings, and of the modern one
    conditional  whether samples are read as the class asked for, by three ways of telling it
    dropout      "dropout seems important in the discriminator": the GAN of 2014 with and without
    rules        who moves when, at equal numbers of gradients
    gpu          stacked MNIST, MNIST and CIFAR-10 with more of everything, where a GPU is at hand

Settings were chosen on 10,000 held-back training digits; lengths are fixed beforehand; samples come from the averaged weights.
"""

from functools import partial
from math import log
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import torch
from torch import Tensor

from pushforward import figures, metrics
from pushforward.core import Samples
from pushforward.data import DataSpec, toys
from pushforward.evaluation.feature_nets import FeatureNet, feature_net
from pushforward.evaluation.samples import SETS, every, made, of_samples
from pushforward.reproduce import _photos
from pushforward.reproduce.cells import Cell, finished_runs, opened, trained, whole
from pushforward.runs import Run

OLD = {"objective": "non_saturating", "r1": 0.0, "r2": 0.0}
"""The objective of 2014, with no penalty."""
GAMES: dict[str, dict[str, Any]] = {
    "relativistic, R1 and R2": {},
    "2014": OLD,
    "non-saturating, R1 and R2": {"objective": "non_saturating"},
    "non-saturating, R1": {"objective": "non_saturating", "r2": 0.0},
    "hinge, spectral": {"objective": "hinge", "spectral": True, "r1": 0.0, "r2": 0.0},
    "Wasserstein, penalty": {
        "objective": "wasserstein",
        "gradient_penalty": 10.0,
        "turns": 5,
        "lazy": 1,
        "rate": 2e-4,  # in a short trial the others' found fewer kinds
        "r1": 0.0,
        "r2": 0.0,
    },
}
COST = {
    "relativistic, R1 and R2": 1.0,
    "2014": 0.9,
    "non-saturating, R1 and R2": 1.0,
    "non-saturating, R1": 0.95,
    "hinge, spectral": 0.9,
    "Wasserstein, penalty": 4.7,
}
"""What an image costs in each game, as a share of the first: 10 minutes are so many fewer images."""
EQUAL = 450_000
"""Images that the first game sees in 10 minutes of two cores without fast bfloat16."""
RULES = {"alternating": 1.0, "simultaneous": 1.0, "extragradient": 0.5, "optimistic": 1.0}
"""Rounds of each rule at equal numbers of gradients: extragradient takes two for a step."""
PUBLISHED = {"R3GAN, after 7 hours of 8 GPUs": 1000, "without pairing, in its ablation": 693}
"""Kinds of stacked MNIST found (Huang et al. 2024)."""
TOY, RULED = 1_650_000, 220_000
"""Images of the mixtures, and of MNIST under each rule (5 minutes of two cores)."""
STACKED, SAMPLED = 26_000, 10_000
SURE = 5
"""Readings of 26 or so from which on a kind is there for sure: the reader takes two images of a hundred for their neighbours, so that
most kinds that nobody made are read once or not at all."""
SEEDS = 5
LARGER: dict[str, dict[str, Any]] = {
    "stacked": {"width": 32, "batch_size": 256, "images": 2_500_000},
    "mnist": {"width": 32, "batch_size": 256, "images": 1_500_000},
    "cifar10": {"width": 48, "batch_size": 128, "images": 1_000_000},
}
"""Minutes of a GPU. CIFAR-10 has nothing chosen for it."""
READ = 500_000
"""Images of the reader of CIFAR-10, which does not come with the package."""

PARTLY = True
"""Whether pictures are drawn of what is there, before all is measured."""


def cells() -> list[Cell]:
    """Every setting and seed."""
    return [*toy_cells(), *image_cells(), *rule_cells(), *(gpu_cells() if torch.cuda.is_available() else ())]


def toy_cells() -> list[Cell]:
    """Two mixtures, two games, five seeds."""
    return [
        Cell(f"toys/{toy}/{name}/seed-{seed}", whole("gaussians_gan", setting), seed, partial(measure_toy, setting, seed))
        for toy in toys.CENTRES
        for name, game in (("modern", {}), ("2014", OLD))
        for seed in range(SEEDS)
        for setting in [{"data": toy, "images": TOY} | game]
    ]


def image_cells() -> list[Cell]:
    """Stacked digits, MNIST, conditional, dropout."""
    found = [Cell(f"stacked/seed-{seed}", whole("stacked_gan", {}), seed, partial(measure_stacked, {}, seed)) for seed in range(2)]
    for name, game in GAMES.items():
        setting = game | {"images": int(EQUAL / COST[name])}
        asked = whole("stacked_gan", setting)
        found += [Cell(f"equal/{name}/seed-{seed}", asked, seed, partial(measure_stacked, setting, seed)) for seed in range(2)]
    for recipe in ("mnist_gan", "gan_2014"):
        asked = whole(recipe, {})
        found += [Cell(f"mnist/{recipe}/seed-{seed}", asked, seed, partial(measure_samples, recipe, {}, seed)) for seed in range(2)]
    for way in ("projection", "concatenation", "auxiliary"):
        setting = {"conditioning": way}
        asked, recipe = whole("mnist_conditional_gan", setting), "mnist_conditional_gan"
        found.append(Cell(f"conditional/{way}", asked, 0, partial(measure_samples, recipe, setting, 0)))
    for name, share in (("on", 0.5), ("off", 0.0)):
        setting = {"dropout": share}
        asked = whole("gan_2014", setting)
        found += [
            Cell(f"dropout/{name}/seed-{seed}", asked, seed, partial(measure_samples, "gan_2014", setting, seed)) for seed in range(3)
        ]
    return found


def rule_cells() -> list[Cell]:
    """Four rules on the ring of 8 without penalties, and on MNIST with them."""
    found = []
    for rule, share in RULES.items():
        toy = {"data": "eight", "rule": rule, "images": int(TOY * share)} | OLD
        asked = whole("gaussians_gan", toy)
        found += [Cell(f"rules/eight/{rule}/seed-{seed}", asked, seed, partial(measure_toy, toy, seed)) for seed in range(2)]
        digits = {"rule": rule, "images": int(RULED * share)}
        asked = whole("mnist_gan", digits)
        found.append(Cell(f"rules/mnist/{rule}", asked, 0, partial(measure_samples, "mnist_gan", digits, 0)))
    return found


def gpu_cells() -> list[Cell]:
    """What takes a CPU hours."""
    found = []
    for data, setting in LARGER.items():
        recipe = "stacked_gan" if data == "stacked" else "mnist_gan"
        how = {"stacked": partial(measure_stacked, setting, 0), "cifar10": partial(measure_cifar, setting)}
        asked = whole(recipe, setting | ({"data": data} if data == "cifar10" else {}))
        found.append(Cell(f"gpu/{data}", asked, 0, how.get(data, partial(measure_samples, recipe, setting, 0))))
    return found


def measure_toy(setting: dict[str, Any], seed: int, folder: Path) -> dict[str, Any]:
    """Modes found, and the share of samples within 3 sigma of one."""
    run, seconds = trained(folder / "run", "gaussians_gan", seed=seed, **setting)
    train, _ = run.data()
    system = run.open()
    assert isinstance(system, Samples) and train.centre is not None and train.scale is not None
    x = system.sample(SAMPLED, seed=1).double() * train.scale.double() + train.centre.double()
    found = metrics.near_modes(x, toys.CENTRES[setting["data"]], toys.BLUR)
    return {"fingerprint": train.fingerprint[:16], **seconds, **found}


def measure_stacked(setting: dict[str, Any], seed: int, folder: Path) -> dict[str, Any]:
    """Kinds made among 26,000 samples, and KL of their frequencies to even ones: means of five sets, beside as many real images."""
    run, seconds = trained(folder / "run", "stacked_gan", seed=seed, **setting)
    system, (train, _) = opened(run), run.data()
    assert isinstance(system, Samples)
    net = digits()
    sets = [census(kinds(made(system, None, STACKED, seed))) for seed in range(1, SETS + 1)]
    real = census(kinds(every(train, STACKED)[0]))
    found = {"feature net": net.name, "samples": STACKED, "sets of samples": SETS}
    for name in real:
        values = [each[name] for each in sets]
        found |= {name: mean(values), f"{name}, spread": stdev(values), f"{name}, real against real": real[name]}
    return {"fingerprint": run.recipe.fingerprint[:16], **seconds, "images": run.recipe.images, **found}


def census(kind: Tensor) -> dict[str, float]:
    """How many kinds were read at all, how many often enough to be sure, and how even they are."""
    even = torch.ones(1000)
    count, nats = metrics.mode_coverage(kind, even)
    return {"kinds": count, "kinds for sure": metrics.mode_coverage(kind, even, SURE)[0], "KL to even": nats}


def digits() -> FeatureNet:
    """The reader of MNIST that comes with the package."""
    net = feature_net("", "mnist", (1, 28, 28))
    assert net is not None
    return net


def kinds(x: Tensor) -> Tensor:
    """The number that the digits of each image spell, as the reader of MNIST reads them."""
    net = digits()
    read = torch.stack([logits.argmax(1) for c in range(3) if (logits := net.read(x[:, c : c + 1])[1]) is not None], 1)
    return (read * torch.tensor([100, 10, 1])).sum(1)


def measure_samples(recipe: str, setting: dict[str, Any], seed: int, folder: Path) -> dict[str, Any]:
    """Everything that `evaluate` says of 10,000 samples, five times."""
    run, seconds = trained(folder / "run", recipe, seed=seed, **setting)
    return seconds | sampled(run, feature_net("", "mnist", run.data()[0].shape))


def measure_cifar(setting: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The same on CIFAR-10, in the features of a reader trained on it; the share that this reads says how far it can be trusted."""
    data = DataSpec(str(_photos.cifar10(folder)))
    reader, _ = trained(folder / "reader", "reader", data, images=READ)
    run, seconds = trained(folder / "run", "mnist_gan", data, **setting)
    return seconds | sampled(run, feature_net(str(reader.folder), "", run.data()[0].shape))


def sampled(run: Run, net: FeatureNet | None) -> dict[str, Any]:
    """What `evaluate` says of a run."""
    train, test = run.data()
    system = opened(run)
    assert isinstance(system, Samples) and test is not None and net is not None
    found = of_samples(system, train, test, net, SAMPLED)
    return {"fingerprint": train.fingerprint[:16], "images": run.recipe.images, **found}


def pictures(results: dict[str, Any], runs: Path) -> list[Path]:
    """Samples of each, the mixtures beside their samples, and D over time; of runs that are there."""
    sheets = {
        "stacked": "stacked/seed-0",
        "mnist": "mnist/mnist_gan/seed-0",
        "mnist-2014": "mnist/gan_2014/seed-0",
        "dropout-on": "dropout/on/seed-0",
        "dropout-off": "dropout/off/seed-0",
    }
    drawn: dict[str, Any] = {name: sheet(runs / cell / "run") for name, cell in sheets.items() if finished_runs(runs, [cell])}
    if finished_runs(runs, ["conditional/auxiliary"]):
        drawn["conditional"] = sheet(runs / "conditional/auxiliary/run", 10)
    if finished_runs(runs, [f"toys/{toy}/{name}/seed-0" for toy in toys.CENTRES for name in ("modern", "2014")]):
        drawn["toys"] = clouds(runs)
    for recipe, name in (("mnist_gan", ""), ("gan_2014", "-2014")):  # relativistic logits float: only the other's are all its own
        if not finished_runs(runs, [cell := f"mnist/{recipe}/seed-0"]):
            continue
        lines = Run(runs / cell / "run").metrics()
        drawn[f"judging{name}"] = figures.curves(lines, ["judge/real", "judge/held_out", "judge/made"], "probability of being real", 0.5)
        drawn[f"value{name}"] = figures.curves(lines, ["discriminator/value"], "v, nats", -log(4))
    return [figures.save(picture, runs / "pictures" / f"gan-{name}.png") for name, picture in drawn.items()]


def sheet(folder: Path, columns: int = 12) -> Any:
    """A hundred samples or so of a run."""
    system = Run(folder).open()
    assert isinstance(system, Samples)
    return figures.sheet(system.sample(10 * columns, seed=0), columns)


def clouds(runs: Path) -> Any:
    """Mixtures, real and made by either game."""
    rows = []
    for name in ("modern", "2014"):
        row = []
        for toy in toys.CENTRES:
            run = Run(runs / f"toys/{toy}/{name}/seed-0/run")
            system, (train, _) = run.open(), run.data()
            assert isinstance(system, Samples) and train.centre is not None and train.scale is not None
            row.append(system.sample(4_000, seed=1) * train.scale + train.centre)
        rows.append(row)
    real = [toys.points(toy, 4_000, "real") for toy in toys.CENTRES]
    return figures.clouds([real, *rows], ["real", "modern", "2014"], ["25 Gaussians", "ring of 8"])
