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


LOOP = """
from jupyter_pycaret_ops.kernel.agent.priority import lower_thread_priority, lower_session_priority
lower_thread_priority()
with lower_session_priority():
    print("begun", flush=True)
    while True: pass
"""


def beside_loops(server: LiveServer) -> list[float]:
    """The same while as many processes, of the priority of ours, do nothing but count: what busy processors cost."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", LOOP], stdout=subprocess.PIPE, start_new_session=True
        )
        for _ in range(4)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()
        return measure(server)
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def run() -> None:
    with LiveServer(concurrent_runs=2, spare_kernels=1) as server:
        experiments = [server.experiment(task="classification") for _ in range(2)]
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
                    setup_params={**SETUP, "fold": 60},
                    plan_params={"include": ["rf", "et", "gbc", "ada", "mlp"]},
                    sklearn_dataset="breast_cancer",
                )
                for experiment in experiments
            ]
            for row in runs:
                server.saw(row["id"], "model.create.started", 180)
            busy += measure(server)
            for row in runs:
                # an end brings work of its own: plots, pipelines, the next spare kernel
                assert server.get(f"/runs/{row['id']}")["status"] == "running"
                server.post(f"/runs/{row['id']}/cancel", expect=200)
                server.ended(row["id"])
            loops += beside_loops(server)
    report.ratio(
        "p99 busy / idle", report.quantile(busy, 0.99) / report.quantile(idle, 0.99), "≤ 1.5"
    )
    report.ratio(
        "p99 beside bare loops / idle",
        report.quantile(loops, 0.99) / report.quantile(idle, 0.99),
        "what the machine itself allows",
    )
    report.ratio(
        "p95 busy / idle", report.quantile(busy, 0.95) / report.quantile(idle, 0.95), "none"
    )
    for name, values in (("idle", idle), ("busy", busy), ("loops", loops)):
        report.figure(
            name,
            f"p50 {report.quantile(values, 0.5) * 1000:.2f} p95 {report.quantile(values, 0.95) * 1000:.2f} p99 {report.quantile(values, 0.99) * 1000:.2f}",
            "ms",
        )
