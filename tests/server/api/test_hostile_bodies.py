"""Bodies that are cheap to send and dear to build: refused before anything is built from them."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import psutil
import pytest
import requests

from jupyter_pycaret_ops.common.errors import Invalid, TooLarge
from jupyter_pycaret_ops.server.api import json_body, mlflow, open_inference, predict
from jupyter_pycaret_ops.server.serving.endpoint import most_values, refuse_row_count
from jupyter_pycaret_ops.server.serving.row_validation import RowValidator
from jupyter_pycaret_ops.server.threads import IN_THREAD_BYTES

from ...live import LiveServer, until

NAMES = ["a", "b"]
SCHEMA = {"task": "regression", "columns": [{"name": name, "type": "number"} for name in NAMES]}
MODEL: Any = SimpleNamespace(validator=RowValidator(SCHEMA), task="regression")
MOST = most_values(len(NAMES))
MIB = 1 << 20


def to_predict(body: bytes) -> Any:
    return predict.rows_of(body, model=MODEL, ignore_extra=False)


def to_invocations(body: bytes) -> Any:
    return mlflow.rows_of(body, names=NAMES)


def to_infer(body: bytes) -> Any:
    return open_inference.parse(body, None, MOST)


def to_infer_binary(body: bytes) -> Any:
    head = body.index(b"}]}") + 3
    return open_inference.parse(body, str(head), MOST)


def tensor(datatype: str, shape: list[int], size: int) -> bytes:
    described = {"name": "a", "shape": shape, "datatype": datatype}
    described["parameters"] = {"binary_data_size": size}
    return json.dumps({"inputs": [described]}, separators=(",", ":")).encode() + bytes(size)


MANY = 4 * MIB
NOTHING = b"[]," * (MANY // 3) + b"[]"
NUMBERS = b"1," * (MANY // 2) + b"1"
HOSTILE: list[tuple[str, Callable[[bytes], Any], bytes]] = [
    ("empty rows", to_predict, b'{"rows":[' + NOTHING + b"]}"),
    ("empty objects", to_predict, b'{"rows":[' + b"{}," * (MANY // 3) + b"{}]}"),
    ("one wide row", to_predict, b'{"rows":[{"a":[' + NUMBERS + b"]}]}"),
    ("many keys", to_predict, b'{"rows":[{' + b'"":1,' * (MANY // 5) + b'"":1}]}'),
    ("depth", to_predict, b'{"rows":' + b"[" * MANY),
    ("depth and commas", to_predict, b'{"rows":[' + b"[[[[1]]]]," * (MANY // 10) + b"1]}"),
    ("a frame of empty rows", to_invocations, b'{"dataframe_split":{"columns":[],"data":[' + NOTHING + b"]}}"),
    ("a frame of names", to_invocations, b'{"dataframe_split":{"columns":[' + b'"",' * (MANY // 3) + b'""],"data":[]}}'),
    ("records", to_invocations, b'{"dataframe_records":[' + b"{}," * (MANY // 3) + b"{}]}"),
    ("instances", to_invocations, b'{"instances":[' + NUMBERS + b"]}"),
    ("inputs", to_invocations, b'{"inputs":[' + NUMBERS + b"]}"),
    ("a column of inputs", to_invocations, b'{"inputs":{"a":[' + NUMBERS + b"]}}"),
    ("columns of inputs", to_invocations, b'{"inputs":{' + b'"":[],' * (MANY // 6) + b'"":[]}}'),
    ("parameters", to_invocations, b'{"params":{"a":[' + NUMBERS + b"]}}"),
    ("a tensor", to_infer, b'{"inputs":[{"name":"a","shape":[1],"datatype":"INT8","data":[' + NUMBERS + b"]}]}"),
    ("parameters of a tensor", to_infer, b'{"inputs":[{"name":"a","shape":[1],"datatype":"INT8","parameters":{"a":[' + NUMBERS + b"]}}]}"),
    ("a binary tensor", to_infer_binary, tensor("INT8", [MANY], MANY)),
    ("a flat binary tensor", to_infer_binary, tensor("INT8", [1, MANY], MANY)),
    ("more bytes than values", to_infer_binary, tensor("INT8", [1], MANY)),
    ("empty texts", to_infer_binary, tensor("BYTES", [1], MANY)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("read", "body"), [item[1:] for item in HOSTILE], ids=[item[0] for item in HOSTILE]
)
def test_a_hostile_body_is_refused_before_it_is_built(
    read: Callable[[bytes], Any], body: bytes
) -> None:
    tracemalloc.start()
    try:
        with pytest.raises((Invalid, TooLarge)):
            read(body)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 4 * len(body), f"{most / len(body):.1f} bytes were taken for each byte sent"


def rows_as_sent(count: int, text: str) -> bytes:
    return json.dumps({"rows": [{"a": 1.5, "b": text} for _ in range(count)]}).encode()


@pytest.mark.parametrize("text", ["x" * 40, ",[{" * 15, 'a "quoted" \\ text,' * 3, "”,ü" * 15])
def test_large_bodies_are_read_like_small_ones(text: str) -> None:
    """Commas and brackets in texts are no values, whatever is escaped."""
    body = rows_as_sent(10_000, text)
    assert len(body) > IN_THREAD_BYTES
    assert to_predict(body) == json.loads(body)["rows"]
    small = rows_as_sent(3, text)
    assert to_predict(small) == json.loads(small)["rows"]


def test_values_are_counted_to_the_last_one() -> None:
    json_body.refuse_many(b"[" + b"1," * 100 + b"1]", 100)
    with pytest.raises(TooLarge, match="101 values, and at most 100"):
        json_body.refuse_many(b"[" + b"1," * 101 + b"1]", 100)
    json_body.refuse_many(b'["' + b"1," * 101 + rb'\","]', 100)


@pytest.mark.parametrize(
    ("read", "body"),
    [
        (to_predict, rows_as_sent(10_001, "x" * 40)),
        (to_predict, rows_as_sent(10_001, "")),
        (to_invocations, b'{"instances":[' + b"[1,2]," * 10_000 + b"[1,2]]}"),
        (to_infer, b'{"inputs":[{"name":"a","shape":[10001],"datatype":"INT8","data":[]}]}'),
    ],
)
def test_one_row_more_than_the_most_is_too_large(read: Callable[[bytes], Any], body: bytes) -> None:
    with pytest.raises(TooLarge):
        refuse_row_count(len(read(body)))


# ---------------------------------------------------------------- on a live server


@pytest.fixture(scope="module")
def public(server: LiveServer) -> str:
    return str(server.deploy_iris("open-house", "lr", auth_mode="public")["endpoint_slug"])


def send(server: LiveServer, path: str, body: Any, **headers: str) -> requests.Response:
    return requests.post(
        server.api + path,
        data=body,
        headers={"Content-Type": "application/json", **headers},
        timeout=60,
    )


def attacks(slug: str, size: int) -> list[tuple[str, bytes, dict[str, str]]]:
    binary = tensor("INT8", [size], size - 200)
    head = str(binary.index(b"}]}") + 3)
    return [
        (f"/v2/models/{slug}/infer", binary, {open_inference.HEADER_LENGTH: head}),
        (f"/deployments/{slug}/predict", b'{"rows":[' + b"[]," * (size // 3 - 9) + b"[]]}", {}),
        (f"/deployments/{slug}/invocations", b'{"inputs":[' + b"1," * (size // 2 - 9) + b"1]}", {}),
    ]


@pytest.mark.parametrize("size", [900_000, 15_900_000])
def test_strangers_neither_stop_nor_grow_the_server(
    server: LiveServer, public: str, size: int
) -> None:
    process = psutil.Process(server.process.pid)
    before = process.memory_info().rss
    bodies = attacks(public, size)
    grown = [0]

    def attack(number: int) -> int:
        path, body, headers = bodies[number % len(bodies)]
        answer = send(server, path, body, **headers)
        grown.append(process.memory_info().rss - before)
        return answer.status_code

    with ThreadPoolExecutor(8) as clients:
        answers = set(clients.map(attack, range(16)))
    assert answers <= {400, 413, 422, 429}
    assert max(grown) < 64 * MIB


def test_a_body_over_the_public_limit_is_refused_and_the_connection_stays(
    server: LiveServer, public: str
) -> None:
    with requests.Session() as line:
        for _ in range(2):
            answer = line.post(f"{server.api}/deployments/{public}/predict", data=b" " * (2 * MIB))
            assert answer.status_code == 413
            assert "larger than 1 MiB" in answer.json()["message"]
        chunks = line.post(
            f"{server.api}/deployments/{public}/predict", data=iter([b" " * MIB] * 2)
        )
        assert chunks.status_code == 413, "in chunks, without a length"
        example = line.get(f"{server.api}/deployments/{public}/schema").json()["example"]
        fine = line.post(f"{server.api}/deployments/{public}/predict", json={"rows": [example]})
        assert fine.status_code == 200, fine.text


def test_a_refused_caller_is_answered_before_its_body_is_read(server: LiveServer) -> None:
    """NullReporter without a credential has the server keep as much as it likes to send."""
    process = psutil.Process(server.process.pid)
    before = process.memory_info().rss
    answer = send(server, "/workspaces", iter([b" " * MIB] * 40))
    assert answer.status_code == 401
    assert process.memory_info().rss - before < 32 * MIB


def answer_to_a_head(server: LiveServer, method: str, path: str, *headers: str) -> bytes:
    """What is answered to a head that announces 100 MiB, of which nothing is sent."""
    lines = [
        f"{method} {server.api.removeprefix(f'http://127.0.0.1:{server.port}')}{path} HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        "Content-Type: application/json",
        f"Content-Length: {100 * MIB}",
        *headers,
    ]
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as line:
        line.sendall("\r\n".join([*lines, "", ""]).encode())
        return line.recv(65_536)


def test_strangers_are_answered_on_every_route_before_their_body_is_read(
    server: LiveServer,
) -> None:
    """A body that is read before the caller is known may have half a gigabyte: Jupyter's own limit."""
    paths = {re.sub(r"{\w+}", str(uuid4()), path) for path in server.get("/openapi.json")["paths"]}
    assert len(paths) > 50
    waited: dict[str, bytes] = {}
    for path in [*sorted(paths), "/nonsense"]:
        for method in ("GET", "POST", "PUT"):
            answer = answer_to_a_head(server, method, path, "Authorization: Bearer pcr_nonsense")
            status = answer.split(b" ", 2)[1:2]
            # Tornado itself refuses what no handler asked for, and closes
            allowed = [b"400", b"401", b"404", b"405", b"413"]
            if not status or status[0] not in allowed:
                waited[f"{method} {path}"] = answer[:40]
    assert not waited


