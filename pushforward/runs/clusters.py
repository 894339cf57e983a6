"""Names that a user gives to the clusters of a run that no label has taught: `clusters.json` beside the recipe, {"3": "seven"}."""

import json
from pathlib import Path

from pushforward.core import BadInput
from pushforward.data.hidden_labels import clusters
from pushforward.runs import durable
from pushforward.runs.finding import called

FILE = "clusters.json"


def named(folder: Path, classes: tuple[str, ...]) -> tuple[str, ...]:
    """The names of a run's classes: those of `classes`, and of clusters those that a user gave. Two clusters may bear the same one.

    Raises:
        BadInput: the file with the names is damaged.
    """
    path = folder / FILE
    if classes != clusters(len(classes)) or not path.exists():
        return classes
    try:
        given = {int(number): str(name) for number, name in json.loads(durable.read(path, "names of clusters")).items()}
    except (ValueError, AttributeError, RecursionError):
        raise BadInput(f"{path} holds no names of clusters. It was damaged; remove it and name the clusters again.") from None
    return tuple(given.get(number, name) for number, name in enumerate(classes))


def name(folder: Path, classes: tuple[str, ...], given: dict[int, str]) -> tuple[str, ...]:
    """Give clusters names, beside or in place of those that they have, and return the names of all; where none is given, only those.

    classes: as the recipe has them.

    Raises:
        BadInput: a run whose classes have names from its labels, a cluster that it has not, or an empty name.
    """
    if not classes or classes != clusters(len(classes)):
        raise BadInput(
            f"{called(folder)} has no clusters to name: its classes are those of its labels ({', '.join(classes[:20]) or 'none'})."
        )
    for number, word in given.items():
        if not 0 <= number < len(classes):
            raise BadInput(f"There is no cluster {number}: those of {folder} are numbered 0..{len(classes) - 1}.")
        if not word.strip():
            raise BadInput(f"The name of cluster {number} is empty. Write, for example, {number}=cat.")
    names = [given.get(number, word).strip() for number, word in enumerate(named(folder, classes))]
    if not given:
        return tuple(names)
    changed = {str(number): word for number, word in enumerate(names) if word != classes[number]}
    durable.write(folder / FILE, json.dumps(changed, indent=2, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
    return tuple(names)
