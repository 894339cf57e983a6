"""Commands that train."""

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

from tyro.conf import Positional, arg

from pushforward.cli.opening import classes_of, completes, spoken
from pushforward.cli.words import Maybe, RunFolder, options, spelt
from pushforward.spelling import nearest

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from pushforward.core import System
    from pushforward.data import Dataset
    from pushforward.runs import Run
    from pushforward.runs.session import Parts

FOLLOWS = ("shape", "classes", "attributes", "source", "parts", "twins")
"""Settings of systems that follow from the data."""


@dataclass(frozen=True)
class Train:
    """Train a system, or run a named recipe, and write a report.

    Every setting of the system is an option too: `pushforward systems vae` lists them.

    Example: pushforward train vae --data photos/ --size 32 --minutes 10 --latent 8
    """

    what: Annotated[str, Positional, arg(metavar="RECIPE|SYSTEM", help_behavior_hint="")]
    """A system or a recipe; `pushforward systems` lists both."""
    data: Maybe[str] = None
    """digits, mnist, fashion-mnist, a folder or zip of images (a sub-folder is a class), an IDX file, .npy, .npz or .csv."""
    images: Maybe[int] = None
    """How long: images to train for, each as often as it is seen, up to whole batches. 20 passes where nothing is said."""
    minutes: Maybe[float] = None
    """How long, otherwise: the speed is measured first, then the number of images is fixed."""
    run: Maybe[Path] = None
    """Folder to make; runs/NAME where nothing is said, and where there is such a run already, runs/NAME-2 and so on."""
    labels: Maybe[str] = None
    """Keep so many labels and hide the rest, all are kept where nothing is said; or a CSV that names the class of some images."""
    attributes_file: Maybe[str] = None
    """A CSV of file and attributes in 0..1 of every image, or a table in CelebA's format."""
    classes: Maybe[int] = None
    """Clusters to look for where no label is known."""
    size: Maybe[int] = None
    """Crop images to their central square and resize to this side, in pixels."""
    binarise: Maybe[Literal["no", "dynamic", "threshold"]] = None
    """Make pixels black or white: dynamic draws anew in each batch."""
    observe: Maybe[int] = None
    """Quadrants (1 to 3) of each image that a system is shown as condition."""
    mask: Maybe[str] = None
    """What of each image is hidden, to be painted: square, centre, a half, eyes, strokes, mixed (one of these for each image), or a .png
    of your own, white where to paint."""
    pairs: Maybe[str] = None
    """What each image is made from: left-to-right or right-to-left (its halves), SOURCE:TARGET (two folders), edges, grey, or parts."""
    palette: Maybe[str] = None
    """Colours of a source that is a label map (#0000aa,#0055ff or #0000aa=wall,#0055ff=door), celebamask-hq, helen, or how many it has."""
    neighbours: Maybe[int] = None
    """Spread the known labels over a graph of so many nearest neighbours, as a first teacher."""
    held_out: Maybe[float] = None
    """Share kept as test where the data bring no test part; a tenth where nothing is said."""
    target: Maybe[str] = None
    """Column of a CSV that holds the class."""
    label_seed: Maybe[int] = None
    """Chooses which labels are kept."""
    split_seed: Maybe[int] = None
    """Chooses what is kept as test."""
    seed: Maybe[int] = None
    """Of everything random in training; 0 where nothing is said."""
    rule: Maybe[str] = None
    """Who moves when: alternating where nothing is said, simultaneous, extragradient, optimistic, consensus, sga, implicit or lookahead;
    with settings as in consensus:weight=0.1."""
    shards: Maybe[int] = None
    """Parts that a batch is cut into, for several processes or to save memory; 1 where nothing is said."""
    precision: Maybe[Literal["auto", "float32", "bfloat16"]] = None
    """auto takes bfloat16 for convolutions where the processor is fast at it."""
    clip: Maybe[float] = None
    """Largest norm of a gradient; 0 for none."""
    compiled: Annotated[bool, arg(help_behavior_hint="")] = False
    """Compile the losses: slower to start, then faster. Needs a C++ compiler."""
    tensorboard: Annotated[bool, arg(help_behavior_hint="")] = False
    """Write the curves for TensorBoard too, into the run's folder. Needs pushforward[track]."""
    labelled: Maybe[int] = None
    """Labelled images that each batch has beside the unlabelled ones, where labels are hidden."""
    settings: dict[str, str] = field(init=False, default_factory=dict)
    """Options that only the system knows, as they were written."""

    def run_it(self) -> None:
        """Say what was chosen, train, and say how well it went."""
        from pushforward.recipes import plan, run_order
        from pushforward.training.machines import rank_and_ranks

        given = {key: value for key, value in asdict(self).items() if key not in NAMED and value is not None and value is not False}
        order = plan(self.what, self.data, images=self.images, minutes=self.minutes, **given, **self.converted())
        chief = rank_and_ranks()[0] == 0
        for sentence in order.said if chief else ():
            print(sentence, flush=True)
        run = run_order(order, self.run)
        if chief:
            conclude(run, (order.train, order.test))

    def converted(self) -> dict[str, Any]:
        """The options that only the system knows, in the types of its `Config`."""
        from pushforward.core import find_system
        from pushforward.recipes import RECIPES

        if not self.settings:
            return {}
        named = RECIPES.get(self.what)
        return typed(find_system(named().system if named else self.what), self.settings)


