"""Cross-validation of classifiers and regressors."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jupyter_pycaret_ops.common.protocol import JSON

from .. import portable
from ..interfaces import Column, Estimator, Frame
from ..preparation.model_wrappers import takes_weights
from . import probabilities
from .base import Scores
from .confusion import (
    BALANCED_ACCURACY,
    OWN_METRICS,
    countable_metrics,
    is_engines_auc,
    metrics_from_confusion,
)
from .prepared_folds import PreparedFolds

#: metrics beside the engine's: name → (full name, whether greater is better)
LABEL_METRICS = {
    BALANCED_ACCURACY: ("Balanced accuracy: the mean recall of the classes", True),
    probabilities.PR_AUC: ("Area under the precision-recall curve (average precision)", True),
    probabilities.LOG_LOSS: ("Logarithmic loss of the probabilities", False),
    probabilities.BRIER: ("Brier score: squared error of the probabilities", False),
}
NUMBER_METRICS = {
    "MedAE": ("Median absolute error", False),
    "Max Error": ("Largest absolute error", False),
    "Pinball": ("Pinball loss of the median", False),
}


class AveragedAnswers:
    """What an ensemble answers for the rows of a fold, as a fitted model that looks at no columns.

    `outputs` : array of shape (n_rows, 1 + n_classes), of numbers (n_rows, 1).
    """

    def __init__(self, outputs: Any, *, is_label: bool) -> None:
        self._outputs = outputs
        self._is_label = is_label
        if is_label:
            self.classes_ = np.arange(outputs.shape[1] - 1)

    def predict(self, features: Any) -> Any:
        """Return codes of classes, or numbers, array of shape (n_rows,)."""
        if not self._is_label:
            return self._outputs[:, 0]
        return self.classes_[np.argmax(self._outputs[:, 1:], axis=1)]

    def predict_proba(self, features: Any) -> Any:
        """Return probabilities, array of shape (n_rows, n_classes)."""
        return self._outputs[:, 1:]

    def __sklearn_tags__(self) -> Any:
        from sklearn.dummy import DummyClassifier, DummyRegressor
        from sklearn.utils import get_tags

        return get_tags(DummyClassifier() if self._is_label else DummyRegressor())


@dataclass(slots=True)
class FoldScorer:
    """The engine's own cross-validation with its own metrics, one fold at a time.

    Folds, fits and scores are those of `create_model`; but errors of a fit are raised, and the fit on
    the whole training part, which no score needs, is left out.

    `features` : DataFrame of shape (n_rows, n_columns), as models take it; `target` : Series of shape
    (n_rows,), int64 codes or float64; `splits` : for each fold the positions to train and to test on,
    two int arrays; `metrics` : the engine's registry; `n_classes` : the number of classes in `target`,
    None for regression; `weights` : how much a row counts, float64 array of shape (n_rows,), None where all
    count the same; `custom` : name → scorer; `as_engine` : scores are what the engine makes of them where we
    would do better: a model without probabilities has no curves, and a fold without all classes is scored as if there
    were two.
    """

    features: Frame
    target: Column
    splits: Sequence[tuple[Any, Any]]
    metrics: dict[str, Any]
    n_classes: int | None = None
    weights: Any = None
    custom: JSON = field(default_factory=dict)
    as_engine: bool = False
    _prepared_folds: PreparedFolds = field(default_factory=PreparedFolds)

    @property
    def n_folds(self) -> int:
        """The number of folds."""
        return len(self.splits)

    @property
    def nbytes(self) -> int:
        """Size of the data in memory, in bytes."""
        return int(self.features.memory_usage(deep=False).sum() + self.target.nbytes)

    def score(self, estimator: Estimator, fold: int) -> Scores:
        """See `Scorer.score`."""
        train, test = self.splits[fold]
        train_target = self.target.iloc[train]
        model, train_features, test_features = self._prepared_folds.prepared(
            copy.deepcopy(estimator), fold, self.features, self.target, self.splits[fold]
        )
        weights = self.weights
        fitted(model, train_features, train_target, None if weights is None else weights[train])
        # an array: scikit-learn validates a Series much slower
        truth = self.target.iloc[test].to_numpy()
        return self.evaluate(
            model, test_features, truth, None if weights is None else weights[test]
        )

    def evaluate(
        self, model: Estimator, test_features: Any, truth: Any, weights: Any = None
    ) -> Scores:
        """Return the metrics of a fitted model, NaN where one cannot be computed, and what it answers.

        Outputs are an array of shape (n_rows, 1) of predictions, and of classes their probabilities beside them.

        `test_features` of shape (n_rows, n_columns); `truth` : array of shape (n_rows,) as `target` is encoded;
        `weights` : how much a row counts, array of shape (n_rows,), None where all count the same.
        """
        predicted = model.predict(test_features)
        outputs, are_probabilities = None, False
        found: dict[str, float] = {}
        if self.n_classes is None:
            found = _number_metrics(truth, predicted, weights)
        else:
            outputs, are_probabilities = probabilities.outputs_of(
                model, test_features, self.n_classes
            )
            found = self._class_metrics(truth, predicted, weights)
            if outputs is not None and (are_probabilities or not self.as_engine):
                found |= probabilities.metrics_from_outputs(
                    truth, outputs, are_probabilities=are_probabilities, weights=weights
                )
        found |= self._other_metrics(
            found, truth, predicted, outputs if are_probabilities else None, weights
        )
        for name, scorer in self.custom.items():
            found[name] = or_nan(scorer)(model, test_features, truth, sample_weight=weights)
        answers = np.asarray(predicted, dtype=float).reshape(len(truth), -1)[:, :1]
        if outputs is not None and are_probabilities:
            answers = np.column_stack([answers, outputs])
        return Scores({name: float(found.get(name, np.nan)) for name in self._names()}, answers)

    @property
    def truth(self) -> Any:
        """The target of the training part, array of shape (n_rows,)."""
        return self.target.to_numpy()

    def score_answers(self, answers: Any, fold: int) -> Scores:
        """See `AnswerScorer.score_answers`; of labels, the first column is set to those of the greatest probability."""
        test = self.splits[fold][1]
        model = AveragedAnswers(answers, is_label=self.n_classes is not None)
        answers[:, 0] = model.predict(None)
        weights = None if self.weights is None else self.weights[test]
        truth = self.target.iloc[test].to_numpy()
        return self.evaluate(model, self.features.iloc[test], truth, weights)

    def _names(self) -> list[str]:
        own = NUMBER_METRICS if self.n_classes is None else LABEL_METRICS
        engines = (str(metric.display_name) for metric in self.metrics.values())
        return [*engines, *own, *self.custom]

    def _class_metrics(self, truth: Any, predicted: Any, weights: Any) -> dict[str, float]:
        assert self.n_classes is not None
        names = countable_metrics(self.metrics) | OWN_METRICS
        if self.as_engine and self.n_classes > 2 and truth.max() < 2:
            names = OWN_METRICS
        found = metrics_from_confusion(names, truth, predicted, self.n_classes, weights)
        if found is not None:
            return found
        from sklearn.metrics import balanced_accuracy_score

        balanced = or_nan(balanced_accuracy_score)
        return {BALANCED_ACCURACY: balanced(truth, np.ravel(predicted), sample_weight=weights)}

    def _other_metrics(
        self, found: JSON, truth: Any, predicted: Any, proba: Any, weights: Any
    ) -> dict[str, float]:
        """Return the engine's metrics that are not in `found`, as the engine computes them."""
        left = {
            metric_id: metric
            for metric_id, metric in self.metrics.items()
            if (proba is not None or metric.target == "pred")
            and (
                metric.display_name not in found
                or (metric.display_name == probabilities.AUC and not is_engines_auc(metric))
            )
        }
        if not left:
            return {}
        from pycaret.utils.generic import calculate_metrics

        of_classes = proba[:, 1] if proba is not None and proba.shape[1] == 2 else proba
        return dict(
            calculate_metrics(
                metrics=left, y_test=truth, pred=predicted, pred_proba=of_classes, weights=weights
            )
        )


