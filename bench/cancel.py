"""Time from a cancel during a fit to the end of the kernel; also for a kernel that does not react."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import psutil

from tests.faults.test_lost_processes import LONG, worker_of
from tests.live import LiveServer

from . import report

ROUNDS = 3
GRACE_S = 5.0


def cancel(server: LiveServer, *, stopped: bool) -> float:
    """Return the seconds from the request to the end of the kernel process."""
    run = server.submit(server.experiment(task="regression", target="y"), **LONG)
    server.saw(run["id"], "model.create.started")
    kernel = psutil.Process(worker_of(server.home, run["id"]))
    if stopped:  # like a long C call: no byte code is executed
        os.kill(kernel.pid, signal.SIGSTOP)
    started_at = time.perf_counter()
    server.post(f"/runs/{run['id']}/cancel", expect=200)
    with contextlib.suppress(psutil.NoSuchProcess):
        while kernel.is_running() and kernel.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.002)
    seconds = time.perf_counter() - started_at
    assert server.ended(run["id"])["status"] == "cancelled"
    return seconds


def run() -> None:
    with LiveServer(cancel_grace_s=GRACE_S, spare_kernels=1) as server:
        fit = [cancel(server, stopped=False) for _ in range(ROUNDS)]
        stopped = [cancel(server, stopped=True) for _ in range(ROUNDS)]
    report.ratio("in a fit, worst, s", max(fit), "≤ 1")
    report.ratio("stopped kernel, worst, s after the grace time", max(stopped) - GRACE_S, "≤ 1")
