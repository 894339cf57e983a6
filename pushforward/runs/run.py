"""A run folder: everything a trained system needs to live again.

recipe.json           what it follows from
environment.json      versions, machine and command that made it
sessions.jsonl        one line per process that trained in it: when, from where to where, seconds
metrics.jsonl         one line per report: seen, player/term (no times: a resumed run has the same bytes)
checkpoints/000120000/   weights, state, facts, and a SHA-256 of each
samples/000120000.png
clusters.json         names that a user gave to clusters, where training was told no label
parts/NAME/           a copy of each trained system that this one was given: recipe and newest weights
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from pushforward.core import BadInput, System
from pushforward.data import Dataset, open_data
from pushforward.runs import checkpoint, clusters, durable
from pushforward.runs.checkpoint import Checkpoint, Damaged, Facts
from pushforward.runs.environment import environment
from pushforward.runs.finding import called, find
from pushforward.runs.lines import as_bytes, lines_of
from pushforward.runs.lock import Lock
from pushforward.runs.recipe import Recipe, differences, from_json, to_json
from pushforward.runs.weights import enter_weights, fill, without
from pushforward.training import Trainer
from pushforward.training.machines import lay_out


class Run:
    """A run folder that exists. `Run.create` makes one; `load` opens a trained system."""

    def __init__(self, folder: Path | str):
        self.folder = find(Path(folder))
        self.recipe: Recipe = from_json(durable.read(self.folder / "recipe.json", "what the run follows from"), self.folder / "recipe.json")
        self.notices: list[str] = []
        """Sentences about what was found on the way, such as a damaged checkpoint that was passed over."""

    def __str__(self) -> str:
        """What a user calls it."""
        return called(self.folder)

    @classmethod
    def create(cls, folder: Path | str, recipe: Recipe, given: "Mapping[str, Run] | None" = None) -> "Run":
        """Make a new run folder. given: the runs of `recipe.given`, which are copied.

        Raises:
            BadInput: the folder holds another run, or files that are no run.
        """
        folder = Path(folder)
        refuse_taken(folder, recipe)
        folder.mkdir(parents=True, exist_ok=True)
        with Lock(folder):
            refuse_taken(folder, recipe)
            durable.write(folder / "environment.json", json.dumps(environment(), indent=2).encode())
            for name, run in (given or {}).items():
                run.copy(folder / "parts" / name)
            durable.write(folder / "recipe.json", to_json(recipe))
        return cls(folder)

    # ---------------------------------------------------------------- saving and going on
    def save(self, trainer: Trainer, setbacks: int = 0, scheduled: bool = True) -> None:
        """Write a checkpoint of a training; older ones beyond the newest few are removed."""
        facts = Facts(trainer.seen, trainer.slower, setbacks, trainer.counted, scheduled, self.recipe)
        folder = self.folder / "checkpoints" / f"{trainer.seen:09d}"
        checkpoint.write(folder, Checkpoint(without(trainer.system.state_dict(), self.recipe), trainer.state(), facts))
        checkpoint.prune(self.folder)

    def usable(self, weights_only: bool = False) -> Iterator[tuple[Path, Checkpoint]]:
        """The checkpoints that can be used, newest first; a sentence about each other one is noted.

        Raises:
            BadInput: the recipe was changed since one was written.
        """
        for folder, found in checkpoint.newest_first(self.folder, weights_only):
            if isinstance(found, Damaged):
                self.notices.append(f"{found}; the checkpoint before it is used.")
                continue
            self.refuse_changes(found.facts.recipe)
            yield folder, found

    def refuse_changes(self, recipe: Recipe | None = None) -> None:
        """Refuse to go on by another recipe than `recipe`, by default that of the newest checkpoint.

        Raises:
            BadInput: naming the differences.
        """
        recipe = recipe or checkpoint.newest_recipe(self.folder) or self.recipe
        if changed := differences(recipe, self.recipe):
            raise BadInput(
                f"{self.folder / 'recipe.json'} was changed since training began ({'; '.join(changed)}). Undo that, or train anew."
            )

    def resume(self, trainer: Trainer, before: int | None = None) -> int:
        """Bring a new trainer to the newest valid checkpoint and forget what came after it; returns the setbacks so far.

        before: images at which the training diverged. Then the newest *scheduled* checkpoint is taken, so that interrupts make no
        difference, and one of fewer images where there is one: what was saved just before a training diverged may be spoilt already.

        Raises:
            BadInput: the recipe was changed since the checkpoint was written, or no checkpoint is usable.
        """
        self.tidy()
        for limit in (None,) if before is None else (before, before + 1):
            for folder, found in self.usable():
                if limit is None or (found.facts.scheduled and found.facts.seen < limit):
                    fill(trainer, found, folder)
                    self.forget_after(found.facts.seen)
                    return found.facts.setbacks
        if checkpoint.folders(self.folder):
            raise BadInput(f"No checkpoint of {self.folder} is usable. {' '.join(self.notices)} Train again.")
        self.forget_after(-1)
        return 0

    def follow(self, trainer: Trainer) -> int:
        """`resume` for a rank that only reads, once the first rank has resumed."""
        for folder, found in self.usable():
            fill(trainer, found, folder)
            return found.facts.setbacks
        return 0

    def tidy(self) -> None:
        """Remove what killed processes left half written."""
        for place in (self.folder, self.folder / "checkpoints", self.folder / "samples"):
            durable.tidy(place)

    def forget_after(self, seen: int) -> None:
        """Remove checkpoints, sheets and lines of metrics that are newer than `seen`."""
        for path in checkpoint.folders(self.folder):
            if int(path.name) > seen:
                durable.remove_folder(path)
        for path in self.sheets():
            if int(path.stem) > seen:
                path.unlink()
        kept = [line for line in self.metrics() if line["seen"] <= seen]
        durable.write(self.folder / "metrics.jsonl", as_bytes(kept))

    def extend(self, images: int) -> None:
        """Turn the run into one of more images: another recipe, whose schedules stretch. Its newest checkpoint is taken over."""
        if images <= self.recipe.images:
            raise BadInput(f"--extend {images} is no more than the {self.recipe.images} images the recipe has. Give a larger number.")
        with Lock(self.folder):
            self.tidy()
            for folder, found in checkpoint.newest_first(self.folder):
                if not isinstance(found, Damaged):
                    self.refuse_changes(replace(found.facts.recipe, images=self.recipe.images))
                    return self.stretch(folder, found, images)
        raise BadInput(f"{self.folder} has no usable checkpoint to go on from. Train again.")

    def stretch(self, folder: Path, found: Checkpoint, images: int) -> None:
        """Make a checkpoint the first of the recipe of more images. Where that is cut short, `extend` does it again."""
        self.recipe = replace(self.recipe, images=images)
        # scheduled, whatever it was before: a training that diverges must find one of this recipe
        facts = replace(found.facts, recipe=self.recipe, scheduled=True)
        checkpoint.write(folder, Checkpoint(found.weights, found.state, facts))
        self.forget_after(found.facts.seen)
        for older in checkpoint.folders(self.folder)[:-1]:
            durable.remove_folder(older)
        durable.write(self.folder / "recipe.json", to_json(self.recipe))

    # ---------------------------------------------------------------- reading
    def open(self) -> System:
        """The system in eval mode, as the newest valid checkpoint has it, at the stage of that checkpoint.

        Raises:
            BadInput: no checkpoint is usable, or the recipe was changed since it was written.
        """
        for folder, found in self.usable(weights_only=True):
            system = self.recipe.build(self.given())
            enter_weights(system, found, folder)
            lay_out(system)  # as in training: another order of the same weights rounds differently
            system.enter(system.schedule(found.facts.seen, self.recipe.images))
            return system.eval().requires_grad_(False)
        raise BadInput(
            f"{self.folder} has no usable checkpoint. {' '.join(self.notices)} Train it with `pushforward resume {self.folder}`."
        )

    def given(self) -> dict[str, System]:
        """The trained systems that this one was given, as they were then.

        Raises:
            BadInput: a copy is gone or was changed.
        """
        found = {}
        for name, weights in self.recipe.given.items():
            part = Run(self.folder / "parts" / name)
            if part.weights() != weights:
                raise BadInput(f"{part.folder} is not the {name} that {self.folder} was made with. Restore that folder, or train anew.")
            found[name] = part.open()
        return found

    def newest(self) -> Path:
        """The newest checkpoint that can be used.

        Raises:
            BadInput: there is none.
        """
        for folder, _ in self.usable(weights_only=True):
            return folder
        raise BadInput(f"{self.folder} has no usable checkpoint. {' '.join(self.notices)} Train it further, or give another run.")

    def weights(self) -> str:
        """SHA-256 of the newest weights."""
        return sha256(checkpoint.light(self.newest())["weights.safetensors"]).hexdigest()

    def copy(self, place: Path) -> None:
        """Write what opening this run needs into a folder."""
        newest = self.newest()
        durable.write_folder(place / "checkpoints" / newest.name, checkpoint.light(newest))
        for name in self.recipe.given:
            Run(self.folder / "parts" / name).copy(place / "parts" / name)
        durable.write(place / "recipe.json", to_json(self.recipe))

    def data(self, memory: Any = None) -> tuple[Dataset, Dataset | None]:
        """Training and test data, the same as when training began, with the names of its clusters where a user gave some.

        Raises:
            BadInput: they are not the same, or came from memory and are not given again.
        """
        train, test = data_of(self.recipe, memory)
        if self.classes == self.recipe.classes:
            return train, test
        return replace(train, classes=self.classes), None if test is None else replace(test, classes=self.classes)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes that the system tells apart."""
        return clusters.named(self.folder, self.recipe.classes)

    def name_clusters(self, given: dict[int, str]) -> tuple[str, ...]:
        """Name clusters of a run that no label has taught, {3: "seven"}, and return the names of all; see `clusters`."""
        return clusters.name(self.folder, self.recipe.classes, given)

    def seen(self) -> int:
        """Images seen at the newest checkpoint; 0 where there is none."""
        found = checkpoint.folders(self.folder)
        return int(found[-1].name) if found else 0

    def metrics(self) -> list[dict[str, float]]:
        """One entry per report: {"seen": ..., "player/term": ...}, in order."""
        return [line for line in lines_of(self.folder / "metrics.jsonl") if isinstance(line.get("seen"), int)]

    def sessions(self) -> list[dict[str, Any]]:
        """One entry per process that trained: started, from, to, seconds, memory in MiB."""
        return lines_of(self.folder / "sessions.jsonl")

    def environment(self) -> dict[str, Any]:
        """Versions, machine and command that made the run."""
        path = self.folder / "environment.json"
        try:
            return dict(json.loads(durable.read(path, "the versions that made the run")))
        except (ValueError, TypeError, RecursionError):
            raise BadInput(f"{path} holds no JSON object. The run was changed by hand or damaged; restore the file.") from None

    def sheets(self) -> list[Path]:
        """Sample sheets made while training, oldest first."""
        found = [path for path in (self.folder / "samples").glob("*.png") if path.stem.isdecimal()]
        return sorted(found, key=lambda path: int(path.stem))


