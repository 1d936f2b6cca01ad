"""Find the best model within a time limit: a portfolio, a search for settings, an ensemble."""

from __future__ import annotations

from dataclasses import replace

from jupyter_pycaret_ops.common.protocol import JSON

from .. import finalize
from ..interfaces import PlanResult
from ..leaderboard import Leaderboard
from ..parameters import Param
from ..prepared_task import PreparedTask
from ..search.searching import Search
from .base import EXCLUDE, INCLUDE, MODEL_TIME_LIMIT, N_SELECT, SCORED, TIME_LIMIT, Plan
from .tune import OPTIMIZE

#: seconds that a search takes where none are given
DEFAULT_TIME_LIMIT = 600.0


def run(prepared: PreparedTask, params: JSON) -> PlanResult:
    """Search, and keep the pipelines of the best `n_select`."""
    board = Leaderboard(prepared.metric, prepared.greater_is_better)
    Search(prepared, params, board).run()
    prepared.limits.put_aside(0.0)
    finalize.keep_best(prepared, board, int(params["n_select"]))
    return PlanResult(leaderboard=board.records(), metrics_summary=board.summary())


AUTOML = Plan(
    id="automl",
    name="AutoML",
    description="Find the best model in the time given: many models, their settings, and an ensemble of the best.",
    run=run,
    params=[
        OPTIMIZE,
        Param(
            "n_iter",
            {"type": ["integer", "null"], "minimum": 1, "maximum": 100_000},
            None,
            "How many settings to try at most; by default as many as the time allows.",
        ),
        INCLUDE,
        EXCLUDE,
        N_SELECT,
        replace(TIME_LIMIT, default=DEFAULT_TIME_LIMIT),
        MODEL_TIME_LIMIT,
    ],
    tasks=SCORED,
    default_setup={"fold": 5},
)
