"""The loop: who moves, by how much, from which random numbers, and what is noticed."""

from contextlib import nullcontext
from functools import partial
from math import isclose, sqrt
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pushforward.core import SGD, Adam, Batch, Terms
from pushforward.data import DataSpec, Shuffled, open_data
from pushforward.systems.vae import VAE
from pushforward.training import Trainer, machines, threads
from pushforward.training.fields import Field
from pushforward.training.threads import fitting_threads
from tests.tiny_game import LAZY
from tests.training.games import Bilinear, Made, Pictures, Plain, Rows, bits, game, play, rounds

# ---------------------------------------------------------------- turns, eras, pauses


def test_a_turn_moves_only_its_player() -> None:
    trainer = game()
    for player in trainer.players:
        before = {key: value.clone() for key, value in trainer.system.named_parameters()}
        for turn in range(2):  # twice, as a first step may pass a layer by that starts at zero
            trainer.move(trainer.field([player], turn))
        moved = {key.partition(".")[0] for key, value in trainer.system.named_parameters() if not torch.equal(before[key], value)}
        assert moved == {player.name}


def test_a_player_has_as_many_turns_as_it_says_each_on_a_stream_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, batch = [], Pictures.batch

    def noted(source: Pictures, stage: Any, *what: int) -> Batch:
        asked.append((stage.seen, *what))
        return batch(source, stage, *what)

    monkeypatch.setattr(Pictures, "batch", noted)
    trainer = rounds(game(margin=-1.0), 2)
    steps = {name: {int(kept["step"]) for kept in own.values()} for name, own in trainer.moments.items()}
    assert steps == {"critic": {4}, "generator": {2}}
    assert asked == [(0, 0, 0, 1), (0, 1, 0, 1), (16, 0, 0, 1), (16, 1, 0, 1)]  # the generator sees the batch of turn 0, which is kept


def test_a_player_pauses_and_plays_again_by_what_the_other_one_tells() -> None:
    trainer, played = game(margin=0.02), []
    for _ in range(20):
        rounds(trainer, 1)
        played.append("generator" in trainer.terms)
        assert "critic" in trainer.terms
    assert not played[0] and any(played), "it waits, until the critic tells real from generated"
    before = torch.equal(torch.zeros(2), game().system.told)  # type: ignore[arg-type]
    assert before and trainer.system.told.abs().sum() > 0  # type: ignore[operator,union-attr]


def test_a_new_era_clears_moments_and_memory_at_the_end_of_its_round() -> None:
    trainer = game(16 * 8, margin=-1.0)
    rounds(trainer, 3)
    assert all(trainer.moments.values()) and trainer.stage.rate == 1
    rounds(trainer, 1)
    assert trainer.stage.era == 1 and trainer.stage.rate == 0.5
    assert not any(trainer.moments.values())
    before = trainer.system.critic[1].weight.detach().clone()  # type: ignore[index,union-attr]
    trainer.round()
    assert {key: int(kept["step"]) for own in trainer.moments.values() for kept in own.values() for key in [len(own)]} == {4: 2, 6: 1}
    moved = (trainer.system.critic[1].weight.detach() - before).abs().max()  # type: ignore[index,union-attr]
    assert 0.8 < moved / (2 * 4e-3 / 2) < 1.2, "two first steps of Adam, each of about the rate, which is halved"
    remembering = play(Plain(Made(stage=lambda seen: {"era": int(seen >= 16)})), 1, "optimistic")
    assert remembering.memory
    remembering.round()
    assert not remembering.memory


def test_frozen_parts_stay_as_they_are_in_use_from_the_first_round_on() -> None:
    trainer = game()
    assert not trainer.system.features.training  # type: ignore[union-attr]
    before = {key: value.clone() for key, value in trainer.system.features.state_dict().items()}  # type: ignore[operator,union-attr]
    rounds(trainer, 3)
    assert not trainer.system.features.training and trainer.system.critic.training and not trainer.system.averaged.training  # type: ignore[union-attr]
    after = trainer.system.features.state_dict()  # type: ignore[operator,union-attr]
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_a_lazy_term_is_reported_as_the_mean_of_the_rounds_that_had_it() -> None:
    trainer, seen = game(), []
    for _ in range(2 * LAZY):
        rounds(trainer, 1)
        seen += [trainer.terms["critic"]["slope"].item()] if "slope" in trainer.terms["critic"] else []
    told = trainer.report()
    assert len(seen) == 2 and isclose(told["critic/slope"], sum(seen) / 2, rel_tol=1e-6)
    assert "critic/told" not in told, "vectors are for adapt"
    assert not trainer.report(), "a report starts the next"


