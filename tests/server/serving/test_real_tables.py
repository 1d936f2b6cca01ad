"""Real tables: predictions of deployments equal those of the trained pipelines, row by row."""

from __future__ import annotations

import csv
import io
import json
import secrets
from pathlib import Path
from typing import Any

import cloudpickle
import pandas as pd
import pytest

from ...live import SHARED, LiveServer

MODEL = {
    "classification": "dt",
    "regression": "dt",
    "clustering": "kmeans",
    "anomaly": "iforest",
    "time_series": "theta",
}
CATALOGUE = SHARED / "datasets" / "catalogue.json"
ENTRIES = json.loads(CATALOGUE.read_text()) if CATALOGUE.exists() else []
MOST_ROWS = 200


def _lines(content: bytes) -> io.StringIO:
    return io.StringIO(content.decode("utf-8-sig"))


def _sent(schema: dict[str, Any], frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows of the table as a JSON client sends them; texts as they are, NaN and infinity are null."""
    rows = []
    properties = schema["row"]["properties"]
    for record in frame[list(properties)].astype(object).to_dict("records"):
        row = {}
        for name, value in record.items():
            kinds = properties[name]["type"]
            if pd.isna(value):
                row[name] = None
            elif isinstance(value, str):
                row[name] = value
            elif "boolean" in kinds:
                row[name] = bool(value)
            elif "integer" in kinds:
                row[name] = int(value)
            elif "number" in kinds:
                number = pd.to_numeric(value, errors="coerce")
                row[name] = None if pd.isna(number) else float(number)
            else:
                row[name] = str(value)
        rows.append(row)
    return rows


@pytest.fixture(scope="module")
def runs(server: LiveServer, shared: Path) -> dict[str, str]:
    """File → run: all are queued at once, and run as the server lets them."""
    submitted = {}
    for entry in ENTRIES:
        content = (shared / "datasets" / entry["file"]).read_bytes()
        source = server.upload(f"{entry['file']} {secrets.token_hex(4)}", content)
        records = list(csv.DictReader(_lines(content)))
        assert source["config"]["rows"] == len(records)
        setup = {"session_id": 1} | ({"index": entry["index"]} if "index" in entry else {})
        run = server.submit(
            server.experiment(entry["task"], target=entry["target"], setup_params=setup),
            plan="create",
            model_id=MODEL[entry["task"]],
            data_source_id=source["id"],
        )
        submitted[entry["file"]] = run["id"]
    return submitted


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["file"])
def test_predictions_equal_those_of_the_downloaded_pipeline(
    server: LiveServer, shared: Path, runs: dict[str, str], entry: dict[str, Any]
) -> None:
    content = (shared / "datasets" / entry["file"]).read_bytes()
    name = f"{entry['file']} {secrets.token_hex(4)}"
    run = server.ended(runs[entry["file"]], 280)
    assert run["status"] == "succeeded", run["error"]
    pipeline_row = server.post(f"/runs/{run['id']}/promote", {"name": name})
    slug = f"real-{secrets.token_hex(4)}"
    server.post(f"/pipelines/{pipeline_row['id']}/deployments", {"endpoint_slug": slug})

    artifacts = server.get(f"/runs/{run['id']}/artifacts")
    (kept,) = [item for item in artifacts if item["kind"] == "pipeline_pickle"]
    download = server.http.get(f"{server.api}/artifacts/{kept['id']}/download", timeout=60)
    pipeline = cloudpickle.loads(download.content)
    frame = pd.read_csv(io.BytesIO(content), encoding="utf-8-sig")[:MOST_ROWS]
    if entry["task"] == "time_series":
        answer = server.post(f"/deployments/{slug}/predict", {"horizon": 14}, expect=200)
        expected = pipeline.predict(pd.DataFrame(index=range(14))).tolist()
        assert answer["predictions"][0]["time"] == "2021-10-06"
    else:
        schema = server.get(f"/deployments/{slug}/schema")
        answer = server.post(
            f"/deployments/{slug}/predict", {"rows": _sent(schema, frame)}, expect=200
        )
        expected = pipeline.predict(frame).tolist()
    served = [item["prediction"] for item in answer["predictions"]]
    assert served == expected
    assert {type(value) for value in served} == {type(value) for value in expected}
    if entry["task"] == "anomaly":
        scores = [item["score"] for item in answer["predictions"]]
        assert scores == pipeline.decision_function(frame).tolist()
    if entry["task"] == "classification":
        labels = {row[entry["target"]] for row in csv.DictReader(_lines(content))}
        assert {str(value) for value in served} <= labels
    if entry["task"] == "clustering":
        assert all(value.startswith("Cluster ") for value in served)


def test_forecasts_in_a_shared_batch_are_independent(server: LiveServer) -> None:
    """The forecast of each request starts at the first step."""
    from concurrent.futures import ThreadPoolExecutor

    rows = [{"t": f"2024-{month:02d}-01", "y": float(month % 5 + month)} for month in range(1, 13)]
    run = server.submit(
        server.experiment("time_series", target="y", setup_params={"horizon": 2, "fold": 2}),
        plan="create",
        model_id="polytrend",
        data_inline=rows,
    )
    run = server.ended(run["id"])
    assert run["status"] == "succeeded", run["error"]
    pipeline = server.post(f"/runs/{run['id']}/promote", {"name": f"steps {secrets.token_hex(4)}"})
    slug = f"steps-{secrets.token_hex(4)}"
    server.post(f"/pipelines/{pipeline['id']}/deployments", {"endpoint_slug": slug})

    def ask(steps: int) -> list[dict[str, Any]]:
        body = {"rows": [{} for _ in range(steps)]} if steps % 2 else {"horizon": steps}
        answer = server.post(f"/deployments/{slug}/predict", body, expect=200)
        return [{k: p[k] for k in ("prediction", "time")} for p in answer["predictions"]]

    longest = ask(8)
    assert [item["time"] for item in longest[:2]] == ["2025-01-01", "2025-02-01"]
    with ThreadPoolExecutor(16) as pool:
        for steps, answer in zip([3, 8, 1, 4] * 8, pool.map(ask, [3, 8, 1, 4] * 8), strict=True):
            expected = longest[:steps]
            assert [item["time"] for item in answer] == [item["time"] for item in expected]
            # a matrix of another height is added up in another order
            assert [item["prediction"] for item in answer] == pytest.approx(
                [item["prediction"] for item in expected], rel=1e-9
            )
    for body, says in (
        ({"horizon": 2, "rows": [{}]}, "either"),
        ({"horizon": 0}, ">= 1"),
        ({}, "either"),
    ):
        refused = server.post(f"/deployments/{slug}/predict", body, expect=400)
        assert says in refused["message"]
    server.post(f"/deployments/{slug}/predict", {"horizon": 10_001}, expect=413)
    server.post(f"/deployments/{slug}/predict", {"rows": [{"x": 1}]}, expect=422)
    assert server.get(f"/deployments/{slug}/schema")["example"] == {}
