"""Where runs are: in a folder of the user's, or in the package as zoo/NAME."""

from difflib import get_close_matches
from pathlib import Path

from pushforward.core import BadInput

ZOO = Path(__file__).parents[1] / "zoo"


def find(folder: Path) -> Path:
    """The run folder meant by a path; `zoo/NAME` is one that comes with the package.

    Raises:
        BadInput: naming the nearest run.
    """
    place = ZOO.joinpath(*folder.parts[1:]) if folder.parts[:1] == ("zoo",) and not folder.is_dir() else folder
    if not place.is_dir():
        shipped = [f"zoo/{path.parent.name}" for path in sorted(ZOO.glob("*/recipe.json"))]
        raise BadInput(
            f"There is no run '{folder}'{likeliest(folder, shipped)} Runs that come with the package: {', '.join(shipped) or 'none'}."
        )
    if not (place / "recipe.json").exists():
        raise BadInput(f"{folder} is no run: it has no recipe.json. Give a folder that `pushforward train` made.")
    return place


def called(folder: Path) -> str:
    """What a user calls a run: its folder, or zoo/NAME where it comes with the package."""
    whole = folder.resolve()
    return str(Path("zoo", whole.relative_to(ZOO))) if ZOO in whole.parents else str(folder)


def likeliest(folder: Path, shipped: list[str]) -> str:
    """The end of a sentence: the run of the nearest name, of two of one name the user's own rather than that which is `shipped`."""
    own = [path.parent for place in (Path("runs"), folder.parent) for path in sorted(place.glob("*/recipe.json"))]
    named = {Path(run).name: run for run in (shipped if folder.parts[:1] == ("zoo",) else [*shipped, *map(str, own)])}
    found = get_close_matches(folder.name, named, n=1, cutoff=0.5)
    return f"; did you mean '{named[found[0]]}'?" if found else "."
