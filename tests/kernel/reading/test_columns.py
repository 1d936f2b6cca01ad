"""Types of the columns of a DataFrame: dtypes, objects, settings of a person, and the files of the examples."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pycaret_ops.common.tables.column_reading import TYPES, ColumnReading
from jupyter_pycaret_ops.kernel.engine import portable
from jupyter_pycaret_ops.kernel.reading.columns import ReadingSettings, left_out, read_columns

NO_SETTINGS = ReadingSettings()


def read(values: Any, how: ReadingSettings = NO_SETTINGS, **roles: str) -> ColumnReading:
    """Return the reading of one column that is called `x`, and check that no cell disappears."""
    return read_frame({"x": values}, how, **roles)["x"]


def read_frame(
    columns: Mapping[str, Any], how: ReadingSettings = NO_SETTINGS, **roles: str
) -> dict[str, ColumnReading]:
    """Return the readings of a frame, and check that no cell disappears."""
    frame = pd.DataFrame(dict(columns))
    readings = read_columns(frame, how, **roles)
    assert list(readings) == list(frame.columns)
    for reading in readings.values():
        assert reading.values + reading.missing + reading.unreadable == len(frame), reading
        assert reading.type in TYPES
        json.dumps([reading.spelling, reading.examples, reading.reported])
    return readings


def codes_of(reading: ColumnReading) -> set[str]:
    return {item["code"] for item in reading.reported}


@pytest.mark.parametrize(
    ("values", "decimal", "expected"),
    [
        (["1,500", "2,250", "3,125"], ",", 1.5),
        (["1,500", "2,250", "3,125"], ".", 1500.0),
        (["1.234,5", "2,5", "3,5"], ",", 1234.5),
        (["1.50", "2.25", "1.234"], ",", None),
        (["1,50", "2,25", "3,75"], ".", None),
    ],
)
def test_decimal_separator_that_a_person_names_is_stronger_than_what_columns_show(
    values: list[str], decimal: str, expected: float | None
) -> None:
    how = ReadingSettings(decimal=decimal, is_decimal_set=True)
    reading = read(values * 5, how)
    assert (reading.type == "number") == (expected is not None), reading
    if expected is not None:
        numbers = portable.read_numbers(pd.Series(values, dtype="str"), reading.spelling)
        assert numbers[0] == expected


# ---------------------------------------------------------------- dtypes


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2, 2], "number"),
        ([1.5, np.nan, 2.5], "number"),
        (pd.array([1, None, 3], dtype="Int64"), "number"),
        (pd.array([1.5, None, 3.5], dtype="Float64"), "number"),
        (pd.Series([1.5, 0.0, 2.0], dtype="Sparse[float]"), "number"),
        ([Decimal("1.50"), Decimal("2.5"), None], "number"),
        (pd.Series([1, 2.5, None], dtype=object), "number"),
        ([True, False, True], "boolean"),
        (pd.array([True, None, False], dtype="boolean"), "boolean"),
        (pd.Series([True, None, False], dtype=object), "boolean"),
        (pd.to_datetime(["2024-01-01", "2024-01-03", None]), "date"),
        (pd.period_range("2024-01", periods=3, freq="M"), "date"),
        (pd.Series(list(pd.period_range("2024-01", periods=3, freq="M")), dtype=object), "date"),
        ([dt.date(2024, 1, 1), dt.date(2024, 1, 2), None], "date"),
        (pd.to_timedelta(["1 days", "02:00:00", None]), "duration"),
        (pd.Series([dt.timedelta(1), dt.timedelta(2), None], dtype=object), "duration"),
        (["1:30:00", "2 days", None], "duration"),
        (pd.Categorical(["a", "b", "a"]), "category"),
        (pd.Categorical(["lo", "hi", "lo"], ["lo", "hi"], ordered=True), "ordinal"),
        (pd.cut([1, 5, 9], [0, 5, 10]), "ordinal"),
        (pd.Categorical([3, 4, 3]), "category"),
        (pd.arrays.IntervalArray.from_breaks([0, 1, 2, 3]), "identifier"),
        ([[1, 2], [1, 2], [3]], "category"),
        ([{"a": 1}, {"a": 1}, {"b": 2}], "category"),
        ([np.array([1, 2]), np.array([1, 2]), np.array([3])], "category"),
        ([1, "one", 1], "category"),
        ([1 + 2j, 1 + 2j, 3], "category"),
        ([None, None, None], "empty"),
        ([np.nan, np.nan, np.nan], "empty"),
        (pd.Series([pd.NaT, pd.NaT, pd.NaT]), "empty"),
        (pd.Series(["", " ", None], dtype="string"), "empty"),
    ],
)
def test_type_by_dtype_and_objects(values: Any, kind: str) -> None:
    assert read(values).type == kind


@pytest.mark.parametrize(
    "dtype",
    [
        "int64[pyarrow]",
        "double[pyarrow]",
        "string[pyarrow]",
        "bool[pyarrow]",
        "timestamp[us][pyarrow]",
    ],
)
def test_arrow_dtypes_are_read_as_others(dtype: str) -> None:
    plain: dict[str, tuple[list[Any], str]] = {
        "int64[pyarrow]": ([1, 2, 2, None], "number"),
        "double[pyarrow]": ([1.5, 2.5, 2.5, None], "number"),
        "string[pyarrow]": (["a", "b", "b", None], "category"),
        "bool[pyarrow]": ([True, False, True, None], "boolean"),
        "timestamp[us][pyarrow]": ([dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 2)] * 2, "date"),
    }
    values, kind = plain[dtype]
    assert read(pd.array(values, dtype=dtype)).type == kind


def test_other_arrow_dtypes_are_read() -> None:
    pa = pytest.importorskip("pyarrow")
    for values, arrow, kind in (
        ([Decimal("1.50"), Decimal("2.50")], pa.decimal128(10, 2), "number"),
        ([dt.date(2024, 1, 1), dt.date(2024, 1, 2)], pa.date32(), "date"),
        ([dt.timedelta(1), dt.timedelta(2)], pa.duration("us"), "duration"),
        ([dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 2)], pa.timestamp("us", "UTC"), "date"),
        ([[1], [1]], pa.list_(pa.int64()), "constant"),
    ):
        assert read(pd.Series(values, dtype=pd.ArrowDtype(arrow))).type == kind


def test_values_of_different_types_stay_different_texts() -> None:
    reading = read(pd.Series([1, True, "1", 1.0, "x", "x"], dtype=object))
    assert (reading.type, reading.distinct) == ("category", 3)  # 1, True, x


def test_list_beside_missing_values_is_counted_once() -> None:
    reading = read(pd.Series([[1], [1], [2], None, np.nan, pd.NA, pd.NaT], dtype=object))
    assert (reading.values, reading.missing) == (3, 4)


def test_category_of_number_texts_stays_category() -> None:
    reading = read(pd.Categorical(["1", "2", "1", "3"]))
    assert reading.type == "category"
    assert not codes_of(reading)


def test_category_keeps_none_and_misses_nan() -> None:
    reading = read(pd.Categorical(["None", "x", "nan", "x", None]))
    assert (reading.values, reading.missing) == (3, 2)


def test_levels_of_ordered_category_are_in_order() -> None:
    values = pd.Categorical(["lo", "hi", None], ["lo", "mid", "hi"], ordered=True)
    reading = read(values)
    assert reading.spelling == {"levels": ["lo", "mid", "hi"]}
    assert (reading.values, reading.missing, reading.distinct) == (2, 1, 2)


def test_infinite_numbers_are_missing_and_reported() -> None:
    reading = read([1.0, 2.0, np.inf, -np.inf, np.nan])
    assert (reading.type, reading.values, reading.missing) == ("number", 2, 3)
    assert reading.distinct == 2
    assert "infinite_to_missing" in codes_of(reading)
    assert read([np.inf, -np.inf, np.nan]).type == "empty"


def test_index_of_a_frame_has_no_influence() -> None:
    columns = {
        "a": [1.0, np.inf, -9.0, 2.0],
        "b": ["x", None, "y ", "x"],
        "c": pd.array([1, None, 3, 3], dtype="Int64"),
        "d": ["01/02/2023", "x", "", None],
    }
    how = ReadingSettings(missing_words=("-9",), types={"d": "date"})
    plain = read_columns(pd.DataFrame(columns), how)
    odd = read_columns(pd.DataFrame(columns).set_axis([7, 7, None, "r"], axis=0), how)
    assert odd == plain


# ---------------------------------------------------------------- identifiers, constants


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("Id", [7, 3, 9], "identifier"),
        ("Agent_ID", [7, 3, 9], "identifier"),
        ("CustomerID", [7.0, 3.0, np.nan], "identifier"),
        ("id", [7, 3, 3], "number"),
        ("id", [7.5, 3.0, 9.0], "number"),
        ("idée", [7, 3, 9], "number"),
        ("paid", [7, 3, 9], "number"),
        ("Unnamed: 0", [0, 1, 2], "identifier"),
        ("Unnamed: 0", [1, 2, 3], "identifier"),
        ("column_1", [2, 1, 0], "identifier"),
        ("", [0, 1, 2], "identifier"),
        ("Unnamed: 0", [5, 6, 7], "number"),
        ("Unnamed: 0", [0, 1, np.nan], "number"),
        ("x", [0, 1, 2], "number"),
        ("x", [2**60, 2**60 + 1, 2**60 + 2], "identifier"),
        ("x", [2**60, 2**60 + 1, 2**60], "category"),
        ("x", np.array([2**64 - 1, 2**64 - 2, 2**64 - 1], dtype="uint64"), "category"),
        ("x", [10**25, 10**25 + 1, 10**25 + 2], "identifier"),
        ("x", [2**53, 0, 1], "number"),
        ("x", ["a", "b", "c"], "identifier"),
        ("x", [4, 4, 4], "constant"),
        ("x", [4, 4, np.nan], "constant"),
        ("x", ["a", "a", None], "constant"),
        ("x", [True, True, True], "constant"),
        ("x", ["true", "true", "true"], "constant"),
        ("x", pd.Categorical(["a", "a", "a"]), "constant"),
    ],
)
def test_identifier_and_constant(name: str, values: Any, kind: str) -> None:
    assert read_frame({name: values})[name].type == kind


def test_left_out_names_identifiers_constants_and_empty_columns() -> None:
    readings = read_frame({"id": [1, 2, 3], "c": [1, 1, 1], "e": [None] * 3, "x": [1, 5, 5]})
    assert left_out(readings) == ["id", "c", "e"]


def test_kept_identifier_is_used() -> None:
    how = ReadingSettings(kept=frozenset({"id", "code"}))
    readings = read_frame({"id": [1, 2, 3], "code": ["a", "b", "c"]}, how)
    assert [readings["id"].type, readings["code"].type] == ["number", "category"]


def test_few_large_integers_among_numbers_are_unreadable_texts() -> None:
    numbers = [*range(99), 2**60]
    texts = read([str(n) for n in numbers])
    assert (texts.type, texts.unreadable) == ("number", 1)
    assert (read(numbers).type, read(numbers).unreadable) == (
        "number",
        0,
    )  # the dtype is one of numbers


@pytest.mark.parametrize(
    "values", [["a", "a", "a"], ["a", "b", "c"], [2**60, 2**60 + 1, 2**60 + 2]]
)
def test_target_is_never_left_out(values: list[Any]) -> None:
    assert read(values, target="x").type == "category"


def test_target_of_one_number_for_each_row_stays_number() -> None:
    assert read_frame({"id": [1, 2, 3]}, target="id")["id"].type == "number"


def test_blanks_around_labels_of_target_stay() -> None:
    values = ["yes", "yes ", "no", "no", " ", None]
    reading = read(values, target="x")
    assert (reading.type, reading.distinct, reading.missing) == ("category", 3, 2)
    assert codes_of(reading) == {"levels_differ_by_case"}
    feature = read(values)
    assert (feature.type, feature.distinct) == ("boolean", 2)
    assert codes_of(feature) == {"blanks_trimmed"}


# ---------------------------------------------------------------- dates


def test_one_offset_of_dates_is_kept() -> None:
    reading = read(pd.date_range("2024-01-01", periods=3, tz="Etc/GMT+5"))
    assert reading.spelling["offset"] == -300
    assert codes_of(reading) == {"offset"}


def test_zone_with_summer_time_has_several_offsets() -> None:
    reading = read(pd.to_datetime(["2024-01-01", "2024-07-01"]).tz_localize("Europe/Berlin"))
    assert reading.spelling["offset"] == 0
    assert codes_of(reading) == {"offsets"}


def test_objects_with_offsets_are_read_as_texts_with_offsets() -> None:
    zone = dt.timezone(dt.timedelta(hours=2))
    values = [dt.datetime(2024, 1, day, tzinfo=zone) for day in (1, 2, 3)]
    assert read(pd.Series(values, dtype=object)).spelling["offset"] == 120


def test_integers_of_eight_digits_are_dates_where_all_are() -> None:
    assert read([20230102, 20230103, 20231231]).type == "date"
    assert read([20230102.0, 20230103.0, np.nan]).type == "date"
    assert read([20230102, 20230199, 20231231]).type == "number"
    days = [*range(20230101, 20230129)] * 2
    assert read_frame({"order_date": [*days, 20230199]})["order_date"].unreadable == 1
    assert read_frame({"orders": [*days, 20230199]})["orders"].type == "number"


def test_year_is_a_number_and_the_time_of_a_series() -> None:
    years: list[Any]
    for years in ([2018, 2019, 2020], ["2018", "2019", "2020"], [2018.0, 2019.0, 2020.0]):
        assert read(years).type == "number"
        assert read(years, time="x").type == "date"
    assert read([1, 2, 3], time="x").type == "number"


def test_semicolons_or_decimal_commas_mean_day_first() -> None:
    dates = ["01/02/2023", "03/04/2023"]
    assert read(dates).spelling["day_first"] is False
    assert read(dates, ReadingSettings(decimal=",")).spelling["day_first"] is True
    readings = read_frame({"x": dates, "price": ["1,5", "2,5"]})
    assert readings["x"].spelling["day_first"] is True
    assert "ambiguous_date" in codes_of(readings["x"])


# ---------------------------------------------------------------- numbers that may be read in two ways


@pytest.mark.parametrize(
    ("other", "decimal_of_file", "decimal"),
    [
        (["a", "a"], None, "."),
        (["a", "a"], ",", ","),
        (["1.5", "x2"], ",", ","),  # no column of numbers
        (["$1.50", "$2.25"], ",", "."),
        (["1,5", "2,25"], None, ","),
        (["31.01.2023", "28.02.2023"], None, "."),
        (["1.2.3", "1.2.4"], None, "."),
    ],
)
def test_other_columns_then_delimiter_decide_ambiguous_number(
    other: list[str], decimal_of_file: str | None, decimal: str
) -> None:
    how = ReadingSettings(decimal=decimal_of_file)
    reading = read_frame({"x": ["1,234", "2,345"], "other": other}, how)["x"]
    assert reading.spelling["decimal"] == decimal
    assert "ambiguous_number" in codes_of(reading)


# ---------------------------------------------------------------- what a person sets


@pytest.mark.parametrize(
    ("values", "kind", "counts"),
    [
        (["007", "008", "x"], "number", (2, 0, 1)),
        (["1", "2", "-"], "category", (3, 0, 0)),
        ([1, 2, 2], "category", (3, 0, 0)),
        ([1.5, 2.0, np.nan], "category", (2, 1, 0)),
        ([1, 2, 3], "identifier", (3, 0, 0)),
        (["a", "b", "c"], "category", (3, 0, 0)),
        ([1, 0, 2], "boolean", (2, 0, 1)),
        ([True, False, True], "number", (3, 0, 0)),
        (["yes", "no", "maybe"], "boolean", (2, 0, 1)),
        ([2018, 2019, 1], "date", (2, 0, 1)),
        (["20230102", "x", "na"], "date", (1, 1, 1)),
        (["90", "1:30:00", "later"], "duration", (2, 0, 1)),
        (["one two", "three", ""], "text", (2, 1, 0)),
        (pd.Categorical(["1", "2", "x"]), "number", (2, 0, 1)),
        (pd.to_datetime(["2024-01-01", "2024-01-02", None]), "category", (2, 1, 0)),
        ([None, None, None], "number", (0, 3, 0)),
    ],
)
def test_type_of_a_person_is_taken(values: Any, kind: str, counts: tuple[int, int, int]) -> None:
    reading = read(values, ReadingSettings(types={"x": kind}))
    assert (reading.type, reading.set_by_person) == (kind, True)
    assert (reading.values, reading.missing, reading.unreadable) == counts
    assert len(reading.examples) == reading.unreadable


def test_format_of_a_person_makes_a_date() -> None:
    how = ReadingSettings(date_formats={"x": "%d%m%Y"})
    for values in (["31012023", "01022023", "2023-02-03", "2023/02/03"], [31012023, 1022023, 3, 4]):
        reading = read(values, how)
        assert reading.type == "date"
        assert reading.spelling["format"] == "%d%m%Y"
    assert read(["31012023", "2023-02-03", "01/02/2023"], how).unreadable == 1


def test_levels_of_a_person_are_kept_and_others_unreadable() -> None:
    how = ReadingSettings(levels={"x": ["lo", "hi"]})
    reading = read(["lo", "hi", "huge", None], how)
    assert (reading.type, reading.set_by_person) == ("ordinal", True)
    assert reading.spelling == {"levels": ["lo", "hi"]}
    assert (reading.values, reading.missing, reading.unreadable) == (2, 1, 1)
    assert reading.examples == [{"row": 3, "text": "huge"}]
    numbers = read([1, 3, 2], ReadingSettings(levels={"x": [1, 2]}))
    assert (numbers.type, numbers.unreadable, numbers.spelling["levels"]) == ("ordinal", 1, [1, 2])


def test_missing_values_of_a_person_are_in_place_of_the_rules() -> None:
    how = ReadingSettings(missing_words=("none", "-9"))
    reading = read(["a", "none", "nan", "b", "a"], how)
    assert (reading.type, reading.missing, reading.distinct) == ("category", 1, 3)
    assert read(["1", "-9", "2", "2"], how).missing == 1


def test_missing_values_of_a_person_are_by_column() -> None:
    how = ReadingSettings(missing_words={"x": ("unknown",)})
    readings = read_frame({"x": ["1", "2", "unknown"], "y": ["1", "2", "na"]}, how)
    assert (readings["x"].missing, readings["y"].missing) == (1, 1)


@pytest.mark.parametrize("values", [[1, -9, 3, 3], [1.5, -9.0, 3.0, 3.0]])
def test_missing_values_of_a_person_may_be_numbers(values: list[Any]) -> None:
    reading = read(values, ReadingSettings(missing_words=("-9",)))
    assert (reading.type, reading.values, reading.missing) == ("number", 3, 1)
    assert reading.missing_words == {"-9": 1}
    assert "missing_words" in codes_of(reading)


# ---------------------------------------------------------------- whatever the column

_CELLS = st.one_of(
    st.none(),
    st.text(max_size=6),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.timedeltas(),
    st.decimals().filter(lambda number: not number.is_snan()),  # which pandas refuses itself
    st.lists(st.integers(), max_size=2),
    st.sampled_from(
        ["1,234", "2.5", "<3", "$4", "007", "2018", "Jan 2018", "yes", "no", "NA", "-", "1:00:00"]
    ),
)
_COLUMNS = st.one_of(
    st.lists(_CELLS, max_size=12).map(lambda values: pd.Series(values, dtype=object)),
    st.lists(st.text(max_size=8), max_size=12).map(lambda v: pd.Series(v, dtype="str")),
    st.lists(st.floats(), max_size=12).map(lambda v: pd.Series(v, dtype="float64")),
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=12).map(
        lambda v: pd.Series(v, dtype="int64")
    ),
    st.lists(st.text(max_size=2), max_size=12).map(lambda v: pd.Series(v, dtype="category")),
    st.lists(st.datetimes(), max_size=12).map(lambda v: pd.Series(v, dtype="datetime64[us]")),
)


@settings(max_examples=150, deadline=None)
@given(
    _COLUMNS,
    st.sampled_from([None, *TYPES]),
    st.sampled_from([None, ".", ","]),
    st.sampled_from([None, ("-", "1"), ("x",)]),
    st.sampled_from([{}, {"target": "x"}, {"time": "x"}]),
)
def test_no_cell_disappears(
    column: Any,
    kind: str | None,
    decimal: str | None,
    words: tuple[str, ...] | None,
    roles: dict[str, str],
) -> None:
    types = {} if kind is None else {"x": kind}
    reading = read(column, ReadingSettings(types, decimal=decimal, missing_words=words), **roles)
    assert kind is None or reading.type == kind


_TEXTS = st.lists(
    st.sampled_from(
        [
            *(
                "1",
                "-2.5",
                "1,234",
                "2,5",
                "1.234,5",
                "$3",
                "4 %",
                "(5)",
                "<6",
                "1e5",
                "١٢",
                "-",
                "n/a",
                "",
                " ",
            ),
            *(
                "2023-01-02",
                "01/02/2023",
                "31.01.23",
                "Jan 2018",
                "20230102",
                "2018",
                "2023-01-02T08:00+02:00",
            ),
            *(
                "1:30:00",
                "2 days",
                "-1 day, 23:00:00",
                "yes",
                "No",
                "true",
                "NaN",
                "None",
                "word",
                "word ",
            ),
        ]
    ),
    max_size=6,
).flatmap(lambda some: st.lists(st.sampled_from(some or ["x"]), min_size=1, max_size=12))


@settings(max_examples=300, deadline=None)
@given(
    _TEXTS.map(lambda texts: pd.Series(texts, dtype="str")),
    st.sampled_from([None, "number", "date", "duration", "boolean", "category"]),
)
def test_cells_that_count_as_values_are_read_as_values(column: Any, kind: str | None) -> None:
    reading = read(column, ReadingSettings({} if kind is None else {"x": kind}))
    readers = {
        "number": portable.read_numbers,
        "boolean": portable.read_numbers,
        "date": portable.read_dates,
        "duration": portable.read_seconds,
    }
    if reading.type in readers:
        series = pd.DataFrame({"x": column})["x"]
        values = readers[reading.type](series, reading.spelling, strict=False)
        assert reading.values == pd.notna(values).sum()
    elif reading.type == "category":
        values = portable.read_text(pd.DataFrame({"x": column})["x"])
        assert (reading.values, reading.distinct) == (
            pd.notna(values).sum(),
            len(set(values[pd.notna(values)])),
        )


# ---------------------------------------------------------------- files of real kinds

#: arguments of `pandas.read_csv` for files that are no UTF-8 with commas
_DIALECTS: dict[str, dict[str, Any]] = {
    "trailing_delimiter_price.csv": {"index_col": False},
    "german.csv": {"sep": ";"},
    "cp1252.csv": {"sep": ";", "encoding": "cp1252"},
    "excel_sep.csv": {"sep": ";", "skiprows": 1},
    "title.csv": {"skiprows": 2},
}


@pytest.fixture(scope="module")
def cases(shared: Path) -> Path:
    """Return the folder of small files of real kinds."""
    folder = shared / "cases"
    if not folder.is_dir():
        pytest.skip("the folder of cases is absent")
    return folder


@pytest.mark.parametrize("as_text", [True, False], ids=["texts", "inferred"])
def test_columns_of_files_of_real_kinds(cases: Path, as_text: bool) -> None:
    for case in json.loads((cases / "expected.json").read_text()):
        how = _DIALECTS.get(case["file"], {})
        # pandas takes 007 for 7 and drops the zeros of 60.000
        is_code = as_text or case["file"] in ("leading_zeros.csv", "german.csv")
        frame = pd.read_csv(
            cases / case["file"],
            keep_default_na=False,
            na_values=[""],
            low_memory=False,
            dtype=str if is_code else None,
            **how,
        )
        assert len(frame) == case["rows"]
        decimal = "," if how.get("sep") == ";" else None
        readings = read_columns(frame, ReadingSettings(decimal=decimal))
        for name, wanted in case.get("columns", {}).items():
            reading = readings[name]
            found = {"type": reading.type, **reading.to_json(), "levels": None}
            if "levels" in wanted:
                found["levels"] = sorted(frame[name].dropna().unique())
                assert reading.distinct == len(wanted["levels"])
            if "min" in wanted:
                numbers = portable.read_numbers(frame[name], reading.spelling)
                found["min"], found["max"] = np.nanmin(numbers), np.nanmax(numbers)
            assert {key: found[key] for key in wanted} == wanted, (case["file"], name)
