"""Time from submit to the first engine event in a spare kernel, over a new import of the engine."""

from __future__ import annotations

import subprocess
import sys
import time

from tests.live import LiveServer, until

from . import report

ROUNDS = 5
BODY = {"plan": "create", "model_id": "lr", "sklearn_dataset": "iris", "setup_params": {"fold": 3}}


def submit_to_event(server: LiveServer, experiment: str) -> float:
    import json

    import websocket

    started_at = time.perf_counter()
    run = server.submit(experiment, **BODY)
    connection = websocket.create_connection(
        f"{server.api.replace('http', 'ws', 1)}/runs/{run['id']}/events/ws",
        header=[f"Authorization: token {server.token}"],
        timeout=60,
    )
    while not json.loads(connection.recv())["kind"].startswith("experiment."):
        pass
    seconds = time.perf_counter() - started_at
    connection.close()
    server.ended(run["id"])
    return seconds


def import_engine() -> float:
    started_at = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", "import pycaret.tasks"], check=True, cwd="/tmp", capture_output=True
    )
    return time.perf_counter() - started_at


def wait_for_spare_kernel(server: LiveServer) -> None:
    """Wait until a spare kernel is ready."""
    import sqlite3
    from contextlib import closing

    def spare() -> bool:
        with closing(sqlite3.connect(server.home.database)) as database:
            rows = database.execute("select pid from workers where purpose = 'spare'").fetchall()
        import psutil

        return len(rows) == 1 and all(
            psutil.Process(pid).cpu_percent(0.5) < 5 for (pid,) in rows if psutil.pid_exists(pid)
        )

    until(spare, "a spare kernel", 120)


def run() -> None:
    with LiveServer(spare_kernels=1) as server:
        experiment = server.experiment()
        server.ended(server.submit(experiment, **BODY)["id"])
        events, imports = [], []
        for _ in range(ROUNDS):
            wait_for_spare_kernel(server)
            events.append(submit_to_event(server, experiment))
            wait_for_spare_kernel(server)
            imports.append(import_engine())
    report.ratio("first event / import", report.median(events) / report.median(imports), "≤ 0.1")
    report.figure("first event", report.median(events), "s")
    report.figure("new import", report.median(imports), "s")
