"""Score candidates one after the other, and side by side where that is_worthwhile."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from ..prepared_task import PreparedTask
from .in_process import measured
from .parallelism import ParallelismPolicy
from .process_pool import score_in_processes
from .trial import Candidate, Outcome, Skipped, Trial


def outcomes(
    prepared: PreparedTask, candidates: Sequence[Candidate], first: int = 0
) -> Generator[Outcome, None, None]:
    """One outcome for each candidate, told to nobody yet; `first` is the position of the first.

    Begins in this thread; goes on in child processes, in any order, when the time that the first
    folds took says that this is_worthwhile. The numbers are the same.
    """
    folds = prepared.scorer.folds
    trials = [
        Trial(candidate, first + place, [None] * folds, list(range(folds)))
        for place, candidate in enumerate(candidates)
    ]
    parallelism = ParallelismPolicy(prepared.scorer, folds * len(trials))
    for done, trial in enumerate(trials):
        prepared.reporter.checkpoint()
        if prepared.limits.is_run_over():
            yield Skipped(trial.candidate)
            continue
        outcome = measured(prepared, trial, done, len(trials), parallelism)
        if outcome is None:
            yield from score_in_processes(prepared, trials[done:], done, parallelism)
            return
        yield outcome
