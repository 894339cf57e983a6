"""Each sign of trouble is told of when it shows, and not when all is well."""

import re
from dataclasses import fields
from typing import Any

import pytest
import torch

from pushforward.core import find_system, system_names
from pushforward.recipes import plan
from pushforward.training.health import LONG, SIGNS, Sign, advice, swing, warnings

SOUND = {
    "vae/loss": 80.0,
    "vae/distortion": 60.0,
    "vae/rate": 20.0,
    "vae/active_codes": 0.9,
    "vae/label_use": 4.0,
    "vae/rarest_class": 0.8,
    "vae/mask_rate": 0.7,
    "judge/real": 0.6,
    "judge/made": 0.4,
    "judge/held_out": 0.58,
    "judge/distance": 0.05,
    "game/swing": 0.1,
    "judge/outside": 0.01,
    "judge/rarest_kind": 0.5,
    "judge/slope_real": 0.1,
    "judge/slope_made": 0.2,
    "judge/spread": 0.95,
}
ODD = {
    "Posterior collapse: codes carry 0.20 nats": {"vae/rate": 0.2},
    "Dead codes: only 25% of the code dimensions": {"vae/active_codes": 0.25},
    "The decoder ignores the label: a wrong one costs 0.01 nats": {"vae/label_use": 0.01},
    "Lopsided pseudo-labels: the rarest class gets 10% of its share": {"vae/rarest_class": 0.1},
    "Hardly any unlabelled image is read with confidence (1.0%)": {"vae/mask_rate": 0.01},
    "The discriminator has won: it gives real examples 99% and generated ones 1%": {
        "judge/real": 0.99,
        "judge/made": 0.01,
        "judge/held_out": 0.98,
    },
    "The discriminator is too weak: it gives real and generated examples the same (50% and 49%": {
        "judge/real": 0.5,
        "judge/made": 0.49,
        "judge/held_out": 0.5,
        "judge/distance": 0.4,
    },
    "The discriminator knows its training examples by heart: it gives them 90%, and held-out ones 50%": {
        "judge/real": 0.9,
        "judge/held_out": 0.5,
    },
    "Collapse: generated examples differ from each other only 10% as much": {"judge/spread": 0.1},
    "A class is missing among generated examples: the rarest comes 0%": {"judge/rarest_kind": 0.0},
    "The discriminator grows steep at generated examples (squared slope 500, 0.1": {"judge/slope_made": 500.0},
    "The discriminator has died: it says the same of everything (squared slopes 1e-07 and 2e-08)": {
        "judge/slope_real": 1e-7,
        "judge/slope_made": 2e-8,
    },
    "The discriminator's slopes explode (squared 1e+06 at real": {"judge/slope_real": 1e6, "judge/slope_made": 1e5},
    "The players orbit: the value of the game swings to and fro (regularity 80%)": {"game/swing": 0.8},
    "Pixels are saturated: 40%": {"judge/outside": 0.4},
}


def test_all_is_well() -> None:
    assert advice(SOUND, 1.0) == [] == advice({}, 1.0)


@pytest.mark.parametrize("words", ODD)
def test_a_sign_fires_alone_with_its_number_and_with_what_to_do(words: str) -> None:
    assert len(ODD) == len(SIGNS)
    (said,) = advice(SOUND | ODD[words], 0.8)
    assert said.startswith(words) and said.endswith(".") and "--" in said and "\n" not in said


@pytest.mark.parametrize("words", ODD)
def test_early_in_a_run_nothing_can_be_told_yet(words: str) -> None:
    assert advice(SOUND | ODD[words], 0.04) == []


@pytest.mark.parametrize("words", ODD)
def test_a_sign_needs_its_terms(words: str) -> None:
    name, *_ = ODD[words]
    assert advice({key: value for key, value in SOUND.items() if key != name}, 1.0) == []


def test_a_run_is_told_from_its_reports_once_for_each_sign() -> None:
    low, lower = SOUND | {"vae/rate": 0.4}, SOUND | {"vae/rate": 0.2}
    reports = [{"seen": 100.0 * n, **report} for n, report in enumerate([low, SOUND, SOUND, low, lower, SOUND], 1)]
    (found,) = warnings(reports, 600)
    assert (found.first, found.last, found.times) == (400, 500, 2), "at 100 of 600 it is too early to tell"
    assert "0.20 nats" in found.words and "--warm-up" in found.words
    assert warnings(reports, 600, {"rate": 1e-3})[0].words.endswith("without them.")
    assert warnings([], 600) == []
    assert warnings(reports, 600, {"batch_size": 8})[0].first == 400, "50 rounds of 8 are over"
    assert warnings(reports, 600, {"batch_size": 9})[0].first == 500 and warnings(reports, 600, {"batch_size": 64}) == []


def test_other_players_terms_of_that_name_are_read_too() -> None:
    assert len(advice({"encoder/rate": 0.0}, 1.0)) == 1


def test_collapsed_codes_are_not_called_dead_as_well() -> None:
    assert len(advice(SOUND | {"vae/rate": 0.1, "vae/active_codes": 0.0}, 1.0)) == 1