def load(run: Path | str) -> System:
    """A trained system, ready to sample, encode or classify: `load("runs/x").sample(16, seed=0)`, `load("zoo/vae")`."""
    return Run(run).open()


def refuse_taken(folder: Path, recipe: Recipe) -> None:
    """Refuse to make a run where there is one, or anything else but the beginnings of one that was killed."""
    if (folder / "recipe.json").exists():
        changed = differences(Run(folder).recipe, recipe)
        what = f"with other settings ({'; '.join(changed)})" if changed else "with the same settings"
        raise BadInput(f"{folder} holds a run {what}. Use `pushforward resume {folder}`, or another --run folder.")
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is a file. Choose an empty or new --run folder.")
    known = ("lock", "environment.json", "parts")
    if folder.exists() and any(path.name not in known and path.suffix != ".part" for path in folder.iterdir()):
        raise BadInput(f"{folder} holds files that are no run. Choose an empty or new --run folder.")


def data_of(recipe: Recipe, memory: Any = None) -> tuple[Dataset, Dataset | None]:
    """Training and test data of a recipe; `memory` where they come from there.

    Raises:
        BadInput: they are not those of the recipe.
    """
    train, test = open_data(recipe.data, memory)
    if train.fingerprint != recipe.fingerprint:
        labels = f" with the labels in '{recipe.data.labels_file}'" if recipe.data.labels_file else ""
        raise BadInput(
            f"The data at '{recipe.data.path}'{labels} are not those the run was trained on "
            f"(fingerprint {train.fingerprint[:12]}, was {recipe.fingerprint[:12]}). Restore them, or train anew."
        )
    return train, test
