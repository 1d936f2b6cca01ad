"""Every task and plan, refused at submission where the installed engine has no such thing."""

from __future__ import annotations

from typing import Any

import pytest

from ...live import LiveServer, until

TARGET = {"classification": "y", "regression": "y", "time_series": "y"}
ROWS = [{"x": float(i % 7), "z": float(i % 5), "y": float(i % 2)} for i in range(30)]


@pytest.fixture(scope="module")
def experiments(server: LiveServer) -> dict[str, str]:
    tasks = ("classification", "regression", "clustering", "anomaly", "time_series")
    return {task: server.experiment(task, target=TARGET.get(task)) for task in tasks}


@pytest.mark.parametrize(
    ("task", "wanted", "place", "says"),
    [
        ("clustering", {"plan": "tune", "model_id": "kmeans"}, ["plan"], "has no plan “tune”"),
        ("anomaly", {"plan": "blend"}, ["plan"], "has no plan “blend”"),
        ("time_series", {"plan": "stack"}, ["plan"], "has no plan “stack”"),
        ("regression", {"plan": "calibrate", "model_id": "lr"}, ["plan"], "has no plan"),
        ("clustering", {"plan": "compare", "target": "y"}, ["target"], "takes no target"),
        (
            "clustering",
            {"plan": "compare", "setup_params": {"fold": 3}},
            ["setup_params", "fold"],
            "no parameter “fold”",
        ),
        (
            "clustering",
            {"plan": "compare", "plan_params": {"fraction": 0.1}},
            ["plan_params", "fraction"],
            "no parameter “fraction”",
        ),
        (
            "anomaly",
            {"plan": "create", "model_id": "iforest", "plan_params": {"fraction": 0.9}},
            ["plan_params", "fraction"],
            "maximum of 0.5",
        ),
        (
            "time_series",
            {"plan": "compare", "setup_params": {"horizon": 0}},
            ["setup_params", "horizon"],
            "minimum of 1",
        ),
        (
            "time_series",
            {"plan": "create", "model_id": "lr"},
            ["model_id"],
            "no model “lr”",
        ),
        (
            "classification",
            {"plan": "stack", "plan_params": {"meta_model": "nope"}},
            ["plan_params", "meta_model"],
            "no model “nope”",
        ),
        (
            "classification",
            {"plan": "tune", "model_id": "dt", "plan_params": {"optimize": "auc"}},
            ["plan_params", "optimize"],
            "no metric “auc”",
        ),
        (
            "classification",
            {"plan": "tune", "model_id": "dt", "plan_params": {"custom_grid": {"max_depth": []}}},
            ["plan_params", "custom_grid", "max_depth"],
            "non-empty",
        ),
        ("regression", {"plan": "ensemble"}, ["model_id"], "needs a model_id"),
    ],
)
def test_what_a_task_lacks_is_refused(
    server: LiveServer,
    experiments: dict[str, str],
    task: str,
    wanted: dict[str, Any],
    place: list[str],
    says: str,
) -> None:
    body = {"data_inline": ROWS, **wanted}
    answer = server.post(f"/experiments/{experiments[task]}/runs", body, expect=400)
    found = {tuple(error["loc"]): error["msg"] for error in answer["errors"]}
    assert tuple(place) in found, answer
    assert says in found[tuple(place)]


@pytest.mark.parametrize(
    ("task", "wanted", "kept"),
    [
        (
            "classification",
            {"plan": "stack", "plan_params": {"include": ["lr", "dt"]}},
            "stack",
        ),
        ("clustering", {"plan": "compare", "plan_params": {"include": ["kmeans"]}}, "kmeans"),
    ],
)
def test_a_plan_ends_with_a_pipeline_that_answers(
    server: LiveServer,
    experiments: dict[str, str],
    task: str,
    wanted: dict[str, Any],
    kept: str,
) -> None:
    rows = [{**row, "y": "yes" if row["x"] > 3 else "no"} for row in ROWS]
    if task == "clustering":
        rows = [{k: v for k, v in row.items() if k != "y"} for row in rows]
    run = server.ended(server.submit(experiments[task], data_inline=rows, **wanted)["id"])
    assert run["status"] == "succeeded", run["error"]
    body = {"name": f"{task} by {wanted['plan']}", "model_id": kept}
    pipeline = server.post(f"/runs/{run['id']}/promote", body)
    assert (pipeline["task"], pipeline["model_id"]) == (task, kept)
    slug = f"plan-{task}"
    server.post(f"/pipelines/{pipeline['id']}/deployments", {"endpoint_slug": slug})
    row = {k: v for k, v in rows[0].items() if k != "y"}
    answer = server.post(f"/deployments/{slug}/predict?proba=true", {"rows": [row]}, expect=200)
    (found,) = answer["predictions"]
    if task == "clustering":
        assert found["prediction"].startswith("Cluster ")
    else:
        assert found["prediction"] in {"yes", "no"}
        assert set(found["probabilities"]) == {"yes", "no"}


