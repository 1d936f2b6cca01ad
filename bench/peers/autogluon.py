"""AutoGluon with its preset `medium_quality`."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import pandas as pd

METRICS = {"auc": "roc_auc", "log_loss": "log_loss", "rmse": "root_mean_squared_error"}


def main(folder: Path, seconds: float) -> None:
    """Train, and write answers."""
    from autogluon.tabular import TabularPredictor

    asked = json.loads((folder / "task.json").read_text())
    train, rows = pd.read_csv(folder / "train.csv"), pd.read_csv(folder / "test.csv")
    is_label = asked["task"] == "classification"
    if is_label:
        train[asked["target"]] = train[asked["target"]].astype(str)
    with tempfile.TemporaryDirectory() as models:
        predictor = TabularPredictor(
            label=asked["target"], eval_metric=METRICS[asked["metric"]], path=models, verbosity=0
        ).fit(train, time_limit=seconds, presets="medium_quality", num_cpus=2)
        if is_label:
            answers = predictor.predict_proba(rows)
        else:
            answers = pd.DataFrame({"prediction": predictor.predict(rows)})
    answers.to_csv(folder / "answers.csv", index=False)


if __name__ == "__main__":
    sys.path.pop(0)  # this file has the name of the library
    main(Path(sys.argv[1]), float(sys.argv[2]))
