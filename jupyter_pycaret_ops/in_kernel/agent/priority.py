"""Whose work comes first on a busy machine."""

from __future__ import annotations

import contextlib
import os
import sys

#: training waits for people's notebooks and for predictions
NICENESS = 10


def give_way() -> None:
    """Lower the calling thread's priority, and that of the threads it starts.

    On Linux niceness belongs to a thread, so the serving kernel, once a spare, stays as quick as others.
    Where it belongs to the process (macOS) nothing is done: it could never be raised again.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.nice(NICENESS)
