"""Report events, progress and changes of the data as plain JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from jupyter_pycaret_ops.common.protocol import JSON

from .interfaces import Reporter
from .json_values import plain
from .limits import Limits

_MODEL_EVENTS = frozenset({"model.create.started", "model.created"})
_PROGRESS = "run.progress"


class EventReporter:
    """The only class of the engine that calls the `Reporter`.

    Converts payloads to plain JSON, keeps the watchdog of `limits` from interrupting the reporter, and
    collects the changes of the data for the snapshot.
    """

    def __init__(self, reporter: Reporter, limits: Limits) -> None:
        self._reporter = reporter
        self._limits = limits
        self._muted: frozenset[str] = frozenset()
        self.data_changes: list[JSON] = []

    def report(
        self,
        kind: str,
        message: str,
        payload: JSON | None = None,
        duration_ms: float | None = None,
    ) -> None:
        """Report one event."""
        if kind in self._muted:
            return
        content = plain(payload or {})
        with self._limits.shielded():
            self._reporter.event(kind, message, content, duration_ms)

    @contextmanager
    def muted_models(self, *, folds: bool = False) -> Iterator[None]:
        """Discard `model.create.started` and `model.created` in this block: candidates are settings of one model.

        With `folds`, the progress of their folds is discarded as well: a search has thousands.
        """
        self._muted = _MODEL_EVENTS | ({_PROGRESS} if folds else set())
        try:
            yield
        finally:
            self._muted = frozenset()

    def checkpoint(self) -> None:
        """Raise `Cancelled` when the run was cancelled."""
        with self._limits.shielded():
            self._reporter.checkpoint()

    def store(
        self, filename: str, kind: str, content: bytes, content_type: str, model_id: str | None
    ) -> None:
        """Store one file of the run."""
        with self._limits.shielded():
            self._reporter.artifact(filename, kind, content, content_type, model_id)

    def report_data_change(
        self, change: str, message: str, columns: Iterable[str] = (), **more: Any
    ) -> None:
        """Report a change of the user's data, and record it for the snapshot."""
        payload = plain({"change": change, "columns": list(columns), **more})
        self.data_changes.append({**payload, "message": message})
        self.report("data.changed", message, payload)

    def warn(self, message: str, **payload: Any) -> None:
        """Report a warning; the run goes on."""
        self.report("warning", message, payload)

    def progress(self, done: int, total: int, label: str, **more: Any) -> None:
        """Report that `done` of `total` models have ended, and what happens now."""
        self.report(_PROGRESS, label, {"done": done, "total": total, "label": label, **more})

    def fold_callback(
        self, done: int, total: int, label: str, model_id: str
    ) -> Callable[[int, int], None]:
        """Return a function of fold and number of folds, to call before each fold of a model.

        It raises `Cancelled` or `TimeLimitExceeded`, or reports progress.
        """

        def before_fold(fold: int, folds: int) -> None:
            self.checkpoint()
            self._limits.check()
            self.progress(done, total, label, model_id=model_id, fold=fold, folds=folds)

        return before_fold
