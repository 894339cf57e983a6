"""Colours of label maps, and the parts that they stand for.

A palette is written `#cc0000=skin,#663300=skin,#0000cc=hair`: colours that share a name are one part, and one without a name is called by
its colour. Some have a name of their own:

    celebamask-hq   its 19 classes, in the colours of its PNGs                                                  (Lee et al. 2020)
    helen           the same colours as the 11 parts of Helen, which face completion uses         (Smith et al. 2013; Li et al. 2017)

Left and right are the person's; in a mirror a part becomes its twin.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float

from pushforward.core import BadInput

CELEBAMASK = (
    "#000000=background,#cc0000=skin,#4c9900=nose,#cccc00=glasses,#3333ff=left eye,#cc00cc=right eye,#00ffff=left brow,#ffcccc=right brow,"
    "#663300=left ear,#ff0000=right ear,#66cc00=inner mouth,#ffff00=upper lip,#000099=lower lip,#0000cc=hair,#ff3399=hat,#00cccc=earring,"
    "#003300=necklace,#ff9933=neck,#00cc00=clothes"
)
BECOMES = {
    **dict.fromkeys(("glasses", "left ear", "right ear"), "skin"),
    **dict.fromkeys(("hat", "earring", "necklace", "neck", "clothes"), "background"),
}
"""Parts that Helen does not have, and what they count as."""


@dataclass(frozen=True)
class Palette:
    """Colours, and the part of each."""

    colours: Float[torch.Tensor, "k 3"]
    """0..255."""
    kinds: tuple[int, ...]
    """The number of each colour's part."""
    names: tuple[str, ...]
    """Of the parts."""


def palette_of(words: str) -> Palette | None:
    """The palette that `words` name or spell; None where they do neither.

    Raises:
        BadInput: one colour given twice.
    """
    rows, names = [], []
    for word in NAMED.get(words, words).split(","):
        colour, _, name = word.strip().partition("=")
        digits = colour.removeprefix("#")
        if len(digits) != 6 or any(letter not in "0123456789abcdefABCDEF" for letter in digits):
            return None
        rows.append([int(digits[place : place + 2], 16) for place in (0, 2, 4)])
        names.append(name.strip() or f"#{digits.lower()}")
    parts = tuple(dict.fromkeys(names))
    if len({tuple(row) for row in rows}) < len(rows):
        raise BadInput(f"palette is '{words}', where a colour is given twice; give each once.")
    if not 2 <= len(rows) <= 255 or len(parts) < 2:
        return None
    return Palette(torch.tensor(rows).float(), tuple(map(parts.index, names)), parts)


def merged(words: str, becomes: dict[str, str]) -> str:
    """A palette in which some parts count as others."""
    pairs = (word.split("=") for word in words.split(","))
    return ",".join(f"{colour}={becomes.get(name, name)}" for colour, name in pairs)


NAMED = {"celebamask-hq": CELEBAMASK, "helen": merged(CELEBAMASK, BECOMES)}


def twins(names: tuple[str, ...]) -> tuple[int, ...]:
    """The part that each becomes in a mirror: "left eye" becomes "right eye"; () where all stay what they are."""
    sides = {"left": "right", "right": "left"}
    mirrored = [" ".join(sides.get(word, word) for word in name.split()) for name in names]
    found = tuple(names.index(other) if other in names else place for place, other in enumerate(mirrored))
    return found if found != tuple(range(len(names))) else ()
