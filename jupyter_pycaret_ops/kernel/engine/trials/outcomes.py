"""Score candidates in this thread, then in several processes once that is worthwhile."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from ..prepared_task import PreparedTask
from .in_process import score_until_worthwhile
from .parallelism import ParallelismPolicy
from .process_pool import score_in_processes
from .trial import Candidate, Outcome, Skipped, Trial


def iter_outcomes(
    prepared: PreparedTask, candidates: Sequence[Candidate], first_position: int = 0
) -> Generator[Outcome, None, None]:
    """Score `candidates` and yield one outcome for each, not reported yet.

    `first_position` is the position of the first candidate on the leaderboard. Scoring begins in this
    thread and goes on in several processes, in any order, once the time of the first folds shows that
    this is worthwhile. The scores are the same.
    """
    n_folds = prepared.scorer.n_folds
    trials = [
        Trial(candidate, first_position + offset, [None] * n_folds, list(range(n_folds)))
        for offset, candidate in enumerate(candidates)
    ]
    parallelism = ParallelismPolicy(prepared.scorer, n_folds * len(trials))
    for n_done, trial in enumerate(trials):
        prepared.reporter.checkpoint()
        if prepared.limits.is_run_limit_exceeded():
            yield Skipped(trial.candidate)
            continue
        outcome = score_until_worthwhile(prepared, trial, n_done, len(trials), parallelism)
        if outcome is None:
            yield from score_in_processes(prepared, trials[n_done:], n_done, parallelism)
            return
        yield outcome
