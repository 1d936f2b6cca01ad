"""What every scorer does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from ..interfaces import Estimator


@dataclass(frozen=True, slots=True)
class Scores:
    """What one fold gave.

    `metrics` : metric → value, NaN where it cannot be computed; `rows` : what the model said of each
    row it was fitted on, an array of n_rows items, where the task keeps that.
    """

    metrics: dict[str, float]
    rows: Any = None


class Scorer(Protocol):
    """Data and metrics of one experiment. Pickled once for each child process.

    `score` neither changes its estimator nor depends on what was scored before, so the order and the
    process in which folds are scored do not matter.
    """

    @property
    def folds(self) -> int:
        """How many parts a score has; 1 where there is no cross-validation."""
        ...

    @property
    def nbytes(self) -> int:
        """Size of the data in memory."""
        ...

    def score(self, estimator: Estimator, fold: int) -> Scores:
        """Fit a copy of `estimator` for fold 0, 1, … and score it; raises what the fit raises."""
        ...
