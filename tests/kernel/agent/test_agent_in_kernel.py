"""The kernel's side of the protocol, with a server that loses connections at the worst moment."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from jupyter_pycaret_ops.kernel import agent, engine
from jupyter_pycaret_ops.kernel.agent import attempt as attempt_module
from jupyter_pycaret_ops.kernel.agent import retries as retries_module
from jupyter_pycaret_ops.kernel.agent.attempt import Attempt
from jupyter_pycaret_ops.kernel.agent.connection import Connection
from jupyter_pycaret_ops.kernel.agent.event_sender import EventSender
from jupyter_pycaret_ops.kernel.agent.retries import RetryDeadline
from jupyter_pycaret_ops.kernel.engine import Cancelled, PlanFailed, PlanResult

RUN = "01a20ad5-ceff-7000-8d79-3ee86b9ba304"
TIMEOUT_S = 20.0

DROP = "drop"


class ServerOfRuns:
    """Receives requests of agents; `faults` returns for each one a status, `DROP` or None.

    A connection is dropped after the request has taken effect: a commit whose acknowledgement is lost.
    """

    def __init__(self) -> None:
        self.stored: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.finish: list[dict[str, Any]] = []
        self.cancel = False
        self.requests: list[str] = []
        self.faults: Callable[[str, int], Any] = lambda _what, _number: None
        self.condition = threading.Condition()
        self.spec = {
            "run_id": RUN,
            "attempt": 1,
            "task": "classification",
            "plan": "compare",
            "data": {"kind": "frame", "options": {}},
            "heartbeat_s": 0.02,
        }

    def take(self, what: str, body: bytes) -> dict[str, Any]:
        if what == "spec":
            return self.spec
        if what == "events":
            for event in json.loads(body)["events"]:
                if event["n"] == len(self.stored) + 1:
                    self.stored.append(event)
                else:
                    assert event["n"] <= len(self.stored), "a number is missing"
            return {"acknowledged": len(self.stored), "cancel": self.cancel}
        if what == "finish":
            if self.finish:
                return {"status": "over"}
            self.finish.append(json.loads(body))
            return {"status": "done"}
        self.files[what] = body
        return {}

    def until(self, condition: Callable[[], Any]) -> None:
        with self.condition:
            assert self.condition.wait_for(condition, TIMEOUT_S)

    @property
    def kinds(self) -> list[str]:
        return [event["kind"] for event in self.stored]


def handler_for(server: ServerOfRuns) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            what = self.path.split(f"/agent/runs/{RUN}/", 1)[1]
            assert self.headers["Authorization"] == "Bearer pcr_token"
            with server.condition:
                server.requests.append(what)
                fault = server.faults(what, server.requests.count(what))
                answer: Any = None
                if fault is None or fault == DROP:
                    answer = server.take(what, body)
                server.condition.notify_all()
            if fault == DROP:
                self.close_connection = True
                self.connection.close()
                return
            status = fault if isinstance(fault, int) else 200
            content = json.dumps(answer or {"message": "no"}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = _serve  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

        def handle(self) -> None:
            with contextlib.suppress(OSError, ValueError):  # we dropped it ourselves
                super().handle()

        def finish(self) -> None:
            with contextlib.suppress(OSError, ValueError):
                super().finish()

    return Handler


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make pauses between retries short."""
    monkeypatch.setattr(retries_module, "FIRST_PAUSE_S", 0.005)
    monkeypatch.setattr(retries_module, "MAX_PAUSE_S", 0.02)


@pytest.fixture
def server() -> ServerOfRuns:
    return ServerOfRuns()


@pytest.fixture
def address(server: ServerOfRuns) -> Iterator[str]:
    listener = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(server))
    listener.daemon_threads = True
    thread = threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.server_address[1]}/prefix"
    listener.shutdown()
    listener.server_close()
    thread.join()


# ---------------------------------------------------------------- the sender


