"""What one forward pass serves, and when it is made anew."""

import torch
from torch import Tensor, nn

from pushforward.core import Batch, Kept


class Counted:
    """A network of one layer, and how often it was asked."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.net, self.kept, self.count = nn.Linear(2, 2), Kept(), 0
        self.batch: Batch = {"row": torch.ones(3, 2)}

    def make(self) -> tuple[Tensor, ...]:
        self.count += 1
        return (self.net(self.batch["row"]),)

    def lend(self) -> Tensor:
        return self.kept.lend(self.net, self.batch, self.make)[0]

    def take(self) -> Tensor:
        return self.kept.take(self.net, self.batch, self.make)[0]


def test_a_critic_and_the_owner_share_one_answer() -> None:
    one = Counted()
    one.net.requires_grad_(False)  # a critic moves
    lent = one.lend()
    assert not lent.requires_grad and not any(weight.requires_grad for weight in one.net.parameters())
    one.net.requires_grad_(True)  # its owner moves
    taken = one.take()
    assert one.count == 1 and torch.equal(lent, taken)
    (slope,) = torch.autograd.grad(taken.sum(), [one.net.weight])
    assert torch.equal(slope, torch.full((2, 2), 3.0))


def test_who_moves_with_the_owner_sees_its_slopes() -> None:
    one = Counted()
    assert one.lend().requires_grad, "in simultaneous play, and for the Jacobian of the game"


def test_it_is_made_anew_once_weights_moved_or_it_was_used_or_a_round_began() -> None:
    one = Counted()
    one.lend(), one.lend()
    assert one.count == 1
    with torch.no_grad():
        one.net.weight.mul_(2)
    one.lend()
    assert one.count == 2
    one.take(), one.take()
    assert one.count == 3, "the first found it, and used its graph up"
    one.lend()
    one.kept.clear()
    one.lend()
    assert one.count == 5
    one.batch = dict(one.batch)  # type: ignore[assignment]
    one.lend()
    assert one.count == 6


def test_nothing_is_kept_where_nobody_asks_for_slopes() -> None:
    one = Counted()
    with torch.no_grad():
        one.lend(), one.lend()
    assert one.count == 2 and not one.kept.found
