"""Metrics that a run asks for: scikit-learn's scorers by name, and scorers of the notebook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.metaestimators import available_if

from jupyter_pycaret_ops.common.custom_objects import NOTEBOOK_PREFIX

from .. import portable
from ..error_messages import describe_error
from ..interfaces import PlanFailed
from ..notebook_objects import NO_OBJECTS, NotebookObjects

#: how scorers of numbers begin, besides those of an error
_OF_NUMBERS = ("r2", "explained_variance", "d2_", "neg_mean_", "neg_root_", "neg_median_")


def scorer_names() -> list[str]:
    """Return the names of scikit-learn's scorers that need nothing but a model, rows and their target."""
    from sklearn.metrics import get_scorer_names

    return list(get_scorer_names())


def read_custom_metrics(
    names: Sequence[str], target: Any, labels: Any, own: NotebookObjects = NO_OBJECTS
) -> dict[str, Any]:
    """Return name → scorer, as scikit-learn's are called.

    `names` : of `scorer_names`, or of scorers of the notebook; `target` : array of shape (n_rows,) as encoded, by which
    each is tried; `labels` : those of the codes, None for numbers. Raises `PlanFailed` for a metric that cannot be
    computed for this target.
    """
    from sklearn.metrics import get_scorer

    found: dict[str, Any] = {}
    for name in dict.fromkeys(names):
        if name.startswith(NOTEBOOK_PREFIX):
            name = name.removeprefix(NOTEBOOK_PREFIX)
            found[name] = _scorer_of_notebook(own, name, labels)
        else:
            if labels is not None and (name.startswith(_OF_NUMBERS) or "error" in name):
                raise PlanFailed(
                    "user",
                    f"custom_metrics names “{name}”, which is for numbers; labels have no distance.",
                )
            found[name] = get_scorer(name)
        _try(name, found[name], target, is_label=labels is not None)
    return found


class LabelScorer:
    """A scorer that is called with the labels of the user's table, where models learn codes.

    `labels` : array of shape (n_labels,), in the order of the codes.
    """

    def __init__(self, scorer: Any, labels: Any) -> None:
        self._scorer = scorer
        self._labels = labels

    def __call__(self, model: Any, features: Any, target: Any, **options: Any) -> Any:
        """Return the score of a fitted model; `target` : codes of shape (n_rows,)."""
        given = self._labels[np.asarray(target, dtype=int)]
        return self._scorer(_InLabels(model, self._labels), features, given, **options)


def _has(method: str) -> Any:
    return available_if(lambda self: hasattr(self.model, method))


class _InLabels(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A fitted model of codes that answers in labels."""

    def __init__(self, model: Any, labels: Any) -> None:
        self.model = model
        self.labels = labels
        self.classes_ = labels[
            np.asarray(getattr(model, "classes_", range(len(labels))), dtype=int)
        ]

    def predict(self, features: Any) -> Any:
        return self.labels[np.ravel(self.model.predict(features)).astype(int)]

    @_has("predict_proba")  # type: ignore[untyped-decorator]
    def predict_proba(self, features: Any) -> Any:
        return self.model.predict_proba(features)

    @_has("decision_function")  # type: ignore[untyped-decorator]
    def decision_function(self, features: Any) -> Any:
        return self.model.decision_function(features)

    def __sklearn_is_fitted__(self) -> bool:
        return True


def _scorer_of_notebook(own: NotebookObjects, name: str, labels: Any) -> Any:
    if name not in own.scorers:
        raise PlanFailed(
            "user",
            f"custom_metrics names the scorer “{name}” of a notebook, which only a run in that notebook has.",
        )
    scorer = own.scorers[name]
    return scorer if labels is None else LabelScorer(scorer, portable.label_array(labels))


def _try(name: str, scorer: Any, target: Any, *, is_label: bool) -> None:
    """Score a model that learns nothing: scikit-learn says only then whether a metric fits the target."""
    from sklearn.dummy import DummyClassifier, DummyRegressor

    features = np.zeros((len(target), 1))
    model = DummyClassifier() if is_label else DummyRegressor()
    try:
        float(scorer(model.fit(features, target), features, target))
    except Exception as error:
        raise PlanFailed(
            "user",
            f"custom_metrics names “{name}”, which cannot be computed for this target: {describe_error(error)}",
        ) from None
