"""From what a user says (a system or a named recipe, data, images or minutes) to a complete recipe, and to a trained run."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from inspect import signature
from math import ceil, inf
from pathlib import Path
from typing import Any

from pushforward.core import UNLABELLED, BadInput, Judges, System, find_system, nearest, system_names
from pushforward.data import Dataset, DataSpec, open_data
from pushforward.data.palettes import twins
from pushforward.recipes.pace import fitting_width, measure
from pushforward.runs import Recipe, Run, config_as_json, config_of, start
from pushforward.training.machines import choose_precision, join_ranks, largest, usual_device
from pushforward.training.rules import check_play, find_rule

PASSES = 20
"""Passes over the data where neither images nor minutes are asked for."""
LEAST = 100_000
"""Images, at the least, in that case."""


@dataclass(frozen=True)
class Plan:
    """A complete configuration as a named recipe gives it; what is left out follows from the data."""

    system: str
    data: DataSpec
    images: int
    """0: as many as the size of the data asks for."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Fields of the system's `Config`."""
    labelled: int = 0
    clip: float = 0.0
    rule: str = "alternating"
    name: str = ""
    expected: str = ""
    """What to expect of it, as a sentence."""
    suit: "Callable[[Plan, Dataset], Plan] | None" = None
    """The plan for the data at hand, of a recipe for anybody's images."""


@dataclass(frozen=True)
class Order:
    """A recipe about to be run, and what there is to say about how it came to be."""

    recipe: Recipe
    train: Dataset
    """The training data, which planning has read,"""
    test: Dataset | None = None
    """and what is held out."""
    memory: Any = None
    said: tuple[str, ...] = ()
    given: dict[str, Run] = field(default_factory=dict)
    """Trained systems that the system is given."""


TOYS = {"bilinear_game": "bilinear", "dirac_gan": "dirac"}
"""Systems of a few numbers that need no data, and what `pushforward game` calls them."""
HOW = ("seed", "rule", "shards", "precision", "clip", "compiled", "tensorboard", "labelled")
"""Options of `Recipe` that a user may set beside those of the system and of the data."""


def order(
    what: str,
    data: Any = None,
    *,
    images: int | None = None,
    minutes: float | None = None,
    recipes: dict[str, Callable[..., Plan]],
    **options: Any,
) -> Order:
    """A complete recipe for training `what`, a system or a named recipe, on `data`.

    data: a name, path, `DataSpec`, tensor, array or (tensor, labels). images or minutes: how long; with minutes the speed is measured.
    options: fields of the system's Config, of DataSpec, or seed, rule, shards, precision, clip, compiled, labelled.
    Processes that torchrun started come to the same recipe.
    """
    join_ranks()
    if images is not None and minutes is not None:
        raise BadInput(f"Both images ({images}) and minutes ({minutes:g}) are given. Give one of them.")
    for name, value in (("images", images), ("minutes", minutes)):
        if value is not None and not 0 < value < inf:
            raise BadInput(f"{name} is {value:g}, but must be more than 0.")
    if what not in recipes and what not in system_names() and "." not in what:
        known = [*recipes, *system_names()]
        raise BadInput(f"There is no recipe or system '{what}'{nearest(what, known)} Known: {', '.join(known)}.")
    if what in TOYS:
        raise BadInput(f"{what} learns from no data; play it: pushforward game {TOYS[what]}.")
    spec_options = {key: options.pop(key) for key in list(options) if key in [f.name for f in fields(DataSpec)] and key != "path"}
    if "labels" in spec_options:
        spec_options |= labels_meant(spec_options["labels"])
    plan = None
    if what in recipes:
        few = spec_options.get("labels")
        asks = few is not None and "labels" in signature(recipes[what]).parameters
        plan = recipes[what](labels=few) if asks else recipes[what]()
    spec, memory = spec_of(data, plan.data if plan else None, spec_options)
    train, test = open_data(spec, memory)
    if plan:
        plan = fitted(plan, train)
        if not isinstance(data, DataSpec) and "neighbours" not in spec_options:
            spec, train = replace(spec, neighbours=plan.data.neighbours), replace(train, neighbours=plan.data.neighbours)
    how = {key: options.pop(key) for key in list(options) if key in HOW}
    if plan:
        how = {"labelled": plan.labelled, "clip": plan.clip, "rule": plan.rule} | how
        options = plan.settings | options
        images = images or (None if minutes else plan.images or None)
    found = complete(plan.system if plan else what, train, spec, memory, images, minutes, how, options, plan.name if plan else what)
    return replace(found, test=test)


