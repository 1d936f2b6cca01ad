"""Folds, groups, time and weights: against scikit-learn written out, and against leakage."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, r2_score, recall_score
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    TimeSeriesSplit,
    train_test_split,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import RobustScaler

from jupyter_pycaret_ops.kernel.engine import PlanFailed

SEED = 7


@pytest.fixture
def visits():
    """300 rows of 60 patients: a patient's numbers are near each other, and tell nothing of others."""
    random = np.random.default_rng(2)
    patient = np.repeat(np.arange(60), 5)
    random.shuffle(patient)
    habit = random.normal(size=(60, 2))
    return pd.DataFrame(
        {
            "patient": [f"p{n}" for n in patient],
            "a": habit[patient, 0] + random.normal(0, 0.01, 300),
            "b": habit[patient, 1] + random.normal(0, 0.01, 300),
            "day": pd.date_range("2024-01-01", periods=300).strftime("%Y-%m-%d")[::-1],
            "part": np.arange(300) % 4,
            "weight": random.integers(1, 9, 300),
            "label": random.choice(["no", "yes"], 60)[patient],
            "value": habit[patient, 0] * 3 + np.arange(300) / 50 + random.normal(0, 0.3, 300),
        }
    )


def scaled(train, test):
    scaler = RobustScaler().fit(train)
    return scaler.transform(train), scaler.transform(test)


def by_hand(table, target, splits, model, score, weights=None):
    """Return the mean of a score over folds, with the columns a and b."""
    values = []
    for train, test in splits:
        a, b = scaled(table[["a", "b"]].iloc[train], table[["a", "b"]].iloc[test])
        given = {} if weights is None else {"sample_weight": weights[train]}
        model.fit(a, target[train], **given)
        weighted = {} if weights is None else {"sample_weight": weights[test]}
        values.append(score(target[test], model.predict(b), **weighted))
    return np.mean(values)


def held_out_by_groups(table, target):
    splitter = StratifiedGroupKFold(3, shuffle=True, random_state=SEED)
    train, held = next(iter(splitter.split(table, target, table["patient"])))
    return np.sort(train), np.sort(held)


def test_rows_of_a_patient_are_scored_and_held_out_together(plan, visits):
    """A forest knows a patient again: it is right about all rows of those it has seen, and about no others."""
    table = visits[["patient", "a", "b", "label"]]
    shuffled = plan(table.drop(columns="patient"), "label", model_id="rf").leaderboard[0]
    result = plan(table, "label", model_id="rf", setup={"fold": 4, "fold_groups": "patient"})
    (record,) = result.leaderboard
    assert shuffled["Accuracy"] > 0.85
    assert record["Accuracy"] < 0.75
    assert result.metrics_summary["holdout"]["Accuracy"] < 0.75
    assert result.snapshot["validation"] == {
        "fold_strategy": "stratifiedgroupkfold",
        "folds": 4,
        "fold_groups": "patient",
        "train_size": 0.7,
        "test_data_source_id": None,
        "spellings": {},
        "is_default": False,
    }


@pytest.mark.parametrize("strategy", ["groupkfold", "stratifiedgroupkfold"])
def test_folds_of_groups_equal_scikit_learn(plan, visits, strategy):
    table = visits[["patient", "a", "b", "label"]]
    setup = {
        "fold": 4,
        "fold_groups": "patient",
        "fold_strategy": strategy,
        "session_id": SEED,
    }
    (record,) = plan(table, "label", model_id="lr", setup=setup).leaderboard
    target = (table["label"] == "yes").to_numpy(dtype=int)
    train, _ = held_out_by_groups(table, target)
    part, truth = table.iloc[train], target[train]
    splitter = (GroupKFold if strategy == "groupkfold" else StratifiedGroupKFold)(
        4, shuffle=True, random_state=SEED
    )
    expected = by_hand(
        part,
        truth,
        splitter.split(part, truth, part["patient"]),
        LogisticRegression(max_iter=1000, random_state=SEED),
        accuracy_score,
    )
    assert record["Accuracy"] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("strategy", ["kfold", "stratifiedkfold"])
