"""Who may do what, walked along the table of routes: each route as each kind of caller.

What is expected follows from the route's row and from four sentences: a viewer reads, a member also writes and
executes, an admin also manages members and the workspace, and nobody sees a workspace that they are not in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jupyter_pycaret_ops.server.api.context import Route, Services
from jupyter_pycaret_ops.server.api.openapi import document
from jupyter_pycaret_ops.server.api.routes import ROUTES
from jupyter_pycaret_ops.server.store import deployments, keys, workspaces
from jupyter_pycaret_ops.server.store.access import Role

from ...fakes import HandClock
from ...fakes.backends import SQLITE_ONLY
from ...fakes.records import World, everything
from .conftest import NOBODY, Api, NamingProvider, RecordingAuthorizer

PEOPLE = [{"identity_provider_class": NamingProvider, "authorizer_class": RecordingAuthorizer}]
MANAGED = re.compile(r"/workspaces/\{workspace_id\}(/members.*)?|/api-keys/\{key_id\}")
#: deletions last, from the leaves to the root
ORDER = ("key", "deployment", "pipeline", "artifact", "run", "source", "experiment", "project")


@dataclass(frozen=True)
class Who:
    """A kind of caller: a person with a role, or a key of somebody with one."""

    name: str
    role: Role | None = None
    scope: str | None = None
    elsewhere: bool = False


CALLERS = (
    Who("an admin", Role.ADMIN),
    Who("a member", Role.MEMBER),
    Who("a viewer", Role.VIEWER),
    Who("a person of another workspace", None),
    Who("a key that predicts", Role.MEMBER, "predict"),
    Who("a key that reads", Role.MEMBER, "read"),
    Who("a viewer's key that reads", Role.VIEWER, "read"),
    Who("a key that writes", Role.MEMBER, "write"),
    Who("an admin's key that writes", Role.ADMIN, "write"),
    Who("a key that writes elsewhere", Role.ADMIN, "write", elsewhere=True),
)


def needed(route: Route) -> Role:
    """The role that a route asks for."""
    if route.method != "GET" and MANAGED.fullmatch(route.path):
        return Role.ADMIN
    if route.path == "/api-keys":
        return Role.VIEWER  # for a key that reads, as that of the document's example
    return Role.VIEWER if route.action == "read" else Role.MEMBER


def names_a_row(route: Route) -> bool:
    """Whether path or body lead into a workspace; names of the engine's things do not."""
    if route.path.startswith("/describe/"):
        return False
    return "{" in route.path or "workspace_id" in getattr(route.body, "__struct_fields__", ())


def expected(route: Route, who: Who) -> int | None:
    """The status of a refusal, or None where the caller is let through."""
    if route.access == "public":
        return None
    if route.access == "run":
        return 401
    if who.scope is not None:
        reaches = {who.scope} | ({"read", "predict"} if who.scope == "write" else set())
        serves = route.access == "serving"
        if serves and route.method == "GET":
            reaches |= {"predict"}  # who reads may read what a deployment takes
        if who.elsewhere and serves:
            return 404  # slugs can be guessed
        if route.scope is None or route.scope not in reaches:
            return 403
        if who.elsewhere and names_a_row(route):
            return 404 if "{deployment}" in route.path else 403
        return None
    if not names_a_row(route):
        return None
    if who.role is None:
        return 404
    return None if who.role >= needed(route) else 403


def order(route: Route) -> tuple[bool, int, int]:
    if route.method != "DELETE":
        return (False, 0, 0)
    place = next((n for n, word in enumerate(ORDER) if f"{{{word}" in route.path), len(ORDER))
    return (True, place, -len(route.path))


WALK = sorted((route for route in ROUTES if route.path), key=order)


@pytest.fixture
def rows(world: World, tmp_path: Path) -> dict[str, str]:
    """Ids of one workspace's rows, by the names that paths of the table give them."""
    made = everything(world)
    root = tmp_path / "artifacts"
    for key, content in (("sources/table", "x,y\n1,2\n"), ("runs/file", "abc")):
        (root / key).parent.mkdir(parents=True)
        (root / key).write_text(content)
    slug = made["deployment"].endpoint_slug
    world.store.write_now(deployments.update, world.ada, slug, {"auth_mode": "api-key"})
    leaving = world.person("leaving", "viewer")
    return {
        "workspace_id": world.workspace.id,
        "user_id": leaving.user_id,
        "project_id": world.project.id,
        "experiment_id": world.experiment.id,
        "source_id": made["source"].id,
        "run_id": made["run"].id,
        "artifact_id": made["artifact"].id,
        "pipeline_id": made["pipeline"].id,
        "deployment": slug,
        "slug": slug,
        "key_id": made["key"].id,
        "model_id": "lr",
    }


