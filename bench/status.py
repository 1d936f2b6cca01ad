"""p99 of Jupyter's `GET /api/status` while two compares run, over idle."""

from __future__ import annotations

import subprocess
import sys
import time

from tests.live import LiveServer

from . import report
from .compare import SETUP
from .load import requests_bytes, run_load

SECONDS = 8.0
ROUNDS = 3


def measure(server: LiveServer) -> list[float]:
    request = requests_bytes("GET", "/api/status", server)
    return run_load(server, [request], connections=1, seconds=SECONDS, pause_s=0.01)


def beside_loops(server: LiveServer) -> list[float]:
    """The same while two processes of lowest priority do nothing but count: the price of busy processors."""
    loop = "import os\nos.nice(19)\nwhile True: pass"
    processes = [subprocess.Popen([sys.executable, "-c", loop]) for _ in range(2)]
    try:
        return measure(server)
    finally:
        for process in processes:
            process.kill()
            process.wait()


def run() -> None:
    with LiveServer(concurrent_runs=2) as server:
        experiments = [server.experiment(task="regression") for _ in range(2)]
        idle: list[float] = []
        busy: list[float] = []
        loops: list[float] = []
        measure(server)
        for _ in range(ROUNDS):
            time.sleep(2)
            idle += measure(server)
            runs = [
                server.submit(
                    experiment,
                    plan="compare",
                    setup_params={**SETUP, "fold": 10},
                    plan_params={"include": ["rf", "et", "gbr", "ada", "mlp"]},
                    sklearn_dataset="diabetes",
                )
                for experiment in experiments
            ]
            for row in runs:
                server.saw(row["id"], "model.create.started", 180)
            busy += measure(server)
            for row in runs:
                server.post(f"/runs/{row['id']}/cancel", expect=200)
                server.ended(row["id"])
            loops += beside_loops(server)
    report.ratio(
        "p99 busy / idle", report.quantile(busy, 0.99) / report.quantile(idle, 0.99), "≤ 1.5"
    )
    report.ratio(
        "p99 beside two bare loops / idle",
        report.quantile(loops, 0.99) / report.quantile(idle, 0.99),
        "what the machine itself allows",
    )
    for name, values in (("idle", idle), ("busy", busy), ("loops", loops)):
        report.figure(
            name,
            f"p50 {report.quantile(values, 0.5) * 1000:.2f} p99 {report.quantile(values, 0.99) * 1000:.2f}",
            "ms",
        )
