"""Score candidates in this thread, then in several processes once that is worthwhile."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from ..prepared_task import PreparedTask
from .in_process import score_until_worthwhile
from .parallelism import ParallelismPolicy
from .process_pool import Workers, score_in_processes, start_workers
from .trial import Candidate, Outcome, Skipped, Trial


def iter_outcomes(
    prepared: PreparedTask, candidates: Sequence[Candidate], first_position: int = 0
) -> Generator[Outcome, None, None]:
    """Score `candidates` and yield one outcome for each, not reported yet.

    `first_position` is the position of the first candidate on the leaderboard. Scoring begins in this
    thread and goes on in several processes, in any order, once the time of the first folds shows that
    this is worthwhile. The scores are the same. Whatever happens, no process is left afterwards.
    """
    with Scoring(prepared, prepared.scorer.n_folds * len(candidates)) as scoring:
        yield from scoring.outcomes(candidates, first_position, len(candidates))


class Scoring:
    """Scores one list of candidates after the other, in processes that last until the end of the block."""

    def __init__(self, prepared: PreparedTask, n_folds: int) -> None:
        """`n_folds` : how many folds there are to score in all, as far as that is known."""
        self._prepared = prepared
        self._parallelism = ParallelismPolicy(prepared.scorer, n_folds)
        self._workers: Workers | None = None
        self._n_done = 0

    def __enter__(self) -> Scoring:
        return self

    def __exit__(self, *_: object) -> None:
        if self._workers is not None:
            self._workers.kill()

    def outcomes(
        self, candidates: Sequence[Candidate], first_position: int, n_total: int
    ) -> Generator[Outcome, None, None]:
        """Score `candidates` and yield one outcome for each; `n_total` : candidates in all, for progress events."""
        prepared = self._prepared
        trials = [
            Trial.of(candidate, first_position + offset, prepared.scorer.n_folds)
            for offset, candidate in enumerate(candidates)
        ]
        while trials and self._workers is None:
            prepared.reporter.checkpoint()
            trial = trials[0]
            if prepared.limits.is_run_limit_exceeded():
                trials.pop(0)
                yield Skipped(trial.candidate)
                continue
            outcome = score_until_worthwhile(
                prepared, trial, self._n_done, n_total, self._parallelism
            )
            if outcome is None:
                self._workers = start_workers(prepared, self._parallelism)
                break
            trials.pop(0)
            self._n_done += 1
            yield outcome
        if trials and self._workers is not None:
            n_done = self._n_done
            self._n_done += len(trials)
            yield from score_in_processes(prepared, trials, n_done, self._workers)
