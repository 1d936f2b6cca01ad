"""The interface of scorers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from ..interfaces import Estimator


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of one fold.

    `metrics` : metric → value, NaN where it cannot be computed; `outputs` : what the model answers for the rows that
    are scored, an array of shape (n_rows,) or (n_rows, n_outputs), None where the task does not need them.
    """

    metrics: dict[str, float]
    outputs: Any = None


class Scorer(Protocol):
    """Data and metrics of one experiment. Pickled once for each child process.

    `score` neither changes its estimator nor depends on what was scored before, so the order and the
    process in which folds are scored do not matter.
    """

    @property
    def n_folds(self) -> int:
        """The number of folds; 1 where there is no cross-validation."""
        ...

    @property
    def nbytes(self) -> int:
        """Size of the data in memory, in bytes."""
        ...

    def score(self, estimator: Estimator, fold: int) -> Scores:
        """Fit a copy of `estimator` on fold 0, 1, … and return its scores; raises what the fit raises."""
        ...


@runtime_checkable
class AnswerScorer(Scorer, Protocol):
    """A scorer of models whose answers can be averaged, such as predictions and probabilities."""

    @property
    def truth(self) -> Any:
        """What is predicted, array of shape (n_rows,); of classes their codes."""
        ...

    @property
    def splits(self) -> Sequence[tuple[Any, Any]]:
        """For each fold the positions to fit on and to score on, two int arrays."""
        ...

    @property
    def n_classes(self) -> int | None:
        """The number of classes, None where numbers are predicted."""
        ...

    @property
    def weights(self) -> Any:
        """How much a row counts, float64 array of shape (n_rows,), None where all count the same."""
        ...

    def score_answers(self, answers: Any, fold: int) -> Scores:
        """Return the scores of what somebody answers for the rows of a fold.

        `answers` : float64 array of shape (n_rows_of_fold, 1 + n_classes), predictions and probabilities; of numbers
        (n_rows_of_fold, 1).
        """
        ...
