"""Forward PyCaret's own events. Import only after `global_state.load_engine`."""

from __future__ import annotations

from typing import Any

from pycaret.logging import BaseLogger

from .event_reporter import EventReporter


class BridgeLogger(BaseLogger):  # type: ignore[misc]  # PyCaret ships no types
    """Forwards each engine event to the reporter, with a message where the engine gives none."""

    def __init__(self, reporter: EventReporter) -> None:
        super().__init__()
        self._reporter = reporter
        self.is_muted = False

    def emit(self, event: Any) -> None:
        """Forward one event; `Cancelled`, raised by the reporter, passes through the engine."""
        if self.is_muted or event.message.startswith("Native "):
            return  # the engine reports "fitted" twice; the second event has the duration
        kind = str(event.kind.value)
        message = event.message or kind.replace(".", " ")
        self._reporter.report(kind, message, dict(event.payload), event.duration_ms)
