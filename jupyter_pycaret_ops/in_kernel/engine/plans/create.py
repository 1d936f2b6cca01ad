"""One model, cross-validated and kept."""

from __future__ import annotations

from jupyter_pycaret_ops.protocol import JSON

from .. import candidates, finalize
from ..contracts import PlanFailed, PlanResult
from ..session import Session
from .base import TIME_LIMIT, Plan


def run(session: Session, params: JSON) -> PlanResult:
    """Score the model of the run with its parameters, and keep its pipeline."""
    model_id = session.spec.model_id
    known = session.experiment.registry
    if model_id is None or model_id not in known:
        said = "No model is named" if model_id is None else f"There is no model “{model_id}” here"
        raise PlanFailed("user", f"{said}; the models are: {', '.join(known)}.")
    given = CREATE.model_params(session.spec.plan_params)
    offered = set(session.experiment.parameters_of(model_id))
    unknown = [name for name in given if name not in offered]
    if unknown:
        raise PlanFailed(
            "user",
            f"{session.experiment.names[model_id]} has no parameter “{unknown[0]}”; it has: "
            f"{', '.join(sorted(offered))}.",
        )
    board = candidates.score(session, [model_id], given)
    finalize.keep_best(session, board)
    return PlanResult(leaderboard=board.records(), metrics_summary=board.summary())


CREATE = Plan(
    id="create",
    name="Create a model",
    description="Cross-validate one model, with parameters of your own if you like, and keep it.",
    run=run,
    params=[TIME_LIMIT],
    needs_model=True,
    takes_model_params=True,
)
