"""The shape of the tree: who imports whom, what start-up costs, errors and settings that are complete."""

from __future__ import annotations

import ast
import functools
import importlib
import pkgutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from pathlib import Path

import pytest

import jupyter_pycaret_ops
from jupyter_pycaret_ops.common import errors

PACKAGE = "jupyter_pycaret_ops"
HOME = Path(jupyter_pycaret_ops.__file__).parent

#: folders and modules of `server`: each imports what stands before it, never what stands after it
SERVER_LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"background", "lifecycle", "settings", "sizes", "threads", "vault", "prometheus"}),
    frozenset({"store", "files", "migrations"}),
    frozenset({"executors"}),
    frozenset({"data_sources", "serving"}),
    frozenset({"runs", "reproduction"}),
    frozenset({"api"}),
    frozenset({"wiring"}),
    frozenset({"app", "doctor"}),
)
#: by process: what each part of the package may import of the others
MAY_IMPORT: dict[str, frozenset[str]] = {
    "common": frozenset(),
    "errors": frozenset({"common"}),
    "server": frozenset({"common"}),
    "kernel": frozenset({"common"}),
    "client": frozenset({"common"}),
    "notebook": frozenset({"common", "client", "kernel"}),
    "cli": frozenset({"common", "client"}),
}
#: of the kernel's side, a notebook knows the front door of the agent
AGENT = f"{PACKAGE}.kernel.agent"
#: `migrate` and `doctor` stand beside a server
BESIDE_A_SERVER = {f"{PACKAGE}.cli.server_commands", f"{PACKAGE}.cli.server_checks"}


def modules() -> Iterator[tuple[str, Path, bool]]:
    """Every module of the package: its name, its file, and whether it is a package."""
    for file in sorted(HOME.rglob("*.py")):
        parts = list(file.relative_to(HOME.parent).with_suffix("").parts)
        if "versions" in parts or "node_modules" in parts or "labextension" in parts:
            continue
        is_package = parts[-1] == "__init__"
        yield ".".join(parts[:-1] if is_package else parts), file, is_package


NAMES = {name for name, _, _ in modules()}


@functools.cache
def imported(name: str, file: Path, is_package: bool, *, top_only: bool) -> frozenset[str]:
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
    return frozenset(found - {name})


def walk(node: ast.AST, *, into_functions: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if not into_functions and isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        yield child
        yield from walk(child, into_functions=into_functions)


def part(module: str) -> str:
    """The part of the package that a module belongs to; the package itself has none."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def part_of_server(module: str) -> str:
    return module.split(".")[2]


def layer(name: str) -> int:
    return next(place for place, names in enumerate(SERVER_LAYERS) if name in names)


def imports() -> Iterator[tuple[str, str]]:
    """Each import of ours by ours, those in functions too: who, and whom."""
    for name, file, is_package in modules():
        for other in imported(name, file, is_package, top_only=False):
            yield name, other


def test_every_part_of_the_package_is_known() -> None:
    """A new folder gets its place in this file before anything imports it."""
    assert {part(name) for name in NAMES} - {""} == set(MAY_IMPORT)
    server = {name for name in NAMES if part(name) == "server" and name.count(".") > 1}
    assert {part_of_server(name) for name in server} == frozenset().union(*SERVER_LAYERS)


def test_threads_of_the_server_are_started_in_one_module() -> None:
    wrong = [
        f"{name}: {word}"
        for name, file, _ in modules()
        if part(name) == "server" and name != f"{PACKAGE}.server.threads"
        for word in ("to_thread", "run_in_executor", "ThreadPoolExecutor", "threading.Thread")
        if word in file.read_text(encoding="utf-8")
    ]
    assert wrong == []


def test_parts_import_only_what_runs_in_their_process() -> None:
    wrong = [
        f"{name} imports {other}"
        for name, other in imports()
        if part(name)  # the package itself names its entry points
        and part(other) not in {"", part(name), *MAY_IMPORT[part(name)]}
        and not (name in BESIDE_A_SERVER and part(other) == "server")
    ]
    assert not wrong, "\n".join(wrong)


def test_the_notebook_knows_of_the_kernel_only_the_agents_front_door() -> None:
    seen = {other for name, other in imports() if part(name) == "notebook"}
    assert {name for name in seen if part(name) == "kernel"} == {AGENT}


def test_imports_within_the_server_point_down() -> None:
    wrong = [
        f"{name} imports {other}, which is above it"
        for name, other in imports()
        if part(name) == part(other) == "server"
        and min(name.count("."), other.count(".")) > 1
        and layer(part_of_server(other)) > layer(part_of_server(name))
    ]
    assert not wrong, "\n".join(wrong)


def test_no_circles_at_module_level() -> None:
    refuse_circles(
        {
            name: imported(name, file, is_package, top_only=True)
            for name, file, is_package in modules()
        }
    )


def test_no_circles_behind_functions_either() -> None:
    """Deferred imports count too; those of the package itself name its entry points."""
    graph: dict[str, set[str]] = defaultdict(set)
    for name, other in imports():
        if part(name):
            graph[name].add(other)
    refuse_circles(graph)


def refuse_circles(graph: Mapping[str, Set[str]]) -> None:
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
        "from ..vault import Vault\n"
        "from . import models\n"
        "import jupyter_pycaret_ops.common.clock\n"
        "if TYPE_CHECKING:\n    from ..app import PyCaretOpsApp\n"
        "def f():\n    from ..runs import fanout\n"
    )
    name = f"{PACKAGE}.server.store.x"
    assert imported(name, file, False, top_only=True) == {
        f"{PACKAGE}.server.vault",
        f"{PACKAGE}.server.store.models",
        f"{PACKAGE}.common.clock",
    }
    assert f"{PACKAGE}.server.runs.fanout" in imported(name, file, False, top_only=False)


HEAVY = ("pandas", "numpy", "scipy", "sklearn", "pycaret", "matplotlib", "plotly")


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        (PACKAGE, (*HEAVY, "sqlalchemy", "tornado", "jupyter_server", "traitlets")),
        (f"{PACKAGE}.server.app, {PACKAGE}.server.api.routes", HEAVY),
        (
            f"{PACKAGE}.server.app, {PACKAGE}.server.api.lazy_routes",
            (*HEAVY, "sqlalchemy", "alembic", "cryptography"),
        ),
        (
            f"{PACKAGE}.kernel.agent, {PACKAGE}.kernel.engine",
            ("pandas", "sklearn", "pycaret"),
        ),
        (f"{PACKAGE}.kernel.agent", ("sqlalchemy", "tornado.web", "jupyter_server")),
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
    from jupyter_pycaret_ops.server.api.base import status_for

    import_all()
    # those of the client are never answered by a server
    kinds = [
        kind
        for kind in subclasses(errors.OpsError)
        if part(kind.__module__) in ("common", "server")
    ]
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
        if part(info.name) in ("common", "server") and "migrations" not in info.name:
            importlib.import_module(info.name)


def test_every_setting_says_what_it_does() -> None:
    from jupyter_pycaret_ops.server.app import PyCaretOpsApp

    own = PyCaretOpsApp.class_own_traits(config=True)
    assert "database_url" in own
    assert [name for name, trait in own.items() if len(trait.help or "") < 20] == []


def test_settings_are_read_in_the_app_alone() -> None:
    readers = [
        name
        for name, file, _ in modules()
        # a widget's state is made of traits as well
        if part(name) not in ("cli", "notebook")
        and name != f"{PACKAGE}.server.app"
        and "traitlets" in file.read_text(encoding="utf-8")
    ]
    assert readers == []
