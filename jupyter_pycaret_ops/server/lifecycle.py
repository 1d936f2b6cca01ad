"""The life of a run: its states, the moves between them, and what each move is called.

Pure data and pure functions. `store/runs.py` asks here whether a move exists; the guarded UPDATE
there decides who makes it. Every move leaves one event, whose kind stands in `EVENT_OF`.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum


class Status(StrEnum):
    """The states of a run."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Move(StrEnum):
    """What can happen to a run."""

    CLAIM = "claim"
    SUCCEED = "succeed"
    FAIL = "fail"
    CANCEL = "cancel"
    REQUEUE = "requeue"


ENDED: frozenset[Status] = frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELLED})

#: all of the moves there are; what is not here cannot happen
NEXT: dict[tuple[Status, Move], Status] = {
    (Status.QUEUED, Move.CLAIM): Status.RUNNING,
    (Status.QUEUED, Move.CANCEL): Status.CANCELLED,
    (Status.QUEUED, Move.FAIL): Status.FAILED,
    (Status.RUNNING, Move.SUCCEED): Status.SUCCEEDED,
    (Status.RUNNING, Move.FAIL): Status.FAILED,
    (Status.RUNNING, Move.CANCEL): Status.CANCELLED,
    (Status.RUNNING, Move.REQUEUE): Status.QUEUED,
}

EVENT_OF: dict[Move, str] = {
    Move.CLAIM: "run.started",
    Move.SUCCEED: "run.succeeded",
    Move.FAIL: "run.failed",
    Move.CANCEL: "run.cancelled",
    Move.REQUEUE: "run.requeued",
}

OUTCOME_MOVES: dict[str, Move] = {
    "succeeded": Move.SUCCEED,
    "failed": Move.FAIL,
    "cancelled": Move.CANCEL,
}


class IllegalMove(Exception):
    """A move that the table does not have: a bug, never a user's fault.

    `story` has the last events of the run, oldest first, where they are known; the message ends with
    them, for the log.
    """

    def __init__(self, status: Status, move: Move, story: Sequence[str] = ()) -> None:
        self.status = status
        self.move = move
        self.story = tuple(story)
        told = "".join(f"\n  {line}" for line in self.story)
        super().__init__(
            f"a run that is {status} cannot {move}" + (f"; its last events:{told}" if told else "")
        )


def after(status: Status, move: Move) -> Status:
    """The state that `move` leads to from `status`.

    Raises
    ------
    IllegalMove
        Where the table holds no such move.
    """
    try:
        return NEXT[(status, move)]
    except KeyError:
        raise IllegalMove(status, move) from None


def may_leave(move: Move) -> tuple[Status, ...]:
    """The states that `move` may start from, for the guard of an UPDATE."""
    return tuple(source for (source, name) in NEXT if name is move)


def when_worker_lost(attempt: int, attempts: int, *, cancel_requested: bool) -> Move:
    """What becomes of a running run whose worker is gone.

    A run that was being cancelled is cancelled; otherwise it is tried again while attempts are left.
    """
    if cancel_requested:
        return Move.CANCEL
    return Move.REQUEUE if attempt < attempts else Move.FAIL