def test_a_file_of_a_run_whose_token_is_wrong_is_not_read_without_an_end(
    server: LiveServer,
) -> None:
    path = server.api.removeprefix(f"http://127.0.0.1:{server.port}")
    head = (
        f"PUT {path}/agent/runs/{uuid4()}/artifacts/model.pkl HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{server.port}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as line:
        line.sendall(head.encode())
        assert b" 401 " in line.recv(65_536)
        piece = b"100000\r\n" + b" " * MIB + b"\r\n"
        with pytest.raises(ConnectionError):
            line.sendall(piece * 200)


def test_bodies_that_never_end_take_a_bounded_part_of_memory(
    server: LiveServer, public: str
) -> None:
    """In chunks, so that no length is announced; all from one address."""
    process = psutil.Process(server.process.pid)
    path = f"{server.api.removeprefix(f'http://127.0.0.1:{server.port}')}/deployments/{public}"
    head = (
        f"POST {path}/predict HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    piece = b"%x\r\n" % (MIB - 100) + b"1" * (MIB - 100) + b"\r\n"
    before = process.memory_info().rss
    with contextlib.ExitStack() as stack:
        lines = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=20))
            for _ in range(150)
        ]
        for line in lines:
            line.sendall(head.encode() + piece)
            assert server.get("/healthz") == {"ok": True}
            assert process.memory_info().rss - before < 64 * MIB
        for line in lines:
            line.sendall(b"0\r\n\r\n")
        answers = {line.recv(65_536).split(b" ")[1] for line in lines}
        assert answers == {b"400", b"429"}
    example = server.get(f"/deployments/{public}/schema")["example"]
    path = f"/deployments/{public}/predict"
    until(lambda: send(server, path, json.dumps({"rows": [example]})).ok, "others have their turn")


def test_a_public_deployment_has_a_rate(home: Any) -> None:
    with LiveServer(home, spare_kernels=0, public_requests_per_minute=60) as server:
        server.deploy_iris("slow-lane", "lr", auth_mode="public")
        example = server.get("/deployments/slow-lane/schema")["example"]
        ask = partial(requests.post, f"{server.api}/deployments/slow-lane/predict", timeout=60)
        answers = [ask(json={"rows": [example]}) for _ in range(8)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused
        assert refused[0].json()["reason"] == "limit"
        assert int(refused[0].headers["Retry-After"]) >= 1
        members = server.get("/deployments/slow-lane")
        assert members["error_count"] == 0, "a rate is no fault of the deployment"
