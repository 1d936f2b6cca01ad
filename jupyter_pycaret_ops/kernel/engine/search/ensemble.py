"""An ensemble of scored models, with a score that its own weights have not seen."""

from __future__ import annotations

import importlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jupyter_pycaret_ops.common.protocol import JSON

from ..candidates import TUNED
from ..interfaces import Estimator
from ..leaderboard import Leaderboard, Scored, make_record
from ..scoring.base import AnswerScorer, Scores
from ..scoring.prepared_folds import content_of
from ..trials import Candidate
from .selection import Answers, answers_of, choose

if TYPE_CHECKING:
    from ..prepared_task import PreparedTask

ENSEMBLE_ID = "ensemble"
#: models whose outputs are kept for the ensemble
N_OUTPUTS = 25
_MIN_MODELS = 2


@dataclass(frozen=True, slots=True)
class Chosen:
    """Models with the weights that they have in an ensemble; `answers` is what those were chosen by."""

    scorer: AnswerScorer
    members: list[Scored]
    weights: Any
    answers: Answers

    @property
    def in_use(self) -> list[tuple[Scored, float]]:
        """The models that have a weight, and the weight."""
        pairs = zip(self.members, self.weights, strict=True)
        return [(one, float(weight)) for one, weight in pairs if weight]


def choose_members(
    prepared: PreparedTask, board: Leaderboard, library: Sequence[Scored]
) -> Chosen | None:
    """Return the ensemble of the models that is best on all folds, None where there is none."""
    scorer = prepared.scorer
    if not isinstance(scorer, AnswerScorer) or scorer.n_folds < 2:
        return None
    width = 1 if scorer.n_classes is None else 1 + scorer.n_classes
    members = [
        one
        for one in library
        if one.fold_outputs and all(o is not None and o.shape[1] == width for o in one.fold_outputs)
    ]
    if len(members) < _MIN_MODELS:
        return None
    answers = answers_of(
        [one.fold_outputs for one in members],
        scorer.truth,
        [test for _, test in scorer.splits],
        [one.model_id.removesuffix(f"_{TUNED}") for one in members],
        metric=board.metric,
        n_classes=scorer.n_classes,
        weights=scorer.weights,
    )
    weights = choose(answers, seed=prepared.settings["session_id"])
    if np.count_nonzero(weights) < _MIN_MODELS:
        return None
    return Chosen(scorer, members, weights, answers)


def build_ensemble(
    prepared: PreparedTask, board: Leaderboard, library: Sequence[Scored]
) -> Scored | None:
    """Return an ensemble of the models, None where it is worse than the best model by more than noise.

    In each fold it is scored with weights that were chosen on the other folds; those that are kept are chosen on all.
    That score is compared with that of the best model, and decides its rank as of any other. Measured on twelve tables,
    two seeds each: taking only ensembles that lead by more than noise gives a third of what taking all would.
    """
    started_at = time.monotonic()
    chosen = choose_members(prepared, board, library)
    if chosen is None:
        return None
    scorer = chosen.scorer
    seed = prepared.settings["session_id"]
    outputs = [one.fold_outputs for one in chosen.members]
    scores: list[Scores] = []
    uncorrected: list[Scores] = []
    averaged: list[Any] = []
    for fold in range(scorer.n_folds):
        prepared.reporter.checkpoint()
        of_fold = np.array([one[fold] for one in outputs])
        for of_models, into in (
            (choose(chosen.answers, without_fold=fold, seed=seed), scores),
            (chosen.weights, uncorrected),
        ):
            mean = np.einsum("m,mrc->rc", of_models, of_fold)
            into.append(scorer.score_answers(mean, fold))
            if into is scores:
                averaged.append(mean)
    members = chosen.in_use
    record, fold_metrics = make_record(
        ENSEMBLE_ID,
        f"Ensemble of {len(members)} models",
        scores,
        board.metric,
        time.monotonic() - started_at + sum(float(one.record["seconds"]) for one, _ in members),
    )
    if _is_worse(record["folds"], board.scored[0].record["folds"], board.greater_is_better):
        return None
    metric = board.metric or ""
    record["uncorrected"] = {metric: float(np.mean([one.metrics[metric] for one in uncorrected]))}
    record["params"] = {"members": [_member(one, weight) for one, weight in members]}
    estimator = vote(
        prepared,
        [(one.model_id, one.estimator) for one, _ in members],
        [weight for _, weight in members],
    )
    return Scored(ENSEMBLE_ID, record, fold_metrics, estimator, board.size, fold_outputs=averaged)


