"""PyCaret 3.3: compare within the time, then finalize."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pandas as pd

SORT = {"auc": "AUC", "log_loss": "AUC", "rmse": "RMSE"}


def main(folder: Path, seconds: float) -> None:
    """Train, and write answers."""
    asked = json.loads((folder / "task.json").read_text())
    module = importlib.import_module(f"pycaret.{asked['task']}")
    train, rows = pd.read_csv(folder / "train.csv"), pd.read_csv(folder / "test.csv")
    is_label = asked["task"] == "classification"
    if is_label:
        train[asked["target"]] = train[asked["target"]].astype(str)
    module.setup(train, target=asked["target"], session_id=1, n_jobs=2, verbose=False, html=False)
    best = module.compare_models(
        sort=SORT[asked["metric"]], budget_time=seconds / 60, verbose=False
    )
    final = module.finalize_model(best)
    if is_label:
        found = module.predict_model(final, data=rows, raw_score=True, verbose=False)
        begin = "prediction_score_"
        names = [name for name in found.columns if name.startswith(begin)]
        answers = found[names].rename(columns=lambda name: name.removeprefix(begin))
        if not names:  # a model without probabilities
            labels = sorted(train[asked["target"]].unique())
            answers = pd.get_dummies(found["prediction_label"]).reindex(
                columns=labels, fill_value=0
            )
    else:
        found = module.predict_model(final, data=rows, verbose=False)
        answers = pd.DataFrame({"prediction": found["prediction_label"]})
    answers.to_csv(folder / "answers.csv", index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
