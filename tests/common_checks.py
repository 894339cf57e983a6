"""What every system must do, whatever its paper: each check takes a `Case`, a system in one of its variants.

The checks ask what a system can do (its abilities) and what it needs (the keys of its batches), never which one it is.
"""

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pushforward.core import (
    Classifies,
    Edits,
    Encodes,
    Player,
    Samples,
    Terms,
)
from pushforward.core import check as check_batch
from pushforward.runs import Run, config_as_json, config_of
from tests.ability_checks import ABILITIES, codes_of, images_of, refuses
from tests.cases import MOMENTS, TOTAL, Case, at


class Watched(dict[str, Tensor]):
    """Terms that remember which of them were read."""

    def __init__(self, terms: Terms):
        super().__init__(terms)
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> Tensor:
        self.read.add(key)
        return super().__getitem__(key)


def copies(named: Iterator[tuple[str, Tensor]]) -> dict[str, Tensor]:
    return {key: value.detach().clone() for key, value in named}


def changed(before: dict[str, Tensor], now: Iterator[tuple[str, Tensor]]) -> set[str]:
    return {key for key, value in now if not torch.equal(before[key], value)}


def own(system: nn.Module, player: Player) -> set[str]:
    """Names, in the system, of the weights that a player may move."""
    ids = {id(weight) for weight in player.module.parameters()}
    return {key for key, weight in system.named_parameters() if id(weight) in ids}


# ---------------------------------------------------------------- the checks


def config_survives_json(case: Case, folder: Path) -> None:
    """config -> JSON -> config is the identity, and an unknown option is refused."""
    config = config_of(case.kind, case.settings)
    assert config_of(case.kind, json.loads(json.dumps(config_as_json(config)))) == config
    assert hash(config) == hash(config_of(case.kind, case.settings)), "a Config is frozen"
    assert refuses(lambda: config_of(case.kind, case.settings | {"no_such_option": 1}))


def its_docstring_says_what_it_is(case: Case, folder: Path) -> None:
    """The module cites a source (an author and a year) and states shapes."""
    said = sys.modules[case.kind.__module__].__doc__ or ""
    assert re.search(r"[A-Z][\w-]+(?: et al\.)?,? \(?(?:19|20)\d\d", said), "cite the paper: Kingma & Welling 2014"
    assert re.search(r"Shapes: [^.]*\[", said), "state the shapes: x [N, C, H, W]"


def its_schedule_is_a_function_of_images_seen(case: Case, folder: Path) -> None:
    """The same answer whenever it is asked; nothing ever goes back; asking changes nothing."""
    system = case.build()
    entered, weights = system.stage, copies(iter(system.state_dict().items()))
    places = sorted({*range(0, TOTAL + 1, 500), 1, TOTAL - 1, 2 * TOTAL})
    stages = [system.schedule(seen, TOTAL) for seen in places]
    assert [system.schedule(seen, TOTAL) for seen in reversed(places)] == stages[::-1]
    assert system.stage == entered and not changed(weights, iter(system.state_dict().items()))
    other = case.build()
    other.enter(stages[-1])
    assert [other.schedule(seen, TOTAL) for seen in places] == stages, "it depends on where the system stands"
    for before, after in pairwise(stages):
        for quantity in ("seen", "progress", "resolution", "era"):
            assert getattr(before, quantity) <= getattr(after, quantity), f"{quantity} goes back"
    for seen, stage in zip(places, stages, strict=True):
        assert stage.seen == seen and stage.batch_size > 0 and stage.rate >= 0
        assert 0 <= stage.progress <= 1 and 0 <= stage.fade <= 1


def its_players_stay_the_same(case: Case, folder: Path) -> None:
    """Names, modules and optimiser kinds are those of the start; weights belong to one player; averages to none."""
    system, made = at(case, 0)
    first = system.players()
    assert first and len({player.name for player in first}) == len(first)
    weights = [id(weight) for player in first for weight in player.module.parameters()]
    assert len(weights) == len(set(weights)), "two players share weights"
    for player in first:
        if player.average:
            twins = list(player.average.twin.parameters())
            assert twins and not any(twin.requires_grad for twin in twins) and not player.average.twin.training
            assert not {id(twin) for twin in twins} & set(weights), "an average lies inside a player's module"
            assert {id(twin) for twin in twins} <= {id(weight) for weight in system.parameters()}, "the system owns the average"
    for seen in MOMENTS:
        system.enter(system.schedule(seen, TOTAL))
        now = system.players()
        assert [player.name for player in now] == [player.name for player in first]
        assert all(a.module is b.module and a.optimiser.kind == b.optimiser.kind for a, b in zip(now, first, strict=True))
        assert any(player.plays for player in now), "nobody is left who could lift the pause"
        check_batch(made.batch(system.stage, 0, 0, 1))


