"""Bodies as others send them: compressed, of another kind, with long values; and what counts as activity."""

from __future__ import annotations

import gzip
import json
import random
import threading
import tracemalloc
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest

from jupyter_pycaret_ops.server.api.context import Services
from jupyter_pycaret_ops.server.api.request_body import BoundedBody

from ...fakes.records import INPUT_SCHEMA, World
from .conftest import Api
from .test_credentials import answering, make_key
from .test_uploads import END, FILE, NAME

__all__ = ["answering"]

EXAMPLE = INPUT_SCHEMA["example"]
ROWS = {"rows": [EXAMPLE]}
ZIPPED = {"Content-Type": "application/json", "Content-Encoding": "gzip"}


async def test_gzip_bodies_are_read_by_every_route_with_json(
    api: Api, world: World, answering: None
) -> None:
    world.deploy(slug="iris")
    made = await api.call(
        "POST", "/workspaces", 201, raw=gzip.compress(b'{"name": "w"}'), headers=ZIPPED
    )
    assert made.json["name"] == "w"
    body = json.dumps(ROWS).encode()
    for zipped in (gzip.compress(body), gzip.compress(body[:10]) + gzip.compress(body[10:])):
        for name in ("gzip", "GZIP", "x-gzip"):
            headers = ZIPPED | {"Content-Encoding": name}
            await api.call("POST", "/deployments/iris/predict", 200, raw=zipped, headers=headers)
    records = json.dumps({"dataframe_records": [EXAMPLE]}).encode()
    path = "/deployments/iris/invocations"
    await api.call("POST", path, 200, raw=gzip.compress(records), headers=ZIPPED)
    plain = ZIPPED | {"Content-Encoding": "identity"}
    await api.call("POST", "/deployments/iris/predict", 200, raw=body, headers=plain)


@pytest.mark.parametrize(
    "body",
    [
        b'{"rows": []}',
        gzip.compress(b'{"rows": []}')[:-9],
        gzip.compress(b'{"rows": []}') + b"more",
        zlib.compress(b'{"rows": []}'),
        b"\x1f\x8b",
    ],
    ids=["plain", "cut off", "more behind", "zlib", "head alone"],
)
async def test_body_that_is_no_whole_gzip_is_400(
    api: Api, world: World, answering: None, body: bytes
) -> None:
    world.deploy(slug="iris")
    answer = await api.call("POST", "/deployments/iris/predict", 400, raw=body, headers=ZIPPED)
    assert "gzip" in answer.json["message"]


