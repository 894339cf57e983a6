"""Losses and gradients that are not finite: named, and nothing moves."""

import pytest
import torch
from torch import Tensor

from pushforward.core import Batch, Terms
from pushforward.training import Diverged
from tests.training.games import Bilinear, Made, Plain, play


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1e30])
def test_a_loss_that_is_not_finite_names_player_and_images(value: float) -> None:
    def loss(system: Plain, batch: Batch) -> tuple[Tensor, Terms]:
        spoilt = value if system.stage.seen == 16 else 0.0
        return system.net(batch["row"]).square().mean() + spoilt, {"fine": torch.ones(())}

    with pytest.raises(Diverged, match=r"^The loss of player 'plain' is not finite after 16 images$"):
        play(Plain(Made(loss=loss)), 4)


def test_the_term_that_spoilt_a_loss_is_named() -> None:
    def loss(system: Plain, batch: Batch) -> tuple[Tensor, Terms]:
        bad = system.net(batch["row"]).sum() * float("nan" if system.stage.seen == 8 else 0)
        return bad, {"good": torch.ones(()), "bad": bad}

    with pytest.raises(Diverged, match=r"^The term 'bad' of player 'plain' is not finite after 8 images$"):
        play(Plain(Made(loss=loss)), 4)


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), 1e30])
def test_a_gradient_that_is_not_finite_names_the_weight_and_moves_nothing(value: float) -> None:
    def loss(system: Plain, batch: Batch) -> tuple[Tensor, Terms]:
        out = system.net(batch["row"]).square().mean()
        if system.stage.seen == 8:
            system.net.bias.register_hook(lambda g: g * value)  # type: ignore[operator]
        return out, {}

    system = Plain(Made(loss=loss))
    after_one = play(Plain(Made()), 1).system.net.weight  # type: ignore[union-attr]
    with pytest.raises(Diverged, match=r"^The gradient of 'bias' of player 'plain' is not finite after 8 images$"):
        play(system, 4)
    assert torch.equal(system.net.weight, after_one)  # type: ignore[arg-type]


def test_losses_that_are_not_finite_in_opposite_ways_do_not_hide_each_other() -> None:
    system = Bilinear(0.1)
    with torch.no_grad():
        system.a.value.fill_(1e30)
    with pytest.raises(Diverged, match="player 'a'"):
        play(system, 1, "simultaneous")
