"""Each trap of ENGINE.md §6 in the features, by name."""

from __future__ import annotations

import datetime
import decimal

import numpy as np
import pandas as pd
import pytest

from jupyter_pycaret_ops.kernel.engine import PlanFailed
from jupyter_pycaret_ops.kernel.engine.portable import InputFrame, text_of, unique_names


def failure(run, /, *args, **kwargs):
    with pytest.raises(PlanFailed) as raised:
        run(*args, **kwargs)
    return raised.value


def test_integer_column_names_become_texts_in_any_order(plan, recorder, frame):
    frame = frame.rename(columns={"a": 1, "b": 0, "town": 10})
    plan(frame, "label")
    pipeline = recorder.pipeline("dt")
    assert recorder.change("columns_renamed")["columns"] == ["1", "0", "10"]
    straight = pipeline.predict(frame)
    turned = pipeline.predict(frame[["label", 10, 0, 1]])
    assert (straight == turned).all()


def test_integer_target_name_is_found_by_its_text(plan, frame):
    result = plan(frame.rename(columns={"label": 7}), "7")
    assert result.snapshot["target"] == "7"


def test_duplicate_column_names_become_unique(plan, recorder, frame):
    frame = frame.set_axis(["x", "x", "x_2", "label"], axis=1)
    plan(frame, "label")
    assert [c["name"] for c in recorder.schema["columns"]] == ["x", "x_3", "x_2"]


def test_unique_names_are_unique_for_any_input():
    assert unique_names([1, "1", ("a", 2), None]) == ["1", "1_2", "a_2", "None"]
    assert unique_names(["a", "a", "a_2"]) == ["a", "a_3", "a_2"]


@pytest.mark.parametrize("values", [np.nan, None, pd.NA, np.inf], ids=str)
def test_column_without_values_is_dropped(plan, recorder, frame, values):
    frame["nothing"] = values
    plan(frame, "label")
    assert recorder.change("empty_columns_dropped")["columns"] == ["nothing"]
    assert "nothing" not in [c["name"] for c in recorder.schema["columns"]]
    recorder.pipeline("dt").predict(frame.drop(columns=["nothing"]))


def test_rows_without_target_are_dropped(plan, recorder, frame):
    frame.loc[[3, 5], "label"] = None
    result = plan(frame, "label")
    assert recorder.change("rows_without_target_dropped")["rows"] == 2
    assert result.snapshot["data_rows"] == 60
    assert [c["change"] for c in result.snapshot["data_changes"]] == ["rows_without_target_dropped"]


def test_infinite_features_become_missing(plan, recorder, frame):
    frame.loc[3, "a"] = np.inf
    frame.loc[4, "a"] = -np.inf
    plan(frame, "label", model_id="lr")
    assert recorder.change("infinite_to_missing")["values"] == {"a": 2}
    assert np.isfinite(recorder.pipeline("lr").predict_proba(frame)).all()


@pytest.mark.parametrize(
    "dtype", ["string", "string[pyarrow]", "category", "str", "object"], ids=str
)
def test_text_column_of_any_dtype_may_have_missing_values(plan, recorder, frame, dtype):
    frame.loc[3, "town"] = None
    try:
        frame["town"] = frame["town"].astype(dtype)
    except ImportError:
        pytest.skip("pyarrow is not installed")
    plan(frame, "label")
    (town,) = [c for c in recorder.schema["columns"] if c["name"] == "town"]
    assert (town["type"], town["categories"], town["missing"]) == ("string", ["Bern", "Lyon"], True)


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "boolean"])
def test_nullable_dtypes_are_read(plan, recorder, frame, dtype):
    values = [i % 2 for i in range(60)]
    frame["n"] = pd.array(values, dtype="Int64").astype(dtype)
    frame.loc[3, "n"] = pd.NA
    plan(frame, "label", model_id="lr")
    (n,) = [c for c in recorder.schema["columns"] if c["name"] == "n"]
    assert n["type"] == {"Int64": "integer", "Float64": "number", "boolean": "boolean"}[dtype]
    assert n["missing"]


def test_booleans_with_missing_values_are_booleans(plan, recorder, frame):
    frame["flag"] = [True, False, None] * 20
    plan(frame, "label", model_id="lr")
    (flag,) = [c for c in recorder.schema["columns"] if c["name"] == "flag"]
    assert flag["type"] == "boolean"


