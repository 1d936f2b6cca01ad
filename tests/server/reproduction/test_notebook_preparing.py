"""The notebook changes a table as the engine does, column by column and value by value."""

from __future__ import annotations

import decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_pycaret_ops.kernel.engine.event_reporter import EventReporter
from jupyter_pycaret_ops.kernel.engine.limits import Limits
from jupyter_pycaret_ops.kernel.engine.tasks.classification import Classification
from jupyter_pycaret_ops.kernel.engine.tasks.regression import Regression
from jupyter_pycaret_ops.server.reproduction import preparing

from .test_notebook import facts

ROWS = 12
NAN = float("nan")


class Silent:
    """A reporter that drops everything."""

    def event(self, *_: Any) -> None:
        """Drop it."""

    def checkpoint(self) -> None:
        """Drop it."""

    def artifact(self, *_: Any) -> None:
        """Drop it."""


def cycle(*values: Any) -> list[Any]:
    return [values[n % len(values)] for n in range(ROWS)]


def column(*values: Any, dtype: Any = None) -> pd.Series:
    return pd.Series(cycle(*values), dtype=dtype)


COLUMNS: dict[str, pd.Series] = {
    "integers": column(1, 2, 3),
    "floats": column(1.5, NAN, 2.0),
    "infinite": column(1.5, float("inf"), -float("inf"), 2.0),
    "booleans": column(True, False),
    "booleans with gaps": column(True, None, False, dtype=object),
    "nullable integers": column(1, None, 3, dtype="Int64"),
    "nullable booleans": column(True, None, False, dtype="boolean"),
    "small integers": column(1, 2, dtype="uint8"),
    "decimals": column(decimal.Decimal("1.5"), decimal.Decimal(2), dtype=object),
    "texts": column("b", "a", None),
    "texts as objects": column("b", np.nan, "a", dtype=object),
    "numbers as texts": column("10", "9", "2"),
    "numbers with blanks": column("1.5", "?", " ", "7"),
    "categories": column("low", "high", None, dtype="category"),
    "categories of floats": column(1.0, 10.0, 2.5, dtype="category"),
    "mixed": column(1, "one", 2.0, None, True, dtype=object),
    "lists": column([1, 2], ["a"], None, dtype=object),
    "objects": column({"b": 1, "a": 2}, {"a": 2, "b": 1}, dtype=object),
    "dates as texts": column("2024-02-29", "2023-12-31", None),
    "times as texts": column("2024-02-29T03:04:05Z", "2023-12-31T23:59:59+02:00"),
    "American dates": column("02/29/2024", "12/01/2023"),
    "German dates": column("29.02.2024", "01.12.2023", None),
    "timestamps": column(pd.Timestamp("2024-02-29 03:04"), pd.NaT, pd.Timestamp(0)),
    "timestamps of Tokyo": column(pd.Timestamp("2024-02-29 03:04", tz="Asia/Tokyo"), pd.NaT),
    "dates as objects": column(pd.Timestamp("2024-02-29").date(), pd.Timestamp(0).date()),
    "months": pd.Series(pd.period_range("2024-01", periods=ROWS, freq="M")),
    "decimal commas": column("1.200,50", "62,5", "-3", None),
    "dollars": column("$1,200.00", "$-3", "($5)", ""),
    "percentages": column("15%", "3.5 %", "+2%"),
    "bounds": column("<0.5", "> 100", "7"),
    "yes and no": column("Yes", "No", None),
    "codes": column("007", "042", "107"),
    "long numbers": column("12345678901234567890", "2"),
    "words for missing texts": column("a ", " b", "nan", "None", "NULL"),
    "times with one offset": column("2024-07-06T19:30:00-05:00", "2024-07-05T19:30:00-05:00"),
    "times with AM and PM": column("7/8/2023 8:00:00 AM", "7/22/2023 12:30:00 PM"),
    "months in words": column("Jan 2018", "Feb 2018"),
    "two spellings": column("2023-01-31", "02/28/2023"),
    "days first, and ISO": column("31/01/2023", "2023-02-01", "05/06/2023"),
    "durations as texts": column("1:30:00", "0:00:10"),
    "durations": column(pd.Timedelta("1h"), pd.NaT, pd.Timedelta("2s")),
    "nothing": column(None, dtype=object),
    "nothing but NaN": column(NAN),
    "a name, [with] <signs> & spaces": column(1, 2),
}
#: what `read_csv` makes, for which the notebook is shorter
FROM_CSV = [
    (name, "csv_upload")
    for name in ("integers", "floats", "booleans", "booleans with gaps", "texts", "nothing but NaN")
] + [("numbers with blanks", "csv_upload"), ("German dates", "csv_upload")]
CLASSES: dict[str, pd.Series] = {
    "texts": column("b", "a", "C"),
    "with gaps": column("b", None, "a"),
    "booleans": column(True, False),
    "numbers": column(5, 2),
    "whole floats with gaps": column(5.0, 2.0, NAN),
    "floats": column(0.5, 2.0),
    "numbers as texts": column("10", "9"),
    "None as a class": column("None", "Apnea", "NA"),
    "words for missing texts": column("a", "b", "nan", "NULL"),
    "categories": column("b", "a", dtype="category"),
    "mixed": column("b", 1, 2.0, dtype=object),
    "nullable": column(1, 2, None, dtype="Int64"),
}
NUMBERS: dict[str, pd.Series] = {
    "floats": column(0.5, 2.0, NAN),
    "infinite": column(0.5, 2.0, float("inf")),
    "texts": column("0.5", "2", "7"),
    "texts with words for missing": column("0.5", "2", "n/a"),
    "decimal commas": column("1.200,5", "62,5", "7"),
    "nullable": column(1, 2, None, dtype="Int64"),
    "decimals": column(decimal.Decimal("1.5"), decimal.Decimal(2), dtype=object),
    "booleans": column(True, False),
}


