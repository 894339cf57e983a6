"""Floor 6: commands, one sentence each. torch is imported only inside a command, so that help is quick."""

import errno
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from pushforward.cli.answers import Data, Predict, Report, Systems
from pushforward.cli.editing import Edit
from pushforward.cli.evaluating import Evaluate, Reproduce
from pushforward.cli.exploring import Directions, Project, Walk
from pushforward.cli.labelling import NameClusters, SuggestLabels
from pushforward.cli.pictures import Interpolate, Reconstruct, Sample, Traverse
from pushforward.cli.playing import Game
from pushforward.cli.training import Resume, Train
from pushforward.cli.words import Command, Misspelt, understood

__all__ = ["COMMANDS", "main"]

COMMANDS: dict[str, type[Command]] = {
    "train": Train,
    "resume": Resume,
    "sample": Sample,
    "reconstruct": Reconstruct,
    "interpolate": Interpolate,
    "traverse": Traverse,
    "walk": Walk,
    "project": Project,
    "directions": Directions,
    "edit": Edit,
    "predict": Predict,
    "evaluate": Evaluate,
    "suggest-labels": SuggestLabels,
    "name-clusters": NameClusters,
    "report": Report,
    "reproduce": Reproduce,
    "game": Game,
    "systems": Systems,
    "data": Data,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says (`sys.argv` where `arguments` is None) and return the exit status.

    0: done. 2: something that was given cannot be used. 3: the disk is full. 4: the training diverged too often.
    130, 143: stopped by SIGINT or SIGTERM; 141: nobody reads the output any more. All but 0 and 141 come with one sentence on stderr.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words == ["--version"]:
        print(f"pushforward {version('pushforward')}")
        return 0
    try:
        command = understood(COMMANDS, words)
    except Misspelt as error:
        return told(str(error), 2)
    except SystemExit:  # help was asked for, and printed
        return 0
    return done(command)


def done(command: Command) -> int:
    """Run a command; what a user can mend becomes a sentence and an exit status, anything else is a fault of ours and is raised."""
    from pushforward.core import BadInput
    from pushforward.runs import GivenUp, Interrupted, NoSpace
    from pushforward.training import Diverged

    try:
        command.run_it()
        sys.stdout.flush()
    except (BadInput, Misspelt) as error:
        return told(str(error), 2)
    except NoSpace as error:
        return told(str(error), 3)
    except (GivenUp, Diverged) as error:
        return told(str(error), 4)
    except Interrupted as error:
        return told(str(error), error.code)
    except KeyboardInterrupt:
        return told("Stopped.", 130)
    except BrokenPipeError:  # who read the output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except OSError as error:
        if not error.filename:
            raise
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        return told(f"'{error.filename}' cannot be used ({error.strerror}).", 3 if full else 2)
    return 0


def told(sentence: str, code: int) -> int:
    """Print a sentence on stderr and give the exit status back."""
    print(sentence, file=sys.stderr)
    return code
