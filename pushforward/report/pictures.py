"""Pictures of what a system can do: the report puts them on its page, the command line writes them to files."""

from collections.abc import Sequence

import torch
from PIL import Image
from torch import Tensor

from pushforward import figures, metrics
from pushforward.core import BadInput, Batch, Describes, Edits, Encodes, Parses, Samples, System
from pushforward.data import Dataset, hidden_labels
from pushforward.maths.interpolation import lerp, slerp
from pushforward.report.asking import able, content, device_of, images_of, in_turn, labels_of, latent_of, told_labels

ROWS = 20
"""Classes, code dimensions or attributes that one picture shows at the most."""
ORDERED = 200
"""Images that are brought into the order of an attribute."""
SIDE = 20
"""Images along a side of the manifold of a two-dimensional code."""
LOOKED = 10_000
"""Images of which the surest are looked for."""
POINTS = 3000
"""Points that a plane shows at the most."""


def samples(
    system: System, count: int = 64, label: int | Tensor | None = None, seed: int = 0, dataset: Dataset | None = None
) -> Image.Image:
    """`count` new images; of a table new rows against the rows of `dataset`, in its own units.

    Raises:
        BadInput: a system that does not sample, or a label that it does not know.
    """
    made = able(system, Samples).sample(count, label, seed)
    if made.ndim == 4:
        return figures.sheet(made)
    if dataset is None:
        raise BadInput("Samples of a table are drawn against its own rows; give the data set too.")
    real = dataset.row if dataset.row is not None else made
    return figures.points(own_units(dataset, real[:POINTS]), own_units(dataset, made), dataset.columns)


def conditional_samples(system: System, styles: int = 10, seed: int = 0, classes: Sequence[str] = ()) -> Image.Image:
    """A row for each class (the first 20), a column for each of `styles` codes: down a column only the class changes."""
    count = min(labels_of(system), ROWS)
    if not count:
        raise BadInput(f"{type(system).__name__} takes no label, so there is no row for each class.")
    if isinstance(system, Encodes):
        codes = torch.randn(styles, latent_of(system), generator=torch.Generator().manual_seed(seed)).to(device_of(system))
        made = [system.decode(codes, k) for k in range(count)]
    else:
        made = [able(system, Samples).sample(styles, k, seed) for k in range(count)]  # the same seed: the same styles
    return figures.sheet(torch.cat(made), styles, rows=list(classes[:count]) or [str(k) for k in range(count)])


def clusters(system: System, dataset: Dataset, columns: int = 10) -> tuple[Image.Image, list[float]]:
    """A row of the surest images of each class (the first 20) that the system finds in `dataset`, and the share of images in each class."""
    index = torch.linspace(0, len(dataset) - 1, min(len(dataset), LOOKED)).long()
    looked = dataset.part(index)
    sure, found = metrics.probabilities(system, looked).max(1)
    counts = found.bincount(minlength=len(dataset.classes))
    rows = []
    for number in range(min(len(counts), ROWS)):
        own = (found == number).nonzero().flatten()
        best = looked.batch(own[sure[own].argsort(descending=True, stable=True)[:columns]])["image"].cpu()
        rows.append(torch.cat([best, torch.ones(columns - len(best), *best.shape[1:])]))
    shares = (counts / len(looked)).tolist()
    return figures.sheet(torch.cat(rows), columns, rows=numbered(dataset.classes)[:ROWS]), shares


def numbered(clusters: Sequence[str]) -> list[str]:
    """`0: cat`: each cluster's number, which `name-clusters` asks for, and its name; one that has none is called by its number alone."""
    unnamed = hidden_labels.clusters(len(clusters))
    return [name if name == unnamed[number] else f"{number}: {name}" for number, name in enumerate(clusters)]


def reconstructions(system: System, dataset: Dataset, count: int = 16) -> Image.Image:
    """Images of `dataset`, taken from its classes in turn, and below each what the decoder makes of its code."""
    batch = images_of(dataset, in_turn(dataset, count), system)
    told = told_labels(system, batch)
    encoder = able(system, Encodes)
    columns = len(dataset.classes) if 5 <= len(dataset.classes) <= 10 else 8
    return figures.pairs(batch["image"], encoder.decode(encoder.encode(batch["image"], told), told), columns)


def interpolations(
    system: System, first: Tensor, second: Tensor, labels: tuple[Tensor, Tensor] | None = None, steps: int = 9
) -> Image.Image:
    """Walks between the posterior means of images `first` and `second`, each [P, C, H, W]: for each pair an arc (slerp) and a line.

    labels: the classes of both, [P] each, where the system takes labels (its own answers where None); they change in the middle.
    """
    encoder = able(system, Encodes)
    ends = first.to(device_of(system)), second.to(device_of(system))
    known = (labels or (None, None)) if labels_of(system) else (None, None)
    batches: list[Batch] = [
        {"image": end} if label is None else {"image": end, "label": label} for end, label in zip(ends, known, strict=True)
    ]
    told = [told_labels(system, batch) for batch in batches]
    a, b = (encoder.encode(end, label) for end, label in zip(ends, told, strict=True))
    nearer = torch.arange(steps, device=a.device) * 2 >= steps
    walks = []
    for pair in range(len(a)):
        label = None if told[0] is None or told[1] is None else torch.where(nearer, told[1][pair], told[0][pair])
        for walk in (slerp, lerp):
            walks.append(encoder.decode(walk(a[pair], b[pair], torch.linspace(0, 1, steps, device=a.device)), label))
    return figures.interpolation(torch.stack(walks).unflatten(0, (-1, 2)), ["slerp", "linear"])