def test_only_boolean_features_are_enough(plan, frame):
    only = pd.DataFrame({"flag": frame["a"] > 0.5, "label": frame["label"]})
    assert plan(only, "label").leaderboard[0]["Accuracy"] > 0.7


def test_mixed_numbers_and_texts_become_text(plan, recorder, frame):
    frame["mixed"] = pd.Series([1, "x", 2.0] * 20, dtype=object)
    plan(frame, "label")
    assert recorder.change("mixed_to_text")["columns"] == ["mixed"]
    (mixed,) = [c for c in recorder.schema["columns"] if c["name"] == "mixed"]
    assert mixed["categories"] == ["1", "2", "x"]


def test_same_value_is_same_category_in_any_dtype():
    assert {text_of(v) for v in (1, 1.0, "1", np.int8(1), np.float32(1))} == {"1"}
    assert text_of(True) == "True"
    assert text_of(b"x") == "x"


@pytest.mark.parametrize("value", [[1, 2], {"k": 1}, (1,), {2, 1}, np.array([1])], ids=str)
def test_lists_and_objects_become_text(plan, recorder, frame, value):
    frame["nested"] = pd.Series([value] * 30 + ["other"] * 20 + [None] * 10, dtype=object)
    plan(frame, "label")
    assert recorder.change("nested_to_text")["columns"] == ["nested"]


def test_numbers_with_blank_texts_become_numbers(plan, recorder, frame):
    frame["power"] = [str(i) for i in range(58)] + ["?", "n/a"]
    plan(frame, "label", model_id="lr")
    assert recorder.change("missing_words")["values"] == {"power": 2}
    assert recorder.change("texts_to_numbers")["columns"] == ["power"]
    (power,) = [c for c in recorder.schema["columns"] if c["name"] == "power"]
    assert (power["type"], power["missing"], power["max"]) == ("number", True, 57.0)
    recorder.pipeline("lr").predict(frame)


def test_codes_with_leading_zeros_stay_text(plan, recorder, frame):
    frame["code"] = ["007", "008"] * 30
    plan(frame, "label")
    (code,) = [c for c in recorder.schema["columns"] if c["name"] == "code"]
    assert (code["type"], code["categories"]) == ("string", ["007", "008"])


def test_decimals_and_durations_become_numbers(plan, recorder, frame):
    frame["price"] = [decimal.Decimal(i) / 4 for i in range(60)]
    frame["took"] = pd.to_timedelta(range(60), unit="min")
    plan(frame, "label")
    types = {c["name"]: (c["type"], c["max"]) for c in recorder.schema["columns"]}
    assert types["price"] == ("number", 14.75)
    assert types["took"] == ("number", 3540.0)


def test_complex_numbers_are_refused(plan, frame):
    frame["z"] = frame["a"] * 1j
    error = failure(plan, frame, "label")
    assert error.kind == "user"
    assert "“z”" in error.message


@pytest.mark.parametrize(
    ("values", "day_first"),
    [
        (pd.date_range("2024-01-30", periods=60), False),
        (pd.date_range("2024-01-30", periods=60, tz="Europe/Zurich"), False),
        (pd.period_range("2024-01", periods=60, freq="M"), False),
        ([datetime.date(2024, 1, 1) + datetime.timedelta(days=i) for i in range(60)], False),
        (pd.date_range("2024-01-30", periods=60).strftime("%Y-%m-%d"), False),
        (pd.date_range("2024-01-30", periods=60).strftime("%m/%d/%Y"), False),
        (pd.date_range("2024-01-30", periods=60).strftime("%d.%m.%Y %H:%M"), True),
        (pd.date_range("2024-01-30", periods=60).strftime("%d/%m/%Y"), True),
    ],
)
def test_dates_become_numbers(plan, recorder, frame, values, day_first):
    frame["day"] = values
    plan(frame, "label")
    reading = recorder.change("dates_expanded")["dates"]["day"]
    assert reading["day_first"] is day_first
    assert {"month", "days"} <= set(reading["parts"])
    (day,) = [c for c in recorder.schema["columns"] if c["name"] == "day"]
    assert day["type"] == "datetime"
    recorder.pipeline("dt").predict(frame)


def test_future_date_is_not_an_unknown_category(frame):
    step = InputFrame(
        [
            {
                "name": "d",
                "safe": "d",
                "kind": "date",
                "parts": ["year", "days"],
                "spelling": {"day_first": False},
            }
        ]
    )
    rows = pd.DataFrame({"d": ["02/01/2031", "2031-02-01", None]})
    result = step.transform(rows)
    assert result["d_year"].tolist()[:2] == [2031, 2031]
    assert result["d_days"][0] == result["d_days"][1]
    assert result["d_year"].isna()[2]
    with pytest.raises(ValueError, match="column 'd': 'soon' is no date"):
        step.transform(pd.DataFrame({"d": ["soon"]}))


