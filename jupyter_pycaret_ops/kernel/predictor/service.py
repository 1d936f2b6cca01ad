"""The socket and its frames."""

from __future__ import annotations

import contextlib
import os
import queue
import socket
import struct
import threading
from typing import Any

import msgspec

from jupyter_pycaret_ops.common.wire import frame, read_frames

from .model import Model


class Service:
    """Accepts the server's connection and hands each frame to the thread of its pipeline."""

    def __init__(self, path: str) -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            self._listener.bind(path)
        finally:
            os.umask(before)
        self._listener.listen(1)

    def start(self) -> None:
        """Begin to accept."""
        threading.Thread(target=self._accept, name="pycaret-ops-predictor", daemon=True).start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=_Session(connection).run, daemon=True).start()


class _Session:
    """One connection of the server; the models it loaded live as long as it does."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._sending = threading.Lock()
        self._models: dict[str, queue.SimpleQueue[dict[str, Any] | None]] = {}

    def run(self) -> None:
        stream = self._connection.makefile("rb")
        try:
            for message in read_frames(stream):
                self._dispatch(message)
        except (OSError, struct.error, msgspec.DecodeError):
            pass  # the server is gone, or is being killed in the middle of a frame
        finally:
            for inbox in self._models.values():
                inbox.put(None)
            self._connection.close()

    def _dispatch(self, message: dict[str, Any]) -> None:
        if message["op"] == "ping":
            # by the reader itself: it answers while pipelines work, and not when the process stands still
            self._send({"id": message["id"], "ok": True})
            return
        key = message["key"]
        if message["op"] == "unload":
            inbox = self._models.pop(key, None)
            if inbox is not None:
                inbox.put(None)
            return
        if key not in self._models:
            inbox = queue.SimpleQueue()
            self._models[key] = inbox
            threading.Thread(target=self._work, args=(inbox,), daemon=True).start()
        self._models[key].put(message)

    def _work(self, inbox: queue.SimpleQueue[dict[str, Any] | None]) -> None:
        model: Model | None = None
        while (message := inbox.get()) is not None:
            answer: dict[str, Any] = {"id": message["id"], "ok": True}
            try:
                if message["op"] == "load":
                    model = Model.load(message["path"], message["sha256"], message["schema"])
                elif model is None:
                    raise RuntimeError("the pipeline is not loaded")
                else:
                    answer |= model.predict(message["rows"], proba=message["proba"])
            except Exception as error:
                answer = {
                    "id": message["id"],
                    "ok": False,
                    "error": f"{type(error).__name__}: {error}",
                }
            self._send(answer)

    def _send(self, answer: dict[str, Any]) -> None:
        try:
            content = frame(answer)
        except (TypeError, OverflowError) as error:
            content = frame(
                {
                    "id": answer["id"],
                    "ok": False,
                    "error": f"an answer that cannot be sent: {error}",
                }
            )
        # an OSError: the server is gone; it will ask again
        with self._sending, contextlib.suppress(OSError):
            self._connection.sendall(content)
