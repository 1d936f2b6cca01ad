"""The kernel's side of the protocol, against a server that loses connections at the worst moment."""

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
from jupyter_pycaret_ops.kernel.agent import attempt as attempt_room
from jupyter_pycaret_ops.kernel.agent import retries as retries_room
from jupyter_pycaret_ops.kernel.agent.attempt import Attempt
from jupyter_pycaret_ops.kernel.agent.connection import Connection
from jupyter_pycaret_ops.kernel.agent.event_sender import Sender
from jupyter_pycaret_ops.kernel.agent.retries import RetryDeadline
from jupyter_pycaret_ops.kernel.engine import Cancelled, PlanFailed, PlanResult

RUN = "01a20ad5-ceff-7000-8d79-3ee86b9ba304"
LONGEST_S = 20.0

DROP = "drop"


class ServerOfRuns:
    """Takes what agents say. `faults` decides about each request: an answer, a dropped connection, None.

    A dropped connection is dropped after the request has had its effect: the classic case of a commit
    whose acknowledgement is lost.
    """

    def __init__(self) -> None:
        self.stored: list[dict[str, Any]] = []
        self.files: dict[str, bytes] = {}
        self.finish: list[dict[str, Any]] = []
        self.cancel = False
        self.requests: list[str] = []
        self.faults: Callable[[str, int], Any] = lambda _what, _number: None
        self.heard = threading.Condition()
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
        with self.heard:
            assert self.heard.wait_for(condition, LONGEST_S)

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
            with server.heard:
                server.requests.append(what)
                fault = server.faults(what, server.requests.count(what))
                answer: Any = None
                if fault is None or fault == DROP:
                    answer = server.take(what, body)
                server.heard.notify_all()
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
    """Retries and heartbeats come soon."""
    monkeypatch.setattr(retries_room, "FIRST_PAUSE_S", 0.005)
    monkeypatch.setattr(retries_room, "LONGEST_PAUSE_S", 0.02)


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


