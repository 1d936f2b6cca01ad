"""Our compare over the engine's `compare_models` with defaults, on the same candidates.

Both in a new interpreter, after a small warm-up, from DataFrame to leaderboard, on all cores. The scores
must be equal to 4 digits.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from typing import Any

from . import report

ROUNDS = {"iris": 3, "50,000 × 20": 1}
#: on the large table, models that take minutes and not hours; on iris, all that the engine tries
MODELS = {
    "iris": [],
    "50,000 × 20": [
        *("lr", "knn", "nb", "dt", "ridge", "lda", "ada", "rf", "et", "gbc"),
        *("lightgbm", "xgboost", "dummy"),
    ],
}
FOLDS = {"iris": 10, "50,000 × 20": 3}
LIMITS = {"iris": "≤ 0.6", "50,000 × 20": "≤ 0.65"}

#: environment of a worker kernel; the engine runs with its defaults
_WORKER_ENV = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

_FRAME = """
import json, sys, time, warnings
warnings.filterwarnings("ignore")
import pandas as pd
def frame_of(name):
    from sklearn import datasets
    if name == "iris":
        bunch = datasets.load_iris(as_frame=True)
        return bunch.frame
    rows, target = datasets.make_classification(
        n_samples=50_000, n_features=20, n_informative=8, flip_y=0.05, random_state=1)
    frame = pd.DataFrame(rows, columns=[f"column_{i}" for i in range(20)])
    return frame.assign(target=target)
name, folds, models = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
chosen = {"include": models} if models else {}
frame = frame_of(name)
small = frame.sample(60, random_state=1)
"""

_PYCARET_SCRIPT = """
from pycaret.tasks import ClassificationExperiment
def compare(data, **more):
    experiment = ClassificationExperiment(target="target", session_id=1, fold=folds).fit(data)
    return experiment.compare_models(round=10, **more).leaderboard
compare(small, include=["lr", "rf"])
began = time.perf_counter()
board = compare(frame, **chosen)
seconds = time.perf_counter() - began
sys.stdout.flush()
print("\\n" + json.dumps([seconds, json.loads(board.set_index("Model").to_json(orient="index"))]))
"""

_OUR_SCRIPT = """
from jupyter_pycaret_ops.kernel import engine
from jupyter_pycaret_ops.kernel.engine.interfaces import NullReporter
from jupyter_pycaret_ops.common.protocol import DataSpec, RunSpec
class Watch(NullReporter):
    compared = None
    processes = 1
    def event(self, kind, message, payload=None, duration_ms=None):
        if kind == "model.compare.finished":
            self.compared = time.perf_counter()
        if kind == "run.parallel":
            self.processes = payload["processes"]
def compare(data, watch, **more):
    spec = RunSpec("r", 1, "classification", "compare", DataSpec("frame"), target="target",
        setup_params={"session_id": 1, "fold": folds, "preparation": "pycaret"}, plan_params=more)
    return engine.run_plan(spec, data, watch).leaderboard
engine.preload()  # as every worker kernel does before its first run
compare(small, Watch(), include=["lr", "rf"])
watch = Watch()
began = time.perf_counter()
board = compare(frame, watch, **chosen)
whole = time.perf_counter() - began
print(json.dumps([watch.compared - began, {r["model_id"]: r for r in board}, whole, watch.processes]))
"""


def _run(script: str, name: str, env: dict[str, str]) -> list[Any]:
    done = subprocess.run(
        [sys.executable, "-c", _FRAME + script, name, str(FOLDS[name]), *MODELS[name]],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **env},
    )
    result: list[Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _differences(ours: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Return where the leaderboards differ; for undefined metrics, the engine writes 0 and we None."""
    differences = [f"{model} is in one table only" for model in set(ours) ^ set(other)]
    for model, row in other.items():
        for metric, value in row.items():
            our_value = ours.get(model, {}).get(metric)
            if our_value is None and not value:
                continue
            if our_value is None or not math.isclose(our_value, value, abs_tol=5e-5):
                differences.append(f"{model} {metric}: {our_value} and {value}")
    return differences


def run() -> None:
    for name, rounds in ROUNDS.items():
        print(f"  {name}", flush=True)
        ratios, whole, engine_s, ours_s = [], [], [], []
        for _ in range(rounds):
            their_s, other = _run(_PYCARET_SCRIPT, name, {})
            our_s, ours, whole_s, processes = _run(_OUR_SCRIPT, name, _WORKER_ENV)
            ratios.append(our_s / their_s)
            whole.append(whole_s / their_s)
            engine_s.append(their_s)
            ours_s.append(our_s)
        report.ratio("compare / compare_models", report.median(ratios), LIMITS[name])
        report.figure("compare_models", report.median(engine_s), "s")
        report.figure("compare", report.median(ours_s), f"s, {len(ours)} models")
        report.figure("processes", str(processes))
        report.figure("with pipeline, schema and plots / compare_models", report.median(whole))
        differences = _differences(ours, other)
        report.figure(
            "same table to 4 digits", "yes" if not differences else "; ".join(differences)
        )
