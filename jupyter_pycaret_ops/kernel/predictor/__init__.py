"""The predictor: loads pipelines in the serving kernel and predicts batches of rows, over a Unix socket.

The server sends frames (a 4-byte big-endian length, then MessagePack) and gets one back for each: `load`
with the path of a pipeline file and its input schema, `predict` with rows, `unload`, `ping`. Each pipeline
has its own thread, so that a slow one does not delay others.
"""

from __future__ import annotations

from .. import engine
from .service import Service

__all__ = ["serve"]

_service: Service | None = None


def serve(path: str) -> None:
    """Listen on a Unix socket at `path`, in threads; returns when the socket exists."""
    global _service
    engine.shutdown_fork_server()
    _service = Service(path)
    _service.start()
