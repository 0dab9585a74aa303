"""The map in `tlapp/__init__.py` and the size limits of the house style, held against the code.

Nothing of tlapp is imported here: the files are read as syntax trees.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PACKAGE = REPOSITORY / "tlapp"

# In the order in which data passes through them: a room may import those before it.
ROOMS = (
    "data",
    "backbones",
    "classifier",
    "training",
    "runs",
    "jobs",
    "evaluation",
    "experiments",
    "workspace",
    "ui",
)
FOR_EVERYONE = (
    "bounds",
    "messages",
    "errors",
    "settings",
    "log",
    "stopping",
    "files",
    "stored",
    "recent",
    "damages",
    "owners",
)
# Tests of the whole program, and of what the rooms do together: they mirror no folder of tlapp.
ROOMS_OF_TESTS = {"app", "browser", "faults"}
# Tests of one room, or of the tests' own tools, that are about more than one file.
TESTS_OF_NO_FILE = {
    "data/test_traps.py",  # a folder of every difficult kind of file
    "experiments/test_mistakes_on_samples.py",  # the mistakes with real weights
    "test_arrows.py",
    "test_benchmarks.py",
    "test_chromium.py",
    "test_command_line.py",
    "test_guard.py",
    "test_light_imports.py",
    "test_readme.py",
    "training/test_catalogue.py",  # every backbone of the catalogue learns
    "ui/test_damages.py",  # from the disk to the page
    "ui/test_drop_words.py",  # texts against scripts
    "ui/test_reads.py",  # every event of the page, counted
    "ui/test_strangers.py",  # every event of the page, with another visitor's ids
    "workspace/test_earlier_versions.py",
}
ON_TOP = ("__main__", "commands")  # the command line may import every room
# Of the page: what connects events with actions and panels.
CALLERS = ("tlapp.ui.wiring", "tlapp.ui.table", "tlapp.ui.layout", "tlapp.ui.shell")

LONGEST_FILE_LINES = 450  # a warning that a file has two ideas, no reason to split one
LONGEST_FUNCTION_LINES = 60
MOST_PARAMETERS = 8


def _python_files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def _place(path: Path, line: int = 0) -> str:
    place = path.relative_to(REPOSITORY).as_posix()
    return f"{place}:{line}" if line else place


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _room(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def _imported_modules(path: Path) -> Iterator[tuple[int, str]]:
    """The line and the full name of everything a file imports, wherever in the file."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{_place(path, node.lineno)} has a relative import."
            assert node.module is not None
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def _imported_rooms(path: Path) -> Iterator[tuple[int, str]]:
    for line, module in _imported_modules(path):
        parts = module.split(".")
        if parts[0] == "tlapp" and len(parts) > 1 and not parts[1].startswith("__version"):
            yield line, parts[1]


def test_a_room_imports_only_rooms_before_it_on_the_map() -> None:
    wrong = []
    for path in _python_files():
        room = _room(path)
        if room in ON_TOP:
            continue
        position = ROOMS.index(room) if room in ROOMS else -1
        allowed = {*ROOMS[: position + 1], *FOR_EVERYONE}
        wrong += [
            f"{_place(path, line)}: {room} imports {other}"
            for line, other in _imported_rooms(path)
            if other not in allowed
        ]
    assert not wrong, "Against the map in tlapp/__init__.py:\n" + "\n".join(wrong)


def test_the_map_names_every_room_in_order() -> None:
    text = ast.get_docstring(_tree(PACKAGE / "__init__.py")) or ""
    described = re.findall(r"^ *(\w+)  +\w", text, re.MULTILINE)
    assert tuple(described) == ROOMS


def test_every_file_belongs_to_a_room_of_the_map() -> None:
    known = {*ROOMS, *FOR_EVERYONE, *ON_TOP, "__init__"}
    homeless = [_place(path) for path in _python_files() if _room(path) not in known]
    assert not homeless, "Not on the map in tlapp/__init__.py: " + ", ".join(homeless)


def test_what_stands_above_the_workspace_uses_its_services_and_nothing_inside_them() -> None:
    files = [path for path in _python_files() if _room(path) in ("ui", *ON_TOP)]
    wrong = [
        f"{_place(path, line)}: {module}"
        for path in (*files, REPOSITORY / "app.py")
        for line, module in _imported_modules(path)
        if module.startswith("tlapp.workspace.") and _is_inside_the_workspace(module)
    ]
    assert not wrong, "Import it from tlapp.workspace: " + ", ".join(wrong)


