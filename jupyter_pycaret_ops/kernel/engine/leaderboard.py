"""The leaderboard: scored models as records, best first."""

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

#: digits of means in records; enough not to change a rank
_DIGITS = 10


@dataclass(slots=True)
class Scored:
    """A scored model.

    `estimator` is unfitted; `position` is its position among the candidates; `outputs` are those of
    `scoring.base.Scores` where there is one fold, `fold_outputs` those of each fold, None for one that failed.
    """

    model_id: str
    record: JSON
    fold_metrics: dict[str, list[float | None]]
    estimator: Estimator
    position: int = 0
    outputs: Any = None
    fold_outputs: list[Any] = field(default_factory=list)


@dataclass(slots=True)
class Failed:
    """A model that could not be scored, and why."""

    model_id: str
    name: str
    error: str
    kind: ErrorKind
    position: int | None = None


@dataclass(slots=True)
class Leaderboard:
    """The models of a run, ordered by `metric`."""

    metric: str | None
    greater_is_better: bool
    scored: list[Scored] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)

    def add(self, model: Scored) -> None:
        """Add a model and rank all again; of equal ones, those with probabilities come first, then by position."""
        self.scored.append(model)
        self.sort()

    def sort(self) -> None:
        """Rank all models by the present values in their records."""
        self.scored.sort(key=self.sort_key)
        for rank, entry in enumerate(self.scored, start=1):
            entry.record["rank"] = rank

    def sort_key(self, model: Scored) -> tuple[bool, float, bool, int]:
        """Return what models are sorted by, the best first."""
        value = model.record.get(self.metric or "")
        lacks_probabilities = not hasattr(model.estimator, "predict_proba")
        if value is None:
            return True, 0.0, lacks_probabilities, model.position
        best_first = -value if self.greater_is_better else value
        return False, best_first, lacks_probabilities, model.position

    @property
    def size(self) -> int:
        """The number of models that were scored or failed."""
        return len(self.scored) + len(self.failed)

    def records(self) -> list[JSON]:
        """Return copies of the records, best first."""
        return [dict(model.record) for model in self.scored]

    def summary(self) -> JSON:
        """Return `metrics_summary` of the run."""
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
    """Return the leaderboard record, with rank 0, and the values of each metric by fold.

    `folds` holds the scores of each fold, None for one that failed. Means and (population) standard
    deviations are over the folds that have a value.
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
