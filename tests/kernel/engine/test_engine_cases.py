"""Small files of real kinds, read, trained on and served as their owners mean them (`shared/cases`)."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from jupyter_pycaret_ops.common.protocol import DataSpec, RunSpec
from jupyter_pycaret_ops.common.tables.csv_scan import CsvScan
from jupyter_pycaret_ops.kernel import engine, reading
from jupyter_pycaret_ops.kernel.engine.serving_frame import to_frame
from jupyter_pycaret_ops.kernel.reading.columns import file_settings
from jupyter_pycaret_ops.kernel.reading.profiling import profile
from jupyter_pycaret_ops.server.serving.row_validation import RowValidator

CASES = Path(__file__).parents[4] / "shared" / "cases"
ABSENT = [{"file": "none.csv", "run": {}, "refused": {}}]
EXPECTED = json.loads((CASES / "expected.json").read_text()) if CASES.is_dir() else ABSENT

pytestmark = pytest.mark.skipif(
    not CASES.is_dir(), reason="the shared folder with the cases is not beside this checkout"
)


def named(case):
    return case["file"].split(".")[0]


def load(case):
    """Return the table of a case and how its run is told of it, as an upload gives them."""
    content = (CASES / case["file"]).read_bytes()
    scan = CsvScan()
    scan.feed(content)
    config = scan.facts().config()
    names = [column["name"] for column in config["columns"]]
    spec = DataSpec("csv_upload", {**config, "columns": names})
    return reading.delimited_frame(content, config["dialect"], names), spec, config


@pytest.mark.parametrize("case", EXPECTED, ids=named)
def test_columns(case):
    frame, spec, config = load(case)
    found = profile(frame, file_settings(spec), config["dialect"])
    assert found["rows"] == config["rows"] == case.get("rows", config["rows"])
    for key, value in case.get("dialect", {}).items():
        assert config["dialect"][key] == value
    columns = {column["name"]: column for column in found["columns"]}
    for name, column in columns.items():
        cells = column["values"] + column["missing"] + column["unreadable"]["count"]
        assert cells == found["rows"], name
    for name, wanted in case.get("columns", {}).items():
        column = columns[name]
        assert column["type"] == wanted["type"], name
        for key in {"missing", "min", "max"} & set(wanted):
            assert column[key] == pytest.approx(wanted[key]), (name, key)
        assert column["unreadable"]["count"] == wanted.get(
            "unreadable", column["unreadable"]["count"]
        )
        if "levels" in wanted:
            assert sorted(str(item["value"]) for item in column["top"]) == wanted["levels"]
    said = json.dumps([found["reported"], found["notices"]], ensure_ascii=False)
    assert all(name in said for name in case.get("reported", []))
    for key, value in case.get("suggest", {}).items():
        assert found["suggestion"][key] == value


def run(case, spec, frame, told, recorder):
    return engine.run_plan(
        RunSpec(
            run_id="r",
            attempt=1,
            task=told["task"],
            plan="create",
            data=spec,
            target=told["target"],
            model_id=told["model"],
            setup_params={"session_id": 42, **told.get("setup", {})},
            plan_params={},
        ),
        frame,
        recorder,
    )


RUNS = [case for case in EXPECTED if "run" in case]


@pytest.mark.parametrize("case", RUNS, ids=named)
def test_run_and_served_rows(case, recorder):
    frame, spec, _ = load(case)
    told = case["run"]
    result = run(case, spec, frame.copy(), told, recorder)
    best = result.leaderboard[0]
    if "metric" in told:
        value = best[told["metric"]]
        assert told.get("min", value) <= value <= told.get("max", value)
        if "near" in told:
            assert value == pytest.approx(told["near"], abs=told["within"])
    if "values_used" in told:
        assert result.snapshot["reading"][told["target"]]["used"] == told["values_used"]
    schema, pipeline = recorder.schema, recorder.pipeline(told["model"])
    forecast = case.get("forecast")
    if forecast:
        steps = range(1, forecast["horizon"] + 1)
        for time, wanted in zip(pipeline.times(steps), forecast.get("times", []), strict=False):
            assert time.startswith(wanted)
        predicted = pipeline.predict(pd.DataFrame(index=steps))
        assert predicted[: len(forecast.get("values", []))] == pytest.approx(
            forecast.get("values", [])
        )
    if told["task"] == "time_series":
        return
    validator = RowValidator(schema)

    def predict(row):
        rows, _ = validator.check([row], ignore_extra=False)
        return pipeline.predict(to_frame(schema, rows))[0]

    predict(schema["example"])
    for item in case.get("predict", []):
        got = predict(item["row"])
        if "is" in item:
            assert got == item["is"]
        if "near" in item:
            assert got == pytest.approx(item["near"], abs=item["within"])
        if "same_as" in item:
            assert got == predict(item["same_as"])
    # each row of the file, in its own spelling and with the columns that are not used
    texts = frame.astype(object).where(frame.notna(), None)
    served = [predict(_plain(row)) for row in texts.head(20).to_dict("records")]
    expected = pipeline.predict(frame.head(20))
    if expected.dtype.kind == "f":  # a row alone is summed in another order than in a batch
        assert served == pytest.approx(list(expected), rel=1e-9)
    else:
        assert served == list(expected)


def _plain(row):
    return {name: value.item() if hasattr(value, "item") else value for name, value in row.items()}


@pytest.mark.parametrize("case", [c for c in EXPECTED if "refused" in c], ids=named)
def test_refusal_names_the_cell(case, recorder):
    frame, spec, _ = load(case)
    with pytest.raises(engine.PlanFailed) as error:
        run(case, spec, frame, case["refused"], recorder)
    assert error.value.kind == "user"
    assert all(word.lower() in error.value.message.lower() for word in case["refused"]["mentions"])
