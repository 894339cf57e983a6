"""Each sign of trouble is told of when it shows, and not when all is well."""

import pytest

from pushforward.training.health import SIGNS, advice

SOUND = {
    "vae/loss": 80.0,
    "vae/distortion": 60.0,
    "vae/rate": 20.0,
    "vae/active_codes": 0.9,
    "vae/label_use": 4.0,
    "vae/rarest_class": 0.8,
    "vae/mask_rate": 0.7,
    "discriminator/real": 0.6,
    "discriminator/made": 0.4,
    "discriminator/slope_real": 0.1,
    "discriminator/slope_made": 0.2,
    "generator/spread": 0.95,
}
ODD = {
    "Posterior collapse: codes carry 0.20 nats": {"vae/rate": 0.2},
    "Dead codes: only 25% of the code dimensions": {"vae/active_codes": 0.25},
    "The decoder ignores the label: a wrong one costs 0.01 nats": {"vae/label_use": 0.01},
    "Lopsided pseudo-labels: the rarest class gets 10% of its share": {"vae/rarest_class": 0.1},
    "Hardly any unlabelled image is read with confidence (1.0%)": {"vae/mask_rate": 0.01},
    "The discriminator has won: it gives real examples 99% and generated ones 1%": {"discriminator/real": 0.99, "discriminator/made": 0.01},
    "Collapse: generated examples differ from each other only 10% as much": {"generator/spread": 0.1},
    "The discriminator grows steep at generated examples (squared slope 500, 0.1": {"discriminator/slope_made": 500.0},
}


def test_all_is_well() -> None:
    assert advice(SOUND, 1.0) == [] == advice({}, 1.0)


@pytest.mark.parametrize("words", ODD)
def test_a_sign_fires_alone_with_its_number_and_with_what_to_do(words: str) -> None:
    assert len(ODD) == len(SIGNS)
    (said,) = advice(SOUND | ODD[words], 0.5)
    assert said.startswith(words) and said.endswith(".") and "--" in said and "\n" not in said


@pytest.mark.parametrize("words", ODD)
def test_early_in_a_run_nothing_can_be_told_yet(words: str) -> None:
    assert advice(SOUND | ODD[words], 0.1) == []


@pytest.mark.parametrize("words", ODD)
def test_a_sign_needs_its_terms(words: str) -> None:
    name, *_ = ODD[words]
    assert advice({key: value for key, value in SOUND.items() if key != name}, 1.0) == []


def test_other_players_terms_of_that_name_are_read_too() -> None:
    assert len(advice({"encoder/rate": 0.0}, 1.0)) == 1


def test_collapsed_codes_are_not_called_dead_as_well() -> None:
    assert len(advice(SOUND | {"vae/rate": 0.1, "vae/active_codes": 0.0}, 1.0)) == 1