LABELLED = [{**row, "y": "yes" if row["x"] > 3 else "no"} for row in ROWS]


def test_a_model_is_kept_after_the_run_and_promoted(
    server: LiveServer, experiments: dict[str, str]
) -> None:
    params = {"include": ["lr", "dt", "nb"], "sort": "f1_macro"}
    submitted = server.submit(
        experiments["classification"],
        data_inline=LABELLED,
        plan="compare",
        plan_params=params,
        setup_params={"fold": 2, "custom_metrics": ["f1_macro"]},
    )
    server.post(f"/runs/{submitted['id']}/models/lr/keep", {}, expect=404)
    run = server.ended(submitted["id"])
    assert run["status"] == "succeeded", run["error"]
    assert run["metric"] == "f1_macro"
    assert [record["kept"] for record in run["leaderboard"]] == [True, False, False]
    best, model_id = (record["model_id"] for record in run["leaderboard"][:2])
    at = f"/runs/{run['id']}"
    assert server.post(f"{at}/models/{best}/keep", {}, expect=200)["id"] == run["id"]
    refused = server.post(f"{at}/promote", {"name": "second", "model_id": model_id}, expect=400)
    assert f"{model_id}/keep" in refused["message"]

    keeper = server.post(f"{at}/models/{model_id}/keep", {}, expect=202)
    assert (keeper["plan"], keeper["model_id"]) == ("keep", model_id)
    assert (keeper["experiment_id"], keeper["origin_run_id"]) == (None, run["id"])
    again = server.call("POST", f"{at}/models/{model_id}/keep", json={})
    assert again["id"] == keeper["id"]
    ended = server.ended(keeper["id"])
    assert ended["status"] == "succeeded", ended["error"]
    assert server.post(f"{at}/models/{model_id}/keep", {}, expect=200)["id"] == keeper["id"]
    assert [r["kept"] for r in server.get(at)["leaderboard"]] == [True, True, False]
    pipeline = server.post(f"{at}/promote", {"name": "second", "model_id": model_id}, expect=201)
    assert (pipeline["model_id"], pipeline["origin_run_id"]) == (model_id, run["id"])
    record = next(r for r in run["leaderboard"] if r["model_id"] == model_id)
    assert pipeline["metrics"]["Accuracy"] == record["Accuracy"]
    server.post(f"/pipelines/{pipeline['id']}/deployments", {"endpoint_slug": "kept-later"})
    answer = server.post("/deployments/kept-later/predict", {"rows": [{"x": 6.0, "z": 1.0}]}, 200)
    assert answer["predictions"][0]["prediction"] in {"yes", "no"}
    assert server.post(f"{at}/models/nope/keep", {}, expect=404)["message"].startswith(
        "This run has not scored “nope”"
    )
    server.call("DELETE", at, expect=204)
    assert server.get(f"/runs/{keeper['id']}")["origin_run_id"] is None


def test_a_model_of_a_cancelled_run_is_kept(
    server: LiveServer, experiments: dict[str, str]
) -> None:
    slow = ["lr", "gbc", "rf", "et", "ada"]
    run = server.submit(
        experiments["classification"],
        data_inline=LABELLED * 20,
        plan="compare",
        plan_params={"include": slow},
    )
    until(
        lambda: any(
            event["kind"] == "model.scored"
            for event in server.get(f"/runs/{run['id']}/events?limit=1000")
        ),
        "a model is scored",
    )
    server.post(f"/runs/{run['id']}/cancel", {}, 200)
    ended = server.ended(run["id"])
    assert ended["status"] == "cancelled"
    first = ended["leaderboard"][0]["model_id"]
    body = {"name": "of a cancelled run", "model_id": first}
    assert "cancelled" in server.post(f"/runs/{run['id']}/promote", body, expect=400)["message"]
    keeper = server.post(f"/runs/{run['id']}/models/{first}/keep", {}, expect=202)
    assert server.ended(keeper["id"])["status"] == "succeeded"
    assert server.post(f"/runs/{run['id']}/promote", body, expect=201)["model_id"] == first