def _is_inside_the_workspace(module: str) -> bool:
    """Whether it names a file of the workspace, or something in one."""
    first, *rest = module.removeprefix("tlapp.workspace.").split(".")
    return bool(rest) or (PACKAGE / "workspace" / f"{first}.py").exists()


def test_the_workspace_has_ten_files_at_most() -> None:
    assert len(list((PACKAGE / "workspace").glob("*.py"))) <= 10


def test_gradio_is_imported_in_ui_alone() -> None:
    wrong = [
        _place(path, line)
        for path in _python_files()
        if _room(path) != "ui"
        for line, module in _imported_modules(path)
        if module.split(".")[0] == "gradio"
    ]
    assert not wrong, "Gradio belongs to tlapp/ui: " + ", ".join(wrong)


def _imports_of(folder: str, *parts: str) -> list[str]:
    """What the files of a folder of the page import of these modules, with the place of each."""
    return [
        f"{_place(path, line)}: {module}"
        for path in _python_files()
        if path.is_relative_to(PACKAGE / "ui" / folder)
        for line, module in _imported_modules(path)
        if any(f"{module}.".startswith(f"{part}.") for part in parts)
    ]


def test_actions_know_neither_gradio_nor_what_draws_or_calls_them() -> None:
    wrong = _imports_of("actions", "gradio", "tlapp.ui.panels", *CALLERS)
    assert not wrong, "An action is a function of visit and form: " + ", ".join(wrong)


def test_panels_do_not_know_which_event_draws_them() -> None:
    wrong = _imports_of("panels", *CALLERS)
    assert not wrong, "The table names the panels, not they it: " + ", ".join(wrong)


def test_files_stay_short_enough_to_read() -> None:
    long = [
        f"{_place(path)} has {lines} lines"
        for path in _python_files()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_FILE_LINES
    ]
    assert not long, f"At most {LONGEST_FILE_LINES} lines: " + "; ".join(long)


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_functions_stay_short_enough_to_read() -> None:
    long = [
        f"{_place(path, function.lineno)} {function.name} has {lines} lines"
        for path in _python_files()
        for function in _functions(path)
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > LONGEST_FUNCTION_LINES
    ]
    assert not long, f"At most {LONGEST_FUNCTION_LINES} lines: " + "; ".join(long)


def _parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [argument.arg for argument in every if argument.arg not in ("self", "cls")]


def test_functions_take_few_parameters() -> None:
    wide = [
        f"{_place(path, function.lineno)} {function.name} takes {count}"
        for path in _python_files()
        for function in _functions(path)
        if (count := len(_parameters(function))) > MOST_PARAMETERS
    ]
    assert not wide, f"At most {MOST_PARAMETERS} parameters (make a config): " + "; ".join(wide)


def test_every_module_says_its_one_job() -> None:
    silent = [
        _place(path)
        for path in _python_files()
        if path.name != "__init__.py" and not ast.get_docstring(_tree(path))
    ]
    assert not silent, "No docstring: " + ", ".join(silent)


def test_nothing_is_left_for_later() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    left = [
        _place(path, number)
        for path in _python_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if marks.search(line)
    ]
    assert not left, "Finish or file an issue: " + ", ".join(left)


def test_no_module_keeps_state_with_global() -> None:
    wrong = [
        _place(path, node.lineno)
        for path in _python_files()
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Global)
    ]
    assert not wrong, "`global` makes state that visitors share: " + ", ".join(wrong)


def test_tests_lie_where_the_code_lies() -> None:
    """`tests/room/test_file.py` tests `tlapp/room/file.py`, or the folder `tlapp/room/file/`."""
    tests = REPOSITORY / "tests"
    apart = set()
    for path in tests.rglob("test_*.py"):
        name = path.relative_to(tests)
        tested = PACKAGE / name.parent / name.name.removeprefix("test_")
        is_mirror = tested.exists() or tested.with_suffix("").is_dir()
        if not is_mirror and name.parts[0] not in ROOMS_OF_TESTS:
            apart.add(name.as_posix())
    assert apart == TESTS_OF_NO_FILE
