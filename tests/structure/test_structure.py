"""The shape of the tree: who imports whom, what start-up costs, errors and settings that are complete."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

import jupyter_pycaret_ops
from jupyter_pycaret_ops import errors

PACKAGE = "jupyter_pycaret_ops"
HOME = Path(jupyter_pycaret_ops.__file__).parent

#: DESIGN.md, "Rooms": a room imports what stands to the left of it, never what stands to the right
LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"", "errors", "clock", "settings"}),
    frozenset({"lifecycle", "protocol", "tables", "vault", "metrics"}),
    frozenset({"store", "artifacts"}),
    frozenset({"kernels", "data_sources", "serving"}),
    frozenset({"runs"}),
    frozenset({"api"}),
    frozenset({"app", "doctor", "cli"}),
)
#: the command line has two sides: beside a server, and calling one
CALLERS = {"cli": frozenset({"client"})}
SERVER = frozenset().union(*LAYERS)
LEAVES = frozenset({"", "errors", "clock", "protocol", "tables"})
#: rooms that run elsewhere: in a kernel, or at the client
ELSEWHERE = frozenset({"in_kernel", "client", "notebook", "__main__"})
#: they start or end with the app, and migrations are the store's
BESIDE = {"migrations": frozenset({"store", "settings", ""})}


def modules() -> Iterator[tuple[str, Path, bool]]:
    """Every module of the package: its name, its file, and whether it is a package."""
    for file in sorted(HOME.rglob("*.py")):
        parts = list(file.relative_to(HOME.parent).with_suffix("").parts)
        if "versions" in parts or "node_modules" in parts or "labextension" in parts:
            continue
        is_package = parts[-1] == "__init__"
        yield ".".join(parts[:-1] if is_package else parts), file, is_package


NAMES = {name for name, _, _ in modules()}


def imported(name: str, file: Path, is_package: bool, *, top_only: bool) -> set[str]:
    """Modules of ours that a module imports; those under `if TYPE_CHECKING` do not count."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in walk(tree, into_functions=not top_only):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith(PACKAGE)}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = name.split(".")
                parts = parts[: len(parts) - node.level + (1 if is_package else 0)]
                base = ".".join([*parts, *([node.module] if node.module else [])])
            if not base.startswith(PACKAGE):
                continue
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                found.add(whole if whole in NAMES else base)
    return found - {name}