def test_folds_of_rows_equal_scikit_learn(plan, visits, strategy):
    table = visits[["a", "b", "label"]]
    setup = {"fold": 4, "fold_strategy": strategy, "session_id": SEED, "fold_shuffle": False}
    (record,) = plan(table, "label", model_id="rf", setup=setup).leaderboard
    target = (table["label"] == "yes").to_numpy(dtype=int)
    train, _ = train_test_split(np.arange(300), train_size=0.7, random_state=SEED, stratify=target)
    train = np.sort(train)
    part, truth = table.iloc[train], target[train]
    splitter = (KFold if strategy == "kfold" else StratifiedKFold)(4)
    values = []
    for a, b in splitter.split(part, truth):
        model = RandomForestClassifier(n_estimators=100, random_state=SEED)
        model.fit(part[["a", "b"]].to_numpy()[a], truth[a])
        values.append(accuracy_score(truth[b], model.predict(part[["a", "b"]].to_numpy()[b])))
    assert record["Accuracy"] == pytest.approx(np.mean(values), abs=1e-9)


def test_models_learn_from_earlier_rows_and_are_scored_on_later_ones(plan, visits):
    table = visits[["day", "a", "b", "value"]]  # the latest day is the first row
    setup = {"fold": 4, "fold_time": "day", "session_id": SEED}
    result = plan(table, "value", task="regression", model_id="lr", setup=setup)
    in_time = table.iloc[::-1].reset_index(drop=True)
    train, held = in_time.iloc[:210], in_time.iloc[210:]
    expected = by_hand(
        train,
        train["value"].to_numpy(),
        TimeSeriesSplit(4).split(train),
        LinearRegression(),
        r2_score,
    )
    assert result.leaderboard[0]["R2"] == pytest.approx(expected, abs=1e-9)
    a, b = scaled(train[["a", "b"]], held[["a", "b"]])
    model = LinearRegression().fit(a, train["value"])
    assert result.metrics_summary["holdout"]["R2"] == pytest.approx(
        r2_score(held["value"], model.predict(b)), abs=1e-9
    )
    assert result.snapshot["validation"]["fold_strategy"] == "timeseries"


def test_numbers_of_a_column_are_the_folds(plan, visits):
    table = visits[["part", "a", "b", "value"]]
    setup = {"fold_column": "part", "session_id": SEED}
    (record,) = plan(table, "value", task="regression", model_id="lr", setup=setup).leaderboard
    train, _ = train_test_split(np.arange(300), train_size=0.7, random_state=SEED)
    part = table.iloc[np.sort(train)].reset_index(drop=True)
    folds = part["part"].to_numpy()
    splits = [(np.flatnonzero(folds != n), np.flatnonzero(folds == n)) for n in range(4)]
    expected = by_hand(part, part["value"].to_numpy(), splits, LinearRegression(), r2_score)
    assert len(record["folds"]) == 4
    assert record["R2"] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_weights_count_in_fits_and_in_metrics(plan, recorder, visits, task):
    is_label = task == "classification"
    target = "label" if is_label else "value"
    table = visits[["weight", "a", "b", target]]
    setup = {"fold": 3, "sample_weight": "weight", "session_id": SEED}
    result = plan(table, target, task=task, plan="compare", include=["lr", "knn"], setup=setup)
    record = next(r for r in result.leaderboard if r["model_id"] == "lr")
    y = (table["label"] == "yes").to_numpy(dtype=int) if is_label else table["value"].to_numpy()
    train, held = train_test_split(
        np.arange(300), train_size=0.7, random_state=SEED, stratify=y if is_label else None
    )
    part, weights = table.iloc[train], table["weight"].to_numpy(dtype=float)
    splitter = (StratifiedKFold if is_label else KFold)(3, shuffle=True, random_state=SEED)
    model = LogisticRegression(max_iter=1000, random_state=SEED) if is_label else LinearRegression()
    score = accuracy_score if is_label else r2_score
    expected = by_hand(
        part, y[train], list(splitter.split(part, y[train])), model, score, weights[train]
    )
    assert record["Accuracy" if is_label else "R2"] == pytest.approx(expected, abs=1e-9)
    (warning,) = [w for w in recorder.payloads("warning") if w.get("reason") == "sample_weight"]
    message = next(
        e["message"] for e in recorder.events if e["payload"].get("reason") == "sample_weight"
    )
    assert "K Neighbors" in message
    assert "Logistic" not in message
    assert warning
    # the pipeline is fitted with weights on all rows
    a, _ = scaled(table[["a", "b"]], table[["a", "b"]])
    model.fit(a, y, sample_weight=weights)
    plan(table, target, task=task, model_id="lr", setup=setup)
    predicted = recorder.pipeline("lr").predict(table)
    if is_label:
        assert list(predicted) == [("no", "yes")[code] for code in model.predict(a)]
    else:
        assert predicted == pytest.approx(model.predict(a), abs=1e-9)
    assert len(held) == 90


