"""Events, each once and in order, over connections that break."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from jupyter_pycaret_ops import Client
from jupyter_pycaret_ops.client.finding import API_PATH
from jupyter_pycaret_ops.errors import NotFound

from ..live import LiveServer, until


class Relay:
    """A line to a server that a test cuts and mends."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._lines: list[socket.socket] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.is_up = True
        self.opened = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if not self.is_up:
                near.close()
                continue
            self.opened += 1
            far = socket.create_connection(("127.0.0.1", self._target))
            with self._lock:
                self._lines += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    @staticmethod
    def _pass(one: socket.socket, other: socket.socket) -> None:
        try:
            while piece := one.recv(65536):
                other.sendall(piece)
        except OSError:
            pass
        finally:
            for end in (one, other):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        self.is_up = False
        with self._lock:
            lines, self._lines = self._lines, []
        for line in lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()

    def close(self) -> None:
        self._listener.close()
        self.cut()


@pytest.fixture
def relay(server: LiveServer) -> Iterator[Relay]:
    made = Relay(server.port)
    yield made
    made.close()


def long_run(server: LiveServer) -> str:
    run = server.submit(
        server.experiment(setup_params={"fold": 10, "session_id": 1}),
        plan="compare",
        plan_params={"include": ["lr", "rf", "et", "gbc", "ada"]},
        sklearn_dataset="wine",
    )
    return str(run["id"])


def test_events_come_over_the_socket_alone(client: Client, server: LiveServer) -> None:
    run_id = long_run(server)
    asked: list[str] = []
    client._line._http.event_hooks["request"].append(lambda request: asked.append(request.url.path))
    stream = client.runs.watch(run_id)
    try:
        seen = list(stream)
    finally:
        client._line._http.event_hooks["request"].clear()
    assert asked == []
    assert [event["seq"] for event in seen] == list(range(1, len(seen) + 1))
    assert seen[-1]["kind"] == "run.succeeded"
    assert stream.status == "succeeded"


def test_a_broken_line_loses_nothing_and_repeats_nothing(server: LiveServer, relay: Relay) -> None:
    run_id = long_run(server)
    states: list[bool] = []
    seen = []
    with Client(f"http://127.0.0.1:{relay.port}{API_PATH}", server.token) as client:
        for event in client.runs.watch(run_id, on_state=states.append):
            seen.append(event)
            if event["kind"] == "model.scored" and len(states) < 4:
                relay.cut()
                threading.Timer(0.5, lambda: setattr(relay, "is_up", True)).start()
    assert [event["seq"] for event in seen] == list(range(1, len(seen) + 1))
    assert seen[-1]["kind"] == "run.succeeded"
    assert False in states, "the break was noticed"
    assert states[-1], "and that it was mended"


def test_events_are_fetched_where_no_socket_passes(
    client: Client, server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that knows no WebSocket refuses the handshake; a path that is none does as well."""
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


def test_a_stream_is_closed_from_another_thread(client: Client, server: LiveServer) -> None:
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


def test_a_run_that_is_not_there_is_not_waited_for(client: Client) -> None:
    with pytest.raises(NotFound):
        list(client.runs.watch("0193a0b1-7c55-7d2a-9f3e-5b8c1d2e3f40"))


def test_waiting_survives_a_server_that_is_away(server: LiveServer, relay: Relay) -> None:
    run_id = long_run(server)
    with Client(f"http://127.0.0.1:{relay.port}", server.token) as client:
        relay.cut()
        threading.Timer(0.5, lambda: setattr(relay, "is_up", True)).start()
        assert client.runs.wait(run_id)["status"] == "succeeded"
        assert client.runs.wait(run_id, timeout_s=0)["status"] == "succeeded"
