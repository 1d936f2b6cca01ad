"""Fit one model on all rows without scoring it."""

from __future__ import annotations

import time

from jupyter_pycaret_ops.common.protocol import JSON

from .. import finalize
from ..interfaces import PlanResult
from ..leaderboard import Leaderboard, Scored
from ..prepared_task import PreparedTask
from .base import ALL, Plan
from .models import requested_candidate


def run(prepared: PreparedTask, params: JSON) -> PlanResult:
    """Fit the model of the run on all rows and keep its pipeline."""
    candidate = requested_candidate(prepared, FINALIZE, params)
    board = Leaderboard(prepared.metric, prepared.greater_is_better)
    started_at = time.monotonic()
    prepared.reporter.progress(
        0, 1, f"Fitting {candidate.name} on all rows", model_id=candidate.model_id, stage="final"
    )
    record: JSON = {
        "model_id": candidate.model_id,
        "name": candidate.name,
        "rank": 1,
        "std": {},
        "folds": [],
    }
    board.add(Scored(candidate.model_id, record, {}, candidate.make()))
    finalize.keep_best(prepared, board)
    record["seconds"] = round(time.monotonic() - started_at, 3)
    return PlanResult(leaderboard=board.records(), metrics_summary=board.summary())


FINALIZE = Plan(
    id="finalize",
    name="Finalize a model",
    description="Fit one model on all rows without scoring it, when you know that it is the right one.",
    run=run,
    tasks=ALL,
    needs_model=True,
    takes_model_params=True,
    makes_models=True,
    scores_models=False,
)
