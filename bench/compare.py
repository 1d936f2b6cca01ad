"""Wall time of a compare through the API, over the same compare in a script."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

from tests.live import LiveServer

from . import report
from .first_event import wait_for_spare_kernel

ROUNDS = 3
MODELS = ["lr", "nb", "dt", "ridge", "rf", "qda", "ada", "gbc", "lda", "et", "knn", "dummy"]
SETUP = {"fold": 10, "session_id": 1}

BARE = f"""
import json, sys, time, os
os.environ.setdefault("OMP_NUM_THREADS", "1")
from jupyter_pycaret_ops.kernel import engine
from jupyter_pycaret_ops.common.protocol import DataSpec, RunSpec
from sklearn.datasets import load_breast_cancer
engine.preload()

class Silent:
    def event(self, *a, **k): pass
    def checkpoint(self): pass
    def artifact(self, *a, **k): pass

spec = RunSpec("bare", 1, "classification", "compare", DataSpec("sklearn", {{"name": "breast_cancer"}}),
    target="target", setup_params={SETUP!r}, plan_params={{"include": {MODELS!r}}}, metric="Accuracy")
began = time.perf_counter()
engine.run_plan(spec, load_breast_cancer(as_frame=True).frame, Silent())
print(json.dumps(time.perf_counter() - began))
"""


def bare() -> float:
    done = subprocess.run(
        [sys.executable, "-c", BARE],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    return float(json.loads(done.stdout.splitlines()[-1]))


def through_api(server: LiveServer, experiment: str) -> float:
    started_at = time.perf_counter()
    run = server.submit(
        experiment,
        plan="compare",
        plan_params={"include": MODELS},
        setup_params=SETUP,
        sklearn_dataset="breast_cancer",
    )
    row = server.ended(run["id"], 600)
    assert row["status"] == "succeeded", row
    return time.perf_counter() - started_at


def run() -> None:
    with LiveServer(spare_kernels=1) as server:
        experiment = server.experiment()
        server.ended(
            server.submit(experiment, plan="create", model_id="lr", sklearn_dataset="iris")["id"]
        )
        api, script = [], []
        for _ in range(ROUNDS):
            wait_for_spare_kernel(server)
            api.append(through_api(server, experiment))
            wait_for_spare_kernel(server)
            script.append(bare())
    report.ratio("API / bare script", report.median(api) / report.median(script), "≤ 1.05")
    report.figure("API", report.median(api), "s")
    report.figure("bare script", report.median(script), "s")
