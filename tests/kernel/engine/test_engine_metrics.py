"""Metrics of predicted classes, computed from one confusion matrix: the engine's own values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pycaret_ops.common.task_types import TASK_TYPES
from jupyter_pycaret_ops.kernel.engine.global_state import isolated, load_engine
from jupyter_pycaret_ops.kernel.engine.scoring.confusion import (
    countable_metrics,
    metrics_from_confusion,
)
from jupyter_pycaret_ops.kernel.engine.scoring.supervised import or_nan

ALL = {"acc", "recall", "precision", "f1", "kappa", "mcc"}


def registry(classes):
    """The engine's metrics for a table with so many classes, as an experiment has them."""
    for task in TASK_TYPES:
        load_engine(task)
    from pycaret.containers.metrics.classification import get_all_metric_containers

    metrics = get_all_metric_containers({"y": pd.Series(range(classes))})
    for metric in metrics.values():
        metric.score_func = or_nan(metric.score_func)
    return metrics


@pytest.fixture(scope="module")
def registries():
    return {classes: registry(classes) for classes in (2, 3, 5)}


@pytest.mark.parametrize("classes", [2, 3, 5])
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_metrics_from_confusion_equal_those_of_the_engine(registries, classes, data):
    from pycaret.utils.generic import calculate_metrics

    rows = data.draw(st.integers(1, 30))
    some = st.lists(st.integers(0, classes - 1), min_size=rows, max_size=rows)
    truth, predicted = (np.array(data.draw(some)) for _ in range(2))
    metrics = registries[classes]
    names = countable_metrics(metrics)
    ours = metrics_from_confusion(names, truth, predicted, classes)
    with isolated():
        theirs = calculate_metrics(
            metrics={metric_id: metrics[metric_id] for metric_id in names},
            y_test=truth,
            pred=predicted,
        )
    if classes > 2 and truth.max() < 2:
        return  # the engine treats a fold with only the classes 0 and 1 as binary
    assert ours is not None
    assert list(ours) == list(theirs)
    for name, value in theirs.items():
        assert ours[name] == pytest.approx(value, abs=1e-12, nan_ok=True), name


def test_all_class_metrics_of_the_engine_are_computed(registries):
    assert set(countable_metrics(registries[3])) == ALL


def test_metric_with_other_definition_is_left_to_the_engine():
    metrics = registry(3)
    metrics["recall"].args = {"average": "macro"}
    metrics["acc"].score_func = lambda truth, predicted: 1.0
    assert set(countable_metrics(metrics)) == ALL - {"recall", "acc"}


@pytest.mark.parametrize(
    "predicted",
    [
        np.array([[0], [1], [2]]),
        np.array([0.0, 1.0, 2.0]),
        np.array(["a", "b", "c"]),
        np.array([0, 1, 7]),
        np.array([0, 1, -1]),
        np.array([0, 1]),
        [0, 1, 2],
    ],
    ids=["column", "float", "text", "unknown class", "negative", "short", "list"],
)
def test_predictions_of_other_shape_are_left_to_the_engine(registries, predicted):
    assert (
        metrics_from_confusion(countable_metrics(registries[3]), np.array([0, 1, 2]), predicted, 3)
        is None
    )
