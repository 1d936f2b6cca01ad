"""Thresholds by metric and by costs: against scikit-learn at each cut, kept with pipelines, and honest scores."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from jupyter_pycaret_ops.kernel.engine import PlanFailed
from jupyter_pycaret_ops.kernel.engine.thresholds import (
    METRICS,
    Objective,
    choose_threshold,
    count,
    cuts_of,
)

SETUP = {"session_id": 7, "fold": 4}
SKLEARN = {
    "Accuracy": metrics.accuracy_score,
    "Recall": metrics.recall_score,
    "Prec.": lambda truth, answer, **more: metrics.precision_score(
        truth, answer, zero_division=0, **more
    ),
    "F1": metrics.f1_score,
    "Kappa": metrics.cohen_kappa_score,
    "MCC": metrics.matthews_corrcoef,
    "Balanced Accuracy": metrics.balanced_accuracy_score,
}


@pytest.fixture
def churn():
    """600 rows, one in eight left; two columns tell something about it."""
    random = np.random.default_rng(5)
    left = np.arange(600) % 8 == 0
    return pd.DataFrame(
        {
            "calls": random.normal(size=600) + 1.1 * left,
            "age": random.normal(size=600) - 0.7 * left,
            "left": np.where(left, "yes", "no"),
        }
    )


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", METRICS)
def test_metric_at_each_cut_equals_scikit_learn(name, weighted):
    random = np.random.default_rng(1)
    truth = random.integers(0, 2, 60)
    proba = np.round(np.clip(0.3 * truth + random.uniform(0, 0.7, 60), 0, 1), 2)
    weights = random.uniform(0.5, 3, 60) if weighted else None
    cuts = cuts_of(proba)
    values = Objective(name).values(count(truth, proba, weights, cuts))
    assert len(cuts) > 20
    for cut, value in zip(cuts, values, strict=True):
        expected = SKLEARN[name](truth, (proba >= cut).astype(int), sample_weight=weights)
        assert value == pytest.approx(expected, abs=1e-9)


def test_costs_by_hand():
    """Four rows: one missed yes costs as much as five false alarms, so that the cut lies below it."""
    truth = np.array([0, 1, 0, 1])
    proba = np.array([0.1, 0.3, 0.5, 0.9])
    costs = Objective("costs", {"fp": 1.0, "fn": 5.0})
    values = costs.values(count(truth, proba, None, cuts_of(proba)))
    # from 0.2 on: a false alarm; from 0.4 on: a false alarm and a missed one; from 0.7 on: a missed one
    assert values == pytest.approx([-1 / 4, -6 / 4, -5 / 4])
    found = choose_threshold(costs, [(truth, proba, None)])
    assert found["value"] == pytest.approx(0.2)
    assert found["score_at_half"] == pytest.approx(-6 / 4)


def test_score_of_a_fold_comes_from_a_threshold_that_has_not_seen_it():
    """By hand: each fold alone is best with a cut that is wrong in the other one."""
    low = (np.array([0, 1]), np.array([0.1, 0.3]), None)
    high = (np.array([0, 1]), np.array([0.6, 0.8]), None)
    found = choose_threshold(Objective("Accuracy"), [low, high])
    # with the cut 0.7 of the second, the first misses its one; with 0.2, the second has a false alarm
    assert found["score"] == pytest.approx(0.5)
    assert found["score_at_half"] == pytest.approx(0.5)


@pytest.mark.parametrize("by", ["F1", {"fp": 1, "fn": 7}])
def test_pipelines_answer_from_the_threshold_on(plan, recorder, churn, by):
    result = plan(
        churn,
        "left",
        plan="compare",
        setup=SETUP,
        metric="AUC",
        include=["lr", "nb", "ridge"],
        n_select=3,
        optimize_threshold=by,
    )
    records = {record["model_id"]: record for record in result.leaderboard}
    assert "threshold" not in records["ridge"]  # it has no probabilities
    chosen = records["lr"]["threshold"]
    assert chosen["by"] == by
    assert 0 < chosen["value"] < 0.45
    assert chosen["score"] > chosen["score_at_half"]
    pipeline = recorder.pipeline("lr")
    rows = churn.drop(columns="left")
    answers = pipeline.predict(rows)
    probabilities = pipeline.predict_proba(rows)[:, 1]
    assert list(answers == "yes") == list(probabilities >= chosen["value"])
    assert (answers == "yes").sum() > (probabilities >= 0.5).sum()
    best = result.leaderboard[0]
    assert result.metrics_summary["threshold"] == best.get("threshold")
    assert "It answers “yes” from a probability of" in result.metrics_summary["detail"]
    # scored by hand, on what the model has answered for rows it had not seen
    assert records["nb"]["threshold"]["value"] != chosen["value"]


def test_model_that_is_kept_later_has_its_threshold(plan, recorder, churn):
    given = {"include": ["lr", "nb"], "optimize_threshold": "F1"}
    result = plan(churn, "left", plan="compare", setup=SETUP, metric="AUC", **given)
    last = result.leaderboard[-1]
    plan(
        churn,
        "left",
        plan="keep",
        model_id=last["model_id"],
        setup=SETUP,
        record=last,
        origin_plan="compare",
        origin_params=given,
    )
    pipeline = recorder.pipeline(last["model_id"])
    assert pipeline[-1].threshold == last["threshold"]["value"]


def test_without_it_models_answer_as_they_do(plan, recorder, churn):
    result = plan(churn, "left", model_id="lr", setup=SETUP)
    assert "threshold" not in result.leaderboard[0]
    rows = churn.drop(columns="left")
    pipeline = recorder.pipeline("lr")
    probabilities = pipeline.predict_proba(rows)[:, 1]
    assert list(pipeline.predict(rows) == "yes") == list(probabilities > 0.5)


@pytest.mark.parametrize(
    ("by", "says"),
    [
        ("AUC", "optimize_threshold takes one of Accuracy"),
        ({"fp": 1}, "takes the costs of both errors"),
        ({"fp": 0, "fn": 0}, "takes the costs of both errors"),
    ],
)
def test_what_is_no_objective_is_refused(plan, recorder, churn, by, says):
    with pytest.raises(PlanFailed, match=says):
        plan(churn, "left", plan="compare", setup=SETUP, include=["lr"], optimize_threshold=by)
    assert not recorder.payloads("model.scored")


def test_three_labels_have_no_threshold(plan, iris):
    with pytest.raises(PlanFailed, match="for two labels"):
        plan(iris, "species", plan="compare", include=["nb"], optimize_threshold="F1")
