"""Clustering and anomaly detection: scored by us, served where a model can answer for new rows."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest

from jupyter_pycaret_ops.common.protocol import DataSpec, RunSpec
from jupyter_pycaret_ops.kernel import engine
from jupyter_pycaret_ops.kernel.engine import PlanFailed
from jupyter_pycaret_ops.kernel.engine.scoring.anomaly import agreement
from jupyter_pycaret_ops.kernel.engine.serving_frame import to_frame


@pytest.fixture
def unsupervised(recorder):
    """`unsupervised(frame, "clustering", "compare", include=[…])`."""

    def run(frame, task, plan="create", model_id=None, target=None, setup=None, **plan_params):
        spec = RunSpec(
            run_id="r",
            attempt=1,
            task=task,
            plan=plan,
            data=DataSpec("frame"),
            target=target,
            model_id=model_id,
            setup_params={"session_id": 1, **(setup or {})},
            plan_params=plan_params,
        )
        return engine.run_plan(spec, frame, recorder)

    return run


@pytest.fixture
def groups():
    """Three clear groups of 40 rows, a text column, gaps."""
    random = np.random.default_rng(0)
    centre = np.repeat([0.0, 10.0, 20.0], 40)
    frame = pd.DataFrame(
        {
            "x": centre + random.normal(0, 0.5, 120),
            "y": centre + random.normal(0, 0.5, 120),
            "town": np.where(random.random(120) < 0.5, "Bern", "Lyon"),
        }
    )
    frame.loc[3, "x"] = np.nan
    return frame


@pytest.fixture
def strange():
    """A cloud of 150 rows, and 8 far away."""
    random = np.random.default_rng(1)
    cloud = random.normal(0, 1, (158, 3))
    cloud[150:] += 12
    return pd.DataFrame(cloud, columns=["a", "b", "c"])


def assignments(recorder):
    return list(csv.DictReader(io.StringIO(recorder.artifacts["assignments.csv"].decode())))


def test_training_profile_of_clusters_has_no_target(unsupervised, recorder, groups):
    unsupervised(groups, "clustering", model_id="kmeans")
    profile = json.loads(recorder.artifacts["training_profile.json"])
    assert profile["target"] is None
    assert [(c["name"], c["missing"]) for c in profile["columns"]] == [
        ("x", 1),
        ("y", 0),
        ("town", 0),
    ]


def test_clusters_are_scored_by_internal_metrics(unsupervised, recorder, groups):
    import pycaret.tasks
    from sklearn import metrics

    setup = {"preparation": "pycaret"}
    result = unsupervised(groups, "clustering", model_id="kmeans", num_clusters=3, setup=setup)
    (record,) = result.leaderboard
    experiment = pycaret.tasks.ClusteringExperiment(session_id=1, n_jobs=1).fit(groups)
    # its own num_clusters does not get past the default of the registry
    model = experiment.create_model("kmeans", n_clusters=3).pipeline
    rows, labels = experiment._fit_state["X_transformed"], model[-1].labels_
    assert record["Silhouette"] == pytest.approx(metrics.silhouette_score(rows, labels))
    assert record["Davies-Bouldin"] == pytest.approx(metrics.davies_bouldin_score(rows, labels))
    assert record["Calinski-Harabasz"] == pytest.approx(
        metrics.calinski_harabasz_score(rows, labels)
    )
    assert (record["Clusters"], record["folds"], record["std"]) == (3, [], {})
    names = [row["cluster"] for row in assignments(recorder)]
    assert names == list(experiment.assign_model(model)["Cluster"])


def test_columns_are_prepared_by_type_and_scaled(unsupervised, recorder, groups):
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    (record,) = unsupervised(groups, "clustering", model_id="kmeans", num_clusters=3).leaderboard
    numbers = groups[["x", "y"]].fillna(groups[["x", "y"]].median())
    numbers["x is missing"] = groups["x"].isna().astype(float)
    scaled = (numbers - numbers.mean()) / numbers.std(ddof=0)
    rows = np.column_stack([scaled, pd.get_dummies(groups["town"]).astype(float)])
    labels = KMeans(3, random_state=1).fit(rows).labels_
    assert record["Silhouette"] == pytest.approx(silhouette_score(rows, labels))
    assert [row["cluster"] for row in assignments(recorder)] == [f"Cluster {n}" for n in labels]
    assert list(recorder.pipeline("kmeans").predict(groups)) == [f"Cluster {n}" for n in labels]


@pytest.mark.parametrize(
    "setup",
    [
        {"imputation_type": "iterative"},
        {"numeric_imputation": "knn", "polynomial_features": True},
        {"group_features": {"both": ["x", "y"]}, "drop_groups": True, "max_encoding_ohe": 0},
        {"bin_numeric_features": ["x"], "low_variance_threshold": 0.01},
        {"transformation": True, "pca": True, "pca_method": "kernel"},
    ],
)
def test_each_way_to_prepare_columns_works_without_a_target(unsupervised, recorder, groups, setup):
    unsupervised(groups, "clustering", model_id="kmeans", num_clusters=3, setup=setup)
    predicted = recorder.pipeline("kmeans").predict(groups)
    assert list(predicted) == [row["cluster"] for row in assignments(recorder)]


@pytest.mark.parametrize("task", ["clustering", "anomaly"])
def test_no_column_outweighs_the_others_by_its_unit(unsupervised, recorder, task):
    """Groups in two small columns, and a rare combination of them, beside an income that tells nothing."""
    random = np.random.default_rng(3)
    group = np.arange(150) % 3
    frame = pd.DataFrame(
        {
            "a": group + random.normal(0, 0.05, 150),
            "b": (group == 1) + random.normal(0, 0.05, 150),
            "income": random.normal(50_000, 9_000, 150),
        }
    )
    if task == "anomaly":
        frame.loc[:4, ["a", "b"]] = [5.0, -3.0]
    found = {}
    for preparation in ("auto", "pycaret"):
        params = {"num_clusters": 3} if task == "clustering" else {"fraction": 5 / 150}
        setup = {"preparation": preparation}
        model_id = "kmeans" if task == "clustering" else "knn"
        unsupervised(frame, task, model_id=model_id, setup=setup, **params)
        rows = assignments(recorder)
        if task == "clustering":
            from sklearn.metrics import adjusted_rand_score

            found[preparation] = adjusted_rand_score(group, [row["cluster"] for row in rows])
        else:
            found[preparation] = sum(int(row["anomaly"]) for row in rows[:5]) / 5
    assert found["auto"] > 0.9
    assert found["pycaret"] < 0.3


def test_selection_of_columns_needs_a_target(unsupervised, groups):
    with pytest.raises(PlanFailed, match="feature_selection needs a target"):
        unsupervised(groups, "clustering", setup={"feature_selection": True}, model_id="kmeans")


def test_stored_clusterer_names_clusters_as_the_engine(unsupervised, recorder, groups):
    unsupervised(groups, "clustering", model_id="kmeans", num_clusters=3)
    pipeline = recorder.pipeline("kmeans")
    predicted = pipeline.predict(groups)
    assert list(predicted) == [row["cluster"] for row in assignments(recorder)]
    assert set(predicted) == {"Cluster 0", "Cluster 1", "Cluster 2"}
    schema = recorder.schema
    assert (schema["task"], schema["target"], schema["labels"]) == ("clustering", None, None)
    example = [schema["example"][c["name"]] for c in schema["columns"]]
    assert pipeline.predict(to_frame(schema, [example]))[0] in set(predicted)


def test_clusterings_are_compared(unsupervised, recorder, groups):
    result = unsupervised(groups, "clustering", "compare")
    board = result.leaderboard
    ids = {r["model_id"] for r in board}
    failed = {p["model_id"] for p in recorder.payloads("model.failed")}
    assert ids | failed == {
        "kmeans",
        "ap",
        "meanshift",
        "sc",
        "hclust",
        "dbscan",
        "optics",
        "birch",
    }
    values = [r["Silhouette"] for r in board if r["Silhouette"] is not None]
    assert values == sorted(values, reverse=True)
    assert result.metrics_summary["metric"] == "Silhouette"
    assert [n for n in recorder.artifacts if n.startswith("pipeline-")]


def test_metric_with_smaller_better_ranks_ascending(unsupervised, groups):
    result = unsupervised(
        groups, "clustering", "compare", include=["kmeans", "birch"], sort="Davies-Bouldin"
    )
    values = [r["Davies-Bouldin"] for r in result.leaderboard]
    assert values == sorted(values)


def test_single_cluster_is_unscored_and_ranks_last(unsupervised, groups):
    groups[["x", "y"]] *= 1000
    setup = {"preparation": "pycaret"}
    result = unsupervised(
        groups, "clustering", "compare", include=["dbscan", "kmeans"], setup=setup
    )
    first, last = result.leaderboard
    assert (first["model_id"], last["model_id"]) == ("kmeans", "dbscan")
    assert (last["Silhouette"], last["Clusters"]) == (None, 0)


@pytest.mark.parametrize("model_id", ["hclust", "dbscan"])
def test_clusterer_without_predict_is_not_kept(unsupervised, recorder, groups, model_id):
    result = unsupervised(groups, "clustering", model_id=model_id)
    assert len(result.leaderboard) == 1
    assert not [n for n in recorder.artifacts if n.startswith("pipeline-")]
    reasons = [p.get("reason") for p in recorder.payloads("warning")]
    assert "not_servable" in reasons
    assert len(assignments(recorder)) == 120


def test_num_clusters_applies_to_models_that_accept_it(unsupervised, groups):
    result = unsupervised(
        groups, "clustering", "compare", include=["kmeans", "meanshift"], num_clusters=5
    )
    clusters = {r["model_id"]: r["Clusters"] for r in result.leaderboard}
    assert clusters["kmeans"] == 5
    with pytest.raises(PlanFailed) as raised:
        unsupervised(groups, "clustering", model_id="meanshift", num_clusters=5)
    assert "takes no num_clusters" in raised.value.message


def test_anomalies_are_flagged_and_scored(unsupervised, recorder, strange):
    unsupervised(strange, "anomaly", model_id="iforest", fraction=0.1)
    rows = assignments(recorder)
    flagged = {i for i, row in enumerate(rows) if row["anomaly"] == "1"}
    assert flagged >= set(range(150, 158))
    assert len(flagged) == 16
    pipeline = recorder.pipeline("iforest")
    assert pipeline.predict(strange).tolist() == [int(row["anomaly"]) for row in rows]
    assert pipeline.decision_function(strange) == pytest.approx([float(r["score"]) for r in rows])


def test_detectors_are_ranked_by_agreement(unsupervised, recorder, strange):
    include = ["iforest", "knn", "lof", "pca", "svm"]
    result = unsupervised(strange, "anomaly", "compare", include=include)
    values = [r["Agreement"] for r in result.leaderboard]
    assert values == sorted(values, reverse=True)
    assert all(-1 <= value <= 1 for value in values)
    assert all(r["Anomalies"] >= 1 for r in result.leaderboard)
    assert all(r["Separation"] > 1 for r in result.leaderboard)
    assert result.metrics_summary["best"]["value"] == values[0]


def test_agreement_is_mean_rank_correlation_with_other_detectors():
    from scipy.stats import spearmanr

    random = np.random.default_rng(2)
    scores = [random.normal(size=30) for _ in range(3)]
    expected = np.mean([spearmanr(scores[0], other).statistic for other in scores[1:]])
    assert agreement(scores)[0] == pytest.approx(expected)
    assert agreement([scores[0]]) == [None]
    assert agreement([scores[0], np.zeros(30)])[1] is None


@pytest.mark.usefixtures("drawn")
def test_detector_that_depends_on_batch_is_not_kept(unsupervised, recorder, strange):
    unsupervised(strange, "anomaly", model_id="sos")
    assert not [n for n in recorder.artifacts if n.startswith("pipeline-")]
    (warning,) = [p for p in recorder.payloads("warning") if p["reason"] == "not_servable"]
    assert "depends on the other rows" in warning["error"] or "new rows" in warning["error"]


@pytest.mark.usefixtures("drawn")
def test_unsupervised_plots_are_drawn(unsupervised, recorder, groups, strange):
    unsupervised(groups, "clustering", model_id="kmeans", num_clusters=3)
    unsupervised(strange, "anomaly", model_id="iforest")
    drawn = {n for n in recorder.artifacts if n.startswith("plot-")}
    assert drawn == {
        "plot-distribution.json",
        "plot-embedding.json",
        "plot-silhouette_plot.json",
        "plot-score.json",
        "plot-anomaly_map.json",
    }


@pytest.mark.parametrize("task", ["clustering", "anomaly"])
def test_target_is_refused_without_supervision(unsupervised, groups, task):
    with pytest.raises(PlanFailed) as raised:
        unsupervised(groups, task, model_id="kmeans", target="town")
    assert raised.value.kind == "user"
    assert "ignore_features" in raised.value.message


def test_unusual_columns_are_handled_without_target(unsupervised, recorder, groups):
    groups["empty"] = np.nan
    groups["when"] = pd.date_range("2024-01-01", periods=120).strftime("%Y-%m-%d")
    groups[7] = range(120)
    unsupervised(groups, "clustering", model_id="kmeans")
    changes = {p["change"] for p in recorder.payloads("data.changed")}
    assert {"columns_renamed", "empty_columns_dropped", "dates_expanded"} <= changes
    assert recorder.pipeline("kmeans").predict(groups)[0].startswith("Cluster ")


def test_target_of_sample_set_is_left_out(recorder):
    from sklearn.datasets import load_iris

    spec = RunSpec(
        run_id="r",
        attempt=1,
        task="clustering",
        plan="create",
        model_id="kmeans",
        data=DataSpec("sklearn", {"name": "iris"}),
    )
    engine.run_plan(spec, load_iris(as_frame=True).frame, recorder)
    assert "target" not in [c["name"] for c in recorder.schema["columns"]]
    assert recorder.change("columns_ignored")["columns"] == ["target"]


def test_same_seed_gives_same_leaderboard(unsupervised, strange):
    boards = [
        unsupervised(strange, "anomaly", "compare", include=["iforest", "mcd"]).leaderboard
        for _ in range(2)
    ]
    for record in [*boards[0], *boards[1]]:
        record.pop("seconds")
    assert boards[0] == boards[1]
