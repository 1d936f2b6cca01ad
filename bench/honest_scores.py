"""Cross-validated score of the best model against its score on a quarter of the rows that the run has not seen."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pandas as pd

from jupyter_pycaret_ops.common.protocol import DataSpec, RunSpec
from jupyter_pycaret_ops.common.task_types import CLASSIFICATION, REGRESSION
from jupyter_pycaret_ops.kernel import engine
from jupyter_pycaret_ops.kernel.engine import plots
from jupyter_pycaret_ops.kernel.engine.interfaces import NullReporter

DATASETS = Path(__file__).parents[2] / "shared" / "datasets"
MODELS = ["lr", "ridge", "knn", "nb", "dt", "rf", "et", "gbc", "gbr", "lightgbm"]
FOLDS = 10
#: of the rows that are kept away
SHARE = 0.25
SAMPLES = 500
GOAL = 8


@dataclass
class Table:
    """A table with its task and target."""

    name: str
    task: str
    target: str
    frame: pd.DataFrame


class Kept(NullReporter):
    """A reporter that keeps files."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def artifact(
        self,
        filename: str,
        kind: str,
        content: bytes,
        content_type: str,
        model_id: str | None = None,
    ) -> None:
        """Keep the file."""
        self.files[filename] = content


def tables() -> list[Table]:
    """Return scikit-learn's tables and those in `datasets`, where they are."""
    from sklearn import datasets

    found = [
        Table("wine", CLASSIFICATION.id, "target", datasets.load_wine(as_frame=True).frame),
        Table(
            "breast cancer",
            CLASSIFICATION.id,
            "target",
            datasets.load_breast_cancer(as_frame=True).frame,
        ),
        Table(
            "diabetes (scikit-learn)",
            REGRESSION.id,
            "target",
            datasets.load_diabetes(as_frame=True).frame,
        ),
    ]
    catalogue = DATASETS / "catalogue.json"
    for entry in json.loads(catalogue.read_text(encoding="utf-8")) if catalogue.exists() else []:
        if entry["task"] in (CLASSIFICATION.id, REGRESSION.id):
            frame = pd.read_csv(DATASETS / entry["file"], encoding="utf-8-sig")
            found.append(Table(entry["file"], entry["task"], entry["target"], frame))
    return found


def measure(table: Table, seed: int = 1) -> tuple[str, float, float, float, float]:
    """Return the best model, its mean score and standard error over folds, and both on the rows kept away."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(table.frame))
    n_away = int(len(order) * SHARE)
    away = table.frame.iloc[order[:n_away]].reset_index(drop=True)
    seen = table.frame.iloc[order[n_away:]].reset_index(drop=True)
    metric = "AUC" if table.task == CLASSIFICATION.id else "R2"
    known = {
        model["id"]
        for task in engine.describe()["tasks"]
        if task["id"] == table.task
        for model in task["models"]
    }
    # a ridge classifier has no probabilities
    models = [model for model in MODELS if metric == "R2" or model != "ridge"]
    spec = RunSpec(
        run_id="bench",
        attempt=1,
        task=table.task,
        plan="compare",
        data=DataSpec("frame"),
        target=table.target,
        model_id=None,
        setup_params={"fold": FOLDS},
        plan_params={"include": [model for model in models if model in known], "sort": metric},
    )
    reporter = Kept()
    best = engine.run_plan(spec, seen, reporter).leaderboard[0]
    folds = [value for value in best["folds"] if value is not None]
    pipeline = cloudpickle.loads(reporter.files[f"pipeline-{best['model_id']}.pkl"])
    known_rows = away[away[table.target].notna()]
    score, error = bootstrapped(pipeline, known_rows, table, rng)
    return (
        best["name"],
        float(np.mean(folds)),
        float(np.std(folds, ddof=1) / math.sqrt(len(folds))),
        score,
        error,
    )


def bootstrapped(
    pipeline: Any, rows: pd.DataFrame, table: Table, rng: np.random.Generator
) -> tuple[float, float]:
    """Return a score on rows and its standard error, from samples with replacement."""
    from sklearn.metrics import r2_score, roc_auc_score

    truth = rows[table.target].to_numpy()
    if table.task == CLASSIFICATION.id:
        probabilities = pipeline.predict_proba(rows)
        codes = {label: code for code, label in enumerate(pipeline.classes_)}
        truth = np.array([codes.get(label, codes.get(str(label), -1)) for label in truth])

        def score(at: Any) -> float:
            counts = np.bincount(truth[at], minlength=len(codes))
            if len(codes) == 2:
                return float(roc_auc_score(truth[at], probabilities[at, 1]))
            areas = [
                roc_auc_score(truth[at] == c, probabilities[at, c])
                for c in range(len(codes))
                if 0 < counts[c] < len(at)
            ]
            return float(np.average(areas, weights=[n for n in counts if 0 < n < len(at)]))
    else:
        predicted = pipeline.predict(rows)

        def score(at: Any) -> float:
            return float(r2_score(truth[at], predicted[at]))

    everything = np.arange(len(rows))
    samples = [score(rng.choice(everything, len(rows))) for _ in range(SAMPLES)]
    return score(everything), float(np.std(samples))


def run() -> None:
    """Print a line for each table, and for how many the two scores agree within twice their standard error."""
    plots.store = lambda *args, **options: None  # type: ignore[assignment]
    holds = []
    for table in tables():
        name, inside, inside_error, away, away_error = measure(table)
        gap, allowed = abs(inside - away), 2 * math.hypot(inside_error, away_error)
        holds.append(gap <= allowed)
        print(
            f"  {table.name:26} {name:32} folds {inside:7.4f}  kept away {away:7.4f}  "
            f"difference {gap:.4f}, allowed {allowed:.4f}{'' if holds[-1] else '  <- more'}",
            flush=True,
        )
    print(f"  agree: {sum(holds)} of {len(holds)} (goal: {GOAL} of 10)")
