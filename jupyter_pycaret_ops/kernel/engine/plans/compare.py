"""Compare models and keep the best."""

from __future__ import annotations

import time

from jupyter_pycaret_ops.common.protocol import JSON

from .. import candidates, finalize
from ..interfaces import PlanResult
from ..leaderboard import Leaderboard
from ..prepared_task import PreparedTask
from .base import ALL, EXCLUDE, INCLUDE, MODEL_TIME_LIMIT, N_SELECT, SORT, TIME_LIMIT, Plan
from .models import model_candidates


def run(prepared: PreparedTask, params: JSON) -> PlanResult:
    """Score the candidates and keep the pipelines of the best `n_select`."""
    board = compare_models(prepared, params)
    finalize.keep_best(prepared, board, int(params["n_select"]))
    return PlanResult(leaderboard=board.records(), metrics_summary=board.summary())


def compare_models(prepared: PreparedTask, params: JSON) -> Leaderboard:
    """Score the candidates that `include` and `exclude` select, and return the leaderboard."""
    ids = candidates.select_models(prepared, params.get("include"), params.get("exclude"))
    started_at = time.monotonic()
    prepared.reporter.report(
        "model.compare.started",
        f"Comparing {len(ids)} models by {prepared.metric}",
        {"n_candidates": len(ids), "sort": prepared.metric, "candidates": ids},
    )
    board = candidates.score(prepared, model_candidates(prepared, ids, params))
    summary = board.summary()
    prepared.reporter.report(
        "model.compare.finished",
        f"{board.scored[0].record['name']} is best by {prepared.metric}",
        {
            "n_select": params.get("n_select", 1),
            "n_succeeded": summary["models"],
            "winner": board.scored[0].model_id,
        },
        (time.monotonic() - started_at) * 1000,
    )
    return board


COMPARE = Plan(
    id="compare",
    name="Compare models",
    description="Score many models, rank them and keep the best.",
    run=run,
    params=[INCLUDE, EXCLUDE, SORT, N_SELECT, TIME_LIMIT, MODEL_TIME_LIMIT],
    tasks=ALL,
    makes_models=True,
)
