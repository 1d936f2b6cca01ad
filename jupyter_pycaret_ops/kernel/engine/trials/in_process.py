"""Score a candidate in this thread."""

from __future__ import annotations

import time
from contextlib import nullcontext

from ..error_messages import classify_error, describe_error
from ..leaderboard import Failed, Scored
from ..limits import TimeLimitExceeded
from ..prepared_task import PreparedTask
from .parallelism import ParallelismPolicy
from .trial import Pruned, Trial, time_limit_message


def score_in_process(
    prepared: PreparedTask, trial: Trial, n_done: int, n_total: int
) -> Scored | Failed | Pruned:
    """Score all folds of a candidate in this thread, and return its outcome.

    `n_done` of `n_total` candidates have ended before; the numbers appear in progress events.
    """
    outcome = score_until_worthwhile(prepared, trial, n_done, n_total, None)
    assert outcome is not None
    return outcome


def score_until_worthwhile(
    prepared: PreparedTask,
    trial: Trial,
    n_done: int,
    n_total: int,
    parallelism: ParallelismPolicy | None,
) -> Scored | Failed | Pruned | None:
    """Score a candidate as `score_in_process` does, but stop once several processes are worthwhile.

    Return None in that case; `trial` then holds the folds that are left.
    """
    candidate, n_folds = trial.candidate, prepared.scorer.n_folds
    before_fold = prepared.reporter.fold_callback(
        n_done, n_total, candidate.name, candidate.model_id
    )
    try:
        with prepared.limits.enforced():
            trial.start(prepared)
            while trial.folds_left or trial.folds_later:
                if not trial.folds_left:
                    trial.decide()
                    continue
                if parallelism is not None and parallelism.is_worthwhile():
                    trial.seconds_in_process = time.monotonic() - (trial.started_at or 0)
                    return None
                fold = trial.folds_left[0]
                before_fold(fold + 1, n_folds)
                with parallelism.measure_fold() if parallelism is not None else nullcontext():
                    try:
                        trial.scores[fold] = prepared.scorer.score(trial.estimator, fold)
                    except Exception as error:
                        trial.record_fold_error(error)
                trial.folds_left.pop(0)
    except TimeLimitExceeded:
        prepared.limits.stop()
        return trial.failed(time_limit_message(prepared), "timeout")
    except Exception as error:
        return trial.failed(describe_error(error), classify_error(error))
    return trial.outcome(prepared)
