"""The plans: same numbers as the engine's own, live leaderboard, failures with a name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from jupyter_pycaret_ops.kernel.engine import PlanFailed
from jupyter_pycaret_ops.kernel.engine.experiments import Experiment, SupervisedExperiment


def failure(run, /, *args, **kwargs):
    with pytest.raises(PlanFailed) as raised:
        run(*args, **kwargs)
    return raised.value


@pytest.fixture
def broken(monkeypatch):
    """Make models of the registry fail: `broken({"lr": error})`."""

    def arrange(errors):
        make = Experiment.make_estimator

        def failing(self, model_id, parameters):
            if model_id in errors:
                raise errors[model_id]
            return make(self, model_id, parameters)

        monkeypatch.setattr(Experiment, "make_estimator", failing)

    return arrange


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_compare_scores_equal_those_of_the_engine(plan, recorder, iris, diabetes, task):
    import pycaret.tasks

    ids = {
        "classification": ["lr", "nb", "rf", "ridge", "lda"],
        "regression": ["lr", "lasso", "knn", "rf", "svm"],
    }[task]
    frame, target, name = {
        "classification": (iris, "species", "ClassificationExperiment"),
        "regression": (diabetes, "target", "RegressionExperiment"),
    }[task]
    experiment = getattr(pycaret.tasks, name)(target=target, session_id=7, fold=4, n_jobs=1)
    theirs = experiment.fit(frame).compare_models(include=ids, round=10).leaderboard
    ours = plan(
        frame,
        target,
        task=task,
        plan="compare",
        include=ids,
        setup={"fold": 4, "session_id": 7, "preparation": "pycaret"},
    ).leaderboard

    by_id = theirs.set_index("Model")
    assert {r["model_id"] for r in ours} == set(by_id.index)
    for record in ours:
        expected = by_id.loc[record["model_id"]]
        for metric in by_id.columns:
            if record[metric] is None:  # the engine writes 0 for what cannot be computed
                assert expected[metric] == 0
                assert record["model_id"] == "ridge"
            else:
                assert record[metric] == pytest.approx(expected[metric], abs=1e-9)
    first = "Accuracy" if task == "classification" else "R2"
    assert [by_id.loc[r["model_id"], first] for r in ours] == list(by_id[first])


def test_model_is_reported_when_scored(plan, recorder, iris):
    result = plan(iris, "species", plan="compare", include=["dummy", "nb", "lr"])
    told = recorder.payloads("model.scored")
    assert [t["model_id"] for t in told] == ["dummy", "nb", "lr"]
    assert told[1]["rank"] == 1
    for record in told:
        assert set(record["fold_metrics"]) == set(record["std"])
        assert record["folds"] == record["fold_metrics"]["Accuracy"]
        assert len(record["folds"]) == 3
        assert record["Accuracy"] == pytest.approx(np.mean(record["folds"]))
        assert record["std"]["Accuracy"] == pytest.approx(np.std(record["folds"]))
        assert record["seconds"] >= 0
    final = result.leaderboard
    assert [r["rank"] for r in final] == [1, 2, 3]
    assert final[-1]["model_id"] == "dummy"
    assert "fold_metrics" not in final[0]
    assert (
        result.metrics_summary
        | {
            "metric": "Accuracy",
            "best": {
                "model_id": final[0]["model_id"],
                "name": final[0]["name"],
                "value": final[0]["Accuracy"],
            },
            "models": 3,
            "failed": 0,
        }
        == result.metrics_summary
    )


def test_progress_counts_models_and_folds(plan, recorder, iris):
    plan(iris, "species", plan="compare", include=["nb", "dummy"])
    folds = [p for p in recorder.payloads("run.progress") if "fold" in p]
    assert [(p["done"], p["model_id"], p["fold"]) for p in folds] == [
        (done, model_id, fold)
        for done, model_id in enumerate(["nb", "dummy"])
        for fold in (1, 2, 3)
    ]
    assert {p["total"] for p in folds} == {2}
    assert folds[0]["label"] == "Naive Bayes"
    assert {"done": 2, "total": 2, "label": "Models scored"} in recorder.payloads("run.progress")


@pytest.mark.usefixtures("drawn")
def test_engine_events_are_forwarded_once(plan, recorder, iris):
    plan(iris, "species", model_id="nb")
    kinds = [e["kind"] for e in recorder.events]
    for kind in ("experiment.started", "experiment.fitted", "model.create.started"):
        assert kinds.count(kind) == 1
    assert recorder.payloads("model.created")[0]["model_id"] == "nb"


def test_undefined_metric_is_none_and_not_zero(plan, iris):
    record = plan(iris, "species", model_id="ridge").leaderboard[0]
    assert record["Log Loss"] is None
    assert record["std"]["Log Loss"] is None
    assert record["Accuracy"] > 0.5
    assert record["AUC"] > 0.9, "from decision values"
    setup = {"preparation": "pycaret"}
    engines = plan(iris, "species", model_id="ridge", setup=setup).leaderboard[0]
    assert engines["AUC"] is None


def test_error_metric_ranks_smallest_first(plan, diabetes):
    result = plan(
        diabetes, "target", task="regression", plan="compare", include=["dummy", "lr"], metric="MAE"
    )
    assert [r["model_id"] for r in result.leaderboard] == ["lr", "dummy"]
    assert result.metrics_summary["metric"] == "MAE"
    assert result.leaderboard[0]["folds"][0] == pytest.approx(result.leaderboard[0]["MAE"], rel=0.5)


def test_models_without_the_metric_rank_last(plan, iris):
    ids = ["ridge", "dummy", "nb"]
    ranked = plan(iris, "species", plan="compare", include=ids, sort="Log Loss").leaderboard
    assert [r["model_id"] for r in ranked] == ["nb", "dummy", "ridge"]


def test_unknown_metric_is_refused(plan, iris):
    error = failure(plan, iris, "species", plan="compare", sort="auc")
    assert error.kind == "user"
    assert "Accuracy, AUC, Recall" in error.message


def test_include_selects_slow_models_too(plan, iris):
    result = plan(iris, "species", plan="compare", include=["mlp"])
    assert [r["model_id"] for r in result.leaderboard] == ["mlp"]


def test_all_fast_models_run_by_default(plan, recorder, frame):
    plan(frame, "label", plan="compare", setup={"fold": 2})
    ids = set(recorder.payloads("model.compare.started")[0]["candidates"])
    assert {"lr", "dummy", "rf"} <= ids
    assert not {"rbfsvm", "gpc", "mlp"} & ids


def test_exclude_leaves_models_out(plan, iris):
    result = plan(iris, "species", plan="compare", include=["nb", "dummy"], exclude=["nb"])
    assert [r["model_id"] for r in result.leaderboard] == ["dummy"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"include": ["nope"]}, "include names “nope”"),
        ({"exclude": ["nope"]}, "exclude names “nope”"),
        ({"include": ["nb"], "exclude": ["nb"]}, "No model is left"),
        ({"turbo": True}, "no parameter of compare “turbo”"),
        ({"n_select": 0}, "at least 1"),
        ({"n_select": "2"}, "must be integer"),
        ({"time_limit": 0}, "more than 0"),
        ({"include": "lr"}, "must be array or null"),
        ({"include": [1]}, "has an entry that must be string"),
    ],
)
def test_invalid_plan_parameters_are_refused(plan, iris, params, message):
    error = failure(plan, iris, "species", plan="compare", **params)
    assert error.kind == "user"
    assert message in error.message


@pytest.mark.parametrize(
    ("setup", "message"),
    [
        ({"preprocess": False}, "no set-up parameter “preprocess”"),
        ({"fold_strategy": "fold"}, "fold_strategy"),
        ({"fold": 1}, "at least 2"),
        ({"train_size": 1}, "less than 1"),
        ({"normalize": "yes"}, "must be boolean"),
    ],
)
def test_invalid_set_up_parameters_are_refused(plan, iris, setup, message):
    error = failure(plan, iris, "species", setup=setup)
    assert error.kind == "user"
    assert message in error.message


def test_unknown_plans_and_tasks_are_refused(plan, iris):
    assert "no plan “dance”" in failure(plan, iris, "species", plan="dance").message
    assert "no task “dance”" in failure(plan, iris, "species", task="dance").message


@pytest.mark.parametrize(
    "setup",
    [
        {"normalize": True, "transformation": True},
        {"remove_outliers": True},
        {"feature_selection": True},
        {"session_id": None},
        {"session_id": 3, "train_size": 0.5},
    ],
    ids=str,
)
def test_set_up_parameters_reach_the_pipeline(plan, recorder, iris, setup):
    result = plan(iris, "species", model_id="nb", setup=setup)
    assert result.snapshot["seed"] == (setup.get("session_id", 42) or 42)
    predicted = recorder.pipeline("nb").predict(iris)
    assert (predicted == iris["species"]).mean() > 0.8


def test_failing_model_is_reported_and_others_are_scored(plan, recorder, iris, broken):
    broken({"nb": RuntimeError("no\nway")})
    result = plan(iris, "species", plan="compare", include=["nb", "lr"])
    (failed,) = recorder.payloads("model.failed")
    assert (failed["model_id"], failed["name"], failed["error"]) == (
        "nb",
        "Naive Bayes",
        "no way",
    )
    assert result.metrics_summary["failed"] == 1
    assert [r["model_id"] for r in result.leaderboard] == ["lr"]


def test_most_frequent_error_is_reported_when_all_models_fail(plan, iris, broken):
    broken({"nb": RuntimeError("flood"), "lr": RuntimeError("fire"), "dt": RuntimeError("fire")})
    error = failure(plan, iris, "species", plan="compare", include=["nb", "lr", "dt"])
    assert error.kind == "engine"
    assert error.message == "All 3 models failed; 2 of them with: fire"


@pytest.mark.usefixtures("drawn")
def test_n_select_keeps_that_many_pipelines(plan, recorder, iris):
    plan(iris, "species", plan="compare", include=["nb", "lr", "dummy"], n_select=2)
    kept = sorted(name for name in recorder.artifacts if not name.startswith(("plot-", "oof-")))
    assert kept == [
        "input_schema.json",
        "pipeline-lr.pkl",
        "pipeline-nb.pkl",
        "training_profile.json",
    ]


def test_create_accepts_parameters_of_the_model(plan, recorder, iris):
    plan(iris, "species", model_id="dt", max_depth=1)
    assert recorder.pipeline("dt")[-1].estimator_[-1].get_depth() == 1


def test_create_refuses_unknown_parameters_of_the_model(plan, iris):
    error = failure(plan, iris, "species", model_id="dt", depth=1)
    assert error.kind == "user"
    assert "no parameter “depth”" in error.message
    assert "max_depth" in error.message
    assert failure(plan, iris, "species", model_id="rf", n_jobs=4).kind == "user"


def test_value_refused_by_the_model_is_a_user_error(plan, iris):
    error = failure(plan, iris, "species", model_id="dt", max_depth="deep")
    assert error.kind == "user"
    assert "max_depth" in error.message


def test_create_refuses_unknown_model(plan, iris):
    assert "no model “zzz”" in failure(plan, iris, "species", model_id="zzz").message


@pytest.mark.usefixtures("drawn")
def test_setup_reports_preprocessing_without_fitting(plan, recorder, iris):
    result = plan(iris, "species", plan="setup")
    assert result.leaderboard == []
    assert result.metrics_summary["best"] is None
    assert recorder.payloads("preprocessor.fitted")[0]["numeric"] == list(iris.columns[:4])
    assert recorder.payloads("data.split")[0] == {"train": 105, "test": 45, "folds": 3}
    assert recorder.artifacts == {}


@pytest.mark.usefixtures("drawn")
def test_snapshot_is_complete(plan, iris):
    snapshot = plan(iris, "species", model_id="nb").snapshot
    assert set(snapshot) == {
        *("seed", "versions", "data_rows", "data_changes", "target", "task", "reading"),
        *("preparation", "validation", "positive_class"),
    }
    assert set(snapshot["versions"]) == {
        "python",
        "pycaret",
        "sklearn",
        "pandas",
        "numpy",
        "jupyter_pycaret_ops",
    }
    assert (snapshot["seed"], snapshot["data_rows"]) == (42, 150)


@pytest.mark.usefixtures("drawn")
def test_model_that_exceeds_memory_is_left_out_with_warning(plan, recorder, diabetes, monkeypatch):
    from jupyter_pycaret_ops.kernel.engine import candidates

    monkeypatch.setattr(candidates, "free_memory", lambda: 2**19)
    monkeypatch.setattr(SupervisedExperiment, "default_models", ["lr", "kr"])
    plan(diabetes, "target", task="regression", plan="compare")
    (warning,) = recorder.payloads("warning")
    assert (warning["model_id"], warning["reason"]) == ("kr", "memory")
    assert [p["model_id"] for p in recorder.payloads("model.scored")] == ["lr"]


@pytest.mark.parametrize(
    ("file", "task", "target"),
    [
        ("iris.csv", "classification", "species"),
        ("juice.csv", "classification", "Purchase"),
        ("glass.csv", "classification", "Type"),
        ("heart.csv", "classification", "DEATH"),
        ("diabetes.csv", "classification", "Class variable"),
        ("insurance.csv", "regression", "charges"),
        ("automobile.csv", "regression", "price"),
        ("house.csv", "regression", "SalePrice"),
        ("employee_performance.csv", "regression", "Actual Value"),
    ],
)
def test_real_tables_are_trained_on(plan, recorder, dataset, file, task, target):
    from jupyter_pycaret_ops.kernel.engine.serving_frame import to_frame

    frame = dataset(file)
    plan(frame, target, task=task, model_id="dt")
    schema, pipeline = recorder.schema, recorder.pipeline("dt")
    sent = frame[[c["name"] for c in schema["columns"]]].astype(object)
    for column in schema["columns"]:
        if column["type"] == "number":  # "?" is sent as null
            numbers = pd.to_numeric(sent[column["name"]], errors="coerce")
            sent[column["name"]] = numbers.astype(object)
    rows = sent.where(sent.notna(), None).to_numpy().tolist()
    assert (pipeline.predict(to_frame(schema, rows)) == pipeline.predict(frame)).all()
