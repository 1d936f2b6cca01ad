"""The search of automl: portfolio, settings, ensemble; the same with any number of processes, and honest scores."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from jupyter_pycaret_ops.kernel.engine import Cancelled, PlanFailed
from jupyter_pycaret_ops.kernel.engine.interfaces import NullReporter
from jupyter_pycaret_ops.kernel.engine.leaderboard import Leaderboard, Scored
from jupyter_pycaret_ops.kernel.engine.limits import Limits
from jupyter_pycaret_ops.kernel.engine.preparation.model_wrappers import EarlyStopped
from jupyter_pycaret_ops.kernel.engine.search.ensemble import vote
from jupyter_pycaret_ops.kernel.engine.search.portfolio import promising_first
from jupyter_pycaret_ops.kernel.engine.search.searching import nested_record
from jupyter_pycaret_ops.kernel.engine.search.selection import answers_of, choose
from jupyter_pycaret_ops.kernel.engine.search.spaces import Choice, Range, space_of
from jupyter_pycaret_ops.kernel.engine.trials import fork_server, parallelism

SETUP = {"session_id": 7, "fold": 3}


@pytest.fixture
def moons():
    """300 rows of two labels that a line does not part well, with a category and gaps."""
    random = np.random.default_rng(1)
    angle = random.uniform(0, np.pi, 300)
    label = np.arange(300) % 2
    return pd.DataFrame(
        {
            "x": np.where(label, np.cos(angle), 1 - np.cos(angle)) + random.normal(0, 0.25, 300),
            "y": np.where(label, np.sin(angle), 0.5 - np.sin(angle)) + random.normal(0, 0.25, 300),
            "town": random.choice(["Bern", "Lyon", None], 300),
            "label": np.where(label, "yes", "no"),
        }
    )


def without_time(board):
    return [{k: v for k, v in record.items() if k != "seconds"} for record in board]


def search(plan, frame, **params):
    setup = params.pop("setup", SETUP)
    return plan(
        frame, "label", plan="automl", setup=setup, metric="AUC", **{"time_limit": None, **params}
    )


def test_search_scores_the_portfolio_then_settings_then_an_ensemble(plan, recorder, moons):
    result = search(plan, moons, include=["lr", "lightgbm", "et", "knn"], n_iter=12)
    assert result.leaderboard[0]["AUC"] >= max(record["AUC"] for record in result.leaderboard)
    ids = [record["model_id"] for record in result.leaderboard]
    assert len(ids) == len(set(ids))  # of each model the best settings only
    assert {"lr", "lightgbm_tuned", "et_tuned", "knn_tuned"} <= set(ids)
    (begun,) = recorder.payloads("search.started")
    assert begun["folds"] == 3
    (ended,) = recorder.payloads("search.finished")
    assert ended["reason"] == "n_iter"
    progress = recorder.payloads("search.progress")
    assert sum(len(one["tried"]) for one in progress) == 12
    assert progress[-1]["best"]["model_id"] in ids
    assert {trial["state"] for one in progress for trial in one["tried"]} <= {"scored", "pruned"}
    assert f"pipeline-{ids[0]}.pkl" in recorder.artifacts
    for record in result.leaderboard:  # a pipeline that was kept meanwhile is that of its row
        name, settings = record["model_id"], record.get("params") or {}
        if name.endswith("_tuned") and f"pipeline-{name}.pkl" in recorder.artifacts:
            fitted = recorder.pipeline(name)[-1].estimator_[-1]
            model = getattr(fitted, "estimator_", fitted)
            for parameter in ("n_neighbors", "min_samples_leaf", "learning_rate"):
                if parameter in settings:
                    assert getattr(model, parameter) == settings[parameter]
    predicted = recorder.pipeline(ids[0]).predict(moons.drop(columns="label"))
    assert np.mean(predicted == moons["label"]) > 0.8


def test_first_model_is_kept_at_once_and_a_cancelled_run_has_the_best_so_far(plan, recorder, moons):
    def cancel(kind, payload):
        if kind == "search.progress":
            raise Cancelled

    recorder.on_event = cancel
    with pytest.raises(Cancelled):
        search(plan, moons, include=["lr", "et"])
    kinds = [event["kind"] for event in recorder.events]
    first = kinds.index("model.scored", kinds.index("search.started"))
    assert kinds[first + 1 :].index("model.finalized") < kinds[first + 1 :].index("model.scored")
    assert "pipeline-lr.pkl" in recorder.artifacts


@pytest.mark.parametrize(
    "kind",
    [
        "fresh",
        pytest.param(
            "forks", marks=pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
        ),
    ],
)
def test_search_in_processes_equals_search_in_one(plan, moons, monkeypatch, kind):
    params = {"include": ["lr", "lightgbm", "et"], "n_iter": 8}
    monkeypatch.setattr(parallelism.ParallelismPolicy, "is_worthwhile", lambda self: False)
    serial = search(plan, moons, **params)
    monkeypatch.setattr(
        parallelism.ParallelismPolicy,
        "is_worthwhile",
        lambda self: self._folds_scored >= 2 and self._folds_left > 0,
    )
    monkeypatch.setattr(parallelism.ParallelismPolicy, "n_processes", 2)
    if kind == "forks":
        fork_server.start()
    try:
        parallel = search(plan, moons, **params)
    finally:
        fork_server.stop()
    assert without_time(serial.leaderboard) == without_time(parallel.leaderboard)


def test_fewer_settings_are_a_prefix_of_more(plan, recorder, moons):
    tried = []
    for n_iter in (4, 8):
        recorder.events.clear()
        search(plan, moons, include=["lr", "knn"], n_iter=n_iter)
        tried.append([t for one in recorder.payloads("search.progress") for t in one["tried"]])
    assert tried[0] == tried[1][:4]


def test_search_that_finds_nothing_better_stops_and_says_so(plan, recorder, moons, monkeypatch):
    monkeypatch.setattr("jupyter_pycaret_ops.kernel.engine.search.searching.PATIENCE", 8)
    search(plan, moons[["x", "label"]], include=["knn"])
    (ended,) = recorder.payloads("search.finished")
    assert ended["reason"] == "converged"


def test_time_limit_ends_the_search_with_what_it_has(plan, recorder, moons):
    result = search(plan, moons, include=["lr", "et", "lightgbm"], time_limit=4)
    (ended,) = recorder.payloads("search.finished")
    assert ended["reason"] == "time_limit"
    assert f"pipeline-{result.leaderboard[0]['model_id']}.pkl" in recorder.artifacts


def test_models_without_settings_to_search_are_scored_as_they_are(plan, recorder, moons):
    result = search(plan, moons[["x", "y", "label"]], include=["qda"], n_iter=4)
    assert "qda" in {record["model_id"] for record in result.leaderboard}
    assert search(plan, moons, include=["dummy"]).leaderboard[0]["model_id"] == "dummy"


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_kept_ensemble_is_the_one_that_was_scored(plan, recorder, moons, monkeypatch, task):
    """Kept by the run, and made again later of its record; here it is taken whether it is better or not."""
    monkeypatch.setattr(
        "jupyter_pycaret_ops.kernel.engine.search.ensemble._is_worse", lambda *_: False
    )
    frame = moons if task == "classification" else moons.assign(label=moons["x"] * moons["y"])
    metric = "AUC" if task == "classification" else "RMSE"
    found = plan(
        frame,
        "label",
        task=task,
        plan="automl",
        setup=SETUP,
        metric=metric,
        time_limit=None,
        n_iter=8,
        n_select=20,
    )
    ensemble = next((r for r in found.leaderboard if r["model_id"] == "ensemble"), None)
    assert ensemble is not None, [r["model_id"] for r in found.leaderboard]
    weights = [member["weight"] for member in ensemble["params"]["members"]]
    assert sum(weights) == pytest.approx(1, abs=1e-4)
    theirs = recorder.pipeline("ensemble")
    recorder.artifacts.clear()
    plan(
        frame,
        "label",
        task=task,
        plan="keep",
        model_id="ensemble",
        setup=SETUP,
        record=ensemble,
        origin_plan="automl",
        origin_params={},
    )
    again = recorder.pipeline("ensemble")
    rows = frame.drop(columns="label")
    how = "predict_proba" if task == "classification" else "predict"
    np.testing.assert_allclose(getattr(again, how)(rows), getattr(theirs, how)(rows), atol=1e-5)


def test_series_are_searched_too(plan, recorder):
    months = pd.period_range("2015-01", periods=48, freq="M").astype(str)
    sold = 100 + np.arange(48) + 10 * np.sin(np.arange(48) * np.pi / 6)
    frame = pd.DataFrame({"month": months, "sold": sold})
    result = plan(
        frame,
        "sold",
        task="time_series",
        plan="automl",
        setup={"index": "month", "fh": 3, "fold": 2},
        include=["naive", "theta"],
        n_iter=2,
        time_limit=None,
    )
    assert {"naive", "theta"} <= {record["model_id"] for record in result.leaderboard}


def test_ensemble_of_a_series_is_the_weighted_mean_of_its_forecasters(plan, recorder, monkeypatch):
    monkeypatch.setattr(
        "jupyter_pycaret_ops.kernel.engine.search.ensemble._is_worse", lambda *_: False
    )
    random = np.random.default_rng(5)
    months = pd.period_range("2015-01", periods=60, freq="M").astype(str)
    sold = 100 + np.arange(60) + 10 * np.sin(np.arange(60) * np.pi / 6) + random.normal(0, 4, 60)
    frame = pd.DataFrame({"month": months, "sold": sold})
    setup = {"index": "month", "horizon": 4, "fold": 3}
    params = {"include": ["naive", "theta", "polytrend"], "n_iter": 4, "n_select": 9}
    result = plan(
        frame, "sold", task="time_series", plan="automl", setup=setup, time_limit=None, **params
    )
    record = next(r for r in result.leaderboard if r["model_id"] == "ensemble")
    assert record["MASE"] is not None
    ahead = pd.DataFrame(index=range(4))
    expected = np.zeros(4)
    for member in record["params"]["members"]:
        model_id = member["model_id"].removesuffix("_tuned")
        plan(frame, "sold", task="time_series", model_id=model_id, setup=setup, **member["params"])
        expected += member["weight"] * recorder.pipeline(model_id).predict(ahead)
    total = sum(member["weight"] for member in record["params"]["members"])
    assert recorder.pipeline("ensemble").predict(ahead) == pytest.approx(expected / total, rel=1e-6)


# ---------------------------------------------------------------- scores


def record_of(model_id, values):
    fold_metrics = {"AUC": list(values), "Accuracy": [v / 2 for v in values]}
    record = {
        "model_id": model_id,
        "name": model_id,
        "rank": 0,
        "AUC": float(np.mean(values)),
        "std": {},
        "folds": list(values),
        "seconds": 1.0,
        "params": {"C": float(np.mean(values))},
    }
    return Scored(model_id, record, fold_metrics, LogisticRegression())


def test_best_of_many_settings_gets_a_score_that_did_not_choose_it():
    """By hand: without fold 0 the second setting is best, without fold 1 the first, without fold 2 the second."""
    tried = [record_of("lr_tuned", [0.9, 0.6, 0.7]), record_of("lr_tuned", [0.6, 0.8, 0.7])]
    found = nested_record(tried[0], tried, Leaderboard("AUC", greater_is_better=True))
    assert found.record["folds"] == [0.6, 0.6, 0.7]
    assert found.record["AUC"] == pytest.approx(1.9 / 3)
    assert found.record["Accuracy"] == pytest.approx(0.95 / 3)
    assert found.record["params"] == tried[0].record["params"]
    assert found.record["uncorrected"] == {"AUC": pytest.approx(2.2 / 3)}


def test_selection_equals_the_mean_that_scikit_learn_scores_best():
    """Two models that are wrong in different rows, and one that knows nothing: half and half is best."""
    random = np.random.default_rng(0)
    target = np.arange(400) % 2
    probabilities = [
        np.clip(0.5 + 0.35 * (target - 0.5) * 2 + random.normal(0, 0.35, 400), 0.02, 0.98)
        for _ in range(2)
    ]
    probabilities.append(random.uniform(0.3, 0.7, 400))
    positions = [np.arange(400)[fold::4] for fold in range(4)]
    outputs = [
        [np.column_stack([p > 0.5, 1 - p, p])[at] for at in positions] for p in probabilities
    ]
    for metric, loss in (
        ("Log Loss", lambda mean: log_loss(target, mean)),
        ("AUC", lambda mean: 1 - roc_auc_score(target, mean)),
    ):
        answers = answers_of(
            outputs, target, positions, ["lr", "dt", "nb"], metric=metric, n_classes=2
        )
        weights = choose(answers)
        assert weights.sum() == pytest.approx(1)
        assert weights[2] < 0.2
        best = loss(weights @ np.array(probabilities))
        assert best <= 1.1 * loss(np.mean(probabilities[:2], axis=0))
        assert best < min(loss(one) for one in probabilities)
        in_order = np.concatenate(positions)
        for place, one in enumerate(probabilities):
            expected = answers.loss(answers.values[place][None], target[in_order])[0]
            assert expected == pytest.approx(loss(one), abs=1e-9)


@pytest.mark.parametrize("is_label", [True, False])
def test_members_that_need_the_same_preparation_share_one(is_label):
    """And the ensemble answers the weighted mean of what they answer, each with its own."""
    random = np.random.default_rng(1)
    rows = pd.DataFrame({"x": random.normal(size=90), "y": random.normal(size=90)})
    target = (rows["x"] + random.normal(size=90) > 0).astype(int) if is_label else rows["x"] * 3
    linear, trees = (
        (LogisticRegression, DecisionTreeClassifier) if is_label else (Ridge, DecisionTreeRegressor)
    )
    models = [
        (RobustScaler(), linear()),
        (StandardScaler(), trees(max_depth=2, random_state=0)),
        (RobustScaler(), linear(fit_intercept=False)),
    ]
    members = [
        (f"m{place}", Pipeline([("prepare", prepare), ("model", model)]))
        for place, (prepare, model) in enumerate(models)
    ]
    weights = [0.5, 0.3, 0.2]
    prepared = SimpleNamespace(
        task=SimpleNamespace(
            type=SimpleNamespace(answers="labels" if is_label else "numbers", rows_are_steps=False)
        ),
        experiment=SimpleNamespace(as_member=lambda model: model),
    )
    ensemble = vote(prepared, members, weights).fit(rows, target)
    assert len(ensemble.estimators) == 2
    answer = "predict_proba" if is_label else "predict"
    expected = sum(
        weight * getattr(clone(model).fit(rows, target), answer)(rows)
        for weight, (_, model) in zip(weights, members, strict=True)
    )
    assert getattr(ensemble, answer)(rows) == pytest.approx(expected, abs=1e-12)
    alike = vote(prepared, members[::2], [0.5, 0.5])
    assert [name for name, _ in alike.steps] == ["prepare", "model"]


def test_ensemble_of_noise_is_no_better_than_chance():
    """100 seeds: twenty models that guess, chosen on all folds but the one that is scored."""
    found = []
    for seed in range(100):
        random = np.random.default_rng(seed)
        target = random.integers(0, 2, 200)
        positions = [np.arange(200)[fold::5] for fold in range(5)]
        guesses = random.uniform(0, 1, (20, 200))
        outputs = [[np.column_stack([p > 0.5, 1 - p, p])[at] for at in positions] for p in guesses]
        answers = answers_of(
            outputs, target, positions, [str(n) for n in range(20)], metric="AUC", n_classes=2
        )
        scores = [
            roc_auc_score(target[at], (choose(answers, without_fold=fold) @ guesses)[at])
            for fold, at in enumerate(positions)
        ]
        found.append(np.mean(scores))
    error = np.std(found) / 10
    assert abs(np.mean(found) - 0.5) < 3 * error


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize("name", ["lightgbm", "xgboost", "catboost"])
def test_booster_stops_where_a_tenth_of_its_rows_says(name):
    """The same number of trees as the library finds on that tenth; then all rows are fitted with it."""
    import catboost
    import lightgbm
    import xgboost

    random = np.random.default_rng(2)
    rows = random.normal(size=(400, 4))
    target = (rows[:, 0] + random.normal(0, 1, 400) > 0).astype(int)
    train, watched = train_test_split(np.arange(400), test_size=40, random_state=3, stratify=target)
    beside = (rows[watched], target[watched])
    if name == "lightgbm":
        model = lightgbm.LGBMClassifier(n_estimators=300, verbosity=-1, n_jobs=1)
        own = lightgbm.LGBMClassifier(n_estimators=300, verbosity=-1, n_jobs=1).fit(
            rows[train],
            target[train],
            eval_X=(beside[0],),
            eval_y=(beside[1],),
            callbacks=[lightgbm.early_stopping(20, verbose=False)],
        )
        n_trees, parameter = own.best_iteration_, "n_estimators"
    elif name == "xgboost":
        model = xgboost.XGBClassifier(n_estimators=300, n_jobs=1)
        own = xgboost.XGBClassifier(n_estimators=300, n_jobs=1, early_stopping_rounds=20)
        own.fit(rows[train], target[train], eval_set=[beside], verbose=False)
        n_trees, parameter = own.best_iteration + 1, "n_estimators"
    else:
        options = {"verbose": False, "thread_count": 1, "allow_writing_files": False}
        model = catboost.CatBoostClassifier(iterations=300, **options)
        own = catboost.CatBoostClassifier(iterations=300, **options)
        own.fit(rows[train], target[train], eval_set=beside, early_stopping_rounds=20)
        n_trees, parameter = own.tree_count_, "iterations"
    stopped = EarlyStopped(model, rounds=20, random_state=3).fit(rows, target)
    assert stopped.n_trees_ == n_trees < 300
    expected = model.set_params(**{parameter: n_trees}).fit(rows, target)
    np.testing.assert_allclose(stopped.predict_proba(rows), expected.predict_proba(rows), atol=1e-6)
    assert stopped.score(rows, target) == expected.score(rows, target)


def test_tpe_learns_from_what_it_has_tried_and_keeps_to_the_ranges(plan, recorder, moons):
    plan(
        moons,
        "label",
        plan="tune",
        model_id="knn",
        setup=SETUP,
        metric="AUC",
        search_algorithm="tpe",
        n_iter=24,
    )
    (tuned,) = recorder.payloads("model.tuned")
    assert len(tuned["tried"]) == 24
    neighbours = [one["params"]["n_neighbors"] for one in tuned["tried"]]
    assert all(2 <= n <= 60 for n in neighbours)
    assert tuned["tried"][0]["params"] == tuned["best_params"]


def test_boosters_of_a_tpe_search_find_their_number_of_trees(plan, recorder, moons):
    given = {"plan": "tune", "model_id": "lightgbm", "setup": SETUP, "n_iter": 2}
    plan(moons, "label", search_algorithm="tpe", **given)
    name = next(n for n in recorder.artifacts if n.startswith("pipeline-"))
    (tuned,) = recorder.payloads("model.tuned")
    assert all(one["params"]["early_stopping"] for one in tuned["tried"])
    assert recorder.artifacts[name]
    with pytest.raises(PlanFailed, match="early_stopping is for lightgbm, xgboost, catboost"):
        plan(moons, "label", plan="tune", model_id="dt", setup=SETUP, early_stopping=True)


def test_values_of_the_engine_become_ranges_where_they_are_many_numbers():
    grid = {
        "depth": list(range(1, 20)),
        "rate": [0.001 * n for n in range(1, 500)],
        "kind": ["a", "b", None],
        "flag": [True, False],
        "model": [object()],
    }
    space = space_of("dt", is_label=True, grid=grid)
    assert space == {
        "depth": Range(1, 19),
        "rate": Range(0.001, 0.499, log=True),
        "kind": Choice(("a", "b", None)),
        "flag": Choice((True, False)),
    }
    assert isinstance(space_of("lr", is_label=True, grid={})["C"], Range)


# ---------------------------------------------------------------- compare


def test_compare_with_a_time_limit_tries_promising_models_first(plan, recorder, moons):
    from jupyter_pycaret_ops.kernel.engine.event_reporter import EventReporter
    from jupyter_pycaret_ops.kernel.engine.tasks import find_task

    def order(**params):
        recorder.events.clear()
        plan(moons, "label", plan="compare", setup=SETUP, **params)
        started = [one["model_id"] for one in recorder.payloads("model.create.started")]
        return [model_id for model_id in started if model_id != "dummy"]

    wanted = ["knn", "gbc", "lr", "lightgbm"]
    models = (
        find_task("classification")
        .toy_experiment(EventReporter(NullReporter(), Limits()))
        .default_models
    )
    others = [model_id for model_id in models if model_id not in wanted]
    assert order(exclude=others, time_limit=300) == ["lr", "lightgbm", "gbc", "knn"]
    assert order(exclude=others) == [one for one in models if one in wanted]
    assert order(include=wanted, time_limit=300) == wanted
    ids = ["x", "auto_arima", "naive"]
    assert promising_first(ids, is_label=None) == ["naive", "auto_arima", "x"]


def test_folds_of_a_search_are_five_unless_others_are_asked_for(plan, recorder, moons):
    from jupyter_pycaret_ops.kernel.engine.plans import find_plan

    automl = find_plan("classification", "automl")
    assert automl.default_setup_for("classification") == {"fold": 5}
    assert automl.default_setup_for("time_series") == {}
    search(plan, moons, include=["lr"], n_iter=1, setup={"session_id": 7, "fold": 4})
    assert recorder.payloads("search.started")[0]["folds"] == 4
