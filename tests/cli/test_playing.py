"""`pushforward game` reaches what the Configs of the toy games have, names its pictures by it, and refuses what a game does not have."""

from dataclasses import fields

import pytest
from PIL import Image

from pushforward.cli.playing import Game
from pushforward.recipes import games


@pytest.mark.parametrize("game", ["bilinear", "dirac"])
def test_every_setting_of_a_game_is_an_option(game):
    ways = {"start_a", "start_b", "start_theta", "start_psi", "batch_size"}
    assert set(games.settings_of(game)) - ways <= {f.name for f in fields(Game)}


def test_options_begin_where_the_configs_do():
    for game in ("bilinear", "dirac"):
        system, told = games.toy(game), games.toy(game, **Game(game).config())
        assert told.config == system.config


@pytest.mark.parametrize(
    ("words", "name", "part"),
    [
        (["--rule", "extragradient", "--rate", 0.5], "extragradient-rate-0.5", "0.901388"),
        (["--rule", "extragradient", "--rate", 0.25], "extragradient-rate-0.25", "rate per round"),
        (["--averaging", "uniform"], "alternating-averaging-uniform", "of average      1.41421 at first"),
        (["--optimiser", "adam", "--rule", "simultaneous"], "simultaneous-optimiser-adam", "theory          none"),
        (["--faster-b", 2, "--turns-b", 3], "alternating-faster_b-2.0-turns_b-3", "theory          1.000000"),
        (["--rule", "extragradient", "--momentum-b", -0.3], "extragradient-momentum_b--0.3", "theory          0.99"),
    ],
)
def test_a_picture_is_named_by_what_was_set(ask, tmp_path, words, name, part):
    answer = ask("game", "bilinear", *words)
    assert answer.code == 0 and part in answer.out
    assert answer.path.name == f"bilinear-{name}.png"
    assert Image.open(tmp_path / answer.path).size[0] > 250


@pytest.mark.parametrize(
    "words",
    [
        ["--r2", 0.3],
        ["--objective", "wasserstein", "--clip", 0.8, "--turns", 5],
        ["--objective", "wasserstein", "--gradient-penalty", 1, "--target", 0.3],
        ["--turns-theta", 2, "--noise", 1],
    ],
)
def test_the_panel_of_the_dirac_gan_can_be_played(ask, tmp_path, words):
    answer = ask("game", "dirac", *words, "--rate", 0.3)
    assert answer.code == 0 and (tmp_path / answer.path).exists()
    assert all(str(word).lstrip("-").replace("-", "_") in answer.path.name for word in words)


def test_a_matrix_is_played_and_its_distance_drawn(ask, tmp_path):
    words = ("game", "bilinear", "--matrix", "1 -0.5 0.3; 0.2 0.8 -1.1", "--rule", "extragradient", "--rate", 0.3)
    answer = ask(*words, "--start", 1, -1, 0.5, 0.3, 2)
    assert answer.code == 0 and "theory          1.000000" in answer.out, "three numbers against two: a part of b that nobody moves"
    assert "distance        2.51794" in answer.out and (tmp_path / answer.path).exists()
    averaged = ask(*words, "--averaging", "exponential", "--half-life", 5)
    assert averaged.code == 0 and averaged.path != answer.path


def test_long_names_are_cut_and_still_differ(ask, tmp_path):
    row = " ".join(str(0.125 * n) for n in range(1, 40))
    names = [ask("game", "--matrix", row, "--rounds", 4, "--rate", rate).path.name for rate in (0.01, 0.02)]
    assert max(map(len, names)) < 140 and names[0] != names[1]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["dirac", "--matrix", "1 2"], "The game dirac has no --matrix; leave it out."),
        (["dirac", "--turns-b", 2], "The game dirac has no --turns-b; leave it out."),
        (["bilinear", "--turns-theta", 2], "The game bilinear has no --turns-theta; leave it out."),
        (["bilinear", "--gradient-penalty", 1], "The game bilinear has no --gradient-penalty; leave it out."),
        (["bilinear", "--matrix", "1 2; 3"], "matrix is '1 2; 3'; give rows of as many numbers each"),
        (["bilinear", "--matrix", "1 x"], "matrix is '1 x'; give rows"),
        (["bilinear", "--matrix", "nan"], "matrix is 'nan'; give rows"),
        (["bilinear", "--matrix", ""], "matrix is ''; give rows"),
        (["bilinear", "--start", 1, 2, 3], "The players begin at 1 2 3; give --start 2 finite numbers"),
        (["dirac", "--start", "nan", 1], "The players begin at nan 1; give --start 2 finite numbers"),
        (["bilinear", "--start", 0, 0], "The players begin at 0 0, the equilibrium"),
        (["dirac", "--turns", 2, "--rule", "simultaneous"], "'discriminator' takes 2 turns"),
        (["bilinear", "--optimiser", "adam", "--momentum-a", 0.1], "Momentum is of SGD"),
        (["bilinear", "--momentum-a", "nan"], "'momentum_a' is nan: input should be a finite number."),
        (["dirac", "--noise", "inf"], "'noise' is inf: input should be a finite number."),
        (["bilinear", "--rule", "consensus:weight=inf"], "weight of the rule consensus is inf"),
        (["bilinear", "--rule", "implicit", "--momentum-a", 0.1], "Implicit play takes plain gradient steps"),
    ],
)
def test_what_a_game_cannot_is_refused(ask, tmp_path, words, part):
    answer = ask("game", *words)
    assert answer.code == 2 and part in answer.err and not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--rule", "extragradient:ahead=0.4"], "look a whole step ahead, as --rule extragradient does: ahead must be above 1/2"),
        (["--rule", "extragradient:ahead=0.5"], "look a whole step ahead"),
        (["--rule", "simultaneous"], "however small; try --rule extragradient."),
        (["--rule", "extragradient", "--momentum-a", 0.5, "--momentum-b", 0.5], "try --rule extragradient:ahead=2."),
        (["--rule", "simultaneous", "--momentum-a", 0.9, "--momentum-b", 0.9], "try --rule consensus:weight=1."),
        (["--rule", "optimistic", "--momentum-a", -0.2, "--rate", 0.9], "The step size 0.9 is above"),
        (["--rule", "consensus", "--momentum-a", 0.5, "--momentum-b", 0.5, "--rate", 0.4], "The step size 0.4 is above 0.3"),
        (["--rule", "extragradient:ahead=0.51"], ""),
        (["--rule", "simultaneous", "--optimiser", "adam"], ""),
    ],
)
def test_a_warning_advises_what_theory_says_helps(ask, words, told):
    answer = ask("game", "bilinear", *words, "--rounds", 5)
    assert answer.code == 0 and told in answer.err and bool(told) == bool(answer.err)
