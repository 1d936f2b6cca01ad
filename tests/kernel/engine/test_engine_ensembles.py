"""Ensemble, blend, stack and calibrate: the engine's own numbers, served like any other model."""

from __future__ import annotations

import pytest

from jupyter_pycaret_ops.kernel.engine import PlanFailed

ENGINE = {"fold": 3, "session_id": 7}
SETUP = {**ENGINE, "preparation": "pycaret"}


def failure(run, /, *args, **kwargs):
    with pytest.raises(PlanFailed) as raised:
        run(*args, **kwargs)
    return raised.value


def pipelines(recorder):
    return [n for n in recorder.artifacts if n.startswith("pipeline-")]


@pytest.fixture
def engine_of():
    """The engine's own experiment on a frame."""

    def fit(frame, target, task="Classification"):
        import pycaret.tasks

        experiment = getattr(pycaret.tasks, f"{task}Experiment")
        return experiment(target=target, n_jobs=1, **ENGINE).fit(frame)

    return fit


@pytest.mark.parametrize(
    ("plan_id", "model_id", "params", "made", "verb", "options"),
    [
        ("ensemble", "dt", {"n_estimators": 5}, "dt_bagged", "ensemble_model", {"n_estimators": 5}),
        (
            "ensemble",
            "dt",
            {"method": "Boosting"},
            "dt_boosted",
            "ensemble_model",
            {"method": "Boosting"},
        ),
        ("blend", None, {"include": ["lr", "nb", "dt"]}, "blend", "blend_models", {}),
        (
            "blend",
            None,
            {"include": ["lr", "dt"], "method": "hard", "weights": [2, 1]},
            "blend",
            "blend_models",
            {"method": "hard", "weights": [2, 1]},
        ),
        (
            "stack",
            None,
            {"include": ["nb", "dt"], "meta_model": "knn"},
            "stack",
            "stack_models",
            {"meta_model": "knn"},
        ),
        ("calibrate", "nb", {}, "nb_calibrated", "calibrate_model", {}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_ensemble_scores_equal_those_of_the_engine(
    plan, recorder, iris, engine_of, plan_id, model_id, params, made, verb, options
):
    result = plan(iris, "species", plan=plan_id, model_id=model_id, setup=SETUP, **params)
    record = next(r for r in result.leaderboard if r["model_id"] == made)
    experiment = engine_of(iris, "species")
    first = model_id or params["include"]
    theirs = getattr(experiment, verb)(first, round=10, **options).metrics.loc["Mean"]
    for metric, value in theirs.items():
        if record[metric] is None:
            assert value == 0  # what the engine writes for what cannot be computed
        else:
            assert record[metric] == pytest.approx(value, abs=1e-9), metric
    assert f"pipeline-{made}.pkl" in recorder.artifacts
    predicted = recorder.pipeline(made).predict(iris)
    assert set(predicted) == {"setosa", "versicolor", "virginica"}
    assert (predicted == iris["species"]).mean() > 0.9


def test_model_better_alone_is_kept_with_its_ensemble(plan, recorder, iris):
    result = plan(iris, "species", plan="blend", setup=SETUP, include=["lr", "dummy"])
    kept = {n.removeprefix("pipeline-").removesuffix(".pkl") for n in pipelines(recorder)}
    assert kept == {result.leaderboard[0]["model_id"], "blend"}


def test_best_models_are_combined_without_include(plan, recorder, frame, monkeypatch):
    from jupyter_pycaret_ops.kernel.engine.experiments import SupervisedExperiment

    monkeypatch.setattr(SupervisedExperiment, "default_models", ["lr", "nb", "dt", "dummy"])
    result = plan(frame, "label", plan="stack", n_best=2)
    alone = [r["model_id"] for r in result.leaderboard if r["model_id"] != "stack"]
    stack = next(r for r in result.leaderboard if r["model_id"] == "stack")
    assert stack["params"]["models"] == alone[:2]
    assert stack["name"] == "Stack of 2 models"


def test_regression_models_are_blended(plan, recorder, diabetes, engine_of):
    result = plan(
        diabetes, "target", task="regression", plan="blend", setup=SETUP, include=["lr", "knn"]
    )
    record = next(r for r in result.leaderboard if r["model_id"] == "blend")
    theirs = engine_of(diabetes, "target", "Regression").blend_models(["lr", "knn"], round=10)
    assert record["R2"] == pytest.approx(theirs.metrics.loc["Mean", "R2"], abs=1e-9)


def test_calibrated_model_predicts_probabilities(plan, recorder, frame):
    plan(frame, "label", plan="calibrate", model_id="ridge", method="isotonic")
    assert pipelines(recorder) == ["pipeline-ridge_calibrated.pkl"]
    shares = recorder.pipeline("ridge_calibrated").predict_proba(frame)
    assert shares.shape == (60, 2)
    assert shares.sum(axis=1) == pytest.approx(1)
    assert recorder.schema["proba"]


@pytest.mark.parametrize(
    ("plan_id", "params", "message"),
    [
        ("blend", {"include": ["lr"]}, "at least two"),
        ("blend", {"include": ["lr", "nope"]}, "“nope”"),
        ("blend", {"include": ["lr", "nb"], "weights": [1]}, "1 entries for 2 models"),
        ("blend", {"include": ["lr", "nb"], "method": "loud"}, "auto, soft, hard"),
        ("stack", {"include": ["lr", "nb"], "meta_model": "nope"}, "meta_model"),
        ("blend", {"include": ["lr", "ridge"], "method": "soft"}, "Blend of 2 models failed"),
    ],
)
def test_invalid_combination_is_refused_with_reason(plan, iris, plan_id, params, message):
    error = failure(plan, iris, "species", plan=plan_id, **params)
    assert message in error.message


def test_model_that_cannot_be_boosted_is_reported(plan, iris):
    error = failure(plan, iris, "species", plan="ensemble", model_id="knn", method="Boosting")
    assert error.message.startswith("K Neighbors Classifier (boosted) failed: ")
    assert "sample_weight" in error.message


@pytest.mark.usefixtures("drawn")
def test_ensemble_is_reported_by_engine_events(plan, recorder, iris):
    plan(iris, "species", plan="ensemble", model_id="dt")
    kinds = [event["kind"] for event in recorder.events]
    assert kinds.count("model.ensemble.started") == kinds.count("model.ensembled") == 1
    assert recorder.payloads("model.ensembled")[0]["model_id"] == "dt_bagged"


@pytest.mark.parametrize(
    ("task", "plan_id"),
    [
        ("regression", "calibrate"),
        ("clustering", "blend"),
        ("anomaly", "tune"),
        ("time_series", "stack"),
    ],
)
def test_plan_unknown_to_task_is_refused(plan, iris, task, plan_id):
    error = failure(plan, iris, None, task=task, plan=plan_id)
    assert error.kind == "user"
    assert f"The task {task} has no plan “{plan_id}”" in error.message
