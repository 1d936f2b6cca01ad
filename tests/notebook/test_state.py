"""The state of a run from its events, and the leaderboard as HTML."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_pycaret_ops.notebook import rendering
from jupyter_pycaret_ops.notebook.leaderboard_cells import bar_percent, fold_range
from jupyter_pycaret_ops.notebook.markup import button, clock, number, to_slug
from jupyter_pycaret_ops.notebook.run_state import RunState


def row(**more: Any) -> Any:
    return {
        "status": "running",
        "progress": {"done": 0, "total": 0, "label": ""},
        "leaderboard": [],
        "metrics_summary": {"metric": "Accuracy"},
        "cancel_requested_at": None,
        **more,
    }


def event(kind: str, **payload: Any) -> Any:
    return {
        "kind": kind,
        "message": payload.get("message", ""),
        "payload": payload,
        "timestamp": "2026-01-01T00:00:00Z",
    }


def record(model_id: str, value: float, folds: list[float]) -> dict[str, Any]:
    return {
        "model_id": model_id, "name": f"Model {model_id}", "rank": 1, "Accuracy": value, "AUC": None,
        "Recall": 0.5, "F1": 0.25, "std": {}, "folds": folds, "seconds": 1.25, "attempt": 1,
    }  # fmt: skip


def test_model_is_fitting_until_scored_or_failed() -> None:
    state = RunState(row())
    state.apply(
        event(
            "run.progress", done=0, total=3, label="Random Forest", model_id="rf", fold=2, folds=5
        )
    )
    assert state.fitting["rf"].fold == 2
    assert state.waiting == 2
    assert state.apply(event("model.scored", model_id="rf")), "the row has changed"
    assert state.fitting == {}
    state.apply(event("run.progress", done=1, total=3, label="KNN", model_id="knn"))
    assert not state.apply(event("model.failed", model_id="knn", name="KNN", error="too few rows"))
    assert state.failed["knn"].error == "too few rows"


def test_remaining_time_is_estimated_from_second_model_on() -> None:
    state = RunState(row(progress={"done": 1, "total": 4, "label": ""}))
    assert state.remaining_s(10) is None
    state.done = 2
    assert state.remaining_s(10) == 10.0


def test_requeue_clears_fitting_models() -> None:
    state = RunState(row())
    state.apply(event("run.progress", done=0, total=3, label="A", model_id="a"))
    state.apply(event("run.requeued"))
    assert state.fitting == {}


def test_ended_run_has_no_running_or_waiting_models() -> None:
    state = RunState(row(leaderboard=[record("a", 0.5, [0.4, 0.6])]))
    state.apply(event("run.progress", done=1, total=5, label="B", model_id="b", fold=2, folds=5))
    assert "fold 2 of 5" in rendering.leaderboard(state)
    assert "3 waiting" in rendering.leaderboard(state)
    state.row["status"] = "cancelled"
    assert "fold 2 of 5" not in rendering.leaderboard(state)
    assert "waiting" not in rendering.leaderboard(state)
    state.row["leaderboard"] = []
    assert rendering.leaderboard(state) == ""


def test_bars_start_at_zero_and_missing_values_are_dashes() -> None:
    state = RunState(row(leaderboard=[record("a", 0.5, [0.4, 0.6]), record("b", 0.25, [0.25])]))
    html = rendering.leaderboard(state)
    assert "width: 50.0%" in html
    assert "width: 25.0%" in html
    assert html.count("jp-pycaret-leaderboard__row--best") == 1
    assert ">–<" in html, "AUC is missing"
    assert rendering.other_metrics([record("a", 1, [])], "Accuracy") == ["AUC", "F1", "Recall"]


def test_headers_sort_only_in_live_leaderboard() -> None:
    state = RunState(row(leaderboard=[record("a", 0.5, [0.4, 0.6]), record("b", 0.25, [0.25])]))
    live, still = rendering.leaderboard(state, "a-run"), rendering.leaderboard(state)
    assert 'aria-sort="descending"' in live
    assert "<button" not in still
    assert 'data-sort="AUC" data-first="descending"' in live
    assert 'data-sort="seconds" data-first="ascending"' in live
    assert 'data-board="a-run" data-filling' in live
    errors = [{"model_id": "a", "MAE": 10.0}, {"model_id": "b", "MAE": 40.0}]
    state = RunState(
        row(
            leaderboard=errors,
            metrics_summary={"metric": "MAE"},
            greater_is_better=False,
            status="succeeded",
        )
    )
    assert 'aria-sort="ascending"' in rendering.leaderboard(state)
    assert "data-filling" not in rendering.leaderboard(state, "a-run")


def test_bar_of_error_metric_is_relative_to_largest_value() -> None:
    records = [{"model_id": "a", "MAE": 10.0}, {"model_id": "b", "MAE": 40.0}]
    assert bar_percent(records[0], records, "MAE", greater_is_better=False) == 25.0
    negative = {"R2": -3.0}
    assert bar_percent(negative, [negative], "R2", greater_is_better=True) == 0.0


@pytest.mark.parametrize(
    ("most", "places"), [(0.98, 4), (2.5, 4), (12.0, 3), (649.0, 2), (4627.4, 1), (51_000.0, 0)]
)
def test_column_of_large_numbers_has_fewer_decimals(most: float, places: int) -> None:
    assert rendering.decimals([{"MAE": 0.5}, {"MAE": most}, {"MAE": None}], "MAE") == places


@pytest.mark.parametrize(
    ("folds", "low", "high"), [([0.81, 0.97], 0.8, 1.0), ([120.0, 480.0], 100.0, 500.0)]
)
def test_strips_end_at_round_numbers(folds: list[float], low: float, high: float) -> None:
    found = fold_range([{"folds": folds}])
    assert found == (pytest.approx(low), pytest.approx(high))


def test_overlapping_dots_are_stacked() -> None:
    html = rendering.strip([0.9, 0.9, 0.9], (0.8, 1.0))
    assert [f'cy="{y}"' in html for y in (8, 4, 12)] == [True, True, True]
    assert 'aria-label="3 folds, 0.900 to 0.900, deviation 0.000"' in html


def test_user_text_is_escaped() -> None:
    bad = '<img src=x onerror="alert(1)">'
    state = RunState(row(leaderboard=[{**record("a", 0.5, [0.5]), "name": bad, bad: 1.0}]))
    state.apply(event("model.failed", model_id="b", name=bad, error=bad))
    assert "<img" not in rendering.leaderboard(state)
    assert "<img" not in button(bad, bad, copy=bad)


def test_clock_number_and_slug_format_values() -> None:
    assert [clock(7), clock(61), clock(3661)] == ["0:07", "1:01", "1:01:01"]
    assert [number(None), number(0.5)] == ["–", "0.5000"]
    assert [to_slug("Wer bestellt?"), to_slug("ä"), to_slug("y")] == [
        "wer-bestellt",
        "model-1",
        "y-1",
    ]
