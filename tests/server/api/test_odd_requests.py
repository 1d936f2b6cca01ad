"""Requests that no client sends by accident: depth, huge numbers, odd characters. Each is a 4xx, none a 500."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from jupyter_pycaret_ops.common.errors import Invalid
from jupyter_pycaret_ops.server.api.json_body import decode_body
from jupyter_pycaret_ops.server.store.keys import digest, new_secret

from ...fakes.records import World, everything
from .conftest import NOBODY, PREFIX, Api
from .test_uploads import END, FILE, NAME

JSON = {"Content-Type": "application/json"}
#: digits that `int` or `str.isdigit` take, and numbers that neither a database nor Python keeps
NUMBERS = tuple(
    quote(number, safe="%")
    for number in (
        "²",
        "٣",
        "1" * 5_000,
        "-" + "9" * 400,
        "1e400",
        "0x10",
        "1_0",
        "%00",
        "nan",
        "%ff",
    )
)


def nested(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


def listed(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


def bodies(world: World, rows: dict[str, Any]) -> list[tuple[str, str, bytes]]:
    """Every route with free-form JSON in its body; `%s` stands where it takes any."""
    slug = rows["deployment"].endpoint_slug
    runs = f"/experiments/{world.experiment.id}/runs"
    experiments = f"/projects/{world.project.id}/experiments"
    return [
        ("POST", f"/deployments/{slug}/predict", b'{"rows": [{"x": %s}]}'),
        ("POST", f"/deployments/{slug}/predict", b'{"rows": [%s]}'),
        ("POST", f"/deployments/{slug}/predict", b'{"unknown": %s}'),
        ("POST", f"/deployments/{slug}/invocations", b'{"instances": [%s]}'),
        ("POST", f"/deployments/{slug}/invocations", b'{"dataframe_records": [{"x": %s}]}'),
        ("POST", f"/deployments/{slug}/invocations", b'{"params": {"x": %s}, "instances": []}'),
        (
            "POST",
            f"/v2/models/{slug}/infer",
            b'{"inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "data": [%s]}]}',
        ),
        (
            "POST",
            f"/v2/models/{slug}/infer",
            b'{"parameters": {"x": %s}, "inputs": []}',
        ),
        ("POST", experiments, b'{"name": "e", "task": "regression", "setup_params": {"x": %s}}'),
        ("PATCH", f"/experiments/{world.experiment.id}", b'{"setup_params": {"x": %s}}'),
        (
            "POST",
            runs,
            b'{"plan": "compare", "sklearn_dataset": "iris", "setup_params": {"fold": %s}}',
        ),
        (
            "POST",
            runs,
            b'{"plan": "compare", "sklearn_dataset": "iris", "plan_params": {"include": %s}}',
        ),
        ("POST", runs, b'{"plan": "compare", "data_inline": [{"x": %s, "y": 1}]}'),
        (
            "POST",
            f"/workspaces/{world.workspace.id}/data-sources",
            b'{"name": "s", "kind": "s3", "config": {"bucket": %s}}',
        ),
        ("POST", "/workspaces", b'{"name": %s}'),
        ("POST", "/api-keys", b'{"name": "k", "scopes": %s}'),
    ]


async def test_deep_json_is_refused_by_every_route_with_a_body(api: Api, world: World) -> None:
    rows = everything(world)
    for method, path, body in bodies(world, rows):
        for value in (nested(100), listed(100), nested(1_000), listed(100_000), b"[" * 200_000):
            answer = await api.call(method, path, 400, raw=body % value, headers=JSON)
            assert "deeper than 64" in answer.json["message"], (path, answer.json)
    token = new_secret("pcr_")
    world.submit()
    run = world.claim(token_hash=digest(token))
    assert run is not None
    agent = api.key(token)
    event = (
        b'{"n": 1, "kind": "k", "message": "", "timestamp": "2026-01-01T00:00:00Z", "payload": %s}'
    )
    for value in (nested(1_000), nested(100_000)):
        for path, body in (
            ("events", b'{"attempt": 1, "events": [%s]}' % event),
            ("finish", b'{"attempt": 1, "outcome": "failed", "snapshot": %s}'),
        ):
            raw = body % value
            await agent.call("POST", f"/agent/runs/{run.id}/{path}", 400, raw=raw, headers=JSON)


async def test_json_of_60_levels_passes_through_the_database(api: Api, world: World) -> None:
    body = b'{"name": "deep", "task": "regression", "setup_params": {"x": %s}}' % nested(60)
    path = f"/projects/{world.project.id}/experiments"
    made = (await api.call("POST", path, 201, raw=body, headers=JSON)).json
    assert made["setup_params"]["x"] == json.loads(nested(60))
    assert await api.get(f"/experiments/{made['id']}") == made


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"a": NaN}', "NaN is not JSON: send null"),
        (b'{"a": -NaN}', "NaN is not JSON: send null"),
        (b'{"a": Infinity}', "Infinity is not JSON: send null"),
        (b'{"a": [1, -Infinity]}', "-Infinity is not JSON: send null"),
        (b"[nan]", "malformed"),
        (rb'{"a": "\ud800"}', r"\ud800 is a lone surrogate"),
        (rb'{"a": "\uD800 and more text"}', r"\ud800 is a lone surrogate"),
        (rb'{"a": "\udc00"}', r"\udc00 is a lone surrogate"),
        (rb'{"\ud83d\ude00 \ud83d": 1}', r"\ud83d is a lone surrogate"),
        (rb'{"a": "\ud800\u0041"}', r"\ud800 is a lone surrogate"),
        (rb'{"a": "\\\ud800"}', r"\ud800 is a lone surrogate"),
        (b'{"a": "\xed\xa0\x80"}', r"\ud800 is a lone surrogate"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'{"a": Nancy}', "malformed"),
        (rb'{"a": "\\ud800', "truncated"),
    ],
)
def test_a_body_that_is_not_json_says_what_is_not(body: bytes, message: str) -> None:
    with pytest.raises(Invalid) as refused:
        decode_body(body, Any)
    assert message in refused.value.message


async def test_odd_values_in_bodies_are_refused_or_kept(api: Api, world: World) -> None:
    rows = everything(world)
    for method, path, body in bodies(world, rows):
        for value in (
            b"1" * 5_000,
            b"-" + b"1" * 400,
            b"1e400",
            rb'"\ud800"',
            rb'"\u0000"',
            b'"' + b"x" * 1_000_000 + b'"',
            b'{"' + b"x" * 100_000 + b'": 1}',
            b'{"": null}',
            b"[[], {}, null, true]",
            b"-0.0",
            b"9007199254740993",
        ):
            answer = await api.call(method, path, raw=body % value, headers=JSON)
            assert answer.status < 500 or answer.json["reason"] == "unavailable", (path, value[:20])


@pytest.mark.parametrize(
    "moment",
    [
        "9999-12-31T23:59:59-01:00",
        "9999-12-31T23:59:59.999999-23:59",
        "0001-01-01T00:00:00+01:00",
        "2030-01-01T00:00:00",
        "2030-02-30T00:00:00Z",
        "+2030-01-01T00:00:00Z",
        "٢٠٣٠-01-01T00:00:00Z",
    ],
)
async def test_an_expiry_that_is_no_moment_is_refused(api: Api, world: World, moment: str) -> None:
    body = {"name": "k", "workspace_id": world.workspace.id, "scopes": ["read"]}
    answer = await api.call("POST", "/api-keys", 400, {**body, "expires_at": moment})
    assert answer.json["errors"][0]["loc"] in (["expires_at"], [])


async def test_a_new_key_is_answered_in_utc(api: Api, world: World) -> None:
    body = {"name": "k", "workspace_id": world.workspace.id, "scopes": ["read"]}
    made = await api.post("/api-keys", {**body, "expires_at": "2030-01-01T01:30:00+05:30"})
    assert made["expires_at"] == "2029-12-31T20:00:00Z"
    (listed_key,) = await api.get("/api-keys")
    assert listed_key["expires_at"] == made["expires_at"]


async def test_odd_queries_are_refused(api: Api, world: World) -> None:
    run = everything(world)["run"]
    for number in NUMBERS:
        for path in (
            f"/workspaces?limit={number}",
            f"/runs?workspace_id={world.workspace.id}&limit={number}",
            f"/runs/{run.id}/events?after_seq={number}",
            f"/runs/{run.id}/events/ws?after_seq={number}",
            f"/workspaces?cursor={number}",
            f"/runs/{run.id}/fold-metrics?cursor={number}",
            f"/data-sources/{run.data_source_id}/preview?rows={number}",
        ):
            await api.call("GET", path, 400)
        await api.call("POST", f"/runs/{run.id}/wait?timeout_s={number}", 400, raw=b"")


async def test_odd_names_in_paths_are_not_found(api: Api, world: World) -> None:
    for name in (
        "%00",
        "%ff",
        "%ed%a0%80",
        "x" * 5_000,
        "%C2%B2",
        "..%2F..",
        "%0d%0aA:b",
        "'",
        NOBODY.upper(),
    ):
        for path in (
            f"/workspaces/{name}",
            f"/runs/{name}",
            f"/runs/{name}/events",
            f"/runs/{name}/notebook",
            f"/artifacts/{name}/download",
            f"/runs/{NOBODY}/plots/{name}",
            f"/deployments/{name}",
            f"/deployments/{name}/schema",
            f"/v2/models/{name}",
            f"/describe/models/{name}?task=classification",
        ):
            answer = await api.call("GET", path)
            assert answer.status in (400, 404), path


async def test_etags_that_are_known_are_not_sent_again(
    api: Api, world: World, services: Any
) -> None:
    artifact = everything(world)["artifact"]
    services.artifacts.put(artifact.storage_key, b"abc")
    path = f"/artifacts/{artifact.id}/download"
    etag = f'"{artifact.sha256}"'
    for known, status in (
        *((etag, 304), (f"W/{etag}", 304), (f'"a", {etag}', 304), ("*", 304)),
        *(('"a"', 200), ("", 200), (artifact.sha256, 200), ("*, *", 200)),
    ):
        answer = await api.call("GET", PREFIX + path, headers={"If-None-Match": known}, prefix="")
        assert answer.status == status, known


async def test_odd_headers_are_refused_or_passed_over(
    api: Api, world: World, services: Any
) -> None:
    rows = everything(world)
    artifact = rows["artifact"]
    services.artifacts.put(artifact.storage_key, b"abc")
    path = f"/artifacts/{artifact.id}/download"
    long = "9" * 5_000
    for given in (
        {"Range": f"bytes={long}-"},
        {"Range": f"bytes=0-{long}"},
        {"Range": f"bytes=-{long}"},
        {"Range": f"bytes={long}-{long}"},
        {"Range": "bytes=²-"},
        {"Range": "bytes=-٣".encode().decode("latin-1")},
        {"Range": "bytes=\xa01-"},
        {"If-None-Match": "\xff" * 1_000},
        {"If-None-Match": '"' * 1_000},
        {"If-Range": "²"},
        {"Authorization": "token \xff²"},
        {"Authorization": "Bearer \xff²"},
        {"Authorization": "Bearer pck_\xff²"},
        {"Authorization": "Bearer pcr_\xff²"},
        {"Origin": "http://["},
        {"Origin": "\xff"},
        {"Cookie": "username-localhost-8888=" + "\xff" * 100},
        {"Host": "["},
        {"Host": "[::1"},
        {"Host": "\xff²"},
        {"Host": "a" * 5_000},
        {"Content-Type": "\xff"},
    ):
        # a Host that Tornado cannot read is refused before any handler
        answer = await api.call("GET", PREFIX + path, headers=given, prefix="")
        assert answer.status in (200, 206, 400, 401, 403, 416), given
    slug = rows["deployment"].endpoint_slug
    for length in ("²", long, "-1", "", "٣", " 1", "+1", "1.0"):
        answer = await api.call(
            "POST",
            f"/v2/models/{slug}/infer",
            400,
            raw=b"{}",
            headers=JSON | {"Inference-Header-Content-Length": length.encode().decode("latin-1")},
        )
    for kind in (
        "multipart/form-data; boundary=" + "x" * 257,
        "multipart/form-data; boundary=" + "x" * 60_000,
        "multipart/form-data; boundary=\xff",
        "multipart/form-data; boundary*=utf-8''%ff",
        "multipart/form-data; boundary*=²''x",
        "multipart/form-data; boundary*0=x; boundary*1=y",
        'multipart/form-data; boundary=""',
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary",
        "multipart/form-data",
        "²",
    ):
        upload = f"/workspaces/{world.workspace.id}/data-sources/upload"
        for raw in (FILE + NAME + END, b""):
            answer = await api.call("POST", upload, raw=raw, headers={"Content-Type": kind})
            assert answer.status == 400 or "*" in kind


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Disposition: form-data; name*=utf-8''%ff",
        b"Content-Disposition: form-data; name=\"file\"; filename*=x'y'%ff",
        b"Content-Disposition: form-data; name=\"file\"; filename*=nonsense''a.csv",
        b'Content-Disposition: form-data; name="file"; filename="\xff\x00.csv"',
        b"Content-Disposition: form-data; name=\xed\xa0\x80",
        b"Content-Disposition: \xff",
        b"Content-Disposition",
        b": form-data",
        b"A: " + b"x" * 100_000,
        b"\r\n".join(b"A%d: x" % number for number in range(1_000)),
    ],
)
async def test_odd_multipart_heads_never_break_the_server(
    api: Api, world: World, head: bytes
) -> None:
    body = b"--x\r\n" + head + b"\r\n\r\na,b\r\n1,2\r\n" + NAME + END
    answer = await api.call(
        "POST",
        f"/workspaces/{world.workspace.id}/data-sources/upload",
        raw=body,
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert answer.status in (201, 400)


async def test_odd_words_of_agents_are_refused(api: Api, world: World) -> None:
    token = new_secret("pcr_")
    world.submit()
    run = world.claim(token_hash=digest(token))
    assert run is not None
    agent = api.key(token)
    path = f"/agent/runs/{run.id}"

    def event(**more: Any) -> dict[str, Any]:
        told = {"n": 1, "kind": "model.scored", "message": "", "payload": {}}
        return {"attempt": 1, "events": [told | {"timestamp": "2026-01-01T00:00:00Z"} | more]}

    for odd in (
        {"timestamp": "9999-12-31T23:59:59-01:00"},
        {"timestamp": "yesterday" * 1_000},
        {"timestamp": "\u0000"},
        {"n": 10**30},
        {"payload": {"fold_metrics": 5}},
        {"payload": {"fold_metrics": {"AUC": 5}}},
        {"payload": {"fold_metrics": {"AUC": ["high"]}}},
    ):
        await agent.call("POST", f"{path}/events", 400, event(**odd))
    for odd in (
        {"metrics_summary": {"best": 5}},
        {"metrics_summary": {"best": {"value": "high"}}},
        {"metrics_summary": {"best": {"value": 1}}},
        {"leaderboard": [{"rank": {}}]},
    ):
        answer = await agent.call(
            "POST", f"{path}/finish", None, {"attempt": 1, "outcome": "succeeded"} | odd
        )
        assert answer.status in (200, 400, 409)
    for name in ("%00", "%ff", "x" * 300, "%C2%B2", "a%0d%0ab"):
        for digest_said in ("0" * 64, "²" * 32, "0" * 5_000):
            answer = await agent.call(
                "PUT",
                f"{path}/artifacts/{name}",
                raw=b"x",
                headers={"X-Content-SHA256": digest_said, "X-Model-Id": "\xff" * 200},
            )
            assert 400 <= answer.status < 500


async def test_head_is_answered_as_get_without_the_body(
    api: Api, world: World, services: Any
) -> None:
    rows = everything(world)
    artifact, run = rows["artifact"], rows["run"]
    services.artifacts.put(artifact.storage_key, b"abc")
    for path in (
        *(
            "/healthz",
            "/",
            "/openapi.json",
            "/setup/status",
            "/auth/me",
            "/api-keys",
            "/workspaces",
        ),
        *("/describe/tasks", f"/runs/{run.id}", f"/runs/{run.id}/events", "/v2/health/live"),
        *(f"/artifacts/{artifact.id}/download", f"/runs/{run.id}/notebook"),
        f"/deployments/{rows['deployment'].endpoint_slug}/schema",
        f"/v2/models/{rows['deployment'].endpoint_slug}",
    ):
        head = await api.call("HEAD", PREFIX + path, prefix="")
        get = await api.call("GET", path, 200)
        assert (head.status, head.body) == (200, b""), path
        for name in ("Content-Type", "ETag"):
            assert head.headers.get(name) == get.headers.get(name), path
        if path not in ("/setup/status",):
            assert head.headers["Content-Length"] == str(len(get.body)), path
    for path, status in ((f"/runs/{NOBODY}", 404), (f"/runs/{run.id}/cancel", 405)):
        assert (await api.call("HEAD", PREFIX + path, prefix="")).status == status
    assert (await api.by().call("HEAD", PREFIX + "/workspaces", prefix="")).status == 401
    answer = await api.call("PUT", "/workspaces", 405)
    assert answer.headers["Allow"] == "GET, POST, HEAD"
