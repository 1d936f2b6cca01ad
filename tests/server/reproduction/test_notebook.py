"""Notebooks of runs: their texts and code, refusals, and names of users that are no code."""

from __future__ import annotations

import ast
from typing import Any

import nbformat
import pytest

from jupyter_pycaret_ops.common.errors import Conflict
from jupyter_pycaret_ops.server import reproduction as notebook
from jupyter_pycaret_ops.server.store.models import Run, utc_now

HOSTILE = 'x"""\n\'\'\'; import os; os.remove("y")\n# <script>`'


def facts(
    data: dict[str, Any] | None = None, rows: list[dict[str, Any]] | None = None, **more: Any
) -> notebook.Facts:
    snapshot = {
        "task": more.pop("task", "classification"),
        "target": more.pop("target", "y"),
        "setup_params": more.pop("setup_params", {}),
        "plan_params": more.pop("plan_params", {}),
        "data_changes": [],
        "data_sha256": more.pop("data_sha256", None),
        "seed": more.pop("seed", 7),
        "versions": {"python": "3.12.1", "pycaret": "4.0.0"},
    }
    changes = more.pop("changes", [])
    experiment = more.pop("experiment", "an experiment")
    filename = more.pop("filename", None)
    run = Run(
        **{
            "id": "0",
            "plan": "compare",
            "status": "succeeded",
            "leaderboard": [
                {"model_id": "lr", "name": "Logistic", "Accuracy": 0.5, "std": {"Accuracy": 0.1}}
            ],
            "metrics_summary": {"failed": 2},
            "metric": "Accuracy",
            "greater_is_better": True,
            "queued_at": utc_now(),
            "data": data or {"kind": "sklearn", "options": {"name": "iris"}},
            "snapshot": snapshot,
            **more,
        }
    )
    return notebook.Facts(run, experiment, filename, True, changes, rows)


def notebook_of(*args: Any, **more: Any) -> dict[str, Any]:
    """Return the notebook, after a check that it is valid and that its code cells are Python."""
    document = notebook.make(facts(*args, **more))
    nbformat.validate(document)
    for cell in document["cells"]:
        if cell["cell_type"] == "code":
            ast.parse(cell["source"])
    return document


def text_of(document: dict[str, Any], kind: str | None = None) -> str:
    return "\n".join(
        cell["source"] for cell in document["cells"] if kind in (None, cell["cell_type"])
    )


def test_leaderboard_table_has_only_metrics() -> None:
    record = {
        "model_id": "lr",
        "name": "Logistic",
        "rank": 1,
        "Accuracy": 0.5,
        "AUC": None,
        "std": {"Accuracy": 0.1},
        "folds": [0.4, 0.6],
        "seconds": 0.3,
        "attempt": 2,
        "params": {"C": 1},
        "kept": True,
        "baseline": False,
    }
    second = {**record, "model_id": "nb", "Kappa": 0.2}
    text = text_of(notebook_of(leaderboard=[record, second]), "markdown")
    assert "| model | Accuracy | AUC | Kappa |\n|---|---|---|---|" in text
    assert "| lr | 0.5000 |  |  |" in text
    assert "| nb | 0.5000 |  | 0.2000 |" in text


CHANGES = [
    {"change": "columns_renamed", "columns": ["1"], "message": "m"},
    {"change": "columns_ignored", "columns": [HOSTILE], "message": f"m “{HOSTILE}”"},
    {"change": "empty_columns_dropped", "columns": [HOSTILE], "message": "m"},
    {"change": "rows_without_target_dropped", "columns": ["y"], "rows": 1, "message": "m"},
    {"change": "blanks_to_missing", "columns": [HOSTILE], "blanks": {HOSTILE: [HOSTILE]}, "message": "m"},
    {"change": "mixed_to_text", "columns": [HOSTILE], "message": "m"},
    {"change": "nested_to_text", "columns": [HOSTILE], "message": "m"},
    {"change": "dates_expanded", "columns": [HOSTILE], "dates": {HOSTILE: {"form": HOSTILE, "parts": ["days"]}}, "message": "m"},
    {"change": "durations_to_seconds", "columns": [HOSTILE], "message": "m"},
    {"change": "names_made_safe", "columns": [HOSTILE], "message": "m"},
    {"change": "target_to_text", "columns": ["y"], "message": "m"},
    {"change": "folds_reduced", "columns": [], "requested": 10, "folds": 3, "message": "m"},
]  # fmt: skip
SOURCES: list[dict[str, Any]] = [
    {"kind": "csv_upload", "options": {"encoding": "latin-1", "delimiter": ";"}},
    {"kind": "parquet_upload", "options": {}},
    {"kind": "sklearn", "options": {"name": "iris"}},
    {"kind": "inline", "storage_key": "inline/x"},
    {"kind": "s3", "options": {"bucket": "b", "key": HOSTILE, "region": HOSTILE, "endpoint_url": HOSTILE}},
    {"kind": "s3", "options": {"bucket": "b", "key": "k.parquet", "anonymous": True}},
    {"kind": "postgres", "options": {"host": HOSTILE, "database": HOSTILE, "user": HOSTILE, "query": HOSTILE}},
    {"kind": "postgres", "options": {"host": "h", "database": "d", "user": "u", "schema": HOSTILE, "table": HOSTILE}},
    {"kind": "frame", "options": {}},
]  # fmt: skip


