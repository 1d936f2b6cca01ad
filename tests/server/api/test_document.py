"""The document of the API, its health, and what is answered while the database cannot be used."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tornado.routing import PathMatches

from jupyter_pycaret_ops.common.protocol import API_PREFIX
from jupyter_pycaret_ops.server.api.openapi import REASON, document
from jupyter_pycaret_ops.server.api.routes import ROUTES, by_path, handlers
from jupyter_pycaret_ops.server.api.schemas import ErrorOut
from jupyter_pycaret_ops.server.store.bootstrap import MIGRATE_COMMAND, ensure_schema
from jupyter_pycaret_ops.server.store.session import Store

from ...fakes.backends import SQLITE_ONLY
from .conftest import Api, check_answer

DOCUMENT = document()


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, by_method in DOCUMENT["paths"].items():
        for method, operation in by_method.items():
            yield method.upper(), path, operation


def test_the_document_and_the_routes_name_the_same() -> None:
    documented = {(method, path) for method, path, _ in operations()}
    served = {(route.method, route.path) for route in ROUTES if route.path}
    assert documented == served


def test_every_path_of_the_table_is_found_by_the_router_as_its_own() -> None:
    made = handlers()
    for path, by_method in by_path().items():
        concrete = API_PREFIX + re.sub(r"\{\w+\}", "x", path)
        pattern, _, arguments = next(
            item for item in made if PathMatches(item[0]).regex.fullmatch(concrete)
        )
        assert arguments.get("routes") == by_method, (concrete, pattern)


def test_every_handler_serves_the_methods_of_its_routes() -> None:
    from tornado.web import RequestHandler

    for _, handler, arguments in handlers():
        for method in arguments.get("routes", {}):
            served = getattr(handler, method.lower())
            assert served is not RequestHandler._unimplemented_method


async def test_the_document_and_what_answers_are_the_same(stranger: Api) -> None:
    """Each documented method of each path is served, and no other is."""
    for path, by_method in DOCUMENT["paths"].items():
        concrete = re.sub(r"\{\w+\}", "x", path)
        documented = {method.upper() for method in by_method}
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            raw = b"" if method in ("POST", "PUT", "PATCH") else None
            # who is not let in changes nothing, and is told apart from who asks for what there is not
            answer = await stranger.call(method, concrete, raw=raw)
            if method in documented:
                assert answer.status in (200, 401), (method, path, answer.body)
                continue
            assert answer.status == 405, (method, path)
            assert set(answer.headers["Allow"].split(", ")) - {"HEAD"} == documented


def test_every_list_of_rows_comes_in_pages() -> None:
    """But for those that are short by nature, and events, which go on after a `seq`."""
    short = {"/runs/{run_id}/plots", "/runs/{run_id}/events"}
    for route in ROUTES:
        is_list = getattr(route.answer, "__origin__", None) is list
        if is_list and route.path not in short and not route.path.startswith("/describe/"):
            assert {"limit", "cursor"} <= set(route.query.__struct_fields__), route.path


def test_every_operation_is_described() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(names)) == len(names)
    for method, path, operation in operations():
        assert operation["summary"], (method, path)
        assert operation["description"], (method, path)
        assert operation["tags"][0], (method, path)
        parameters = {item["name"] for item in operation["parameters"] if item["in"] == "path"}
        assert parameters == set(re.findall(r"\{(\w+)\}", path))
        good = [answer for status, answer in operation["responses"].items() if int(status) < 400]
        assert good
        assert all(answer == good[0] for answer in good)
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                schema = answer["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/ErrorOut"}


def test_every_reference_leads_somewhere() -> None:
    known = DOCUMENT["components"]["schemas"]

    def visit(node: Any) -> None:
        if isinstance(node, dict):
            target = node.get("$ref")
            if target is not None:
                assert target.removeprefix("#/components/schemas/") in known
            for value in node.values():
                visit(value)
        elif isinstance(node, list):
            for value in node:
                visit(value)

    visit(DOCUMENT)


def test_every_example_is_of_its_type() -> None:
    """What stands beside a schema can be sent, and is what would be answered."""
    for route in ROUTES:
        if not route.path:
            continue
        operation = DOCUMENT["paths"][route.path][route.method.lower()]
        pairs = [(route.answer, operation["responses"][str(route.status)])]
        if route.body is not None:
            pairs.append((route.body, operation["requestBody"]))
        for kind, told in pairs:
            content = told.get("content", {}).get("application/json")
            if content is not None:
                msgspec.json.decode(msgspec.json.encode(content["example"]), type=kind)
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                example = answer["content"]["application/json"]["example"]
                assert msgspec.convert(example, ErrorOut).reason == REASON[int(status)]


def test_what_the_table_says_of_security_is_in_the_document() -> None:
    for route in ROUTES:
        if not route.path:
            continue
        told = DOCUMENT["paths"][route.path][route.method.lower()]["security"]
        if route.access == "public":
            assert told == []
        if route.access == "run":
            assert told == [{"run": []}]
        if route.access == "user":
            assert ({"key": []} in told) is (route.scope is not None)


async def test_the_document_is_served_and_linked(api: Api) -> None:
    for path in ("", "/"):
        about = await api.get(path)
        assert about["name"] == "jupyter-pycaret-ops"
        assert about["api_version"] == "1"
    assert await api.get(f"/{about['openapi']}") == DOCUMENT
    assert DOCUMENT["openapi"].startswith("3.1")


# ---------------------------------------------------------------- health and trouble


async def test_health_needs_no_credential_and_no_database(
    stranger: Api, extension: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: Any) -> None:
        raise AssertionError("the database was asked")

    monkeypatch.setattr(type(extension), "ensure_started", never)
    monkeypatch.setattr(Store, "read", never)
    assert await stranger.get("/healthz") == {"ok": True}


class TestWhileTheDatabaseIsBehind:
    """Jupyter starts all the same, and every route says what mends it."""

    @pytest.fixture
    def traits(self, empty_url: str) -> dict[str, Any]:
        """On PostgreSQL without a setting, on SQLite by one."""
        return {"auto_migrate": False} if empty_url.startswith("sqlite") else {}

    @pytest.fixture
    def database_url(self, empty_url: str) -> str:
        return empty_url

    async def test_every_route_answers_503_with_the_command(self, api: Api, stranger: Api) -> None:
        assert await stranger.get("/healthz") == {"ok": True}
        for path in ("/workspaces", "/auth/me", "/openapi.json", "/runs", "/describe/tasks"):
            answer = await api.call("GET", path, 503)
            assert MIGRATE_COMMAND in answer.json["message"]
            assert answer.json["reason"] == "unavailable"
        await api.call("GET", "/nowhere", 404)

    async def test_once_it_is_migrated_the_server_goes_on_without_a_restart(
        self, api: Api, database_url: str
    ) -> None:
        await api.call("GET", "/workspaces", 503)
        ensure_schema(database_url, auto_migrate=True)
        assert len(await api.get("/workspaces")) == 1


class TestWithADatabaseOfSomebodyElse:
    """It is left alone."""

    @pytest.fixture
    def database_url(self, tmp_path: Path) -> str:
        with closing(sqlite3.connect(tmp_path / "theirs.db")) as database:
            database.execute("create table customers (id integer)")
        return f"sqlite:///{tmp_path / 'theirs.db'}"

    async def test_the_api_says_so(self, api: Api) -> None:
        answer = await api.call("GET", "/workspaces", 503)
        assert "not of jupyter-pycaret-ops" in answer.json["message"]


class TestWithADatabaseThatCannotBeOpened:
    """Its address is wrong, and may hold a password."""

    @pytest.fixture
    def database_url(self, tmp_path: Path) -> str:
        (tmp_path / "no-folder").write_text("a file")
        return f"sqlite:///{tmp_path / 'no-folder' / 'hunter2.db'}"

    async def test_the_address_is_not_repeated(self, api: Api) -> None:
        answer = await api.call("GET", "/workspaces", 503)
        assert b"hunter2" not in answer.body
        check_answer(answer)


@SQLITE_ONLY
async def test_a_database_that_is_locked_is_a_503_and_passes(
    api: Api, database_url: str, services: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy import event

    @event.listens_for(services.store.engine, "checkout")
    def _hasty(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA busy_timeout=50")

    await api.get("/auth/me")
    file = database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = await api.call("POST", "/workspaces", 503, {"name": "w"})
        assert "locked" in answer.json["message"]
        await api.get("/workspaces")
        other.execute("ROLLBACK")
    await api.post("/workspaces", {"name": "w"})
