"""From cancel in the middle of a fit to a free processor; and with a kernel that does not listen."""

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


def cancel(server: LiveServer, *, deaf: bool) -> float:
    """Seconds from the request to the end of the kernel's processor time."""
    run = server.submit(server.experiment(task="regression", target="y"), **LONG)
    server.saw(run["id"], "model.create.started")
    kernel = psutil.Process(worker_of(server.home, run["id"]))
    if deaf:  # as one long C call: no bytecode runs until it is over
        os.kill(kernel.pid, signal.SIGSTOP)
    began = time.perf_counter()
    server.post(f"/runs/{run['id']}/cancel", expect=200)
    with contextlib.suppress(psutil.NoSuchProcess):
        while kernel.is_running() and kernel.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.002)
    took = time.perf_counter() - began
    assert server.ended(run["id"])["status"] == "cancelled"
    return took


def run() -> None:
    with LiveServer(cancel_grace_s=GRACE_S) as server:
        fit = [cancel(server, deaf=False) for _ in range(ROUNDS)]
        deaf = [cancel(server, deaf=True) for _ in range(ROUNDS)]
    report.ratio("in a fit, worst, s", max(fit), "≤ 1")
    report.ratio("deaf, worst, s beyond the grace time", max(deaf) - GRACE_S, "≤ 1")
