"""The types of the engine's interface. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from jupyter_pycaret_ops.common.protocol import JSON, ErrorKind


class Cancelled(BaseException):
    """The run was cancelled.

    A `BaseException`, because the engine and scikit-learn catch every `Exception` of a fit and go on
    with the next fold.
    """


class PlanFailed(Exception):
    """A plan cannot be executed; `message` is a sentence that says what to change."""

    def __init__(self, kind: ErrorKind, message: str) -> None:
        super().__init__(message)
        self.kind: ErrorKind = kind
        self.message = message


class Reporter(Protocol):
    """Receives events and files of a plan; implemented by the agent."""

    def event(
        self,
        kind: str,
        message: str,
        payload: JSON | None = None,
        duration_ms: float | None = None,
    ) -> None:
        """Report one event; `payload` is plain JSON. Must return quickly."""
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
        """Store one file of the run under the given name."""
        ...


class NullReporter:
    """A reporter that discards everything."""

    def event(
        self,
        kind: str,
        message: str,
        payload: JSON | None = None,
        duration_ms: float | None = None,
    ) -> None:
        """Discard the event."""

    def checkpoint(self) -> None:
        """Return: the run is never cancelled."""

    def artifact(
        self,
        filename: str,
        kind: str,
        content: bytes,
        content_type: str,
        model_id: str | None = None,
    ) -> None:
        """Discard the file."""


@dataclass(slots=True)
class PlanResult:
    """The result of a plan, in plain JSON.

    `leaderboard` is best first; `metrics_summary` is `{metric, best, models, failed}`; `snapshot` is
    merged into the one of the submission.
    """

    leaderboard: list[JSON] = field(default_factory=list)
    metrics_summary: JSON = field(default_factory=dict)
    snapshot: JSON = field(default_factory=dict)


#: pandas DataFrame, Series and scikit-learn estimator: these libraries have no type hints
Frame = Any
Column = Any
Estimator = Any
