"""Whether child processes pay, decided by what the first folds took."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..resources import free_memory, usable_cores
from ..scoring.base import Scorer
from . import fork_server

#: a child imports the engine before it can work; measured: 3 to 5 s while all cores do it
START_S = 4.5
#: that of a fork, which has it
FORK_S = 0.1
#: less than this says nothing: the first fits import libraries
ENOUGH_S = 0.5
#: children pay when they leave less than this of the time that is left without them
GAIN = 0.85
#: a bound for large machines, which several people share
MOST_CHILDREN = 8


class ParallelismPolicy:
    """Measures folds as they are scored in this process, `folds` in all."""

    def __init__(self, scorer: Scorer, folds: int, cores: int | None = None) -> None:
        self._scorer = scorer
        self._left = folds
        self._seconds = 0.0
        self._scored = 0
        self._cores = usable_cores() if cores is None else cores

    @property
    def fold_s(self) -> float:
        """Seconds of a processor that a fold took on average."""
        return self._seconds / max(self._scored, 1)

    @property
    def children(self) -> int:
        """How many there will be."""
        return min(self._cores, MOST_CHILDREN, self._left)

    @contextmanager
    def measured(self) -> Iterator[None]:
        """A fold is scored in this block."""
        # processor time: on a busy machine a fold takes longer, and so would the start of a child
        began = time.thread_time()
        try:
            yield
        finally:
            self._seconds += time.thread_time() - began
            self._scored += 1
            self._left -= 1

    def is_worthwhile(self) -> bool:
        """Whether the folds that are left are better scored in children."""
        if os.name != "posix" or self._left < 2 or self.children < 2:
            return False
        if self._seconds < ENOUGH_S:
            return False
        left_s = self.fold_s * self._left
        start_s = FORK_S if fork_server.is_there() else START_S
        return start_s + left_s / self.children < GAIN * left_s and _fits(
            self._scorer, self.children
        )


def _fits(scorer: Scorer, children: int) -> bool:
    # the data, a fold's copy of most of it, what a model makes of that; and the libraries
    return children * (4 * scorer.nbytes + 300 * 2**20) < free_memory() / 2