class MeanOfTwo:
    """A logistic regression and nearest neighbours, which take no weights: the mean of their probabilities."""

    def fit(self, features, target, sample_weight):
        self.models = [
            LogisticRegression(max_iter=1000, random_state=SEED).fit(
                features, target, sample_weight=sample_weight
            ),
            KNeighborsClassifier().fit(features, target),
        ]

    def predict(self, features):
        mean = np.mean([model.predict_proba(features) for model in self.models], axis=0)
        return mean.argmax(axis=1)


def test_weights_count_in_members_of_a_blend(plan, recorder, visits):
    table = visits[["weight", "a", "b", "label"]]
    setup = {"fold": 3, "sample_weight": "weight", "session_id": SEED}
    result = plan(table, "label", plan="blend", include=["lr", "knn"], setup=setup)
    record = next(r for r in result.leaderboard if r["model_id"] == "blend")
    y, weights = (table["label"] == "yes").to_numpy(dtype=int), table["weight"].to_numpy(float)
    train, _ = train_test_split(np.arange(300), train_size=0.7, random_state=SEED, stratify=y)
    part, splitter = table.iloc[train], StratifiedKFold(3, shuffle=True, random_state=SEED)
    splits = list(splitter.split(part, y[train]))
    expected = by_hand(part, y[train], splits, MeanOfTwo(), accuracy_score, weights[train])
    assert record["Accuracy"] == pytest.approx(expected, abs=1e-9)
    a, _ = scaled(table[["a", "b"]], table[["a", "b"]])
    blend = MeanOfTwo()
    blend.fit(a, y, weights)
    answers = [("no", "yes")[code] for code in blend.predict(a)]
    assert list(recorder.pipeline("blend").predict(table)) == answers


@pytest.mark.parametrize("meta_model", [None, "knn"])
def test_weights_count_in_a_stack(plan, recorder, visits, meta_model):
    table = visits[["weight", "a", "b", "label"]]
    params = {"include": ["lr", "dt"], "meta_model": meta_model}
    scores = [
        next(
            record
            for record in plan(data, "label", plan="stack", setup=setup, **params).leaderboard
            if record["model_id"] == "stack"
        )["Log Loss"]
        for data in (table, table.assign(weight=1))
        for setup in [{"fold": 3, "sample_weight": "weight", "session_id": SEED}]
    ]
    assert None not in scores
    assert scores[0] != scores[1]
    assert len(recorder.pipeline("stack").predict(table)) == 300


