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
    BadInput,
    Batch,
    Classifies,
    Compares,
    Describes,
    Edits,
    Encodes,
    Parses,
    Player,
    Samples,
    System,
    Terms,
    Weighs,
)
from pushforward.core import check as check_batch
from pushforward.runs import Run, config_as_json, config_of
from tests.cases import MOMENTS, TOTAL, Case, Made, at


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


def images_of(system: System, seed: int | None = 3) -> Tensor | None:
    """A few new examples; None where the system invents none without being shown something."""
    assert isinstance(system, Samples)
    try:
        return system.sample(5, seed=seed)
    except BadInput:
        assert isinstance(system, Edits), "only a system that edits may refuse to sample"
        return None


def codes_of(system: System, batch: Batch) -> Tensor | None:
    """Codes of a batch, with its labels where the system asks for them; None where it encodes nothing without being shown more."""
    assert isinstance(system, Encodes)
    x = batch["image"] if "image" in batch else batch["row"]
    for label in (None, batch.get("label", torch.zeros(len(x), dtype=torch.int64)).clamp(min=0)):
        try:
            return system.encode(x, label)
        except BadInput:
            continue
    assert isinstance(system, Edits), "only a system that edits may refuse to encode"
    return None


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


def it_samples(case: Case, folder: Path) -> None:
    """As many as are asked for, images in [-1, 1] at the stage's resolution; the same seed, the same bytes."""
    system, made = at(case, 0)
    system.eval()
    for seen in MOMENTS[::3]:
        system.enter(system.schedule(seen, TOTAL))
        if not isinstance(system, Samples) or (found := images_of(system)) is None:
            return
        batch = made.batch(system.stage, 0, 0, 1)
        shape = (batch["image"] if "image" in batch else batch["row"]).shape[1:]
        assert found.shape == (5, *shape) and torch.isfinite(found).all() and not found.requires_grad
        assert "row" in batch or found.abs().max() <= 1
        state = torch.get_rng_state()
        assert torch.equal(system.sample(5, seed=3), found)
        assert torch.equal(torch.get_rng_state(), state), "a seed was given, yet the caller's generator moved"
        assert not torch.equal(system.sample(5, seed=4), found)
        assert system.sample(0, seed=3).shape == (0, *shape)
        if system.labels:
            assert not torch.equal(system.sample(5, label=0, seed=3), system.sample(5, label=1, seed=3))
            each = system.sample(3, label=torch.tensor([1, 0, 1]), seed=3)
            torch.testing.assert_close(each[1], system.sample(3, label=0, seed=3)[1])


def it_refuses_labels_that_it_does_not_know(case: Case, folder: Path) -> None:
    """A label outside 0..K-1, or any label where it was told none: one sentence."""
    system = case.build().eval()
    if not isinstance(system, Samples) or images_of(system) is None:
        return
    wrong: list[Any] = [system.labels, -1, torch.full((2,), system.labels)]
    for label in wrong:
        assert refuses(lambda label=label: system.sample(2, label=label, seed=0)), f"label {label} of {system.labels} is taken"  # type: ignore[misc]
    if system.labels and isinstance(system, Encodes):
        code = codes_of(system, Made.accepted_by(system).batch(system.stage, 0, 0, 1))
        assert code is not None and refuses(lambda: system.decode(code, system.labels))


def refuses(ask: Callable[[], object]) -> bool:
    """Whether it is refused, in one sentence."""
    try:
        ask()
    except BadInput as error:
        return len(str(error)) > 20 and "\n" not in str(error)
    return False


def it_encodes(case: Case, folder: Path) -> None:
    """Codes [N, latent] of examples, and examples back from codes."""
    system, made = at(case, 0)
    batch = made.batch(system.stage, 0, 0, 1)
    if not isinstance(system.eval(), Encodes) or (code := codes_of(system, batch)) is None:
        return
    x = batch["image"] if "image" in batch else batch["row"]
    assert code.ndim == 2 and len(code) == len(x) and code.shape[1] == getattr(system.config, "latent", code.shape[1])
    torch.testing.assert_close(codes_of(system, batch), code, rtol=0, atol=0)
    assert len(code.unique(dim=0)) == len(x), "different images have the same code"
    back = system.decode(code)
    assert back.shape == x.shape and torch.isfinite(back).all() and not back.requires_grad and not code.requires_grad
    assert "row" in batch or back.abs().max() <= 1


