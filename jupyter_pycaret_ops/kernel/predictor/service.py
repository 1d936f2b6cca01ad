"""The socket of the predictor and its frames."""

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
    """Accepts connections of the server, and passes each frame to the thread of its pipeline."""

    def __init__(self, path: str) -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        previous_umask = os.umask(0o177)
        try:
            self._listener.bind(path)
        finally:
            os.umask(previous_umask)
        self._listener.listen(1)

    def start(self) -> None:
        """Start to accept connections; returns at once."""
        threading.Thread(target=self._accept, name="pycaret-ops-predictor", daemon=True).start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=_Session(connection).run, daemon=True).start()


class _Session:
    """One connection of the server; its models are loaded as long as it lasts."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._send_lock = threading.Lock()
        self._models: dict[str, queue.SimpleQueue[dict[str, Any] | None]] = {}

    def run(self) -> None:
        stream = self._connection.makefile("rb")
        try:
            for message in read_frames(stream):
                self._dispatch(message)
        except (OSError, struct.error, msgspec.DecodeError):
            pass  # the server has ended, perhaps in the middle of a frame
        finally:
            for messages in self._models.values():
                messages.put(None)
            self._connection.close()

    def _dispatch(self, message: dict[str, Any]) -> None:
        if message["op"] == "ping":
            # replied by the reader: also while pipelines predict, but not when the process is stopped
            self._send({"id": message["id"], "ok": True})
            return
        key = message["key"]
        if message["op"] == "unload":
            messages = self._models.pop(key, None)
            if messages is not None:
                messages.put(None)
            return
        if key not in self._models:
            messages = queue.SimpleQueue()
            self._models[key] = messages
            threading.Thread(target=self._work, args=(messages,), daemon=True).start()
        self._models[key].put(message)

    def _work(self, messages: queue.SimpleQueue[dict[str, Any] | None]) -> None:
        model: Model | None = None
        while (message := messages.get()) is not None:
            reply: dict[str, Any] = {"id": message["id"], "ok": True}
            try:
                if message["op"] == "load":
                    model = Model.load(message["path"], message["sha256"], message["schema"])
                elif model is None:
                    raise RuntimeError("the pipeline is not loaded")
                else:
                    reply |= model.predict(message["rows"], proba=message["proba"])
            except Exception as error:
                reply = {
                    "id": message["id"],
                    "ok": False,
                    "error": f"{type(error).__name__}: {error}",
                }
            self._send(reply)

    def _send(self, reply: dict[str, Any]) -> None:
        try:
            content = frame(reply)
        except (TypeError, OverflowError) as error:
            content = frame(
                {
                    "id": reply["id"],
                    "ok": False,
                    "error": f"a reply that cannot be sent: {error}",
                }
            )
        # OSError: the server has ended; it will send the request again
        with self._send_lock, contextlib.suppress(OSError):
            self._connection.sendall(content)
