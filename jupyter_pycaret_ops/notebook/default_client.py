"""The default client of this kernel, created when first needed."""

from __future__ import annotations

import threading
from pathlib import Path

from ..client import Client

_lock = threading.Lock()
_client: Client | None = None


def client() -> Client:
    """Return the client that magic, runs and panels of this kernel share.

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
    """Connect to another server, and return the new default client; without `url`, discover one again."""
    global _client
    new_client = Client(url, token, verify=verify)
    with _lock:
        _client = new_client
    return new_client
