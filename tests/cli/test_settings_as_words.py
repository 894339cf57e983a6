"""Every setting of every system can be given as a word: its usual value, and each of its choices."""

import json
from dataclasses import MISSING, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from pushforward.cli.training import FOLLOWS, typed
from pushforward.core import find_system, system_names


def words_of(kind: Any) -> list[tuple[str, Any]]:
    """Names and values."""
    found = []
    hints = get_type_hints(kind.Config, include_extras=False)
    for each in fields(kind.Config):
        if each.name in FOLLOWS or each.default is MISSING:
            continue
        choices = get_args(hints[each.name]) if get_origin(hints[each.name]) is Literal else (each.default,)
        found += [(each.name, choice) for choice in choices]
    return found


@pytest.mark.parametrize("name", system_names())
def test_a_word_for_every_value(name: str) -> None:
    kind = find_system(name)
    for setting, value in words_of(kind):
        word = json.dumps(value) if isinstance(value, tuple) else str(value)
        if value is not None:
            assert typed(kind, {setting: word}) == {setting: value}, setting