def traversals(system: System, code: Tensor, label: int | None = None, spread: float = 3.0, steps: int = 9) -> Image.Image:
    """One code dimension a row, moved from -spread to spread while the others stay as in `code` [latent]: at the most 20 rows, those
    that change the image most. Where codes have two dimensions, the whole manifold: 20 x 20 images at Gaussian quantiles."""
    encoder = able(system, Encodes)
    middle = code.reshape(-1).to(device_of(system))
    told = (label or 0) if labels_of(system) else None
    if len(middle) == 2:
        place = torch.special.ndtri(torch.linspace(0.025, 0.975, SIDE))
        down, across = torch.meshgrid(-place, place, indexing="ij")
        grid = torch.stack([across, down], -1).reshape(-1, 2).to(middle)
        return figures.manifold(encoder.decode(grid, told))
    moved = middle.expand(len(middle), steps, -1).clone()
    for dimension in range(len(middle)):
        moved[dimension, :, dimension] = torch.linspace(-spread, spread, steps)
    made = encoder.decode(moved.flatten(0, 1), told).unflatten(0, moved.shape[:2])
    change = (made[:, -1] - made[:, 0]).flatten(1).abs().mean(1)
    most = change.argsort(descending=True)[:ROWS]
    heads = [f"{shift:+.1f}".replace("+0.0", "0") for shift in torch.linspace(-spread, spread, steps).tolist()]
    return figures.sheet(made[most].flatten(0, 1), steps, rows=[f"z{dimension + 1}" for dimension in most.tolist()], heads=heads)


def code_space(system: System, dataset: Dataset) -> tuple[Image.Image, float]:
    """The posterior means of up to 3,000 examples, coloured by class (by what the system reads, where it classifies and none is known),
    and the share of their variance that the plane shows."""
    encoder = able(system, Encodes)
    index = torch.linspace(0, len(dataset) - 1, min(len(dataset), POINTS)).long()
    found, kinds = [], []
    for part in index.split(500):
        batch = images_of(dataset, part, system)
        told = told_labels(system, batch)
        found.append(encoder.encode(content(batch), told).cpu())
        kinds.append(batch.get("label") if told is None else told)
    codes = torch.cat(found)
    plane, share = figures.to_plane(codes)
    names = ("z1", "z2") if codes.shape[1] <= 2 else ("first principal axis", "second principal axis")
    label = torch.cat([kind.cpu() for kind in kinds if kind is not None]) if dataset.classes else None
    return figures.codes(plane, label, dataset.classes, names), share


def completions(system: System, dataset: Dataset, count: int = 8, answers: int = 3) -> Image.Image:
    """The seen parts of images of `dataset`, several answers of the system, and the truth."""
    batch = images_of(dataset, in_turn(dataset, count), system)
    editor = able(system, Edits)
    made = [editor.edit(batch, seed).cpu() for seed in (None, *range(answers - 1))]  # the likeliest, then drawn ones
    return figures.completions(batch["source"], torch.stack(made), batch["image"], batch.get("mask"))


def parsed(system: System, dataset: Dataset, count: int = 8) -> Image.Image:
    """Images of `dataset`, the parts that the system finds in them, and those that are there."""
    batch = images_of(dataset, in_turn(dataset, count), system)
    found = able(system, Parses).parse(batch["image"]).argmax(1)
    return figures.parsed(batch["image"].cpu(), found.cpu(), batch["parts"].cpu(), len(dataset.part_names))


def described(system: System, dataset: Dataset, count: int = 10) -> Image.Image:
    """For each attribute, images of `dataset` from the least of it to the most, as the system reads them."""
    batch = images_of(dataset, in_turn(dataset, min(ORDERED, len(dataset))), system)
    read = able(system, Describes).describe(batch["image"])
    places = torch.linspace(0, len(read) - 1, min(count, len(read))).long()
    ordered = torch.cat([batch["image"].cpu()[each.argsort()[places]] for each in read.T[:ROWS].cpu()])
    return figures.sheet(ordered, len(places), rows=dataset.attribute_names[:ROWS])


def own_units(dataset: Dataset, row: Tensor) -> Tensor:
    """Standardised rows in the units of the table."""
    row = row.cpu()
    return row if dataset.scale is None or dataset.centre is None else row * dataset.scale.cpu() + dataset.centre.cpu()
