"""How the engine room speaks: plain payloads, progress, changes of the data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from jupyter_pycaret_ops.common.protocol import JSON

from .interfaces import Reporter
from .json_values import plain
from .limits import Limits

_MODEL_EVENTS = frozenset({"model.create.started", "model.created"})


class EventReporter:
    """The only one in this room who talks to the reporter.

    Sanitizes payloads, keeps the watchdog of `limits` out of the reporter's code and collects
    what was done to the data for the snapshot.
    """

    def __init__(self, report: Reporter, limits: Limits) -> None:
        self._report = report
        self._limits = limits
        self._is_muted = False
        self.data_changes: list[JSON] = []

    def report(
        self,
        kind: str,
        message: str,
        payload: JSON | None = None,
        duration_ms: float | None = None,
    ) -> None:
        """Report one event."""
        if self._is_muted and kind in _MODEL_EVENTS:
            return
        content = plain(payload or {})
        with self._limits.shielded():
            self._report.event(kind, message, content, duration_ms)

    @contextmanager
    def muted_models(self) -> Iterator[None]:
        """A block in which single models are not told: they are settings of one."""
        self._is_muted = True
        try:
            yield
        finally:
            self._is_muted = False

    def checkpoint(self) -> None:
        """Raise `Cancelled` when the run was cancelled."""
        with self._limits.shielded():
            self._report.checkpoint()

    def store(
        self, filename: str, kind: str, content: bytes, content_type: str, model_id: str | None
    ) -> None:
        """Hand one file over."""
        with self._limits.shielded():
            self._report.artifact(filename, kind, content, content_type, model_id)

    def report_data_change(
        self, change: str, message: str, columns: Iterable[str] = (), **more: Any
    ) -> None:
        """Say what was done to the user's frame, and remember it."""
        payload = plain({"change": change, "columns": list(columns), **more})
        self.data_changes.append({**payload, "message": message})
        self.report("data.changed", message, payload)

    def warn(self, message: str, **payload: Any) -> None:
        """Say what the user should know although the run goes on."""
        self.report("warning", message, payload)

    def progress(self, done: int, total: int, label: str, **more: Any) -> None:
        """Say how many of `total` models are `done`, and what happens now."""
        self.report("run.progress", label, {"done": done, "total": total, "label": label, **more})

    def fold_callback(
        self, done: int, total: int, label: str, model_id: str
    ) -> Callable[[int, int], None]:
        """What is called before each fold of one model."""

        def tick(fold: int, folds: int) -> None:
            self.checkpoint()
            self._limits.check()
            self.progress(done, total, label, model_id=model_id, fold=fold, folds=folds)

        return tick
