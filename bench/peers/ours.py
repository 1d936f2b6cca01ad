"""AutoML of this package, as a run with the plan `automl`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cloudpickle
import pandas as pd

from bench.honest_scores import Kept
from jupyter_pycaret_ops.common.protocol import DataSpec, RunSpec
from jupyter_pycaret_ops.kernel import engine
from jupyter_pycaret_ops.kernel.engine import plots

METRICS = {"auc": "AUC", "log_loss": "Log Loss", "rmse": "RMSE"}


def main(folder: Path, seconds: float) -> None:
    """Train, and write answers."""
    asked = json.loads((folder / "task.json").read_text())
    engine.preload()
    plots.store = lambda *args, **options: None  # type: ignore[assignment]
    reporter = Kept()
    metric = METRICS[asked["metric"]]
    spec = RunSpec(
        run_id="r",
        attempt=1,
        task=asked["task"],
        plan="automl",
        data=DataSpec("frame"),
        target=asked["target"],
        plan_params={"time_limit": seconds, "optimize": metric},
        metric=metric,
    )
    result = engine.run_plan(spec, pd.read_csv(folder / "train.csv"), reporter)
    best = result.leaderboard[0]
    pipeline = cloudpickle.loads(reporter.files[f"pipeline-{best['model_id']}.pkl"])
    rows = pd.read_csv(folder / "test.csv")
    if asked["task"] == "classification":
        labels = [str(label) for label in pipeline.classes_]
        answers = pd.DataFrame(pipeline.predict_proba(rows), columns=labels)
    else:
        answers = pd.DataFrame({"prediction": pipeline.predict(rows)})
    answers.to_csv(folder / "answers.csv", index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
