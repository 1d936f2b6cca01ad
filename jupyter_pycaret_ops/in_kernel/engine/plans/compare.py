"""Many models, ranked; the best are kept."""

from __future__ import annotations

import time

from jupyter_pycaret_ops.protocol import JSON

from .. import candidates, finalize
from ..contracts import PlanResult
from ..parameters import Param
from ..session import Session
from .base import MODEL_TIME_LIMIT, TIME_LIMIT, Plan

_IDS: JSON = {"type": ["array", "null"], "items": {"type": "string"}}


def run(session: Session, params: JSON) -> PlanResult:
    """Score the candidates, and keep the pipelines of the best `n_select`."""
    ids = candidates.choose(session, params["include"], params["exclude"])
    began = time.monotonic()
    session.narrator.tell(
        "model.compare.started",
        f"Comparing {len(ids)} models by {session.metric}",
        {"n_candidates": len(ids), "sort": session.metric, "candidates": ids},
    )
    board = candidates.score(session, ids)
    summary = board.summary()
    session.narrator.tell(
        "model.compare.finished",
        f"{board.scored[0].record['name']} is best by {session.metric}",
        {
            "n_select": params["n_select"],
            "n_succeeded": summary["models"],
            "winner": board.scored[0].model_id,
        },
        (time.monotonic() - began) * 1000,
    )
    finalize.keep_best(session, board, int(params["n_select"]))
    return PlanResult(leaderboard=board.records(), metrics_summary=summary)


COMPARE = Plan(
    id="compare",
    name="Compare models",
    description="Cross-validate many models, rank them, and keep the best.",
    run=run,
    params=[
        Param("include", _IDS, None, "Exactly these models, slow ones too."),
        Param("exclude", _IDS, None, "All but these models."),
        Param("sort", {"type": ["string", "null"]}, None, "The metric that ranks."),
        Param(
            "n_select",
            {"type": "integer", "minimum": 1, "maximum": 20},
            1,
            "How many of the best are kept as pipelines.",
        ),
        TIME_LIMIT,
        MODEL_TIME_LIMIT,
    ],
)
