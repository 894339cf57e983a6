"""The pages' sections, one for each thing a system can do. Which are there follows from its abilities and its data, never from its name."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Literal

import torch
from PIL import Image

from pushforward import figures
from pushforward.core import UNLABELLED, BadInput, Classifies, Describes, Edits, Encodes, Parses, Samples
from pushforward.data import hidden_labels
from pushforward.report import captions, pictures
from pushforward.report.asking import images_of, in_turn, labels_of, latent_of
from pushforward.report.facts import Shown, percent
from pushforward.report.glossary import LEVELS, LOOK, grouped
from pushforward.training.health import warnings

SAMPLES, STYLES, PAIRS, SHEETS, ROWS = 64, 10, 4, 4, 1000
"""How many of each a page shows; ROWS: generated rows of a table."""
STRIP = 480
"""Pixels across a sheet of the strip at the most: two for each one of the page."""


@dataclass(frozen=True)
class Plate:
    """A picture with its caption."""

    picture: Image.Image
    alt: str
    """What it shows, for those who cannot see it."""
    look: str
    """What to look for."""
    kind: Literal["sheet", "chart", "plane"] = "sheet"
    """Charts and planes have two pixels for each one of the page. A dark page turns charts dark too, but keeps the colours of planes."""


@dataclass(frozen=True)
class Section:
    """A part of the page."""

    name: str
    """The part of its address after #."""
    title: str
    intro: str
    plates: Sequence[Plate]
    heads: Sequence[str] = ()
    table: Sequence[Sequence[str]] = ()
    """Rows under `heads`; the first column is text, the others are numbers."""
    layout: Literal["plates", "charts", "strip"] = "plates"
    """One below the other with words beside them; charts two in a line; or a strip of small sheets."""


def sections(shown: Shown) -> tuple[list[Section], list[str]]:
    """The sections of a run's page, and a sentence for each that had to be left out."""
    found, missing = [], []
    for write in (
        encoding,
        sampling,
        conditional_sampling,
        interpolation,
        completion,
        parsing,
        attributes,
        classification,
        clusters,
        curves,
        health,
        evolution,
    ):
        try:
            section = write(shown)
        except BadInput as error:
            missing.append(f"{write.__name__.replace('_', ' ').capitalize()}: {error}")
            continue
        if section is not None:
            found.append(section)
    return found, missing


def encoding(shown: Shown) -> Section | None:
    """Input, output and code space, of a system that encodes."""
    if not isinstance(shown.system, Encodes):
        return None
    plates, classes = [], len(shown.dataset.classes)
    if shown.pictured:
        count = min(2 * (classes if 5 <= classes <= 10 else 8), len(shown.dataset))
        picture = pictures.reconstructions(shown.system, shown.dataset, count)
        look = captions.RECONSTRUCTIONS.format(above=shown.examples.capitalize())
        plates.append(Plate(picture, f"{count} {shown.examples} in rows, and below each its reconstruction.", look))
    picture, share = pictures.code_space(shown.system, shown.dataset)
    told = captions.CODES_TOLD if labels_of(shown.system) else captions.CODES_COLOURED
    unknown = isinstance(shown.system, Classifies) and shown.dataset.label is not None and bool((shown.dataset.label == UNLABELLED).any())
    told += captions.CODES_READ if unknown else ""
    look = (told if classes else captions.CODES) + (captions.SHARE.format(share=percent(share, 0)) if share < 0.999 else "")
    colours = ", coloured by class" if classes else ""
    plates.append(Plate(picture, f"Scatter plot of the codes of {shown.examples}{colours}.", look, kind="plane"))
    if shown.pictured and latent_of(shown.system) == 2:
        alt = "Images made from a grid of codes, edge to edge."
        plates.append(Plate(pictures.traversals(shown.system, torch.zeros(2)), alt, captions.MANIFOLD))
    intro = "The encoder turns an example into a code; the decoder turns the code back into an example."
    return Section("encoding", "Input, output and encoding" if shown.pictured else "Encoding", intro, plates)


