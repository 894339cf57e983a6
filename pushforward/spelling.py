"""What a misspelt word may have meant. Imports no torch: the command line needs it before any."""

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["nearest"]


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a sentence: `; did you mean 'vae'?`, or a full stop where no known word is near."""
    found = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean '{found[0]}'?" if found else "."
