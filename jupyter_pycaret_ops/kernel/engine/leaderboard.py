"""The leaderboard: one record for each scored model, best first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jupyter_pycaret_ops.common.protocol import JSON, ErrorKind

from .interfaces import Estimator
from .json_values import plain
from .scoring.base import Scores

#: rounds that lose nothing which could change a rank
_DIGITS = 10


@dataclass(slots=True)
class Scored:
    """A model that was scored; `estimator` is not fitted, `position` is its place among the candidates.

    `rows` is what the model said of each row, where the task keeps that (see `scoring.base.Scores`).
    """

    model_id: str
    record: JSON
    fold_metrics: dict[str, list[float | None]]
    estimator: Estimator
    position: int = 0
    outputs: Any = None


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

    metric: str | None
    greater_is_better: bool
    scored: list[Scored] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)

    def add(self, model: Scored) -> None:
        """Take a model in and rank all again; of equals the earlier candidate is first."""
        self.scored.append(model)
        self.sort()

    def sort(self) -> None:
        """Rank all by what their records say now."""
        self.scored.sort(key=self._order)
        for rank, entry in enumerate(self.scored, start=1):
            entry.record["rank"] = rank

    def _order(self, model: Scored) -> tuple[bool, float, int]:
        value = model.record.get(self.metric or "")
        if value is None:
            return True, 0.0, model.position
        return False, -value if self.greater_is_better else value, model.position

    @property
    def size(self) -> int:
        """How many models have ended, well or not."""
        return len(self.scored) + len(self.failed)

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
                "value": first.record.get(self.metric or ""),
            }
        return {
            "metric": self.metric,
            "best": best,
            "models": len(self.scored),
            "failed": len(self.failed),
        }


def make_record(
    model_id: str,
    name: str,
    folds: Sequence[Scores | None],
    metric: str | None,
    seconds: float,
) -> tuple[JSON, dict[str, list[float | None]]]:
    """Leaderboard record (rank 0 for now) and metrics fold by fold.

    `folds` has the scores of each fold, None for one that failed. Means and deviations (of the
    population) are over the folds that have a value.
    """
    names = dict.fromkeys(name for scores in folds if scores for name in scores.metrics)
    fold_metrics: dict[str, list[float | None]] = {
        name: plain([None if scores is None else scores.metrics.get(name) for scores in folds])
        for name in names
    }
    record: JSON = {"model_id": model_id, "name": name, "rank": 0}
    if len(folds) == 1:  # no cross-validation: neither deviations nor folds
        record.update({column: plain(values[0]) for column, values in fold_metrics.items()})
        record.update({"std": {}, "folds": [], "seconds": round(seconds, 3)})
        return record, {}
    deviations: JSON = {}
    for column, values in fold_metrics.items():
        known = [v for v in values if v is not None]
        record[column] = _rounded(np.mean(known)) if known else None
        deviations[column] = _rounded(np.std(known)) if known else None
    record["std"] = deviations
    record["folds"] = fold_metrics.get(metric or "", [])
    record["seconds"] = round(seconds, 3)
    return record, fold_metrics


def _rounded(value: Any) -> float | None:
    number = float(value)
    return round(number, _DIGITS) if math.isfinite(number) else None
