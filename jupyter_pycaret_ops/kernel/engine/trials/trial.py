"""Candidates, their trials and outcomes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from jupyter_pycaret_ops.common.protocol import JSON, ErrorKind

from ..error_messages import classify_error, describe_error
from ..interfaces import Estimator
from ..leaderboard import Failed, Scored, make_record
from ..prepared_task import PreparedTask
from ..scoring.base import Scores


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model or ensemble to score; `make` returns the unfitted estimator, or raises.

    `extra` holds further fields of the leaderboard record. `is_hopeless` gets the scores of the first `FIRST_FOLDS`
    folds, and says whether the others are left out; None where all are scored in any case. `position` : its place among
    equals on the leaderboard, None for the place in which it is tried.
    """

    model_id: str
    name: str
    make: Callable[[], Estimator]
    extra: JSON = field(default_factory=dict)
    is_hopeless: Callable[[Sequence[Scores | None]], bool] | None = None
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A candidate that was not tried because the run's time limit had passed."""

    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Pruned:
    """A candidate that was given up after its first folds; `scores` are those."""

    candidate: Candidate
    position: int
    scores: list[Scores | None]


Outcome: TypeAlias = Scored | Failed | Skipped | Pruned
#: folds after which a candidate may be given up; always the same, so that the outcome does not depend on processes
FIRST_FOLDS = 2


@dataclass(slots=True)
class Trial:
    """The scoring of one candidate: the scores of its folds so far.

    `position` is the position among the candidates; `scores` holds one item for each fold, None
    where it has none (yet); `folds_left` are the folds to start now, `folds_later` those that follow if the first ones
    are worth it.
    """

    candidate: Candidate
    position: int
    scores: list[Scores | None]
    folds_left: list[int]
    estimator: Estimator = None
    #: `time.monotonic()` when the first fold was started
    started_at: float | None = None
    #: seconds that it took in this process before it was continued in others
    seconds_in_process: float = 0.0
    fold_errors: list[tuple[str, ErrorKind]] = field(default_factory=list)
    folds_later: list[int] = field(default_factory=list)
    is_pruned: bool = False

    @classmethod
    def of(cls, candidate: Candidate, position: int, n_folds: int) -> Trial:
        """Return the trial of a candidate before its first fold."""
        n_first = n_folds if candidate.is_hopeless is None else min(FIRST_FOLDS, n_folds)
        folds = list(range(n_folds))
        return cls(
            candidate,
            position if candidate.position is None else candidate.position,
            [None] * n_folds,
            folds[:n_first],
            folds_later=folds[n_first:],
        )

    def decide(self) -> None:
        """Decide on the later folds; call it once all started folds have ended. Does nothing the second time."""
        if not self.folds_later:
            return
        first = self.scores[: len(self.scores) - len(self.folds_later)]
        judge = self.candidate.is_hopeless
        self.is_pruned = judge is not None and judge(first)
        self.folds_left = [] if self.is_pruned else self.folds_later
        self.folds_later = []

    def start(self, prepared: PreparedTask) -> None:
        """Report the start and make the estimator; does nothing the second time.

        Raises whatever `Candidate.make` raises.
        """
        if self.started_at is None:
            self.started_at = time.monotonic()
            prepared.reporter.report(
                "model.create.started",
                f"Fitting {self.candidate.name}",
                {"model_id": self.candidate.model_id},
            )
            self.estimator = self.candidate.make()

    def record_fold_error(self, error: Exception) -> None:
        """Record why a fold could not be scored."""
        self.fold_errors.append((describe_error(error), classify_error(error)))

    def failed(self, reason: str, kind: ErrorKind) -> Failed:
        """Return the failed outcome."""
        return Failed(self.candidate.model_id, self.candidate.name, reason, kind, self.position)

    def outcome(self, prepared: PreparedTask) -> Scored | Failed | Pruned:
        """Report the end and return the outcome; call it once all folds have ended."""
        candidate = self.candidate
        if self.is_pruned:
            return Pruned(candidate, self.position, self.scores)
        if all(scores is None for scores in self.scores):
            return self.failed(*self.fold_errors[0])
        seconds = time.monotonic() - (self.started_at or 0)
        record, fold_metrics = make_record(
            candidate.model_id, candidate.name, self.scores, prepared.metric, seconds
        )
        record.update(candidate.extra)
        if self.fold_errors:
            reason = self.fold_errors[0][0]
            prepared.reporter.warn(
                f"{candidate.name} could not be fitted on {len(self.fold_errors)} of "
                f"{len(self.scores)} folds ({reason}); its mean is over the others.",
                model_id=candidate.model_id,
                reason="folds_failed",
                folds_failed=len(self.fold_errors),
                error=reason,
            )
        prepared.reporter.report(
            "model.created",
            f"Fitted {candidate.name}",
            {"model_id": candidate.model_id},
            seconds * 1000,
        )
        outputs = [None if scores is None else scores.outputs for scores in self.scores]
        return Scored(
            candidate.model_id,
            record,
            fold_metrics,
            self.estimator,
            self.position,
            outputs[0] if len(outputs) == 1 else None,
            outputs,
        )


def time_limit_message(prepared: PreparedTask) -> str:
    """Return why a model was stopped: the limit of the run or of a model."""
    if prepared.limits.exceeded == "run":
        return f"Stopped: the run's time limit of {prepared.limits.run_s:g} s was up."
    return f"Stopped: it took longer than the {prepared.limits.model_s:g} s that a model may take."
