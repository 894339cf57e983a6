"""The one error a user meets: a sentence saying what is wrong, the value, and what to do."""

from collections.abc import Iterable
from difflib import get_close_matches


class BadInput(ValueError):
    """Something the user gave cannot be used. The command line prints the sentence and exits with code 2."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a sentence: `; did you mean 'vae'?`, or a full stop where no known word is near."""
    found = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean '{found[0]}'?" if found else "."
