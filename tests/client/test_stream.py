"""The event stream: each event once and in order, over connections that break."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from unittest.mock import Mock

import pytest
import websocket

from jupyter_pycaret_ops import Client
from jupyter_pycaret_ops.client import Unreachable
from jupyter_pycaret_ops.client.event_stream import EventStream
from jupyter_pycaret_ops.common.errors import NotFound
from jupyter_pycaret_ops.common.protocol import API_PREFIX

from ..live import LiveServer, until
from .relay import Relay


def long_run(server: LiveServer) -> str:
    run = server.submit(
        server.experiment(setup_params={"fold": 4, "session_id": 1}),
        plan="compare",
        plan_params={"include": ["lr", "rf", "et", "gbc", "ada"]},
        sklearn_dataset="wine",
    )
    return str(run["id"])


def test_events_are_read_over_the_websocket_only(client: Client, server: LiveServer) -> None:
    run_id = long_run(server)
    asked: list[str] = []
    client._transport._http.event_hooks["request"].append(
        lambda request: asked.append(request.url.path)
    )
    stream = client.runs.watch(run_id)
    try:
        seen = list(stream)
    finally:
        client._transport._http.event_hooks["request"].clear()
    assert asked == []
    assert [event["seq"] for event in seen] == list(range(1, len(seen) + 1))
    assert seen[-1]["kind"] == "run.succeeded"
    assert stream.status == "succeeded"


def test_broken_connection_loses_and_repeats_no_event(server: LiveServer, relay: Relay) -> None:
    run_id = long_run(server)
    states: list[bool] = []
    seen = []
    with Client(f"http://127.0.0.1:{relay.port}{API_PREFIX}", server.token) as client:
        for event in client.runs.watch(run_id, on_state=states.append):
            seen.append(event)
            if event["kind"] == "model.scored" and len(states) < 4:
                relay.cut()
                threading.Timer(0.5, lambda: setattr(relay, "is_up", True)).start()
    assert [event["seq"] for event in seen] == list(range(1, len(seen) + 1))
    assert seen[-1]["kind"] == "run.succeeded"
    assert False in states, "the break was noticed"
    assert states[-1], "and that it was mended"


def test_events_are_fetched_when_no_websocket_can_be_opened(
    client: Client, server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The handshake is refused, as by a proxy without WebSocket."""
    run_id = long_run(server)
    stream = client.runs.watch(run_id)
    open_at: Callable[[], object] = stream._open

    def refused() -> object:
        run, stream._run_id = stream._run_id, "none"
        try:
            return open_at()
        finally:
            stream._run_id = run

    monkeypatch.setattr(stream, "_open", refused)
    seen = list(stream)
    assert [event["seq"] for event in seen] == list(range(1, len(seen) + 1))
    assert seen[-1]["kind"] == "run.succeeded"


def test_stream_can_be_closed_from_another_thread(client: Client, server: LiveServer) -> None:
    run_id = long_run(server)
    stream = client.runs.watch(run_id)
    seen: list[int] = []
    reader = threading.Thread(target=lambda: seen.extend(event["seq"] for event in stream))
    reader.start()
    until(lambda: seen or stream.seq, "a first event")
    stream.close()
    reader.join(5)
    assert not reader.is_alive()
    assert stream.status is None
    client.runs.cancel(run_id)
    client.runs.wait(run_id)


def test_stream_that_is_closed_wakes_a_reader_to_whom_nothing_comes() -> None:
    """A server that takes the connection and never says a word."""
    here, there = socket.socketpair()
    quiet = websocket.WebSocket(enable_multithread=True)
    quiet.sock = here
    reads, read = threading.Event(), quiet.recv

    def recv() -> str | bytes:
        reads.set()
        return read()

    quiet.recv = recv  # type: ignore[method-assign]
    stream = EventStream(Mock(is_closed=False), "0")
    stream._open = lambda: quiet  # type: ignore[method-assign]
    reader = threading.Thread(target=lambda: list(stream))
    reader.start()
    assert reads.wait(30)
    time.sleep(0.3)  # until it waits inside: nothing else tells
    stream.close()
    reader.join(5)
    goes_on = reader.is_alive()
    there.close()
    assert not goes_on


def test_stream_ends_when_its_client_is_closed(server: LiveServer) -> None:
    run_id = long_run(server)
    with Client(server.url, server.token) as own:
        stream = own.runs.watch(run_id)
        events = iter(stream)
        next(events)
    with pytest.raises(Unreachable, match="closed"):
        own.server.me()
    server.post(f"/runs/{run_id}/cancel", expect=200)
    rest = list(events)
    assert [event["seq"] for event in rest] == list(range(2, len(rest) + 2))


def test_stream_of_a_missing_run_raises_not_found(client: Client) -> None:
    with pytest.raises(NotFound):
        list(client.runs.watch("0193a0b1-7c55-7d2a-9f3e-5b8c1d2e3f40"))


def test_wait_goes_on_while_the_server_restarts(server: LiveServer, relay: Relay) -> None:
    run_id = long_run(server)
    with Client(f"http://127.0.0.1:{relay.port}", server.token) as client:
        relay.cut()
        threading.Timer(0.5, lambda: setattr(relay, "is_up", True)).start()
        assert client.runs.wait(run_id)["status"] == "succeeded"
        assert client.runs.wait(run_id, timeout_s=0)["status"] == "succeeded"