def a_turn_moves_only_its_own_weights(case: Case, folder: Path) -> None:
    """Of all weights only the player's change, and some do; adaptive buffers and averages are left to `adapt` and the trainer."""
    for index in range(len(case.build().players())):
        trainer = case.trainer()
        system, player = trainer.system, trainer.players[index]
        players_buffers = {id(buffer) for other in trainer.players for buffer in other.module.buffers()}
        weights = copies(system.named_parameters())
        kept = {key: buffer for key, buffer in system.named_buffers() if id(buffer) not in players_buffers}
        buffers = copies(iter(kept.items()))
        for _ in range(2):  # the first step may be one where a layer starts at zero and passes no gradient on
            trainer.move(trainer.field([player]))
        moved = changed(weights, system.named_parameters())
        assert moved, f"a turn of {player.name} moves nothing"
        assert moved <= own(system, player), f"a turn of {player.name} moves {sorted(moved - own(system, player))}"
        assert not changed(buffers, iter(kept.items())), f"a turn of {player.name} writes to buffers that are `adapt`'s"


def its_losses_are_fit_to_train_by(case: Case, folder: Path) -> None:
    """Finite scalars with a gradient at every moment of a run; terms are scalars but those that `adapt` reads; batches stay as they are."""
    system, made = at(case, 0)
    for seen in MOMENTS:
        system.enter(system.schedule(seen, TOTAL))
        for player in system.players():
            batch = made.batch(system.stage, 0, 0, 1)
            given = copies(iter(batch.items()))  # type: ignore[arg-type]
            torch.manual_seed(0)
            loss, terms = player.loss(batch)
            assert batch.keys() == given.keys() and not changed(given, iter(batch.items())), "the loss changes its batch"  # type: ignore[arg-type]
            assert loss.ndim == 0 and torch.isfinite(loss) and loss.requires_grad
            assert "loss" not in terms, "the trainer adds the loss to the terms by itself"
            assert all(torch.isfinite(term).all() for term in terms.values()), terms
            watched = Watched({"loss": loss.detach()} | {key: term.detach() for key, term in terms.items()})
            system.adapt(player.name, watched)
            vectors = {key for key, term in terms.items() if term.ndim}
            assert vectors <= watched.read, f"{sorted(vectors - watched.read)} are no scalars, and `adapt` does not read them"


def two_hundred_images_train_in_five_seconds(case: Case, folder: Path) -> None:
    """CPU seconds on one thread, building included, so that a busy machine does not matter. Nothing is left changed outside."""
    state, start = torch.get_rng_state(), time.process_time()
    trainer = case.trainer(200)
    before = copies(trainer.system.named_parameters())
    for _ in trainer.rounds():
        pass
    assert time.process_time() - start < 5
    assert torch.equal(torch.get_rng_state(), state), "training leaves the caller's generator somewhere else"
    moved = changed(before, trainer.system.named_parameters())
    assert all(moved & own(trainer.system, player) for player in trainer.players)
    assert all(torch.isfinite(weight).all() for weight in trainer.system.state_dict().values())
    report = trainer.report()
    assert report and all(abs(value) < float("inf") for value in report.values())


def what_is_saved_opens_the_same(case: Case, folder: Path) -> None:
    """A run folder gives back the same samples, codes, classes and edits to the bit, at the same stage."""
    trainer = case.trainer()
    rounds = trainer.rounds()
    next(rounds), next(rounds)
    rounds.close()
    run = Run.create(folder / "run", case.recipe)
    run.save(trainer)
    system, opened = trainer.system.eval(), Run(run.folder).open()
    assert opened.stage == system.stage and not opened.training
    assert not changed(copies(iter(system.state_dict().items())), iter(opened.state_dict().items()))
    batch = trainer.source.batch(system.stage, 0, 0, 1)
    asked: list[tuple[type, Callable[[Any], Tensor | None]]] = [
        (Samples, images_of),
        (Encodes, lambda one: codes_of(one, batch)),
        (Classifies, lambda one: one.logits(batch["image"])),
        (Edits, lambda one: one.edit(batch, seed=1) if "source" in batch else None),
    ]
    for ability, ask in asked:
        if isinstance(system, ability) and (before := ask(system)) is not None:
            assert torch.equal(before, ask(opened)), f"{ability.__name__}: what was opened answers otherwise"  # type: ignore[arg-type]


CHECKS = [
    config_survives_json,
    its_docstring_says_what_it_is,
    its_schedule_is_a_function_of_images_seen,
    its_players_stay_the_same,
    a_turn_moves_only_its_own_weights,
    its_losses_are_fit_to_train_by,
    two_hundred_images_train_in_five_seconds,
    *ABILITIES,
    what_is_saved_opens_the_same,
]
