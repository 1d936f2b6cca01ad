"""What is stored: usable anywhere, fitted on everything, equal to what is served."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from jupyter_pycaret_ops.kernel.engine.json_values import plain
from jupyter_pycaret_ops.kernel.engine.serving_frame import to_frame

_CHILD = """
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("jupyter_pycaret_ops", "pycaret"):
            raise ImportError(name + " is blocked")

sys.meta_path.insert(0, Block())
import json, pickle
import pandas as pd

pipeline = pickle.load(open(sys.argv[1], "rb"))
frame = pd.read_csv(sys.argv[2])
json.dump(
    {
        "predictions": pipeline.predict(frame).tolist(),
        "classes": pipeline.classes_.tolist(),
        "proba": pipeline.predict_proba(frame).sum(axis=1).round(6).tolist(),
    },
    sys.stdout,
)
"""


@pytest.fixture
def rich(frame):
    """All types of columns at once, with gaps."""
    rows = len(frame)
    frame["count"] = range(rows)
    frame["flag"] = [True, False, None] * (rows // 3)
    frame["day"] = pd.date_range("2024-01-30", periods=rows).strftime("%m/%d/%Y")
    frame["at"] = pd.date_range("2024-01-30 10:00", periods=rows, freq="h")
    frame["mixed"] = pd.Series([1, "x", 2.5] * (rows // 3), dtype=object)
    frame["power"] = ["7", "?", "8.5"] * (rows // 3)
    frame["took"] = pd.to_timedelta(range(rows), unit="s")
    frame.loc[5, ["a", "town", "day", "at", "mixed", "took"]] = None
    return frame


def rows_of(frame, schema):
    """The rows as a JSON client sends them."""
    result = []
    for _, row in frame.iterrows():
        values = []
        for column in schema["columns"]:
            value = row[column["name"]]
            if not isinstance(value, str) and pd.isna(value):
                value = None
            elif isinstance(value, pd.Timedelta):
                value = value.total_seconds()
            elif value == "?":
                value = None
            elif column["type"] == "string":
                value = str(value)
            elif column["type"] == "number":
                value = float(value)
            values.append(plain(value))
        result.append(values)
    json.dumps(result, allow_nan=False)
    return result


def test_pickled_pipeline_needs_neither_this_package_nor_pycaret(plan, recorder, frame, tmp_path):
    frame["day"] = pd.date_range("2024-01-30", periods=60).strftime("%m/%d/%Y")
    plan(frame, "label", model_id="lr")
    stored, data = tmp_path / "p.pkl", tmp_path / "rows.csv"
    stored.write_bytes(recorder.artifacts["pipeline-lr.pkl"])
    frame.drop(columns="label").to_csv(data, index=False)
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(stored), str(data)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["predictions"] == recorder.pipeline("lr").predict(frame).tolist()
    assert said["classes"] == ["no", "yes"]
    assert set(said["proba"]) == {1.0}


@pytest.mark.parametrize("model_id", ["lr", "rf", "knn"])
def test_served_rows_predict_as_rows_read_by_pandas(plan, recorder, rich, model_id):
    plan(rich, "label", model_id=model_id)
    schema, pipeline = recorder.schema, recorder.pipeline(model_id)
    served = to_frame(schema, rows_of(rich, schema))
    np.testing.assert_array_equal(pipeline.predict_proba(served), pipeline.predict_proba(rich))
    one_by_one = [pipeline.predict(served.iloc[[i]])[0] for i in range(10)]
    assert one_by_one == pipeline.predict(rich[:10]).tolist()


def test_row_of_missing_values_is_predicted(plan, recorder, rich):
    plan(rich, "label", model_id="lr")
    schema = recorder.schema
    empty = to_frame(schema, [[None] * len(schema["columns"])])
    assert recorder.pipeline("lr").predict(empty)[0] in ("no", "yes")


def test_unknown_category_is_predicted(plan, recorder, frame):
    plan(frame, "label", model_id="lr")
    served = to_frame(recorder.schema, [[0.1, 0.2, "Oslo"], [0.1, 0.2, "Bern"]])
    assert len(recorder.pipeline("lr").predict(served)) == 2


def test_no_rows_become_an_empty_frame(plan, recorder, frame):
    plan(frame, "label", model_id="lr")
    assert to_frame(recorder.schema, []).shape == (0, 3)


def test_input_schema_describes_columns(plan, recorder, rich):
    plan(rich, "label")
    schema = recorder.schema
    assert (schema["version"], schema["task"], schema["target"]) == (2, "classification", "label")
    assert schema["labels"] == ["no", "yes"]
    types = {c["name"]: c["type"] for c in schema["columns"]}
    assert types == {
        "a": "number",
        "b": "number",
        "town": "string",
        "count": "integer",
        "flag": "boolean",
        "day": "datetime",
        "at": "datetime",
        "mixed": "string",
        "power": "number",
        "took": "number",
    }
    by_name = {c["name"]: c for c in schema["columns"]}
    assert by_name["town"]["categories"] == ["Bern", "Lyon"]
    assert (by_name["count"]["min"], by_name["count"]["max"]) == (0, 59)
    assert type(by_name["count"]["max"]) is int
    assert by_name["at"]["min"] == "2024-01-30T10:00:00"
    assert [n for n, c in by_name.items() if not c["missing"]] == ["b", "count"]
    assert by_name["day"]["spelling"]["day_first"] is False


def test_example_is_a_row_without_missing_values(plan, recorder, rich):
    plan(rich, "label")
    schema = recorder.schema
    example = schema["example"]
    assert list(example) == [c["name"] for c in schema["columns"]]
    assert None not in example.values()
    assert example["day"] == "01/30/2024"
    assert type(example["count"]) is int
    assert type(example["flag"]) is bool
    served = to_frame(schema, [list(example.values())])
    assert recorder.pipeline("dt").predict(served)[0] == rich["label"][0]


def test_too_many_categories_are_not_listed(plan, recorder, frame):
    frame = pd.concat([frame] * 5, ignore_index=True)
    frame["shop"] = [f"i{i % 250}" for i in range(300)]
    plan(frame, "label")
    (column,) = [c for c in recorder.schema["columns"] if c["name"] == "shop"]
    assert column["categories"] is None


def test_final_pipeline_knows_categories_of_the_holdout(plan, recorder, frame):
    # one row of most towns: in the training part or in the hold-out, the final encoder knows it
    towns = [f"t{max(i, 1)}" for i in range(60)]
    frame["town"] = towns
    plan(frame, "label")
    prepare = recorder.pipeline("dt")[-1].estimator_.named_steps["prepare"]
    assert len(prepare.named_transformers_["levels"].categories_[0]) == 59
    plan(frame, "label", setup={"preparation": "pycaret"})
    preprocess = recorder.pipeline("dt").named_steps["preprocess"]
    encoder = preprocess.named_transformers_["categorical_pipeline"][-1]
    assert len(encoder.categories_[0]) == 59


def test_extra_columns_and_order_do_not_change_predictions(plan, recorder, frame):
    plan(frame, "label", model_id="lr")
    pipeline = recorder.pipeline("lr")
    expected = pipeline.predict_proba(frame)
    turned = frame.assign(more=1)[["more", "town", "label", "b", "a"]]
    np.testing.assert_array_equal(pipeline.predict_proba(turned), expected)


def test_invalid_value_is_reported_with_its_column(plan, recorder, frame):
    plan(frame, "label")
    pipeline = recorder.pipeline("dt")
    with pytest.raises(ValueError, match="columns are missing: 'b'"):
        pipeline.predict(frame.drop(columns="b"))
    with pytest.raises(ValueError, match=r"column 'a': .*'much'"):
        pipeline.predict(frame.assign(a="much"))
    with pytest.raises(TypeError, match="DataFrame"):
        pipeline.predict([[1, 2, "Bern"]])


@pytest.mark.usefixtures("drawn")
def test_two_pipelines_of_one_run_are_independent(plan, recorder, frame):
    plan(frame, "label", plan="compare", include=["lr", "nb", "dt"], n_select=3)
    for model_id in ("lr", "nb", "dt"):
        assert recorder.pipeline(model_id).predict(frame).shape == (60,)
