"""Runs over HTTP and WebSocket: submitted, watched, cancelled, downloaded, promoted; and their agents."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from jupyter_pycaret_ops.server.api import runs as run_routes
from jupyter_pycaret_ops.server.api.context import Services
from jupyter_pycaret_ops.server.lifecycle import Move
from jupyter_pycaret_ops.server.runs import fanout as fanout_room
from jupyter_pycaret_ops.server.store import ingest, keys, runs, workspaces
from jupyter_pycaret_ops.server.store.models import Pipeline, Run

from ...fakes import HandClock
from ...fakes.engine import DESCRIPTION
from ...fakes.records import INPUT_SCHEMA, World, said, scored
from .conftest import NOBODY, TOKEN, Api

BODY = {"plan": "compare", "sklearn_dataset": "iris", "setup_params": {"fold": 3}}


# ---------------------------------------------------------------- the engine


async def test_what_the_engine_offers(api: Api, services: Services) -> None:
    tasks = await api.get("/describe/tasks")
    assert [(task["id"], task["is_available"], task["extra"]) for task in tasks] == [
        ("classification", True, None),
        ("regression", True, None),
        ("clustering", True, None),
        ("anomaly", False, "anomaly"),
        ("time_series", False, "timeseries"),
    ]
    classification = DESCRIPTION["tasks"][0]
    for part in ("models", "metrics", "setup-params", "plans", "plots"):
        found = await api.get(f"/describe/{part}?task=classification")
        assert found == classification[part.replace("-", "_")]
    assert (await api.get("/describe/models/lr?task=classification"))["id"] == "lr"
    await api.call("GET", "/describe/models/svm9?task=classification", 404)
    await api.call("GET", "/describe/models/lr?task=telepathy", 400)


# ---------------------------------------------------------------- submitting


async def test_a_submission_is_answered_before_it_starts(api: Api, world: World) -> None:
    path = f"/experiments/{world.experiment.id}/runs"
    run = await api.post(path, BODY, 202)
    assert (run["status"], run["attempt"], run["plan"]) == ("queued", 1, "compare")
    assert run["progress"].keys() == {"done", "total", "label"}
    assert run["snapshot"]["setup_params"] == {"fold": 3}
    assert (run["workspace_id"], run["project_id"]) == (world.workspace.id, world.project.id)
    assert await api.get(f"/runs/{run['id']}") == run
    (event,) = await api.get(f"/runs/{run['id']}/events")
    assert (event["seq"], event["kind"], event["run_id"]) == (1, "run.queued", run["id"])
    for listed in (path, f"/runs?workspace_id={world.workspace.id}&status=queued"):
        (brief,) = await api.get(listed)
        assert brief["id"] == run["id"]
        assert not {"leaderboard", "snapshot", "token_hash", "leased_by", "pool"} & set(brief)
    assert await api.get(f"/runs?workspace_id={world.workspace.id}&status=running") == []


@pytest.mark.parametrize(
    "change",
    [
        {"plan": "dream"},
        {"sklearn_dataset": None},
        {"data_inline": [{"y": 1}]},
        {"setup_params": {"fold": 1}},
        {"plan_params": {"include": ["svm9"]}},
        {"executor": "moon"},
        {"data_source_id": "x", "sklearn_dataset": None},
        {"data_inline": [1], "sklearn_dataset": None},
    ],
)
async def test_a_bad_submission_is_a_400_and_no_run(
    api: Api, world: World, change: dict[str, Any]
) -> None:
    path = f"/experiments/{world.experiment.id}/runs"
    answer = await api.call("POST", path, 400, {**BODY, **change})
    assert answer.json["errors"]
    assert await api.get(path) == []


async def test_a_queued_run_is_cancelled_at_once_and_then_can_go(api: Api, world: World) -> None:
    run = await api.post(f"/experiments/{world.experiment.id}/runs", BODY, 202)
    path = f"/runs/{run['id']}"
    await api.delete(path, 409)
    cancelled = await api.post(f"{path}/cancel", expect=200)
    assert cancelled["status"] == "cancelled"
    again = await api.post(f"{path}/cancel", expect=200)
    assert again == cancelled
    await api.delete(path)
    await api.delete(path, 404)


async def test_waiting_answers_when_the_run_ends_or_the_time_is_up(
    api: Api, world: World, services: Services
) -> None:
    run = world.running()
    path = f"/runs/{run.id}/wait"
    assert (await api.post(f"{path}?timeout_s=0", expect=200))["status"] == "running"
    waiting = asyncio.ensure_future(api.post(f"{path}?timeout_s=300", expect=200))
    while not services.fanout._watchers:
        await asyncio.sleep(0)
    await services.store.write(
        runs.finish, run.id, 1, Move.SUCCEED, world.clock.now(), message="Done"
    )
    services.fanout.publish(run.id)
    assert (await waiting)["status"] == "succeeded"


# ---------------------------------------------------------------- the socket


@pytest.fixture
def no_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only news wakes a watcher."""
    monkeypatch.setattr(fanout_room, "POLL_S", 3600.0)


