"""The sample notebooks run from their first to their last cell against a real server."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from ..live import ROOT, LiveServer

EXAMPLES = ROOT / "examples"


@pytest.fixture
def notebook() -> nbformat.NotebookNode:
    return nbformat.read(EXAMPLES / "first_run.ipynb", as_version=4)


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda file: file.stem)
def test_a_notebook_is_committed_without_outputs(file: Path) -> None:
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)


def test_the_table_is_small_and_has_what_it_is_said_to_have() -> None:
    with (EXAMPLES / "coffee_orders.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 400
    assert {row["reordered"] for row in rows} == {"yes", "no"}
    assert any(row["rating"] == "" for row in rows)


def test_the_notebook_does_what_it_says(
    server: LiveServer, notebook: nbformat.NotebookNode, tmp_path: Path
) -> None:
    """Upload, run, watch, promote, deploy, predict: each step leaves its row in the server."""
    shutil.copy(EXAMPLES / "coffee_orders.csv", tmp_path)
    client = NotebookClient(
        notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    # the notebook finds the server by the files in the runtime folder of its user
    client.execute(env=server.home.env())
    printed = "\n".join(
        output["text"]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "stream" and output.name == "stdout"
    )
    assert "400 rows" in printed
    assert "'target': 'reordered'" in printed
    assert "run.succeeded" in printed
    assert "waited  1.0 min: yes" in printed
    assert "waited 12.0 min: no" in printed
    workspace, _ = server.default_project()
    deployed = server.get(f"/workspaces/{workspace}/deployments")
    (coffee,) = [row for row in deployed if row["endpoint_slug"].startswith("coffee-2")]
    assert coffee["inference_count"] == 21
    assert coffee["error_count"] == 0
    pipeline = server.get(f"/pipelines/{coffee['pipeline_id']}")
    assert (pipeline["name"], pipeline["labels"]) == ("coffee", ["no", "yes"])
    run = server.run(pipeline["origin_run_id"])
    assert run["leaderboard"][0]["Accuracy"] > 0.7


def executed(name: str, server: LiveServer, folder: Path) -> list[str]:
    """The words of every output of a sample notebook, executed where only its table is."""
    notebook = nbformat.read(EXAMPLES / f"{name}.ipynb", as_version=4)
    for table in EXAMPLES.glob("*.csv"):
        shutil.copy(table, folder)
    client = NotebookClient(
        notebook, timeout=240, kernel_name="python3", resources={"metadata": {"path": folder}}
    )
    client.execute(env=server.home.env())
    outputs = [
        output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs
    ]
    assert [output for output in outputs if output.get("name") == "stderr"] == []
    return [output.get("text") or output["data"].get("text/plain", "") for output in outputs]


def newest_run(server: LiveServer, plan: str = "compare") -> dict[str, Any]:
    return server.run(server.get(f"/runs?limit=1&plan={plan}&status=succeeded")[0]["id"])


def test_classification_answers_in_the_labels_of_the_table(
    server: LiveServer, tmp_path: Path
) -> None:
    said = executed("classification", server, tmp_path)
    run = newest_run(server)
    assert (run["executor"], run["snapshot"]["task"]) == ("notebook", "classification")
    assert {record["model_id"] for record in run["leaderboard"]} == {"lr", "lda", "nb", "rf"}
    assert any("prediction" in text and "MM" in text and "CH" in text for text in said)
    workspace, _ = server.default_project()
    deployed = server.get(f"/workspaces/{workspace}/deployments")
    (juice,) = [row for row in deployed if row["endpoint_slug"].startswith("juice-2")]
    assert (juice["inference_count"], juice["error_count"]) == (1, 0)


def test_regression_keeps_the_second_best_and_cancels_the_long_one(
    server: LiveServer, tmp_path: Path
) -> None:
    said = executed("regression", server, tmp_path)
    run = newest_run(server)
    assert run["leaderboard"][0]["R2"] > 0.8
    assert run["snapshot"]["seed"] == 7
    assert "'cancelled'" in said
    assert any(text.endswith("of the costs\n") for text in said)
    assert any("insurance v1" in text and "insurance v2" in text for text in said)


def test_a_time_series_is_forecast(server: LiveServer, tmp_path: Path) -> None:
    said = executed("time_series", server, tmp_path)
    run = newest_run(server)
    assert run["snapshot"]["task"] == "time_series"
    assert run["leaderboard"][0]["MASE"] < 1
    assert said[-1].count("\n") >= 7, "a week"
