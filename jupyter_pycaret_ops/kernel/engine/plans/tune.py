"""Tune one model by random search over the values that the engine knows."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from jupyter_pycaret_ops.common.protocol import JSON

from .. import candidates, finalize
from ..interfaces import PlanFailed, PlanResult
from ..leaderboard import Leaderboard, Scored
from ..parameters import Param
from ..prepared_task import PreparedTask
from ..trials import Candidate, iter_outcomes
from .base import MODEL_TIME_LIMIT, SCORED, TIME_LIMIT, Plan
from .models import requested_model_id

#: what a tuned model is called, after the model
TUNED = "tuned"
OPTIMIZE = Param("optimize", {"type": ["string", "null"]}, None, "The metric to improve.")
N_ITER = Param(
    "n_iter",
    {"type": "integer", "minimum": 1, "maximum": 1000},
    10,
    "How many settings to try.",
)


def run(prepared: PreparedTask, params: JSON) -> PlanResult:
    """Score the model with its defaults and with other settings; keep the best."""
    model_id = requested_model_id(prepared)
    board = candidates.score(prepared, [candidates.model_candidate(prepared, model_id)])
    tune(prepared, board, model_id, params, params["custom_grid"])
    finalize.keep_best(prepared, board)
    return PlanResult(leaderboard=board.records(), metrics_summary=board.summary())


def tune(
    prepared: PreparedTask,
    board: Leaderboard,
    model_id: str,
    params: JSON,
    grid: Mapping[str, list[Any]] | None = None,
) -> None:
    """Score settings of a model and add the best one to `board`.

    Settings are drawn as by scikit-learn's `RandomizedSearchCV`, which the engine uses, and scored with
    the engine's metric of that name. (The engine's own tuning uses other metrics for several classes,
    and scores a failed setting 0, which is the best value of an error.) Raises `PlanFailed` when `grid`
    names a parameter that the model does not have.
    """
    name = prepared.experiment.model_names[model_id]
    settings = _settings(prepared, model_id, int(params["n_iter"]), grid)
    if not settings:
        prepared.reporter.warn(
            f"{name} has no settings to search; give custom_grid to try some.",
            model_id=model_id,
            reason="no_search_space",
        )
        return
    started_at = time.monotonic()
    prepared.reporter.report(
        "model.tune.started",
        f"Trying {len(settings)} settings of {name} for {prepared.metric}",
        {"model_id": model_id, "n_iter": len(settings), "optimize": prepared.metric},
    )
    tuning_board = Leaderboard(prepared.metric, prepared.greater_is_better)
    trials = [tuned(prepared, model_id, setting) for setting in settings]
    with (
        closing(iter_outcomes(prepared, trials, first_position=board.size)) as outcomes,
        prepared.reporter.muted_models(),
    ):
        for outcome in outcomes:
            if isinstance(outcome, Scored):
                tuning_board.add(outcome)
                for other in tuning_board.scored[1:]:
                    other.fold_outputs = []  # they may be large
    if not tuning_board.scored:
        prepared.reporter.warn(
            f"No other setting of {name} could be scored.", model_id=model_id, reason="tuning"
        )
        return
    best = tuning_board.scored[0]
    prepared.reporter.report(
        "model.tuned",
        f"Best of {len(tuning_board.scored)} settings of {name} found",
        {
            "model_id": model_id,
            "best_params": best.record["params"],
            "tried": [
                {"params": s.record["params"], "value": s.record.get(prepared.metric or "")}
                for s in tuning_board.scored
            ],
        },
        (time.monotonic() - started_at) * 1000,
    )
    candidates.add_score(prepared, board, best)


def tuned(prepared: PreparedTask, model_id: str, setting: JSON) -> Candidate:
    """Return a model with a setting as a candidate."""
    name = prepared.experiment.model_names[model_id]
    return Candidate(
        f"{model_id}_{TUNED}",
        f"{name} ({TUNED})",
        lambda: prepared.experiment.make_estimator(model_id, setting),
        {"params": setting},
    )


def _settings(
    prepared: PreparedTask, model_id: str, n_iter: int, grid: Mapping[str, list[Any]] | None
) -> list[JSON]:
    from sklearn.model_selection import ParameterGrid, ParameterSampler

    space = dict(grid) if grid else prepared.experiment.search_space(model_id)
    if not space:
        return []
    known_parameters = set(prepared.experiment.default_parameters(model_id))
    unknown = [name for name in space if name not in known_parameters]
    if unknown:
        raise PlanFailed(
            "user",
            f"{prepared.experiment.model_names[model_id]} has no parameter “{unknown[0]}”; it has: "
            f"{', '.join(sorted(known_parameters))}.",
        )
    n_iter = min(n_iter, len(ParameterGrid(space)))
    return list(ParameterSampler(space, n_iter, random_state=prepared.settings["session_id"]))


TUNE = Plan(
    id="tune",
    name="Tune a model",
    description="Try other settings of one model and keep the best. The result is never worse than the defaults.",
    run=run,
    params=[
        OPTIMIZE,
        N_ITER,
        Param(
            "custom_grid",
            {
                "type": ["object", "null"],
                "additionalProperties": {"type": "array", "minItems": 1},
            },
            None,
            "Values to try for each parameter, instead of the engine's.",
        ),
        TIME_LIMIT,
        MODEL_TIME_LIMIT,
    ],
    tasks=SCORED,
    needs_model=True,
)
