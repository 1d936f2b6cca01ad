"""The agent: one run's plan in a background thread of a kernel, and its line to the server.

The server's side of a worker kernel calls `preload`, `begin`, `cancel`, `describe_json` and `look_json` over
the kernel's own channels; everything else goes over HTTP with the run's token.
"""

from __future__ import annotations

import atexit
import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from .answers import answer
from .attempt import Attempt
from .priority import give_way, session_behind

if TYPE_CHECKING:
    import ssl

    import pandas as pd

__all__ = [
    "Attempt",
    "answer",
    "begin",
    "begin_here",
    "cancel",
    "describe_json",
    "look_json",
    "preload",
]

_attempts: dict[str, Attempt] = {}


def preload() -> None:
    """Import the engine and fit something small, so that the next plan starts at once."""

    def work() -> None:
        give_way()
        from .. import engine

        engine.preload()

    with session_behind(), ThreadPoolExecutor(1) as threads:
        threads.submit(work).result()


def describe_json() -> str:
    """What the engine of this kernel offers, as ASCII JSON."""
    from .. import engine

    return json.dumps(engine.describe(), allow_nan=False)


def look_json(message: str) -> str:
    """A look at a data source, as ASCII JSON; see `sources.look_json`."""
    from .. import reading as sources

    return sources.look_json(message)


def begin(server: str, run_id: str, token: str) -> None:
    """Start the plan of a run in a thread and return at once.

    `server` is `unix:PATH` or an HTTP URL, under which the agent's routes are found.
    """
    attempt = Attempt(server, run_id, token)
    _attempts[run_id] = attempt
    attempt.start()


def begin_here(
    server: str,
    run_id: str,
    token: str,
    frame: pd.DataFrame,
    trust: ssl.SSLContext | None = None,
) -> Attempt:
    """Start the plan of a run on a frame of this kernel, which is somebody's notebook; returns at once.

    Nothing of the kernel is changed but what a thread needs. When the kernel is shut down meanwhile, the
    server is told.
    """
    if not _attempts:
        atexit.register(_abandon, os.getpid())
    attempt = Attempt(server, run_id, token, frame, trust=trust)
    _attempts[run_id] = attempt
    attempt.start()
    return attempt


def _abandon(pid: int) -> None:
    if os.getpid() == pid:  # a forked child shuts nothing down
        for attempt in _attempts.values():
            attempt.abandon()


def cancel(run_id: str) -> None:
    """Stop that run's plan: the flag, and an exception thrown into its thread."""
    attempt = _attempts.get(run_id)
    if attempt is not None:
        attempt.cancel()
