"""Preparation inside the folds: against scikit-learn written out, and on rows that were kept away."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, RobustScaler, StandardScaler, TargetEncoder
from sklearn.svm import SVR

from jupyter_pycaret_ops.kernel.engine import PlanFailed
from jupyter_pycaret_ops.kernel.engine.preparation.families import Family, family_of
from jupyter_pycaret_ops.kernel.engine.preparation.model_wrappers import OutlierFilter
from jupyter_pycaret_ops.kernel.engine.preparation.transformers import (
    CorrelationFilter,
    CyclicEncoder,
    FrequencyEncoder,
    GroupStatistics,
    NumberOfColumns,
)

SETUP = {"fold": 3, "session_id": 7}
#: model → its error without a parameter, once for all parameters
BY_DEFAULT: dict[str, float] = {}


@pytest.fixture
def shops():
    """240 rows with gaps: two numbers, a boolean, few and many levels, dates, free text, and two targets."""
    random = np.random.default_rng(3)
    rows = 240
    town = np.array([f"town {n}" for n in random.integers(0, 40, rows)])
    worth = {name: place for place, name in enumerate(sorted(set(town)))}
    kind = random.choice(["food", "toys", "books"], rows)
    size = random.gamma(2, 50, rows)
    frame = pd.DataFrame(
        {
            "size": size,
            "staff": random.integers(1, 20, rows).astype(float),
            "open": random.choice([True, False], rows),
            "kind": kind,
            "town": town,
            "since": pd.date_range("2015-01-01", periods=rows, freq="9D").strftime("%Y-%m-%d"),
            "said": [" ".join(random.choice(["good", "bad", "slow", "kind"], 7)) for _ in town],
        }
    )
    frame["sales"] = (
        size + 9 * frame["staff"] + [worth[name] * 5 for name in town] + random.normal(0, 5, rows)
    )
    frame["rich"] = np.where(frame["sales"] > frame["sales"].median(), "yes", "no")
    frame.loc[::17, "size"] = np.nan
    frame.loc[::19, "kind"] = np.nan
    frame.loc[::23, "town"] = np.nan
    return frame


def written_out(numbers, few, many, target_type, *, is_scaled, keeps_missing):
    """Return the preparation of a table, in scikit-learn's own words."""
    imputer = SimpleImputer(strategy="median", add_indicator=True)

    steps = [("numbers", "passthrough" if keeps_missing else imputer, numbers)]
    if is_scaled:
        steps = [("numbers", make_pipeline(imputer, RobustScaler()), numbers)]
    encoder = OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=2, sparse_output=False
    )
    steps.append(("few", encoder, few))
    if many:
        target = TargetEncoder(target_type=target_type, random_state=7)
        steps.append(("many", make_pipeline(target, RobustScaler()) if is_scaled else target, many))
    return ColumnTransformer(steps, sparse_threshold=0)


def with_shares(train, test, many, *, is_scaled):
    """Return the shares of levels in the training rows, of both parts."""
    parts = []
    for part in (train, test):
        columns = []
        for name in many:
            shares = train[name].value_counts(normalize=True, dropna=False)
            columns.append(part[name].map(shares).fillna(0).to_numpy("float64"))
        parts.append(np.column_stack(columns))
    if is_scaled:
        scaler = RobustScaler().fit(parts[0])
        parts = [scaler.transform(part) for part in parts]
    return parts