@pytest.mark.parametrize("changes", [[], CHANGES], ids=["plain", "changed"])
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source["kind"])
@pytest.mark.parametrize("plan", ["setup", "create", "compare"])
def test_names_of_users_are_literals_and_never_code(
    source: dict[str, Any], changes: list[dict[str, Any]], plan: str
) -> None:
    document = notebook_of(
        source,
        [{HOSTILE: HOSTILE, "y": None}],
        changes=changes,
        plan=plan,
        model_id="lr" if plan == "create" else None,
        target=HOSTILE,
        filename=HOSTILE,
        experiment=HOSTILE,
        data_sha256="0" * 64,
        plan_params={"penalty": HOSTILE} if plan == "create" else {},
        setup_params={"ignore_features": [HOSTILE], "normalize": True},
    )
    for cell in document["cells"]:
        if cell["cell_type"] == "code":
            tree = ast.parse(cell["source"])
            called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
            assert "remove" not in called
        else:
            assert "<script>" not in cell["source"]
    assert "jupyter_pycaret_ops" not in text_of(document, "code")


def test_same_run_gives_the_same_notebook() -> None:
    assert notebook_of() == notebook_of()


def test_notebook_has_only_the_changes_of_the_run() -> None:
    plain = text_of(notebook_of(), "code")
    for word in ("DATES", "BLANKS", "DURATIONS", "json", "drop(columns", "known"):
        assert word not in plain
    changed = text_of(notebook_of(changes=CHANGES), "code")
    assert "fold=3" in changed
    for word in ("DATES", "BLANKS", "DURATIONS", "json", "drop(columns", "known"):
        assert word in changed


def test_many_inline_rows_are_read_from_a_file() -> None:
    source = {"kind": "inline", "storage_key": "inline/x"}
    assert "ROWS" in text_of(notebook_of(source, [{"x": 1, "y": 2}] * 200))
    assert "rows.json" in text_of(notebook_of(source, [{"x": 1, "y": 2}] * 201))
    assert "rows.json" in text_of(notebook_of(source, [{"x": "long" * 20_000, "y": 2}]))


def test_models_are_the_scored_ones_else_the_requested_ones() -> None:
    assert "MODELS = ['lr']" in text_of(notebook_of(plan_params={"include": ["lr", "dt"]}))
    asked = {"include": ["lr", "dt", "rf"], "exclude": ["rf"]}
    text = text_of(
        notebook_of(plan_params=asked, leaderboard=[], status="failed", metrics_summary={})
    )
    assert "MODELS = ['lr', 'dt']" in text
    assert "failed" in text
    text = text_of(notebook_of(leaderboard=[], status="cancelled", metrics_summary={}))
    assert "experiment.models()" in text


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"status": "running"}, "not ended"),
        ({"status": "queued"}, "not ended"),
        ({"task": "telepathy"}, "telepathy"),
        ({"plan": "guess"}, "guess"),
        # runs that ended before their rows were split
        *(
            ({"status": "cancelled", "setup_params": given}, "before its rows were cut")
            for given in (
                {"fold_shuffle": False},
                {"data_split_stratify": False},
                {"fold_strategy": "kfold"},
                {"fold_groups": "patient"},
                {"test_data_source_id": "other"},
            )
        ),
    ],
)
def test_run_without_notebook_is_refused_with_a_reason(more: dict[str, Any], word: str) -> None:
    with pytest.raises(Conflict, match=word):
        notebook.make(facts(**more))


def test_default_folds_that_are_named_have_a_notebook() -> None:
    given = {"fold_strategy": "stratifiedkfold", "fold_shuffle": True}
    assert "compare" in text_of(notebook_of(status="cancelled", setup_params=given))