def it_answers_where_its_weights_lie(case: Case, folder: Path) -> None:
    """Everything it makes is made on the device of its weights; `meta` stands for a device that is not the CPU."""
    system, made = at(case, 0)
    batch = {key: value.to("meta") for key, value in made.batch(system.stage, 0, 0, 1).items()}  # type: ignore[attr-defined]
    label = 1 if getattr(system, "labels", 0) else None
    editing = isinstance(system, Edits) and "source" in batch
    system.to("meta").eval()
    if isinstance(system, Samples) and not editing:
        assert system.sample(3, label=label, seed=0).is_meta
    if isinstance(system, Encodes) and not editing:
        code = system.encode(batch["image"] if "image" in batch else batch["row"], label)
        assert code.is_meta and system.decode(code, label).is_meta
    if isinstance(system, Classifies):
        assert system.logits(batch["image"]).is_meta
    if editing:
        assert system.edit(batch, seed=0).is_meta  # type: ignore[attr-defined]


def it_classifies(case: Case, folder: Path) -> None:
    """logits [N, K]; an image is read alike whatever else is in the batch."""
    system, made = at(case, 0)
    if not isinstance(system.eval(), Classifies):
        return
    image = made.batch(system.stage, 0, 0, 1)["image"]
    logits = system.logits(image)
    assert logits.shape == (len(image), made.classes) and torch.isfinite(logits).all() and not logits.requires_grad
    torch.testing.assert_close(system.logits(image[:3]), logits[:3], rtol=1e-4, atol=1e-5)


def it_describes(case: Case, folder: Path) -> None:
    """Attributes in [0, 1], [N, A]."""
    system, made = at(case, 0)
    if not isinstance(system.eval(), Describes):
        return
    batch = made.batch(system.stage, 0, 0, 1)
    found = system.describe(batch["image"])
    assert found.shape == batch["attributes"].shape and found.min() >= 0 and found.max() <= 1 and not found.requires_grad


def it_compares(case: Case, folder: Path) -> None:
    """Features [N, d], those of an image whatever else is in the batch."""
    system, made = at(case, 0)
    if not isinstance(system.eval(), Compares):
        return
    image = made.batch(system.stage, 0, 0, 1)["image"]
    features = system.features(image)
    assert features.ndim == 2 and len(features) == len(image) and features.std() > 0 and not features.requires_grad
    torch.testing.assert_close(system.features(image[:3]), features[:3], rtol=1e-3, atol=1e-4)


def it_parses(case: Case, folder: Path) -> None:
    """Logits [N, P, H, W]; an image is parsed alike whatever else is in the batch."""
    system, made = at(case, 0)
    if not isinstance(system.eval(), Parses):
        return
    image = made.batch(system.stage, 0, 0, 1)["image"]
    logits = system.parse(image)
    assert logits.shape == (len(image), system.config.parts, *image.shape[2:]) and torch.isfinite(logits).all() and not logits.requires_grad
    torch.testing.assert_close(system.parse(image[:3]), logits[:3], rtol=1e-3, atol=1e-4)


def it_edits(case: Case, folder: Path) -> None:
    """Images in [-1, 1] of the size of the source; always the same without a seed, and the same for the same seed."""
    system, made = at(case, 0)
    batch = made.batch(system.stage, 0, 0, 1)
    if not isinstance(system.eval(), Edits):
        return
    if "source" not in batch:
        assert refuses(lambda: system.edit(batch))
        return
    found = system.edit(batch)
    assert found.shape[0] == len(batch["source"]) and found.shape[2:] == batch["source"].shape[2:]
    assert found.abs().max() <= 1 and not found.requires_grad
    assert torch.equal(system.edit(batch), found)
    assert torch.equal(system.edit(batch, seed=1), system.edit(batch, seed=1))


def it_weighs(case: Case, folder: Path) -> None:
    """Importance weights of each example, as many as are asked for, finite; a posterior, where there is one, for each."""
    system, made = at(case, 0)
    batch = made.batch(system.stage, 0, 0, 1)
    if not isinstance(system.eval(), Weighs):
        return
    if "label" in batch:
        batch["label"] = batch["label"].clamp(min=0)
    n = system.stage.batch_size
    for found in system.log_weights(batch, 3):
        assert found.shape == (3, n) and torch.isfinite(found).all() and not found.requires_grad
    assert all(len(part) == n for part in system.posterior(batch) or ())


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
    it_samples,
    it_refuses_labels_that_it_does_not_know,
    it_encodes,
    it_answers_where_its_weights_lie,
    it_classifies,
    it_edits,
    it_describes,
    it_compares,
    it_parses,
    it_weighs,
    what_is_saved_opens_the_same,
]
