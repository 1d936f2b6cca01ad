"""What training reads, serving reads: kinds of tables that were once misread."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from jupyter_pycaret_ops.kernel.engine import PlanFailed
from jupyter_pycaret_ops.kernel.engine.serving_frame import to_frame
from jupyter_pycaret_ops.server.serving.row_validation import RowValidator


def served(recorder, model_id, row):
    """Return the prediction for one row as a JSON client sends it."""
    rows, _ = RowValidator(recorder.schema).check([row], ignore_extra=False)
    return recorder.pipeline(model_id).predict(to_frame(recorder.schema, rows))[0]


def test_types_are_those_of_all_rows_also_where_rows_lack_a_target(plan, recorder, frame):
    frame["day"] = ["13/01/2023", "05/03/2023", "06/03/2023"] * 20
    frame.loc[frame["day"] == "13/01/2023", "label"] = None
    result = plan(frame, "label")
    assert recorder.change("dates_expanded")["dates"]["day"]["day_first"] is True
    reading = result.snapshot["reading"]
    for name in frame.columns:
        cells = reading[name]["values"] + reading[name]["missing"] + reading[name]["unreadable"]
        assert cells == 60, name


@pytest.mark.parametrize("as_text", [True, False])
def test_own_words_for_missing_values_hold_for_a_target_of_numbers(plan, recorder, frame, as_text):
    target = pd.Series(np.where(np.arange(60) % 5 == 0, -1, np.arange(60)))
    frame["y"] = target.astype(str) if as_text else target
    plan(frame, "y", task="regression", setup={"missing_values": {"y": ["-1"]}})
    assert recorder.change("rows_without_target_dropped")["rows"] == 12


def test_own_words_for_missing_values_hold_for_labels(plan, recorder, frame):
    frame["label"] = ["yes", "no", "unknown"] * 20
    plan(frame, "label", setup={"missing_values": {"label": ["unknown"]}})
    assert recorder.schema["labels"] == ["no", "yes"]


def test_own_words_for_missing_values_hold_for_a_series(plan, recorder):
    days = pd.date_range("2024-01-01", periods=40).astype(str)
    frame = pd.DataFrame({"day": days, "y": [*range(39), -99]})
    setup = {"missing_values": {"y": ["-99"]}, "horizon": 1}
    result = plan(frame, "y", task="time_series", model_id="naive", setup=setup)
    assert result.snapshot["reading"]["y"]["used"] == 39


@pytest.mark.parametrize("cell", ["", None, "-", "Total"])
def test_value_of_a_series_without_a_time_is_refused(plan, cell):
    days = [*pd.date_range("2024-01-01", periods=40).astype(str), cell]
    with pytest.raises(PlanFailed, match=r"Row 41 has the value 9999"):
        plan(
            pd.DataFrame({"day": days, "y": [*range(40), 9999]}),
            "y",
            task="time_series",
            model_id="naive",
        )


def test_years_are_a_time_by_the_name_of_their_column(plan, recorder):
    frame = pd.DataFrame({"year": range(1960, 2000), "y": np.arange(40.0) % 7})
    plan(frame, "y", task="time_series", model_id="naive", setup={"horizon": 2})
    assert recorder.change("time_found")["columns"] == ["year"]
    assert recorder.pipeline("naive").times([1]) == ["2000-01-01"]
    with pytest.raises(PlanFailed, match="More than one row"):
        plan(
            frame.assign(year=[*range(1960, 1999), 1998]),
            "y",
            task="time_series",
            model_id="naive",
        )


def test_months_of_one_place_keep_its_clock_over_summer_and_winter(plan, recorder):
    months = pd.date_range("2020-01-01", periods=40, freq="MS", tz="Europe/Berlin")
    frame = pd.DataFrame(
        {"month": [stamp.isoformat() for stamp in months], "y": np.arange(40.0) % 7}
    )
    plan(frame, "y", task="time_series", model_id="naive", setup={"horizon": 2})
    assert recorder.pipeline("naive").times([1, 2]) == ["2023-05-01", "2023-06-01"]


def test_boolean_that_a_person_has_set_holds_nothing_else(plan, recorder, frame):
    frame["v"] = [0, 1, 1, 0, 2] * 12
    plan(frame, "label", setup={"column_types": {"v": "boolean"}})
    step = recorder.pipeline("dt").named_steps["input"]
    with pytest.raises(ValueError, match="2 is no boolean"):
        step.transform(frame)
    assert recorder.change("unreadable")["values"] == {"v": 12}


@pytest.mark.parametrize("form", ["column_types", "ordinal_features"])
def test_levels_that_are_numbers_match_in_any_spelling(plan, recorder, frame, form):
    frame["v"] = [4.0, 4.5, 1e5] * 20
    levels = [4.0, 4.5, 1e5]
    setup = {form: {"v": "category" if form == "column_types" else levels}}
    plan(frame, "label", model_id="lr", setup=setup)
    row = {"a": 0.5, "b": 0.1, "town": "Bern"}
    spellings = [{"v": 4}, {"v": 4.0}, {"v": "4.0"}, {"v": "4"}]
    assert len({served(recorder, "lr", row | spelling) for spelling in spellings}) == 1
    step = recorder.pipeline("lr").named_steps["input"]
    texts = frame.assign(v=["4.0", "4.5", "1e5"] * 20)
    pd.testing.assert_frame_equal(step.transform(texts), step.transform(frame))


def test_far_dates_are_read(plan, recorder, frame):
    frame["until"] = ["9999-12-31", "2023-01-31", "1600-12-31"] * 20
    plan(frame, "label")
    recorder.pipeline("dt").predict(frame)


def test_compact_dates_with_missing_cells_are_dates(plan, recorder, frame):
    days = pd.date_range("2023-01-01", periods=60).strftime("%Y%m%d").astype(float)
    frame["order_date"] = days.where(np.arange(60) % 7 > 0)
    plan(frame, "label")
    assert "order_date" in recorder.change("dates_expanded")["dates"]


def test_true_and_false_with_missing_cells_are_booleans(plan, recorder, frame):
    frame["label"] = ["true", "false", "NaN"] * 20
    plan(frame, "label")
    assert recorder.schema["labels"] == [False, True]


@pytest.mark.parametrize("kind", ["date", "number", "duration"])
def test_type_that_fits_no_cell_is_refused_by_name(plan, frame, kind):
    with pytest.raises(PlanFailed) as error:
        plan(frame, "label", setup={"column_types": {"town": kind}})
    assert error.value.kind == "user"
    assert "“town” cannot be read as" in error.value.message


def test_column_without_values_is_left_out_whatever_is_asked_for(plan, recorder, frame):
    frame["nothing"] = None
    plan(frame, "label", setup={"keep_features": ["nothing"]})
    plan(frame, "label", setup={"column_types": {"nothing": "number"}})
    assert recorder.change("empty_columns_dropped")["columns"] == ["nothing"]


def test_offset_of_all_times_is_remembered_and_written_and_its_absence_is_told(
    plan, recorder, frame
):
    frame["sent"] = [f"2024-03-{1 + n % 28:02}T08:{n % 60:02}:00+02:00" for n in range(60)]
    plan(frame, "label")
    schema = recorder.schema
    assert schema["example"]["sent"].endswith("+02:00")
    validator = RowValidator(schema)
    rows, warnings = validator.check([schema["example"]], ignore_extra=False)
    assert warnings == []
    bare = {**schema["example"], "sent": schema["example"]["sent"].removesuffix("+02:00")}
    other, warnings = validator.check([bare, bare], ignore_extra=False)
    (warning,) = warnings
    assert "“sent”" in warning
    assert warning.endswith("+02:00")
    pipeline = recorder.pipeline("dt")
    for given in (rows, other[:1]):
        data = pipeline.named_steps["input"].transform(to_frame(schema, given))
        assert data.filter(like="sent_hour").iloc[0].tolist() in ([8.0], [])


def test_forecast_of_hours_is_in_the_offset_of_its_series(plan, recorder):
    times = pd.date_range("2024-01-01", periods=96, freq="h").strftime("%Y-%m-%dT%H:%M:%S-05:00")
    frame = pd.DataFrame({"time": times, "load": np.arange(96) % 24 + 10.0})
    plan(frame, "load", task="time_series", model_id="naive", setup={"index": "time"})
    assert recorder.pipeline("naive").times([1, 2]) == [
        "2024-01-05T00:00:00-05:00",
        "2024-01-05T01:00:00-05:00",
    ]
