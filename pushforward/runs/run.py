"""A run folder: everything a trained system needs to live again.

    recipe.json           what it follows from
    environment.json      versions, machine and command that made it
    sessions.jsonl        one line per process that trained in it: when, from where to where, seconds
    metrics.jsonl         one line per report: seen, player/term (no times: a resumed run has the same bytes)
    checkpoints/000120000/   weights, state, facts, and a SHA-256 of each
    samples/000120000.png
"""

import json
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pushforward.core import BadInput, System, nearest
from pushforward.data import Dataset, open_data
from pushforward.runs import checkpoint, durable
from pushforward.runs.checkpoint import Checkpoint, Damaged
from pushforward.runs.recipe import RECIPE, Recipe, differences, from_json, to_json
from pushforward.training import Trainer

ZOO = Path(__file__).parents[1] / "zoo"


class Run:
    """A run folder that exists. `Run.create` makes one; `load` opens a trained system."""

    def __init__(self, folder: Path | str):
        self.folder = find(Path(folder))
        self.recipe: Recipe = from_json(durable.read(self.folder / "recipe.json", "what the run follows from"), self.folder / "recipe.json")
        self.notices: list[str] = []
        """Sentences about what was found on the way, such as a damaged checkpoint that was passed over."""

    @classmethod
    def create(cls, folder: Path | str, recipe: Recipe) -> "Run":
        """Make a new run folder.

        Raises:
            BadInput: the folder holds another run, or files that are no run.
        """
        folder = Path(folder)
        if (folder / "recipe.json").exists():
            changed = differences(cls(folder).recipe, recipe)
            what = f"with other settings ({'; '.join(changed)})" if changed else "with the same settings"
            raise BadInput(f"{folder} holds a run {what}. Use `pushforward resume {folder}`, or another --run folder.")
        if folder.exists() and any(path.name != "lock" for path in folder.iterdir()):
            raise BadInput(f"{folder} holds files that are no run. Choose an empty or new --run folder.")
        folder.mkdir(parents=True, exist_ok=True)
        durable.write(folder / "environment.json", json.dumps(environment(), indent=2).encode())
        durable.write(folder / "recipe.json", to_json(recipe))
        return cls(folder)

    # ---------------------------------------------------------------- saving and going on
    def save(self, trainer: Trainer, setbacks: int = 0, scheduled: bool = True) -> None:
        """Write a checkpoint of a training; older ones beyond the newest few are removed."""
        facts = {
            "seen": trainer.seen,
            "slower": trainer.slower,
            "counted": trainer.counted,
            "setbacks": setbacks,
            "scheduled": scheduled,
            "recipe": RECIPE.dump_python(self.recipe, mode="json"),
        }
        folder = self.folder / "checkpoints" / f"{trainer.seen:09d}"
        checkpoint.write(folder, Checkpoint(trainer.system.state_dict(), trainer.state(), facts))
        checkpoint.prune(self.folder, self.scheduled())

    def scheduled(self) -> set[int]:
        """Images seen at the checkpoints that no interrupt made."""
        facts = [json.loads((path / "facts.json").read_bytes()) for path in checkpoint.folders(self.folder)]
        return {fact["seen"] for fact in facts if fact["scheduled"]}

    def resume(self, trainer: Trainer, scheduled_only: bool = False) -> int:
        """Bring a new trainer to the newest valid checkpoint and forget what came after it; returns the setbacks so far.

        Raises:
            BadInput: the recipe was changed since the checkpoint was written, or no checkpoint is usable.
        """
        for folder, found in checkpoint.newest_first(self.folder):
            if isinstance(found, Damaged):
                self.notices.append(f"{found}; the checkpoint before it is used.")
                continue
            if scheduled_only and not found.facts["scheduled"]:
                continue
            changed = differences(RECIPE.validate_python(found.facts["recipe"]), self.recipe)
            if changed:
                raise BadInput(f"{self.folder / 'recipe.json'} was changed since training began ({'; '.join(changed)}). Undo that, or train anew.")
            trainer.system.load_state_dict(found.weights)
            trainer.restore(found.state, found.facts["seen"], found.facts["slower"], found.facts["counted"])
            self.forget_after(int(folder.name))
            return int(found.facts["setbacks"])
        if any(checkpoint.folders(self.folder)):
            raise BadInput(f"No checkpoint of {self.folder} is usable: {' '.join(self.notices)} Train again.")
        self.forget_after(-1)
        return 0

    def forget_after(self, seen: int) -> None:
        """Remove checkpoints, sheets and lines of metrics that are newer than `seen`, and what killed processes left."""
        import shutil

        for path in checkpoint.folders(self.folder):
            if int(path.name) > seen:
                shutil.rmtree(path)
        for path in self.sheets():
            if int(path.stem) > seen:
                path.unlink()
        for place in (self.folder, self.folder / "checkpoints", self.folder / "samples"):
            durable.clear_leftovers(place)
        kept = [line for line in self.metrics() if line["seen"] <= seen]
        durable.write(self.folder / "metrics.jsonl", b"".join(as_line(line) for line in kept))

    def extend(self, images: int) -> None:
        """Turn the run into one of more images: another recipe, whose schedules stretch. Its newest checkpoint is taken over."""
        from dataclasses import replace

        if images <= self.recipe.images:
            raise BadInput(f"--extend {images} is no more than the {self.recipe.images} images the recipe has. Give a larger number.")
        for folder, found in checkpoint.newest_first(self.folder):
            if not isinstance(found, Damaged):
                self.recipe = replace(self.recipe, images=images)
                facts = found.facts | {"recipe": RECIPE.dump_python(self.recipe, mode="json")}
                checkpoint.write(folder, Checkpoint(found.weights, found.state, facts))
                self.forget_after(int(folder.name))
                for older in checkpoint.folders(self.folder)[:-1]:
                    import shutil

                    shutil.rmtree(older)
                durable.write(self.folder / "recipe.json", to_json(self.recipe))
                return
        raise BadInput(f"{self.folder} has no usable checkpoint to go on from. Train again.")

    # ---------------------------------------------------------------- reading
    def open(self) -> System:
        """The system in eval mode, as the newest valid checkpoint has it, at the stage of that checkpoint."""
        for folder, found in checkpoint.newest_first(self.folder, weights_only=True):
            if isinstance(found, Damaged):
                self.notices.append(f"{found}; the checkpoint before it is used.")
                continue
            system = self.recipe.build()
            system.load_state_dict(found.weights)
            system.enter(system.schedule(int(folder.name), self.recipe.images))
            return system.eval().requires_grad_(False)
        raise BadInput(f"{self.folder} has no usable checkpoint. {' '.join(self.notices)} Train it with `pushforward resume {self.folder}`.")

    def data(self, memory: Any = None) -> tuple[Dataset, Dataset | None]:
        """Training and test data, the same as when training began.

        Raises:
            BadInput: they are not the same, or came from memory and are not given again.
        """
        train, test = open_data(self.recipe.data, memory)
        if train.fingerprint != self.recipe.fingerprint:
            raise BadInput(
                f"The data at '{self.recipe.data.path}' are not those the run was trained on "
                f"(fingerprint {train.fingerprint[:12]}, was {self.recipe.fingerprint[:12]}). Restore them, or train anew."
            )
        return train, test

    def seen(self) -> int:
        """Images seen at the newest checkpoint; 0 where there is none."""
        found = checkpoint.folders(self.folder)
        return int(found[-1].name) if found else 0

    def metrics(self) -> list[dict[str, float]]:
        """One entry per report: {"seen": ..., "player/term": ...}, in order."""
        return lines_of(self.folder / "metrics.jsonl")

    def sessions(self) -> list[dict[str, Any]]:
        """One entry per process that trained: started, from, to, seconds, memory in MiB."""
        return lines_of(self.folder / "sessions.jsonl")

    def environment(self) -> dict[str, Any]:
        """Versions, machine and command that made the run."""
        return json.loads(durable.read(self.folder / "environment.json", "the versions that made the run"))

    def sheets(self) -> list[Path]:
        """Sample sheets made while training, oldest first."""
        found = [path for path in (self.folder / "samples").glob("*.png") if path.stem.isdigit()]
        return sorted(found, key=lambda path: int(path.stem))


