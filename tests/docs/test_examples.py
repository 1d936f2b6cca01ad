"""The sample notebook runs from its first to its last cell against a real server."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from ..live import ROOT, LiveServer

EXAMPLES = ROOT / "examples"


@pytest.fixture
def notebook() -> nbformat.NotebookNode:
    return nbformat.read(EXAMPLES / "first_run.ipynb", as_version=4)


def test_the_notebook_is_committed_without_outputs(notebook: nbformat.NotebookNode) -> None:
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
