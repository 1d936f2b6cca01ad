"""Targets: labels keep their value and type, and what cannot be learnt is said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from jupyter_pycaret_ops.kernel.engine import PlanFailed
from jupyter_pycaret_ops.kernel.engine.serving_frame import to_frame


def failure(run, /, *args, **kwargs):
    with pytest.raises(PlanFailed) as raised:
        run(*args, **kwargs)
    return raised.value


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([False, True], [False, True]),
        ([2, 5], [2, 5]),
        (["2", "5"], ["2", "5"]),
        ([2.0, 5.0], [2, 5]),
        (pd.array([2, 5], dtype="Int64"), [2, 5]),
        (pd.array([False, True], dtype="boolean"), [False, True]),
        (pd.Categorical(["lo", "hi"]), ["hi", "lo"]),
        ([0.5, 1.5], [0.5, 1.5]),
        (["nein", "ja"], ["ja", "nein"]),
    ],
    ids=str,
)
@pytest.mark.parametrize("model_id", ["dt", "ridge", "lr"])
def test_predicted_labels_have_original_values_and_types(
    plan, recorder, frame, values, labels, model_id
):
    frame["label"] = pd.Series(values).iloc[[i % 2 for i in range(60)]].array
    plan(frame, "label", model_id=model_id)
    schema, pipeline = recorder.schema, recorder.pipeline(model_id)
    assert schema["labels"] == labels
    assert [type(v) for v in schema["labels"]] == [type(v) for v in labels]
    assert pipeline.classes_.tolist() == labels
    predicted = pipeline.predict(frame).tolist()
    assert set(predicted) == set(labels)
    assert {type(v) for v in predicted} == {type(labels[0])}
    assert schema["proba"] == hasattr(pipeline, "predict_proba") == (model_id != "ridge")
    if schema["proba"]:
        winner = pipeline.classes_[pipeline.predict_proba(frame).argmax(axis=1)]
        assert (winner == pipeline.predict(frame)).all()


def test_integer_target_with_missing_values_stays_integer(plan, recorder, frame):
    # read by pandas as 2.0, NaN, 5.0
    frame["label"] = [2, 5, None] * 20
    plan(frame, "label")
    assert recorder.schema["labels"] == [2, 5]


def test_mixed_labels_are_read_as_text(plan, recorder, frame):
    frame["label"] = pd.Series([1, "a"] * 30, dtype=object)
    plan(frame, "label")
    assert recorder.change("target_to_text")["columns"] == ["label"]
    assert recorder.schema["labels"] == ["a", "1"]


def test_scores_do_not_depend_on_label_names(plan, frame):
    named = plan(frame, "label", model_id="lr").leaderboard
    frame["label"] = frame["label"] == "yes"
    coded = plan(frame, "label", model_id="lr").leaderboard
    for record in (*named, *coded):
        record.pop("seconds")
    assert named == coded


def test_class_with_one_row_is_refused_by_name(plan, frame):
    frame["Type"] = ["1", "2", "3"] * 19 + ["1", "2", "6"]
    error = failure(plan, frame.drop(columns="label"), "Type")
    assert error.kind == "user"
    assert error.message == (
        "Class “6” of Type has 1 row; give it 2, or leave it out with drop_rare_classes: true."
    )
    frame.loc[0, "Type"] = "7"
    message = failure(plan, frame.drop(columns="label"), "Type").message
    assert message.startswith("Classes “6”, “7” of Type have 1 row each")


def test_class_with_two_rows_is_accepted_without_zero_auc(plan, recorder, frame):
    frame.loc[[4, 8], "label"] = "rare"
    record = plan(frame, "label", model_id="lr", setup={"fold": 5}).leaderboard[0]
    told = recorder.change("rare_classes")
    assert (told["classes"], told["folds"]) == ({"rare": 1}, 5)
    assert len(record["folds"]) == 5
    assert record["AUC"] > 0.1
    assert recorder.schema["labels"] == ["no", "rare", "yes"]


def test_single_class_is_refused(plan, frame):
    frame["label"] = "yes"
    error = failure(plan, frame, "label")
    assert error.kind == "user"
    assert "single class “yes”" in error.message


def test_continuous_target_is_refused_in_classification(plan, frame):
    error = failure(plan, frame, "a")
    assert error.kind == "user"
    assert "regression" in error.message


def test_more_classes_than_holdout_rows_are_refused(plan):
    frame = pd.DataFrame({"a": range(100), "label": [f"c{i // 2}" for i in range(100)]})
    error = failure(plan, frame, "label")
    assert error.kind == "user"
    assert "50 classes" in error.message


def test_rare_class_does_not_reduce_the_folds(plan, recorder, frame):
    frame["label"] = ["yes"] * 8 + ["no"] * 52
    plan(frame, "label", setup={"fold": 10})
    assert recorder.payloads("data.split")[0]["folds"] == 10
    assert recorder.change("rare_classes")["classes"] == {"yes": 6}


def test_classes_of_one_row_are_left_out_where_that_is_wanted(plan, recorder, frame):
    frame.loc[[4, 8], "label"] = ["odd", "other"]
    plan(frame, "label", setup={"drop_rare_classes": True})
    told = recorder.change("rare_classes_dropped")
    assert (told["classes"], told["rows"]) == (["odd", "other"], 2)
    assert recorder.schema["labels"] == ["no", "yes"]


def test_twelve_rows_reduce_the_default_folds(plan, recorder, frame):
    result = plan(frame[:12], "label", setup={"fold": 10})
    assert len(result.leaderboard[0]["folds"]) == recorder.change("folds_reduced")["folds"]


def test_twelve_rows_are_enough_for_regression(plan, frame):
    result = plan(frame[:12], "b", task="regression", setup={"fold": 10})
    assert len(result.leaderboard[0]["folds"]) == 4
    assert None not in result.leaderboard[0]["folds"]


def test_text_target_is_refused_in_regression(plan, frame):
    error = failure(plan, frame, "town", task="regression")
    assert error.kind == "user"
    assert "“town” has text such as" in error.message
    assert "classification" in error.message


def test_numbers_written_as_text_are_accepted_as_regression_target(plan, recorder, frame):
    frame["b"] = frame["b"].round(3).astype(str)
    plan(frame, "b", task="regression")
    assert recorder.change("target_to_numbers")["columns"] == ["b"]
    assert recorder.pipeline("dt").predict(frame).dtype == np.float64


def test_texts_in_regression_target_are_counted_in_error(plan, frame):
    frame["b"] = frame["b"].astype(str)
    frame.loc[[1, 2, 3, 4], "b"] = "?!"
    message = failure(plan, frame, "b", task="regression").message
    assert "“?!” in 4 of 60 rows" in message


def test_infinite_and_missing_regression_targets_are_dropped(plan, recorder, frame):
    frame.loc[0, "b"] = np.inf
    frame.loc[1, "b"] = np.nan
    plan(frame, "b", task="regression")
    assert recorder.change("rows_without_target_dropped")["rows"] == 2


@pytest.mark.parametrize("value", [5.0, 5])
def test_constant_regression_target_is_refused(plan, frame, value):
    frame["b"] = value
    assert "nothing to learn" in failure(plan, frame, "b", task="regression").message


def test_date_is_refused_as_regression_target(plan, frame):
    frame["b"] = pd.date_range("2024-01-01", periods=60)
    assert failure(plan, frame, "b", task="regression").kind == "user"


def test_target_without_values_is_refused(plan, frame):
    frame["label"] = None
    assert "no value in any row" in failure(plan, frame, "label").message


def test_class_removed_by_outlier_filter_has_zero_probability(plan, recorder, frame):
    frame.loc[[4, 8], "label"] = "rare"
    frame.loc[[4, 8], ["a", "b"]] = 1000.0
    plan(frame, "label", model_id="nb", setup={"remove_outliers": True})
    assert recorder.pipeline("nb").predict_proba(frame).shape == (60, 3)


def test_served_rows_predict_labels(plan, recorder, frame):
    plan(frame, "label")
    rows = [[row.a, row.b, row.town] for row in frame.itertuples()]
    assert (
        recorder.pipeline("dt").predict(to_frame(recorder.schema, rows))
        == recorder.pipeline("dt").predict(frame)
    ).all()


def test_levels_that_differ_by_case_are_reported_and_merged_on_request(plan, recorder, frame):
    frame["label"] = ["yes", "Yes", " yes", "no", "no", "NO"] * 10
    plan(frame, "label")
    assert recorder.schema["labels"] == [" yes", "NO", "Yes", "no", "yes"]
    assert recorder.change("levels_differ_by_case")["columns"] == ["label"]
    plan(frame, "label", setup={"merge_levels": True})
    assert recorder.schema["labels"] == ["no", "yes"]
    (change,) = [p for p in recorder.payloads("data.changed") if p["change"] == "levels_merged"]
    assert change["merged"] == {"Yes": "yes", " yes": "yes", "NO": "no"}


def test_none_is_a_class_and_nan_is_missing(plan, recorder, frame):
    frame["label"] = ["None", "Apnea", "nan"] * 20
    result = plan(frame, "label")
    assert recorder.schema["labels"] == ["Apnea", "None"]
    assert result.snapshot["reading"]["label"] == {
        "type": "category",
        "values": 40,
        "missing": 20,
        "unreadable": 0,
        "used": 40,
    }


def test_number_target_is_read_in_its_spelling(plan, recorder, frame):
    frame["price"] = [f"€ {1000 + 37 * n:,}" for n in range(60)]
    plan(frame, "price", task="regression", model_id="lr")
    prediction = recorder.pipeline("lr").predict(frame)
    assert 900 < prediction.mean() < 4000
