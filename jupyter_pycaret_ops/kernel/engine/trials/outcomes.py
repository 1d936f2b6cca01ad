"""Score candidates one after the other, and side by side where that pays."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from ..session import Session
from .crew import go_on
from .here import measured
from .pace import Pace
from .trial import Candidate, Outcome, Skipped, Trial


def outcomes(
    session: Session, candidates: Sequence[Candidate], first: int = 0
) -> Generator[Outcome, None, None]:
    """One outcome for each candidate, told to nobody yet; `first` is the position of the first.

    Begins in this thread; goes on in child processes, in any order, when the time that the first
    folds took says that this pays. The numbers are the same.
    """
    folds = session.scorer.folds
    trials = [
        Trial(candidate, first + place, [None] * folds, list(range(folds)))
        for place, candidate in enumerate(candidates)
    ]
    pace = Pace(session.scorer, folds * len(trials))
    for done, trial in enumerate(trials):
        session.narrator.checkpoint()
        if session.limits.is_run_over():
            yield Skipped(trial.candidate)
            continue
        outcome = measured(session, trial, done, len(trials), pace)
        if outcome is None:
            yield from go_on(session, trials[done:], done, pace)
            return
        yield outcome