def test_a_search_with_weights_makes_an_ensemble_that_is_fitted_with_them(plan, recorder, visits):
    table = visits[["weight", "a", "b", "value"]]
    setup = {"fold": 3, "sample_weight": "weight", "session_id": SEED}
    params = {"include": ["lr", "dt", "knn"], "n_iter": 12}
    result = plan(table, "value", task="regression", plan="automl", setup=setup, **params)
    record = next(r for r in result.leaderboard if r["model_id"] == "ensemble")
    plan(
        table,
        "value",
        task="regression",
        plan="keep",
        model_id="ensemble",
        setup=setup,
        record=record,
    )
    pipeline = recorder.pipeline("ensemble")
    expected = np.zeros(300)
    for member in record["params"]["members"]:
        alone = plan(
            table,
            "value",
            task="regression",
            model_id=member["model_id"].removesuffix("_tuned"),
            setup=setup,
            **member["params"],
        )
        assert alone.leaderboard
        model = recorder.pipeline(alone.leaderboard[0]["model_id"])
        expected += member["weight"] * model.predict(table)
    total = sum(member["weight"] for member in record["params"]["members"])
    assert pipeline.predict(table) == pytest.approx(expected / total, rel=1e-6)


def test_positive_class_is_the_one_that_recall_is_about(plan, visits):
    random = np.random.default_rng(0)
    table = visits[["a", "b"]].assign(
        dx=np.where(visits["a"] + random.normal(0, 1, 300) > 1, "Cardiac", "Other")
    )
    y = (table["dx"] == "Cardiac").to_numpy(dtype=int)
    for positive, expected in ((None, 1), ("Cardiac", 1), ("Other", 0)):
        setup = {"fold": 3, "session_id": SEED, "positive_class": positive}
        result = plan(table, "dx", model_id="lr", setup=setup)
        truth = y if expected else 1 - y
        train, _ = train_test_split(
            np.arange(300), train_size=0.7, random_state=SEED, stratify=truth
        )
        part = table.iloc[train]
        splitter = StratifiedKFold(3, shuffle=True, random_state=SEED)
        found = by_hand(
            part,
            truth[train],
            splitter.split(part, truth[train]),
            LogisticRegression(max_iter=1000, random_state=SEED),
            recall_score,
        )
        assert result.leaderboard[0]["Recall"] == pytest.approx(found, abs=1e-9), positive
        assert result.snapshot["positive_class"] == (positive or "Cardiac")


def test_usual_words_are_positive_whatever_their_share(plan, visits):
    table = visits[["a", "b"]].assign(left=np.where(visits["a"] > -0.5, "Yes", "Never"))
    assert plan(table, "left", model_id="lr").snapshot["positive_class"] == "Yes"


def test_columns_of_validation_are_no_features_unless_kept(plan, recorder, visits):
    table = visits[["patient", "weight", "a", "b", "label"]]
    setup = {"fold_groups": "patient", "sample_weight": "weight", "keep_features": ["weight"]}
    plan(table, "label", model_id="dt", setup=setup)
    assert [column["name"] for column in recorder.schema["columns"]] == ["weight", "a", "b"]
    assert "patient" in recorder.schema["ignored"]


