"""An endpoint: who may call it, how much they may send, and what is counted."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from jupyter_pycaret_ops.common.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    OpsError,
    RateLimited,
    RowsInvalid,
    TooLarge,
)
from jupyter_pycaret_ops.server.serving.batcher import Batcher
from jupyter_pycaret_ops.server.serving.endpoint import MOST_ROWS, Endpoint, Model, Traffic
from jupyter_pycaret_ops.server.serving.row_validation import RowValidator
from jupyter_pycaret_ops.server.store.access import KeyGrant, Role
from jupyter_pycaret_ops.server.threads import IN_THREAD_BYTES

from ...fakes import in_loop
from ...fakes.records import World
from ...fakes.traffic import make_traffic

SCHEMA: dict[str, Any] = {"columns": [{"name": "x", "type": "number"}]}
OF = "5b5c1a52-0000-7000-8000-00000000000a"


async def _double(rows: list[list[Any]], proba: bool) -> dict[str, Any]:
    return {"predictions": [2 * row[0] for row in rows], "probabilities": None}


def make_endpoint(traffic: Traffic, **more: Any) -> Endpoint:
    model = Model("p", "iris", 1, SCHEMA, RowValidator(SCHEMA), "regression", None, "", "", 0, "")
    told = {"status": "active", "auth_mode": "api-key", "workspace_id": "w"} | more
    return Endpoint(
        OF, "iris", model=model, batcher=Batcher(_double), traffic=traffic, read_at=0.0, **told
    )


def key(**more: Any) -> KeyGrant:
    told = {
        "key_id": "k",
        "workspace_id": "w",
        "deployment_id": None,
        "scopes": frozenset({"predict"}),
        "maker_role": Role.MEMBER,
    }
    return KeyGrant(**(told | more))


@pytest.mark.parametrize(
    ("told", "access", "is_read", "expected"),
    [
        ({}, "api-key", False, None),
        ({"deployment_id": OF}, "api-key", False, None),
        ({"deployment_id": "another"}, "api-key", False, Forbidden),
        ({"workspace_id": "another"}, "api-key", False, NotFound),
        ({"scopes": frozenset({"read"})}, "api-key", False, Forbidden),
        ({"maker_role": Role.VIEWER}, "api-key", False, Forbidden),
        ({}, "private", False, Forbidden),
        (
            {
                "scopes": frozenset({"read"}),
            },
            "private",
            True,
            None,
        ),
    ],
)
def test_key_opens_its_deployment(
    world: World,
    told: dict[str, Any],
    access: str,
    is_read: bool,
    expected: type[OpsError] | None,
) -> None:
    endpoint = make_endpoint(make_traffic(world), auth_mode=access)
    if expected is None:
        endpoint.check_key(key(**told), asked="iris", is_read=is_read)
    else:
        with pytest.raises(expected):
            endpoint.check_key(key(**told), asked="iris", is_read=is_read)


def test_key_of_another_workspace_learns_only_what_it_sent(world: World) -> None:
    endpoint = make_endpoint(make_traffic(world))
    with pytest.raises(NotFound) as error:
        endpoint.check_key(key(workspace_id="another"), asked=OF, is_read=False)
    assert OF in str(error.value)
    assert "iris" not in str(error.value)


@pytest.mark.parametrize(
    ("role", "is_read", "expected"),
    [
        (Role.MEMBER, False, None),
        (Role.VIEWER, True, None),
        (Role.VIEWER, False, Forbidden),
        (None, True, NotFound),
    ],
)
def test_role_opens_deployment(
    world: World, role: Role | None, is_read: bool, expected: type[OpsError] | None
) -> None:
    endpoint = make_endpoint(make_traffic(world))
    if expected is None:
        endpoint.check_role(role, asked="iris", is_read=is_read)
    else:
        with pytest.raises(expected):
            endpoint.check_role(role, asked="iris", is_read=is_read)


def test_rate_counts_requests_and_announced_bytes(world: World) -> None:
    endpoint = make_endpoint(make_traffic(world, per_minute=60))  # a bucket of two
    endpoint.take_rate("10.0.0.1", None)
    endpoint.take_rate("10.0.0.1", None)
    with pytest.raises(RateLimited) as error:
        endpoint.take_rate("10.0.0.1", None)
    assert error.value.retry_after_s == 1
    endpoint.take_rate("10.0.0.2", 64 * 1024)
    with pytest.raises(RateLimited):
        endpoint.take_rate("10.0.0.2", None)


def test_bodies_in_memory_are_limited_and_released(world: World) -> None:
    endpoint = make_endpoint(make_traffic(world, buffered=100))
    endpoint.reserve_body("10.0.0.1", 50)
    with pytest.raises(RateLimited):
        endpoint.reserve_body("10.0.0.1", 1)
    endpoint.release_body("10.0.0.1", 50)
    endpoint.reserve_body("10.0.0.1", 50)


@in_loop
async def test_rows_are_validated_predicted_and_counted(world: World) -> None:
    traffic = make_traffic(world)
    endpoint = make_endpoint(traffic)
    rows, warnings = await endpoint.validated_rows(
        b"", lambda _: [{"x": 1.5}, {"x": 4}], ignore_extra=False
    )
    assert (rows, warnings) == ([[1.5], [4]], [])
    answer, latency_ms = await endpoint.predict(rows, proba=False, began=time.perf_counter())
    assert answer.predictions == [3.0, 8]
    assert latency_ms > 0
    assert traffic.statistics._tally(OF).latencies_ms == [latency_ms]


@in_loop
async def test_large_body_is_decoded_in_the_thread(world: World) -> None:
    seen: list[str] = []

    def decode(body: bytes) -> list[dict[str, float]]:
        seen.append(threading.current_thread().name)
        return [{"x": 1.0}]

    endpoint = make_endpoint(make_traffic(world))
    for size in (IN_THREAD_BYTES, IN_THREAD_BYTES + 1):
        await endpoint.validated_rows(bytes(size), decode, ignore_extra=False)
    endpoint.traffic.decoding.close()
    assert seen[0] == threading.current_thread().name
    assert seen[1].startswith("pycaret-ops-decode")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [([], Invalid), ([{"x": 1}] * (MOST_ROWS + 1), TooLarge), ([{"x": "a"}], RowsInvalid)],
)
@in_loop
async def test_rows_that_do_not_fit_are_refused(
    world: World, rows: list[Any], expected: type[OpsError]
) -> None:
    endpoint = make_endpoint(make_traffic(world))
    with pytest.raises(expected):
        await endpoint.validated_rows(b"", lambda _: rows, ignore_extra=False)


@in_loop
async def test_paused_deployment_reads_no_rows(world: World) -> None:
    endpoint = make_endpoint(make_traffic(world), status="paused")
    with pytest.raises(Conflict):
        await endpoint.validated_rows(b"", lambda _: pytest.fail("was read"), ignore_extra=False)


def test_refusals_count_where_they_are_errors_of_the_deployment(world: World) -> None:
    traffic = make_traffic(world)
    endpoint = make_endpoint(traffic)
    for status_code in (401, 404, 409, 429):
        endpoint.count_refused(status_code)
    assert traffic.statistics._tally(OF).refused == 0
    for status_code in (400, 413, 422, 503):
        endpoint.count_refused(status_code)
    assert traffic.statistics._tally(OF).refused == 4
