"""The client of this kernel, made when it is first needed and then kept."""

from __future__ import annotations

import threading
from pathlib import Path

from ..client import Client

_lock = threading.Lock()
_client: Client | None = None


def client() -> Client:
    """The client that magic, runs and panels of this kernel share.

    Raises
    ------
    NoServer
        When no server is found.
    """
    global _client
    with _lock:
        if _client is None:
            _client = Client()
        return _client


def connect(
    url: str | None = None, token: str | None = None, *, verify: bool | str | Path = True
) -> Client:
    """Use another server from now on; without an address, look for one again."""
    global _client
    made = Client(url, token, verify=verify)
    with _lock:
        _client = made
    return made