def walk(node: ast.AST, *, into_functions: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if not into_functions and isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        yield child
        yield from walk(child, into_functions=into_functions)


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def layer(name: str) -> int:
    return next(place for place, rooms in enumerate(LAYERS) if name in rooms)


def test_every_room_is_known() -> None:
    """A new room finds its place in this file before anything imports it."""
    assert {room(name) for name in NAMES} <= SERVER | ELSEWHERE | set(BESIDE)


def test_imports_point_down() -> None:
    wrong = []
    for name, file, is_package in modules():
        mine = room(name)
        if mine not in SERVER:
            continue
        for other in imported(name, file, is_package, top_only=False):
            theirs = room(other)
            if theirs in CALLERS.get(mine, ()):
                continue
            if theirs in ELSEWHERE and mine:  # the package itself names its entry points
                wrong.append(f"{name} (a room of the server) imports {other}")
            elif theirs in SERVER and mine and layer(theirs) > layer(mine):
                wrong.append(f"{name} imports {other}, which is above it")
    assert not wrong, "\n".join(wrong)


def test_kernels_and_clients_see_only_the_leaves() -> None:
    wrong = [
        f"{name} imports {other}"
        for name, file, is_package in modules()
        if room(name) in ELSEWHERE
        for other in imported(name, file, is_package, top_only=False)
        if room(other) not in LEAVES | ELSEWHERE
    ]
    assert not wrong, "\n".join(wrong)


def test_the_client_knows_the_http_api_and_nothing_else_of_the_server() -> None:
    seen = {
        room(other)
        for name, file, is_package in modules()
        if room(name) == "client"
        for other in imported(name, file, is_package, top_only=False)
    }
    assert seen <= {"", "errors", "clock", "protocol", "client"}


def test_no_circles_at_module_level() -> None:
    refuse_circles(
        {
            name: imported(name, file, is_package, top_only=True)
            for name, file, is_package in modules()
        }
    )


def test_no_circles_in_the_notebook_behind_functions_either() -> None:
    """Panels know objects, objects know no panels; the room's front door knows everyone."""
    room_of = f"{PACKAGE}.notebook"
    refuse_circles(
        {
            name: imported(name, file, is_package, top_only=False)
            for name, file, is_package in modules()
            if room(name) == "notebook" and name != room_of
        }
    )


def test_no_circles_between_rooms() -> None:
    graph: dict[str, set[str]] = defaultdict(set)
    for name, file, is_package in modules():
        graph[room(name)] |= {
            room(other) for other in imported(name, file, is_package, top_only=False)
        } - {room(name), ""}
    del graph[""]  # the package itself names its entry points
    refuse_circles(graph)


def refuse_circles(graph: dict[str, set[str]]) -> None:
    state: dict[str, int] = defaultdict(int)

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert state[name] != 1, " → ".join([*path[path.index(name) :], name])
        if state[name] == 0:
            state[name] = 1
            for other in sorted(graph.get(name, ())):
                visit(other, (*path, name))
            state[name] = 2

    for name in sorted(graph):
        visit(name, ())


def test_the_detector_sees_relative_absolute_and_hidden_imports(tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.write_text(
        "from __future__ import annotations\n"
        "from ..errors import Invalid\n"
        "from . import models\n"
        "import jupyter_pycaret_ops.clock\n"
        "if TYPE_CHECKING:\n    from ..app import PyCaretOpsApp\n"
        "def f():\n    from ..runs import fanout\n"
    )
    name = f"{PACKAGE}.store.x"
    assert imported(name, file, False, top_only=True) == {
        f"{PACKAGE}.errors",
        f"{PACKAGE}.store.models",
        f"{PACKAGE}.clock",
    }
    assert f"{PACKAGE}.runs.fanout" in imported(name, file, False, top_only=False)


HEAVY = ("pandas", "numpy", "scipy", "sklearn", "pycaret", "matplotlib", "plotly")


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        (PACKAGE, (*HEAVY, "sqlalchemy", "tornado", "jupyter_server", "traitlets")),
        (f"{PACKAGE}.app, {PACKAGE}.api.routes", HEAVY),
        (f"{PACKAGE}.app, {PACKAGE}.api.lazy", (*HEAVY, "sqlalchemy", "alembic", "cryptography")),
        (
            f"{PACKAGE}.in_kernel.agent, {PACKAGE}.in_kernel.engine",
            ("pandas", "sklearn", "pycaret"),
        ),
        (f"{PACKAGE}.in_kernel.agent", ("sqlalchemy", "tornado.web", "jupyter_server")),
        (f"{PACKAGE}.notebook", (*HEAVY, "sqlalchemy", "msgspec", "tornado", "anywidget")),
        (f"{PACKAGE}.client", (*HEAVY, "sqlalchemy", "msgspec", "tornado", "jupyter_server")),
    ],
)
def test_importing_costs_no_more_than_it_must(module: str, heavy: tuple[str, ...]) -> None:
    """People's notebooks live in the server: nothing heavy is imported until a kernel does it."""
    code = f"import sys, {module}\nprint([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == "[]"


def test_every_error_has_a_status_that_is_not_500() -> None:
    from jupyter_pycaret_ops.api.base import status_for

    import_all()
    # those of the client are never answered by a server
    kinds = [kind for kind in subclasses(errors.OpsError) if room(kind.__module__) in SERVER]
    assert len(kinds) >= 10
    assert {
        kind.__name__: status_for(kind("no")) for kind in kinds if status_for(kind("no")) == 500
    } == {}


def test_every_error_has_a_reason_of_its_own_kind() -> None:
    for kind in subclasses(errors.OpsError):
        if kind is not errors.RetryLater:
            assert kind.reason != errors.OpsError.reason, kind


def subclasses(kind: type[errors.OpsError]) -> set[type[errors.OpsError]]:
    return {kid for direct in kind.__subclasses__() for kid in {direct, *subclasses(direct)}}


def import_all() -> None:
    for info in pkgutil.walk_packages([str(HOME)], f"{PACKAGE}."):
        if room(info.name) in SERVER - {"app"}:
            importlib.import_module(info.name)


def test_every_setting_says_what_it_does() -> None:
    from jupyter_pycaret_ops.app import PyCaretOpsApp

    own = PyCaretOpsApp.class_own_traits(config=True)
    assert "database_url" in own
    assert [name for name, trait in own.items() if len(trait.help or "") < 20] == []


def test_settings_are_read_in_the_app_alone() -> None:
    readers = [
        name
        for name, file, _ in modules()
        # a widget's state is made of traits as well
        if room(name) not in ("app", "cli", "notebook")
        and "traitlets" in file.read_text(encoding="utf-8")
    ]
    assert readers == []
