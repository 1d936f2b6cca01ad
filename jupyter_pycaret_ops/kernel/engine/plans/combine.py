"""Ensembles of one model (bagging, boosting) or of several (blend, stack), and calibration."""

from __future__ import annotations

import time
from collections.abc import Sequence

from jupyter_pycaret_ops.common.protocol import JSON

from .. import candidates, finalize
from ..interfaces import PlanFailed, PlanResult
from ..leaderboard import Leaderboard
from ..parameters import Param
from ..prepared_task import PreparedTask
from ..trials import Candidate
from .base import EXCLUDE, INCLUDE, MODEL_TIME_LIMIT, SORT, TIME_LIMIT, WITH_LABELS, Plan
from .compare import compare_models
from .models import requested_model_id

_MIN_MODELS = 2
#: method of an ensemble of one model → what the model is called then
PARTICIPLES = {"Bagging": "bagged", "Boosting": "boosted"}
#: what a calibrated model is called, after the model
CALIBRATED = "calibrated"
_N_BEST = Param(
    "n_best",
    {"type": "integer", "minimum": _MIN_MODELS, "maximum": 20},
    3,
    "How many of the best models to combine when include names none.",
)


def ensemble(prepared: PreparedTask, params: JSON) -> PlanResult:
    """Score a model alone and as an ensemble of itself; keep the ensemble, and the model if it is better."""
    model_id = requested_model_id(prepared)
    return _score_and_keep(
        prepared,
        [candidates.model_candidate(prepared, model_id)],
        ensembled(prepared, model_id, params["method"], int(params["n_estimators"])),
        ("model.ensemble.started", "model.ensembled"),
    )


def ensembled(prepared: PreparedTask, model_id: str, method: str, n_estimators: int) -> Candidate:
    """Return an ensemble of one model as a candidate; `method` : "Bagging" or "Boosting"."""
    name = prepared.experiment.model_names[model_id]
    participle = PARTICIPLES[method]
    return Candidate(
        f"{model_id}_{participle}",
        f"{name} ({participle})",
        lambda: prepared.compose(
            "ensemble_model", model_id, method=method, n_estimators=n_estimators
        ),
        {"params": {"method": method, "n_estimators": n_estimators}},
    )


def calibrate(prepared: PreparedTask, params: JSON) -> PlanResult:
    """Score a classifier as it is and with calibrated probabilities; keep the calibrated one."""
    model_id = requested_model_id(prepared)
    combined = calibrated(prepared, model_id, params["method"])
    board = _score_all(
        prepared,
        [candidates.model_candidate(prepared, model_id)],
        combined,
        ("model.calibrate.started", "model.calibrated"),
    )
    # it was requested, and what calibration improves is not a metric of the leaderboard
    board.scored.sort(key=lambda scored: scored.model_id != combined.model_id)
    finalize.keep_best(prepared, board)
    board.sort()
    return PlanResult(leaderboard=board.records(), metrics_summary=board.summary())


def calibrated(prepared: PreparedTask, model_id: str, method: str) -> Candidate:
    """Return a classifier with calibrated probabilities as a candidate; `method` : "sigmoid" or "isotonic"."""
    name = prepared.experiment.model_names[model_id]
    return Candidate(
        f"{model_id}_{CALIBRATED}",
        f"{name} ({CALIBRATED})",
        lambda: prepared.compose(
            "calibrate_model", model_id, method=method, cv=prepared.inner_splitter()
        ),
        {"params": {"method": method}},
    )


def blend(prepared: PreparedTask, params: JSON) -> PlanResult:
    """Score models alone and as a voting ensemble; keep the blend, and what is better alone."""
    ids, board = _members(prepared, params)
    weights = params["weights"]
    if weights is not None and len(weights) != len(ids):
        raise PlanFailed(
            "user", f"weights has {len(weights)} entries for {len(ids)} models; give one for each."
        )
    combined = blended(prepared, ids, params)
    return _keep_with_members(prepared, board, combined, ("model.blend.started", "model.blended"))


def blended(prepared: PreparedTask, ids: list[str], params: JSON) -> Candidate:
    """Return a voting ensemble as a candidate; `params` : those of the plan."""
    method = {"method": params["method"]} if prepared.task.type.answers == "labels" else {}
    return Candidate(
        "blend",
        f"Blend of {len(ids)} models",
        lambda: prepared.compose("blend_models", ids, weights=params["weights"], **method),
        {"params": {"models": ids}},
    )


def stack(prepared: PreparedTask, params: JSON) -> PlanResult:
    """Score models alone and stacked under a meta model; keep the stack, and what is better alone."""
    meta_model = params["meta_model"]
    known = prepared.experiment.registry
    if meta_model is not None and meta_model not in known:
        raise PlanFailed(
            "user",
            f"There is no model “{meta_model}” here for meta_model; the models are: "
            f"{', '.join(known)}.",
        )
    ids, board = _members(prepared, params)
    combined = stacked(prepared, ids, meta_model)
    return _keep_with_members(prepared, board, combined, ("model.stack.started", "model.stacked"))


