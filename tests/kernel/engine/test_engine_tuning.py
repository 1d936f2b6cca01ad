"""Tune and automl: optimise the requested metric, never worse than the default model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from jupyter_pycaret_ops.kernel.engine import PlanFailed


def test_tune_finds_the_settings_of_the_engines_search(plan, recorder, iris):
    """For accuracy, where the engine's scoring is right."""
    import pycaret.tasks

    setup = {"fold": 3, "session_id": 7}
    experiment = pycaret.tasks.ClassificationExperiment(target="species", n_jobs=1, **setup)
    experiment.fit(iris)
    theirs = experiment.tune_model(experiment.create_model("dt").pipeline, n_iter=6)
    ours = plan(iris, "species", plan="tune", model_id="dt", setup=setup, n_iter=6)
    (tuned,) = recorder.payloads("model.tuned")
    best = theirs.search.best_score_
    assert max(t["value"] for t in tuned["tried"]) == pytest.approx(best, abs=1e-9)
    drawn = [{k: str(v) for k, v in t["params"].items()} for t in tuned["tried"]]
    assert {k: str(v) for k, v in theirs.best_params.items()} in drawn
    assert len(tuned["tried"]) == 6
    assert {r["model_id"] for r in ours.leaderboard} == {"dt", "dt_tuned"}


@pytest.mark.parametrize("optimize", ["AUC", "F1", "MCC", "Kappa"])
def test_multiclass_model_is_tuned_by_any_metric(plan, recorder, iris, optimize):
    """The engine scores 0 for all of these, and takes the first candidate."""
    result = plan(iris, "species", plan="tune", model_id="knn", optimize=optimize, n_iter=4)
    (tuned,) = recorder.payloads("model.tuned")
    assert all(t["value"] > 0.5 for t in tuned["tried"])
    assert tuned["tried"][0]["params"] == tuned["best_params"]
    assert tuned["tried"][0]["value"] == max(t["value"] for t in tuned["tried"])
    assert result.metrics_summary["metric"] == optimize


def test_tune_minimises_error_metric_and_ignores_failed_settings(plan, recorder, diabetes):
    result = plan(
        diabetes,
        "target",
        task="regression",
        plan="tune",
        model_id="knn",
        optimize="MAE",
        n_iter=20,
        custom_grid={"n_neighbors": [3, 10_000, 9], "weights": ["uniform"]},
    )
    (tuned,) = recorder.payloads("model.tuned")
    tried = {t["params"]["n_neighbors"]: t["value"] for t in tuned["tried"]}
    assert set(tried) == {3, 9}
    assert tuned["best_params"]["n_neighbors"] == min(tried, key=tried.__getitem__)
    values = [record["MAE"] for record in result.leaderboard]
    assert values == sorted(values)


def test_default_model_stays_first_when_tuning_does_not_improve_it(plan, recorder, iris):
    result = plan(
        iris,
        "species",
        plan="tune",
        model_id="dt",
        custom_grid={"max_depth": [1]},
    )
    assert [r["model_id"] for r in result.leaderboard] == ["dt", "dt_tuned"]
    assert result.leaderboard[1]["params"] == {"max_depth": 1}
    assert [n for n in recorder.artifacts if n.startswith("pipeline")] == ["pipeline-dt.pkl"]


def test_tried_settings_are_not_reported_as_models(plan, recorder, iris):
    plan(iris, "species", plan="tune", model_id="dt", n_iter=4)
    assert [p["model_id"] for p in recorder.payloads("model.create.started")] == ["dt"]
    assert [p["model_id"] for p in recorder.payloads("model.scored")] == ["dt", "dt_tuned"]
    labels = {p["label"] for p in recorder.payloads("run.progress") if p["total"] == 4}
    assert "Decision Tree Classifier (tuned)" in labels


def test_tuned_pipeline_predicts_labels(plan, recorder, iris):
    plan(iris, "species", plan="tune", model_id="knn", n_iter=3)
    (name,) = [n for n in recorder.artifacts if n.startswith("pipeline-")]
    pipeline = recorder.pipeline(name.removeprefix("pipeline-").removesuffix(".pkl"))
    assert set(pipeline.predict(iris)) == {"setosa", "versicolor", "virginica"}


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"depth": [1]}, "no parameter “depth”"),
        ({"max_depth": []}, "needs at least 1"),
        ({"max_depth": 3}, "must be array"),
        ([1], "must be object or null"),
    ],
)
def test_invalid_grid_is_refused(plan, iris, grid, message):
    with pytest.raises(PlanFailed) as raised:
        plan(iris, "species", plan="tune", model_id="dt", custom_grid=grid)
    assert raised.value.kind == "user"
    assert message in raised.value.message


def test_model_without_search_space_is_kept(plan, recorder, iris):
    result = plan(iris, "species", plan="tune", model_id="dummy", n_iter=3)
    assert result.leaderboard[0]["model_id"] == "dummy"
    assert "pipeline-dummy.pkl" in recorder.artifacts


def test_finalize_fits_on_all_rows_without_scoring(plan, recorder, iris):
    result = plan(iris, "species", plan="finalize", model_id="dt", max_depth=2)
    (record,) = result.leaderboard
    assert (record["model_id"], record["rank"], record["folds"]) == ("dt", 1, [])
    assert recorder.payloads("model.scored") == []
    assert recorder.payloads("model.finalized") == [{"model_id": "dt", "n_rows": 150}]
    pipeline = recorder.pipeline("dt")
    assert pipeline[-1].estimator_[-1].get_depth() == 2
    assert pipeline[-1].estimator_[-1].tree_.n_node_samples[0] == 150


def test_seed_determines_tried_settings(plan, recorder, iris):
    boards = [
        plan(
            iris, "species", plan="tune", model_id="dt", n_iter=4, setup={"session_id": seed}
        ).leaderboard
        for seed in (3, 3)
    ]
    for record in [*boards[0], *boards[1]]:
        record.pop("seconds")
    assert boards[0] == boards[1]


def test_tune_accepts_missing_values_and_text(plan, recorder):
    rows = 60
    frame = pd.DataFrame(
        {
            "a": [np.nan if i % 11 == 0 else float(i % 5) for i in range(rows)],
            "town": ["Bern" if i % 3 else "Lyon" for i in range(rows)],
            "label": [i % 5 > 2 for i in range(rows)],
        }
    )
    plan(frame, "label", plan="tune", model_id="lr", n_iter=2)
    name = next(n for n in recorder.artifacts if n.startswith("pipeline-"))
    pipeline = recorder.pipeline(name.removeprefix("pipeline-").removesuffix(".pkl"))
    assert pipeline.predict(frame).dtype == bool
