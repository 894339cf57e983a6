"""The rules of play: what they ask of the trainer. Their closed forms stand in `tests/systems/test_bilinear_game.py`."""

import pytest
import torch

from pushforward.core import BadInput
from pushforward.recipes.games import Nothing
from pushforward.systems.dirac_gan import DiracGAN
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


def test_the_twist_of_a_field_is_its_jacobian_both_ways() -> None:
    """J^T f and J f of a game that is not linear, against J by finite differences; on two shards as on one."""
    system = DiracGAN(DiracGAN.Config(objective="non_saturating", r1=0.3, noise=0.5, start_theta=0.8, start_psi=-0.6, batch_size=2))
    weights = [system.theta.value, system.psi.value]

    def field(trainer: Trainer) -> torch.Tensor:
        found = trainer.field(trainer.players)
        return torch.cat([found[w] for w in weights])

    for shards in (1, 2):
        trainer = Trainer(system, Nothing(), 10, shards=shards, device="cpu")
        J, step = torch.empty(2, 2, dtype=torch.float64), 1e-6
        for column, weight in enumerate(weights):
            ends = []
            for sign in (1, -1):
                with torch.no_grad():
                    weight += sign * step
                ends.append(field(trainer))
                with torch.no_grad():
                    weight -= sign * step
            J[:, column] = (ends[0] - ends[1]) / (2 * step)
        f = torch.tensor([0.7, -1.3], dtype=torch.float64)
        transposed, forward = trainer.twist({w: part[None] for w, part in zip(weights, f, strict=True)})
        torch.testing.assert_close(torch.cat([transposed[w] for w in weights]), J.T @ f, rtol=0, atol=1e-7)
        torch.testing.assert_close(torch.cat([forward[w] for w in weights]), J @ f, rtol=0, atol=1e-7)
        assert (J - J.T).abs().max() > 0.1, "a game in which the two differ"


@pytest.mark.parametrize("rule", ["optimistic", "lookahead:rule=optimistic,every=4"])
def test_what_a_rule_remembers_is_saved(rule: str) -> None:
    """Seven rounds, and three rounds, state and restore, and four rounds, end in the same place."""
    whole, first, second = (Bilinear(RATE) for _ in range(3))
    play(whole, 7, rule)
    half = Trainer(first, Rows(), 7, rule=find_rule(rule), device="cpu")
    for _ in range(3):
        half.round()
    second.load_state_dict(first.state_dict())
    rest = Trainer(second, Rows(), 7, rule=find_rule(rule), device="cpu")
    rest.restore(half.state(), 3, 1.0, dict(half.counted))
    for _ in rest.rounds():
        pass
    assert torch.equal(whole.place, second.place)


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
        with pytest.raises(BadInput, match=r"'b' takes 3 turns"):
            play(Bilinear(RATE, turns=3), 1, rule)


def test_a_rule_that_is_not_known_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(BadInput, match=r"no rule 'optimstic'; did you mean 'optimistic'\?"):
        find_rule("optimstic")


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("consensus:weight=nan", "weight of the rule consensus is nan, but should be a number of at least 0."),
        ("extragradient:ahead=-1", "ahead of the rule extragradient is -1, but should be a number of at least 0."),
        ("sga:weight=inf", "weight of the rule sga is inf, but should be a number of at least 0."),
        ("lookahead:share=7", "share of the rule lookahead is 7, but should be a number from 0 to 1."),
        ("lookahead:every=0", "every of the rule lookahead is 0, but should be a number of at least 1."),
        ("lookahead:every=a", "every of the rule lookahead is 'a', but should be a whole number."),
    ],
)
def test_what_a_rule_cannot_be_set_to_is_refused(rule: str, told: str) -> None:
    with pytest.raises(BadInput) as refused:
        find_rule(rule)
    assert str(refused.value) == told