def path_of(route: Route, rows: dict[str, str]) -> str:
    query = "?task=classification" if route.path.startswith("/describe/") else ""
    return re.sub(r"\{(\w+)\}", lambda found: rows.get(found[1], NOBODY), route.path) + query


def knows(route: Route, rows: dict[str, str]) -> bool:
    return all(name in rows for name in re.findall(r"\{(\w+)\}", route.path))


def body_of(route: Route, rows: dict[str, str]) -> Any:
    """The document's own example of a body, so that nothing is refused for its form."""
    if route.method not in ("POST", "PUT", "PATCH"):
        return None
    operation = document()["paths"][route.path][route.method.lower()]
    content = operation.get("requestBody", {}).get("content", {})
    example = content.get("application/json", {}).get("example", {})
    return {name: rows.get(name, value) for name, value in example.items()}


def client(api: Api, world: World, clock: HandClock, who: Who) -> tuple[Api, str]:
    """A client of that kind, and the name it has."""
    name = f"{who.role.word}-{who.scope}" if who.role else "eve"
    person = world.person(name)
    home = world.workspace
    if who.elsewhere or who.role is None:
        home = world.make_workspace(person)
    else:
        world.store.write_now(
            workspaces.add_member, world.ada, home.id, name=name, role=who.role.word
        )
    if who.scope is None:
        return api.by(X_Person=name), name
    _, secret = world.store.write_now(
        keys.create,
        person,
        name="walk",
        workspace_id=home.id,
        scopes=[who.scope],
        deployment_id=None,
        expires_at=None,
        now=clock.now(),
    )
    return api.key(secret), name


@SQLITE_ONLY
@pytest.mark.parametrize("server_traits", PEOPLE, indirect=True)
@pytest.mark.parametrize("who", CALLERS, ids=lambda who: who.name)
async def test_each_route_lets_in_whom_its_row_says(
    api: Api,
    world: World,
    services: Services,
    clock: HandClock,
    rows: dict[str, str],
    who: Who,
    monkeypatch: pytest.MonkeyPatch,
    subtests: pytest.Subtests,
) -> None:
    async def predict(_self: Any, _model: Any, given: list[Any], _proba: bool) -> dict[str, Any]:
        return {"predictions": ["a"] * len(given), "probabilities": None}

    monkeypatch.setattr(type(services.endpoints), "_predict", predict)
    caller, name = client(api, world, clock, who)
    for route in WALK:
        with subtests.test(f"{route.method} {route.path}"):
            refusal = expected(route, who)
            may_change = refusal is not None and route.method != "GET"
            before = world.counts() if may_change else {}
            RecordingAuthorizer.asked.clear()
            answer = await caller.call(
                route.method, path_of(route, rows), body=body_of(route, rows)
            )
            if route.access in ("user", "serving") and who.scope is None:
                assert RecordingAuthorizer.asked == [(name, route.action, "pycaret-ops")]
            else:
                assert RecordingAuthorizer.asked == []
            if refusal is not None:
                assert answer.status == refusal, answer.body
                assert not may_change or world.counts() == before
            else:
                assert answer.status not in (401, 403), answer.body
                assert answer.status != 404 or not knows(route, rows), answer.body


@SQLITE_ONLY
@pytest.mark.parametrize("server_traits", PEOPLE, indirect=True)
async def test_a_denying_authorizer_stops_everything_but_keys_and_what_is_public(
    api: Api,
    world: World,
    rows: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    subtests: pytest.Subtests,
) -> None:
    """Its no comes before any row is looked at; a key is not Jupyter's, so Jupyter is not asked."""
    monkeypatch.setattr(RecordingAuthorizer, "allowed", frozenset())
    admin = api.by(X_Person="ada")
    before = world.counts()
    for route in WALK:
        with subtests.test(f"{route.method} {route.path}"):
            status = {"public": None, "run": 401}.get(route.access, 403)
            answer = await admin.call(route.method, path_of(route, rows), body=body_of(route, rows))
            assert answer.status == status or (status is None and answer.status < 400)
    assert world.counts() == before


@SQLITE_ONLY
@pytest.mark.parametrize("server_traits", PEOPLE, indirect=True)
@pytest.mark.parametrize("action", ["read", "write", "execute"])
async def test_an_action_that_is_allowed_alone_opens_its_own_routes(
    api: Api,
    world: World,
    rows: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    subtests: pytest.Subtests,
    action: str,
) -> None:
    monkeypatch.setattr(RecordingAuthorizer, "allowed", frozenset({action}))
    admin = api.by(X_Person="ada")
    for route in WALK:
        if route.access != "user":
            continue
        with subtests.test(f"{route.method} {route.path}"):
            answer = await admin.call(route.method, path_of(route, rows), body=body_of(route, rows))
            assert (answer.status == 403) is (route.action != action), answer.body
