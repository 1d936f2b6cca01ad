"""Predict requests/s at 64 connections, over a Tornado echo behind the same token, and over one by one."""

from __future__ import annotations

import json
import os
import time

import psutil

from tests.live import ROOT, LiveServer

from . import report
from .load import requests_bytes, run_load

SECONDS = 5.0
#: a model that predicts one row as fast as any, and two that take their time, as most winners do
MODELS = ("lr", "ada", "rf")
ROW = {
    "sepal length (cm)": 5.1,
    "sepal width (cm)": 3.5,
    "petal length (cm)": 1.4,
    "petal width (cm)": 0.2,
}


def predict(model: str) -> str:
    return f"/pycaret/api/v1/deployments/bench-{model}/predict"


def serve(config: str, **traits: object) -> LiveServer:
    os.environ["PYTHONPATH"] = str(ROOT)
    from tests.live import Home

    home = Home()
    file = home.path / "bench_config.py"
    file.write_text(
        "c.ServerApp.jpserver_extensions = {'jupyter_pycaret_ops': True, 'bench.echo': True}\n"
        + config
    )
    server = LiveServer(home, arguments=(f"--config={file}",), **traits)
    server._own_home = True
    return server


def wait_until_idle(server: LiveServer) -> None:
    """Return when the kernels have warmed up: each has used next to no processor time for a second."""
    processes = [psutil.Process(server.process.pid), *server.kernels()]
    while True:
        before = [process.cpu_times() for process in processes]
        time.sleep(1.0)
        after = [process.cpu_times() for process in processes]
        if all(new.user - old.user < 0.05 for old, new in zip(before, after, strict=True)):
            return


def run() -> None:
    body = json.dumps({"rows": [ROW]}).encode()
    figures: dict[str, list[float]] = {}

    def measure(server: LiveServer, name: str, path: str, connections: int) -> None:
        request = requests_bytes("POST", path, server, body)
        figures[f"{name} {connections}"] = run_load(
            server, [request], connections=connections, seconds=SECONDS
        )

    def deploy(server: LiveServer) -> None:
        for model in MODELS:
            server.deploy_iris(f"bench-{model}", model)
            request = requests_bytes("POST", predict(model), server, body)
            run_load(server, [request], connections=8, seconds=2)
        wait_until_idle(server)

    with serve("") as server:
        deploy(server)
        for connections in (1, 16, 64):
            measure(server, "echo", "/bench/echo", connections)
            for model in MODELS:
                measure(server, model, predict(model), connections)
    one_by_one = (
        "import jupyter_pycaret_ops.server.serving.batcher as b\n"
        "b.BatcherLimits.__init__.__defaults__ = (1, 40_000, 30.0)\n"
    )
    with serve(one_by_one) as server:
        deploy(server)
        for model in MODELS:
            measure(server, f"{model} one by one", predict(model), 64)
    rate = {name: len(values) / SECONDS for name, values in figures.items()}
    for model in MODELS:
        report.ratio(f"{model} / echo at 64", rate[f"{model} 64"] / rate["echo 64"], "≥ 0.5")
        report.ratio(
            f"{model} / one by one at 64",
            rate[f"{model} 64"] / rate[f"{model} one by one 64"],
            "≥ 10",
        )
    for name, values in figures.items():
        report.figure(
            name,
            f"{rate[name]:.0f} requests/s, p50 {report.quantile(values, 0.5) * 1000:.1f} ms, "
            f"p99 {report.quantile(values, 0.99) * 1000:.1f} ms",
        )
