"""What a person sees while training."""

import io
import re
from pathlib import Path
from typing import Any

import pytest

from pushforward.runs import screen, session, start
from pushforward.runs.screen import Screen, clock
from tests.runs.small import BATCH, recipe_of


class Clock:
    """Time as a test likes it."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    fake = Clock()
    monkeypatch.setattr(screen, "time", fake)
    return fake


def seconds(words: str) -> int:
    """What `clock` said."""
    return sum(int(number) * {"s": 1, "min": 60, "h": 3600}[unit] for number, unit in re.findall(r"(\d+) (s|min|h)", words))


def test_advice_knows_the_settings_and_the_images_so_far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(session, "advice", lambda *given: asked.append(given) or [])
    run = start(tmp_path / "run", recipe_of("vae", tmp_path), quiet=True)
    assert [terms["seen"] for terms, *_ in asked] == [line["seen"] for line in run.metrics()]
    assert all(settings == run.recipe.settings for _, _, settings, _ in asked)


@pytest.mark.parametrize("whole", [30, 1000, 90_000])
def test_time_left_is_known_after_a_twentieth_of_a_steady_run(whole: int, time: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Although the first round takes far longer than others."""
    told: list[str] = []
    total, rounds = 100_000, 2000
    with Screen("run", total, quiet=True) as shown:
        shown.live = True
        monkeypatch.setattr(shown.bar, "update", lambda task, completed, told: told_at(completed, told))

        def told_at(completed: int, words: str) -> None:
            told.append(words)
            if completed / total >= 0.05:
                left = whole * (1 - completed / total)
                found = seconds(words.split("·")[1])
                assert abs(found - left) <= max(0.2 * left, 0.51), f"{words} at {completed}, {left} s before the end"

        monkeypatch.setattr(shown.bar, "update", lambda task, completed, told: told_at(completed, told))
        time.now += whole / 10
        for number in range(1, rounds + 1):
            shown.round(number * total // rounds)
            time.now += whole / rounds
    assert len(told) > 20 and all("images/s" in words and "MiB" in words for words in told)


def test_without_a_terminal_there_is_a_plain_line_now_and_then(time: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with Screen("run", 10_000) as shown:
        shown.report({"vae/loss": 12.345, "vae/active_codes": 0.5})
        for number in range(1, 101):
            shown.round(number * 100)
            time.now += 1
    lines = capsys.readouterr().err.splitlines()
    assert 8 <= len(lines) <= 11
    assert re.fullmatch(
        r" 1[0-9] %  1,\d00 of 10,000 images · 100 images/s · 1 min 2\d s left · \d+ MiB · loss 12.3 · active codes 0.5", lines[1]
    )
    assert "\x1b" not in "".join(lines)


def test_in_a_terminal_there_is_a_bar(time: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    real = screen.Console
    monkeypatch.setattr(screen, "Console", lambda **how: real(file=terminal, force_terminal=True, width=160))
    with Screen("digits", 1000) as shown:
        for number in range(1, 101):
            shown.round(10 * number)
            time.now += 0.15
        shown.say("Something is odd.")
    assert "digits" in terminal.getvalue() and "━" in terminal.getvalue() and "Something is odd." in terminal.getvalue()
    assert "100 %" in terminal.getvalue(), "the end is shown"


def test_sentences_are_in_one_line_and_warnings_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    sentence = "A very long sentence [of words], which a narrow terminal would break: " + "and so on, " * 30
    with Screen("run", 10) as shown:
        shown.say(sentence)
        for nats in (0.4, 0.31, 7):
            shown.warn(f"Codes carry {nats} nats ({nats:.0%}).")
        shown.warn("Another.")
    assert capsys.readouterr().err.splitlines() == [sentence, "Codes carry 0.4 nats (40%).", "Another."]


def test_quiet_is_quiet(time: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with Screen("run", 1000, quiet=True) as shown:
        for number in range(1, 11):
            shown.round(100 * number)
            time.now += 20
        shown.say("Something.")
    assert capsys.readouterr() == ("", "")


def test_terms_of_several_players_are_told_apart(time: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with Screen("run", 1000) as shown:
        shown.report({"critic/loss": 1, "generator/loss": 2})
        shown.round(10)
        time.now += 11
        shown.round(20)
    assert "critic loss 1 · generator loss 2" in capsys.readouterr().err


def test_a_setback_does_not_confuse_the_speed(time: Clock) -> None:
    with Screen("run", 1000, quiet=True) as shown:
        for seen in (*range(0, 500, 10), *range(100, 300, 10)):
            shown.round(seen)
            time.now += 1
    assert shown.speed() == pytest.approx(10)


@pytest.mark.parametrize(
    ("length", "words"), [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (3599, "59 min 59 s"), (3660, "1 h 1 min")]
)
def test_lengths_of_time(length: float, words: str) -> None:
    assert clock(length) == words


@pytest.mark.usefixtures("quick")
def test_a_run_says_what_it_noticed(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pushforward.runs.session.can_compile", lambda: False)
    monkeypatch.setattr("pushforward.training.machines.can_compile", lambda: False)
    run = start(tmp_path / "run", recipe_of("vae", tmp_path, compiled=True, images=52 * BATCH, report_every=13 * BATCH))
    said = capfd.readouterr().err.splitlines()
    assert sum("There is no C++ compiler" in line for line in said) == 1
    assert sum("Posterior collapse" in line for line in said) == 1
    assert [line["seen"] for line in run.metrics()] == [104, 208, 312, 416]
    assert all(set(line) == {"seen", "vae/loss", "vae/bound", "vae/distortion", "vae/rate", "vae/active_codes"} for line in run.metrics())
