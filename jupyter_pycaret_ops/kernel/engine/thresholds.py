"""The probability from which a model of two labels answers the positive one, chosen by a metric or by costs.

It is chosen on out-of-fold predictions, as scikit-learn's `TunedThresholdClassifierCV` does it, which would fit each
model once more for that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jupyter_pycaret_ops.common.protocol import JSON

from .interfaces import PlanFailed
from .parameters import Param
from .scoring.confusion import BALANCED_ACCURACY, binary_metrics

COSTS = "costs"
#: cuts that are tried at most
MOST_CUTS = 500
#: fields of `optimize_threshold` where it has costs: of a false positive and of a false negative
COST_NAMES = ("fp", "fn")
OPTIMIZE_THRESHOLD = Param(
    "optimize_threshold",
    {
        "type": ["string", "object", "null"],
        "additionalProperties": {"type": "number", "minimum": 0},
    },
    None,
    "For two labels: choose the probability from which the positive one is answered, by a metric such as F1, or by what "
    'errors cost: {"fp": 1, "fn": 5}.',
)


#: metric of labels → its id in `scoring.confusion`
METRICS: Mapping[str, str] = {
    "Accuracy": "acc",
    "Recall": "recall",
    "Prec.": "precision",
    "F1": "f1",
    "Kappa": "kappa",
    "MCC": "mcc",
    BALANCED_ACCURACY: "balanced_accuracy",
}


@dataclass(frozen=True, slots=True)
class Objective:
    """What a threshold is chosen by: a metric, or costs for each error; `name` : the metric, or "costs"."""

    name: str
    costs: Mapping[str, float] | None = None

    def values(self, matrices: Any) -> Any:
        """Return what is to be as great as possible, float64 array of shape (n_cuts,); costs are negative.

        `matrices` : those of `count`.
        """
        if self.costs is None:
            found = [float(binary_metrics(one)[METRICS[self.name]]()) for one in matrices]
            return np.nan_to_num(found)
        wrong = self.costs["fp"] * matrices[:, 0, 1] + self.costs["fn"] * matrices[:, 1, 0]
        return -wrong / matrices.sum(axis=(1, 2))


def read_objective(given: Any, n_labels: int | None) -> Objective | None:
    """Return what `optimize_threshold` asks for, None where it does not; raises `PlanFailed` for what is none."""
    if given is None:
        return None
    if n_labels != 2:
        raise PlanFailed("user", "optimize_threshold is for two labels; leave it out.")
    if isinstance(given, str):
        if given not in METRICS:
            raise PlanFailed(
                "user",
                f"optimize_threshold takes one of {', '.join(METRICS)}, or costs such as "
                f'{{"fp": 1, "fn": 5}}; not “{given}”.',
            )
        return Objective(given)
    if set(given) != set(COST_NAMES) or not any(given.values()):
        raise PlanFailed(
            "user",
            'optimize_threshold takes the costs of both errors, such as {"fp": 1, "fn": 5}: what a false positive and a '
            "false negative cost.",
        )
    return Objective(COSTS, {name: float(given[name]) for name in COST_NAMES})


def choose_threshold(
    objective: Objective,
    folds: Sequence[tuple[Any, Any, Any]],
) -> JSON | None:
    """Return the threshold with its score, and that of one half.

    `folds` : for each fold the codes of the labels (0, 1), the probabilities of the label 1, and how much rows count or
    None, arrays of shape (n_rows,). Each fold is scored with the threshold that is best on the other folds; the one that
    is kept is best on all. None where no row of either label was scored.
    """
    truth, proba, weights = _joined(folds)
    if len(np.unique(truth)) < 2:
        return None
    scores = []
    for place, fold in enumerate(folds):
        others = _joined([*folds[:place], *folds[place + 1 :]]) if len(folds) > 1 else fold
        scores.append(_value(objective, fold, _best(objective, *others)))
    half = [_value(objective, fold, 0.5) for fold in folds]
    return {
        "value": _best(objective, truth, proba, weights),
        "by": objective.name if objective.costs is None else dict(objective.costs),
        "score": round(float(np.mean(scores)), 10),
        "score_at_half": round(float(np.mean(half)), 10),
    }


def _joined(folds: Sequence[tuple[Any, Any, Any]]) -> tuple[Any, Any, Any]:
    truth = np.concatenate([fold[0] for fold in folds])
    proba = np.concatenate([fold[1] for fold in folds])
    weights = None if folds[0][2] is None else np.concatenate([fold[2] for fold in folds])
    return truth, proba, weights


def _best(objective: Objective, truth: Any, proba: Any, weights: Any) -> float:
    """Return the cut with the greatest value; of equal ones the middle one."""
    cuts = cuts_of(proba)
    values = objective.values(count(truth, proba, weights, cuts))
    best = np.flatnonzero(values >= values.max() - 1e-12)
    return float(cuts[best[len(best) // 2]])


def _value(objective: Objective, fold: tuple[Any, Any, Any], cut: float) -> float:
    truth, proba, weights = fold
    return float(objective.values(count(truth, proba, weights, np.array([cut])))[0])


def cuts_of(proba: Any) -> Any:
    """Return the cuts to try, float64 array of shape (n_cuts,): in the middle between probabilities that occur."""
    found = np.unique(proba)
    if len(found) > MOST_CUTS:
        found = np.unique(np.quantile(found, np.linspace(0, 1, MOST_CUTS)))
    if len(found) < 2:
        return np.array([0.5])
    return (found[:-1] + found[1:]) / 2


def count(truth: Any, proba: Any, weights: Any, cuts: Any) -> Any:
    """Return the confusion matrix at each cut, where a probability of at least the cut is positive.

    Float64 array of shape (n_cuts, 2, 2), true labels in rows, answers in columns.
    """
    order = np.argsort(proba, kind="stable")
    weight = np.ones(len(proba)) if weights is None else np.asarray(weights, dtype="float64")[order]
    positive = np.asarray(truth)[order] == 1
    below = np.searchsorted(np.asarray(proba)[order], cuts, side="left")
    rows = []
    for of_label in (~positive, positive):
        sums = np.concatenate([[0.0], np.cumsum(weight * of_label)])
        rows.append(np.stack([sums[below], sums[-1] - sums[below]], axis=-1))
    return np.stack(rows, axis=1)