@pytest.mark.parametrize("texts", [["1.2.3", "10.0.0"], ["12-34", "10-11"]])
def test_text_similar_to_date_stays_text(plan, recorder, frame, texts):
    frame["v"] = texts * 30
    plan(frame, "label")
    (v,) = [c for c in recorder.schema["columns"] if c["name"] == "v"]
    assert v["type"] == "string"


@pytest.mark.usefixtures("drawn")
def test_special_characters_in_column_names_are_replaced(plan, recorder, frame):
    frame = frame.rename(columns={"a": "a [m] <1>", "b": 'b{"x":,}', "town": "the town"})
    plan(frame, "label")
    assert recorder.change("names_made_safe")["columns"] == ["a [m] <1>", 'b{"x":,}']
    assert [c["name"] for c in recorder.schema["columns"]] == ["a [m] <1>", 'b{"x":,}', "the town"]
    safe = [c["safe"] for c in recorder.pipeline("dt").named_steps["input"].columns]
    assert not set('[]<>{}":, ') & set("".join(safe))


def test_safe_column_names_do_not_collide(plan, frame, recorder):
    frame = frame.rename(columns={"a": "x y", "b": "x_y", "town": "x[y"})
    plan(frame, "label")
    assert len({c["safe"] for c in recorder.pipeline("dt").named_steps["input"].columns}) == 3


@pytest.mark.usefixtures("drawn")
def test_feature_may_be_named_like_a_prediction(plan, frame):
    plan(frame.rename(columns={"a": "prediction_label", "b": "prediction_score"}), "label")


def test_identifiers_are_left_out_and_reported(plan, recorder, frame):
    frame["customer"] = [f"c{i:03}" for i in range(60)]
    frame["row id"] = range(100, 160)
    plan(frame, "label")
    assert recorder.change("identifiers_dropped")["columns"] == ["customer", "row id"]
    assert [c["name"] for c in recorder.schema["columns"]] == ["a", "b", "town"]
    assert recorder.schema["ignored"] == ["label", "customer", "row id"]


def test_identifiers_are_kept_when_they_are_named(plan, recorder, frame):
    frame["customer"] = [f"c{i:03}" for i in range(60)]
    frame["row id"] = range(100, 160)
    plan(
        frame,
        "label",
        setup={"keep_features": ["customer"], "column_types": {"row id": "number"}},
    )
    types = {c["name"]: c["type"] for c in recorder.schema["columns"]}
    assert (types["customer"], types["row id"]) == ("string", "integer")


def test_constant_column_is_left_out_and_reported(plan, recorder, frame):
    frame["country"] = "CH"
    frame["year"] = 2024
    plan(frame, "label")
    assert recorder.change("constant_columns_dropped")["columns"] == ["country", "year"]


def test_column_named_in_two_lists_is_refused(plan, frame):
    setup = {"numeric_features": ["a"], "column_types": {"a": "category"}}
    assert (
        "“a” is named in column_types and in numeric_features"
        in failure(plan, frame, "label", setup=setup).message
    )
    error = failure(plan, frame, "label", setup={"date_features": {"day": "%d"}})
    assert "date_features names “day”" in error.message


@pytest.mark.parametrize(
    ("texts", "served"),
    [
        (["1.200,50", "62,50", "3,75"], ["62,50", 62.5]),
        (["$1,200.00", "$62.50", "$3.75"], ["$62.50", 62.5]),
        (["15%", "62.5%", "3 %"], ["62.5%", 62.5]),
        (["<0.5", "62.5", ">100"], ["62.5", 62.5]),
        (["(1,200)", "62.5", "+3"], ["62.5", 62.5]),
    ],
)
def test_numbers_are_read_in_any_spelling_and_served_in_it(plan, recorder, frame, texts, served):
    frame["n"] = texts * 20
    plan(frame, "label", model_id="lr")
    (n,) = [c for c in recorder.schema["columns"] if c["name"] == "n"]
    assert n["type"] == "number"
    pipeline = recorder.pipeline("lr")
    rows = pd.concat([frame[:1]] * 2).assign(n=pd.Series(served, dtype=object).to_numpy())
    first, second = pipeline.predict_proba(rows)
    assert np.allclose(first, second, rtol=0, atol=0)
    with pytest.raises(ValueError, match="no number"):
        pipeline.predict(frame[:1].assign(n="many"))


