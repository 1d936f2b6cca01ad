"""Thresholds: chosen by a run, kept with its pipeline, set for a deployment, given with a request."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

from jupyter_pycaret_ops import Client
from jupyter_pycaret_ops.notebook.serving import Deployment

from ...live import LiveServer

SLUG = "cancer-threshold"


@pytest.fixture(scope="module")
def deployment(server: LiveServer) -> dict[str, Any]:
    """A deployment of a model whose threshold was chosen by costs, with `own`, the pipeline's."""
    run = server.submit(
        server.experiment("classification", target="target", setup_params={"fold": 2}),
        plan="create",
        model_id="lr",
        sklearn_dataset="breast_cancer",
        plan_params={"optimize_threshold": {"fp": 1, "fn": 30}},
    )
    row = server.ended(run["id"])
    assert row["status"] == "succeeded", row["error"]
    pipeline = server.post(f"/runs/{run['id']}/promote", {"name": SLUG})
    assert pipeline["threshold"] == row["leaderboard"][0]["threshold"]["value"]
    assert 0 < pipeline["threshold"] < 1
    made = server.post(f"/pipelines/{pipeline['id']}/deployments", {"endpoint_slug": SLUG})
    assert made["threshold"] == pipeline["threshold"]
    return {**made, "own": pipeline["threshold"]}


@pytest.fixture
def rows() -> list[dict[str, float]]:
    """Rows of the table."""
    rows: list[dict[str, float]] = (
        load_breast_cancer(as_frame=True).data.iloc[::4].to_dict("records")
    )
    return rows


def predicted(server: LiveServer, rows: list[Any], query: str = "") -> tuple[list[int], Any]:
    """Labels, and probabilities of the last one."""
    answer = server.post(f"/deployments/{SLUG}/predict?proba=true{query}", {"rows": rows}, 200)
    shares = np.array([one["probabilities"]["1"] for one in answer["predictions"]])
    return [one["prediction"] for one in answer["predictions"]], shares


def test_deployment_answers_by_the_threshold_of_its_pipeline_its_own_or_the_requests(
    server: LiveServer, deployment: dict[str, Any], rows: list[dict[str, float]]
) -> None:
    labels, shares = predicted(server, rows)
    assert labels == (shares >= deployment["own"]).astype(int).tolist()
    between = float(np.median(shares))
    changed = server.call("PATCH", f"/deployments/{SLUG}", 200, json={"threshold": between})
    assert changed["threshold"] == between
    labels, same = predicted(server, rows)
    assert same == pytest.approx(shares)
    assert labels == (shares >= between).astype(int).tolist()
    assert 0 < sum(labels) < len(labels)
    # MLflow's form answers by it as well, and a request may have one of its own
    answer = server.post(f"/deployments/{SLUG}/invocations", {"dataframe_records": rows}, 200)
    assert answer["predictions"] == labels
    assert predicted(server, rows, "&threshold=0")[0] == [1] * len(rows)
    plain = server.post(f"/deployments/{SLUG}/predict?threshold=1", {"rows": rows[:3]}, 200)
    assert "probabilities" not in plain["predictions"][0]
    back = server.call("PATCH", f"/deployments/{SLUG}", 200, json={"threshold": None})
    assert back["threshold"] == deployment["own"]
    assert predicted(server, rows)[0] == (shares >= deployment["own"]).astype(int).tolist()


@pytest.mark.usefixtures("deployment")
@pytest.mark.parametrize(
    ("threshold", "word"), [("half", "no number"), ("1.5", "from 0 to 1"), ("nan", "from 0 to 1")]
)
def test_what_is_no_threshold_is_refused(
    server: LiveServer, rows: list[dict[str, float]], threshold: str, word: str
) -> None:
    path = f"/deployments/{SLUG}/predict?threshold={threshold}"
    answer = server.call("POST", path, 400, json={"rows": rows[:1]})
    assert answer["errors"][0]["loc"] == ["threshold"]
    assert word in answer["message"]


def test_deployment_of_three_labels_takes_no_threshold(server: LiveServer) -> None:
    server.deploy_iris("iris-threshold")
    for call in (
        lambda: server.call("PATCH", "/deployments/iris-threshold", 400, json={"threshold": 0.5}),
        lambda: server.call(
            "POST",
            "/deployments/iris-threshold/predict?threshold=0.5",
            400,
            json={"rows": [server.get("/deployments/iris-threshold/schema")["example"]]},
        ),
    ):
        assert "one of two labels" in call()["message"]


@pytest.mark.usefixtures("deployment")
def test_notebook_and_command_line_set_and_give_thresholds(
    server: LiveServer, rows: list[dict[str, float]], tmp_path: Path
) -> None:
    with Client(server.url, server.token) as client:
        deployment = Deployment(client, client.deployments.get(SLUG))
        own = deployment.threshold
        assert deployment.set_threshold(0.999999).threshold == 0.999999
        cautious = deployment.predict(rows)["prediction"].sum()
        assert cautious < deployment.predict(rows, threshold=0.01)["prediction"].sum()
        assert deployment.set_threshold(None).threshold == own
    data = tmp_path / "rows.json"
    data.write_text(json.dumps(rows[:5]))
    command = [sys.executable, "-m", "jupyter_pycaret_ops.cli", "predict", SLUG]
    done = subprocess.run(
        [*command, "--data", str(data), "--threshold", "0"],
        env=server.home.env(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split() == ["1"] * 5
