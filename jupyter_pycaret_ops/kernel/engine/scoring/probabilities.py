"""Metrics of the probabilities, or decision values, that a classifier gives.

The values are those of scikit-learn's `roc_auc_score`, `average_precision_score`, `log_loss` and `brier_score_loss`, of
which each validates, binarizes and sorts again: together they take longer than the fit of a fast model on a small table.
A class without a row in `truth` has no curve; it is left out of the means, which are weighted by the rows of a class.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np

AUC = "AUC"
PR_AUC = "PR AUC"
LOG_LOSS = "Log Loss"
BRIER = "Brier"


def outputs_of(model: Any, features: Any, n_classes: int) -> tuple[Any, bool]:
    """Return an array of shape (n_rows, `n_classes`) of a fitted classifier, and whether it holds probabilities.

    Decision values where the model has no probabilities; None where it has neither, or where they belong to other
    classes. A class that the model has not seen has the probability 0. `features` of shape (n_rows, n_columns).
    """
    # as in the engine: some models have the method, and fail when it is called
    with contextlib.suppress(Exception):
        return _of_all_classes(model, np.asarray(model.predict_proba(features)), n_classes), True
    try:
        values = np.asarray(model.decision_function(features))
    except Exception:
        return None, False
    if values.ndim == 1:
        values = np.column_stack([-values, values])
    return (values if values.shape[1] == n_classes else None), False


def _of_all_classes(model: Any, found: Any, n_classes: int) -> Any:
    if found.shape[1] == n_classes:
        return found
    seen = np.asarray(model.classes_).astype(int)
    every = np.zeros((len(found), n_classes), dtype=found.dtype)
    every[:, seen] = found
    return every


def metrics_from_outputs(
    truth: Any, outputs: Any, *, are_probabilities: bool, weights: Any = None
) -> dict[str, float]:
    """Return AUC and PR AUC, and of probabilities Log Loss and Brier; NaN where one is not defined.

    `truth` : int array of shape (n_rows,) with classes 0 … n_classes - 1; `outputs` : float array of shape
    (n_rows, n_classes); `weights` : how much a row counts, float64 array of shape (n_rows,), None where all count the
    same. Of two classes the curves are those of class 1; of more, one against the rest, the mean weighted by rows.
    """
    if not np.isfinite(outputs).all():
        return dict.fromkeys(
            (AUC, PR_AUC, *((LOG_LOSS, BRIER) if are_probabilities else ())), float("nan")
        )
    own = np.ones(len(truth)) if weights is None else weights
    curves = _mean_curves(truth, outputs, own)
    found = {AUC: curves(_area), PR_AUC: curves(_average_precision)}
    if are_probabilities:
        found |= {LOG_LOSS: _log_loss(truth, outputs, own), BRIER: _brier(truth, outputs, own)}
    return found


_Curve = tuple[Any, Any]


def _mean_curves(
    truth: Any, outputs: Any, weights: Any
) -> Callable[[Callable[[_Curve], float]], float]:
    n_classes = outputs.shape[1]
    classes = [1] if n_classes == 2 else [c for c in range(n_classes) if (truth == c).any()]
    curves = [_counts(truth == c, outputs[:, c], weights) for c in classes]
    shares = [float(weights[truth == c].sum()) for c in classes]

    def mean(measure: Callable[[_Curve], float]) -> float:
        if n_classes == 2:
            return measure(curves[0])
        return float(np.average([measure(curve) for curve in curves], weights=shares))

    return mean


def _counts(is_positive: Any, scores: Any, weights: Any) -> _Curve:
    """Return the weights of true and of false positives at each distinct score, from the highest on."""
    order = np.argsort(-scores, kind="stable")
    is_last = np.append(np.diff(scores[order]) != 0, True)
    positive = is_positive[order] * weights[order]
    true = np.cumsum(positive)[is_last]
    return true, np.cumsum(weights[order] - positive)[is_last]


def area_under_curve(is_positive: Any, scores: Any, weights: Any) -> float:
    """Return AUC, NaN where all rows are of one kind; arrays of shape (n_rows,)."""
    return _area(_counts(is_positive, scores, weights))


def _area(curve: _Curve) -> float:
    true, false = (np.concatenate([[0.0], part]) for part in curve)
    if true[-1] <= 0 or false[-1] <= 0:
        return float("nan")
    steps = np.diff(false) * (true[1:] + true[:-1]) / 2
    return float(steps.sum() / (true[-1] * false[-1]))


def _average_precision(curve: _Curve) -> float:
    true, false = curve
    if true[-1] <= 0:
        return float("nan")
    taken = true + false
    precision = np.divide(true, taken, out=np.zeros(len(true)), where=taken > 0)
    return float(np.diff(true, prepend=0.0) @ precision / true[-1])


def _log_loss(truth: Any, probabilities: Any, weights: Any) -> float:
    smallest = np.finfo(probabilities.dtype).eps
    of_truth = np.clip(probabilities[np.arange(len(truth)), truth], smallest, 1 - smallest)
    return float(np.average(-np.log(of_truth), weights=weights))


def _brier(truth: Any, probabilities: Any, weights: Any) -> float:
    errors = probabilities - (truth[:, None] == np.arange(probabilities.shape[1]))
    squares = (errors**2).sum(axis=1)
    # of two classes it is the square of one probability's error
    return float(np.average(squares, weights=weights)) / (2 if probabilities.shape[1] == 2 else 1)
