"""A candidate, and how far it has come."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from jupyter_pycaret_ops.common.protocol import JSON, ErrorKind

from ..error_messages import kind_of, sentence_of
from ..interfaces import Estimator
from ..leaderboard import Failed, Scored, record_of
from ..prepared_task import PreparedTask
from ..scoring.base import Scores


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that can be scored; `make` gives the unfitted estimator, or raises why it cannot.

    `more` is laid into the leaderboard record.
    """

    model_id: str
    name: str
    make: Callable[[], Estimator]
    more: JSON = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A candidate that was not tried: the time was up."""

    candidate: Candidate


Outcome: TypeAlias = Scored | Failed | Skipped


@dataclass(slots=True)
class Trial:
    """One candidate on its way: what its folds gave so far.

    `position` is its place among the candidates; `todo` are the folds that nobody has begun.
    """

    candidate: Candidate
    position: int
    scores: list[Scores | None]
    todo: list[int]
    estimator: Estimator = None
    #: `time.monotonic()` when its first fold began
    began: float | None = None
    #: seconds that it took in this process before child processes went on with it
    spent: float = 0.0
    reasons: list[tuple[str, ErrorKind]] = field(default_factory=list)

    def begin(self, prepared: PreparedTask) -> None:
        """Make the estimator and tell; raises what making it raises. Does nothing the second time."""
        if self.began is None:
            self.began = time.monotonic()
            prepared.reporter.tell(
                "model.create.started",
                f"Fitting {self.candidate.name}",
                {"model_id": self.candidate.model_id},
            )
            self.estimator = self.candidate.make()

    def lose(self, error: Exception) -> None:
        """A fold could not be scored."""
        self.reasons.append((sentence_of(error), kind_of(error)))

    def failed(self, reason: str, kind: ErrorKind) -> Failed:
        """It ends so."""
        return Failed(self.candidate.model_id, self.candidate.name, reason, kind)

    def outcome(self, prepared: PreparedTask) -> Scored | Failed:
        """The end of it, once all folds have ended."""
        candidate = self.candidate
        if all(scores is None for scores in self.scores):
            return self.failed(*self.reasons[0])
        seconds = time.monotonic() - (self.began or 0)
        record, fold_metrics = record_of(
            candidate.model_id, candidate.name, self.scores, prepared.metric, seconds
        )
        record.update(candidate.more)
        if self.reasons:
            reason = self.reasons[0][0]
            prepared.reporter.warn(
                f"{candidate.name} could not be fitted on {len(self.reasons)} of "
                f"{len(self.scores)} folds ({reason}); its mean is over the others.",
                model_id=candidate.model_id,
                reason="folds_failed",
                folds_failed=len(self.reasons),
                error=reason,
            )
        prepared.reporter.tell(
            "model.created",
            f"Fitted {candidate.name}",
            {"model_id": candidate.model_id},
            seconds * 1000,
        )
        rows = self.scores[0].rows if self.scores[0] is not None else None
        return Scored(candidate.model_id, record, fold_metrics, self.estimator, self.position, rows)


def time_up(prepared: PreparedTask) -> str:
    """Why a model was stopped, by whose limit it was."""
    if prepared.limits.whose == "run":
        return f"Stopped: the run's time limit of {prepared.limits.run_s:g} s was up."
    return f"Stopped: it took longer than the {prepared.limits.model_s:g} s that a model may take."
