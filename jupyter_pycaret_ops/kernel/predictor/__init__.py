"""The predictor: pipelines loaded in the serving kernel, wrap_estimator batches over a unix socket.

The server sends frames (a 4-byte big-endian length, then MessagePack) and gets one back for each:
`load` with the path of a pipeline's file and its schema, `predict` with rows, `unload`, `ping`. Each pipeline has a thread of
its own, so that a slow one holds up nobody else.
"""

from __future__ import annotations

from .. import engine
from .service import Service

__all__ = ["serve"]

_service: Service | None = None


def serve(path: str) -> None:
    """Listen on a unix socket at `path`, in threads; returns when the socket is there."""
    global _service
    engine.shutdown_fork_server()
    _service = Service(path)
    _service.start()