def test_what_swings_is_told_from_what_settles_and_from_noise() -> None:
    time = torch.arange(150, dtype=torch.float64)
    noise = torch.randn(150, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert swing((torch.sin(time / 5) + 0.01 * time).tolist()) > 0.8
    assert swing((torch.exp(-time / 20) + 0.05 * noise).tolist()) < 0.3 and swing(noise.tolist()) < 0.3
    assert swing((0.01 * torch.sin(time / 5)).tolist()) == 0, "too little to matter"
    history = [{"discriminator/value": float(value)} for value in torch.sin(time / 5)]
    assert len(advice({}, 1.0, None, history)) == 1 and advice({}, 1.0, None, history[: LONG - 1]) == []


def test_nothing_is_advised_that_the_system_cannot_do() -> None:
    won = {"judge/real": 0.99, "judge/made": 0.01}
    (usual,) = advice(won, 1.0)
    assert usual.endswith("Raise --r1 and --r2, or lower --faster-discriminator.")
    (one_penalty,) = advice(won, 1.0, {"r1": 0.0, "rate": 1e-3})
    assert one_penalty.endswith("teaches little. Raise --r1.")
    (nothing,) = advice(won, 1.0, {"rate": 1e-3})
    assert nothing.endswith("such certainty teaches little.")
    (orbit,) = advice({"game/swing": 0.9}, 1.0, {"rate": 1e-3, "rule": "alternating", "optimiser": "sgd"})
    assert orbit.endswith("Use --rule extragradient.")
    (with_adam,) = advice({"game/swing": 0.9}, 1.0, {"rate": 1e-3, "rule": "alternating", "optimiser": "adam"})
    assert with_adam.endswith("as v = a b does."), "with Adam it has made things worse"


@pytest.mark.parametrize(
    ("shown", "settings", "end"),
    [
        ({"vae/label_use": 0.0, "vae/rate": 5.0}, {"latent": 8, "warm_up": 0.0}, "nats. Use a smaller --latent."),
        ({"vae/label_use": 0.0, "vae/rate": 5.0}, {"latent": 8, "warm_up": 0.5}, "Use a smaller --latent, or use --warm-up 0."),
        ({"judge/real": 0.9, "judge/held_out": 0.5}, {"augment": "adaptive", "r1": 1.0}, "50%. Give more data, or raise --r1."),
        ({"judge/real": 0.9, "judge/held_out": 0.5}, {"augment": "none", "shape": (2,)}, "50%. Give more data."),
        ({"judge/real": 0.9, "judge/held_out": 0.5}, {"augment": "none", "shape": (1, 8, 8)}, "Use --augment adaptive, or give more data."),
        ({"game/swing": 0.9}, {"rule": "alternating", "turns": 5, "r1": 0.0, "r2": 0.0}, "does. Raise --r1 and --r2."),
        ({"judge/slope_real": 1e6, "judge/slope_made": 1e5}, {"spectral": True, "rate": 1.0}, "examples). Lower --rate."),
        ({"game/swing": 0.9}, {"rule": "extragradient", "r1": 0.0, "r2": 0.0}, "does. Raise --r1 and --r2."),
        ({"judge/spread": 0.1}, {"objective": "relativistic", "r1": 0.0, "r2": 0.0}, "real ones do. Raise --r1 and --r2."),
        ({"judge/real": 0.5, "judge/made": 0.5, "judge/distance": 1}, {"r1": 0.0, "r2": 0.0, "width": 8}, "apart. Raise --width."),
        ({"judge/rarest_kind": 0.0, "judge/spread": 1.0}, {"conditioning": "projection"}, "as it should."),
        ({"vae/rarest_class": 0.0}, {"mutual_information": 1.0}, "share. Raise --mutual-information."),
        ({"vae/mask_rate": 0.0}, {"threshold": 0.9, "labels": 100}, "nothing. Lower --threshold, or keep more labels."),
        ({"vae/mask_rate": 0.0}, {"threshold": 0.9}, "nothing. Lower --threshold."),
    ],
)
def test_nothing_is_advised_that_is_done_already_or_of_labels_where_there_are_none(
    shown: dict[str, float], settings: dict[str, Any], end: str
) -> None:
    (said,) = advice(shown, 1.0, settings)
    assert said.endswith(end)


def test_of_two_signs_whose_remedies_contradict_each_other_the_stronger_is_told() -> None:
    (ignored,) = advice({"vae/rate": 0.1, "vae/label_use": 0.0}, 1.0, {"latent": 8, "warm_up": 0.2})
    assert ignored.startswith("Posterior collapse")
    weak = {"judge/real": 0.5, "judge/made": 0.5, "judge/distance": 0.9, "judge/spread": 0.1}
    (kept,) = advice(weak, 1.0, {"r1": 1.0, "r2": 1.0, "objective": "relativistic", "width": 8})
    assert kept.startswith("The discriminator is too weak")
    assert len(advice(weak, 1.0, {"r1": 0.0, "r2": 0.0, "objective": "relativistic", "width": 8})) == 2, "nothing is left to lower"
    (turns,) = advice({key: value for key, value in weak.items() if key != "judge/spread"} | {"game/swing": 0.9}, 1.0)
    assert turns.startswith("The players orbit")


def test_a_recipe_says_which_settings_may_be_advised() -> None:
    known = plan("classification_vae", "digits", labels=100, images=100).recipe.settings
    unknown = plan("classification_vae", "digits", labels=0, rule="lookahead:every=5", images=100).recipe.settings
    assert (known["labels"], known["rule"], unknown["rule"], "labels" in unknown) == (100, "alternating", "lookahead", False)
    assert known["warm_up"] == unknown["warm_up"]


@pytest.mark.parametrize("sign", SIGNS, ids=lambda sign: sign.words[:20])
def test_options_that_are_named_are_those_of_some_system(sign: Sign) -> None:
    known = {field.name for name in system_names() for field in fields(find_system(name).Config)} | {"rule", "labels"}
    for remedy in sign.remedies:
        changed = {*remedy.raises, *remedy.lowers, *dict(remedy.sets)}
        assert {word.replace("-", "_") for word in re.findall(r"--([a-z0-9-]+)", remedy.words)} == changed - {"labels"}
        assert changed | ({remedy.unless} if remedy.unless else set()) <= known
