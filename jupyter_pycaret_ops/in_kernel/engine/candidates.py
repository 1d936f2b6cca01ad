"""Fit candidate by candidate, and tell each of them as it is scored.

The engine's own compare reports nothing until its end, hides failures and knows no time limit;
this loop calls `create_model` for each candidate and gets the same numbers.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence

from jupyter_pycaret_ops.protocol import JSON

from .contracts import PlanFailed
from .explain import kind_of, sentence_of
from .frames import listed
from .leaderboard import Failed, Leaderboard, Scored, record_of
from .limits import TimeUp
from .session import Session
from .splitter import TickingSplitter

#: models that hold a matrix of rows × rows, and how many copies of it
_SQUARE = {"kr": 3, "gpc": 4}


def choose(
    session: Session, include: Sequence[str] | None, exclude: Sequence[str] | None
) -> list[str]:
    """Ids of the candidates: exactly `include` if given, else the engine's defaults.

    Raises `PlanFailed` for ids that the engine does not have here, and when none is left.
    """
    known = session.experiment.registry
    for name, ids in (("include", include), ("exclude", exclude)):
        unknown = [i for i in ids or () if i not in known]
        if unknown:
            raise PlanFailed(
                "user",
                f"{name} names {listed(unknown)}, which cannot run here; the models are: "
                f"{', '.join(known)}.",
            )
    wanted = list(dict.fromkeys(include)) if include else session.experiment.defaults
    chosen = [i for i in wanted if i not in set(exclude or ())]
    if not include:
        chosen = _without_too_large(session, chosen)
    if not chosen:
        raise PlanFailed("user", "No model is left to compare; exclude fewer, or name others.")
    return chosen


def _without_too_large(session: Session, ids: list[str]) -> list[str]:
    rows = session.experiment.sizes["train"]
    free = _free_memory()
    kept = []
    for model_id in ids:
        needed = 8 * rows * rows * _SQUARE.get(model_id, 0)
        if needed <= free / 2:
            kept.append(model_id)
            continue
        name = session.experiment.names[model_id]
        session.narrator.warn(
            f"{name} was left out: with {rows} rows it needs about {needed / 2**30:.1f} GiB of "
            "memory; name it in include to try it all the same.",
            model_id=model_id,
            reason="memory",
            needed_bytes=needed,
        )
    return kept


def _free_memory() -> int:
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return 4 * 2**30


def score(session: Session, ids: Sequence[str], parameters: JSON | None = None) -> Leaderboard:
    """Score all of `ids`, or as many as the run's time limit lets.

    Each ends in `model.scored` or `model.failed`. Raises `PlanFailed` when none was scored.
    """
    board = Leaderboard(session.metric, session.greater_is_better)
    narrator, limits = session.narrator, session.limits
    skipped: list[str] = []
    for outcome in _in_turn(session, ids, parameters or {}):
        if isinstance(outcome, Failed):
            board.failed.append(outcome)
            narrator.tell(
                "model.failed",
                f"{outcome.name} failed: {outcome.error}",
                {
                    "model_id": outcome.model_id,
                    "name": outcome.name,
                    "error": outcome.error,
                    "error_kind": outcome.kind,
                },
            )
        elif isinstance(outcome, Scored):
            board.add(outcome)
            value = outcome.record.get(board.metric)
            narrator.tell(
                "model.scored",
                f"{outcome.record['name']}: {board.metric} "
                + ("could not be computed" if value is None else f"{value:.4f}"),
                {**outcome.record, "fold_metrics": outcome.fold_metrics},
                outcome.record["seconds"] * 1000,
            )
        else:
            skipped.append(outcome)
    is_cut = limits.is_run_over() and any(failed.kind == "timeout" for failed in board.failed)
    if skipped or is_cut:
        names = session.experiment.names
        narrator.warn(
            f"The time limit of {limits.run_s:g} s was up: "
            f"{len(board.scored)} of {len(ids)} models were scored.",
            reason="time_limit",
            time_limit=limits.run_s,
            skipped=[{"model_id": i, "name": names[i]} for i in skipped],
        )
    narrator.progress(len(ids), len(ids), "Models scored")
    if not board.scored:
        raise _nothing_scored(board, limits.is_run_over())
    return board


def _in_turn(
    session: Session, ids: Sequence[str], parameters: JSON
) -> Iterator[Scored | Failed | str]:
    """One outcome for each candidate, in any order; a bare id is one that was not tried.

    A candidate knows nothing of the others: this loop is the place to go parallel.
    """
    for done, model_id in enumerate(ids):
        session.narrator.checkpoint()
        if session.limits.is_run_over():
            yield model_id
        else:
            yield _one(session, model_id, parameters, done, len(ids))


def _one(
    session: Session, model_id: str, parameters: JSON, done: int, total: int
) -> Scored | Failed:
    name = session.experiment.names[model_id]
    tick = session.narrator.fold_tick(done, total, name, model_id)
    began = time.monotonic()
    try:
        with session.limits.watched():
            pipeline, folds = session.experiment.create(
                model_id, TickingSplitter(session.splitter, tick), parameters
            )
    except TimeUp:
        session.limits.stop()
        return Failed(model_id, name, _time_up(session), "timeout")
    except Exception as error:
        return Failed(model_id, name, sentence_of(error), kind_of(error))
    if folds is None:
        return Failed(model_id, name, "No fold of the cross-validation could be scored.", "engine")
    seconds = time.monotonic() - began
    record, fold_metrics = record_of(model_id, name, folds, session.metric, seconds)
    lost = int(folds.isna().all(axis=1).sum())
    if lost:
        session.narrator.warn(
            f"{name} could not be fitted on {lost} of {len(folds)} folds; its mean is over the "
            "others.",
            model_id=model_id,
            reason="folds_failed",
            folds_failed=lost,
        )
    return Scored(model_id, record, fold_metrics, pipeline)


def _time_up(session: Session) -> str:
    if session.limits.whose == "run":
        return f"Stopped: the run's time limit of {session.limits.run_s:g} s was up."
    return f"Stopped: it took longer than the {session.limits.model_s:g} s that a model may take."


def _nothing_scored(board: Leaderboard, is_run_over: bool) -> PlanFailed:
    kinds = [failed.kind for failed in board.failed]
    if is_run_over or (kinds and set(kinds) == {"timeout"}):
        return PlanFailed(
            "timeout",
            "No model was scored within the time limit; give more time, fewer folds or faster "
            "models.",
        )
    # the reason that most of them gave; timeouts say less than errors
    told = [failed for failed in board.failed if failed.kind != "timeout"]
    errors = [failed.error for failed in told]
    reason = max(told, key=lambda failed: errors.count(failed.error))
    if len(board.failed) == 1:
        return PlanFailed(reason.kind, f"{reason.name} failed: {reason.error}")
    return PlanFailed(
        reason.kind,
        f"All {len(board.failed)} models failed; {errors.count(reason.error)} of them with: "
        f"{reason.error}",
    )
