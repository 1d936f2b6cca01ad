"""Metrics that a run asks for by the names of scikit-learn's scorers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..error_messages import describe_error
from ..interfaces import PlanFailed

#: how scorers of numbers begin, besides those of an error
_OF_NUMBERS = ("r2", "explained_variance", "d2_", "neg_mean_", "neg_root_", "neg_median_")


def scorer_names() -> list[str]:
    """Return the names of scikit-learn's scorers that need nothing but a model, rows and their target."""
    from sklearn.metrics import get_scorer_names

    return list(get_scorer_names())


def read_custom_metrics(names: Sequence[str], target: Any, *, is_label: bool) -> dict[str, Any]:
    """Return name → scikit-learn's scorer.

    `names` : of `scorer_names`; `target` : array of shape (n_rows,) as encoded, by which each is tried. Raises
    `PlanFailed` for a metric that cannot be computed for this target.
    """
    from sklearn.metrics import get_scorer

    found = {}
    for name in dict.fromkeys(names):
        if is_label and (name.startswith(_OF_NUMBERS) or "error" in name):
            raise PlanFailed(
                "user",
                f"custom_metrics names “{name}”, which is for numbers; labels have no distance.",
            )
        found[name] = get_scorer(name)
        _try(name, found[name], target, is_label=is_label)
    return found


def _try(name: str, scorer: Any, target: Any, *, is_label: bool) -> None:
    """Score a model that learns nothing: scikit-learn says only then whether a metric fits the target."""
    from sklearn.dummy import DummyClassifier, DummyRegressor

    features = np.zeros((len(target), 1))
    model = DummyClassifier() if is_label else DummyRegressor()
    try:
        scorer(model.fit(features, target), features, target)
    except Exception as error:
        raise PlanFailed(
            "user",
            f"custom_metrics names “{name}”, which cannot be computed for this target: {describe_error(error)}",
        ) from None
