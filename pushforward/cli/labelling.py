"""Commands about labels: which images to label next, and what the clusters of a run without labels are called."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

from pushforward.cli.opening import classes_of, kept, opened, outputs, spoken
from pushforward.cli.words import Maybe, RunFolder

if TYPE_CHECKING:
    from pushforward.data import Dataset


@dataclass(frozen=True)
class SuggestLabels:
    """List the training images whose labels would help a run most, with a CSV to fill in and a picture.

    Example: pushforward suggest-labels runs/few_labels --count 20
    """

    run: RunFolder
    """A run folder, or zoo/NAME for one that comes with the package."""
    count: int = 20
    """How many images."""
    seed: int = 0
    """The same seed suggests the same images."""
    out: Maybe[Path] = None
    """CSV to write; to_label.csv in the run folder where nothing is said."""

    def run_it(self) -> None:
        """Choose, print the list, and write CSV and picture."""
        from pushforward import figures, metrics
        from pushforward.cli.answers import write_csv
        from pushforward.core import BadInput

        if self.count < 1:
            raise BadInput(f"--count is {self.count}, but must be 1 or more.")
        run, system = opened(self.run)
        train, test = run.data()
        told = known(train) + (known(test) if test and run.recipe.data.labels_file else [])
        target = self.out or outputs(run) / "to_label.csv"
        keep_answers(target, told)
        places, p = metrics.suggestions(system, train, self.count, self.seed)
        names, files = classes_of(run, p.shape[1]), [train.names[place] for place in places.tolist()]
        guesses = [(names[int(row.argmax())], float(row.max())) for row in p]
        for number, (file, (guess, share)) in enumerate(zip(files, guesses, strict=True), 1):
            print(f"{number:3}  {file}  {guess} ({share:.0%})")
        if len(files) < self.count:
            print(f"The run is sure of the other images: {len(files)} are left to ask for.")
        captions = [f"{number} {file}" for number, file in enumerate(files, 1)]
        if files:
            kept(figures.labelled(train.batch(places)["image"], captions), run, "to_label", None)
        rows = [[file, "", guess, f"{share:.4f}"] for file, (guess, share) in zip(files, guesses, strict=True)]
        print(write_csv(["file", "class", "guess", "probability"], rows + told, target))


def known(dataset: "Dataset") -> list[list[str]]:
    """A row for each image whose class is known, so that the CSV, filled in, is all that the next training needs."""
    from pushforward.core import UNLABELLED

    if dataset.label is None:
        return []
    label = dataset.label.tolist()
    return [[file, dataset.classes[kind], "", ""] for file, kind in zip(dataset.names, label, strict=True) if kind != UNLABELLED]


def keep_answers(path: Path, told: list[list[str]]) -> None:
    """Refuse to write over a CSV that somebody has filled in.

    Raises:
        BadInput: there is one at `path`, with classes that are not among `told`.
    """
    import csv

    from pushforward.core import BadInput

    if not path.is_file():
        return
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        filled = [row[:2] for row in list(csv.reader(file))[1:] if len(row) > 1 and row[1].strip()]
    if any(row not in [each[:2] for each in told] for row in filled):
        raise BadInput(f"'{path}' holds classes that somebody filled in; choose another file with --out, or move it.")


@dataclass(frozen=True)
class NameClusters:
    """Name the clusters of a run that was told no label; without names, show the clusters.

    Two clusters may bear one name: predict adds up their probabilities.

    Example: pushforward name-clusters runs/few_labels 0=cat 1=dog 2=cat
    """

    run: RunFolder
    """A run folder."""
    names: Annotated[tuple[str, ...], Positional, arg(metavar="N=NAME", help_behavior_hint="")] = ()
    """The number of a cluster and what to call it; clusters that are not named keep the name that they have."""

    def run_it(self) -> None:
        """Store the names, or print the clusters and draw a row of each."""
        from pushforward.report import pictures
        from pushforward.runs import Run

        if self.names:
            run = Run(self.run)
            for number, name in enumerate(run.name_clusters(understood(self.names))):
                print(f"{number}  {name}")
            return
        run, system = opened(self.run)
        run.name_clusters({})
        picture, shares = pictures.clusters(system, run.data()[0])
        for number, (name, share) in enumerate(zip(run.classes, shares, strict=True)):
            print(f"{number}  {name}  {share:.1%} of the images")
        print(f"Name them by what the picture shows: {spoken('name-clusters', self.run, '0=NAME', '1=NAME')}")
        kept(picture, run, "clusters", None)


def understood(words: tuple[str, ...]) -> dict[int, str]:
    """`3=seven` as {3: "seven"}.

    Raises:
        BadInput: a word of another form, or a cluster that is named twice.
    """
    from pushforward.core import BadInput

    found: dict[int, str] = {}
    for word in words:
        number, equals, name = word.partition("=")
        if not equals or not number.isdecimal():
            raise BadInput(f"'{word}' names no cluster. Write its number and its name, such as 0=cat.")
        if int(number) in found:
            raise BadInput(f"Cluster {int(number)} is named twice, '{found[int(number)]}' and '{name}'. Give it one name.")
        found[int(number)] = name
    return found