def find(folder: Path) -> Path:
    """The run folder meant by a path; `zoo/NAME` is one that comes with the package.

    Raises:
        BadInput: naming the nearest run.
    """
    if not folder.is_dir() and folder.parts[:1] == ("zoo",):
        folder = ZOO.joinpath(*folder.parts[1:])
    if not folder.is_dir():
        runs = [path.parent for place in (folder.parent, Path("runs")) for path in sorted(place.glob("*/recipe.json"))]
        shipped = [f"zoo/{path.parent.name}" for path in sorted(ZOO.glob("*/recipe.json"))]
        raise BadInput(f"There is no run '{folder}'{nearest(str(folder), [*map(str, runs), *shipped])} Runs that come with the package: {', '.join(shipped) or 'none'}.")
    if not (folder / "recipe.json").exists():
        raise BadInput(f"{folder} is no run: it has no recipe.json. Give a folder that `pushforward train` made.")
    return folder


def load(run: Path | str) -> System:
    """A trained system, ready to sample, encode or classify: `load("runs/x").sample(16, seed=0)`, `load("zoo/vae")`."""
    return Run(run).open()


def as_line(entry: dict[str, Any]) -> bytes:
    """One line of a .jsonl file."""
    return json.dumps(entry).encode() + b"\n"


def append(path: Path, entry: dict[str, Any]) -> None:
    """Add a line to a .jsonl file."""
    with open(path, "ab") as file:
        file.write(as_line(entry))
        file.flush()
        os.fsync(file.fileno())


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The lines of a .jsonl file; a last one that was cut off is passed over."""
    if not path.exists():
        return []
    found = []
    for line in path.read_bytes().splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def environment() -> dict[str, Any]:
    """What this process runs on."""
    import torch

    def found(package: str) -> str:
        try:
            return version(package)
        except PackageNotFoundError:
            return "not installed"

    packages = ["pushforward", "torch", "numpy", "pillow", "scikit-learn", "safetensors"]
    return {
        "command": command(),
        "versions": {"python": platform.python_version(), **{package: found(package) for package in packages}},
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "processor": str(torch.cpu.get_capabilities().get("cpu_name", platform.processor())),
            "threads": torch.get_num_threads(),
            "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        },
    }


def command() -> str:
    """The command line, with the program's name in place of its path."""
    program = Path(sys.argv[0]).name or "python"
    return " ".join(["pushforward" if program in ("__main__.py", "cli.py") else program, *sys.argv[1:]])