@pytest.mark.parametrize(
    ("setup", "words"),
    [
        ({"fold_strategy": "groupkfold"}, "needs fold_groups"),
        ({"fold_strategy": "timeseries"}, "needs fold_time"),
        ({"fold_strategy": "predefined"}, "needs fold_column"),
        ({"fold_groups": "nobody"}, "fold_groups names “nobody”"),
        ({"fold_groups": "patient", "fold_strategy": "kfold"}, "fold_groups has no effect"),
        ({"fold_time": "day", "fold_strategy": "kfold"}, "fold_time has no effect"),
        ({"fold_time": "patient"}, "which holds no times"),
        ({"fold_column": "a"}, "no whole number in some rows"),
        ({"sample_weight": "patient"}, "without a number of 0 or more"),
        ({"fold_groups": "patient", "preparation": "pycaret"}, "need preparation “auto”"),
        ({"sample_weight": "weight", "preparation": "pycaret"}, "needs preparation “auto”"),
        ({"positive_class": "maybe"}, "positive_class names “maybe”"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_what_cannot_be_split_so_is_refused_with_the_way_out(plan, visits, setup, words):
    with pytest.raises(PlanFailed) as refused:
        plan(visits.drop(columns="value"), "label", model_id="dt", setup=setup)
    assert refused.value.kind == "user"
    assert words in refused.value.message


def test_stratified_folds_are_for_labels(plan, visits):
    with pytest.raises(PlanFailed, match="use kfold"):
        plan(
            visits[["a", "value"]],
            "value",
            task="regression",
            model_id="dt",
            setup={"fold_strategy": "stratifiedkfold"},
        )


def test_copies_of_training_rows_that_are_held_out_are_reported(plan, recorder, frame):
    doubled = pd.concat([frame, frame[:30]], ignore_index=True)
    plan(doubled, "label", model_id="lr")
    told = recorder.change("copies_held_out")
    assert told["rows"] >= 2
    assert told["share"] == pytest.approx(
        told["rows"] / recorder.payloads("data.split")[0]["test"], abs=1e-4
    )
    recorder.events.clear()
    plan(frame, "label", model_id="lr")
    changes = [one["change"] for one in recorder.payloads("data.changed")]
    assert "copies_held_out" not in changes


@pytest.mark.parametrize(
    ("setup", "words"),
    [
        ({"fold_groups": "patient"}, "shares 2 of its 13 groups of “patient”"),
        ({"fold_time": "day"}, "“day” of 1 of the 60 rows that are held out lies before"),
    ],
)
def test_table_that_is_held_out_and_overlaps_is_reported(plan, recorder, visits, setup, words):
    table = visits.sort_values("patient", kind="stable") if "fold_groups" in setup else visits[::-1]
    table = table[[next(iter(setup.values())), "a", "label"]].reset_index(drop=True)
    plan(table, "label", model_id="dt", setup=setup, holdout_rows=60)
    assert "hold_out_overlaps" not in [p["change"] for p in recorder.payloads("data.changed")]
    order = list(range(300))
    order[0], order[240] = order[240], order[0]  # one row of either is in the other table
    plan(table.iloc[order], "label", model_id="dt", setup=setup, holdout_rows=60)
    message = next(
        e["message"] for e in recorder.events if e["payload"].get("change") == "hold_out_overlaps"
    )
    assert words in message


def test_table_of_its_own_is_held_out(plan, recorder, frame):
    train, held = frame[:40], frame[40:].copy()
    held.loc[50, "label"] = None
    both = pd.concat([train, held], ignore_index=True)
    result = plan(both, "label", model_id="dt", holdout_rows=len(held))
    assert recorder.payloads("data.split")[0] == {"train": 40, "test": 19, "folds": 3}
    assert result.metrics_summary["holdout_rows"] == 19
    assert not result.snapshot["validation"]["is_default"]
    plan(train, "label", plan="finalize", model_id="dt")
    known = held[held["label"].notna()]
    predicted = recorder.pipeline("dt").predict(known)
    expected = accuracy_score(known["label"], predicted)
    assert result.metrics_summary["holdout"]["Accuracy"] == pytest.approx(expected)


def test_label_that_only_the_table_held_out_has_is_refused(plan, frame):
    frame.loc[[50, 52], "label"] = "new"
    with pytest.raises(PlanFailed, match="that the other one lacks: “new”"):
        plan(frame, "label", model_id="dt", holdout_rows=20)
    frame.loc[40:, "label"] = None
    with pytest.raises(PlanFailed, match="has no value in “label”"):
        plan(frame, "label", model_id="dt", holdout_rows=20)


def test_table_held_out_does_not_decide_how_columns_are_read(plan, frame):
    (plain,) = plan(frame, "label", model_id="lr", holdout_rows=20).leaderboard
    frame["a"] = frame["a"].astype(object)
    frame.loc[40:, "a"] = "unknown"
    (record,) = plan(frame, "label", model_id="lr", holdout_rows=20).leaderboard
    assert record["folds"] == plain["folds"]


def test_table_held_out_needs_preparation_inside_the_folds(plan, frame):
    with pytest.raises(PlanFailed, match="test_data_source_id needs preparation “auto”"):
        plan(frame, "label", model_id="dt", holdout_rows=20, setup={"preparation": "pycaret"})
