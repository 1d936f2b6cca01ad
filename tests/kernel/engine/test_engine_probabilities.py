"""Metrics of probabilities and decision values equal scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.linear_model import LogisticRegression, RidgeClassifier

from jupyter_pycaret_ops.kernel.engine.scoring.probabilities import (
    metrics_from_outputs,
    outputs_of,
)

NAMES = ["AUC", "PR AUC", "Log Loss", "Brier"]


def sklearns(truth, outputs, weights):
    """The same metrics, each by its function; all classes are in `truth`."""
    classes = range(outputs.shape[1])
    scores = outputs[:, 1] if len(classes) == 2 else outputs
    how = {"average": "macro"} if len(classes) == 2 else {"average": "weighted"}
    return {
        "AUC": metrics.roc_auc_score(
            truth, scores, multi_class="ovr", sample_weight=weights, **how
        ),
        "PR AUC": metrics.average_precision_score(truth, scores, sample_weight=weights, **how),
        "Log Loss": metrics.log_loss(truth, outputs, labels=classes, sample_weight=weights),
        "Brier": metrics.brier_score_loss(truth, scores, labels=classes, sample_weight=weights),
    }


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("weighted", [False, True])
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), rows=st.integers(0, 40), digits=st.sampled_from([1, 2, 16]))
def test_metrics_of_probabilities_equal_scikit_learns(classes, weighted, seed, rows, digits):
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.concatenate([np.arange(classes), rng.integers(0, classes, rows)]))
    outputs = rng.dirichlet(np.ones(classes), len(truth)).round(digits)  # with ties
    outputs[:, -1] = 1 - outputs[:, :-1].sum(axis=1)
    outputs = np.clip(outputs, 0, 1)
    outputs /= outputs.sum(axis=1, keepdims=True)
    weights = rng.integers(1, 4, len(truth)).astype(float) if weighted else None
    ours = metrics_from_outputs(truth, outputs, are_probabilities=True, weights=weights)
    assert list(ours) == NAMES
    for name, value in sklearns(truth, outputs, weights).items():
        assert ours[name] == pytest.approx(value, abs=1e-12), name


def test_class_without_a_row_is_left_out_of_the_means():
    outputs = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.4, 0.5, 0.1], [0.3, 0.6, 0.1]])
    truth = np.array([0, 1, 0, 1])
    ours = metrics_from_outputs(truth, outputs, are_probabilities=True)
    of_first = metrics.roc_auc_score(truth == 0, outputs[:, 0])
    of_second = metrics.roc_auc_score(truth == 1, outputs[:, 1])
    assert ours["AUC"] == pytest.approx((of_first + of_second) / 2)


def test_one_class_has_no_curves_of_two():
    ours = metrics_from_outputs(np.ones(3, int), np.full((3, 2), 0.5), are_probabilities=True)
    assert np.isnan(ours["AUC"])
    assert ours["Brier"] == pytest.approx(0.25)


def test_class_that_the_model_has_not_seen_has_no_probability():
    x = np.arange(10.0).reshape(-1, 1)
    model = LogisticRegression().fit(x, [0] * 5 + [2] * 5)
    found, are_probabilities = outputs_of(model, x, 3)
    assert are_probabilities
    assert found.shape == (10, 3)
    assert not found[:, 1].any()
    assert found[:, [0, 2]] == pytest.approx(model.predict_proba(x))


@pytest.mark.parametrize("classes", [2, 3])
def test_curves_come_from_decision_values_where_there_are_no_probabilities(classes):
    rng = np.random.default_rng(0)
    x, truth = rng.normal(size=(60, 3)), np.arange(60) % classes
    model = RidgeClassifier().fit(x, truth)
    found, are_probabilities = outputs_of(model, x, classes)
    assert not are_probabilities
    ours = metrics_from_outputs(truth, found, are_probabilities=False)
    values = model.decision_function(x)
    one_of_each = truth[:, None] == np.arange(classes)
    expected = (
        metrics.roc_auc_score(truth, values)
        if classes == 2
        else metrics.roc_auc_score(one_of_each, values, average="weighted")
    )
    assert ours == {"AUC": pytest.approx(expected), "PR AUC": pytest.approx(ours["PR AUC"])}


def test_a_run_has_the_metrics_and_those_it_asks_for(plan, frame, recorder):
    names = ["balanced_accuracy", "f1_macro", "neg_log_loss"]
    record = plan(
        frame, "label", model_id="lr", setup={"custom_metrics": names, "fold": 3}
    ).leaderboard[0]
    assert record["balanced_accuracy"] == pytest.approx(record["Balanced Accuracy"])
    assert record["neg_log_loss"] == pytest.approx(-record["Log Loss"])
    assert 0 < record["f1_macro"] <= 1


def test_a_run_is_ordered_by_a_custom_metric(plan, frame):
    result = plan(
        frame,
        "b",
        task="regression",
        plan="compare",
        include=["lr", "dt", "dummy"],
        sort="neg_median_absolute_error",
        setup={"custom_metrics": ["neg_median_absolute_error"], "fold": 3},
    )
    values = [record["neg_median_absolute_error"] for record in result.leaderboard]
    assert values == sorted(values, reverse=True)
    assert values == pytest.approx([-record["MedAE"] for record in result.leaderboard])


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["f1_makro"], "custom_metrics” has an entry that must be one of accuracy"),
        (["neg_mean_gamma_deviance"], "cannot be computed for this target"),
    ],
)
def test_custom_metric_that_cannot_be_is_refused(plan, frame, names, told):
    from jupyter_pycaret_ops.kernel.engine import PlanFailed

    frame["n"] = -frame["b"].abs()
    with pytest.raises(PlanFailed, match=told) as failed:
        plan(frame, "n", task="regression", setup={"custom_metrics": names})
    assert failed.value.kind == "user"


def test_metric_of_numbers_is_refused_for_labels(plan, frame):
    from jupyter_pycaret_ops.kernel.engine import PlanFailed

    for name in ("r2", "neg_mean_squared_error", "d2_absolute_error_score"):
        with pytest.raises(PlanFailed, match="which is for numbers"):
            plan(frame, "label", setup={"custom_metrics": [name]})
