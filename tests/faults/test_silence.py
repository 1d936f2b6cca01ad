"""Kernels and servers that are silent without dying: stopped, paused, over limits, on a renamed host."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing

import psutil
import pytest

from ..live import ENDED, Home, LiveServer, until
from .test_lost_processes import LONG, SHORT, in_a_fit, worker_of
from .test_notebook_runs import Notebook

LEASE_S = 9.0


@pytest.fixture(scope="module")
def live() -> Iterator[LiveServer]:
    """A server with short leases and grace times."""
    with LiveServer(lease_s=LEASE_S, cancel_grace_s=1, concurrent_runs=1, run_attempts=2) as server:
        yield server


def test_stopped_kernel_is_ended_its_run_requeued_and_the_queue_goes_on(live: LiveServer) -> None:
    run_id, pid = in_a_fit(live, **{**LONG, "plan_params": {"time_limit": 600}})
    queued = live.submit(live.experiment(), **SHORT)["id"]
    os.kill(pid, signal.SIGSTOP)
    until(lambda: live.run(run_id)["attempt"] == 2, "the second attempt", 30)
    until(lambda: not psutil.pid_exists(pid), "the end of the stopped kernel", 10)
    requeued = [event for event in live.events(run_id) if event["kind"] == "run.requeued"]
    assert "did not report" in requeued[0]["message"]

    def second() -> int | None:
        found = worker_of(live.home, run_id)
        return found if found != pid and psutil.pid_exists(found) else None

    os.kill(until(second, "the kernel of the second attempt", 90), signal.SIGSTOP)
    row = live.ended(run_id, 60)
    assert (row["status"], row["error_kind"]) == ("failed", "worker_lost")
    assert live.ended(queued)["status"] == "succeeded"


def test_pause_of_the_machine_loses_no_run(live: LiveServer) -> None:
    """Server, worker kernel and notebook kernel are stopped for longer than a lease, then go on."""
    notebook = Notebook(live)
    try:
        run_id, _ = in_a_fit(live, **LONG)
        notebook_run = notebook.begin()
        live.saw(notebook_run, "run.data_loaded")
        processes = [psutil.Process(live.process.pid), *live.descendants()]
        for process in processes:
            process.suspend()
        asleep_since = time.monotonic()
        until(lambda: time.monotonic() - asleep_since > 2 * LEASE_S, "a sleep longer than a lease")
        for process in reversed(processes):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()
        last_seqs = {each: live.events(each)[-1]["seq"] for each in (notebook_run, run_id)}

        def goes_on(each: str) -> bool:
            """Whether it has reported something since, or has come to its own end."""
            return (
                live.events(each)[-1]["seq"] > last_seqs[each] or live.run(each)["status"] in ENDED
            )

        for each in last_seqs:
            until(lambda each=each: goes_on(each), "its next event", 90)
        until(lambda: time.monotonic() - asleep_since > 4 * LEASE_S, "another lease")
        for each in (notebook_run, run_id):
            live.post(f"/runs/{each}/cancel", expect=200)  # it may have succeeded meanwhile
            row = live.ended(each)
            assert (row["attempt"], row["error"]) == (1, None)
            assert row["status"] in ("cancelled", "succeeded")
    finally:
        notebook.end()


def test_run_over_its_memory_limit_fails_alone_with_the_figures(home: Home) -> None:
    """A kernel that has imported the engine exceeds this limit."""
    with LiveServer(home, worker_memory_bytes=100 << 20, spare_kernels=0) as server:
        run = server.submit(server.experiment(), **SHORT)
        row = server.ended(run["id"])
        assert (row["status"], row["error_kind"], row["attempt"]) == ("failed", "user", 1)
        assert "limit of a worker kernel is 100 MiB" in row["error"]
        assert server.get("/healthz") == {"ok": True}


def test_runs_of_an_earlier_host_name_are_adopted(home: Home) -> None:
    """A container is created again with the same volume and another host name, so another pool."""
    first = LiveServer(home, concurrent_runs=1)
    running, _ = in_a_fit(first, **LONG)
    waiting = first.submit(first.experiment(), **SHORT)["id"]
    kernels = first.descendants()
    first.kill()
    for process in kernels:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    with closing(sqlite3.connect(home.database)) as database, database:
        database.execute("update runs set pool = 'old-container/ada'")
        database.execute(
            "update runs set leased_by = 'old-container:7:1700000000.00' where leased_by is not null"
        )
        database.execute(
            "update workers set host = 'old-container', server_id = 'old-container:7:1700000000.00'"
        )
    with LiveServer(home, concurrent_runs=2, lease_s=3) as second:
        until(lambda: second.run(running)["attempt"] == 2, "the taking over of the running one", 90)
        assert second.ended(waiting)["status"] == "succeeded"
        second.post(f"/runs/{running}/cancel", expect=200)
        assert second.ended(running)["status"] == "cancelled"
        second.call("DELETE", f"/runs/{running}", 204)
