"""What is interrupted and resumed ends in the same bytes as what never was."""

import shutil
from pathlib import Path

import pytest

from pushforward.data import open_data
from pushforward.runs import Interrupted, Recipe, checkpoint, go_on, start
from pushforward.runs.session import trainer_of
from tests.runs.small import BATCH, KINDS, ROUNDS, contents, interrupted_at, recipe_of

FINISHED = {"vae": 1, "game": 2}
"""From every so-many-th split a run is let go on to its end; elsewhere from every sixth."""


def states(recipe: Recipe) -> dict[int, tuple[bytes, bytes]]:
    """Weights and training state after each round of a training that nothing interrupts, by images seen."""
    trainer, found = trainer_of(recipe, open_data(recipe.data)[0]), {}
    for _ in trainer.rounds():
        if trainer.seen % recipe.report_every == 0:
            trainer.report()
        tensors = (trainer.system.state_dict(), trainer.state())
        found[trainer.seen] = tuple(checkpoint.bytes_of(checkpoint.plain(each)) for each in tensors)
    return found  # type: ignore[return-value]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("quick")
def test_a_run_split_at_any_round_ends_in_the_same_bytes(kind: str, tmp_path: Path) -> None:
    """One run is interrupted after every round, and each time stands where the uninterrupted one does; copies of it go on to the end."""
    recipe = recipe_of(kind, tmp_path)
    whole = start(tmp_path / "whole", recipe, quiet=True)
    expected, at = contents(whole.folder), states(recipe)
    assert (
        len({line["seen"] for line in whole.metrics()} & set(range(0, 161, 3 * BATCH)) | {160}) == 7
        and len(whole.sheets()) == 4
        and len(list((whole.folder / "checkpoints").iterdir())) == 3
    )
    broken = tmp_path / "broken"
    for split in range(1, ROUNDS):
        with interrupted_at(split * BATCH), pytest.raises(Interrupted) as stop:
            go_on(broken, quiet=True) if broken.exists() else start(broken, recipe, quiet=True)
        assert stop.value.code == 143
        newest = broken / "checkpoints" / f"{split * BATCH:09d}"
        assert (newest / "weights.safetensors").read_bytes() == at[split * BATCH][0], f"weights after round {split}"
        assert (newest / "state.safetensors").read_bytes() == at[split * BATCH][1], f"state after round {split}"
        if split % FINISHED.get(kind, 6) == 0:
            copy = tmp_path / f"split-{split}"
            shutil.copytree(broken, copy)
            go_on(copy, quiet=True)
            assert contents(copy) == expected, f"split after round {split}"
    go_on(broken, quiet=True)
    assert contents(broken) == expected
