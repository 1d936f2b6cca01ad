"""Compare models, then tune the best one."""

from __future__ import annotations

from jupyter_pycaret_ops.common.protocol import JSON

from .. import finalize
from ..interfaces import PlanResult
from ..prepared_task import PreparedTask
from .base import EXCLUDE, INCLUDE, MODEL_TIME_LIMIT, N_SELECT, SCORED, TIME_LIMIT, Plan
from .compare import compare_models
from .tune import N_ITER, OPTIMIZE, tune


def run(prepared: PreparedTask, params: JSON) -> PlanResult:
    """Compare the models, tune the best one, and keep the pipelines of the best `n_select`."""
    board = compare_models(prepared, params)
    if not prepared.limits.is_run_limit_exceeded():
        tune(prepared, board, board.scored[0].model_id, params)
    finalize.keep_best(prepared, board, int(params["n_select"]))
    return PlanResult(leaderboard=board.records(), metrics_summary=board.summary())


AUTOML = Plan(
    id="automl",
    name="AutoML",
    description="Compare many models, tune the best one, and keep the best result.",
    run=run,
    params=[OPTIMIZE, N_ITER, INCLUDE, EXCLUDE, N_SELECT, TIME_LIMIT, MODEL_TIME_LIMIT],
    tasks=SCORED,
)