async def read_all(socket: Any) -> list[dict[str, Any]]:
    found = []
    while (text := await socket.read_message()) is not None:
        found.append(json.loads(text))
    return found


class EventSocketClient:
    """Opens sockets on a run's events, and closes them."""

    def __init__(self, connect: Any) -> None:
        self._connect = connect
        self._opened: list[Any] = []

    async def open(self, run_id: str, after_seq: int = 0, **headers: str) -> Any:
        socket = await self._connect(
            *("pycaret", "api", "v1", "runs", run_id, "events", "ws"),
            params={"after_seq": after_seq},
            headers=headers or {"Authorization": f"token {TOKEN}"},
        )
        self._opened.append(socket)
        return socket

    def close(self) -> None:
        for socket in self._opened:
            socket.close()


@pytest.fixture
def line(jp_ws_fetch: Any, api: Api) -> Iterator[EventSocketClient]:
    client = EventSocketClient(jp_ws_fetch)
    yield client
    client.close()


async def test_the_socket_replays_then_goes_live_then_closes(
    world: World, services: Services, line: EventSocketClient, no_polling: None
) -> None:
    run = world.running()
    world.store.write_now(ingest.take_events, run.id, 1, [said(1), said(2)])
    socket = await line.open(run.id)
    replayed = [json.loads(await socket.read_message()) for _ in range(4)]
    assert [event["seq"] for event in replayed] == [1, 2, 3, 4]
    assert replayed[2].keys() == {
        *("seq", "kind", "message", "payload", "duration_ms", "timestamp", "run_id", "attempt"),
    }
    await services.agents.take_events(run.id, 1, [said(3)])
    live = json.loads(await socket.read_message())
    assert (live["seq"], live["message"]) == (5, "event 3")
    await services.store.write(
        runs.finish, run.id, 1, Move.SUCCEED, world.clock.now(), message="Done"
    )
    services.fanout.publish(run.id)
    rest = await read_all(socket)
    assert [item["kind"] for item in rest] == ["run.succeeded", "run.closed"]
    assert rest[-1] == {"kind": "run.closed", "status": "succeeded"}
    assert socket.close_code == 1000


async def test_a_socket_that_comes_back_has_no_gap_and_no_repeat(
    world: World, services: Services, line: EventSocketClient, no_polling: None
) -> None:
    run = world.running()
    first = await line.open(run.id)
    seen = [json.loads(await first.read_message())["seq"] for _ in range(2)]
    first.close()
    await services.agents.take_events(run.id, 1, [said(1), said(2)])
    second = await line.open(run.id, after_seq=seen[-1])
    await services.store.write(
        runs.finish, run.id, 1, Move.CANCEL, world.clock.now(), message="Cancelled"
    )
    services.fanout.publish(run.id)
    rest = await read_all(second)
    assert [*seen, *(item["seq"] for item in rest[:-1])] == [1, 2, 3, 4, 5]
    assert rest[-1]["status"] == "cancelled"


