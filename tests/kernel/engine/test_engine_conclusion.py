"""The baseline, the hold-out and the headline of a run, against scikit-learn and by hand."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score, r2_score, roc_auc_score
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.preprocessing import RobustScaler

from jupyter_pycaret_ops.kernel.engine.conclusion import conclude

SETUP = {"fold": 4, "session_id": 7}


def test_baseline_is_scored_on_the_same_folds_whatever_is_included(plan, recorder, iris):
    result = plan(iris, "species", model_id="lr", setup=SETUP)
    baseline = result.metrics_summary["baseline"]
    train, _ = train_test_split(
        iris["species"], train_size=0.7, random_state=7, stratify=iris["species"]
    )
    splits = StratifiedKFold(4, shuffle=True, random_state=7).split(train, train)
    folds = [
        accuracy_score(
            train.iloc[b],
            DummyClassifier().fit(train.iloc[a], train.iloc[a]).predict(train.iloc[b]),
        )
        for a, b in splits
    ]
    assert baseline["folds"] == pytest.approx(folds, abs=1e-9)
    assert baseline["Accuracy"] == pytest.approx(np.mean(folds), abs=1e-9)
    assert (baseline["model_id"], baseline["baseline"]) == ("dummy", True)
    assert [record["model_id"] for record in result.leaderboard] == ["lr"]
    assert recorder.payloads("run.baseline_scored") == [baseline]
    kinds = [event["kind"] for event in recorder.events]
    assert kinds.index("run.baseline_scored") < kinds.index("model.scored")
    assert "dummy" not in {
        e["payload"].get("model_id") for e in recorder.events if "create" in e["kind"]
    }


def test_included_dummy_is_marked_on_the_leaderboard(plan, iris):
    board = plan(iris, "species", plan="compare", include=["lr", "dummy"], setup=SETUP).leaderboard
    assert [record.get("baseline") for record in board] == [None, True]


def test_baseline_of_numbers_is_the_mean(plan, diabetes):
    found = plan(diabetes, "target", task="regression", model_id="lr", setup=SETUP).metrics_summary
    train, _ = train_test_split(diabetes["target"], train_size=0.7, random_state=7)
    folds = [
        r2_score(
            train.iloc[b], DummyRegressor().fit(train.iloc[a], train.iloc[a]).predict(train.iloc[b])
        )
        for a, b in KFold(4, shuffle=True, random_state=7).split(train)
    ]
    assert found["baseline"]["R2"] == pytest.approx(np.mean(folds), abs=1e-9)
    assert found["baseline"]["name"] == "Always the mean"
    assert found["headline"].endswith(f"better than always answering the mean, {train.mean():.4g}.")
    assert (found["verdict"], found["beats_baseline"]) == ("better", True)


def test_best_model_is_scored_once_on_the_hold_out(plan, recorder, iris):
    table = iris[iris["species"] != "setosa"].reset_index(drop=True)
    found = plan(table, "species", model_id="lr", setup=SETUP).metrics_summary
    x, y = table.drop(columns="species"), (table["species"] == "virginica").astype(int)
    a, b, truth_a, truth_b = train_test_split(x, y, train_size=0.7, random_state=7, stratify=y)
    scaler = RobustScaler().fit(a)
    model = LogisticRegression(max_iter=1000, random_state=7).fit(scaler.transform(a), truth_a)
    assert found["holdout_rows"] == len(b)
    assert found["holdout"]["Accuracy"] == pytest.approx(
        accuracy_score(truth_b, model.predict(scaler.transform(b))), abs=1e-9
    )
    assert found["holdout"]["AUC"] == pytest.approx(
        roc_auc_score(truth_b, model.predict_proba(scaler.transform(b))[:, 1]), abs=1e-9
    )


def test_table_without_anything_to_learn_says_so_and_suggests_another_metric(plan):
    random = np.random.default_rng(0)
    rows = 300
    table = pd.DataFrame(
        {
            "a": random.normal(size=rows),
            "b": random.normal(size=rows),
            "left": np.where(random.random(rows) < 0.135, "Yes", "No"),
        }
    )
    result = plan(table, "left", plan="compare", include=["ridge", "lr", "nb"], setup=SETUP)
    found = result.metrics_summary
    assert (found["verdict"], found["beats_baseline"]) == ("not_better", False)
    assert found["headline"].endswith("is no better than always answering No.")
    assert found["suggested_metric"] == "AUC"
    assert "Accuracy hardly tells models apart; AUC does." in found["detail"]
    # ridge, which is tried first, ties but gives no probabilities
    values = {record["model_id"]: record["Accuracy"] for record in result.leaderboard}
    assert values["ridge"] == values["lr"] == max(values.values())
    assert [record["model_id"] for record in result.leaderboard] == ["lr", "nb", "ridge"]
    assert balanced_accuracy_score([0, 1], [0, 0]) == 0.5  # what the suggestion is about


def test_forecasts_are_compared_with_the_last_value(plan):
    months = pd.date_range("2015-01-01", periods=72, freq="MS")
    season = 10 * np.sin(2 * np.pi * np.arange(72) / 12)
    table = pd.DataFrame({"month": months.strftime("%Y-%m-%d"), "sales": 100 + season})
    table["sales"] += np.random.default_rng(0).normal(0, 0.5, 72)
    found = plan(
        table,
        "sales",
        task="time_series",
        model_id="snaive",
        setup={"fold": 3, "index": "month"},
    ).metrics_summary
    assert found["baseline"]["model_id"] == "naive"
    assert found["headline"].endswith("is clearly better than repeating the last value.")
    truth = table["sales"].to_numpy()
    repeated = truth[-24:-12]
    assert found["holdout"]["MAE"] == pytest.approx(np.abs(truth[-12:] - repeated).mean(), abs=1e-9)
    assert found["holdout_rows"] == 12


def test_clusters_and_plans_without_scores_have_no_baseline(plan, recorder, iris):
    for plan_id, model_id in (("setup", None), ("finalize", "lr")):
        summary = plan(iris, "species", plan=plan_id, model_id=model_id).metrics_summary
        assert summary["baseline"] is None
        assert summary["verdict"] is None
    assert not recorder.payloads("run.baseline_scored")


def concluded(best, baseline, *, holdout=None, second=None, greater_is_better=True):
    """Return the conclusion for hand-made records: (mean, deviation)."""

    def record(name, score):
        return {"model_id": name, "name": name, "M": score[0], "std": {"M": score[1]}}

    prepared = SimpleNamespace(
        greater_is_better=greater_is_better,
        baseline=record("Always No", baseline),
        baseline_words=lambda: "always answering No",
        holdout=None if holdout is None else {"M": holdout},
        holdout_rows=20,
        rare_share=lambda: None,
        metric="M",
        experiment=SimpleNamespace(metrics={}),
    )
    board = [record("X", best), *([record("Y", second)] if second else [])]
    found = conclude(prepared, {"metric": "M"}, board)
    json.dumps(found)
    return found


@pytest.mark.parametrize(
    ("best", "baseline", "holdout", "greater", "verdict"),
    [
        ((0.8, 0.05), (0.5, 0.0), 0.79, True, "better"),
        ((0.8, 0.05), (0.5, 0.0), None, True, "better"),
        ((0.8, 0.05), (0.5, 0.0), 0.69, True, "gap"),
        ((0.8, 0.05), (0.5, 0.0), 0.99, True, "better"),
        ((0.52, 0.05), (0.5, 0.0), 0.6, True, "not_better"),
        ((0.4, 0.05), (0.5, 0.0), 0.6, True, "not_better"),
        ((0.5, 0.05), (0.5, 0.0), 0.6, True, "not_better"),
        ((1.0, 0.2), (3.0, 0.1), 1.3, False, "better"),
        ((1.0, 0.2), (3.0, 0.1), 1.5, False, "gap"),
        ((2.9, 0.2), (3.0, 0.1), 2.9, False, "not_better"),
    ],
)
def test_verdict(best, baseline, holdout, greater, verdict):
    found = concluded(best, baseline, holdout=holdout, greater_is_better=greater)
    assert found["verdict"] == verdict
    assert found["beats_baseline"] == (verdict != "not_better")
    assert found["headline"].startswith("X is ")


def test_detail_names_the_second_and_the_gap():
    found = concluded((0.8, 0.05), (0.5, 0.0), holdout=0.8, second=(0.79, 0.1))
    assert found["detail"] == (
        "Hold-out and cross-validation agree. Y is second, 0.0100 behind, within the spread."
    )
    found = concluded((0.8, 0.05), (0.5, 0.0), holdout=0.5)
    assert found["detail"].startswith("The difference of 0.3000 is 6 deviations of the folds.")