def stacked(prepared: PreparedTask, ids: list[str], meta_model: str | None) -> Candidate:
    """Return models under a meta model as a candidate; `meta_model` : its id, None for the engine's choice."""
    return Candidate(
        "stack",
        f"Stack of {len(ids)} models",
        lambda: prepared.compose(
            "stack_models", ids, meta_model=meta_model, fold=prepared.inner_splitter()
        ),
        {"params": {"models": ids, "meta_model": meta_model}},
    )


def _members(prepared: PreparedTask, params: JSON) -> tuple[list[str], Leaderboard]:
    """Score the models, and return the ids of those to combine and the leaderboard."""
    if params["include"] is not None and len(set(params["include"])) < _MIN_MODELS:
        raise PlanFailed("user", "include names one model; name at least two to combine.")
    board = compare_models(prepared, params)
    scored_ids = [scored.model_id for scored in board.scored]
    if params["include"] is not None:
        ids = [model_id for model_id in dict.fromkeys(params["include"]) if model_id in scored_ids]
    else:
        ids = scored_ids[: int(params["n_best"])]
    if len(ids) < _MIN_MODELS:
        raise PlanFailed(
            "engine", "Fewer than two models could be scored; two are needed to combine them."
        )
    return ids, board


def _score_and_keep(
    prepared: PreparedTask,
    members: Sequence[Candidate],
    combined: Candidate,
    event_kinds: tuple[str, str],
) -> PlanResult:
    board = _score_all(prepared, members, combined, event_kinds)
    finalize.keep_best(prepared, board, also=combined.model_id)
    return PlanResult(leaderboard=board.records(), metrics_summary=board.summary())


def _score_all(
    prepared: PreparedTask,
    members: Sequence[Candidate],
    combined: Candidate,
    event_kinds: tuple[str, str],
) -> Leaderboard:
    board = candidates.score(prepared, members)
    return _add_combined(prepared, board, combined, event_kinds)


def _keep_with_members(
    prepared: PreparedTask, board: Leaderboard, combined: Candidate, event_kinds: tuple[str, str]
) -> PlanResult:
    _add_combined(prepared, board, combined, event_kinds)
    finalize.keep_best(prepared, board, also=combined.model_id)
    return PlanResult(leaderboard=board.records(), metrics_summary=board.summary())


def _add_combined(
    prepared: PreparedTask, board: Leaderboard, combined: Candidate, event_kinds: tuple[str, str]
) -> Leaderboard:
    """Score `combined` and add it to `board`; raises `PlanFailed` when it fails: it was requested."""
    started_at = time.monotonic()
    payload = {"model_id": combined.model_id, **combined.extra}
    prepared.reporter.report(event_kinds[0], f"Fitting {combined.name}", payload)
    candidates.score(prepared, [combined], board)
    failed = next((f for f in board.failed if f.model_id == combined.model_id), None)
    if failed is not None:
        raise PlanFailed(failed.kind, f"{combined.name} failed: {failed.error}")
    prepared.reporter.report(
        event_kinds[1], f"Fitted {combined.name}", payload, (time.monotonic() - started_at) * 1000
    )
    return board


ENSEMBLE = Plan(
    id="ensemble",
    name="Ensemble a model",
    description="Fit one model many times. The ensemble is kept, and the model itself if it is better alone.",
    run=ensemble,
    params=[
        Param(
            "method",
            {"type": "string", "enum": ["Bagging", "Boosting"]},
            "Bagging",
            "Bagging fits on random samples of the rows, boosting on the errors of the models before.",
        ),
        Param(
            "n_estimators",
            {"type": "integer", "minimum": 2, "maximum": 1000},
            10,
            "How many times to fit the model.",
        ),
        SORT,
        TIME_LIMIT,
    ],
    needs_model=True,
)
BLEND = Plan(
    id="blend",
    name="Blend models",
    description="Let several models vote. The blend is kept, and a model that is better alone.",
    run=blend,
    params=[
        INCLUDE,
        EXCLUDE,
        _N_BEST,
        Param(
            "method",
            {"type": "string", "enum": ["auto", "soft", "hard"]},
            "auto",
            "For classes: soft averages probabilities, hard counts votes, auto is soft where possible.",
        ),
        Param(
            "weights",
            {"type": ["array", "null"], "items": {"type": "number", "minimum": 0}},
            None,
            "Weight of each model, in the order of include.",
        ),
        SORT,
        TIME_LIMIT,
        MODEL_TIME_LIMIT,
    ],
)
STACK = Plan(
    id="stack",
    name="Stack models",
    description="Let a model learn from the predictions of others. The stack is kept, and a model that is better alone.",
    run=stack,
    params=[
        INCLUDE,
        EXCLUDE,
        _N_BEST,
        Param(
            "meta_model",
            {"type": ["string", "null"]},
            None,
            "The model that combines the others; logistic or linear regression by default.",
        ),
        SORT,
        TIME_LIMIT,
        MODEL_TIME_LIMIT,
    ],
)
CALIBRATE = Plan(
    id="calibrate",
    name="Calibrate a model",
    description="Correct the probabilities of a classifier to match how often it is right, and keep the result.",
    run=calibrate,
    params=[
        Param(
            "method",
            {"type": "string", "enum": ["sigmoid", "isotonic"]},
            "sigmoid",
            "Use sigmoid for few rows, isotonic for a thousand or more.",
        ),
        SORT,
        TIME_LIMIT,
    ],
    tasks=WITH_LABELS,
    needs_model=True,
)