@pytest.mark.parametrize(
    ("model_id", "task"),
    [
        ("lr", "classification"),
        ("rf", "classification"),
        ("lightgbm", "classification"),
        ("lr", "regression"),
        ("rf", "regression"),
    ],
)
def test_scores_equal_scikit_learn_written_out(plan, shops, model_id, task):
    from lightgbm import LGBMClassifier

    numbers, few, many = ["size", "staff"], ["kind"], ["town"]
    target = "rich" if task == "classification" else "sales"
    table = shops[[*numbers, *few, *many, target]]
    (record,) = plan(table, target, task=task, model_id=model_id, setup=SETUP).leaderboard

    is_label = task == "classification"
    y = (table[target] == "yes").astype(int) if is_label else table[target]
    x = table.drop(columns=target)
    x_train, _, y_train, _ = train_test_split(
        x, y, train_size=0.7, random_state=7, stratify=y if is_label else None
    )
    model = {
        ("lr", True): LogisticRegression(max_iter=1000, random_state=7),
        ("rf", True): RandomForestClassifier(n_estimators=100, random_state=7),
        ("lightgbm", True): LGBMClassifier(random_state=7, n_jobs=1, verbosity=-1),
        ("lr", False): LinearRegression(),
        ("rf", False): RandomForestRegressor(n_estimators=100, random_state=7),
    }[model_id, is_label]
    is_scaled = model_id == "lr"
    folds = (StratifiedKFold if is_label else KFold)(3, shuffle=True, random_state=7)
    scores = []
    for train, test in folds.split(x_train, y_train):
        a, b = x_train.iloc[train], x_train.iloc[test]
        prepare = written_out(
            numbers,
            few,
            many,
            "binary" if is_label else "continuous",
            is_scaled=is_scaled,
            keeps_missing=not is_scaled,
        )
        frequencies = with_shares(a, b, many, is_scaled=is_scaled)
        fitted = np.hstack([prepare.fit_transform(a, y_train.iloc[train]), frequencies[0]])
        held = np.hstack([prepare.transform(b), frequencies[1]])
        model.fit(fitted, y_train.iloc[train])
        truth = y_train.iloc[test]
        scores.append(
            roc_auc_score(truth, model.predict_proba(held)[:, 1])
            if is_label
            else r2_score(truth, model.predict(held))
        )
    assert record["AUC" if is_label else "R2"] == pytest.approx(np.mean(scores), abs=1e-9)


def test_nothing_of_a_fold_is_seen_before_it_is_scored(plan):
    """A level that stands for the row itself tells nothing: coded before the folds it would tell all."""
    random = np.random.default_rng(1)
    rows = 400
    frame = pd.DataFrame(
        {
            "code": [f"c{n // 2}" for n in range(rows)],
            "noise": random.normal(0, 1, rows),
            "label": random.choice(["a", "b"], rows),
        }
    )
    for model_id in ("lr", "rf", "lightgbm"):
        (record,) = plan(frame, "label", model_id=model_id, setup={"fold": 5}).leaderboard
        assert record["AUC"] < 0.6, model_id


def test_cross_validated_scores_of_titanic_hold_on_rows_that_were_kept_away(
    plan, recorder, dataset
):
    table = dataset("titanic.csv")
    known, kept = train_test_split(
        table, train_size=0.75, random_state=4, stratify=table["Survived"]
    )
    truth = kept["Survived"].to_numpy()
    for model_id in ("lr", "rf", "lightgbm"):
        (record,) = plan(known, "Survived", model_id=model_id, setup={"fold": 5}).leaderboard
        pipeline = recorder.pipeline(model_id)
        rows = kept.drop(columns="Survived")
        score = roc_auc_score(truth, pipeline.predict_proba(rows)[:, 1])
        # of the mean of five folds, and of as many rows as were kept away (Hanley and McNeil, 1982)
        of_folds = record["std"]["AUC"] / np.sqrt(5)
        positive = truth.sum()
        q1, q2 = score / (2 - score), 2 * score**2 / (1 + score)
        variance = score * (1 - score) + (positive - 1) * (q1 - score**2)
        variance += (len(truth) - positive - 1) * (q2 - score**2)
        of_rows = np.sqrt(variance / (positive * (len(truth) - positive)))
        assert abs(record["AUC"] - score) <= 2 * np.hypot(of_folds, of_rows), model_id
        assert (pipeline.predict(rows) == truth).mean() >= 0.77, model_id