async def test_gzip_bomb_is_413_and_never_unpacked_beyond_the_cap(
    api: Api, world: World, answering: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.deploy(slug="iris")
    made: list[int] = []
    real = zlib.decompressobj

    class Counting:
        def __init__(self, given: int) -> None:
            self._inner = real(given)

        def decompress(self, data: bytes, most: int) -> bytes:
            content = self._inner.decompress(data, most)
            made.append(len(content))
            return content

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

    bomb = gzip.compress(b" " * (200 << 20))
    members = gzip.compress(b" " * (5 << 20)) * 10
    monkeypatch.setattr(zlib, "decompressobj", Counting)
    for body in (bomb, members):
        made.clear()
        answer = await api.call("POST", "/deployments/iris/predict", 413, raw=body, headers=ZIPPED)
        assert answer.json["reason"] == "too_large"
        assert sum(made) <= (16 << 20) + 1


async def test_many_gzip_members_do_not_hold_up_the_server(
    api: Api, world: World, answering: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of a member copies what is behind it: a megabyte of empty ones took a second, 16 took minutes."""
    world.deploy(slug="iris")
    copied: list[int] = []
    real = zlib.decompressobj

    class Counting:
        def __init__(self, given: int) -> None:
            self._inner = real(given)

        @property
        def unused_data(self) -> bytes:
            copied.append(len(self._inner.unused_data))
            return self._inner.unused_data

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

    empty = gzip.compress(b"")
    monkeypatch.setattr(zlib, "decompressobj", Counting)
    path = "/deployments/iris/predict"
    answer = await api.call("POST", path, 400, raw=empty * 50_000, headers=ZIPPED)
    assert "members" in answer.json["message"]
    blocks = b"".join(gzip.compress(bytes([byte])) for byte in json.dumps(ROWS).encode())
    await api.call("POST", path, 200, raw=blocks, headers=ZIPPED)
    head_heavy = empty * 900 + gzip.compress(random.Random(1).randbytes(2 << 20))
    await api.call("POST", path, 400, raw=head_heavy, headers=ZIPPED)
    assert sum(copied) < 16 << 20


async def test_gzip_bodies_are_unpacked_beside_the_event_loop(
    api: Api, world: World, answering: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """15 KB become 15 MB: eight clients that sent that made everybody wait for 0.7 s."""
    world.deploy(slug="iris")
    threads: list[threading.Thread] = []
    real = zlib.decompressobj

    def noting(given: int) -> Any:
        threads.append(threading.current_thread())
        return real(given)

    monkeypatch.setattr(zlib, "decompressobj", noting)
    zipped = gzip.compress(b" " * (15 << 20) + json.dumps(ROWS).encode())
    for path, body in (
        ("/deployments/iris/predict", zipped),
        ("/workspaces", gzip.compress(b'{"name": "w"}' + b" " * (15 << 20))),
    ):
        await api.call("POST", path, raw=body, headers=ZIPPED)
    assert len(threads) == 2
    assert threading.main_thread() not in threads


async def test_a_body_that_comes_byte_by_byte_takes_no_more_than_its_bytes() -> None:
    body = BoundedBody.__new__(BoundedBody)
    body._limit, body._kept = 1 << 20, bytearray()
    tracemalloc.start()
    try:
        for number in range(100_000):
            await body.data_received(number.to_bytes(3))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 1 << 20, f"{most:,} bytes were held for 300,000"


async def test_other_encodings_are_415_and_named(api: Api, world: World, answering: None) -> None:
    world.deploy(slug="iris")
    for encoding in ("br", "zstd", "deflate", "gzip, gzip", "nonsense"):
        headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
        for path in ("/workspaces", "/deployments/iris/predict", "/v2/models/iris/infer"):
            answer = await api.call("POST", path, 415, raw=b"{}", headers=headers)
            assert encoding in answer.json["message"]
    upload = f"/workspaces/{world.workspace.id}/data-sources/upload"
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Content-Encoding": "gzip"}
    body = gzip.compress(FILE + NAME + END)
    answer = await api.call("POST", upload, 415, raw=body, headers=headers)
    assert "gzip" in answer.json["message"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "text/csv"])
async def test_predictions_of_another_kind_of_body_are_415(
    api: Api, world: World, answering: None, kind: str
) -> None:
    world.deploy(slug="open", auth_mode="public")
    body = json.dumps(ROWS).encode()
    for who in (api, api.by()):
        for path in (
            "/deployments/open/predict",
            "/deployments/open/invocations",
            "/v2/models/open/infer",
        ):
            answer = await who.call("POST", path, 415, raw=body, headers={"Content-Type": kind})
            assert answer.json["reason"] == "unsupported_media"
    for kind_of_json in ("application/json", "application/json; charset=utf-8", "Application/JSON"):
        headers = {"Content-Type": kind_of_json}
        await api.call("POST", "/deployments/open/predict", 200, raw=body, headers=headers)


async def test_long_values_are_cut_where_they_are_repeated(
    api: Api, world: World, answering: None
) -> None:
    world.deploy(slug="iris")
    long = "x" * 1_000_000
    answer = await api.call(
        "POST", "/deployments/iris/predict", 200, {"rows": [{**EXAMPLE, "colour": long}]}
    )
    (warning,) = answer.json["warnings"]
    assert "xxx" in warning
    assert len(answer.body) < 2_000
    strange = {**EXAMPLE, long: 1} | {f"column {number}": 1 for number in range(300)}
    answer = await api.call("POST", "/deployments/iris/predict", 422, {"rows": [strange]})
    assert len(answer.body) < 10_000
    assert len(answer.json["errors"]) <= 20


async def test_predictions_of_keys_and_of_nobody_are_activity(
    api: Api, world: World, services: Services, jp_serverapp: Any, answering: None
) -> None:
    """An idle culler must not end a server that predicts all day."""
    world.deploy(slug="open", auth_mode="public")
    world.deploy(slug="keyed", auth_mode="api-key")
    _, key = await make_key(api, world, "predict")
    settings = jp_serverapp.web_app.settings
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    for who, path, counts in (
        (api.by(), "/deployments/open/predict", True),
        (key, "/deployments/open/predict", True),
        (key, "/deployments/keyed/predict", True),
        (key, "/deployments/keyed/predict?no_track_activity=1", False),
        (api.by(), "/deployments/keyed/predict", False),
        (api.key("pck_unknown"), "/deployments/keyed/predict", False),
    ):
        settings["api_last_activity"] = long_ago
        await who.call("POST", path, None, ROWS)
        assert (settings["api_last_activity"] > long_ago) is counts, path


LONG = "x" * 1_000_000


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("runs", {"plan": LONG, "sklearn_dataset": "iris"}),
        ("runs", {"plan": "create", "model_id": LONG, "sklearn_dataset": "iris"}),
        ("runs", {"plan": "compare", "sklearn_dataset": LONG}),
        ("runs", {"plan": "compare", "sklearn_dataset": "iris", "target": LONG}),
        ("runs", {"plan": "compare", "sklearn_dataset": "iris", LONG: 1}),
        ("runs", {"plan": "compare", "sklearn_dataset": "iris", "plan_params": {LONG: 1}}),
        (
            "runs",
            {"plan": "compare", "sklearn_dataset": "iris", "plan_params": {"include": [LONG]}},
        ),
        (
            "runs",
            {
                "plan": "compare",
                "sklearn_dataset": "iris",
                "plan_params": {"include": ["lr"] * 30_000},
            },
        ),
        ("runs", {"plan": "compare", "data_inline": [{LONG: 1, "b": 2}], "target": "a"}),
        (
            "runs",
            {
                "plan": "compare",
                "executor": "notebook",
                "frame": {"name": "df", "rows": 1, "columns": ["a"] * 200_000},
            },
        ),
        ("", {"name": "e", "task": "classification", "setup_params": {"a": [1] * 30_000}}),
        ("", {"name": "e", "task": "classification", "setup_params": {"a": [[[LONG]]]}}),
        ("", {"name": "e", "task": "classification", "target": LONG}),
        ("", {"name": "e", "task": "classification", "description": LONG}),
        ("", {"name": "e", "task": LONG}),
    ],
)
async def test_what_is_kept_and_what_is_repeated_has_a_bound(
    api: Api, world: World, path: str, body: dict[str, Any]
) -> None:
    """Ten megabytes of parameters in a run's first event made its viewers stop the server for all."""
    where = (
        f"/experiments/{world.experiment.id}/runs"
        if path
        else f"/projects/{world.project.id}/experiments"
    )
    answer = await api.call("POST", where, 400, body)
    assert len(answer.body) < 20_000
    assert answer.json["message"]


async def test_long_names_in_bodies_of_predictions_are_cut_in_the_answer(
    api: Api, world: World, answering: None
) -> None:
    world.deploy(slug="iris")
    tensor = {"shape": [1], "datatype": "BYTES", "data": ["a"]}
    for path, body in (
        ("/deployments/iris/predict", {LONG: 1}),
        ("/deployments/iris/invocations", {"inputs": {LONG: 1}}),
        (
            "/deployments/iris/invocations",
            {"dataframe_split": {"columns": [LONG, "b"], "data": [[1]]}},
        ),
        (
            "/v2/models/iris/infer",
            {"inputs": [{"name": "a", **tensor}], "outputs": [{"name": LONG}]},
        ),
    ):
        answer = await api.call("POST", path, 400, body)
        assert len(answer.body) < 20_000
