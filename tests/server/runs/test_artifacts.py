"""The results of a run: artifacts with digests, plots, and `/metrics`."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import cloudpickle
import numpy as np
import plotly.io
import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families
from sklearn.datasets import load_iris

from ...live import LiveServer


@pytest.fixture(scope="module")
def deployment(server: LiveServer) -> dict[str, Any]:
    return server.deploy_iris("kept-files")


@pytest.fixture
def run_id(server: LiveServer, deployment: dict[str, Any]) -> str:
    return str(server.get(f"/pipelines/{deployment['pipeline_id']}")["origin_run_id"])


def fetch(server: LiveServer, path: str, **headers: str) -> requests.Response:
    return server.http.get(server.api + path, headers=headers, timeout=60)


def test_artifacts_are_listed_and_downloaded_whole_in_ranges_or_not_modified(
    server: LiveServer, run_id: str
) -> None:
    listed = server.get(f"/runs/{run_id}/artifacts")
    assert {"pipeline_pickle", "input_schema", "plot"} <= {row["kind"] for row in listed}
    for row in listed:
        path = f"/artifacts/{row['id']}/download"
        whole = fetch(server, path)
        assert whole.status_code == 200
        assert len(whole.content) == row["size_bytes"]
        assert hashlib.sha256(whole.content).hexdigest() == row["sha256"]
        assert whole.headers["ETag"] == f'"{row["sha256"]}"'
        # a plot is JSON, whatever its kernel called it
        expected = "application/json" if row["kind"] == "plot" else row["content_type"]
        assert whole.headers["Content-Type"] == expected
        assert row["filename"] in whole.headers["Content-Disposition"]
        middle = row["size_bytes"] // 2
        parts = [
            fetch(server, path, Range=f"bytes={part}") for part in (f"0-{middle - 1}", f"{middle}-")
        ]
        assert [part.status_code for part in parts] == [206, 206]
        assert b"".join(part.content for part in parts) == whole.content
        unchanged = fetch(server, path, **{"If-None-Match": whole.headers["ETag"]})
        assert (unchanged.status_code, unchanged.content) == (304, b"")


def test_stored_pipeline_predicts_without_this_package(server: LiveServer, run_id: str) -> None:
    listed = server.get(f"/runs/{run_id}/artifacts")
    row = next(row for row in listed if row["kind"] == "pipeline_pickle")
    pipeline = cloudpickle.load(
        io.BytesIO(fetch(server, f"/artifacts/{row['id']}/download").content)
    )
    features = load_iris(as_frame=True).data
    assert np.mean(pipeline.predict(features) == load_iris().target) > 0.9


def test_plots_of_a_run_are_plotly_json(server: LiveServer, run_id: str) -> None:
    plots = server.get(f"/runs/{run_id}/plots")
    assert {"auc", "confusion_matrix"} <= {plot["id"] for plot in plots}
    assert {plot["model_id"] for plot in plots} == {"lr"}
    offered = {plot["id"] for plot in server.get("/describe/plots?task=classification")}
    assert {plot["id"] for plot in plots} <= offered
    stored = {row["id"] for row in server.get(f"/runs/{run_id}/artifacts") if row["kind"] == "plot"}
    assert {plot["artifact_id"] for plot in plots} == stored
    for plot in plots:
        answer = fetch(server, f"/runs/{run_id}/plots/{plot['id']}")
        figure = plotly.io.from_json(answer.text, skip_invalid=False)
        assert figure.data, plot["id"]
        assert set(json.loads(answer.text)) == {"data", "layout"}
        again = fetch(
            server,
            f"/runs/{run_id}/plots/{plot['id']}",
            **{"If-None-Match": answer.headers["ETag"]},
        )
        assert again.status_code == 304


def samples(server: LiveServer) -> dict[tuple[str, str], float]:
    """The samples of ours in Jupyter's page: by name and by their labels in one text."""
    page = server.http.get(f"{server.url}/metrics", timeout=30)
    assert page.status_code == 200
    return {
        (sample.name, " ".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(page.text)
        for sample in family.samples
        if sample.name.startswith("pycaret_ops_")
    }


def test_metrics_of_jupyter_count_predictions_and_runs(
    server: LiveServer, deployment: dict[str, Any], run_id: str
) -> None:
    slug = deployment["endpoint_slug"]
    before = samples(server)
    row = server.get(f"/deployments/{slug}/schema")["example"]
    for _ in range(3):
        server.post(f"/deployments/{slug}/predict", {"rows": [row]}, 200)
    server.post(f"/deployments/{slug}/predict", {"rows": [{}]}, 422)
    after = samples(server)

    def grew(name: str, labels: str) -> float:
        return after[f"pycaret_ops_{name}", labels] - before.get((f"pycaret_ops_{name}", labels), 0)

    assert grew("predict_requests_total", f"{slug} answered") == 3
    assert grew("predict_requests_total", f"{slug} refused") == 1
    assert grew("predict_latency_seconds_count", slug) == 3
    assert 0 < grew("predict_latency_seconds_sum", slug) < 60
    assert after["pycaret_ops_runs", "succeeded"] >= 1
    assert after["pycaret_ops_queue_length", ""] == after["pycaret_ops_runs", "queued"]
    assert after["pycaret_ops_warm_kernels", ""] >= 0
