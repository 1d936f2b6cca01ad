"""Metrics that a run asks for by the names of scikit-learn's scorers."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..error_messages import describe_error
from ..interfaces import PlanFailed


def read_custom_metrics(names: Sequence[str], target: Any, *, is_label: bool) -> dict[str, Any]:
    """Return name → scikit-learn's scorer.

    `target` : array of shape (n_rows,) as encoded, by which each is tried. Raises `PlanFailed` for a name that
    scikit-learn does not have, and for a metric that cannot be computed for this target.
    """
    from sklearn.metrics import get_scorer, get_scorer_names

    known = get_scorer_names()
    found = {}
    for name in dict.fromkeys(names):
        if name not in known:
            near = difflib.get_close_matches(name, known, 3, 0.5)
            hint = f" Did you mean {' or '.join(near)}?" if near else ""
            raise PlanFailed(
                "user",
                f"custom_metrics names “{name}”, which is no scorer of scikit-learn.{hint} "
                "sklearn.metrics.get_scorer_names() lists them.",
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
