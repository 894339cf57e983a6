"""The house plan, enforced: what may import what, what a folder exports, how long a file may be, what must not be in the tree."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "pushforward"
FLOORS = {
    "__main__": 7,
    "cli": 6,
    "studio": 6,
    "reproduce": 5,
    "evaluation": 4,
    "recipes": 4,
    "report": 4,
    "runs": 3,
    "metrics": 3,
    "systems": 2,
    "training": 2,
    "maths": 1,
    "nets": 1,
    "data": 1,
    "figures": 1,
    "core": 0,
    "spelling": -1,
}
NO_CODE = {"zoo"}
"""Folders of the package that hold trained runs and no code."""
LONGEST = 320
PICKLES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
DOORS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
FILES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))
ELSEWHERE = ["/" + folder + "/" for folder in ("work", "opt")]
"""Absolute paths of the machines that the project was written on."""

each_file = pytest.mark.parametrize("file", FILES, ids=str)


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse((PACKAGE / file).read_text(encoding="utf-8"))


def place(file: Path) -> str:
    """The folder or top-level module that a file belongs to; the package's own door has none."""
    return file.parts[0].removesuffix(".py")


def imported(node: ast.AST) -> Iterator[str]:
    """Dotted names of the modules that an import statement reads (`from a import b` may mean the module a.b)."""
    if isinstance(node, ast.Import):
        yield from (name.name for name in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert not node.level, f"line {node.lineno}: a relative import; write the whole name"
        assert node.module
        yield from ([f"pushforward.{name.name}" for name in node.names] if node.module == "pushforward" else [node.module])


def imports(file: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((node.lineno, name) for name in imported(node))


def test_every_part_of_the_package_has_a_floor() -> None:
    found = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert found - {"__init__", "__pycache__"} <= FLOORS.keys() | NO_CODE, "give it a floor in FLOORS"
    assert max(len(file.parts) for file in FILES) <= 3, "three levels of folders at the most"


@each_file
def test_imports_only_go_down(file: Path) -> None:
    here = place(file)
    for line, name in imports(file):
        if name.split(".")[0] != "pushforward" or here == "__init__":
            continue
        there = [*name.split("."), ""][1]
        down = there == here or FLOORS.get(there, 99) < FLOORS[here] or name == "pushforward.__version__"
        assert down, f"{file}:{line} imports {name}, which is not below floor {FLOORS[here]}"


@each_file
def test_nothing_is_unpickled_and_torchvision_stays_out(file: Path) -> None:
    for line, name in imports(file):
        assert name.split(".")[0] not in PICKLES | {"torchvision"}, f"{file}:{line} imports {name}"
    for node in ast.walk(tree(file)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        said = {key.arg: key.value for key in node.keywords}
        call = ast.unparse(node.func)
        assert call not in ("torch.load", "torch.save"), f"{file}:{node.lineno} calls {call}, which reads or writes a pickle"
        if call in ("np.load", "numpy.load", "np.save", "numpy.save") or "allow_pickle" in said:
            allowed = said.get("allow_pickle")
            assert isinstance(allowed, ast.Constant) and allowed.value is False, f"{file}:{node.lineno} should say allow_pickle=False"


@each_file
def test_files_are_short_enough_to_read(file: Path) -> None:
    lines = len((PACKAGE / file).read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST, f"{file} has {lines} lines; split it"
    assert ast.get_docstring(tree(file)) or file.name == "__main__.py", f"{file} has no caption"


@pytest.mark.parametrize("folder", DOORS)
def test_a_door_lists_exactly_what_goes_through_it(folder: str) -> None:
    """`__all__` of a folder names what its __init__ defines, and what it takes from its own modules for others to use."""
    module, body = import_module(f"pushforward.{folder}"), tree(Path(folder, "__init__.py"))
    exported = list(getattr(module, "__all__", []))
    assert len(exported) == len(set(exported))
    for name in exported:
        assert getattr(module, name, None) is not None, f"pushforward.{folder} exports '{name}', but has none"
    used = {node.id for node in ast.walk(body) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    offered = {name for name in bound(body, f"pushforward.{folder}.") - used if not name.startswith("_")}
    assert offered <= set(exported), f"pushforward.{folder} offers {sorted(offered - set(exported))} without naming it in __all__"
    modules = {path.stem for path in (PACKAGE / folder).iterdir()}
    for file in FILES:
        for node in ast.walk(tree(file)):
            if isinstance(node, ast.ImportFrom) and node.module == f"pushforward.{folder}":
                passed = {name.name for name in node.names} - modules - set(exported)
                assert not passed, f"{file}:{node.lineno} takes {sorted(passed)} past the door of pushforward.{folder}"


def bound(body: ast.Module, own: str) -> set[str]:
    """Names that a door defines, or takes from its own modules."""
    names: set[str] = set()
    for node in body.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(own):
            names |= {name.asname or name.name for name in node.names}
    return names


def test_what_the_package_promises_is_there() -> None:
    package = import_module("pushforward")
    assert all(getattr(package, name) is not None for name in package.__all__)
    assert set(dir(package)) == set(package.__all__)


def listed() -> list[Path]:
    """Every file that git would keep: the tree as others get it. Without git, the package and its tests."""
    try:
        told = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True, text=True
        )
        return [path for name in told.stdout.split("\0") if name and (path := ROOT / name).is_file()]
    except (OSError, subprocess.CalledProcessError):
        return [path for folder in (PACKAGE, ROOT / "tests") for path in folder.rglob("*") if path.suffix in (".py", ".md", ".json")]


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    found = []
    for path in listed():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:  # a picture or weights
            continue
        found += [f"{path.relative_to(ROOT)}: {known}" for known in ELSEWHERE if known in text]
    assert not found