# ---------------------------------------------------------------- optimisers
def reference(weights: list[Tensor], slopes: list[list[Tensor]], o: Adam) -> list[Tensor]:
    """Adam with decoupled decay, as the papers write it, in float64."""
    found = []
    for place, weight in enumerate(weights):
        w, m, v = weight.double(), torch.zeros_like(weight).double(), torch.zeros_like(weight).double()
        for t, gradients in enumerate(slopes, 1):
            g = gradients[place].double()
            m, v = o.betas[0] * m + (1 - o.betas[0]) * g, o.betas[1] * v + (1 - o.betas[1]) * g * g
            w = w * (1 - o.rate * o.decay)
            w = w - o.rate * (m / (1 - o.betas[0] ** t)) / ((v / (1 - o.betas[1] ** t)).sqrt() + o.eps)
        found.append(w)
    return found


@pytest.mark.parametrize("shards", [1, 2])
@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_fused_adam_does_what_the_paper_says_on_channels_last_weights(shards: int, decay: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where gradients come contiguous beside channels_last weights, and where moments come out of a checkpoint."""

    def loss(system: Plain, batch: Batch) -> tuple[Tensor, Terms]:
        x = batch["row"].repeat(1, 36)[:, :108].reshape(-1, 3, 6, 6)
        return (
            system.net(x).square().mean() + sum((w * torch.arange(w.numel()).view(w.shape)).sum() for w in system.net.parameters()) / 500
        ), {}

    def net() -> nn.Module:
        return nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.SiLU(), nn.ConvTranspose2d(5, 2, 3))

    optimiser, slopes = Adam(1e-2, (0.8, 0.9), decay=decay), []
    checked = Trainer.checked

    def noted(trainer: Trainer, field: Field, told: dict[str, Terms]) -> Field:
        slopes.append([slope.clone() for slope in field.values()])
        return checked(trainer, field, told)

    monkeypatch.setattr(Trainer, "checked", noted)
    system = Plain(Made(net, loss, optimiser))
    start = [weight.detach().clone() for weight in system.net.parameters()]
    trainer = play(system, 4, shards=shards)
    assert system.net[0].weight.is_contiguous(memory_format=torch.channels_last)  # type: ignore[index,union-attr,operator]
    again = Trainer(Plain(Made(net, loss, optimiser)), Rows(), 64, shards=shards, precision="float32", device="cpu")
    again.system.load_state_dict({key: value.contiguous() for key, value in system.state_dict().items()})
    again.restore({key: value.contiguous() for key, value in trainer.state().items()}, trainer.seen, 1.0, trainer.counted)
    rounds(again, 4)
    assert len(slopes) == 8
    for weight, wanted in zip(again.system.net.parameters(), reference(start, slopes, optimiser), strict=True):  # type: ignore[operator,union-attr]
        torch.testing.assert_close(weight.detach().double(), wanted, rtol=1e-4, atol=1e-5)


def test_momentum_may_be_negative_and_survives_a_checkpoint() -> None:
    system = Bilinear(0.1)
    players = system.players
    system.players = lambda: [type(p)(p.name, p.module, p.loss, SGD(0.1, -0.3)) for p in players()]  # type: ignore[method-assign]
    place, speed = system.place, torch.zeros(2).double()
    trainer = play(system, 3, "simultaneous")
    trainer.restore(trainer.state(), 3, 1.0, {})
    rounds(trainer, 2)
    for step in range(5):
        slope = torch.stack([place[1], -place[0]])
        speed = slope if step == 0 else -0.3 * speed + slope
        place = place - 0.1 * speed
    torch.testing.assert_close(system.place, place, rtol=0, atol=1e-12)


def test_each_players_gradient_is_cut_to_the_norm() -> None:
    free, cut = game(margin=-1.0), game(margin=-1.0, clip=0.1)
    for trainer in (free, cut):
        trainer.players = trainer.system.players()
    whole, short = free.field(free.players), cut.field(cut.players)
    for player in cut.players:
        was = sqrt(sum(whole[w].square().sum().item() for w in free.weights[player.name] if w in whole))
        now = sqrt(sum(short[w].square().sum().item() for w in cut.weights[player.name]))
        assert was > 0.1 and isclose(now, 0.1, rel_tol=1e-3)
        for one, other in zip(free.weights[player.name], cut.weights[player.name], strict=True):
            torch.testing.assert_close(short[other] / now, whole[one] / was, rtol=1e-4, atol=1e-6)
    loose = game(margin=-1.0, clip=1e6)
    assert bits(rounds(loose, 3)) == bits(rounds(game(margin=-1.0), 3))


# ---------------------------------------------------------------- averages
def test_an_average_goes_half_the_way_in_its_half_life() -> None:
    for half_life, left in ((32, 0.5), (64, sqrt(0.5)), (16, 0.25), (0, 0.0)):
        system = Plain(Made(optimiser=SGD(0.0), half_life=half_life))
        before = [twin.detach() - weight.detach() for twin, weight in zip(system.twin.parameters(), system.net.parameters(), strict=True)]
        play(system, 4)  # 32 images
        after = [twin - weight.detach() for twin, weight in zip(system.twin.parameters(), system.net.parameters(), strict=True)]
        torch.testing.assert_close(after, [left * distance for distance in before])


# ---------------------------------------------------------------- compilation
def test_a_compiled_loss_trains_as_the_loss_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Traced and split into forward and backward as always, but not turned into C++, which takes a compiler and half a minute.

    The benchmark `vae_training.py` does that.
    """
    monkeypatch.setattr(machines, "can_compile", lambda: True)
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))
    compiling = []

    def loss(system: Plain, batch: Batch) -> tuple[Tensor, Terms]:
        compiling.append(torch.compiler.is_compiling())
        out = system.net(batch["row"]).tanh()
        return (out - 0.5).square().mean(), {"mean": out.detach().mean()}

    reports = [play(Plain(Made(loss=loss)), 6, compiled=compiled).report() for compiled in (False, True)]
    assert compiling == [False] * 6 + [True] * 6
    assert reports[0].keys() == reports[1].keys()
    assert all(isclose(reports[0][key], reports[1][key], rel_tol=1e-5) for key in reports[0])


