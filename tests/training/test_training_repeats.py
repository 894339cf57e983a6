"""The same seed gives the same training, and a batch in shards the mean of theirs."""

from copy import deepcopy
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from pushforward.core import BadInput, Batch, Terms
from pushforward.training import Trainer, machines
from tests.training.games import Made, Plain, Rows, bits, game, play, rounds


def test_the_same_seed_gives_the_same_bytes_whatever_was_drawn_before() -> None:
    one = bits(rounds(game(seed=3), 5))
    trainer = game(seed=3)
    torch.rand(7)
    assert bits(rounds(trainer, 5)) == one
    assert bits(rounds(game(seed=4), 5)) != one


@pytest.mark.parametrize("end", ["whole", "closed", "raised"])
def test_the_callers_generator_is_left_alone(end: str) -> None:
    trainer = game(16 * 4)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    try:
        for _ in trainer.rounds():
            if end == "closed" and trainer.seen == 32:
                break
            if end == "raised" and trainer.seen == 32:
                raise KeyError
    except KeyError:
        pass
    assert torch.equal(torch.rand(3), expected)


def test_players_turns_and_shards_draw_different_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = []
    monkeypatch.setattr(machines, "sow", lambda device, seed: seeds.append(seed))
    rounds(game(margin=-1.0, shards=2), 2)
    assert len(seeds) == len(set(seeds)) == 2 * 3 * 2


# ---------------------------------------------------------------- shards
def test_four_shards_give_the_mean() -> None:
    """Of gradients and of terms: as the whole batch at once, where examples do not touch each other."""

    def loss(system: Plain, batch: Batch) -> tuple[Tensor, Terms]:
        out = system.net(batch["row"])
        return out.square().mean(), {"mean": out.mean().detach(), "vector": out.mean(0).detach()}

    trainers = [Trainer(Plain(Made(loss=loss)), Rows(), 64, shards=shards, device="cpu") for shards in (1, 4)]
    fields = [list(trainer.field(trainer.players).values()) for trainer in trainers]
    torch.testing.assert_close(fields[0], fields[1])
    torch.testing.assert_close(trainers[0].terms, trainers[1].terms)
    assert trainers[1].terms["plain"]["vector"].shape == (2,)


def test_shards_start_from_the_same_running_statistics_and_their_changes_are_averaged() -> None:
    def loss(system: Plain, batch: Batch) -> tuple[Tensor, Terms]:
        return system.net(batch["row"]).square().mean(), {}

    def net() -> nn.Module:
        return nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 2))

    system = Plain(Made(net, loss))
    alone = [deepcopy(system.net).train() for _ in range(4)]
    for shard, norm in enumerate(alone):
        norm(Rows().batch(system.stage, 0, shard, 4)["row"])  # type: ignore[operator]
    play(system, 1, shards=4)
    for name in ("running_mean", "running_var"):
        wanted = torch.stack([getattr(norm[0], name) for norm in alone]).mean(0)  # type: ignore[index]
        torch.testing.assert_close(getattr(system.net[0], name), wanted)  # type: ignore[index]
    assert int(system.net[0].num_batches_tracked) == 1  # type: ignore[index,union-attr,arg-type]


@pytest.mark.parametrize(("shards", "words"), [(3, "batch of 16 cannot be cut into 3"), (0, "shards is 0"), (-2, "shards is -2")])
def test_shards_that_cut_no_batch_are_refused(shards: int, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        game(shards=shards)


def test_a_shard_of_one_cannot_be_normalised() -> None:
    net = partial(nn.Sequential, nn.BatchNorm1d(3), nn.Linear(3, 2))
    size = Plain(Made(net)).stage.batch_size
    with pytest.raises(BadInput, match=rf"at least 2 examples at a time, not 1. Make the batch size at least {2 * size}\."):
        play(Plain(Made(net)), 1, shards=size)