def labels_meant(labels: Any) -> dict[str, Any]:
    """Fields of `DataSpec` for what a user calls labels: how many to keep, or a CSV that names the class of some images."""
    number = str(labels)
    if labels is None or number.removeprefix("-").isdecimal():
        return {"labels": None if labels is None else int(number)}
    return {"labels": None, "labels_file": number}


def fitted(plan: Plan, train: Dataset) -> Plan:
    """`plan` for the data at hand: as it suits itself to them, and without labelled images in its batches where no label is known."""
    plan = plan.suit(plan, train) if plan.suit else plan
    return plan if known_labels(train) else replace(plan, labelled=0)


def known_labels(dataset: Dataset) -> int:
    """How many labels are known."""
    return 0 if dataset.label is None else int((dataset.label != UNLABELLED).sum())


def complete(
    system: str,
    train: Dataset,
    spec: DataSpec,
    memory: Any,
    images: int | None,
    minutes: float | None,
    how: dict[str, Any],
    settings: dict[str, Any],
    name: str,
) -> Order:
    """Fill in what follows from the data and from the measured speed."""
    kind = find_system(system)
    given = {name: network(name, settings.pop(name), ability) for name, ability in kind.given.items() if settings.get(name)}
    opened = {name: run.open() for name, run in given.items()}
    settings = from_data(kind, train, settings) | settings
    said = list(train.notes)

    def build(width: int) -> System:
        return kind(config_of(kind, settings | ({"width": width} if width else {})), **opened)  # type: ignore[call-arg]

    built = build(0)
    check_play(find_rule(how.get("rule", "alternating")), built.players(), how.get("compiled", False))
    if how.get("compiled") and not kind.compiles:
        raise BadInput(
            f"{kind.__name__} cannot be compiled, as its losses change from round to round or need slopes of slopes; leave --compiled out."
        )
    how["precision"] = choose_precision(how.get("precision", "auto"), built, usual_device())
    timing = {key: value for key, value in how.items() if key not in ("labelled", "seed", "tensorboard")}
    if minutes is not None:
        seconds = 60 * minutes
        if settings.get("width") or "width" not in [f.name for f in fields(kind.Config)]:
            width, speed = settings.get("width", 0), measure(built, train, how.get("labelled", 0), **timing)
        else:
            pace = fitting_width(build, train, how.get("labelled", 0), seconds, **timing)
            width, speed = pace.width, pace.speed
            settings["width"] = width
        images = int(0.95 * speed * seconds)  # the rest goes into sheets and checkpoints
        said.append(
            f"Measured {speed:,.0f} images/s"
            + (f" at width {width}" if width else "")
            + f": training for {images:,} images in {minutes:g} minutes."
        )
    elif images is None:
        images = max(PASSES * len(train), LEAST)
        said.append(f"Training for {images:,} images ({images / len(train):.0f} passes); --images or --minutes change that.")
    config = config_of(kind, settings)
    batch = built.stage.batch_size
    images = batch * ceil(images / batch)
    recipe = Recipe(
        system,
        config_as_json(config),
        spec,
        images,
        train.fingerprint,
        train.classes,
        train.attribute_names,
        train.part_names,
        name,
        given={name: run.weights() for name, run in given.items()},
        report_every=max(batch, images // 200),
        sheet_every=max(batch, images // 20),
        save_every=max(batch, images // 10),
        **how,
    )
    weights = sum(p.numel() for player in build(settings.get("width", 0)).players() for p in player.module.parameters())
    shape = "x".join(map(str, train.shape))
    said.append(f"{kind.__name__} with {weights:,} weights on {len(train):,} examples of {shape} ({spec.path}), {recipe.precision}.")
    return Order(recipe, train, memory=memory, said=tuple(said), given=given)


def network(name: str, folder: Any, ability: type) -> Run:
    """The run of a trained system that another asks for under this name.

    Raises:
        BadInput: there is no such run, or its system cannot do what is asked of it.
    """
    run = Run(Path(str(folder)))
    if not issubclass(kind := find_system(run.recipe.system), ability):
        raise BadInput(f"{name} is {run}, a {kind.__name__}, but one that {ability.__name__.lower()} is needed; give such a run.")
    return run


def from_data(kind: type[System], train: Dataset, settings: dict[str, Any]) -> dict[str, Any]:
    """Settings that follow from the data: shape, classes and, where pixels are two-valued, the likelihood.

    settings: those that were given.

    Raises:
        BadInput: the system needs classes, and there are none.
    """
    known = [f.name for f in fields(kind.Config)]
    found: dict[str, Any] = {"shape": train.shape, "classes": len(train.classes), "attributes": len(train.attribute_names)}
    found |= {"source": train.source_channels, "parts": len(train.part_names), "twins": twins(train.part_names)}
    if train.binarise != "no":
        found["likelihood"] = "bernoulli"
    if (
        "classes" in known
        and not train.classes
        and not (train.observe or train.hides)
        and not (train.attribute_names and "attributes" in known)
        and settings.get("told") != "attributes"
    ):
        raise BadInput(f"{kind.__name__} needs classes, but {lacking(kind, train)}.")
    if train.observe or train.hides:
        found["condition"] = "image"
    return {key: value for key, value in found.items() if key in known}


def lacking(kind: type[System], train: Dataset) -> str:
    """That examples have no classes, or one that is as good as none, and what to do."""
    told_all = issubclass(kind, Judges)  # these are told every label
    ways = (
        "or use gan" if told_all else "name some in a CSV (--labels some.csv), say how many clusters to look for (--classes 10), or use vae"
    )
    folders = {name.rpartition("/")[0].rpartition("/")[2] for name in train.names}
    if len(folders) == 1 and (only := folders.pop()).lower() not in ("", "train"):
        return f"all images of '{train.name}' lie in one sub-folder, '{only}'. Put those of each class into one of its own, {ways}"
    if train.row is not None:
        return f"'{train.name}' has none. Name the column of a CSV that tells them (--target), {ways}"
    return f"'{train.name}' has none. Put the images into one sub-folder per class, {ways}"


def spec_of(data: Any, usual: DataSpec | None, options: dict[str, Any]) -> tuple[DataSpec, Any]:
    """The `DataSpec` that a user means, and the tensors where they come from memory."""
    if data is None and (usual is None or not usual.path):
        raise BadInput("No data are given. Use --data digits, --data mnist, or a folder, zip, .npy, .npz, IDX or CSV file of your own.")
    if data is None:
        spec, memory = usual, None
    elif isinstance(data, DataSpec):
        spec, memory = data, None
    elif isinstance(data, str | Path):
        spec, memory = replace(usual or DataSpec(""), path=str(data)), None
    else:
        spec, memory = replace(usual or DataSpec(""), path="memory"), data
    assert spec is not None
    return replace(spec, **options), memory


def run_order(made: Order, run: Path | str | None, quiet: bool = False) -> Run:
    """Train what was ordered, in `run` or the next free folder of `runs/`."""
    return start(run or next_folder(made.recipe.name), made.recipe, made.memory, quiet, (made.train, made.test), made.given)


def next_folder(name: str) -> Path:
    """`runs/vae`, or `runs/vae-2` where that is taken; the same for all ranks, all of which look before one of them makes it."""
    name = name.rpartition(".")[2]

    def folder(number: int) -> Path:
        return Path("runs") / (name if number == 1 else f"{name}-{number}")

    number = 1
    while folder(number).exists():
        number += 1
    return folder(largest(number))
