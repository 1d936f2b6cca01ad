"""Decide from the time of the first folds whether to score in several processes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ..resources import free_memory, usable_cores
from ..scoring.base import Scorer
from . import fork_server

#: seconds until a new interpreter has imported the engine; measured: 3 to 5 while all cores do it
INTERPRETER_START_S = 4.5
#: seconds until a fork of the fork server is ready
FORK_START_S = 0.1
#: seconds to measure before deciding: the first fits import libraries
MIN_MEASURED_S = 0.5
#: processes are worthwhile when they take less than this share of the time left without them
MAX_TIME_RATIO = 0.85
#: upper bound for large machines, which several people share
MAX_PROCESSES = 8


class ParallelismPolicy:
    """Measures the folds that are scored in this process; `n_folds` have to be scored in all."""

    def __init__(self, scorer: Scorer, n_folds: int, n_cores: int | None = None) -> None:
        self._scorer = scorer
        self._folds_left = n_folds
        self._seconds = 0.0
        self._folds_scored = 0
        self._n_cores = usable_cores() if n_cores is None else n_cores

    @property
    def fold_s(self) -> float:
        """Mean processor time of a fold in seconds."""
        return self._seconds / max(self._folds_scored, 1)

    @property
    def n_processes(self) -> int:
        """The number of processes to start."""
        return min(self._n_cores, MAX_PROCESSES, self._folds_left)

    @contextmanager
    def measure_fold(self) -> Iterator[None]:
        """Measure the scoring of one fold in this block."""
        # processor time: on a busy machine a fold takes longer, but so would the start of a process
        started_at = time.thread_time()
        try:
            yield
        finally:
            self._seconds += time.thread_time() - started_at
            self._folds_scored += 1
            self._folds_left -= 1

    def is_worthwhile(self) -> bool:
        """Return whether several processes would score the remaining folds sooner."""
        if os.name != "posix" or self._folds_left < 2 or self.n_processes < 2:
            return False
        if self._seconds < MIN_MEASURED_S:
            return False
        serial_s = self.fold_s * self._folds_left
        start_s = FORK_START_S if fork_server.is_running() else INTERPRETER_START_S
        parallel_s = start_s + serial_s / self.n_processes
        return parallel_s < MAX_TIME_RATIO * serial_s and _fits_in_memory(
            self._scorer, self.n_processes
        )


def _fits_in_memory(scorer: Scorer, n_processes: int) -> bool:
    # each has the data, a copy of most of it for the fold, what the model makes of it; and the libraries
    return n_processes * (4 * scorer.nbytes + 300 * 2**20) < free_memory() / 2