class Told:
    """What the sender tells the attempt."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self.fenced = threading.Event()
        self.failed: list[str] = []


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def sender(address: str, told: Told) -> Iterator[Sender]:
    line = Connection(address, RUN, "pcr_token")
    made = Sender(
        line,
        1,
        on_cancel=told.cancelled.set,
        on_fenced=told.fenced.set,
        on_failure=told.failed.append,
        give_up=RetryDeadline(),
        heartbeat_s=0.02,
    )
    made.start()
    yield made
    made._incoming.put(None)
    made._thread.join(LONGEST_S)
    assert not made._thread.is_alive()
    line.close()


def say(sender: Sender, number: int) -> list[str]:
    messages = [f"event {n}" for n in range(number)]
    for message in messages:
        sender.put("message", message, {"of": number}, None)
    return messages


def test_events_arrive_once_and_in_order(server: ServerOfRuns, sender: Sender) -> None:
    messages = say(sender, 1_500)
    sender.drain()
    assert [event["message"] for event in server.stored] == messages
    assert [event["n"] for event in server.stored] == list(range(1, 1_501))


@pytest.mark.parametrize("fault", [DROP, 500, 503, 429, 502])
def test_a_lost_connection_loses_nothing_and_doubles_nothing(
    server: ServerOfRuns, sender: Sender, fault: Any
) -> None:
    """Two of three posts fail: some after they were stored, some before."""
    server.faults = lambda _what, number: None if number % 3 == 0 else fault
    messages = []
    for _ in range(10):
        messages += say(sender, 37)
        count = len(server.requests)
        server.until(lambda count=count: len(server.requests) > count)
    sender.drain()
    assert [event["message"] for event in server.stored] == messages


def test_a_server_that_comes_back_gets_everything(server: ServerOfRuns, sender: Sender) -> None:
    server.faults = lambda _what, _number: 503
    messages = say(sender, 20)
    server.until(lambda: len(server.requests) >= 3)
    assert server.stored == []
    server.faults = lambda _what, _number: None
    sender.drain()
    assert [event["message"] for event in server.stored] == messages


@pytest.mark.parametrize("status", [401, 409])
def test_a_server_that_no_longer_wants_to_hear_fences_the_attempt(
    server: ServerOfRuns, sender: Sender, told: Told, status: int
) -> None:
    server.faults = lambda _what, _number: status
    say(sender, 3)
    assert told.fenced.wait(LONGEST_S)
    sender.drain()  # returns, for nobody wants the rest
    asked = len(server.requests)
    say(sender, 3)
    sender._thread.join(LONGEST_S)
    assert len(server.requests) == asked


def test_a_batch_that_is_refused_for_good_does_not_hang_the_run(
    server: ServerOfRuns, sender: Sender, told: Told
) -> None:
    server.faults = lambda _what, _number: 400
    say(sender, 1)
    sender.drain()
    assert "refused what the run reported: no" in told.failed[0]
    assert not told.fenced.is_set(), "the run must still say how it ended"


def test_a_heartbeat_brings_a_cancel(server: ServerOfRuns, sender: Sender, told: Told) -> None:
    server.until(lambda: server.requests.count("events") >= 2)
    assert not told.cancelled.is_set()
    server.cancel = True
    assert told.cancelled.wait(LONGEST_S)


# ---------------------------------------------------------------- the attempt


class Frame:
    """As much of a frame as the agent looks at."""

    shape = (3, 2)
    columns = ("x", "y")


Plan = Callable[[Any], PlanResult]


@pytest.fixture
def run_plan(monkeypatch: pytest.MonkeyPatch, address: str) -> Iterator[Callable[[Plan], Attempt]]:
    """Start an attempt whose plan is the given function of the reporter."""
    begun: list[Attempt] = []

    def begin(plan: Plan) -> Attempt:
        monkeypatch.setattr(engine, "run_plan", lambda _spec, _frame, report: plan(report))
        attempt = Attempt(address, RUN, "pcr_token", Frame())  # type: ignore[arg-type]
        begun.append(attempt)
        attempt.start()
        return attempt

    yield begin
    for attempt in begun:
        assert attempt.join(LONGEST_S), "the plan's thread is left"


def test_a_plan_that_succeeds_says_so_after_its_last_event(
    server: ServerOfRuns, run_plan: Callable[[Plan], Attempt]
) -> None:
    def plan(report: Any) -> PlanResult:
        report.event("model.scored", "Scored", {"model_id": "lr"}, 12.5)
        report.artifact("lr.pkl", "pipeline_pickle", b"bytes", "application/octet-stream", "lr")
        return PlanResult([{"model_id": "lr"}], {"models": 1}, {"seed": 7})

    attempt = run_plan(plan)
    assert attempt.join(LONGEST_S)
    assert server.kinds == ["run.data_loaded", "model.scored"]
    assert server.stored[1]["duration_ms"] == 12.5
    assert server.files == {"artifacts/lr.pkl": b"bytes"}
    (last,) = server.finish
    assert (last["attempt"], last["outcome"], last["snapshot"]) == (1, "succeeded", {"seed": 7})
    assert server.requests[-1] == "finish"


@pytest.mark.parametrize("what", ["spec", "events", "artifacts/lr.pkl", "finish"])
def test_every_request_survives_a_lost_connection(
    server: ServerOfRuns, run_plan: Callable[[Plan], Attempt], what: str
) -> None:
    server.faults = lambda asked, number: DROP if asked == what and number <= 2 else None

    def plan(report: Any) -> PlanResult:
        for number in range(50):
            report.event("message", str(number))
        report.artifact("lr.pkl", "pipeline_pickle", b"bytes", "x/y")
        return PlanResult()

    attempt = run_plan(plan)
    assert attempt.join(LONGEST_S)
    told = [event["message"] for event in server.stored if event["kind"] == "message"]
    assert told == [str(number) for number in range(50)]
    assert server.files == {"artifacts/lr.pkl": b"bytes"}
    assert len(server.finish) == 1
    assert server.requests.count(what) >= 3


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_a_request_that_is_refused_for_good_fails_the_run_with_the_servers_sentence(
    server: ServerOfRuns, address: str, status: int
) -> None:
    """A lost table: the answer names it, and no attempt is repeated for ever or ended in silence."""
    server.spec = {**server.spec, "data": {"kind": "csv_upload", "options": {}}}
    server.faults = lambda what, _number: status if what == "data" else None
    attempt = Attempt(address, RUN, "pcr_token")
    attempt.start()
    assert attempt.join(LONGEST_S)
    (last,) = server.finish
    assert (last["outcome"], last["error"]) == ("failed", "no")
    assert server.requests.count("data") == 1


@pytest.mark.parametrize("what", ["events", "artifacts/lr.pkl", "finish", "data"])
def test_nothing_is_repeated_without_a_limit(
    server: ServerOfRuns, address: str, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """A disk that stays full: the run says that it waits, and ends."""
    for name in ("READ_GIVE_UP", "WRITE_GIVE_UP"):
        monkeypatch.setattr(attempt_room, name, RetryDeadline(not_now_s=0.2, unreachable_s=0.2))
    monkeypatch.setattr(attempt_room, "SAY_AFTER_S", 0.05)
    server.faults = lambda asked, _number: 503 if asked == what else None
    server.spec = {**server.spec, "data": {"kind": "csv_upload", "options": {}}}

    def plan(_spec: Any, _frame: Any, report: Any) -> PlanResult:
        report.artifact("lr.pkl", "pipeline_pickle", b"bytes", "x/y")
        return PlanResult()

    monkeypatch.setattr(engine, "run_plan", plan)
    if what != "data":
        monkeypatch.setattr(attempt_room, "load", lambda *_: (Frame(), {}))
    attempt = Attempt(address, RUN, "pcr_token")
    attempt.start()
    assert attempt.join(LONGEST_S)
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
def test_a_plan_that_fails_says_how(
    server: ServerOfRuns,
    run_plan: Callable[[Plan], Attempt],
    error: Exception,
    kind: str,
    text: str,
) -> None:
    def plan(_report: Any) -> PlanResult:
        raise error

    assert run_plan(plan).join(LONGEST_S)
    (last,) = server.finish
    assert (last["outcome"], last["error_kind"]) == ("failed", kind)
    assert last["error"].startswith(text)


def test_a_cancel_stops_a_loop_that_never_looks(
    server: ServerOfRuns, run_plan: Callable[[Plan], Attempt]
) -> None:
    """Thrown once, into the middle of pure Python; what the plan swallows as an Exception it is not."""
    looping = threading.Event()

    def plan(_report: Any) -> PlanResult:
        looping.set()
        while True:
            try:
                pass
            except Exception:
                continue

    attempt = run_plan(plan)
    assert looping.wait(LONGEST_S)
    attempt.cancel()
    attempt.cancel()
    assert attempt.join(LONGEST_S)
    assert [last["outcome"] for last in server.finish] == ["cancelled"]


def test_a_cancel_that_the_server_was_told_of_reaches_the_plan(
    server: ServerOfRuns, run_plan: Callable[[Plan], Attempt]
) -> None:
    looping = threading.Event()

    def plan(_report: Any) -> PlanResult:
        looping.set()
        for _ in itertools.count():
            pass
        raise AssertionError

    attempt = run_plan(plan)
    assert looping.wait(LONGEST_S)
    server.cancel = True
    assert attempt.join(LONGEST_S)
    assert [last["outcome"] for last in server.finish] == ["cancelled"]


def test_a_plan_that_clears_up_is_thrown_at_only_once(
    server: ServerOfRuns, run_plan: Callable[[Plan], Attempt]
) -> None:
    looping, clearing, score_in_processes = threading.Event(), threading.Event(), threading.Event()
    cleared = threading.Event()

    def plan(_report: Any) -> PlanResult:
        try:
            looping.set()
            while True:
                pass
        finally:
            clearing.set()
            score_in_processes.wait(LONGEST_S)
            cleared.set()

    attempt = run_plan(plan)
    assert looping.wait(LONGEST_S)
    attempt.cancel()
    assert clearing.wait(LONGEST_S)
    attempt.cancel()
    score_in_processes.set()
    assert attempt.join(LONGEST_S)
    assert cleared.is_set()
    assert server.finish[0]["outcome"] == "cancelled"


def test_a_cancel_during_a_request_waits_for_its_end(
    server: ServerOfRuns, run_plan: Callable[[Plan], Attempt]
) -> None:
    """A file on its way is not torn; the plan ends right after it."""
    sending, score_in_processes = threading.Event(), threading.Event()

    def fault(what: str, _number: int) -> None:
        if what.startswith("artifacts/"):
            sending.set()
            server.heard.release()  # others are heard meanwhile
            score_in_processes.wait(LONGEST_S)
            server.heard.acquire()

    server.faults = fault
    after: list[str] = []

    def plan(report: Any) -> PlanResult:
        report.artifact("lr.pkl", "pipeline_pickle", b"bytes", "x/y")
        after.append("the plan went on")
        return PlanResult()

    attempt = run_plan(plan)
    assert sending.wait(LONGEST_S)
    attempt.cancel()
    score_in_processes.set()
    assert attempt.join(LONGEST_S)
    assert server.files == {"artifacts/lr.pkl": b"bytes"}
    assert after == []
    assert server.finish[0]["outcome"] == "cancelled"


def test_a_checkpoint_sees_the_flag(
    server: ServerOfRuns, run_plan: Callable[[Plan], Attempt]
) -> None:
    ready, score_in_processes = threading.Event(), threading.Event()

    def plan(report: Any) -> PlanResult:
        try:
            ready.set()
            while not score_in_processes.is_set():
                pass
        except Cancelled:
            pass  # swallowed by somebody's bare except
        report.checkpoint()
        raise AssertionError

    attempt = run_plan(plan)
    assert ready.wait(LONGEST_S)
    attempt.cancel()
    assert attempt.join(LONGEST_S)
    assert server.finish[0]["outcome"] == "cancelled"


def test_an_attempt_that_is_fenced_off_stops_and_says_nothing_more(
    server: ServerOfRuns, run_plan: Callable[[Plan], Attempt]
) -> None:
    looping = threading.Event()
    server.faults = lambda what, _number: 409 if what == "events" and looping.is_set() else None

    def plan(_report: Any) -> PlanResult:
        looping.set()
        while True:
            pass

    attempt = run_plan(plan)
    assert attempt.join(LONGEST_S)
    assert server.finish == []


def test_an_attempt_that_was_never_wanted_ends_at_once(
    server: ServerOfRuns, run_plan: Callable[[Plan], Attempt]
) -> None:
    server.faults = lambda _what, _number: 409
    ran: list[str] = []

    def plan(_report: Any) -> PlanResult:
        ran.append("it did")
        return PlanResult()

    assert run_plan(plan).join(LONGEST_S)
    assert ran == []
    assert server.requests == ["spec"]


def test_cancelling_what_was_never_begun_does_nothing() -> None:
    agent.cancel("nobody")
