"""What a panel makes of a run's events, and how it draws it."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_pycaret_ops.notebook import rendering
from jupyter_pycaret_ops.notebook.markup import button, clock, number, slug_of
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


def test_a_model_is_fitted_then_scored_or_failed() -> None:
    state = RunState(row())
    state.take(
        event(
            "run.progress", done=0, total=3, label="Random Forest", model_id="rf", fold=2, folds=5
        )
    )
    assert state.fitting["rf"].fold == 2
    assert state.waiting == 2
    assert state.take(event("model.scored", model_id="rf")), "the row has changed"
    assert state.fitting == {}
    state.take(event("run.progress", done=1, total=3, label="KNN", model_id="knn"))
    assert not state.take(event("model.failed", model_id="knn", name="KNN", error="too few rows"))
    assert state.failed["knn"].error == "too few rows"


def test_remaining_time_is_guessed_from_the_second_model_on() -> None:
    state = RunState(row(progress={"done": 1, "total": 4, "label": ""}))
    assert state.remaining_s(10) is None
    state.done = 2
    assert state.remaining_s(10) == 10.0


def test_a_second_attempt_begins_anew() -> None:
    state = RunState(row())
    state.take(event("run.progress", done=0, total=3, label="A", model_id="a"))
    state.take(event("run.requeued"))
    assert state.fitting == {}


def test_when_a_run_is_over_nothing_runs_and_nothing_waits() -> None:
    state = RunState(row(leaderboard=[record("a", 0.5, [0.4, 0.6])]))
    state.take(event("run.progress", done=1, total=5, label="B", model_id="b", fold=2, folds=5))
    assert "fold 2 of 5" in rendering.leaderboard(state)
    assert "3 waiting" in rendering.leaderboard(state)
    state.row["status"] = "cancelled"
    assert "fold 2 of 5" not in rendering.leaderboard(state)
    assert "waiting" not in rendering.leaderboard(state)
    state.row["leaderboard"] = []
    assert rendering.leaderboard(state) == ""


def test_bars_begin_at_zero_and_a_missing_number_is_a_dash() -> None:
    state = RunState(row(leaderboard=[record("a", 0.5, [0.4, 0.6]), record("b", 0.25, [0.25])]))
    html = rendering.leaderboard(state)
    assert "width: 50.0%" in html
    assert "width: 25.0%" in html
    assert html.count("jp-pycaret-leaderboard__row--best") == 1
    assert ">–<" in html, "AUC is missing"
    assert rendering.other_metrics([record("a", 1, [])], "Accuracy") == ["AUC", "F1", "Recall"]


def test_headers_sort_where_there_is_somebody_to_press_them() -> None:
    state = RunState(row(leaderboard=[record("a", 0.5, [0.4, 0.6]), record("b", 0.25, [0.25])]))
    live, still = rendering.leaderboard(state, "a-run"), rendering.leaderboard(state)
    assert 'aria-sort="descending"' in live
    assert "<button" not in still
    assert 'data-sort="AUC" data-first="descending"' in live
    assert 'data-sort="seconds" data-first="ascending"' in live
    assert 'data-board="a-run" data-filling' in live
    errors = [{"model_id": "a", "MAE": 10.0}, {"model_id": "b", "MAE": 40.0}]
    state = RunState(row(leaderboard=errors, metrics_summary={"metric": "MAE"}, status="succeeded"))
    assert 'aria-sort="ascending"' in rendering.leaderboard(state)
    assert "data-filling" not in rendering.leaderboard(state, "a-run")


def test_an_error_metric_fills_its_bar_by_the_largest() -> None:
    records = [{"model_id": "a", "MAE": 10.0}, {"model_id": "b", "MAE": 40.0}]
    assert rendering._share(records[0], records, "MAE") == 25.0
    assert rendering._share({"R2": -3.0}, [{"R2": -3.0}], "R2") == 0.0


@pytest.mark.parametrize(
    ("most", "places"), [(0.98, 4), (2.5, 4), (12.0, 3), (649.0, 2), (4627.4, 1), (51_000.0, 0)]
)
def test_large_numbers_have_fewer_decimals_alike_in_a_column(most: float, places: int) -> None:
    assert rendering.decimals([{"MAE": 0.5}, {"MAE": most}, {"MAE": None}], "MAE") == places


@pytest.mark.parametrize(
    ("folds", "low", "high"), [([0.81, 0.97], 0.8, 1.0), ([120.0, 480.0], 100.0, 500.0)]
)
def test_strips_zoom_to_round_ends(folds: list[float], low: float, high: float) -> None:
    found = rendering.fold_span([{"folds": folds}])
    assert found == (pytest.approx(low), pytest.approx(high))


def test_dots_that_would_cover_each_other_stack() -> None:
    html = rendering.strip([0.9, 0.9, 0.9], (0.8, 1.0))
    assert [f'cy="{y}"' in html for y in (8, 4, 12)] == [True, True, True]
    assert 'aria-label="3 folds, 0.900 to 0.900, deviation 0.000"' in html


def test_what_people_wrote_is_text_and_never_markup() -> None:
    bad = '<img src=x onerror="alert(1)">'
    state = RunState(row(leaderboard=[{**record("a", 0.5, [0.5]), "name": bad, bad: 1.0}]))
    state.take(event("model.failed", model_id="b", name=bad, error=bad))
    assert "<img" not in rendering.leaderboard(state)
    assert "<img" not in button(bad, bad, copy=bad)


def test_small_things() -> None:
    assert [clock(7), clock(61), clock(3661)] == ["0:07", "1:01", "1:01:01"]
    assert [number(None), number(0.5)] == ["–", "0.5000"]
    assert [slug_of("Wer bestellt?"), slug_of("ä"), slug_of("y")] == [
        "wer-bestellt",
        "model-1",
        "y-1",
    ]