async def test_the_socket_of_an_ended_run_replays_and_closes(
    world: World, line: EventSocketClient
) -> None:
    run = world.finish(world.running(), Move.FAIL, error="no", error_kind="user")
    items = await read_all(await line.open(run.id, after_seq=2))
    assert [item["kind"] for item in items] == ["run.failed", "run.closed"]


@pytest.mark.parametrize(
    ("headers", "run", "query", "status"),
    [
        ({"Authorization": "token wrong"}, None, "", 401),
        ({"Authorization": "Bearer pck_unknown"}, None, "", 401),
        ({"Authorization": f"token {TOKEN}"}, NOBODY, "", 404),
        ({"Authorization": f"token {TOKEN}"}, None, "?after_seq=-1", 400),
        ({"Authorization": f"token {TOKEN}"}, None, "?after_seq=x", 400),
    ],
)
async def test_a_socket_is_refused_before_the_handshake(
    api: Api, world: World, headers: dict[str, str], run: str | None, query: str, status: int
) -> None:
    run_id = run or world.submit().id
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    await api.by(**headers).call("GET", f"/runs/{run_id}/events/ws{query}", status, headers=upgrade)


async def made_key(api: Api, world: World, **more: Any) -> dict[str, Any]:
    body = {"name": "k", "workspace_id": world.workspace.id, "scopes": ["read"], **more}
    row: dict[str, Any] = await api.post("/api-keys", body)
    return row


async def open_by_key(line: EventSocketClient, run: Run, key: dict[str, Any]) -> Any:
    """A socket that has read all that is stored."""
    socket = await line.open(run.id, Authorization=f"Bearer {key['key']}")
    for _ in range(2):
        await socket.read_message()
    return socket


async def test_socket_closes_with_4403_at_once_when_its_key_is_revoked(
    api: Api,
    world: World,
    services: Services,
    line: EventSocketClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run_routes, "RECHECK_S", 60.0)
    run = world.running()
    key = await made_key(api, world)
    socket = await open_by_key(line, run, key)
    await api.delete(f"/api-keys/{key['id']}")
    assert await read_all(socket) == []
    assert socket.close_code == 4403
    await services.agents.take_events(run.id, 1, [said(1)])


