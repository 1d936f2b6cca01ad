"""The view of a run in a notebook, for the event lists that the panel's tests use as well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_pycaret_ops.notebook.leaderboard_cells import (
    bar_percent,
    decimals,
    fold_range,
    value_of,
    value_text,
)
from jupyter_pycaret_ops.notebook.run_state import RunState

FILES = sorted((Path(__file__).parent.parent / "golden").glob("*.json"))


def view(golden: dict[str, Any]) -> dict[str, Any]:
    row: Any = {
        "status": "queued",
        "attempt": 1,
        "progress": {"done": 0, "total": 0, "label": ""},
        "leaderboard": [],
        "metrics_summary": {},
        "cancel_requested_at": None,
        **golden["run"],
    }
    state = RunState(row)
    for event in golden["events"]:
        state.apply(event)
    records, metric = state.row["leaderboard"], state.metric
    span = fold_range(records)
    return {
        "status": state.row["status"],
        "attempt": state.row["attempt"],
        "progress": {"done": state.done, "total": state.total, "label": state.label},
        "leaderboard": [
            {
                "model_id": record["model_id"],
                "score": value_text(value_of(record, metric), decimals(records, metric)),
                "bar": round(
                    bar_percent(record, records, metric, greater_is_better=state.greater_is_better),
                    1,
                ),
            }
            for record in records
        ],
        "fitting": [
            {"model_id": model_id, "name": one.name, "fold": one.fold, "folds": one.folds}
            for model_id, one in state.fitting.items()
        ],
        "failed": [
            {"model_id": model_id, "name": one.name, "error": one.error}
            for model_id, one in state.failed.items()
        ],
        "fold_range": None if span is None else [round(span[0], 6), round(span[1], 6)],
    }


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_events_add_up_to_the_same_view_as_in_the_panel(file: Path) -> None:
    golden = json.loads(file.read_text(encoding="utf-8"))
    assert view(golden) == golden["expected"], golden["about"]


def test_there_are_event_lists() -> None:
    assert len(FILES) >= 6