@pytest.mark.parametrize("model_id", ["lr", "dt", "gbc", "knn", "nb", "xgboost", "catboost"])
def test_missing_and_unseen_values_have_a_place(plan, recorder, shops, model_id):
    plan(shops.drop(columns="sales"), "rich", model_id=model_id, setup={"fold": 2})
    pipeline = recorder.pipeline(model_id)
    rows = pd.DataFrame([dict.fromkeys(shops.columns[:7])] * 2).astype(object)
    rows.loc[1, ["kind", "town", "said", "since"]] = ["cars", "nowhere", "quite new", "2031-05-06"]
    found = pipeline.predict_proba(rows)
    assert np.isfinite(found).all()
    assert found.sum(axis=1) == pytest.approx(1)


def test_pipeline_with_all_kinds_of_columns_loads_without_this_package(
    plan, recorder, shops, tmp_path
):
    setup = {
        "fold": 2,
        "remove_outliers": True,
        "remove_multicollinearity": True,
        "group_features": {"both": ["size", "staff"]},
        "feature_selection": True,
    }
    plan(shops.drop(columns="sales"), "rich", model_id="lr", setup=setup)
    (tmp_path / "p.pkl").write_bytes(recorder.artifacts["pipeline-lr.pkl"])
    shops.to_csv(tmp_path / "rows.csv", index=False)
    code = (
        "import sys, pickle, pandas as pd\n"
        "sys.modules['jupyter_pycaret_ops'] = sys.modules['pycaret'] = None\n"
        "p = pickle.load(open('p.pkl', 'rb'))\n"
        "print(','.join(p.predict(pd.read_csv('rows.csv'))))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = recorder.pipeline("lr").predict(pd.read_csv(tmp_path / "rows.csv"))
    assert done.stdout.strip().split(",") == list(expected)


@pytest.mark.parametrize(
    ("plan_id", "model_id", "params"),
    [
        ("blend", None, {"include": ["lr", "dt"]}),
        ("stack", None, {"include": ["nb", "dt"]}),
        ("ensemble", "dt", {"method": "Bagging", "n_estimators": 3}),
        ("ensemble", "dt", {"method": "Boosting", "n_estimators": 3}),
        ("calibrate", "nb", {}),
        ("tune", "dt", {"n_iter": 2}),
    ],
)
def test_composed_models_have_the_preparation_that_their_members_need(
    plan, recorder, shops, plan_id, model_id, params
):
    table = shops.drop(columns="sales")
    result = plan(table, "rich", plan=plan_id, model_id=model_id, setup={"fold": 2}, **params)
    assert not recorder.payloads("model.failed")
    assert result.leaderboard[0]["AUC"] > 0.5
    for name in recorder.artifacts:
        if name.startswith("pipeline-"):
            pipeline = recorder.pipeline(name[len("pipeline-") : -len(".pkl")])
            assert len(pipeline.predict(table.head())) == 5


@pytest.mark.parametrize(
    "setup",
    [
        {"numeric_imputation": "knn"},
        {"numeric_imputation": -1},
        {"numeric_imputation": "-1.5"},
        {"imputation_type": "iterative"},
        {"imputation_type": "iterative", "numeric_iterative_imputer": "rf"},
        {"categorical_imputation": "mode"},
        {"categorical_imputation": "none said"},
        {"max_encoding_ohe": 2},
        {"encoding_method": "frequency", "max_encoding_ohe": 0},
        {"encoding_method": "ordinal", "max_encoding_ohe": 0},
        {"rare_to_value": 0.4},
        {"normalize": True, "normalize_method": "minmax"},
        {"transformation": True},
        {"transformation": True, "transformation_method": "quantile"},
        {"polynomial_features": True},
        {"bin_numeric_features": ["size"]},
        {"group_features": {"both": ["size", "staff"]}},
        {"group_features": {"both": ["size", "staff"]}, "drop_groups": True},
        {"create_date_columns": ["year"]},
        {"low_variance_threshold": 0.1},
        {"remove_multicollinearity": True, "multicollinearity_threshold": 0.3},
        {"pca": True, "pca_components": 3},
        {"pca": True, "pca_method": "kernel", "pca_components": 4},
        {"feature_selection": True, "n_features_to_select": 3},
        {"feature_selection": True, "feature_selection_method": "univariate"},
        {"feature_selection": True, "feature_selection_estimator": "lightgbm"},
        {"remove_outliers": True, "outliers_threshold": 0.3},
        {"remove_outliers": True, "outliers_method": "lof"},
        {"transform_target": True},
    ],
    ids=lambda setup: "-".join(f"{name}={value}" for name, value in setup.items())[:60],
)
def test_each_parameter_changes_what_the_model_learns(plan, recorder, shops, setup):
    """Scores of a linear model and of a tree, beside those without the parameter; both predict."""
    table = shops.drop(columns=["rich", "said"])
    differs = False
    for model_id in ("lr", "gbr"):

        def error(model_id=model_id, **more):
            setup = {"fold": 2, **more}
            found = plan(table, "sales", task="regression", model_id=model_id, setup=setup)
            return found.leaderboard[0]["RMSE"]

        if model_id not in BY_DEFAULT:
            BY_DEFAULT[model_id] = error()
        value = error(**setup)
        assert value is not None
        differs |= value != BY_DEFAULT[model_id]
        predicted = recorder.pipeline(model_id).predict(table)
        assert np.isfinite(np.asarray(predicted, dtype=float)).all()
    assert differs


def test_words_are_counted_plainly_or_by_how_rare_they_are(plan, shops):
    table = shops[["said", "rich"]]
    boards = [
        plan(table, "rich", model_id="lr", setup={"fold": 2, "text_features_method": method})
        for method in ("tf-idf", "bow")
    ]
    weighed, plain = (board.leaderboard[0]["AUC"] for board in boards)
    assert weighed != plain


def test_wrong_parameters_are_refused_with_their_names(plan, shops):
    table = shops.drop(columns="rich")

    def refused(**setup):
        with pytest.raises(PlanFailed) as error:
            plan(table, "sales", task="regression", model_id="lr", setup=setup)
        assert error.value.kind == "user"
        return error.value.message

    assert "max_encoding_ohe has no effect" in refused(preparation="pycaret", max_encoding_ohe=3)
    assert "bin_numeric_features names “kind”" in refused(bin_numeric_features=["kind"])
    assert "group_features names “open”" in refused(group_features={"g": ["open", "size"]})
    assert "preparation" in refused(preparation="none")
    only_date = table[["since", "sales"]]
    with pytest.raises(PlanFailed, match="No column is left"):
        plan(
            only_date, "sales", task="regression", model_id="lr", setup={"create_date_columns": []}
        )


def test_same_seed_gives_the_same_leaderboard_alone_and_in_processes(plan, shops, monkeypatch):
    from jupyter_pycaret_ops.kernel.engine.trials import parallelism

    table = shops.drop(columns="sales")
    ids = ["lr", "rf", "lightgbm"]

    def board():
        found = plan(table, "rich", plan="compare", include=ids, setup=SETUP).leaderboard
        return [{k: v for k, v in record.items() if k != "seconds"} for record in found]

    alone = board()
    assert board() == alone
    monkeypatch.setattr(parallelism.ParallelismPolicy, "is_worthwhile", lambda _: True)
    assert board() == alone


# ---------------------------------------------------------------- the transformers, by hand


def test_family_of_composed_models_is_that_of_their_members():
    from lightgbm import LGBMRegressor
    from sklearn import ensemble, svm, tree

    stump = tree.DecisionTreeClassifier()
    assert family_of(ensemble.BaggingClassifier(stump)) is Family.TREES_WITH_MISSING
    assert family_of(ensemble.AdaBoostClassifier(stump)) is Family.TREES
    assert family_of(ensemble.BaggingRegressor(svm.SVR())) is Family.SCALED
    assert family_of(ensemble.AdaBoostRegressor(svm.SVR())) is Family.SCALED
    assert family_of(ensemble.GradientBoostingRegressor()) is Family.TREES
    assert family_of(LGBMRegressor()) is Family.TREES_WITH_MISSING


def test_frequencies_are_shares_of_the_training_rows():
    encoder = FrequencyEncoder().fit(pd.DataFrame({"a": ["x", "x", "y", None]}, dtype=object))
    found = encoder.transform(pd.DataFrame({"a": ["y", "x", "new", None]}, dtype=object))
    assert found.ravel().tolist() == [0.25, 0.5, 0.0, 0.25]


def test_cycles_join_the_end_to_the_beginning():
    encoder = CyclicEncoder([12.0])
    december, january, july, gone = encoder.fit_transform(np.array([[12.0], [1], [7], [np.nan]]))
    assert december == pytest.approx([0, 1])
    assert np.linalg.norm(december - january) < np.linalg.norm(december - july)
    assert gone.tolist() == [0, 0]


def test_statistics_of_groups_leave_missing_values_out():
    found = GroupStatistics([[0, 1, 2]]).fit_transform(np.array([[1, 2, 6], [4, np.nan, 4]]))
    assert found[0] == pytest.approx([1, 6, 3, np.std([1, 2, 6]), 2])
    assert found[1] == pytest.approx([4, 4, 4, 0, 4])


def test_of_two_correlated_columns_the_more_telling_one_is_kept():
    random = np.random.default_rng(0)
    target = random.normal(size=200)
    near, far = target + random.normal(0, 0.1, 200), random.normal(size=200)
    noisy = near + random.normal(0, 0.2, 200)
    kept = CorrelationFilter(0.9).fit(np.column_stack([noisy, near, far]), target)
    assert kept.kept_ == [1, 2]


def test_number_of_columns_is_a_share_or_a_number():
    columns = np.zeros((2, 10))
    assert [NumberOfColumns(n)(columns) for n in (0.5, 0.01, 3, 99)] == [5, 1, 3, 10]


def test_outliers_are_left_out_of_the_fit_only():
    from sklearn.ensemble import IsolationForest

    x = np.vstack([np.random.default_rng(0).normal(size=(99, 1)), [[50.0]]])
    y = x[:, 0].copy()
    y[-1] = -1000
    model = OutlierFilter(LinearRegression(), IsolationForest(contamination=0.01, random_state=0))
    assert model.fit(x, y).estimator_.coef_[0] == pytest.approx(1)
    assert len(model.predict(x)) == 100


def test_kernel_and_neural_models_learn_a_target_of_any_scale(plan, recorder):
    """Prices in thousands: equal to scikit-learn's own transformed target, written out."""
    random = np.random.default_rng(6)
    x = random.normal(size=(240, 2))
    price = 150_000 + 40_000 * np.tanh(x[:, 0]) + 9_000 * x[:, 1] + random.normal(0, 500, 240)
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "price": price})
    setup = {"fold": 4, "session_id": 7, "fold_strategy": "kfold", "fold_shuffle": False}
    result = plan(
        frame,
        "price",
        task="regression",
        plan="compare",
        setup=setup,
        include=["svm", "kr", "mlp", "gbr"],
    )
    scores = {record["model_id"]: record["R2"] for record in result.leaderboard}
    assert min(scores["svm"], scores["mlp"], scores["kr"]) > 0.7, scores
    train, _ = train_test_split(np.arange(240), train_size=0.7, random_state=7)
    part = frame.iloc[np.sort(train)]
    values = []
    for a, b in KFold(4).split(part):
        model = make_pipeline(
            RobustScaler(),
            TransformedTargetRegressor(SVR(), transformer=StandardScaler()),
        )
        model.fit(part[["a", "b"]].to_numpy()[a], part["price"].to_numpy()[a])
        predicted = model.predict(part[["a", "b"]].to_numpy()[b])
        values.append(r2_score(part["price"].to_numpy()[b], predicted))
    assert scores["svm"] == pytest.approx(np.mean(values), abs=1e-9)
