"""A recipe: everything a run follows from, as one frozen dataclass that is also the run's `recipe.json`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from pushforward.core import BadInput, System, find_system, nearest
from pushforward.data import DataSpec
from pushforward.data.hidden_labels import clusters

FORMAT = 1
"""Number of the run folder's format; raised when old folders can no longer be read."""


Count = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class Recipe:
    """What is trained, on what, how long and how."""

    system: str
    """Name of the system: a file of `systems/`, or any importable module."""
    config: dict[str, Any]
    """The system's `Config`."""
    data: DataSpec
    images: Count
    """Images to train for."""
    fingerprint: str
    """SHA-256 of the training data."""
    classes: tuple[str, ...] = ()
    """Names of their classes, so that a run knows them where its data are not at hand."""
    attributes: tuple[str, ...] = ()
    """Names of their attributes."""
    parts: tuple[str, ...] = ()
    """Names of the parts in their maps; of a label map its colours."""
    name: str = ""
    labelled: Annotated[int, Field(ge=0)] = 0
    """Labelled images that each batch has beside the unlabelled ones."""
    seed: int = 0
    rule: str = "alternating"
    shards: Count = 1
    precision: Literal["float32", "bfloat16"] = "float32"
    clip: Annotated[float, Field(ge=0)] = 0.0
    compiled: bool = False
    tensorboard: bool = False
    """Write the curves for TensorBoard too."""
    given: dict[str, str] = field(default_factory=dict)
    """Trained systems from outside, by name, with the SHA-256 of their weights; copies lie in the run's `parts/`."""
    report_every: Count = 10_000
    """Images between two lines of `metrics.jsonl`."""
    sheet_every: Count = 100_000
    save_every: Count = 100_000
    format: int = FORMAT

    __pydantic_config__ = {"extra": "forbid"}  # noqa: RUF012

    @property
    def settings(self) -> dict[str, Any]:
        """What advice on a training may change, and how it stands: the system's `Config`, `rule`, and `labels` where some may be known."""
        taught = {} if self.classes == clusters(len(self.classes)) else {"labels": self.data.labels}
        return self.config | {"rule": self.rule.partition(":")[0]} | taught

    def build(self, given: Mapping[str, System] | None = None) -> System:
        """The system, untrained: its first weights are a function of the seed. given: the systems from outside."""
        import torch

        from pushforward.training.machines import generators_left_alone, seed_of

        kind = find_system(self.system)
        with generators_left_alone():
            torch.default_generator.manual_seed(seed_of(self.seed, "weights"))
            return kind(config_of(kind, self.config), **given or {})  # type: ignore[call-arg]


RECIPE = TypeAdapter(Recipe)


def config_of(kind: type[System], settings: dict[str, Any]) -> Any:
    """The system's `Config` made from settings; unknown names and unfit values are refused.

    Raises:
        BadInput: naming the setting, its value and the nearest known name.
    """
    known = [field.name for field in fields(kind.Config)]
    for name in settings:
        if name not in known:
            raise BadInput(f"{kind.__name__} has no option '{name}'{nearest(name, known)} It has: {', '.join(known)}.")
    for name, value in settings.items():
        if isinstance(value, float) and not isfinite(value):
            raise BadInput(f"{kind.__name__}: '{name}' is {value}: input should be a finite number.")
    try:
        return TypeAdapter(kind.Config).validate_python(settings)
    except ValidationError as error:
        raise BadInput(f"{kind.__name__}: {told(error)}") from None


def config_as_json(config: Any) -> dict[str, Any]:
    """A `Config` as JSON values; `config_of` undoes it."""
    return TypeAdapter(type(config)).dump_python(config, mode="json")


def told(error: ValidationError) -> str:
    """The first complaint of a validation as a sentence."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"]) or "the settings"
    return f"'{place}' is {first.get('input')!r}: {first['msg'][0].lower()}{first['msg'][1:]}."


def to_json(recipe: Recipe) -> bytes:
    """The bytes of `recipe.json`."""
    return json.dumps(RECIPE.dump_python(recipe, mode="json"), indent=2, sort_keys=True).encode() + b"\n"


def from_json(text: bytes, where: Path) -> Recipe:
    """The recipe in `text`, read from `where`.

    Raises:
        BadInput: no JSON, another format, unknown or unfit settings.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise BadInput(f"{where} holds no JSON. The run was changed by hand or damaged; restore the file or train again.") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        found = content.get("format") if isinstance(content, dict) else content
        raise BadInput(f"{where} has run format {found!r}, but this version reads format {FORMAT}. Use the version that made it.")
    try:
        return RECIPE.validate_python(content)
    except ValidationError as error:
        raise BadInput(f"{where}: {told(error)}") from None


def differences(one: Recipe, other: Recipe) -> list[str]:
    """What differs between two recipes, a setting each: `seed: 0 -> 1`."""
    a, b = (flat(RECIPE.dump_python(recipe, mode="json")) for recipe in (one, other))
    return [f"{key}: {a.get(key)!r} -> {b.get(key)!r}" for key in sorted(a.keys() | b.keys()) if a.get(key) != b.get(key)]


def flat(tree: dict[str, Any], before: str = "") -> dict[str, Any]:
    """Nested settings as one level: `config.latent`."""
    found: dict[str, Any] = {}
    for key, value in tree.items():
        found |= flat(value, f"{before}{key}.") if isinstance(value, dict) else {before + key: value}
    return found
