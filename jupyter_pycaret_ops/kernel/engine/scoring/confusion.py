"""Metrics of predicted classes, all computed from one confusion matrix.

scikit-learn's functions each validate and count both arrays again, 5 ms a fold for six metrics, which is
half the time of a fast model on a small table. The values are the same; the formulas are those of the
user guide of scikit-learn, "Metrics and scoring", sections on multiclass averages, kappa and Matthews' coefficient.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

#: metric id of the engine → the scikit-learn function that it has to call to be computed here
_FUNCTIONS = {
    "acc": "accuracy_score",
    "recall": "recall_score",
    "precision": "precision_score",
    "f1": "f1_score",
    "kappa": "cohen_kappa_score",
    "mcc": "matthews_corrcoef",
}
BALANCED_ACCURACY = "Balanced Accuracy"
#: the metric of ours: its id → its name
OWN_METRICS = {"balanced_accuracy": BALANCED_ACCURACY}
#: metrics averaged over the classes
_AVERAGED = frozenset({"recall", "precision", "f1"})


def countable_metrics(metrics: Mapping[str, Any]) -> dict[str, str]:
    """Return metric id → display name of the metrics in the engine's registry that are computed here.

    Only metrics that the engine defines as expected are included.
    """
    return {
        metric_id: str(metric.display_name)
        for metric_id, metric in metrics.items()
        if metric_id in _FUNCTIONS
        and metric.target == "pred"
        and metric.args == ({"average": "weighted"} if metric_id in _AVERAGED else {})
        and _sklearn_function(metric.score_func) == _FUNCTIONS[metric_id]
    }


def is_engines_auc(metric: Any) -> bool:
    """Return whether a metric is the area under the ROC curve as the engine defines it."""
    return (
        metric.target == "pred_proba"
        and metric.args == {"average": "weighted", "multi_class": "ovr"}
        and _sklearn_function(metric.score_func) == "roc_auc_score"
    )


def _sklearn_function(score: Any) -> str:
    """Return the name of the scikit-learn function inside the wrappers of the engine and ours."""
    while not getattr(score, "__module__", "").startswith("sklearn."):
        inner = getattr(score, "score_func", None) or getattr(score, "__wrapped__", None)
        if inner is None:
            return ""
        score = inner
    return str(getattr(score, "__name__", ""))


def metrics_from_confusion(
    names: Mapping[str, str], truth: Any, predicted: Any, n_classes: int, weights: Any = None
) -> dict[str, float] | None:
    """Return name → value of the metrics in `names`; NaN where one is not defined.

    `truth`, `predicted` : int arrays of shape (n_rows,) with classes 0 … `n_classes` - 1; `weights` : how much a row
    counts, float64 array of shape (n_rows,), None where all count the same. Return None for other arrays: the engine
    has to compute the metrics.
    """
    if not names or not _are_classes(truth, n_classes) or not _are_classes(predicted, n_classes):
        return None
    if predicted.shape != truth.shape:
        return None
    counts = np.bincount(truth * n_classes + predicted, weights, n_classes * n_classes)
    matrix = counts.reshape(n_classes, n_classes)
    values = binary_metrics(matrix) if n_classes == 2 else _multiclass(matrix)
    return {name: float(values[metric_id]()) for metric_id, name in names.items()}


def _are_classes(values: Any, n_classes: int) -> bool:
    return (
        isinstance(values, np.ndarray)
        and values.ndim == 1
        and values.size > 0
        and values.dtype.kind == "i"
        and bool(values.min() >= 0)
        and bool(values.max() < n_classes)
    )


_Values = dict[str, Callable[[], float]]


def binary_metrics(matrix: Any) -> _Values:
    """Return the metrics of class 1, as the engine does for two classes; `matrix` of shape (2, 2)."""
    correct, predicted, true = matrix[1, 1], matrix[:, 1].sum(), matrix[1].sum()
    return {
        **_shared(matrix),
        "recall": lambda: _ratio(correct, true),
        "precision": lambda: _ratio(correct, predicted),
        "f1": lambda: _ratio(2 * correct, predicted + true),
    }


def _multiclass(matrix: Any) -> _Values:
    """Return means over the classes, weighted by their rows; `matrix` of shape (n_classes, n_classes)."""
    correct, predicted, true = np.diag(matrix), matrix.sum(axis=0), matrix.sum(axis=1)

    def mean(part: Any, whole: Any) -> float:
        ratios = np.divide(part, whole, out=np.zeros(len(true)), where=whole > 0)
        return float(np.average(ratios, weights=true))

    return {
        **_shared(matrix),
        "recall": lambda: mean(correct, true),
        "precision": lambda: mean(correct, predicted),
        "f1": lambda: mean(2 * correct, predicted + true),
    }


def _shared(matrix: Any) -> _Values:
    matrix = matrix.astype(float)
    n_rows, correct = matrix.sum(), np.trace(matrix)
    predicted, true = matrix.sum(axis=0), matrix.sum(axis=1)
    expected = predicted @ true  # times n_rows: agreement by chance

    def kappa() -> float:
        if expected == n_rows**2:
            return float("nan")
        return float(1 - (n_rows - correct) / (n_rows - expected / n_rows))

    def mcc() -> float:
        spread = (n_rows**2 - predicted @ predicted) * (n_rows**2 - true @ true)
        return 0.0 if spread == 0 else float((correct * n_rows - expected) / np.sqrt(spread))

    def balanced() -> float:
        return float(np.mean(np.diag(matrix)[true > 0] / true[true > 0]))

    return {
        "acc": lambda: correct / n_rows,
        "kappa": kappa,
        "mcc": mcc,
        "balanced_accuracy": balanced,
    }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
