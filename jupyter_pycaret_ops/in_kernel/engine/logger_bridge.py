"""PyCaret's own events, passed on. Imported only once PyCaret is (see `globals.load_engine`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pycaret.logging import BaseLogger

from .events import Narrator

_SAYS = {
    "model.create.started": "Fitting {name}",
    "model.created": "Fitted {name}",
}


class BridgeLogger(BaseLogger):  # type: ignore[misc]  # PyCaret ships no types
    """Hands each engine event to the narrator, with a message where the engine leaves it empty."""

    def __init__(self, narrator: Narrator, names: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._narrator = narrator
        #: model id → readable name; filled once the registry is known
        self.names: dict[str, str] = dict(names or {})

    def emit(self, event: Any) -> None:
        """Pass one event on. `Cancelled` from the reporter goes through the engine untouched."""
        if event.message.startswith("Native "):
            return  # the engine says "fitted" twice; the second one carries the duration
        kind = str(event.kind.value)
        model_id = event.payload.get("estimator")
        payload = dict(event.payload)
        if isinstance(model_id, str):
            payload["model_id"] = model_id
        message = event.message or _SAYS.get(kind, kind.replace(".", " ")).format(
            name=self.names.get(model_id, model_id)
        )
        self._narrator.tell(kind, message, payload, event.duration_ms)
