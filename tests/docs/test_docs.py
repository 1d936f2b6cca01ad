"""The documentation is complete, and its links and names exist."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from jupyter_pycaret_ops.cli import CommandLine, client_command
from jupyter_pycaret_ops.common.errors import OpsError
from jupyter_pycaret_ops.common.protocol import ErrorKind
from jupyter_pycaret_ops.common.task_types import TASK_TYPES
from jupyter_pycaret_ops.kernel.engine.plans import PLANS
from jupyter_pycaret_ops.server.api.routes import ROUTES
from jupyter_pycaret_ops.server.app import PyCaretOpsApp
from jupyter_pycaret_ops.server.lifecycle import EVENT_OF, Status

from ..live import ROOT

DOCS = ROOT / "docs"
PACKAGE = ROOT / "jupyter_pycaret_ops"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
TEXTS = [*PAGES, *sorted((ROOT / "examples").iterdir())]
TRAITS = PyCaretOpsApp.class_own_traits(config=True)

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def anchors(file: Path) -> set[str]:
    """Return the fragments of links to the headings of a page, as code hosts make them."""
    text = FENCE.sub("", file.read_text(encoding="utf-8"))
    return {
        re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        for heading in HEADING.findall(text)
    }


def folders() -> Iterator[str]:
    """Yield the names of the design pages: one for each folder of the package."""
    for name in ("cli", "client", "common", "notebook"):
        assert (PACKAGE / name / "__init__.py").is_file()
        yield name
    for part, prefix in (("server", ""), ("kernel", "kernel-")):
        for folder in sorted((PACKAGE / part).iterdir()):
            if (folder / "__init__.py").is_file() and folder.name != "migrations":
                yield prefix + folder.name.replace("_", "-")
    yield "labextension"


# ---------------------------------------------------------------- complete


@pytest.mark.parametrize("name", sorted(TRAITS))
def test_trait_is_documented_with_its_default(name: str) -> None:
    """A row of the table has the trait, its default or how it is found, and when to change it."""
    row = re.search(rf"^\| `{name}` \| ([^|]+) \| ([^|]+) \|$", page("configuration.md"), re.M)
    assert row is not None, f"configuration.md has no row for {name}"
    default, why = row[1], row[2]
    if not hasattr(PyCaretOpsApp, f"_default_{name}"):
        value = TRAITS[name].default_value
        stated = "empty" if value == "" else f"`{value}`"
        assert stated in default
    assert len(why) > 20


def test_documented_traits_exist() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", page("configuration.md"), re.M)
    assert sorted(rows) == sorted(TRAITS)
    for file in PAGES:
        for name in re.findall(r"PyCaretOpsApp\.(\w+)", file.read_text(encoding="utf-8")):
            assert name in TRAITS, f"{file.name} names PyCaretOpsApp.{name}"


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_route_is_listed(route: object) -> None:
    """Method and path are compared; names of path parameters may differ."""
    path = re.sub(r"\{\w+\}", "{}", route.path) or "/"  # type: ignore[attr-defined]
    assert (route.method, path) in listed_routes()  # type: ignore[attr-defined]


def listed_routes() -> set[tuple[str, str]]:
    rows = re.findall(r"^\| ([A-Z, ]+) \| `(/[^`?]*)[^`]*` \|", page("http-api.md"), re.M)
    return {
        (method, re.sub(r"\{\w+\}", "{}", path))
        for words, path in rows
        for method in words.split(", ")
    }


def test_listed_routes_exist() -> None:
    """A route that does not exist yet is not in the list."""
    known = {(route.method, re.sub(r"\{\w+\}", "{}", route.path)) for route in ROUTES}
    assert listed_routes() <= known


def test_every_reason_status_event_and_plan_is_documented() -> None:
    def kinds(root: type[OpsError]) -> Iterator[type[OpsError]]:
        for kind in root.__subclasses__():
            yield kind
            yield from kinds(kind)

    http = page("http-api.md")
    for kind in kinds(OpsError):
        if ".client." in kind.__module__:  # never answered by a server
            assert f"`client.{kind.__name__}`" in page("client.md"), kind
        elif kind.__name__ != "RetryLater":
            assert f"`{kind.reason}`" in http, kind
    runs = page("runs.md")
    for word in [*Status, *EVENT_OF.values(), *ErrorKind.__args__, *PLANS]:
        assert f"`{word}`" in runs, word


def test_every_task_and_plan_is_in_getting_started() -> None:
    text = page("getting-started.md")
    assert [word for word in [*TASK_TYPES, *PLANS] if f"`{word}`" not in text] == []


def test_extras_in_getting_started_are_those_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    rows = re.findall(r"^\| `(\w+)` \|", page("getting-started.md"), re.M)
    assert sorted(rows) == sorted(project["optional-dependencies"])


def test_routes_without_a_credential_are_in_security() -> None:
    row = re.search(r"^\| none \| (.+?) \|", page("security.md"), re.M)
    assert row is not None
    public = {route.path for route in ROUTES if route.access == "public"}
    assert set(re.findall(r"`(/[^`]+)`", row[1])) == public


def test_exit_codes_are_those_of_the_command_line() -> None:
    rows = re.findall(r"^\| (\d+) \|", page("command-line.md"), re.M)
    interrupted = 130
    assert [int(row) for row in rows] == [
        *(
            0,
            client_command.REFUSED,
            client_command.USAGE_ERROR,
            client_command.FAILED,
            client_command.CANCELLED,
        ),
        *(client_command.NO_SERVER, interrupted),
    ]


def test_named_subcommands_exist() -> None:
    for file in PAGES:
        for name in re.findall(r"jupyter pycaret-ops (\w+)", file.read_text(encoding="utf-8")):
            assert name in CommandLine.subcommands, f"{file.name}: jupyter pycaret-ops {name}"


def test_every_package_has_a_design_page_and_every_page_a_package() -> None:
    assert {file.stem for file in (DOCS / "design").glob("*.md")} == {"README", *folders()}


def test_indexes_link_every_page() -> None:
    for folder in (DOCS, DOCS / "design"):
        index = folder / "README.md"
        linked = set(LINK.findall(index.read_text(encoding="utf-8")))
        assert {file.name for file in folder.glob("*.md")} - {"README.md"} <= linked


# ---------------------------------------------------------------- sound


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_link_has_a_target(file: Path) -> None:
    text = FENCE.sub("", file.read_text(encoding="utf-8"))
    for link in LINK.findall(text):
        if re.match(r"https?://", link):
            continue
        path, _, fragment = link.partition("#")
        target = (file.parent / unquote(path)).resolve() if path else file
        assert target.exists(), f"{link} leads nowhere"
        assert target.is_relative_to(ROOT), f"{link} leads out of the repository"
        if fragment:
            assert fragment in anchors(target), f"{link}: there is no such heading"


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_named_file_exists(file: Path) -> None:
    """A path in code quotes that begins with a folder of the repository exists."""
    named = re.findall(
        r"`((?:jupyter_pycaret_ops|labextension|tests|docs|examples|bench|requirements)/[\w./-]+)`",
        file.read_text(encoding="utf-8"),
    )
    for name in named:
        assert (ROOT / name).exists(), f"{file.name} names {name}"


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_registry_host_and_no_path_of_this_machine(file: Path) -> None:
    """Packages come from the configured registry; examples run on any machine."""
    text = file.read_text(encoding="utf-8")
    # in pieces, so that this file names none either
    hosts = [("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com")]
    hosts += [("yarnpkg", "com"), ("anaconda", "org"), ("anaconda", "com")]
    for host in hosts:
        assert ".".join(host) not in text
    assert not re.search(r"(?<![\w.])/(?:work|tmp|root|home/\w+|Users/\w+)/", text)