def test_a_data_source_is_held_out(server: LiveServer, experiments: dict[str, str]) -> None:
    header = "x,z,y,more\n"
    lines = [f"{row['x']},{row['z']},{row['y']},{n}\n" for n, row in enumerate(LABELLED)]
    train = server.upload("to train on", (header + "".join(lines * 2)).encode())
    held = server.upload(
        "to hold out",
        (
            "more,"
            + header.replace(",more", "")
            + "".join(
                f"{n},{row['x']},{row['z']},{row['y']}\n" for n, row in enumerate(LABELLED[:20])
            )
        ).encode(),
    )
    body = {"plan": "create", "model_id": "dt", "data_source_id": train["id"]}
    run = server.submit(
        experiments["classification"],
        **body,
        setup_params={"fold": 2, "test_data_source_id": held["id"]},
    )
    ended = server.ended(run["id"])
    assert ended["status"] == "succeeded", ended["error"]
    assert ended["metrics_summary"]["holdout_rows"] == 20
    assert ended["metrics_summary"]["holdout"]["Accuracy"] == 1.0
    assert ended["snapshot"]["test_data_version"] == 1
    document = server.call("GET", f"/runs/{run['id']}/notebook", expect=200)
    assert "held_out = table" in "".join(cell["source"] for cell in document["cells"])

    other = server.upload("other columns", b"x,y\n1,yes\n2,no\n3,yes\n")
    run = server.submit(
        experiments["classification"], **body, setup_params={"test_data_source_id": other["id"]}
    )
    ended = server.ended(run["id"])
    assert (ended["status"], ended["error_kind"]) == ("failed", "user")
    assert "lacks columns of the other: “z”, “more”" in ended["error"]

    answer = server.post(
        f"/experiments/{experiments['classification']}/runs",
        {**body, "setup_params": {"test_data_source_id": "nope"}},
        expect=400,
    )
    assert answer["errors"][0]["loc"] == ["setup_params", "test_data_source_id"]


def test_a_data_source_that_is_held_out_stays_while_it_is_needed(
    server: LiveServer, experiments: dict[str, str]
) -> None:
    content = "x,z,y\n" + "".join(f"{r['x']},{r['z']},{r['y']}\n" for r in LABELLED * 2)
    train = server.upload("needed", content.encode())
    held = server.upload("held and needed", content.encode())
    run = server.submit(
        experiments["classification"],
        plan="compare",
        plan_params={"include": ["dt", "nb"]},
        data_source_id=train["id"],
        setup_params={"fold": 2, "test_data_source_id": held["id"]},
    )
    refused = server.call("DELETE", f"/data-sources/{held['id']}", 409)
    assert run["id"] in refused["message"]
    ended = server.ended(run["id"])
    other = ended["leaderboard"][1]["model_id"]
    server.call("DELETE", f"/data-sources/{held['id']}", 204)
    refused = server.post(f"/runs/{run['id']}/models/{other}/keep", {}, expect=409)
    assert "held out was deleted" in refused["message"]


def test_a_clustering_that_takes_no_new_rows_is_not_said_to_be_kept(
    server: LiveServer, experiments: dict[str, str]
) -> None:
    rows = [{"x": row["x"], "z": row["z"]} for row in ROWS]
    run = server.submit(
        experiments["clustering"],
        data_inline=rows,
        plan="compare",
        plan_params={"include": ["kmeans", "hclust"], "num_clusters": 3},
    )
    assert server.ended(run["id"])["status"] == "succeeded"
    keeper = server.post(f"/runs/{run['id']}/models/hclust/keep", {}, expect=202)
    ended = server.ended(keeper["id"])
    assert ended["status"] == "failed"
    assert "cannot be kept as a pipeline" in ended["error"]