def both(
    task: Any, frame: pd.DataFrame, target: str, ignore: list[str], kind: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the data that the engine fits on, and those that the notebook computes."""
    reporter = EventReporter(Silent(), Limits(None, None))
    settings = {param.name: param.default for param in task.setup_params()}
    settings["ignore_features"] = ignore
    table, read, *_ = task.read_data(frame, target, settings, reporter)
    engine = table.step.transform(table.raw)
    engine[read.name] = read.encoded
    run_facts = facts(
        {"kind": kind, "options": {}}, task=task.id, target=target, changes=reporter.data_changes
    )
    if len(read.labels or ()) == 2:
        run_facts.run.snapshot["positive_class"] = read.labels[1]
    names: dict[str, Any] = {"table": frame.copy(), "TARGET": target, "pd": pd}
    exec(preparing.code_of(run_facts), names)
    return engine, names["data"]


def same(engine: pd.DataFrame, ours: pd.DataFrame) -> None:
    assert engine.shape == ours.shape
    assert list(engine.index) == list(ours.index)
    assert [str(kind) for kind in engine.dtypes] == [str(kind) for kind in ours.dtypes]
    for position in range(engine.shape[1]):
        pd.testing.assert_series_equal(
            engine.iloc[:, position], ours.iloc[:, position], check_names=False, check_exact=True
        )


@pytest.mark.parametrize(("name", "kind"), [(name, "frame") for name in COLUMNS] + FROM_CSV)
def test_each_kind_of_column_is_prepared_as_by_the_engine(name: str, kind: str) -> None:
    frame = pd.DataFrame({"x": range(ROWS), name: COLUMNS[name], "y": cycle("no", "yes")})
    same(*both(Classification(), frame, "y", [], kind))


@pytest.mark.parametrize("name", CLASSES)
def test_each_kind_of_label_is_encoded_as_by_the_engine(name: str) -> None:
    frame = pd.DataFrame({"x": range(ROWS), "y": CLASSES[name]})
    same(*both(Classification(), frame, "y", [], "frame"))


@pytest.mark.parametrize("name", NUMBERS)
def test_each_kind_of_number_is_prepared_as_by_the_engine(name: str) -> None:
    frame = pd.DataFrame({"x": range(ROWS), "y": NUMBERS[name]})
    same(*both(Regression(), frame, "y", [], "frame"))


def test_all_kinds_at_once_with_unusual_names_and_index() -> None:
    frame = pd.DataFrame({**COLUMNS, "y": cycle("no", None, "yes")})
    frame.columns = [*range(len(COLUMNS)), "y"]
    frame = pd.concat([frame, frame[[3, 4]].set_axis(["3", "y, too"], axis=1)], axis=1)
    frame.index = pd.Index(cycle("a", 1, None))
    engine, ours = both(Classification(), frame, "y", ["0", "y, too"], "frame")
    same(engine, ours)


def test_duplicate_names_are_made_unique_as_by_the_engine() -> None:
    frame = pd.DataFrame([[1, 2, 3, 4, 5, "no"], [6, 7, 8, 9, 10, "yes"]] * 6)
    frame.columns = pd.Index(["a", "a", "a_2", ("b", 1), "b_1", "y"], tupleize_cols=False)
    engine, ours = both(Classification(), frame, "y", ["a_2"], "frame")
    same(engine, ours)
    assert list(engine.columns) == list(ours.columns)


def test_name_that_equals_a_changed_one_stays_distinct() -> None:
    frame = pd.DataFrame(
        {
            "a[b": cycle(1, 2),
            "a]b": cycle(3, 4),
            "day": cycle("2024-02-29", "2023-12-31"),
            "day_year": cycle(7, 8),
            "y": cycle("no", "yes"),
        }
    )
    same(*both(Classification(), frame, "y", [], "csv_upload"))
