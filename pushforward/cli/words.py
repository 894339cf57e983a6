"""From the words of a command line to a command; misspelt ones become one sentence with the nearest known name. Imports no torch."""

import re
from contextlib import redirect_stderr
from dataclasses import MISSING, fields
from io import StringIO
from pathlib import Path
from typing import Annotated, ClassVar, Protocol, TypeVar, Union

import tyro
from tyro.conf import DisallowNone, FlagCreatePairsOff, Positional, arg, subcommand

from pushforward.spelling import nearest

Kind = TypeVar("Kind")
Maybe = Annotated[Kind | None, arg(help_behavior_hint="")]
"""An option that may be left out; its docstring says what happens then."""
RunFolder = Annotated[Path, Positional, arg(metavar="RUN", help_behavior_hint="")]
"""A run folder, or `zoo/NAME` for one that comes with the package."""

KINDS = {"INT": "a whole number", "FLOAT": "a number", "PATH": "a path"}
"""What tyro calls the values of options, in words."""


class Command(Protocol):
    """A command: a frozen dataclass whose fields are its options and whose docstring, with an example, is its help."""

    __dataclass_fields__: ClassVar[dict]

    def run_it(self) -> None:
        """Do what was asked for."""
        ...


class Misspelt(Exception):
    """Words that are no command or option. A sentence, like core's BadInput, which would import torch."""


def understood(commands: dict[str, type[Command]], arguments: list[str]) -> Command:
    """The command that the words ask for.

    Raises:
        Misspelt: what is wrong with them.
        SystemExit: help was asked for and has been printed.
    """
    if not arguments or arguments[0] in ("-h", "--help"):
        overview(commands)
    name, *rest = arguments
    if name not in commands:
        raise Misspelt(f"There is no command '{name}'{nearest(name, commands)} Known: {', '.join(commands)}.")
    command, unknown = parsed(commands[name], f"pushforward {name}", rest)
    if not unknown:
        return command
    if hasattr(command, "settings"):  # options that only the system to train knows
        command.settings.update(pairs(name, unknown))
        return command
    raise Misspelt(f"`pushforward {name}` has no {noun(unknown[0])}{nearest(unknown[0], options(commands[name]))}")


def overview(commands: dict[str, type[Command]]) -> None:
    """Print what commands there are, and end."""
    each = [Annotated[kind, subcommand(name, description=(kind.__doc__ or "").split("\n")[0])] for name, kind in commands.items()]
    about = "Generative neural networks: z ~ p(z), x = G(z) ~ p(x).\n\nExample: pushforward train vae --data digits"
    tyro.cli(Union[tuple(each)], prog="pushforward", description=about, args=["--help"])  # type: ignore[call-overload]  # noqa: UP007


def parsed(kind: type[Command], program: str, words: list[str]) -> tuple[Command, list[str]]:
    """A command of this kind, and the words that it does not know."""
    complaint = StringIO()
    try:
        with redirect_stderr(complaint):
            return tyro.cli(kind, prog=program, args=words, return_unknown_args=True, config=(DisallowNone, FlagCreatePairsOff))
    except SystemExit as end:
        if not end.code:
            raise
        raise Misspelt(sentence(complaint.getvalue(), program, words)) from None


def sentence(complaint: str, program: str, words: list[str]) -> str:
    """tyro's complaint, a box of many lines, as one sentence."""
    text = " ".join(re.sub(r"\x1b\[[0-9;]*m", "", complaint).translate(dict.fromkeys(map(ord, "╭╮╰╯│─•"), " ")).split())
    if missing := re.search(r"Missing from .+?: (\S+) (.*?) \(required\)", text):
        meaning = missing[2].rstrip(".").split(". ")[0]
        return f"`{program}` needs {missing[1]}: {meaning[0].lower()}{meaning[1:]}. See `{program} --help`."
    flag = next(iter(re.findall(r"(?:argument '|parsing )([^\s:']+)", text)), "a value")
    if choices := re.search(r"Expected one of \((.+?)\)", text):
        known = sorted(word for word in re.findall(r"'(.+?)'", choices[1]) if word != "None")
        value = next(iter(re.findall(r"choice '(.+?)' for", text)), "")
        return f"{flag} is '{value}'{nearest(value, known)} Known: {', '.join(known)}."
    if "Missing value" in text and not flag.startswith("-"):
        return f"Name what `{program}` works on before its options. See `{program} --help`."
    if "Missing value" in text:
        return f"{flag} needs a value. See `{program} --help`."
    if count := re.search(r"expected argument count (\d+)", text):
        return f"{flag} needs {count[1]} values. See `{program} --help`."
    kind = next((told for name, told in KINDS.items() if re.search(rf"helptext: \S+ \{{?{name}\b", text)), "of another kind")
    return f"{flag} is '{value_of(flag, words)}', but should be {kind}. See `{program} --help`."


def value_of(flag: str, words: list[str]) -> str:
    """What stands after an option."""
    for place, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name.replace("_", "-") == flag:
            return value if equals else " ".join(words[place + 1 : place + 2])
    return ""


def options(kind: type[Command]) -> list[str]:
    """`--count` and the like: what a command takes beside its positional words."""
    return [spelt(field.name) for field in fields(kind) if field.default is not MISSING]


def spelt(name: str) -> str:
    """`held_out` as it is written on the command line."""
    return "--" + name.replace("_", "-")


def noun(word: str) -> str:
    """`option '--cuont'`, or `place for 'x'`."""
    return f"option '{word.partition('=')[0]}'" if word.startswith("-") else f"place for '{word}'"


def pairs(name: str, words: list[str]) -> dict[str, str]:
    """`--latent 2 --views=none --code-sees-label` as {"latent": "2", "views": "none", "code_sees_label": "true"}."""
    found, rest = {}, list(words)
    while rest:
        word = rest.pop(0)
        option, equals, value = word.partition("=")
        if not re.fullmatch(r"--[A-Za-z][\w-]*", option):
            raise Misspelt(f"`pushforward {name}` has no {noun(word)}. See `pushforward {name} --help`.")
        if not equals:
            value = rest.pop(0) if rest and not rest[0].startswith("--") else "true"
        found[option[2:].replace("-", "_")] = value
    return found
