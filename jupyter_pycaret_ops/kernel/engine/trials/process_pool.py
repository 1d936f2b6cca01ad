"""The parent's side: hand out folds, take answers, keep the limits."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from multiprocessing.connection import wait

from ..error_messages import kind_of, sentence_of
from ..prepared_task import PreparedTask
from .in_process import here
from .parallelism import ParallelismPolicy
from .scoring_process import Child, ChildLost
from .trial import Outcome, Skipped, Trial

#: seconds between two looks at the flag of a cancel and at the limits
_LOOK_S = 0.1


def score_in_processes(
    prepared: PreparedTask, trials: Sequence[Trial], done: int, parallelism: ParallelismPolicy
) -> Iterator[Outcome]:
    """Outcomes of `trials`, whose first one may have begun, scored in child processes.

    `done` candidates have ended before. Whatever happens, no child is left afterwards.
    """
    prepared.reporter.tell(
        "run.parallel",
        f"A fold takes {parallelism.fold_s:.1f} s: the others are scored in {parallelism.children} processes.",
        {"processes": parallelism.children, "fold_seconds": round(parallelism.fold_s, 3)},
    )
    with ExitStack() as ended:
        crew = _Crew(prepared, trials, done, parallelism.children)
        ended.callback(crew.kill)
        yield from crew.outcomes()
    if crew.left:
        prepared.reporter.warn(
            "The child processes do not start in this environment; the rest is scored one by one.",
            reason="no_processes",
        )
        yield from crew.left_here()


class _Crew:
    def __init__(
        self, prepared: PreparedTask, trials: Sequence[Trial], done: int, children: int
    ) -> None:
        import cloudpickle

        self._prepared = prepared
        self._waiting = list(trials)
        self._open: list[Trial] = []
        self._done = done
        self._total = done + len(trials)
        self._scorer = cloudpickle.dumps(prepared.scorer)
        self._estimators: dict[int, bytes] = {}
        self._children = [Child(self._scorer) for _ in range(children)]

    def kill(self) -> None:
        """End all children."""
        for child in self._children:
            child.kill()

    def outcomes(self) -> Iterator[Outcome]:
        """See `score_in_processes`."""
        while self.left and self._children:
            self._prepared.reporter.checkpoint()
            if self._prepared.limits.is_run_over():
                yield from self._stopped()
                return
            yield from self._late()
            yield from self._hand_out()
            for line in wait([child.line for child in self._children], _LOOK_S):
                yield from self._take(next(c for c in self._children if c.line is line))

    @property
    def left(self) -> list[Trial]:
        """The candidates that have not ended."""
        return [*self._open, *self._waiting]

    def left_here(self) -> Iterator[Outcome]:
        """What is left, scored in this thread."""
        for trial in self.left:
            self._prepared.reporter.checkpoint()
            yield here(self._prepared, trial, self._done, self._total)
            self._done += 1

    def _hand_out(self) -> Iterator[Outcome]:
        """Give each child that waits a fold of the first candidate that has one."""
        for child in self._children:
            if not child.ready or child.work is not None:
                continue
            while trial := next((t for t in self._open if t.todo), None) or self._next():
                try:
                    trial.begin(self._prepared)
                    content = self._content(trial)
                except Exception as error:
                    yield self._close(trial, trial.failed(sentence_of(error), kind_of(error)))
                    continue
                fold = trial.todo.pop(0)
                self._tell(trial, fold)
                child.give((trial, fold), content, fold)
                break

    def _next(self) -> Trial | None:
        if not self._waiting:
            return None
        trial = self._waiting.pop(0)
        if trial.began is not None:  # the start of the children is not the model's time
            trial.began = time.monotonic() - trial.spent
        self._open.append(trial)
        return trial

    def _content(self, trial: Trial) -> bytes:
        import cloudpickle

        if trial.position not in self._estimators:
            self._estimators[trial.position] = cloudpickle.dumps(trial.estimator)
        return self._estimators[trial.position]

    def _tell(self, trial: Trial, fold: int) -> None:
        self._prepared.reporter.progress(
            self._done,
            self._total,
            trial.candidate.name,
            model_id=trial.candidate.model_id,
            fold=fold + 1,
            folds=len(trial.scores),
        )

    def _take(self, child: Child) -> Iterator[Outcome]:
        work = child.work
        try:
            said = child.answer()
        except ChildLost as error:
            if not child.ready:  # another one would not start either
                child.kill()
                self._children.remove(child)
                return
            self._replace(child)
            said = (None, error)
        if said is None or work is None:
            return
        trial, fold = work
        if trial not in self._open:
            return
        scores, failure = said
        if failure is None:
            trial.scores[fold] = scores
        else:
            trial.lose(failure)
        if not trial.todo and not any(c.work and c.work[0] is trial for c in self._children):
            yield self._close(trial, trial.outcome(self._prepared))

    def _replace(self, child: Child) -> None:
        child.kill()
        self._children[self._children.index(child)] = Child(self._scorer)

    def _late(self) -> Iterator[Outcome]:
        """Stop the candidates whose own limit has passed, with the processes that are at it."""
        limit = self._prepared.limits.model_s
        if limit is None:
            return
        for trial in list(self._open):
            if trial.began is not None and time.monotonic() - trial.began >= limit:
                for child in list(self._children):
                    if child.work and child.work[0] is trial:
                        self._replace(child)
                yield self._close(
                    trial,
                    trial.failed(
                        f"Stopped: it took longer than the {limit:g} s that a model may take.",
                        "timeout",
                    ),
                )

    def _stopped(self) -> Iterator[Outcome]:
        """The run's time is up: what is at work failed, what waits was not tried."""
        for trial in list(self._open):
            yield self._close(
                trial,
                trial.failed(
                    f"Stopped: the run's time limit of {self._prepared.limits.run_s:g} s was up.",
                    "timeout",
                ),
            )
        while self._waiting:
            yield Skipped(self._waiting.pop(0).candidate)

    def _close(self, trial: Trial, outcome: Outcome) -> Outcome:
        self._open.remove(trial)
        self._estimators.pop(trial.position, None)
        self._done += 1
        return outcome