class Callbacks:
    """Records the callbacks of the sender."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self.fenced = threading.Event()
        self.failed: list[str] = []


@pytest.fixture
def callbacks() -> Callbacks:
    return Callbacks()


@pytest.fixture
def sender(address: str, callbacks: Callbacks) -> Iterator[EventSender]:
    connection = Connection(address, RUN, "pcr_token")
    event_sender = EventSender(
        connection,
        1,
        on_cancel=callbacks.cancelled.set,
        on_fenced=callbacks.fenced.set,
        on_failure=callbacks.failed.append,
        deadline=RetryDeadline(),
        heartbeat_s=0.02,
    )
    event_sender.start()
    yield event_sender
    event_sender._incoming.put(None)
    event_sender._thread.join(TIMEOUT_S)
    assert not event_sender._thread.is_alive()
    connection.close()


def put_events(sender: EventSender, number: int) -> list[str]:
    messages = [f"event {n}" for n in range(number)]
    for message in messages:
        sender.put("message", message, {"of": number}, None)
    return messages


def test_events_are_stored_once_and_in_order(server: ServerOfRuns, sender: EventSender) -> None:
    messages = put_events(sender, 1_500)
    sender.drain()
    assert [event["message"] for event in server.stored] == messages
    assert [event["n"] for event in server.stored] == list(range(1, 1_501))


@pytest.mark.parametrize("fault", [DROP, 500, 503, 429, 502])
def test_lost_connection_neither_loses_nor_duplicates_events(
    server: ServerOfRuns, sender: EventSender, fault: Any
) -> None:
    """Two of three posts fail, some after their events were stored, some before."""
    server.faults = lambda _what, number: None if number % 3 == 0 else fault
    messages = []
    for _ in range(10):
        messages += put_events(sender, 37)
        count = len(server.requests)
        server.until(lambda count=count: len(server.requests) > count)
    sender.drain()
    assert [event["message"] for event in server.stored] == messages


def test_events_are_sent_after_server_returns(server: ServerOfRuns, sender: EventSender) -> None:
    server.faults = lambda _what, _number: 503
    messages = put_events(sender, 20)
    server.until(lambda: len(server.requests) >= 3)
    assert server.stored == []
    server.faults = lambda _what, _number: None
    sender.drain()
    assert [event["message"] for event in server.stored] == messages


@pytest.mark.parametrize("status", [401, 409])
def test_sender_reports_fenced_attempt(
    server: ServerOfRuns, sender: EventSender, callbacks: Callbacks, status: int
) -> None:
    server.faults = lambda _what, _number: status
    put_events(sender, 3)
    assert callbacks.fenced.wait(TIMEOUT_S)
    sender.drain()  # returns although events are left
    asked = len(server.requests)
    put_events(sender, 3)
    sender._thread.join(TIMEOUT_S)
    assert len(server.requests) == asked


def test_refused_batch_fails_the_run(
    server: ServerOfRuns, sender: EventSender, callbacks: Callbacks
) -> None:
    server.faults = lambda _what, _number: 400
    put_events(sender, 1)
    sender.drain()
    assert "refused what the run reported: no" in callbacks.failed[0]
    assert not callbacks.fenced.is_set(), "the run must still report its outcome"


def test_heartbeat_response_delivers_cancel(
    server: ServerOfRuns, sender: EventSender, callbacks: Callbacks
) -> None:
    server.until(lambda: server.requests.count("events") >= 2)
    assert not callbacks.cancelled.is_set()
    server.cancel = True
    assert callbacks.cancelled.wait(TIMEOUT_S)


# ---------------------------------------------------------------- the attempt


class Frame:
    """The part of a DataFrame that the agent uses."""

    shape = (3, 2)
    columns = ("x", "y")


Plan = Callable[[Any], PlanResult]


@pytest.fixture
def run_plan(monkeypatch: pytest.MonkeyPatch, address: str) -> Iterator[Callable[[Plan], Attempt]]:
    """Start an attempt whose plan is the given function of the reporter."""
    begun: list[Attempt] = []

    def begin(plan: Plan) -> Attempt:
        monkeypatch.setattr(engine, "run_plan", lambda _spec, _frame, reporter: plan(reporter))
        attempt = Attempt(address, RUN, "pcr_token", Frame())  # type: ignore[arg-type]
        begun.append(attempt)
        attempt.start()
        return attempt

    yield begin
    for attempt in begun:
        assert attempt.join(TIMEOUT_S), "the thread of the plan is still running"


def test_succeeded_plan_is_reported_after_its_last_event(
    server: ServerOfRuns, run_plan: Callable[[Plan], Attempt]
) -> None:
    def plan(reporter: Any) -> PlanResult:
        reporter.event("model.scored", "Scored", {"model_id": "lr"}, 12.5)
        reporter.artifact("lr.pkl", "pipeline_pickle", b"bytes", "application/octet-stream", "lr")
        return PlanResult([{"model_id": "lr"}], {"models": 1}, {"seed": 7})

    attempt = run_plan(plan)
    assert attempt.join(TIMEOUT_S)
    assert server.kinds == ["run.data_loaded", "model.scored"]
    assert server.stored[1]["duration_ms"] == 12.5
    assert server.files == {"artifacts/lr.pkl": b"bytes"}
    (last,) = server.finish
    assert (last["attempt"], last["outcome"], last["snapshot"]) == (1, "succeeded", {"seed": 7})
    assert server.requests[-1] == "finish"


@pytest.mark.parametrize("what", ["spec", "events", "artifacts/lr.pkl", "finish"])
def test_every_request_is_retried_after_lost_connection(
    server: ServerOfRuns, run_plan: Callable[[Plan], Attempt], what: str
) -> None:
    server.faults = lambda asked, number: DROP if asked == what and number <= 2 else None

    def plan(reporter: Any) -> PlanResult:
        for number in range(50):
            reporter.event("message", str(number))
        reporter.artifact("lr.pkl", "pipeline_pickle", b"bytes", "x/y")
        return PlanResult()

    attempt = run_plan(plan)
    assert attempt.join(TIMEOUT_S)
    messages = [event["message"] for event in server.stored if event["kind"] == "message"]
    assert messages == [str(number) for number in range(50)]
    assert server.files == {"artifacts/lr.pkl": b"bytes"}
    assert len(server.finish) == 1
    assert server.requests.count(what) >= 3


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_refused_request_fails_the_run_with_message_of_server(
    server: ServerOfRuns, address: str, status: int
) -> None:
    """The table was deleted: the request is not retried, and the run fails with the message."""
    server.spec = {**server.spec, "data": {"kind": "csv_upload", "options": {}}}
    server.faults = lambda what, _number: status if what == "data" else None
    attempt = Attempt(address, RUN, "pcr_token")
    attempt.start()
    assert attempt.join(TIMEOUT_S)
    (last,) = server.finish
    assert (last["outcome"], last["error"]) == ("failed", "no")
    assert server.requests.count("data") == 1


@pytest.mark.parametrize("what", ["events", "artifacts/lr.pkl", "finish", "data"])
def test_retries_end_at_their_deadline(
    server: ServerOfRuns, address: str, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """The disk stays full: the run reports that it waits, and fails."""
    for name in ("READ_DEADLINE", "WRITE_DEADLINE"):
        monkeypatch.setattr(
            attempt_module, name, RetryDeadline(retry_later_s=0.2, unreachable_s=0.2)
        )
    monkeypatch.setattr(attempt_module, "REPORT_WAITING_AFTER_S", 0.05)
    server.faults = lambda asked, _number: 503 if asked == what else None
    server.spec = {**server.spec, "data": {"kind": "csv_upload", "options": {}}}

    def plan(_spec: Any, _frame: Any, reporter: Any) -> PlanResult:
        reporter.artifact("lr.pkl", "pipeline_pickle", b"bytes", "x/y")
        return PlanResult()

    monkeypatch.setattr(engine, "run_plan", plan)
    if what != "data":
        monkeypatch.setattr(attempt_module, "load", lambda *_: (Frame(), {}))
    attempt = Attempt(address, RUN, "pcr_token")
    attempt.start()
    assert attempt.join(TIMEOUT_S)
    if what != "finish":
        (last,) = server.finish
        assert last["outcome"] == "failed"
        assert "no (The run waited" in last["error"]
    if what in ("artifacts/lr.pkl", "data"):
        waits = [event for event in server.stored if event["kind"] == "run.waiting"]
        assert [event["message"] for event in waits] == ["Waiting: no"]


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (PlanFailed("user", "Name a target."), "user", "Name a target."),
        (PlanFailed("timeout", "Give more time."), "timeout", "Give more time."),
        (ZeroDivisionError("division by zero"), "engine", "ZeroDivisionError: division by zero"),
        (MemoryError(), "engine", "The plan ran out of memory."),
    ],
)
def test_failed_plan_is_reported_with_kind_and_message(
    server: ServerOfRuns,
    run_plan: Callable[[Plan], Attempt],
    error: Exception,
    kind: str,
    text: str,
) -> None:
    def plan(_reporter: Any) -> PlanResult:
        raise error

    assert run_plan(plan).join(TIMEOUT_S)
    (last,) = server.finish
    assert (last["outcome"], last["error_kind"]) == ("failed", kind)
    assert last["error"].startswith(text)


def test_cancel_interrupts_loop_without_checkpoint(
    server: ServerOfRuns, run_plan: Callable[[Plan], Attempt]
) -> None:
    """`Cancelled` is raised once, in pure Python, and is not caught as an `Exception`."""
    looping = threading.Event()

    def plan(_reporter: Any) -> PlanResult:
        looping.set()
        while True:
            try:
                pass
            except Exception:
                continue

    attempt = run_plan(plan)
    assert looping.wait(TIMEOUT_S)
    attempt.cancel()
    attempt.cancel()
    assert attempt.join(TIMEOUT_S)
    assert [last["outcome"] for last in server.finish] == ["cancelled"]


def test_cancel_at_the_server_reaches_the_plan(
    server: ServerOfRuns, run_plan: Callable[[Plan], Attempt]
) -> None:
    looping = threading.Event()

    def plan(_reporter: Any) -> PlanResult:
        looping.set()
        for _ in itertools.count():
            pass
        raise AssertionError

    attempt = run_plan(plan)
    assert looping.wait(TIMEOUT_S)
    server.cancel = True
    assert attempt.join(TIMEOUT_S)
    assert [last["outcome"] for last in server.finish] == ["cancelled"]


def test_cancel_is_raised_only_once_in_a_plan(
    server: ServerOfRuns, run_plan: Callable[[Plan], Attempt]
) -> None:
    looping, clearing, go_on_event = threading.Event(), threading.Event(), threading.Event()
    cleared = threading.Event()

    def plan(_reporter: Any) -> PlanResult:
        try:
            looping.set()
            while True:
                pass
        finally:
            clearing.set()
            go_on_event.wait(TIMEOUT_S)
            cleared.set()

    attempt = run_plan(plan)
    assert looping.wait(TIMEOUT_S)
    attempt.cancel()
    assert clearing.wait(TIMEOUT_S)
    attempt.cancel()
    go_on_event.set()
    assert attempt.join(TIMEOUT_S)
    assert cleared.is_set()
    assert server.finish[0]["outcome"] == "cancelled"


def test_cancel_during_a_request_waits_for_its_end(
    server: ServerOfRuns, run_plan: Callable[[Plan], Attempt]
) -> None:
    """The upload of a file is completed; the plan ends right after it."""
    sending, go_on_event = threading.Event(), threading.Event()

    def fault(what: str, _number: int) -> None:
        if what.startswith("artifacts/"):
            sending.set()
            server.condition.release()  # others are heard meanwhile
            go_on_event.wait(TIMEOUT_S)
            server.condition.acquire()

    server.faults = fault
    after: list[str] = []

    def plan(reporter: Any) -> PlanResult:
        reporter.artifact("lr.pkl", "pipeline_pickle", b"bytes", "x/y")
        after.append("the plan went on")
        return PlanResult()

    attempt = run_plan(plan)
    assert sending.wait(TIMEOUT_S)
    attempt.cancel()
    go_on_event.set()
    assert attempt.join(TIMEOUT_S)
    assert server.files == {"artifacts/lr.pkl": b"bytes"}
    assert after == []
    assert server.finish[0]["outcome"] == "cancelled"


def test_checkpoint_raises_after_swallowed_cancel(
    server: ServerOfRuns, run_plan: Callable[[Plan], Attempt]
) -> None:
    ready, go_on_event = threading.Event(), threading.Event()

    def plan(reporter: Any) -> PlanResult:
        try:
            ready.set()
            while not go_on_event.is_set():
                pass
        except Cancelled:
            pass  # swallowed by a bare except
        reporter.checkpoint()
        raise AssertionError

    attempt = run_plan(plan)
    assert ready.wait(TIMEOUT_S)
    attempt.cancel()
    assert attempt.join(TIMEOUT_S)
    assert server.finish[0]["outcome"] == "cancelled"


def test_fenced_attempt_stops_without_finish(
    server: ServerOfRuns, run_plan: Callable[[Plan], Attempt]
) -> None:
    looping = threading.Event()
    server.faults = lambda what, _number: 409 if what == "events" and looping.is_set() else None

    def plan(_reporter: Any) -> PlanResult:
        looping.set()
        while True:
            pass

    attempt = run_plan(plan)
    assert attempt.join(TIMEOUT_S)
    assert server.finish == []


def test_attempt_fenced_at_its_first_request_runs_no_plan(
    server: ServerOfRuns, run_plan: Callable[[Plan], Attempt]
) -> None:
    server.faults = lambda _what, _number: 409
    ran: list[str] = []

    def plan(_reporter: Any) -> PlanResult:
        ran.append("it did")
        return PlanResult()

    assert run_plan(plan).join(TIMEOUT_S)
    assert ran == []
    assert server.requests == ["spec"]


def test_cancel_of_unknown_run_does_nothing() -> None:
    agent.cancel("unknown")
