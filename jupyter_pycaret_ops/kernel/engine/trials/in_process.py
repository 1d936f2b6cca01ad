"""Score a candidate in this thread."""

from __future__ import annotations

import time
from contextlib import nullcontext

from ..error_messages import kind_of, sentence_of
from ..leaderboard import Failed, Scored
from ..limits import TimeUp
from ..prepared_task import PreparedTask
from .parallelism import ParallelismPolicy
from .trial import Trial, time_up


def here(prepared: PreparedTask, trial: Trial, done: int, total: int) -> Scored | Failed:
    """Score a candidate in this thread, come what may."""
    ended = measured(prepared, trial, done, total, None)
    assert ended is not None
    return ended


def measured(
    prepared: PreparedTask,
    trial: Trial,
    done: int,
    total: int,
    parallelism: ParallelismPolicy | None,
) -> Scored | Failed | None:
    """Score a candidate in this thread; None as soon as `parallelism` says that child processes pay."""
    candidate, folds = trial.candidate, prepared.scorer.folds
    tick = prepared.reporter.fold_tick(done, total, candidate.name, candidate.model_id)
    try:
        with prepared.limits.watched():
            trial.begin(prepared)
            while trial.todo:
                if parallelism is not None and parallelism.is_worthwhile():
                    trial.spent = time.monotonic() - (trial.began or 0)
                    return None
                fold = trial.todo[0]
                tick(fold + 1, folds)
                with parallelism.measured() if parallelism is not None else nullcontext():
                    try:
                        trial.scores[fold] = prepared.scorer.score(trial.estimator, fold)
                    except Exception as error:
                        trial.lose(error)
                trial.todo.pop(0)
    except TimeUp:
        prepared.limits.stop()
        return trial.failed(time_up(prepared), "timeout")
    except Exception as error:
        return trial.failed(sentence_of(error), kind_of(error))
    return trial.outcome(prepared)
