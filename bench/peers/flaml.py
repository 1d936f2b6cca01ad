"""FLAML."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pandas as pd

METRICS = {"auc": "roc_auc", "log_loss": "log_loss", "rmse": "rmse"}


def main(folder: Path, seconds: float) -> None:
    """Train, and write answers."""
    from flaml import AutoML

    asked = json.loads((folder / "task.json").read_text())
    train, rows = pd.read_csv(folder / "train.csv"), pd.read_csv(folder / "test.csv")
    target = train.pop(asked["target"])
    is_label = asked["task"] == "classification"
    automl = AutoML()
    automl.fit(
        train,
        target.astype(str) if is_label else target,
        task=asked["task"],
        metric=METRICS[asked["metric"]],
        time_budget=seconds,
        n_jobs=2,
        seed=1,
        verbose=0,
    )
    if is_label:
        answers = pd.DataFrame(automl.predict_proba(rows), columns=list(automl.classes_))
    else:
        answers = pd.DataFrame({"prediction": automl.predict(rows)})
    answers.to_csv(folder / "answers.csv", index=False)


if __name__ == "__main__":
    sys.path.pop(0)  # this file has the name of the library
    main(Path(sys.argv[1]), float(sys.argv[2]))
