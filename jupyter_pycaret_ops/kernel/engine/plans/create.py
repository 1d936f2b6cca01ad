"""Score one model and keep it."""

from __future__ import annotations

from jupyter_pycaret_ops.common.protocol import JSON

from .. import candidates, finalize
from ..interfaces import PlanResult
from ..prepared_task import PreparedTask
from .base import ALL, TIME_LIMIT, Plan
from .models import requested_candidate


def run(prepared: PreparedTask, params: JSON) -> PlanResult:
    """Score the model of the run with its parameters and keep its pipeline."""
    board = candidates.score(prepared, [requested_candidate(prepared, CREATE, params)])
    finalize.keep_best(prepared, board)
    return PlanResult(leaderboard=board.records(), metrics_summary=board.summary())


CREATE = Plan(
    id="create",
    name="Create a model",
    description="Score one model, with your own parameters if you like, and keep it.",
    run=run,
    params=[TIME_LIMIT],
    tasks=ALL,
    needs_model=True,
    takes_model_params=True,
    makes_models=True,
)
