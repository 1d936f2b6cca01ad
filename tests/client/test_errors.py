"""Errors of the server are raised as exceptions of their class, with message, reason and location."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from jupyter_pycaret_ops import Client
from jupyter_pycaret_ops.client import NoServer, ServerFault, Unreachable, transport
from jupyter_pycaret_ops.common.errors import (
    Forbidden,
    Invalid,
    NotFound,
    RetryLater,
    TooLarge,
    Unauthenticated,
)
from jupyter_pycaret_ops.server.api.base import STATUS

from ..live import LiveServer, free_port


def test_statuses_of_client_and_server_are_the_same() -> None:
    of_server = {status: kind for kind, status in STATUS.items()}
    assert set(of_server) == set(transport.BY_STATUS)
    for status, kind in transport.BY_STATUS.items():
        assert issubclass(kind, of_server[status]) or of_server[status] is RetryLater


def test_file_without_certificates_is_refused_with_its_name(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    for verify, message in (
        ("missing.pem", "“missing.pem” cannot be read"),
        (empty, "has no certificate"),
    ):
        with pytest.raises(Invalid, match=message):
            Client("https://127.0.0.1:9", "t", verify=verify)


def test_invalid_request_raises_with_message_reason_and_location(client: Client) -> None:
    home = client.default_project()
    experiment = client.experiments.create(home.project_id, "errors", "classification", "target")
    with pytest.raises(Invalid) as caught:
        client.runs.submit(experiment["id"], plan="create", model_id="nope", sklearn_dataset="iris")
    assert "no model “nope”" in caught.value.message
    assert caught.value.reason == "validation"
    assert caught.value.errors is not None
    assert caught.value.errors[0]["loc"] == ["model_id"]
    client.experiments.delete(experiment["id"])


def test_wrong_credential_and_missing_scope_raise_different_errors(
    client: Client, server: LiveServer
) -> None:
    with Client(server.url, "wrong") as stranger, pytest.raises(Unauthenticated, match="Log in"):
        stranger.server.me()
    workspace = client.default_project().workspace_id
    key = client.api_keys.create("reader", workspace, ["read"])
    with Client(server.url, key["key"]) as reader:
        assert reader.default_project().workspace_id == workspace
        with pytest.raises(Forbidden, match="lacks the scope"):
            reader.projects.create(workspace, "x")
    client.api_keys.delete(key["id"])


def test_missing_record_raises_not_found(client: Client) -> None:
    with pytest.raises(NotFound, match="no such run"):
        client.runs.get("0193a0b1-7c55-7d2a-9f3e-5b8c1d2e3f40")
    with pytest.raises(NotFound, match="workspace “nowhere”"):
        client.default_project("nowhere")


def test_id_with_a_slash_does_not_reach_another_route(client: Client) -> None:
    with pytest.raises(NotFound):
        client.runs.get("../auth/me")


def test_body_that_is_not_json_is_refused_before_it_is_sent(client: Client) -> None:
    with pytest.raises(Invalid, match="cannot be sent"):
        client.deployments.predict("x", [{"a": float("nan")}])


def test_too_large_file_raises_too_large(client: Client, tmp_path: Path) -> None:
    cap = client.server.about()["upload_cap_bytes"]
    file = tmp_path / "large.csv"
    with file.open("wb") as large:
        large.write(b"a,b\n")
        line = b"1,2\n" * 250_000
        for _ in range(cap // len(line) + 1):
            large.write(line)
    with pytest.raises(TooLarge, match="MiB"):
        client.data_sources.upload(client.default_project().workspace_id, file)


def test_closed_port_is_unreachable() -> None:
    port = free_port()
    with Client(f"http://127.0.0.1:{port}") as client, pytest.raises(Unreachable, match=str(port)):
        client.server.is_healthy()


@contextmanager
def stranger(status: int, body: bytes, kind: str) -> Iterator[str]:
    """A web server without the extension."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=web.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{web.server_address[1]}"
    finally:
        web.shutdown()
        thread.join()
        web.server_close()


@pytest.mark.parametrize(
    ("status", "kind"),
    [(404, NoServer), (302, NoServer), (502, Unreachable), (504, Unreachable), (500, ServerFault)],
)
def test_answers_of_other_servers_raise_the_matching_error(
    status: int, kind: type[Exception]
) -> None:
    with (
        stranger(status, b"<html>", "text/html") as url,
        Client(url) as client,
        pytest.raises(kind),
    ):
        client.server.me()
