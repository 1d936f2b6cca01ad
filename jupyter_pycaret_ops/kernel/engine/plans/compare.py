"""Compare models and keep the best."""

from __future__ import annotations

import time
from dataclasses import replace

from jupyter_pycaret_ops.common.protocol import JSON

from .. import candidates, finalize
from ..interfaces import PlanResult
from ..leaderboard import Leaderboard
from ..prepared_task import PreparedTask
from ..search.portfolio import promising_first
from ..trials import Candidate
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
    listed = model_candidates(prepared, ids, params)
    if prepared.limits.run_s is not None and not params.get("include"):
        listed = _promising_first(prepared, listed)
    board = candidates.score(prepared, listed)
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


def _promising_first(prepared: PreparedTask, listed: list[Candidate]) -> list[Candidate]:
    """Return candidates in the order in which to try them when time is short; of equal scores the engine's order wins."""
    task = prepared.task.type
    if not (task.is_supervised or task.rows_are_steps):
        return listed
    place = {candidate.model_id: number for number, candidate in enumerate(listed)}
    order = promising_first(
        list(place), is_label=None if task.rows_are_steps else task.answers == "labels"
    )
    return [replace(listed[place[one]], position=place[one]) for one in order]


COMPARE = Plan(
    id="compare",
    name="Compare models",
    description="Score many models, rank them and keep the best.",
    run=run,
    params=[INCLUDE, EXCLUDE, SORT, N_SELECT, TIME_LIMIT, MODEL_TIME_LIMIT],
    tasks=ALL,
    makes_models=True,
)
