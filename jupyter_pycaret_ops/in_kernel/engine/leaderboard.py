"""The leaderboard: one record for each scored model, best first."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jupyter_pycaret_ops.protocol import JSON, ErrorKind

from .contracts import Estimator, Frame
from .plain import plain

_DIGITS = 10


@dataclass(slots=True)
class Scored:
    """A model that was scored; `pipeline` is the engine's, fitted on the training part."""

    model_id: str
    record: JSON
    fold_metrics: dict[str, list[float | None]]
    pipeline: Estimator


@dataclass(slots=True)
class Failed:
    """A model that was not, and why."""

    model_id: str
    name: str
    error: str
    kind: ErrorKind


@dataclass(slots=True)
class Leaderboard:
    """The models of a run in the order of its metric."""

    metric: str
    greater_is_better: bool
    scored: list[Scored] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)

    def add(self, model: Scored) -> None:
        """Take a model in and rank all again; of equals the earlier one is first."""
        self.scored.append(model)
        self.scored.sort(key=self._order)
        for rank, entry in enumerate(self.scored, start=1):
            entry.record["rank"] = rank

    def _order(self, model: Scored) -> tuple[bool, float]:
        value = model.record.get(self.metric)
        if value is None:
            return True, 0.0
        return False, -value if self.greater_is_better else value

    def records(self) -> list[JSON]:
        """The records, best first."""
        return [dict(model.record) for model in self.scored]

    def summary(self) -> JSON:
        """`metrics_summary` of the run."""
        best = None
        if self.scored:
            first = self.scored[0]
            best = {
                "model_id": first.model_id,
                "name": first.record.get("name"),
                "value": first.record.get(self.metric),
            }
        return {
            "metric": self.metric,
            "best": best,
            "models": len(self.scored),
            "failed": len(self.failed),
        }


def record_of(
    model_id: str, name: str, folds: Frame, metric: str, seconds: float
) -> tuple[JSON, dict[str, list[float | None]]]:
    """Leaderboard record (rank 0 for now) and metrics fold by fold, from the engine's frame.

    Means and deviations (of the population) are over the folds that have a value.
    """
    fold_metrics: dict[str, list[float | None]] = {
        str(column): plain(folds[column].astype("float64").tolist()) for column in folds.columns
    }
    record: JSON = {"model_id": model_id, "name": name, "rank": 0}
    deviations: JSON = {}
    for column, values in fold_metrics.items():
        known = [v for v in values if v is not None]
        record[column] = _rounded(np.mean(known)) if known else None
        deviations[column] = _rounded(np.std(known)) if known else None
    record["std"] = deviations
    record["folds"] = fold_metrics.get(metric, [])
    record["seconds"] = round(seconds, 3)
    return record, fold_metrics


def _rounded(value: Any) -> float | None:
    number = float(value)
    return round(number, _DIGITS) if math.isfinite(number) else None