NAMED = {"what", "data", "images", "minutes", "run", "settings"}
"""Fields of `Train` that `plan` takes by their place or that are no options of it."""


@dataclass(frozen=True)
class Resume:
    """Go on with a run that was stopped, to its end.

    Example: pushforward resume runs/vae --extend 2000000
    """

    run: RunFolder
    """A run folder, or zoo/NAME for one that comes with the package."""
    extend: Maybe[int] = None
    """Train to so many images in all, more than the recipe said. That is another recipe, whose schedules stretch."""

    def run_it(self) -> None:
        """Train to the end, and say how well it went."""
        from pushforward.core import BadInput
        from pushforward.runs import Run, go_on
        from pushforward.runs.finding import ZOO
        from pushforward.training.machines import join_ranks, rank_and_ranks

        join_ranks()
        chief = rank_and_ranks()[0] == 0
        run = Run(self.run)
        if ZOO in run.folder.resolve().parents:
            raise BadInput(f"'{self.run}' comes with the package and cannot be trained on; train one of your own, as its recipe.json says.")
        if self.extend is not None and chief:
            run.data()  # other data are refused before anything is written
            run.extend(self.extend)
            print(f"{run.folder} now ends at {self.extend:,} images: its schedules are stretched, so this is another recipe.", flush=True)
        elif run.seen() >= run.recipe.images:
            print(f"{run.folder} has seen all of its {run.recipe.images:,} images. Give --extend and a larger number to train on.")
        run = go_on(run.folder)
        if chief:
            conclude(run, run.data())


def typed(kind: "type[System]", settings: dict[str, str]) -> dict[str, Any]:
    """Words as values of the fields of the system's `Config`.

    Raises:
        BadInput: an unknown setting, with the nearest name; one that follows from the data; a word that is no such value.
    """
    from pydantic import TypeAdapter, ValidationError

    from pushforward.core import BadInput

    hints = get_type_hints(kind.Config)
    known = [*(each.name for each in fields(kind.Config) if each.name not in FOLLOWS), *kind.given]
    found: dict[str, Any] = {}
    for name, word in settings.items():
        if name in FOLLOWS:
            raise BadInput(f"{spelt(name)} is '{word}', but it follows from the data; leave it out.")
        if name not in known:
            raise BadInput(f"{kind.__name__} has no option '{spelt(name)}'{nearest(spelt(name), [*map(spelt, known), *options(Train)])}")
        if name in kind.given:
            found[name] = word
            continue
        kinds = TypeAdapter(hints[name], config={"allow_inf_nan": False})
        try:
            found[name] = value_of(kinds, word)
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            raise BadInput(f"{spelt(name)} is '{word}': {reason[0].lower()}{reason[1:]}.") from None
    return found


def value_of(kinds: "TypeAdapter[Any]", word: str) -> Any:
    """A word as a value: as it stands, or as JSON, which lists and choices of whole numbers are.

    Raises:
        ValidationError: it is neither.
    """
    from pydantic import ValidationError

    try:
        return kinds.validate_python(word)
    except ValidationError as error:
        try:
            return kinds.validate_json(word, strict=True)  # or `true` would be the number 1
        except ValidationError:
            raise error from None