def sampling(shown: Shown) -> Section | None:
    """New examples, of a system that samples."""
    if not isinstance(shown.system, Samples):
        return None
    if shown.pictured:
        picture, look = pictures.samples(shown.system, SAMPLES, seed=0), captions.SAMPLES.format(count=SAMPLES)
        alt = f"A sheet of {SAMPLES} generated images."
    else:
        picture, look = pictures.samples(shown.system, min(len(shown.dataset), ROWS), seed=0, dataset=shown.dataset), captions.ROWS
        alt = "Histograms of the columns of the table and scatter plots of their pairs, real beside generated."
    intro = "A code drawn at random, pushed through the generator: z ~ p(z), x = G(z)."
    return Section("samples", "Samples", intro, [Plate(picture, alt, look, kind="sheet" if shown.pictured else "plane")])


def conditional_sampling(shown: Shown) -> Section | None:
    """A row for each class, a column for each style, of a system that is told the class."""
    rows = min(labels_of(shown.system), pictures.ROWS)
    if not rows or not shown.pictured:
        return None
    picture = pictures.conditional_samples(shown.system, STYLES, seed=0, classes=shown.train.classes)
    alt = f"A grid of generated images: {rows} rows of one class each, {STYLES} columns of one style each."
    intro = "The same codes, with each class asked for in turn."
    return Section("conditional-samples", "Conditional samples", intro, [Plate(picture, alt, captions.CONDITIONAL)])