def test_few_unreadable_cells_are_missing_and_reported(plan, recorder, frame):
    frame["n"] = [str(i) for i in range(58)] + ["many", "7"]
    plan(frame, "label")
    assert recorder.change("unreadable")["values"] == {"n": 1}
    (event,) = [e for e in recorder.events if e["payload"].get("change") == "unreadable"]
    assert "“many” (row 59)" in event["message"]
    (n,) = [c for c in recorder.schema["columns"] if c["name"] == "n"]
    assert (n["type"], n["missing"]) == ("number", True)


def test_yes_and_no_are_booleans(plan, recorder, frame):
    frame["smoker"] = ["Yes", "No", ""] * 20
    plan(frame, "label")
    (smoker,) = [c for c in recorder.schema["columns"] if c["name"] == "smoker"]
    assert smoker["type"] == "boolean"
    pipeline = recorder.pipeline("dt")
    rows = pd.concat([frame[:1]] * 2).assign(smoker=np.array(["Yes", True], dtype=object))
    assert len(set(pipeline.predict(rows))) == 1


def test_ordered_levels_are_codes_in_their_order(plan, recorder, frame):
    frame["size"] = ["S", "M", "L"] * 20
    plan(frame, "label", setup={"ordinal_features": {"size": ["S", "M", "L"]}})
    step = recorder.pipeline("dt").named_steps["input"]
    assert step.transform(frame)["size"].tolist()[:3] == [0.0, 1.0, 2.0]


def test_own_words_for_missing_values(plan, recorder, frame):
    frame["town"] = ["Bern", "Lyon", "unknown"] * 20
    frame["n"] = ["1", "2", "-9"] * 20
    plan(frame, "label", setup={"missing_values": {"town": ["unknown"], "n": ["-9"]}})
    columns = {c["name"]: c for c in recorder.schema["columns"]}
    assert columns["town"]["categories"] == ["Bern", "Lyon"]
    assert (columns["n"]["min"], columns["n"]["missing"]) == (1.0, True)


def test_ignore_features_leaves_columns_out(plan, recorder, frame):
    plan(frame, "label", setup={"ignore_features": ["town"]})
    assert [c["name"] for c in recorder.schema["columns"]] == ["a", "b"]
    error = failure(plan, frame, "label", setup={"ignore_features": ["Town"]})
    assert "“Town”" in error.message


def test_any_index_is_accepted(plan, frame):
    frame.index = pd.Index([0, "x", 2.5] * 20, dtype=object)
    plan(frame, "label")


def test_sparse_columns_are_read(plan, frame):
    frame["s"] = pd.arrays.SparseArray([0.0, 1.0, 0.0] * 20)
    plan(frame, "label")


@pytest.mark.usefixtures("drawn")
def test_dataframe_of_caller_is_not_changed(plan, frame):
    frame["day"] = pd.date_range("2024-01-01", periods=60).astype(str)
    frame.loc[3, "a"] = np.inf
    before = frame.copy(deep=True)
    plan(frame, "label")
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pd.DataFrame(), "empty"),
        (pd.DataFrame({"a": [], "label": []}), "empty"),
        (pd.DataFrame({"label": ["x", "y"] * 10}), "No column is left"),
        (pd.DataFrame({"a": [1.0, 2, 3, 4], "label": list("xyxy")}), "4 rows"),
        ([1, 2], "not a table"),
    ],
)
def test_too_little_data_is_refused(plan, data, message):
    error = failure(plan, data, "label")
    assert error.kind == "user"
    assert message in error.message


def test_unknown_target_lists_the_columns(plan, frame):
    error = failure(plan, frame, "nowhere")
    assert error.kind == "user"
    assert error.message == (
        "The target “nowhere” is not a column of the data; it has: “a”, “b”, “town”, “label”."
    )
    assert failure(plan, frame, None).kind == "user"


@pytest.mark.parametrize("kind", ["number", "duration"])
def test_type_that_a_column_cannot_have_is_refused_by_name(plan, frame, kind):
    frame["day"] = pd.date_range("2024-01-01", periods=60)
    error = failure(plan, frame, "label", setup={"column_types": {"day": kind}})
    assert error.kind == "user"
    assert f"“day” cannot be read as {kind}" in error.message