def _number_metrics(truth: Any, predicted: Any, weights: Any) -> dict[str, float]:
    from sklearn import metrics

    predicted = np.ravel(predicted)
    return {
        "MedAE": or_nan(metrics.median_absolute_error)(truth, predicted, sample_weight=weights),
        "Max Error": or_nan(metrics.max_error)(truth, predicted),
        "Pinball": or_nan(metrics.mean_pinball_loss)(truth, predicted, sample_weight=weights),
    }


def fitted(model: Estimator, features: Any, target: Any, weights: Any) -> Estimator:
    """Fit a model, or a pipeline that ends in one, and return it; one that takes no weights is fitted without.

    `features` of shape (n_rows, n_columns), `target` of shape (n_rows,); `weights` : array of shape (n_rows,) or None.
    """
    if weights is None or not takes_weights(model):
        return model.fit(features, target)
    return model.fit(features, target, **{portable.weights_parameter(model): weights})


def or_nan(score: Callable[..., Any]) -> Callable[..., Any]:
    """Return `score` wrapped to give NaN where it cannot be computed; the engine would write 0."""

    def scored(*args: Any, **kwargs: Any) -> Any:
        try:
            return score(*args, **kwargs)
        except Exception:
            # not every metric takes weights
            kwargs.pop("sample_weight", None)
            try:
                return score(*args, **kwargs)
            except Exception:
                return np.nan

    scored.__name__ = getattr(score, "__name__", "score")
    scored.__wrapped__ = score  # type: ignore[attr-defined]
    return scored
