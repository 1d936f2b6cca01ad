"""Fit a model of another run's leaderboard on all rows, and keep it."""

from __future__ import annotations

from jupyter_pycaret_ops.common.protocol import JSON, KEEP_PLAN

from .. import finalize
from ..candidates import TUNED, tuned
from ..interfaces import PlanFailed, PlanResult
from ..leaderboard import Leaderboard, Scored
from ..parameters import Param
from ..prepared_task import PreparedTask
from ..search.ensemble import ENSEMBLE_ID, combined
from ..trials import Candidate
from .base import ALL, Plan
from .combine import BLEND, CALIBRATED, PARTICIPLES, blended, calibrated, ensembled, stacked
from .create import CREATE
from .finalize import FINALIZE
from .models import candidate_with, model_candidates


def run(prepared: PreparedTask, params: JSON) -> PlanResult:
    """Fit the model as the other run scored it; its scores are those of that run."""
    record = dict(params["record"])
    candidate = candidate_of(prepared, record, params["origin_plan"], params["origin_params"])
    board = Leaderboard(prepared.metric, prepared.greater_is_better)
    board.add(Scored(candidate.model_id, record, {}, candidate.make()))
    if not finalize.keep_best(prepared, board):
        raise PlanFailed(
            "engine", f"{candidate.name} cannot be kept as a pipeline; the warning says why."
        )
    return PlanResult(leaderboard=board.records(), metrics_summary=board.summary())


def candidate_of(prepared: PreparedTask, record: JSON, plan: str, given: JSON) -> Candidate:
    """Return the model of a leaderboard record as a candidate.

    `plan` : the plan of the run with that leaderboard; `given` : its parameters. Raises `PlanFailed` where this
    version does not know such a model.
    """
    model_id, own = str(record["model_id"]), record.get("params") or {}
    known = prepared.experiment.registry
    if model_id == "blend":
        return blended(prepared, own["models"], BLEND.read_params(prepared.spec.task, given))
    if model_id == "stack":
        return stacked(prepared, own["models"], own.get("meta_model"))
    if model_id == ENSEMBLE_ID:
        return combined(prepared, own["members"])
    if model_id in known:
        return _single(prepared, model_id, plan, given)
    base, _, how = model_id.rpartition("_")
    if base in known and how == TUNED:
        return tuned(prepared, base, own)
    if base in known and how == CALIBRATED:
        return calibrated(prepared, base, own["method"])
    if base in known and how in PARTICIPLES.values():
        return ensembled(prepared, base, own["method"], int(own["n_estimators"]))
    raise PlanFailed(
        "user", f"“{model_id}” cannot be made here; the models are: {', '.join(known)}."
    )


def _single(prepared: PreparedTask, model_id: str, plan: str, given: JSON) -> Candidate:
    for made_by in (CREATE, FINALIZE):
        if plan == made_by.id:
            own = made_by.model_params(prepared.spec.task, given)
            return candidate_with(prepared, model_id, own, given)
    return model_candidates(prepared, [model_id], given)[0]


KEEP = Plan(
    id=KEEP_PLAN,
    name="Keep a model",
    description="Fit a model of a leaderboard on all rows and keep it.",
    run=run,
    params=[
        Param("record", {"type": "object"}, {}, "The model as it stands on the leaderboard."),
        Param("origin_plan", {"type": "string"}, "", "The plan that scored it."),
        Param("origin_params", {"type": "object"}, {}, "The parameters of that plan."),
    ],
    tasks=ALL,
    scores_models=False,
)
