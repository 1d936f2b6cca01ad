"""The agent: executes the plan of a run in a background thread of a kernel, and reports to the server.

The server calls `preload`, `begin`, `cancel`, `describe_json`, `inspect_json` and `profile_json` over the kernel's
own channels; everything else goes over HTTP with the run token.
"""

from __future__ import annotations

import atexit
import json
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ...common.protocol import DataSpec
from ..engine import NotebookObjects
from .answers import answer
from .attempt import Attempt
from .priority import lower_session_priority, lower_thread_priority

if TYPE_CHECKING:
    import ssl

    import pandas as pd

__all__ = [
    "Attempt",
    "NotebookObjects",
    "answer",
    "begin",
    "begin_in_notebook",
    "cancel",
    "describe_json",
    "inspect_json",
    "preload",
    "profile_json",
]

#: characters of an unexpected error that are said
MAX_ERROR = 500
_attempts: dict[str, Attempt] = {}


def preload() -> None:
    """Import the engine and fit toy data, so that the next plan starts at once."""

    def preload_engine() -> None:
        lower_thread_priority()
        from .. import engine

        engine.preload()

    with lower_session_priority(), ThreadPoolExecutor(1) as threads:
        threads.submit(preload_engine).result()


def describe_json() -> str:
    """Return the description of this kernel's engine (see `engine.describe`) as ASCII JSON."""
    from .. import engine

    return json.dumps(engine.describe(), allow_nan=False)


def inspect_json(message: str) -> str:
    """Return the preview of a data source as ASCII JSON; see `reading.inspect_json`."""
    from .. import reading

    return reading.inspect_json(message)


def profile_json(message: str) -> str:
    """Return the profile of a data source as ASCII JSON, or `{"error", "error_kind"}`; never raises.

    `message` is `{"data": DataSpec, "types": {column: type}, "target": column or None}`; the option of an upload is
    its `path`. With `progress`, the path of a file, and `n_rows`, as far as it is known, that file says how far it is.
    """
    # in its own thread, because the main thread of the kernel has a running event loop
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(_profile, message).result()


def _profile(message: str) -> str:
    from ..reading import CONNECTORS
    from ..reading.columns import file_settings
    from ..reading.memory import release_large_arrays_at_once
    from ..reading.profiling import profile
    from ..reading.progress import into_file, reporting
    from .loading import DataUnreadable, load

    asked = json.loads(message)
    spec = DataSpec.parse(asked["data"])

    def open_file() -> BinaryIO:
        return Path(spec.options["path"]).open("rb")

    release_large_arrays_at_once()  # the kernel makes one profile and is ended
    try:
        with ExitStack() as stack:
            if asked.get("progress"):
                report = into_file(Path(asked["progress"]))
                stack.enter_context(reporting(report, asked.get("n_rows")))
            frame, _ = load(spec, lambda: open_file, lambda: None)
            settings = replace(file_settings(spec), types=asked.get("types") or {})
            result = profile(
                frame, settings, spec.options.get("dialect"), target=asked.get("target")
            )
    except DataUnreadable as error:
        result = {"error": str(error), "error_kind": error.kind}
    except Exception as error:
        # a connector's error may hold its secret
        said = "" if spec.kind in CONNECTORS else f": {type(error).__name__}: {error}"[:MAX_ERROR]
        result = {"error": f"The table could not be profiled{said}", "error_kind": "internal"}
    return json.dumps(result, allow_nan=False)


def begin(server: str, run_id: str, token: str) -> None:
    """Start the plan of a run in a thread and return at once.

    `server` is `unix:PATH` or the HTTP URL below which the agent's routes are.
    """
    attempt = Attempt(server, run_id, token)
    _attempts[run_id] = attempt
    attempt.start()


def begin_in_notebook(
    server: str,
    run_id: str,
    token: str,
    frame: pd.DataFrame,
    ssl_context: ssl.SSLContext | None = None,
    own: NotebookObjects | None = None,
) -> Attempt:
    """Start the plan of a run on a DataFrame of this kernel, a user's notebook; returns at once.

    `frame` : DataFrame of shape (n_rows, n_columns); `own` : objects of the notebook that parameters name. Only a
    thread is added to the kernel. When the kernel is shut down meanwhile, the server is informed.
    """
    if not _attempts:
        atexit.register(_abandon_all, os.getpid())
    attempt = Attempt(server, run_id, token, frame, own=own, ssl_context=ssl_context)
    _attempts[run_id] = attempt
    attempt.start()
    return attempt


def _abandon_all(pid: int) -> None:
    if os.getpid() == pid:  # the exit of a forked child ends no attempt
        for attempt in _attempts.values():
            attempt.abandon()


def cancel(run_id: str) -> None:
    """Cancel the plan of a run: set its flag and raise `Cancelled` in its thread."""
    attempt = _attempts.get(run_id)
    if attempt is not None:
        attempt.cancel()
