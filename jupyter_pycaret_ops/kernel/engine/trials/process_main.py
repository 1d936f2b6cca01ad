"""Main function of a scoring process: receive a fold, score it, reply; end with the parent.

Started as `python -m …trials.process_main FD`, where FD is one end of a socket pair.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from multiprocessing.connection import Connection
from typing import Any


def main(descriptor: int) -> None:
    """Score folds for one parent until it closes the connection or ends.

    The first message is the pickled scorer; each one after it a pickled `(estimator, fold)`, with None
    for the estimator of the message before. Replies are `"ready"`, then `(scores, error)`.
    """
    connection = Connection(descriptor)
    messages: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(connection, messages), daemon=True).start()

    from ..global_state import isolated, load_engine

    with isolated():
        load_engine()
        import cloudpickle

        scorer = cloudpickle.loads(messages.get())
        connection.send_bytes(cloudpickle.dumps("ready"))
        pickled_estimator: Any = None
        while True:
            content, fold = cloudpickle.loads(messages.get())
            if content is not None:
                pickled_estimator = content
            estimator = cloudpickle.loads(pickled_estimator)
            connection.send_bytes(_score(scorer, estimator, fold))


def _score(scorer: Any, estimator: Any, fold: int) -> bytes:
    import cloudpickle

    try:
        return bytes(cloudpickle.dumps((scorer.score(estimator, fold), None)))
    except Exception as error:
        try:
            return bytes(cloudpickle.dumps((None, error)))
        except Exception:  # the error cannot be pickled
            return bytes(cloudpickle.dumps((None, RuntimeError(str(error)))))


def _receive(connection: Connection, messages: queue.SimpleQueue[bytes]) -> None:
    """Put received messages into the queue, in a thread: so the end of the parent ends a fit as well."""
    while True:
        try:
            messages.put(connection.recv_bytes())
        except (EOFError, OSError):
            os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
