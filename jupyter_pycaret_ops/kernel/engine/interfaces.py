"""The types of the engine room's front door. Light: nothing heavy is imported here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from jupyter_pycaret_ops.common.protocol import JSON, ErrorKind


class Cancelled(BaseException):
    """The run was cancelled.

    A `BaseException`, because the engine and scikit-learn swallow every `Exception` that is raised
    during a fit and go on with the next fold.
    """


class PlanFailed(Exception):
    """A plan cannot give what was asked; `message` is one sentence that says what to change."""

    def __init__(self, kind: ErrorKind, message: str) -> None:
        super().__init__(message)
        self.kind: ErrorKind = kind
        self.message = message


class Reporter(Protocol):
    """Where a plan tells what happens; the agent provides it."""

    def event(
        self,
        kind: str,
        message: str,
        payload: JSON | None = None,
        duration_ms: float | None = None,
    ) -> None:
        """Take one event; `payload` is plain JSON. Must return quickly."""
        ...

    def checkpoint(self) -> None:
        """Raise `Cancelled` when the run was cancelled. Called between models and folds."""
        ...

    def artifact(
        self,
        filename: str,
        kind: str,
        content: bytes,
        content_type: str,
        model_id: str | None = None,
    ) -> None:
        """Store one file of the run under a name that we chose."""
        ...


class NullReporter:
    """A reporter that nobody listens to."""

    def event(
        self,
        kind: str,
        message: str,
        payload: JSON | None = None,
        duration_ms: float | None = None,
    ) -> None:
        """Take no notice."""

    def checkpoint(self) -> None:
        """Never cancelled."""

    def artifact(
        self,
        filename: str,
        kind: str,
        content: bytes,
        content_type: str,
        model_id: str | None = None,
    ) -> None:
        """Throw away."""


@dataclass(slots=True)
class PlanResult:
    """What a plan hands back, all of it plain JSON.

    `leaderboard` is best first; `metrics_summary` is `{metric, best, models, failed}`;
    `snapshot` is laid over the one that was taken at submission.
    """

    leaderboard: list[JSON] = field(default_factory=list)
    metrics_summary: JSON = field(default_factory=dict)
    snapshot: JSON = field(default_factory=dict)


#: pandas and scikit-learn carry no types that a checker could read; these names say what is meant
Frame = Any
Column = Any
Estimator = Any