def interpolation(shown: Shown) -> Section | None:
    """Walks between the codes of pairs of images of different classes."""
    if not isinstance(shown.system, Encodes) or not shown.pictured or len(shown.dataset) < 2:
        return None
    index = in_turn(shown.dataset, min(2 * PAIRS, len(shown.dataset) // 2 * 2))
    batch = images_of(shown.dataset, index, shown.system)
    image, label = batch["image"], batch.get("label")
    labels = None if label is None else (label[::2], label[1::2])
    picture = pictures.interpolations(shown.system, image[::2], image[1::2], labels)
    alt = f"Walks between the codes of {len(index) // 2} pairs of images, in nine steps, along an arc and along a line."
    look = captions.INTERPOLATION + (captions.INTERPOLATION_TOLD if labels_of(shown.system) else "")
    return Section("interpolation", "Interpolation", f"What lies between the codes of two {shown.examples}?", [Plate(picture, alt, look)])


def completion(shown: Shown) -> Section | None:
    """Seen part, answers and truth, of a system that completes images."""
    if isinstance(shown.system, Edits) and shown.dataset.translate:
        return translation(shown)
    if not isinstance(shown.system, Edits) or not (shown.dataset.observe or shown.dataset.hides):
        return None
    picture = pictures.completions(shown.system, shown.dataset)
    alt = f"{shown.examples.capitalize()} of which a part was seen, three completions of each, and the truth."
    intro = "Only a part of each image is seen; the rest must be made up."
    return Section("completions", "Completions", intro, [Plate(picture, alt, captions.COMPLETIONS)])


def parsing(shown: Shown) -> Section | None:
    """Parts found and true, of a system that parses."""
    if not isinstance(shown.system, Parses) or shown.dataset.parts is None:
        return None
    alt = f"{shown.examples.capitalize()}, the parts found in them, and the true ones, a colour each."
    plate = Plate(pictures.parsed(shown.system, shown.dataset), alt, captions.PARTS)
    return Section("parts", "Parts", "Which part each pixel belongs to.", [plate])


def attributes(shown: Shown) -> Section | None:
    """Images in the order of each attribute, of a system that reads attributes."""
    if not isinstance(shown.system, Describes) or shown.dataset.attributes is None:
        return None
    alt = f"{shown.examples.capitalize()} from the least to the most of each attribute."
    plate = Plate(pictures.described(shown.system, shown.dataset), alt, captions.ATTRIBUTES)
    return Section("attributes", "Attributes", "How much there is of each attribute.", [plate])


def translation(shown: Shown) -> Section:
    """Sources, what becomes of them, and the truth."""
    picture = pictures.completions(shown.system, shown.dataset)
    alt = f"Sources of {shown.examples}, three answers to each, and the truth."
    return Section("translations", "Translations", "What a source becomes.", [Plate(picture, alt, captions.TRANSLATIONS)])


def classification(shown: Shown) -> Section | None:
    """Confusion matrix and the commonest mistakes, of a system that classifies."""
    scores = shown.scores
    if scores is None:
        return None
    names = list(shown.train.classes) or [str(k) for k in range(len(scores.matrix))]
    alt = f"Confusion matrix of {scores.count} {shown.scored}; {percent(scores.accuracy)} lie on the diagonal."
    low, high = scores.interval
    plate = Plate(
        figures.confusion(scores.matrix, names), alt, captions.CONFUSION.format(low=percent(low), high=percent(high)), kind="chart"
    )
    intro = f"{percent(scores.accuracy, 2)} of {scores.count:,} {shown.scored} are classified rightly; training saw none of them."
    table = [(f"{names[t]} read as {names[a]}", f"{n:,}", f"{total:,}") for t, a, n, total in scores.confused()]
    return Section("classification", "Classification", intro, [plate], ("most confused", "images", "of") if table else (), table)


def clusters(shown: Shown) -> Section | None:
    """The surest images of each cluster, of a system that classifies and was told no label."""
    train = shown.train
    if not isinstance(shown.system, Classifies) or not shown.pictured or train.label is None or (train.label != UNLABELLED).any():
        return None
    picture, shares = pictures.clusters(shown.system, train)
    alt = f"A grid of training images: {min(len(shares), pictures.ROWS)} rows, each the surest images of one cluster."
    named = train.classes != hidden_labels.clusters(len(shares))
    called = "bears the names that were given, which this changes" if named else "is called by number until it is named"
    intro = f"No label was told. What the network found instead {called}: {shown.naming}"
    table = [(name, percent(share)) for name, share in zip(pictures.numbered(train.classes), shares, strict=True)]
    return Section("clusters", "Clusters", intro, [Plate(picture, alt, captions.CLUSTERS)], ("cluster", "of the images"), table)


def curves(shown: Shown) -> Section | None:
    """The terms of training, those of one unit in one chart."""
    metrics = shown.run.metrics()
    charts = grouped(metrics)
    if not charts:
        return None
    intro = "Against images seen; what each term means stands in the glossary below."
    game = len(shown.system.players()) > 1
    plates = [
        Plate(
            figures.curves(metrics, keys, unit, LEVELS.get(unit)),
            f"{', '.join(keys)} against images seen; unit: {unit}.",
            captions.GAME if game and keys[0].endswith("/loss") else LOOK.get(unit, ""),
            kind="chart",
        )
        for unit, keys in charts
    ]
    return Section("curves", "Curves", intro, plates, layout="charts")


def health(shown: Shown) -> Section | None:
    """What training warned of, in plain words, and what may be done about it."""
    recipe = shown.run.recipe
    found = warnings([line for line in shown.run.metrics() if "seen" in line], recipe.images, recipe.settings)
    if not found:
        return None
    rows = [(one.words, f"{one.first:,}", f"{one.last:,}", f"{one.times:,}") for one in found]
    return Section("health", "What training warned of", captions.HEALTH, (), ("warning", "first at", "last at", "reports"), rows)


def evolution(shown: Shown) -> Section | None:
    """How samples changed while training went on: the first sheet, the last, and some between, close together at the start."""
    sheets, plates = shown.run.sheets(), []
    steps = torch.linspace(0, log(max(len(sheets), 1)), SHEETS).exp().round().int().tolist() if sheets else []
    for path in (sheets[step - 1] for step in dict.fromkeys(steps)):
        try:
            with Image.open(path) as opened:
                picture = opened.convert("RGB")
                picture.thumbnail((STRIP, 4 * STRIP))
        except OSError:  # a sheet changed by hand is no reason to lose the page
            continue
        seen = f"{int(path.stem):,} seen" if path.stem.isdigit() else path.stem
        plates.append(Plate(picture, f"Samples with {seen}.", seen))
    if not plates:
        return None
    intro = "The same codes each time. What settles early and what keeps changing to the end?"
    return Section("evolution", "Samples during training", intro, plates, layout="strip")
