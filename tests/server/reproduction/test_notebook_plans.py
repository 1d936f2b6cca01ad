"""For each plan of each task: the cells of the notebook reproduce the leaderboard of the run."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from sklearn import datasets

from jupyter_pycaret_ops.common.protocol import DataSpec, RunSpec
from jupyter_pycaret_ops.kernel import engine
from jupyter_pycaret_ops.server import reproduction as notebook
from jupyter_pycaret_ops.server.reproduction import TableFacts
from jupyter_pycaret_ops.server.store.models import Run, utc_now

pytestmark = pytest.mark.usefixtures("one_thread", "no_plots")


class Silent:
    """A reporter that drops everything."""

    def event(self, *_: Any) -> None:
        """Drop it."""

    def checkpoint(self) -> None:
        """Drop it."""

    def artifact(self, *_: Any) -> None:
        """Drop it."""


PLANS: list[tuple[str, str | None, dict[str, Any]]] = [
    ("create", "dt", {"max_depth": 2}),
    ("compare", None, {"include": ["dt", "lr", "dummy"]}),
    ("tune", "dt", {"n_iter": 3}),
    ("ensemble", "dt", {"n_estimators": 3}),
    ("ensemble", "dt", {"n_estimators": 3, "method": "Boosting"}),
    ("blend", None, {"include": ["knn", "dt", "dummy"], "weights": [1, 2, 1]}),
    ("stack", None, {"include": ["knn", "dt"], "meta_model": "dt"}),
    ("stack", None, {"include": ["dt", "knn"]}),
    ("automl", None, {"include": ["dt", "lightgbm", "ridge"], "n_iter": 12, "time_limit": 300}),
]
SETS = {"classification": "wine", "regression": "diabetes"}
METRICS = {
    "classification": "Accuracy",
    "regression": "R2",
    "clustering": "Silhouette",
    "anomaly": "Agreement",
}
CASES = [(task, *plan) for task in SETS for plan in PLANS] + [
    ("classification", "calibrate", "dt", {"method": "isotonic"}),
    ("classification", "blend", None, {"include": ["nb", "ridge"], "method": "hard"}),
    ("regression", "compare", None, {"include": ["svm", "kr", "mlp"]}),
    ("clustering", "create", "kmeans", {"num_clusters": 3}),
    (
        "clustering",
        "compare",
        None,
        {"include": ["kmeans", "hclust", "dbscan", "ap"], "num_clusters": 3},
    ),
    ("anomaly", "create", "knn", {"fraction": 0.1}),
    ("anomaly", "compare", None, {"include": ["iforest", "knn", "pca", "lof"], "fraction": 0.1}),
]


UNSUPERVISED = {
    "clustering": ["Silhouette", "Calinski-Harabasz", "Davies-Bouldin", "Clusters"],
    "anomaly": ["Agreement", "Separation", "Anomalies"],
}


def as_stored(spec: RunSpec, result: engine.PlanResult, data: dict[str, Any]) -> Run:
    """Return a run that has succeeded as the store would have it; `data` : kind and options of its source."""
    asked = ("task", "target", "setup_params", "plan_params")
    return Run(
        id=spec.run_id,
        plan=spec.plan,
        model_id=spec.model_id,
        status="succeeded",
        leaderboard=result.leaderboard,
        metrics_summary=result.metrics_summary,
        metric=spec.metric,
        greater_is_better=result.metrics_summary["greater_is_better"],
        queued_at=utc_now(),
        data=data,
        snapshot={**{name: getattr(spec, name) for name in asked}, **result.snapshot},
    )


def ran(task: str, plan: str, model_id: str | None, params: dict[str, Any]) -> Run:
    """Execute the run with the engine in this process, and return it as the store would have it."""
    name = SETS.get(task, "iris")
    data = DataSpec("sklearn", {"name": name})
    setup = {"fold": 3, "session_id": 5} if task in SETS else {"session_id": 5}
    target = "target" if task in SETS else None
    snapshot = {"task": task, "target": target, "setup_params": setup, "plan_params": params}
    metric = METRICS[task]
    spec = RunSpec(
        run_id="0",
        attempt=1,
        plan=plan,
        model_id=model_id,
        metric=metric,
        data=data,
        **snapshot,
    )
    frame = getattr(datasets, f"load_{name}")(as_frame=True).frame
    result = engine.run_plan(spec, frame, Silent())
    return as_stored(spec, result, {"kind": "sklearn", "options": {"name": name}})


def done_again(run: Run) -> dict[str, Any]:
    """Execute the cells of the notebook of a run, and return their global names."""
    return executed(notebook.Facts(run, "again", None, False, run.snapshot["data_changes"]))


def executed(facts: notebook.Facts) -> dict[str, Any]:
    """Execute the cells of a notebook, and return their global names."""
    document = notebook.make(facts)
    nbformat.validate(document)
    names: dict[str, Any] = {}
    for cell in document["cells"]:
        if cell["cell_type"] == "code":
            exec(cell["source"], names)
    return names


@pytest.mark.parametrize(("task", "plan", "model_id", "params"), CASES)
def test_cells_of_each_plan_reproduce_its_leaderboard(
    task: str, plan: str, model_id: str | None, params: dict[str, Any]
) -> None:
    run = ran(task, plan, model_id, params)
    found: pd.DataFrame = done_again(run)["leaderboard"]
    corrected = [row for row in run.leaderboard if "uncorrected" in row]
    assert bool(corrected) == (plan == "automl")
    if not corrected:
        assert list(found.index) == [row["model_id"] for row in run.leaderboard]
    for row in run.leaderboard:
        scores = row.get("uncorrected") or {
            metric: row[metric] for metric in row["std"] or UNSUPERVISED[task]
        }
        for metric, score in scores.items():
            value = found.loc[row["model_id"], metric]
            expected = None if score is None else pytest.approx(score, abs=1e-6)
            assert (None if pd.isna(value) else value) == expected, (row["model_id"], metric)


#: task, settings of folds, hold-out and weights by the columns of `measured`, plan and its parameters
VALIDATIONS: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    ("classification", {"fold_groups": "ward", "fold_shuffle": False}, "compare", {}),
    (
        "classification",
        {"fold_strategy": "kfold", "data_split_shuffle": False},
        "compare",
        {"include": ["lr", "dt"]},
    ),
    ("classification", {"fold_time": "when", "sample_weight": "importance"}, "compare", {}),
    (
        "classification",
        {"test_data_source_id": "held", "sample_weight": "weight"},
        "stack",
        {"include": ["lr", "dt"], "meta_model": "knn"},
    ),
    ("regression", {"fold_shuffle": False}, "create", {}),
    ("regression", {"fold_groups": "ward"}, "blend", {"include": ["lr", "dt"]}),
    ("regression", {"fold_time": "waited"}, "create", {}),
    ("regression", {"fold_column": "part", "keep_features": ["part"]}, "create", {}),
    ("regression", {"sample_weight": "weight", "fold_groups": "patient"}, "compare", {}),
    ("regression", {"test_data_source_id": "held"}, "create", {}),
    ("regression", {"sample_weight": "weight"}, "automl", {"include": ["lr", "dt"], "n_iter": 10}),
]
#: models with and without probabilities, weights and a scaled target
INCLUDED = {"classification": ["lr", "ridge", "dt", "knn"], "regression": ["lr", "dt", "svm"]}


def measured(task: str) -> pd.DataFrame:
    """Return a table of 15 patients in 5 wards, whose columns say how rows are split and weighed."""
    chance = random.Random(4)
    rows = range(150)
    frame = pd.DataFrame(
        {
            "a": [chance.gauss(0, 1) for _ in rows],
            "b": [chance.choice("uvw") for _ in rows],
            "patient": [row % 15 if row % 9 else None for row in rows],
            "ward": [["Nord", "Süd", " West", "1", None, "Ost"][row % 6] for row in rows],
            "when": [f"{row % 28 + 1}.{row % 12 + 1}.2024" for row in rows],
            "waited": [f"{row * 7 % 24}:{row % 60:02d}:00" for row in rows],
            "part": [row % 4 * 10 for row in rows],
            "weight": [f"{chance.random():.2f}".replace(".", ",") for _ in rows],
            "importance": [row % 3 + 1 for row in rows],
        }
    )
    frame["y"] = frame["a"] + [chance.gauss(0, 1) for _ in rows]
    if task == "classification":
        frame["y"] = pd.cut(frame["y"], [-99, -0.5, 0.5, 99], labels=["low", "mid", "high"])
        frame["y"] = frame["y"].astype(object)
    frame.loc[[3, 140], "y"] = None
    return frame


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of this test."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def same_after_cells(
    frame: pd.DataFrame, task: str, setup: dict[str, Any], plan: str, params: dict[str, Any]
) -> None:
    """Execute a run of a table in the working folder, and the cells of its notebook: the scores are the same."""
    target = "y" if task in SETS else None
    setup = {"session_id": 5, **({"fold": 3} if target else {}), **setup}
    frame.to_csv("data.csv", index=False)
    table = pd.read_csv("data.csv")
    held_out = holdout = None
    if "test_data_source_id" in setup:
        table[110:].to_csv("held.csv", index=False)
        table[:110].to_csv("data.csv", index=False)
        held_out = TableFacts({"kind": "csv_upload", "options": {}}, {}, "held.csv", False)
        holdout = DataSpec("csv_upload", {"rows": len(table) - 110})
    if plan == "compare":
        params = {"include": INCLUDED.get(task), **params}
    model_id = "dt" if plan == "create" else None
    snapshot = {"task": task, "target": target, "setup_params": setup, "plan_params": params}
    metric = {"classification": "Log Loss", "regression": "MAE"}.get(task) or METRICS[task]
    spec = RunSpec(
        run_id="0",
        attempt=1,
        plan=plan,
        model_id=model_id,
        data=DataSpec("csv_upload"),
        metric=metric,
        holdout=holdout,
        **snapshot,
    )
    result = engine.run_plan(spec, table, Silent())
    assert result.metrics_summary["failed"] == 0
    run = as_stored(spec, result, {"kind": "csv_upload", "options": {}})
    changes = run.snapshot["data_changes"]
    facts = notebook.Facts(run, "again", "data.csv", False, changes, held_out=held_out)
    found = executed(facts)["leaderboard"]
    assert sorted(found.index) == sorted(row["model_id"] for row in run.leaderboard)
    for row in run.leaderboard:
        names_of_scores = row["std"] or UNSUPERVISED[task]
        for name, score in (row.get("uncorrected") or {n: row[n] for n in names_of_scores}).items():
            value = found.loc[row["model_id"], name]
            expected = None if score is None else pytest.approx(score, abs=1e-6)
            assert (None if pd.isna(value) else value) == expected, (row["model_id"], name)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("task", "setup"),
    [
        ("clustering", {"pca": True, "pca_components": 0.9, "max_encoding_ohe": 3}),
        ("clustering", {"preparation": "pycaret"}),
        ("anomaly", {}),
    ],
)
def test_cells_prepare_columns_without_a_target_as_the_run(
    task: str, setup: dict[str, Any]
) -> None:
    frame = measured("regression").drop(columns="y")
    frame["note"] = [f"seen {row} of {row % 7} doctors in the ward" for row in range(150)]
    frame.loc[5:9, "a"] = None
    include = ["kmeans", "birch"] if task == "clustering" else ["iforest", "knn"]
    same_after_cells(frame, task, setup, "compare", {"include": include})


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("task", "setup", "plan", "params"), VALIDATIONS)
def test_cells_split_and_weigh_rows_as_the_run(
    task: str, setup: dict[str, Any], plan: str, params: dict[str, Any]
) -> None:
    same_after_cells(measured(task), task, setup, plan, params)


@pytest.mark.usefixtures("folder")
def test_cells_order_a_frame_by_its_periods() -> None:
    frame = measured("regression")[["a", "y"]].dropna().reset_index(drop=True)
    frame["month"] = pd.period_range("2010-01", periods=len(frame), freq="M")[::-1]
    frame.to_pickle("frame.pkl")
    spec = RunSpec(
        run_id="0",
        attempt=1,
        task="regression",
        plan="create",
        model_id="dt",
        data=DataSpec("frame"),
        target="y",
        metric="R2",
        setup_params={"fold": 3, "session_id": 5, "fold_time": "month"},
        plan_params={},
    )
    run = as_stored(spec, engine.run_plan(spec, frame, Silent()), {"kind": "frame", "options": {}})
    found = done_again(run)["leaderboard"]
    assert found.loc["dt", "R2"] == pytest.approx(run.leaderboard[0]["R2"], abs=1e-6)


@pytest.mark.usefixtures("folder")
def test_cells_score_weighted_rows_of_which_folds_lack_a_class() -> None:
    frame = measured("classification")
    frame = frame.drop(frame.index[(frame["y"] == "mid") & (frame.index > 12)])
    same_after_cells(frame, "classification", {"sample_weight": "weight"}, "compare", {})


@pytest.mark.parametrize(("task", "model_id"), [("clustering", "kmeans"), ("anomaly", "knn")])
def test_finalized_model_without_target_is_the_fitted_one(task: str, model_id: str) -> None:
    names = done_again(ran(task, "finalize", model_id, {}))
    assert names["best"].predict(names["data"]).shape == (len(names["data"]),)


@pytest.mark.parametrize("task", SETS)
def test_finalized_model_is_fitted_on_all_rows(task: str) -> None:
    names = done_again(ran(task, "finalize", "dt", {"max_depth": 2}))
    assert names["best"].predict(names["data"].drop(columns="target")).shape == (
        len(names["data"]),
    )


SERIES: list[tuple[str, str | None, dict[str, Any], dict[str, Any]]] = [
    ("create", "theta", {}, {}),
    ("create", "exp_smooth", {"trend": "add"}, {"horizon": 4}),
    ("compare", None, {"include": ["naive", "polytrend", "lightgbm_cds_dt"]}, {"index": "day"}),
    ("tune", "exp_smooth", {"n_iter": 2}, {"fold": 2}),
    ("automl", None, {"include": ["naive", "polytrend", "theta"], "n_iter": 4}, {"fold": 3}),
    ("compare", None, {"include": ["naive", "lr_cds_dt"]}, {"ignore_features": []}),
    ("setup", None, {}, {}),
    ("finalize", "naive", {"strategy": "drift"}, {}),
]


@pytest.mark.parametrize(("plan", "model_id", "params", "setup"), SERIES)
def test_cells_of_a_forecast_reproduce_its_leaderboard(
    plan: str, model_id: str | None, params: dict[str, Any], setup: dict[str, Any]
) -> None:
    rows = 40
    frame = pd.DataFrame(
        {
            "day": pd.date_range("2024-01-01", periods=rows).strftime("%m/%d/%Y"),
            "sold": [float(10 + i + 5 * (i % 7)) for i in range(rows)],
        }
    )
    if "ignore_features" in setup:  # something that explains it
        frame["price"] = [1.0 + i % 3 for i in range(rows)]
        frame["holiday"] = ["yes" if i % 5 else "no" for i in range(rows)]
        frame.loc[4, "price"] = None
    frame.loc[7, "sold"] = None
    frame = frame.drop(index=[11]).iloc[::-1].reset_index(drop=True)
    records = frame.astype(object).where(frame.notna(), None).to_dict("records")
    snapshot: dict[str, Any] = {
        "task": "time_series",
        "target": "sold",
        "setup_params": {"session_id": 3, **setup},
        "plan_params": params,
    }
    spec = RunSpec(
        run_id="0",
        attempt=1,
        plan=plan,
        model_id=model_id,
        metric="MASE",
        greater_is_better=False,
        data=DataSpec("inline"),
        **snapshot,
    )
    result = engine.run_plan(spec, pd.DataFrame.from_records(records), Silent())
    run = as_stored(spec, result, {"kind": "inline"})
    facts = notebook.Facts(run, "again", None, False, run.snapshot["data_changes"], records)
    names = executed(facts)
    if plan == "setup":
        assert len(names["experiment"].y) == rows
    elif plan == "finalize":
        assert names["best"].predict(fh=[1]).iloc[0] > frame["sold"].iloc[0] - 40
    else:
        found = names["leaderboard"]
        ids = [row["model_id"] for row in run.leaderboard]
        if plan == "automl":  # its scores are corrected
            assert set(found.index) == set(ids)
            assert "ensemble" in ids
        else:
            assert list(found.index) == ids
        for row in run.leaderboard:
            scores = row.get("uncorrected") or {metric: row[metric] for metric in row["std"]}
            for metric, score in scores.items():
                assert found.loc[row["model_id"], metric] == pytest.approx(score, abs=1e-6)
