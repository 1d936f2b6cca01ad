"""PyCaret's own events, passed on. Imported only once PyCaret is (see `globals.load_engine`)."""

from __future__ import annotations

from typing import Any

from pycaret.logging import BaseLogger

from .event_reporter import EventReporter


class BridgeLogger(BaseLogger):  # type: ignore[misc]  # PyCaret ships no types
    """Hands each engine event to the reporter, with a message where the engine leaves it empty."""

    def __init__(self, reporter: EventReporter) -> None:
        super().__init__()
        self._reporter = reporter
        self.is_muted = False

    def emit(self, event: Any) -> None:
        """Pass one event on. `Cancelled` from the reporter goes through the engine untouched."""
        if self.is_muted or event.message.startswith("Native "):
            return  # the engine says "fitted" twice; the second one carries the duration
        kind = str(event.kind.value)
        message = event.message or kind.replace(".", " ")
        self._reporter.report(kind, message, dict(event.payload), event.duration_ms)
