"""Kernels, servers and the serving kernel that die: each run ends in a defined state."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psutil
import pytest
import requests

from ..live import Home, LiveServer, until

LONG = {
    "plan": "create",
    "model_id": "gbr",
    "setup_params": {"fold": 10, "session_id": 1},
    "data_inline": [
        {f"x{j}": ((i * 7919 + j * 104729) % 1000) / 1000 for j in range(12)}
        | {"y": (i * 31 % 97) / 97}
        for i in range(20_000)
    ],
}
SHORT = {"plan": "create", "model_id": "lr", "sklearn_dataset": "iris", "setup_params": {"fold": 3}}


@pytest.fixture(scope="module")
def one_attempt() -> Iterator[LiveServer]:
    """A server with one attempt per run."""
    with LiveServer(run_attempts=1) as live:
        yield live


def worker_of(home: Home, run_id: str) -> int:
    """Return the process of the kernel of a run."""

    def read() -> int | None:
        with closing(sqlite3.connect(home.database)) as database:
            row = database.execute("select pid from workers where run_id = ?", (run_id,)).fetchone()
        return int(row[0]) if row else None

    return int(until(read, "the worker's record"))


def in_a_fit(server: LiveServer, **body: Any) -> tuple[str, int]:
    """Return a run during a fit, and the process of its kernel."""
    run = server.submit(server.experiment(task="regression", target="y"), **body)
    server.saw(run["id"], "model.create.started")
    return run["id"], worker_of(server.home, run["id"])


def test_killed_kernel_fails_only_its_run(one_attempt: LiveServer) -> None:
    server = one_attempt
    run_id, pid = in_a_fit(server, **LONG)
    group = os.getpgid(pid)
    os.kill(pid, signal.SIGKILL)
    killed_at = time.monotonic()
    row = server.ended(run_id, 10)
    assert time.monotonic() - killed_at < 5
    assert (row["status"], row["error_kind"]) == ("failed", "worker_lost")
    assert "kernel" in row["error"]
    until(lambda: not members(group), "the end of the kernel's children", 5)
    following = server.submit(server.experiment(), **SHORT)
    assert server.ended(following["id"])["status"] == "succeeded"


def members(group: int) -> list[int]:
    found = []
    for process in psutil.process_iter(["status"]):
        if process.info["status"] == psutil.STATUS_ZOMBIE:
            continue
        try:
            if os.getpgid(process.pid) == group:
                found.append(process.pid)
        except ProcessLookupError:
            continue
    return found


def test_run_of_a_killed_kernel_is_requeued_while_attempts_are_left(server: LiveServer) -> None:
    run_id, pid = in_a_fit(server, **LONG)
    os.kill(pid, signal.SIGKILL)
    until(lambda: server.run(run_id)["attempt"] == 2, "the second attempt", 10)
    kinds = [event["kind"] for event in server.events(run_id)]
    assert "run.requeued" in kinds
    server.post(f"/runs/{run_id}/cancel", expect=200)
    assert server.ended(run_id)["status"] == "cancelled"
    events = server.events(run_id)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


def test_run_whose_kernel_dies_during_a_cancel_is_cancelled(one_attempt: LiveServer) -> None:
    run_id, pid = in_a_fit(one_attempt, **LONG)
    os.kill(pid, signal.SIGSTOP)  # the cancel will not reach it
    one_attempt.post(f"/runs/{run_id}/cancel", expect=200)
    os.kill(pid, signal.SIGKILL)
    assert one_attempt.ended(run_id, 20)["status"] == "cancelled"


def test_kernel_that_does_not_stop_is_killed_after_the_grace_time(home: Home) -> None:
    with LiveServer(home, cancel_grace_s=0.5) as server:
        run_id, pid = in_a_fit(server, **LONG)
        os.kill(pid, signal.SIGSTOP)  # as one long call without a bytecode in between
        asked = time.monotonic()
        server.post(f"/runs/{run_id}/cancel", expect=200)
        assert server.ended(run_id, 20)["status"] == "cancelled"
        assert time.monotonic() - asked < 0.5 + 2
        until(lambda: not psutil.pid_exists(pid), "the kernel's end", 5)


def test_next_server_ends_kernels_and_requeues_runs_of_a_killed_one(home: Home) -> None:
    first = LiveServer(home, concurrent_runs=1)
    first.deploy_iris("survivor")
    row = {
        "sepal length (cm)": 5.1,
        "sepal width (cm)": 3.5,
        "petal length (cm)": 1.4,
        "petal width (cm)": 0.2,
    }
    for _ in range(3):
        first.post("/deployments/survivor/predict", {"rows": [row]}, 200)
    assert first.get("/deployments/survivor")["inference_count"] == 3
    running, _ = in_a_fit(first, **LONG)
    queued = first.submit(first.experiment(), **SHORT)["id"]
    old = first.descendants()
    first.kill()

    second = LiveServer(home, concurrent_runs=1)
    started_at = time.monotonic()

    def settled() -> bool:
        """Return whether no record is `running` in an attempt of the dead server."""
        now = second.run(running)
        return now["status"] == "queued" or now["attempt"] == 2

    until(settled, "the end of the dead server's run", 10)
    _, alive = psutil.wait_procs(old, timeout=max(0.1, 10 - (time.monotonic() - started_at)))
    assert not alive, "kernels of the dead server are left"
    second.post(f"/runs/{running}/cancel", expect=200)
    assert second.ended(queued)["status"] == "succeeded"
    answer = second.post("/deployments/survivor/predict", {"rows": [row]}, 200)
    assert answer["predictions"][0]["prediction"] == 0
    assert second.get("/deployments/survivor")["inference_count"] == 4
    assert second.ended(running)["status"] == "cancelled"
    second.stop()


def test_next_server_executes_runs_of_a_stopped_one(home: Home) -> None:
    with LiveServer(home) as first:
        run_id, _ = in_a_fit(first, **LONG)
    with LiveServer(home) as second:
        until(lambda: second.run(run_id)["attempt"] == 2, "the next attempt", 20)
        second.post(f"/runs/{run_id}/cancel", expect=200)
        assert second.ended(run_id)["status"] == "cancelled"


def test_serving_kernel_killed_under_load_loses_no_valid_row(home: Home) -> None:
    with LiveServer(home) as server:
        server.deploy_iris("busy")
        row = {
            "sepal length (cm)": 6.7,
            "sepal width (cm)": 3.0,
            "petal length (cm)": 5.2,
            "petal width (cm)": 2.3,
        }
        server.post("/deployments/busy/predict", {"rows": [row]}, 200)
        pid = serving_kernel(home)
        stop = threading.Event()
        answers: list[int] = []

        def ask() -> None:
            session = requests.Session()
            session.headers["Authorization"] = f"token {server.token}"
            while not stop.is_set():
                answer = session.post(
                    f"{server.api}/deployments/busy/predict", json={"rows": [row]}, timeout=60
                )
                answers.append(answer.status_code)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        until(lambda: len(answers) > 50, "some load")
        before = len(answers)
        os.kill(pid, signal.SIGKILL)
        until(lambda: len(answers) > before + 50, "answers after the death", 60)
        stop.set()
        for thread in threads:
            thread.join()
        assert set(answers) == {200}
        assert server.get("/deployments/busy")["inference_count"] == len(answers) + 1


def serving_kernel(home: Home) -> int:
    def read() -> int | None:
        with closing(sqlite3.connect(home.database)) as database:
            row = database.execute("select pid from workers where purpose = 'serving'").fetchone()
        return int(row[0]) if row else None

    return int(until(read, "the serving kernel's record"))
