"""Requests that are wrong in every documented way: a small JSON says what and where."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_pycaret_ops.common.errors import Invalid
from jupyter_pycaret_ops.server.api.json_body import DEEPEST_JSON_LEVELS, refuse_deep

from ...fakes.records import World
from .conftest import NOBODY, PREFIX, Api

GOOD_EXPERIMENT = {"name": "e", "task": "classification"}


BAD_NAMES = ("", "   ", "x" * 129, " " + "x" * 129, 5, None, ["a"], "a\x00b")


async def test_names_have_1_to_128_characters(api: Api, world: World) -> None:
    for method, path, body in (
        ("POST", "/workspaces", {}),
        ("PATCH", f"/workspaces/{world.workspace.id}", {}),
        ("POST", f"/workspaces/{world.workspace.id}/projects", {}),
        ("PATCH", f"/projects/{world.project.id}", {}),
        ("POST", f"/projects/{world.project.id}/experiments", GOOD_EXPERIMENT),
        ("PATCH", f"/experiments/{world.experiment.id}", {}),
        ("POST", f"/workspaces/{world.workspace.id}/members", {"role": "viewer"}),
        (
            "POST",
            "/api-keys",
            {"workspace_id": world.workspace.id, "scopes": ["read"]},
        ),
    ):
        for name in BAD_NAMES:
            answer = await api.call(method, path, 400, {**body, "name": name})
            assert answer.json["reason"] == "validation"


async def test_names_of_128_characters_and_of_any_script_are_fine(api: Api) -> None:
    for name in ("x" * 128, "  " + "y" * 128 + "  ", "größe 名前 😀", "a/b", "'; drop table runs"):
        made = await api.post("/workspaces", {"name": name})
        assert made["name"] == name.strip()


async def test_unknown_fields_are_an_error_and_named(api: Api, world: World) -> None:
    for method, path, body in (
        ("POST", "/workspaces", {"name": "w"}),
        ("PATCH", f"/workspaces/{world.workspace.id}", {}),
        ("PATCH", f"/workspaces/{world.workspace.id}", {"id": "x"}),
        ("POST", f"/projects/{world.project.id}/experiments", GOOD_EXPERIMENT),
        (
            "POST",
            f"/experiments/{world.experiment.id}/runs",
            {"plan": "compare", "sklearn_dataset": "iris"},
        ),
    ):
        answer = await api.call(method, path, 400, {**body, "colour": "red"})
        assert "unknown field" in answer.json["message"]


BAD_BODIES = (
    b"",
    b"{",
    b"nonsense",
    b"[]",
    b'"text"',
    b"null",
    b'{"name": "w"} x',
    b'{"name": "w", "description": NaN}',
    b'{"name": "w", "description": Infinity}',
    b'{"name": "\xff"}',
    b"\xff\xfe{\x00}\x00",
    b'{"name": "w", "name": 5}',
    b"[" * 100_000,
)


async def test_a_body_that_is_no_such_json_is_refused(api: Api) -> None:
    for raw in BAD_BODIES:
        answer = await api.call(
            "POST", "/workspaces", 400, raw=raw, headers={"Content-Type": "application/json"}
        )
        assert answer.json["reason"] == "validation", raw


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
async def test_not_a_number_is_refused_wherever_it_hides(
    api: Api, world: World, number: bytes
) -> None:
    runs = f"/experiments/{world.experiment.id}/runs"
    for raw in (
        b'{"plan": "compare", "sklearn_dataset": "iris", "setup_params": {"fold": %s}}' % number,
        b'{"plan": "compare", "data_inline": [{"x": %s, "y": 1}]}' % number,
    ):
        await api.call("POST", runs, 400, raw=raw, headers={"Content-Type": "application/json"})
    assert await api.get(runs) == []


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
async def test_a_body_of_another_kind_is_415(api: Api, kind: str) -> None:
    form = b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nw\r\n--x--\r\n'
    raw = form if "form-data" in kind else b'{"name": "w"}'
    answer = await api.call("POST", "/workspaces", 415, raw=raw, headers={"Content-Type": kind})
    assert answer.json["reason"] == "unsupported_media"


async def test_json_with_a_charset_and_in_capitals_is_read(api: Api) -> None:
    for number, kind in enumerate(("application/json; charset=utf-8", "APPLICATION/JSON")):
        raw = b'{"name": "w%d"}' % number
        await api.call("POST", "/workspaces", 201, raw=raw, headers={"Content-Type": kind})


LEVELS = DEEPEST_JSON_LEVELS


@pytest.mark.parametrize(
    ("body", "is_deep"),
    [
        (b"[" * LEVELS + b"]" * LEVELS, False),
        (b"[" * (LEVELS + 1) + b"]" * (LEVELS + 1), True),
        (b'{"a":' * LEVELS + b"{}" + b"}" * LEVELS, True),
        (b"[" * 1_000_000, True),
        (b"[" + b"[]," * 50_000 + b"[]]", False),
        (b'["' + b"[" * 100_000 + b'"]', False),
        (rb'["\"' + b"[" * 100_000 + rb'\\\"", 1]', False),
        (rb'["\\",' + b"[" * LEVELS + b"]" * LEVELS + b"]", True),
        (b'["' + b"x" * 65_530 + b'",' + b"[" * LEVELS + b"]" * LEVELS + b"]", True),
        ((b"[" * LEVELS + b"]" * LEVELS + b",") * 2_000, False),
    ],
)
def test_refuse_deep_counts_levels_outside_of_strings(body: bytes, is_deep: bool) -> None:
    if is_deep:
        with pytest.raises(Invalid, match="deeper than 64 levels"):
            refuse_deep(body)
    else:
        refuse_deep(body)


BAD_PAGES = (
    ("limit=0", "limit"),
    ("limit=1001", "limit"),
    ("limit=-1", "limit"),
    ("limit=ten", "limit"),
    ("limit=", "limit"),
    ("limit=1.5", "limit"),
    ("cursor=tomorrow", "cursor"),
    ("cursor=", "cursor"),
    (f"cursor={NOBODY.upper()[:-1]}X", "cursor"),
)


async def test_a_bad_page_is_refused(api: Api, world: World) -> None:
    for query, name in BAD_PAGES:
        for path in ("/workspaces", f"/projects/{world.project.id}/experiments", "/api-keys"):
            answer = await api.call("GET", f"{path}?{query}", 400)
            assert answer.json["errors"][0]["loc"] == [name]


async def test_pages_of_1_to_1000_are_given(api: Api) -> None:
    for limit in (1, 1000):
        await api.get(f"/workspaces?limit={limit}")


async def test_other_bad_queries(api: Api, world: World) -> None:
    run = world.submit()
    for path, name in (
        (f"/runs/{run.id}/events?after_seq=-1", "after_seq"),
        (f"/runs/{run.id}/events?after_seq=x", "after_seq"),
        (f"/runs/{run.id}/events?limit=0", "limit"),
        (f"/runs?workspace_id={world.workspace.id}&status=asleep", "status"),
        (f"/experiments/{world.experiment.id}/runs?status=asleep", "status"),
        ("/describe/models", None),
        ("/describe/models?task=telepathy", "task"),
    ):
        answer = await api.call("GET", path, 400)
        assert answer.json["reason"] == "validation"
        if name is not None:
            assert answer.json["errors"][0]["loc"] == [name], path
    for query in ("timeout_s=-1", "timeout_s=301", "timeout_s=soon", "timeout_s=nan"):
        await api.call("POST", f"/runs/{run.id}/wait?{query}", 400)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"task": "telepathy"}, ["task"]),
        ({"task": None}, ["task"]),
        ({"setup_params": []}, ["setup_params"]),
        ({"target": 5}, ["target"]),
        ({"description": 5}, ["description"]),
    ],
)
async def test_the_place_of_a_fault_is_said(
    api: Api, world: World, body: dict[str, Any], where: list[str]
) -> None:
    path = f"/projects/{world.project.id}/experiments"
    answer = await api.call("POST", path, 400, {**GOOD_EXPERIMENT, **body})
    assert answer.json["errors"][0]["loc"] == where


async def test_required_fields_are_missed(api: Api, world: World) -> None:
    for path, body in (
        ("/workspaces", {}),
        (f"/projects/{world.project.id}/experiments", {"name": "e"}),
        (f"/workspaces/{world.workspace.id}/members", {"name": "bob"}),
        (f"/workspaces/{world.workspace.id}/data-sources", {"name": "s", "kind": "s3"}),
        (f"/experiments/{world.experiment.id}/runs", {}),
        ("/api-keys", {"name": "k"}),
    ):
        answer = await api.call("POST", path, 400, body)
        assert "missing required field" in answer.json["message"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"scopes": []}, "validation"),
        ({"scopes": ["everything"]}, "validation"),
        ({"scopes": "read"}, "validation"),
        ({"expires_at": "tomorrow"}, "validation"),
        ({"expires_at": "2030-01-01T00:00:00"}, "validation"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "validation"),
        ({"deployment_id": NOBODY}, "validation"),
    ],
)
async def test_bad_keys_are_not_made(
    api: Api, world: World, body: dict[str, Any], reason: str
) -> None:
    good = {"name": "k", "workspace_id": world.workspace.id, "scopes": ["read"]}
    answer = await api.call("POST", "/api-keys", 400, {**good, **body})
    assert answer.json["reason"] == reason
    assert await api.get("/api-keys") == []


async def test_a_method_that_a_path_has_not_is_405_with_those_that_it_has(api: Api) -> None:
    for method, path, allowed in (
        ("PUT", "/workspaces", {"GET", "POST"}),
        ("DELETE", "/workspaces", {"GET", "POST"}),
        ("POST", f"/workspaces/{NOBODY}", {"GET", "PATCH", "DELETE"}),
        ("POST", "/healthz", {"GET"}),
        ("GET", f"/runs/{NOBODY}/cancel", {"POST"}),
        ("GET", f"/workspaces/{NOBODY}/data-sources/upload", {"POST"}),
        ("GET", "/deployments/x/predict", {"POST"}),
        ("DELETE", f"/agent/runs/{NOBODY}/spec", {"GET"}),
    ):
        answer = await api.call(method, path, 405, raw=b"" if method in ("PUT", "POST") else None)
        with_head = allowed | ({"HEAD"} if "GET" in allowed else set())
        assert set(answer.headers["Allow"].split(", ")) == with_head, path
        assert answer.json["reason"] == "method_not_allowed"


async def test_an_unknown_path_is_a_json_404_for_everybody(api: Api, stranger: Api) -> None:
    for path in ("/nowhere", "/workspaces/a/b/c", "/healthz/", "/runs/", "//"):
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            for who in (api, stranger):
                answer = await who.call(method, path, 404, raw=None if method == "GET" else b"{}")
                assert answer.json["reason"] == "not_found"


async def test_the_rest_of_jupyter_is_as_it_was(api: Api) -> None:
    base = PREFIX.removesuffix("/pycaret/api/v1")
    assert (await api.call("GET", "/api/status", prefix=base)).status == 200
    assert (await api.call("GET", "/pycaret/api/v2", prefix=base)).status == 404


async def test_every_answer_has_an_id_of_its_own(api: Api) -> None:
    ids = {(await api.call("GET", "/workspaces", 200)).headers["X-Request-Id"] for _ in range(3)}
    assert len(ids) == 3


async def test_a_bug_says_nothing_of_the_inside(
    api: Api, services: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("/home/ada/secret.key could not be read by sqlalchemy")

    monkeypatch.setattr(type(services.store), "read", broken)
    answer = await api._client.fetch(
        f"{PREFIX}/workspaces", headers=api._headers, raise_error=False
    )
    assert answer.code == 500
    assert b"secret" not in answer.body
    assert answer.headers["X-Request-Id"].encode() in answer.body
    assert answer.headers["X-Request-Id"] in caplog.text


async def test_a_full_queue_is_429_and_says_when_to_come_back(
    api: Api, world: World, services: Any
) -> None:
    services.queue_cap = 2
    path = f"/experiments/{world.experiment.id}/runs"
    body = {"plan": "compare", "data_inline": [{"x": 1, "y": 1}]}
    for _ in range(2):
        await api.post(path, body, 202)
    before = len(await api.get(path))
    answer = await api.call("POST", path, 429, body)
    assert answer.json["reason"] == "limit"
    assert len(await api.get(path)) == before == 2


async def test_rows_of_a_refused_submission_are_not_kept(
    api: Api, world: World, services: Any, files: Any
) -> None:
    services.queue_cap = 1
    path = f"/experiments/{world.experiment.id}/runs"
    await api.post(path, {"plan": "compare", "data_inline": [{"y": 1}]}, 202)
    kept = files()
    await api.post(path, {"plan": "compare", "data_inline": [{"y": 1}]}, 429)
    await api.post(path, {"plan": "dream", "data_inline": [{"y": 1}]}, 400)
    assert files() == kept
