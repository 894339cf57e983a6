"""The rules of play against what is known of v(a, b) = a b."""

import pytest
import torch

from pushforward.core import BadInput
from pushforward.training import RULES, Trainer, find_rule
from tests.training.games import Bilinear, Made, Plain, Rows, play

RATE, ROUNDS = 0.1, 50


def walk(rule: str, rate: float = RATE) -> torch.Tensor:
    """The places (a, b) [rounds + 1, 2] of a play."""
    system = Bilinear(rate)
    trainer = Trainer(system, Rows(), ROUNDS, rule=find_rule(rule), device="cpu")
    places = [system.place]
    for _ in trainer.rounds():
        places.append(system.place)
    return torch.stack(places)


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.7])
def test_simultaneous_play_spirals_out(rate: float) -> None:
    """|z| grows by sqrt(1 + rate^2) each round."""
    norms = walk("simultaneous", rate).norm(dim=1)
    torch.testing.assert_close(norms[1:] / norms[:-1], torch.full((ROUNDS,), (1 + rate**2) ** 0.5, dtype=torch.float64), rtol=0, atol=1e-10)


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.7])
def test_alternating_play_goes_round_and_round(rate: float) -> None:
    """a^2 + b^2 - rate a b stays what it was."""
    a, b = walk("alternating", rate).T
    kept = a**2 + b**2 - rate * a * b
    torch.testing.assert_close(kept, kept[:1].expand_as(kept), rtol=0, atol=1e-10)
    assert (a.min() < 0) == (rate > 0.05)


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.7])
def test_extragradient_contracts(rate: float) -> None:
    """|z| shrinks by sqrt((1 - rate^2)^2 + rate^2) each round."""
    norms = walk("extragradient", rate).norm(dim=1)
    torch.testing.assert_close(
        norms[1:] / norms[:-1], torch.full((ROUNDS,), ((1 - rate**2) ** 2 + rate**2) ** 0.5, dtype=torch.float64), rtol=0, atol=1e-10
    )


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.4])
def test_optimistic_play_converges(rate: float) -> None:
    """z' = z - rate (2 F z - F z_before), with |z| falling once the start is forgotten."""
    places = walk("optimistic", rate)
    field = torch.tensor([[0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
    z, before = places[0], field @ places[0]
    for place in places[1:]:
        now = field @ z
        z, before = z - rate * (2 * now - before), now
        torch.testing.assert_close(place, z, rtol=0, atol=1e-10)
    assert places[-1].norm() < places[10].norm() < places[0].norm() * 1.0001


def test_rules_differ_and_with_one_player_there_are_no_turns() -> None:
    """Alternating and simultaneous play are then one and the same."""
    places = {rule: walk(rule)[3] for rule in RULES}
    assert len({tuple(place.tolist()) for place in places.values()}) == len(RULES) - 2, (
        "lookahead begins alternating, sga is consensus here"
    )
    alone = {}
    for rule in ("alternating", "simultaneous"):
        system = Plain(Made())
        play(system, 3, rule)
        alone[rule] = [weight.detach() for weight in system.parameters()]
    torch.testing.assert_close(alone["alternating"], alone["simultaneous"], rtol=0, atol=0)


def test_several_turns_are_for_alternating_play_only() -> None:
    busy = Bilinear(RATE, turns=3)
    play(busy, 1)
    a = 1 - RATE * 0.5
    torch.testing.assert_close(busy.place, torch.tensor([a, 0.5 + 3 * RATE * a], dtype=torch.float64), rtol=0, atol=1e-10)
    for rule in ("simultaneous", "extragradient", "optimistic"):
        with pytest.raises(BadInput, match=r"\['b'\] take several turns"):
            play(Bilinear(RATE, turns=3), 1, rule)


def test_a_rule_that_is_not_known_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(BadInput, match=r"no rule 'optimstic'; did you mean 'optimistic'\?"):
        find_rule("optimstic")
