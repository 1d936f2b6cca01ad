"""What runs in a child process: take a fold, score it, answer; end with the parent.

Started as `python -m …trials.process_main FD` with one end of a socket pair.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from multiprocessing.connection import Connection
from typing import Any


def main(descriptor: int) -> None:
    """Serve one parent until it closes the line, or is gone."""
    line = Connection(descriptor)
    tasks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(line, tasks), daemon=True).start()

    from ..global_state import load_engine, undisturbed

    with undisturbed():
        load_engine()
        import cloudpickle

        scorer = cloudpickle.loads(tasks.get())
        line.send_bytes(cloudpickle.dumps("ready"))
        estimator: Any = None
        while True:
            content, fold = cloudpickle.loads(tasks.get())
            if content is not None:  # else the one that it has already
                estimator = content
            line.send_bytes(_answer(scorer, cloudpickle.loads(estimator), fold))


def _answer(scorer: Any, estimator: Any, fold: int) -> bytes:
    import cloudpickle

    try:
        return bytes(cloudpickle.dumps((scorer.score(estimator, fold), None)))
    except Exception as error:
        try:
            return bytes(cloudpickle.dumps((None, error)))
        except Exception:  # an error that cannot travel
            return bytes(cloudpickle.dumps((None, RuntimeError(str(error)))))


def _receive(line: Connection, tasks: queue.SimpleQueue[bytes]) -> None:
    """In a thread of its own, so that the end of the parent ends a fit as well."""
    while True:
        try:
            tasks.put(line.recv_bytes())
        except (EOFError, OSError):
            os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