@pytest.mark.parametrize("how", ["revoked", "expired", "maker removed", "member removed"])
async def test_socket_closes_with_4403_within_seconds_of_a_change_elsewhere(
    api: Api,
    world: World,
    services: Services,
    clock: HandClock,
    line: EventSocketClient,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    monkeypatch.setattr(run_routes, "RECHECK_S", 0.05)
    run = world.running()
    key = await made_key(api, world, expires_at="2026-01-02T04:04:05Z")
    bob = world.person("bob", "admin")
    if how == "member removed":
        socket = await line.open(run.id)
        for _ in range(2):
            await socket.read_message()
    else:
        socket = await open_by_key(line, run, key)
    # as another server would: nobody tells this one
    if how == "revoked":
        world.store.write_now(keys.revoke, world.ada, key["id"], world.clock.now())
    elif how == "expired":
        clock.advance(3600.0)
    else:
        world.store.write_now(workspaces.remove_member, bob, world.workspace.id, world.ada.user_id)
    assert await read_all(socket) == []
    assert socket.close_code == 4403


async def test_socket_stays_open_while_its_caller_may_read(
    api: Api,
    world: World,
    services: Services,
    line: EventSocketClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run_routes, "RECHECK_S", 0.01)
    asked = []
    again = run_routes._read_again
    monkeypatch.setattr(
        run_routes, "_read_again", lambda *given: (asked.append(given), again(*given))[1]
    )
    run = world.running()
    socket = await open_by_key(line, run, await made_key(api, world))
    while len(asked) < 5:
        await asyncio.sleep(0.01)
    await services.agents.take_events(run.id, 1, [said(1)])
    assert json.loads(await socket.read_message())["message"] == "event 1"
    socket.close()


async def test_wait_by_a_key_that_is_revoked_meanwhile_is_401(
    api: Api, world: World, services: Services
) -> None:
    run = world.running()
    key = await made_key(api, world)
    waiting = asyncio.ensure_future(
        api.key(key["key"]).call("POST", f"/runs/{run.id}/wait?timeout_s=20", raw=b"")
    )
    while not services.fanout._watchers:
        await asyncio.sleep(0.01)
    await api.delete(f"/api-keys/{key['id']}")
    world.finish(run)
    services.fanout.publish(run.id)
    assert (await waiting).status == 401


async def test_a_key_that_reads_opens_the_socket(
    api: Api, world: World, line: EventSocketClient
) -> None:
    body = {"name": "k", "workspace_id": world.workspace.id, "scopes": ["read"]}
    key = (await api.post("/api-keys", body))["key"]
    run = world.finish(world.running())
    items = await read_all(await line.open(run.id, Authorization=f"Bearer {key}"))
    assert items[-1]["kind"] == "run.closed"


# ---------------------------------------------------------------- agents over HTTP


class Agent:
    """A kernel that speaks for a run."""

    def __init__(self, api: Api, world: World) -> None:
        token = keys.new_secret(keys.RUN_TOKEN_PREFIX)
        world.submit()
        run = world.claim(token_hash=keys.digest(token))
        assert run is not None
        self.run: Run = run
        self.api = api.key(token)
        self.base = f"/agent/runs/{run.id}"

    async def events(self, *batch: Any, attempt: int = 1, expect: int = 200) -> Any:
        events = [
            {
                "n": event.n,
                "kind": event.kind,
                "message": event.message,
                "payload": event.payload,
                "timestamp": event.timestamp,
            }
            for event in batch
        ]
        body = {"attempt": attempt, "events": events}
        return (await self.api.call("POST", f"{self.base}/events", expect, body)).json

    async def put(self, name: str, content: bytes, expect: int = 200, **headers: str) -> Any:
        sent = {
            "X-Content-SHA256": hashlib.sha256(content).hexdigest(),
            "X-Artifact-Kind": "file",
            "Content-Type": "application/json",
        } | {key.replace("_", "-"): value for key, value in headers.items()}
        return (
            await self.api.call(
                "PUT", f"{self.base}/artifacts/{name}", expect, raw=content, headers=sent
            )
        ).json

    async def finish(self, expect: int = 200, **more: Any) -> Any:
        body = {"attempt": 1, "outcome": "succeeded", **more}
        return (await self.api.call("POST", f"{self.base}/finish", expect, body)).json


@pytest.fixture
def agent(api: Api, world: World) -> Agent:
    return Agent(api, world)


async def a_part_of_it(api: Api, path: str, whole: bytes) -> None:
    """Byte ranges, and copies that are fresh."""
    etag = (await api.call("GET", path, 200)).headers["ETag"]
    for asked, begin, end in [
        ("bytes=0-0", 0, 1),
        ("bytes=2-4", 2, 5),
        ("bytes=5-", 5, 8),
        ("bytes=-3", 5, 8),
        ("bytes=-99", 0, 8),
        ("bytes=6-99", 6, 8),
    ]:
        part = await api.call("GET", path, 206, headers={"Range": asked, "If-Range": etag})
        assert part.body == whole[begin:end], asked
        assert part.headers["Content-Range"] == f"bytes {begin}-{end - 1}/{len(whole)}"
        assert part.headers["Accept-Ranges"] == "bytes"
    for asked in ("bytes=8-", "bytes=-0", "bytes=99-100"):
        refused = await api.call("GET", path, 416, headers={"Range": asked})
        assert refused.headers["Content-Range"] == f"bytes */{len(whole)}"
        assert refused.json["reason"] == "range"
    for asked in ("bytes=", "bytes=4-2", "bytes=0-1,3-4", "lines=1-2", "bytes=a-b"):
        assert (await api.call("GET", path, 200, headers={"Range": asked})).body == whole
    stale = {"Range": "bytes=0-0", "If-Range": '"other"'}
    assert (await api.call("GET", path, 200, headers=stale)).body == whole
    assert (await api.call("GET", path, 304, headers={"If-None-Match": etag})).body == b""


async def test_an_agents_whole_life(api: Api, agent: Agent, files: Any, world: World) -> None:
    spec = (await agent.api.call("GET", f"{agent.base}/spec", 200)).json
    assert (spec["run_id"], spec["attempt"], spec["task"]) == (agent.run.id, 1, "classification")
    fold_metrics = {"Accuracy": [0.8, 1.0]}
    batch = [said(1), scored(2, "lr", Accuracy=0.9, fold_metrics=fold_metrics)]
    for _ in range(2):
        answer = await agent.events(*batch)
        assert answer == {"acknowledged": 2, "cancel": False}
    assert (await agent.events(said(4), expect=400))["reason"] == "validation"
    assert (await agent.events(said(3, "run.succeeded"), expect=400))["reason"] == "validation"
    await agent.put("model.pkl", b"a pickle", X_Artifact_Kind="pipeline_pickle", X_Model_Id="lr")
    await agent.put("model.pkl", b"a pickle", X_Artifact_Kind="pipeline_pickle", X_Model_Id="lr")
    schema = json.dumps(INPUT_SCHEMA).encode()
    await agent.put("schema.json", schema, X_Artifact_Kind="input_schema")
    assert len(files()) == 2
    profile = {"version": 1, "n_rows": 2, "columns": [], "target": None}
    content = json.dumps(profile).encode()
    await agent.put("training.json", content, X_Artifact_Kind="training_profile")
    figure = {"data": [], "layout": {"title": {"text": "ROC curve"}}}
    content = json.dumps(figure).encode()
    await agent.put("plot-auc.json", content, X_Artifact_Kind="plot", X_Model_Id="lr")
    best = {"metric": "Accuracy", "best": {"model_id": "lr", "value": 0.9}}
    await agent.finish(metrics_summary=best)
    for late in (agent.finish(409), agent.events(said(3), expect=409), agent.put("x", b"", 409)):
        assert (await late)["reason"] == "stale"

    run = await api.get(f"/runs/{agent.run.id}")
    assert (run["status"], run["leaderboard"][0]["model_id"]) == ("succeeded", "lr")
    folds = await api.get(f"/runs/{agent.run.id}/fold-metrics")
    assert sorted((row["fold_idx"], row["value"]) for row in folds) == [(0, 0.8), (1, 1.0)]
    kept = {row["kind"]: row for row in await api.get(f"/runs/{agent.run.id}/artifacts")}
    assert set(kept) == {"pipeline_pickle", "input_schema", "training_profile", "plot"}
    plots = await api.get(f"/runs/{agent.run.id}/plots")
    assert [(row["id"], row["model_id"]) for row in plots] == [("auc", "lr")]
    assert await api.get(f"/runs/{agent.run.id}/plots/auc") == figure
    missing = await api.call("GET", f"/runs/{agent.run.id}/plots/pr", 404)
    assert "it has: auc" in missing.json["message"]
    assert "storage_key" not in kept["pipeline_pickle"]
    answer = await api.call("GET", f"/artifacts/{kept['pipeline_pickle']['id']}/download", 200)
    assert answer.body == b"a pickle"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "model.pkl" in answer.headers["Content-Disposition"]
    await a_part_of_it(api, f"/artifacts/{kept['pipeline_pickle']['id']}/download", b"a pickle")

    pipeline = await api.post(f"/runs/{agent.run.id}/promote", {"name": " iris ", "tags": ["t"]})
    assert (pipeline["name"], pipeline["version"], pipeline["model_id"]) == ("iris", 1, "lr")
    assert pipeline["metrics"] == {"Accuracy": 0.9}
    stored = world.store.read_now(
        lambda session: session.get_one(Pipeline, pipeline["id"]).training_profile
    )
    assert stored == profile
    second = await api.post(f"/runs/{agent.run.id}/promote", {"name": "iris", "model_id": "lr"})
    assert second["version"] == 2
    await api.post(f"/runs/{agent.run.id}/promote", {"name": "x", "model_id": "dt"}, 400)
    await api.delete(f"/runs/{agent.run.id}")
    assert (await api.get(f"/pipelines/{pipeline['id']}"))["origin_run_id"] is None
    assert len(files()) == 2  # the pipelines' own
    path = f"/pipelines/{pipeline['id']}/deployments"
    deployed = await api.post(path, {"endpoint_slug": "iris"})
    assert (deployed["status"], deployed["auth_mode"]) == ("active", "workspace")
    await api.post(path, {"endpoint_slug": "iris"}, 409)
    for slug in ("Iris", "i", " iris-2", deployed["id"]):
        await api.post(path, {"endpoint_slug": slug}, 400)
    await api.delete(f"/pipelines/{pipeline['id']}", 409)
    changed = await api.patch("/deployments/iris", {"pipeline_id": second["id"]})
    assert changed["pipeline_id"] == second["id"]
    await api.patch("/deployments/iris", {"pipeline_id": NOBODY}, 400)
    await api.delete(f"/pipelines/{pipeline['id']}")
    await api.delete("/deployments/iris")
    assert len(files()) == 1


async def test_a_run_that_did_not_succeed_is_not_promoted(api: Api, world: World) -> None:
    for run in (world.submit(), world.finish(_claimed(world), Move.FAIL, error="no")):
        await api.post(f"/runs/{run.id}/promote", {"name": "x"}, 400)
    empty = world.finish(world.running())
    answer = await api.post(f"/runs/{empty.id}/promote", {"name": "x"}, 400)
    assert "kept no pipeline" in answer["message"]


def _claimed(world: World) -> Run:
    run = world.claim()
    assert run is not None
    return run


@pytest.mark.parametrize(
    ("name", "headers", "status"),
    [
        ("model.pkl", {"X_Content_SHA256": "0" * 64}, 400),
        ("model.pkl", {"X_Content_SHA256": "no digest"}, 400),
        ("model.pkl", {"X_Content_SHA256": "A" * 64}, 400),
        (".hidden", {}, 400),
        ("..%2Fescape", {}, 400),
        ("%2Fetc%2Fpasswd", {}, 400),
        ("a%20b", {}, 400),
    ],
)
async def test_a_file_that_is_not_as_announced_leaves_nothing(
    agent: Agent, files: Any, name: str, headers: dict[str, str], status: int
) -> None:
    await agent.put(name, b"content", status, **headers)
    for _ in range(500):
        if not files():
            break
        await asyncio.sleep(0.01)
    assert files() == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"attempt": 1},
        {"attempt": 1, "events": [{"n": 1}]},
        {"attempt": "one", "events": []},
        {"attempt": 2, "events": []},
        [],
    ],
)
async def test_a_batch_of_another_form_is_refused(agent: Agent, body: Any) -> None:
    await agent.api.call("POST", f"{agent.base}/events", 400, body)


async def test_an_agent_hears_of_a_cancel_and_its_last_word_counts(
    api: Api, agent: Agent, clock: HandClock
) -> None:
    row = await api.post(f"/runs/{agent.run.id}/cancel", expect=200)
    assert row["status"] == "running"
    assert (await agent.events())["cancel"] is True
    await agent.finish(outcome="cancelled")
    assert (await api.get(f"/runs/{agent.run.id}"))["status"] == "cancelled"
    kinds = [event["kind"] for event in await api.get(f"/runs/{agent.run.id}/events")]
    assert kinds == ["run.queued", "run.started", "run.cancel_requested", "run.cancelled"]