def conclude(run: "Run", parts: "Parts") -> None:
    """Print how well a trained run does on what it has not seen, where its report is, and what to try next.

    parts: its training and held-out data, read once for all of that.
    """
    from pushforward import report

    system = run.open()
    train, test = parts
    judged = len(system.players()) > 1  # a game has no bound that says how good it is
    print(f"How good its samples are: {spoken('evaluate', run.folder)}" if judged else score(system, test))
    for sentence in comparison(train, test):
        print(sentence)
    print(f"Report: {report.write(run, parts=parts)}")
    print("Try next:")
    for words in next_commands(run, system, train):
        print(f"  {words}")


def score(system: "System", test: "Dataset | None") -> str:
    """Test accuracy of a system that classifies, else its bound on the test data, as a sentence."""
    from pushforward import metrics
    from pushforward.core import UNLABELLED, Classifies

    if test is None:
        return "Nothing was held out, so there is no score on unseen data. --held-out 0.1 keeps a tenth."
    if isinstance(system, Classifies) and test.label is not None and bool((test.label != UNLABELLED).any()):
        matrix = metrics.confusion(system, test)
        right, count = int(matrix.diagonal().sum()), int(matrix.sum())
        what = "examples" if count == len(test) else "labelled examples"
        return f"Test accuracy: {right / count:.2%} ({right:,} of {count:,} {what} that training has not seen)."
    told = metrics.test_bound(system, test)
    parts = " and ".join(f"{name} {told[name]:,.2f}" for name in ("distortion", "rate") if name in told)
    name, unit = ("bound", " nats per example") if "bound" in told else ("loss", "")
    return f"Held-out {name}: {told[name]:,.2f}{unit} ({parts or 'mean'} of {len(test):,} that training has not seen)."


def comparison(train: "Dataset", test: "Dataset | None") -> list[str]:
    """What scikit-learn makes of the same labels, where only some images of a small set have one."""
    from pushforward.core import UNLABELLED
    from pushforward.metrics import baselines

    if train.label is None or train.image is None or test is None or test.label is None or len(train) > baselines.LARGEST:
        return []
    known, test = int((train.label != UNLABELLED).sum()), test.part((test.label != UNLABELLED).nonzero().flatten())
    if not 0 < known < len(train) or not len(test):
        return []
    spread, near = baselines.label_spreading(train, test), baselines.nearest_neighbour(train, test)
    return [f"From the same {known} labels scikit-learn's label spreading reaches {spread:.2%} and the nearest neighbour {near:.2%}."]


def next_commands(run: "Run", system: "System", train: "Dataset") -> list[str]:
    """Commands that this run's system can answer."""
    from pushforward.core import UNLABELLED, Classifies, Describes, Edits, Encodes, Generates, Parses, Samples

    table, whole, pairs = len(system.config.shape) == 1, not completes(system), run.recipe.data.pairs
    labels = system.labels if isinstance(system, Samples) else 0
    unknown = 0 if train.label is None or table or not isinstance(system, Classifies) else int((train.label == UNLABELLED).sum())
    of_photos = isinstance(system, Edits) and bool(run.recipe.data.mask or pairs == "grey")
    possible = {
        ("name-clusters", run.folder): unknown == len(train),
        ("suggest-labels", run.folder): isinstance(system, Encodes) and unknown > 0,
        ("sample", run.folder, *(("--label", classes_of(run, labels)[0]) if labels else ())): isinstance(system, Samples) and whole,
        ("reconstruct", run.folder): not table and (isinstance(system, Encodes) or not whole),
        ("interpolate", run.folder): not table and isinstance(system, Encodes) and whole,
        ("traverse", run.folder): not table and isinstance(system, Encodes) and whole,
        ("edit", run.folder, "drawings/", "--drawn"): isinstance(system, Edits) and pairs == "edges",
        ("edit", run.folder, "sources/"): isinstance(system, Edits) and train.translate and pairs not in ("parts", "edges", "grey"),
        ("edit", run.folder, "photos/"): isinstance(system, Parses) or of_photos,
        ("walk", run.folder): not table and isinstance(system, Generates),
        ("project", run.folder): not table and isinstance(system, Generates),
        ("directions", run.folder): not table and isinstance(system, Generates),
        ("predict", run.folder, "photos/"): not table and isinstance(system, Classifies | Describes),
        ("resume", run.folder, "--extend", 2 * run.recipe.images): True,
    }
    return [spoken(*words) for words, able in possible.items() if able]
