"""A child process as its parent holds it."""

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


class ChildLost(Exception):
    """The process ended by itself in the middle of a fold."""


class Child:
    """One child; `work` is what it does at the moment, None while it waits, `ready` once it can."""

    def __init__(self, scorer: bytes) -> None:
        mine, theirs = socket.socketpair()
        with theirs:
            self._process = fork_server.forked(theirs.fileno()) or _fresh(theirs.fileno())
        self.line = Connection(mine.detach())
        self.ready = False
        self.work: Any = None
        self._estimator: bytes | None = None
        with contextlib.suppress(OSError):  # it has ended already; `answer` will say so
            self.line.send_bytes(scorer)

    def give(self, work: Any, estimator: bytes, fold: int) -> None:
        """Have it score a fold; `work` is remembered until the answer."""
        import cloudpickle

        self.work = work
        is_known = estimator is self._estimator
        self._estimator = estimator
        with contextlib.suppress(OSError):
            self.line.send_bytes(cloudpickle.dumps((None if is_known else estimator, fold)))

    def answer(self) -> tuple[Scores | None, Exception | None] | None:
        """What it says: scores or an error of the model; None when it says that it is ready.

        Raises `ChildLost` when it has ended.
        """
        import cloudpickle

        try:
            said = cloudpickle.loads(self.line.recv_bytes())
        except (EOFError, OSError):
            self._process.wait()
            raise ChildLost(
                "The process that fitted it ended by itself, perhaps for lack of memory."
            ) from None
        if said == "ready":
            self.ready = True
            return None
        self.work = None
        return said  # type: ignore[no-any-return]

    def kill(self) -> None:
        """End it at once, whatever it does; nothing of it is left afterwards."""
        self._process.kill()
        self._process.wait()
        self.line.close()


def _fresh(descriptor: int) -> subprocess.Popen[bytes]:
    """A child in an interpreter of its own, which serves the line `descriptor`."""
    return subprocess.Popen(  # noqa: S603 - this interpreter and this package
        # -P: a file beside the notebook shall not stand in for a library
        [sys.executable, "-P", "-m", f"{__package__}.process_main", str(descriptor)],
        pass_fds=[descriptor],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **SINGLE_THREADED},
    )
