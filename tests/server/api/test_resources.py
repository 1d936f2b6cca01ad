"""Workspaces, members, projects, experiments, connectors: made, read, changed, listed, deleted."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ...fakes.records import World
from .conftest import NOBODY, Api

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def is_row(row: dict[str, Any]) -> bool:
    return (
        bool(UUID.fullmatch(row["id"]))
        and bool(TIME.fullmatch(row["created_at"]))
        and bool(TIME.fullmatch(row["updated_at"]))
    )


async def test_the_owners_first_request_finds_a_workspace_and_a_project(api: Api) -> None:
    assert await api.get("/setup/status") == {
        "is_bootstrapped": True,
        "user_count": 1,
        "workspace_count": 1,
    }
    me = await api.get("/auth/me")
    (workspace,) = await api.get("/workspaces")
    assert (me["name"], workspace["name"]) == ("ada", "default")
    assert me["memberships"] == [{"workspace_id": workspace["id"], "role": "admin"}]
    (project,) = await api.get(f"/workspaces/{workspace['id']}/projects")
    assert project["name"] == "default"
    await api.post("/setup/bootstrap", {"workspace_name": "again"}, 409)


@pytest.mark.parametrize("traits", [{"auto_bootstrap": False}], indirect=True)
async def test_without_it_the_first_workspace_is_asked_for(api: Api) -> None:
    assert (await api.get("/setup/status"))["is_bootstrapped"] is False
    assert await api.get("/workspaces") == []
    made = await api.post("/setup/bootstrap", {"workspace_name": " lab ", "project_name": "one"})
    assert made["name"] == "lab"
    (project,) = await api.get(f"/workspaces/{made['id']}/projects")
    assert project["name"] == "one"
    await api.post("/setup/bootstrap", {"workspace_name": "lab"}, 409)


async def test_every_noun_is_made_read_changed_listed_and_deleted(api: Api) -> None:
    workspace = await api.post("/workspaces", {"name": "  lab  ", "description": " ours "})
    assert is_row(workspace)
    assert (workspace["name"], workspace["description"]) == ("lab", "ours")
    home = f"/workspaces/{workspace['id']}"
    project = await api.post(f"{home}/projects", {"name": "fruit", "tags": ["a", "b"]})
    assert project["tags"] == ["a", "b"]
    source = await api.post(
        f"{home}/data-sources",
        {"name": "s", "kind": "s3", "config": {"bucket": "b", "key": "k"}},
    )
    experiment = await api.post(
        f"/projects/{project['id']}/experiments",
        {
            "name": "e",
            "task": "classification",
            "target": " y ",
            "setup_params": {"fold": 3},
            "data_source_id": source["id"],
        },
    )
    assert experiment["target"] == " y "  # labels and column names are never altered
    member = await api.post(f"{home}/members", {"name": "bob", "role": "viewer"})
    assert is_row(member)

    for row, path, collection, change in (
        (workspace, home, "/workspaces", {"description": None}),
        (project, f"/projects/{project['id']}", f"{home}/projects", {"tags": []}),
        (
            experiment,
            f"/experiments/{experiment['id']}",
            f"/projects/{project['id']}/experiments",
            {"name": "f", "target": None, "setup_params": {}},
        ),
    ):
        assert await api.get(path) == row
        assert row in await api.get(collection)
        changed = await api.patch(path, change)
        assert changed.items() >= change.items()
        assert changed["updated_at"] > row["updated_at"]
        assert await api.patch(path, {}) == changed
    assert await api.get(f"/data-sources/{source['id']}") == source
    assert await api.get(f"{home}/data-sources") == [source]
    found = await api.get(f"{home}/members")
    assert [(row["name"], row["role"]) for row in found] == [("bob", "viewer"), ("ada", "admin")]
    changed = await api.patch(f"{home}/members/{member['user_id']}", {"role": "member"})
    assert changed["role"] == "member"

    for path in (
        f"{home}/members/{member['user_id']}",
        f"/experiments/{experiment['id']}",
        f"/data-sources/{source['id']}",
        f"/projects/{project['id']}",
        home,
    ):
        await api.delete(path)
        await api.delete(path, 404)
    assert [row["name"] for row in await api.get("/workspaces")] == ["default"]


async def test_taken_names_are_conflicts(api: Api) -> None:
    (workspace,) = await api.get("/workspaces")
    home = f"/workspaces/{workspace['id']}"
    assert (await api.post("/workspaces", {"name": " default "}, 409))["reason"] == "conflict"
    await api.post(f"{home}/projects", {"name": "default"}, 409)
    connector = {"name": "s", "kind": "s3", "config": {"bucket": "b", "key": "k"}}
    await api.post(f"{home}/data-sources", connector)
    await api.post(f"{home}/data-sources", connector, 409)
    await api.post(f"{home}/members", {"name": "ada", "role": "viewer"}, 409)


async def test_the_last_admin_stays(api: Api) -> None:
    me = await api.get("/auth/me")
    path = f"/workspaces/{me['memberships'][0]['workspace_id']}/members/{me['id']}"
    await api.patch(path, {"role": "viewer"}, 409)
    await api.delete(path, 409)


MISSING = (NOBODY, "no-id-at-all", "%00", "x" * 500, "%F0%9F%98%80")
BY_ID = (
    *("/workspaces/{id}", "/workspaces/{id}/projects", "/workspaces/{id}/members"),
    *("/workspaces/{id}/data-sources", "/workspaces/{id}/pipelines"),
    *("/workspaces/{id}/deployments", "/projects/{id}", "/projects/{id}/experiments"),
    *("/experiments/{id}", "/experiments/{id}/runs", "/runs/{id}", "/runs/{id}/events"),
    *("/runs/{id}/artifacts", "/runs/{id}/fold-metrics", "/artifacts/{id}/download"),
    *("/pipelines/{id}", "/deployments/{id}", "/deployments/{id}/schema", "/data-sources/{id}"),
    *("/data-sources/{id}/preview", "/runs?workspace_id={id}", "/runs?experiment_id={id}"),
)


async def test_no_row_of_any_kind_is_found_under_a_made_up_id(api: Api) -> None:
    for path in BY_ID:
        for missing in MISSING:
            answer = await api.call("GET", path.format(id=missing), 404)
            assert answer.json["reason"] == "not_found"
    for method in ("PATCH", "DELETE"):
        for missing in MISSING:
            body = {} if method == "PATCH" else None
            await api.call(method, f"/workspaces/{missing}", 404, body)


async def test_pages_follow_one_another(api: Api) -> None:
    (workspace,) = await api.get("/workspaces")
    path = f"/workspaces/{workspace['id']}/projects"
    for number in range(4):
        await api.post(path, {"name": f"p{number}"})
    first = await api.call("GET", f"{path}?limit=2", 200)
    assert [row["name"] for row in first.json] == ["p3", "p2"]
    assert first.cursor is not None
    second = await api.call("GET", f"{path}?limit=2&cursor={first.cursor}", 200)
    assert [row["name"] for row in second.json] == ["p1", "p0"]
    third = await api.call("GET", f"{path}?limit=2&cursor={second.cursor}", 200)
    assert [row["name"] for row in third.json] == ["default"]
    assert third.cursor is None


# ---------------------------------------------------------------- references and secrets


async def test_a_reference_to_another_workspaces_row_is_a_bad_request(
    api: Api, world: World
) -> None:
    theirs = await api.post("/workspaces", {"name": "theirs"})
    source = await api.post(
        f"/workspaces/{theirs['id']}/data-sources",
        {"name": "s", "kind": "s3", "config": {"bucket": "b", "key": "k"}},
    )
    project = f"/projects/{world.project.id}/experiments"
    body = {"name": "e", "task": "regression", "data_source_id": source["id"]}
    refused = await api.post(project, body, 400)
    assert refused["errors"][0]["loc"] == ["data_source_id"]
    experiment = f"/experiments/{world.experiment.id}"
    await api.patch(experiment, {"data_source_id": source["id"]}, 400)
    await api.post(f"{experiment}/runs", {"plan": "compare", "data_source_id": source["id"]}, 400)
    await api.post(project, {**body, "data_source_id": NOBODY}, 400)


SECRET = "hunter2-and-more"


async def test_a_connectors_secret_is_never_answered(api: Api, world: World) -> None:
    path = f"/workspaces/{world.workspace.id}/data-sources"
    config = {"host": "h", "database": "d", "user": "u", "table": "t", "password": SECRET}
    made = await api.call("POST", path, 201, {"name": "pg", "kind": "postgres", "config": config})
    assert made.json["has_secret"] is True
    assert "password" not in made.json["config"]
    source_id = made.json["id"]
    for seen in (path, f"/data-sources/{source_id}"):
        assert SECRET.encode() not in (await api.call("GET", seen, 200)).body
    await api.call("GET", f"/data-sources/{source_id}/preview", 400)
    run = world.submit(
        data={"kind": "postgres", "options": made.json["config"]}, data_source_id=source_id
    )
    for seen in (f"/runs/{run.id}", f"/runs/{run.id}/events"):
        assert SECRET.encode() not in (await api.call("GET", seen, 200)).body
    kept = world.store.read_now(
        lambda session: (
            session.connection().exec_driver_sql("select secret, config from data_sources").all()
        )
    )
    assert SECRET not in str(kept)
    for bad in ({**config, "port": "x"}, {**config, "sslmode": SECRET}, {**config, "host": ""}):
        refused = await api.call(
            "POST", path, 400, {"name": "pg2", "kind": "postgres", "config": bad}
        )
        assert SECRET.encode() not in refused.body


async def test_a_busy_workspace_goes_by_force_only(api: Api, world: World) -> None:
    run = world.submit()
    world.deploy(slug="iris")
    home = f"/workspaces/{world.workspace.id}"
    assert "force" in (await api.call("DELETE", home, 409)).json["message"]
    await api.delete(f"{home}?force=true")
    await api.call("GET", home, 404)
    await api.call("GET", f"/runs/{run.id}", 404)
    await api.call("GET", "/deployments/iris", 404)


async def test_nobody_elses_workspace_is_deleted_by_force(api: Api, world: World) -> None:
    eve = world.person("eve")
    theirs = world.make_workspace(eve)
    await api.call("DELETE", f"/workspaces/{theirs.id}?force=true", 404)
