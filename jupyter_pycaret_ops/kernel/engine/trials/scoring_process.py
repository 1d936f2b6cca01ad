"""The parent's handle of a scoring process."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from multiprocessing.connection import Connection
from typing import Any

from jupyter_pycaret_ops.common.engine_facts import SINGLE_THREADED

from ..scoring.base import Scores
from . import fork_server


class ProcessLost(Exception):
    """The process ended by itself in the middle of a fold."""


class ScoringProcess:
    """A process that scores one fold at a time.

    `assignment` is what it was assigned last, None while it is idle; `is_ready` becomes true once it
    has imported the engine.
    """

    def __init__(self, scorer: bytes) -> None:
        parent_end, child_end = socket.socketpair()
        with child_end:
            descriptor = child_end.fileno()
            self._process = fork_server.fork_process(descriptor) or _start_interpreter(descriptor)
        self.connection = Connection(parent_end.detach())
        self.is_ready = False
        self.assignment: Any = None
        self._estimator: bytes | None = None
        with contextlib.suppress(OSError):  # it has ended already; `receive` raises
            self.connection.send_bytes(scorer)

    def assign(self, assignment: Any, estimator: bytes, fold: int) -> None:
        """Send a pickled estimator and a fold to score; `assignment` is kept until the reply."""
        import cloudpickle

        self.assignment = assignment
        is_known = estimator is self._estimator
        self._estimator = estimator
        with contextlib.suppress(OSError):
            self.connection.send_bytes(cloudpickle.dumps((None if is_known else estimator, fold)))

    def receive(self) -> tuple[Scores | None, Exception | None] | None:
        """Return the scores, or the error that the fit raised; None when the process became ready.

        Raises `ProcessLost` when the process has ended.
        """
        import cloudpickle

        try:
            reply = cloudpickle.loads(self.connection.recv_bytes())
        except (EOFError, OSError):
            self._process.wait()
            raise ProcessLost(
                "The process that fitted it ended by itself, perhaps for lack of memory."
            ) from None
        if reply == "ready":
            self.is_ready = True
            return None
        self.assignment = None
        return reply  # type: ignore[no-any-return]

    def kill(self) -> None:
        """Kill the process, wait for its end and close the connection."""
        self._process.kill()
        self._process.wait()
        self.connection.close()


def _start_interpreter(descriptor: int) -> subprocess.Popen[bytes]:
    """Start a scoring process in a new interpreter that serves the connection `descriptor`."""
    return subprocess.Popen(  # noqa: S603 - this interpreter and this package
        # -P: a file beside the notebook must not be imported in place of a library
        [sys.executable, "-P", "-m", f"{__package__}.process_main", str(descriptor)],
        pass_fds=[descriptor],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **SINGLE_THREADED},
    )
