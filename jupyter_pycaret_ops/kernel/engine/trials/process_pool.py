"""Score folds in several processes: assign folds, collect scores, enforce limits."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from multiprocessing.connection import wait

from ..error_messages import classify_error, describe_error
from ..notebook_objects import dumps
from ..prepared_task import PreparedTask
from .in_process import score_in_process
from .parallelism import ParallelismPolicy
from .scoring_process import ProcessLost, ScoringProcess
from .trial import Outcome, Skipped, Trial

#: seconds between two checks of the cancel flag and the limits
_POLL_S = 0.1


class Workers:
    """The scoring processes of a run; they may score one list of trials after the other."""

    def __init__(self, prepared: PreparedTask, n_processes: int) -> None:
        self._scorer = dumps(prepared.scorer, prepared.own.modules())
        self.processes = [ScoringProcess(self._scorer) for _ in range(n_processes)]

    def replace(self, process: ScoringProcess) -> None:
        """Kill a process and start another one."""
        process.kill()
        self.processes[self.processes.index(process)] = ScoringProcess(self._scorer)

    def kill(self) -> None:
        """Kill all processes."""
        for process in self.processes:
            process.kill()


def start_workers(prepared: PreparedTask, parallelism: ParallelismPolicy) -> Workers:
    """Start as many processes as the folds that are left are worth, and report it."""
    n_processes = parallelism.n_processes
    prepared.reporter.report(
        "run.parallel",
        f"A fold takes {parallelism.fold_s:.1f} s: the others are scored in {n_processes} processes.",
        {"processes": n_processes, "fold_seconds": round(parallelism.fold_s, 3)},
    )
    return Workers(prepared, n_processes)


def score_in_processes(
    prepared: PreparedTask, trials: Sequence[Trial], n_done: int, workers: Workers
) -> Iterator[Outcome]:
    """Score `trials`, of which the first may have started, and yield their outcomes in any order.

    `n_done` candidates have ended before.
    """
    pool = _ProcessPool(prepared, trials, n_done, workers)
    yield from pool.outcomes()
    if pool.unfinished:
        prepared.reporter.warn(
            "No processes can be started here; the remaining models are scored one by one.",
            reason="no_processes",
        )
        yield from pool.score_unfinished_in_process()


class _ProcessPool:
    def __init__(
        self, prepared: PreparedTask, trials: Sequence[Trial], n_done: int, workers: Workers
    ) -> None:
        self._prepared = prepared
        self._workers = workers
        self._waiting = list(trials)
        self._started: list[Trial] = []
        self._n_done = n_done
        self._n_total = n_done + len(trials)
        self._estimators: dict[int, bytes] = {}
        self._processes = workers.processes

    def outcomes(self) -> Iterator[Outcome]:
        """Yield outcomes until all trials have ended, or no process is left (see `unfinished`)."""
        while self.unfinished and self._processes:
            self._prepared.reporter.checkpoint()
            if self._prepared.limits.is_run_limit_exceeded():
                yield from self._stop_all()
                return
            yield from self._stop_overdue()
            yield from self._assign_folds()
            connections = [process.connection for process in self._processes]
            for connection in wait(connections, _POLL_S):
                process = next(p for p in self._processes if p.connection is connection)
                yield from self._receive(process)

    @property
    def unfinished(self) -> list[Trial]:
        """The trials that have not ended."""
        return [*self._started, *self._waiting]

    def score_unfinished_in_process(self) -> Iterator[Outcome]:
        """Score the unfinished trials in this thread, and yield their outcomes."""
        for trial in self.unfinished:
            self._prepared.reporter.checkpoint()
            yield score_in_process(self._prepared, trial, self._n_done, self._n_total)
            self._n_done += 1

    def _assign_folds(self) -> Iterator[Outcome]:
        """Assign to each idle process a fold of the first trial that has one left."""
        for process in self._processes:
            if not process.is_ready or process.assignment is not None:
                continue
            while (
                trial := next((t for t in self._started if t.folds_left), None)
                or self._next_waiting()
            ):
                try:
                    trial.start(self._prepared)
                    estimator = self._pickled_estimator(trial)
                except Exception as error:
                    outcome = trial.failed(describe_error(error), classify_error(error))
                    yield self._finish(trial, outcome)
                    continue
                fold = trial.folds_left.pop(0)
                self._report_progress(trial, fold)
                process.assign((trial, fold), estimator, fold)
                break

    def _next_waiting(self) -> Trial | None:
        if not self._waiting:
            return None
        trial = self._waiting.pop(0)
        if (
            trial.started_at is not None
        ):  # the start of the processes does not count as fitting time
            trial.started_at = time.monotonic() - trial.seconds_in_process
        self._started.append(trial)
        return trial

    def _pickled_estimator(self, trial: Trial) -> bytes:
        if trial.position not in self._estimators:
            self._estimators[trial.position] = dumps(trial.estimator, self._prepared.own.modules())
        return self._estimators[trial.position]

    def _report_progress(self, trial: Trial, fold: int) -> None:
        self._prepared.reporter.progress(
            self._n_done,
            self._n_total,
            trial.candidate.name,
            model_id=trial.candidate.model_id,
            fold=fold + 1,
            folds=len(trial.scores),
        )

    def _receive(self, process: ScoringProcess) -> Iterator[Outcome]:
        assignment = process.assignment
        try:
            reply = process.receive()
        except ProcessLost as lost:
            if not process.is_ready:  # it did not start, nor would another one
                process.kill()
                self._processes.remove(process)
                return
            self._workers.replace(process)
            reply = (None, lost)
        if reply is None or assignment is None:
            return
        trial, fold = assignment
        if trial not in self._started:
            return
        scores, error = reply
        if error is None:
            trial.scores[fold] = scores
        else:
            trial.record_fold_error(error)
        if not trial.folds_left and not self._is_assigned(trial):
            trial.decide()
            if not trial.folds_left:
                yield self._finish(trial, trial.outcome(self._prepared))

    def _is_assigned(self, trial: Trial) -> bool:
        return any(p.assignment and p.assignment[0] is trial for p in self._processes)

    def _stop_overdue(self) -> Iterator[Outcome]:
        """Fail the trials over the limit of a model, and replace the processes that score them."""
        limit = self._prepared.limits.model_s
        if limit is None:
            return
        for trial in list(self._started):
            if trial.started_at is not None and time.monotonic() - trial.started_at >= limit:
                for process in list(self._processes):
                    if process.assignment and process.assignment[0] is trial:
                        self._workers.replace(process)
                yield self._finish(
                    trial,
                    trial.failed(
                        f"Stopped: it took longer than the {limit:g} s that a model may take.",
                        "timeout",
                    ),
                )

    def _stop_all(self) -> Iterator[Outcome]:
        """Fail the started trials and skip the waiting ones: the run's time limit has passed."""
        for trial in list(self._started):
            yield self._finish(
                trial,
                trial.failed(
                    f"Stopped: the run's time limit of {self._prepared.limits.run_s:g} s was up.",
                    "timeout",
                ),
            )
        while self._waiting:
            yield Skipped(self._waiting.pop(0).candidate)

    def _finish(self, trial: Trial, outcome: Outcome) -> Outcome:
        self._started.remove(trial)
        self._estimators.pop(trial.position, None)
        self._n_done += 1
        return outcome
