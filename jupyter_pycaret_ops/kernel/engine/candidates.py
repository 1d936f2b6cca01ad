"""Select the models to try, score them, and report each one as it is scored.

The engine's own compare reports nothing until its end, hides failures and knows no time limit;
here each candidate is scored fold by fold with the engine's metrics (see `trials`), with the same
scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from jupyter_pycaret_ops.common.protocol import JSON

from .features import quote_names
from .interfaces import PlanFailed
from .leaderboard import Failed, Leaderboard, Scored
from .prepared_task import PreparedTask
from .resources import free_memory
from .trials import Candidate, iter_outcomes

#: models that need memory quadratic in the rows: number of float64 matrices of shape (n_rows, n_rows)
_SQUARE = {"kr": 3, "gpc": 4, "ap": 4, "sc": 3, "hclust": 2, "sos": 4, "cof": 3}

#: what a model with other settings than its defaults is called, after the model
TUNED = "tuned"


def select_models(
    prepared: PreparedTask, include: Sequence[str] | None, exclude: Sequence[str] | None
) -> list[str]:
    """Return the ids of the candidates: `include` if given, else the engine's defaults.

    Raises `PlanFailed` for ids that the engine does not have here, and when none is left.
    """
    known = prepared.experiment.registry
    for name, ids in (("include", include), ("exclude", exclude)):
        unknown = [i for i in ids or () if i not in known]
        if unknown:
            raise PlanFailed(
                "user",
                f"{name} names {quote_names(unknown)}, which cannot run here; the models are: "
                f"{', '.join(known)}.",
            )
    requested = list(dict.fromkeys(include)) if include else prepared.experiment.default_models
    chosen = [i for i in requested if i not in set(exclude or ())]
    if not include:
        chosen = _without_too_large(prepared, chosen)
    if not chosen:
        raise PlanFailed("user", "No model is left to compare; exclude fewer, or name others.")
    return chosen


def _without_too_large(prepared: PreparedTask, ids: list[str]) -> list[str]:
    n_rows = prepared.experiment.n_rows
    free = free_memory()
    kept = []
    for model_id in ids:
        needed = 8 * n_rows * n_rows * _SQUARE.get(model_id, 0)
        if needed <= free / 2:
            kept.append(model_id)
            continue
        name = prepared.experiment.model_names[model_id]
        prepared.reporter.warn(
            f"{name} was left out: with {n_rows} rows it needs about {needed / 2**30:.1f} GiB of "
            "memory; name it in include to try it anyway.",
            model_id=model_id,
            reason="memory",
            needed_bytes=needed,
        )
    return kept


def model_candidate(
    prepared: PreparedTask, model_id: str, parameters: JSON | None = None
) -> Candidate:
    """Return one of the engine's models as a candidate; `parameters` override its defaults."""
    experiment = prepared.experiment
    return Candidate(
        model_id,
        experiment.model_names[model_id],
        lambda: experiment.make_estimator(model_id, parameters or {}),
        {"baseline": True} if model_id == prepared.task.baseline else {},
    )


def tuned(prepared: PreparedTask, model_id: str, setting: JSON) -> Candidate:
    """Return a model with a setting as a candidate; with `early_stopping` a booster finds its number of trees."""
    name = prepared.experiment.model_names[model_id]
    return Candidate(
        f"{model_id}_{TUNED}",
        f"{name} ({TUNED})",
        lambda: prepared.experiment.make_estimator(model_id, setting),
        {"params": setting},
    )


def score(
    prepared: PreparedTask, candidates: Sequence[Candidate], board: Leaderboard | None = None
) -> Leaderboard:
    """Score as many candidates as the run's time limit allows, add them to `board`, and return it.

    Each is reported as `model.scored` or `model.failed`. Raises `PlanFailed` when no model on the board
    was scored.
    """
    board = board or Leaderboard(prepared.metric, prepared.greater_is_better)
    reporter, limits = prepared.reporter, prepared.limits
    skipped: list[Candidate] = []
    before = len(board.scored)
    # closed at once when a cancel interrupts it, which ends the scoring processes
    with closing(iter_outcomes(prepared, candidates, first_position=board.size)) as outcomes:
        for outcome in outcomes:
            if isinstance(outcome, Failed):
                add_failure(prepared, board, outcome)
            elif isinstance(outcome, Scored):
                add_score(prepared, board, outcome)
            else:
                skipped.append(outcome.candidate)
    is_cut_short = limits.is_run_limit_exceeded() and any(
        failed.kind == "timeout" for failed in board.failed
    )
    if skipped or is_cut_short:
        reporter.warn(
            f"The time limit of {limits.run_s:g} s was up: "
            f"{len(board.scored) - before} of {len(candidates)} models were scored.",
            reason="time_limit",
            time_limit=limits.run_s,
            skipped=[{"model_id": item.model_id, "name": item.name} for item in skipped],
        )
    reporter.progress(len(candidates), len(candidates), "Models scored")
    if not board.scored:
        raise nothing_scored_error(board, limits.is_run_limit_exceeded())
    return board


def add_score(prepared: PreparedTask, board: Leaderboard, scored: Scored) -> None:
    """Add a model to the board, report it, and store what it has answered."""
    board.add(scored)
    prepared.note_threshold(scored)
    prepared.score_jointly(board)
    board.sort()
    value = scored.record.get(board.metric or "")
    prepared.reporter.report(
        "model.scored",
        f"{scored.record['name']}: {board.metric} "
        + ("could not be computed" if value is None else f"{value:.4f}"),
        {**scored.record, "fold_metrics": scored.fold_metrics},
        scored.record["seconds"] * 1000,
    )
    prepared.store_outputs(scored)
    scored.fold_outputs = []  # they may be large


def add_failure(prepared: PreparedTask, board: Leaderboard, failed: Failed) -> None:
    """Note on the board that a model failed, and report it."""
    board.failed.append(failed)
    prepared.reporter.report(
        "model.failed",
        f"{failed.name} failed: {failed.error}",
        {
            "model_id": failed.model_id,
            "name": failed.name,
            "error": failed.error,
            "error_kind": failed.kind,
        },
    )


def nothing_scored_error(board: Leaderboard, is_run_limit_exceeded: bool) -> PlanFailed:
    """Return why no model was scored."""
    kinds = [failed.kind for failed in board.failed]
    if is_run_limit_exceeded or (kinds and set(kinds) == {"timeout"}):
        return PlanFailed(
            "timeout",
            "No model was scored within the time limit; give more time, fewer folds or faster "
            "models.",
        )
    # the most frequent error; a timeout tells less than an error
    errored = [failed for failed in board.failed if failed.kind != "timeout"]
    errors = [failed.error for failed in errored]
    reason = max(errored, key=lambda failed: errors.count(failed.error))
    if len(board.failed) == 1:
        return PlanFailed(reason.kind, f"{reason.name} failed: {reason.error}")
    return PlanFailed(
        reason.kind,
        f"All {len(board.failed)} models failed; {errors.count(reason.error)} of them with: "
        f"{reason.error}",
    )