def test_where_nothing_can_be_compiled_it_trains_uncompiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machines, "can_compile", lambda: False)
    assert play(Plain(Made()), 3, compiled=True).report() == play(Plain(Made()), 3).report()


def test_small_fully_connected_systems_train_on_one_thread() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        found = []
        for net, batch_size in ((nn.Linear(64, 64), 256), (nn.Linear(1024, 1024), 256), (nn.Conv2d(1, 2, 3), 4)):
            with pytest.raises(KeyError), fitting_threads(net, batch_size):
                found.append(torch.get_num_threads())
                raise KeyError
            assert torch.get_num_threads() == 2
        assert found == [1, 2, 2]
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(("together", "told"), [(500.0, "one alone would be 2.0 times as fast"), (900.0, ""), (1900.0, "")])
def test_busy_machines_are_told_of_where_one_thread_would_be_faster(monkeypatch: pytest.MonkeyPatch, together: float, told: str) -> None:
    monkeypatch.setattr(threads, "pace", lambda: together if torch.get_num_threads() > 1 else 1000.0)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        sentence = threads.crowded()
        assert torch.get_num_threads() == 2
        torch.set_num_threads(1)
        assert threads.crowded() == ""
    finally:
        torch.set_num_threads(before)
    assert told in sentence and bool(told) == bool(sentence)


def test_batches_come_to_where_the_system_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    """`meta` stands for a device that is not the CPU, where the examples lie."""
    train, _ = open_data(DataSpec("digits"))
    trainer = Trainer(VAE(VAE.Config((1, 8, 8), latent=2, width=8)), Shuffled(train), 100, device="meta", precision="float32")
    monkeypatch.setattr(torch, "autocast", lambda *how, **more: nullcontext())
    loss, terms = trainer.evaluate(trainer.players[0], 0, 0)
    assert loss.is_meta and all(term.is_meta for term in terms.values())