def combined(prepared: PreparedTask, members: Sequence[JSON]) -> Candidate:
    """Return the ensemble of a leaderboard record as a candidate; `members` : those of its `params`."""
    weights = [float(one["weight"]) for one in members]

    def make() -> Estimator:
        models = [
            (
                str(one["model_id"]),
                prepared.experiment.make_estimator(
                    str(one["model_id"]).removesuffix(f"_{TUNED}"), dict(one["params"])
                ),
            )
            for one in members
        ]
        return vote(prepared, models, weights)

    return Candidate(
        ENSEMBLE_ID, f"Ensemble of {len(members)} models", make, {"params": {"members": members}}
    )


def vote(
    prepared: PreparedTask, members: Sequence[tuple[str, Estimator]], weights: Sequence[float]
) -> Estimator:
    """Return the unfitted ensemble: the weighted mean of what its members, unfitted pipelines, answer.

    Members that need the same preparation share one, so that it is fitted, and applied to each request, once.
    """
    from sklearn.pipeline import Pipeline

    if prepared.task.type.rows_are_steps:
        return _mean_of_forecasts(members, weights)
    is_label = prepared.task.type.answers == "labels"
    as_member = prepared.experiment.as_member
    groups: dict[bytes, list[tuple[str, Estimator, float]]] = {}
    for place, ((model_id, model), weight) in enumerate(zip(members, weights, strict=True), 1):
        preparation = content_of(model[:-1]) if hasattr(model, "steps") else b""
        groups.setdefault(preparation, []).append((f"{place} {model_id}", model, weight))
    parts: list[tuple[str, Estimator, float]] = []
    for group in groups.values():
        pipeline = group[0][1]
        if len(group) > 1 and hasattr(pipeline, "steps"):
            models = [(one, as_member(model.steps[-1][1]), share) for one, model, share in group]
            mean = _mean_of(models, is_label=is_label)
            together = Pipeline([*pipeline.steps[:-1], (pipeline.steps[-1][0], mean)])
            names, _, shares = zip(*group, strict=True)
            parts.append((" and ".join(names), together, sum(shares)))
        else:
            parts += group
    if len(parts) == 1:
        return parts[0][1]
    return _mean_of(
        [(name, as_member(model), weight) for name, model, weight in parts], is_label=is_label
    )


def _mean_of_forecasts(
    members: Sequence[tuple[str, Estimator]], weights: Sequence[float]
) -> Estimator:
    ensemble = importlib.import_module("sktime.forecasting.compose").EnsembleForecaster  # an extra
    named = [(f"{place} {model_id}", model) for place, (model_id, model) in enumerate(members, 1)]
    return ensemble(named, aggfunc="mean", weights=list(weights))


def _mean_of(members: Sequence[tuple[str, Estimator, float]], *, is_label: bool) -> Estimator:
    from sklearn.ensemble import VotingClassifier, VotingRegressor

    named, weights = [(name, model) for name, model, _ in members], [one[2] for one in members]
    if is_label:
        return VotingClassifier(named, voting="soft", weights=weights)
    return VotingRegressor(named, weights=weights)


def _member(scored: Scored, weight: float) -> JSON:
    return {
        "model_id": scored.model_id,
        "name": scored.record["name"],
        "params": scored.record.get("params") or {},
        "weight": round(weight, 6),
    }


def _is_worse(own: Sequence[Any], best: Sequence[Any], greater_is_better: bool) -> bool:
    """Return whether an ensemble is behind by more than the standard error of its lead in the folds."""
    sign = 1 if greater_is_better else -1
    leads = [
        sign * (one - other)
        for one, other in zip(own, best, strict=True)
        if one is not None and other is not None
    ]
    if len(leads) < _MIN_MODELS:
        return True
    error = np.std(leads, ddof=1) / np.sqrt(len(leads))
    return bool(np.mean(leads) < -error)
