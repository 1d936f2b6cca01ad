"""Prepare the user's table: decide for each column how the engine reads it.

The decisions become the parameters of an `InputFrame`, the first step of the final pipeline, so that
training and serving cannot differ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from jupyter_pycaret_ops.common.protocol import JSON
from jupyter_pycaret_ops.common.tables.column_reading import LEFT_OUT, ColumnReading
from jupyter_pycaret_ops.common.tables.spellings import DATE_PARTS

from ..reading.columns import ReadingSettings, read_columns
from . import portable
from .event_reporter import EventReporter
from .interfaces import Column, Frame, PlanFailed

#: number of distinct values from which a text column is reported as high-cardinality
_MANY_VALUES = 50
_MAX_NAMES_SHOWN = 20
#: sentences about columns in one event
_MAX_SENTENCES = 5
NO_SETTINGS = ReadingSettings()


@dataclass(slots=True)
class Table:
    """The rows and columns that are used, and how the columns are read.

    `raw` : DataFrame of shape (n_rows, n_columns) with unique string names, index 0 … n_rows - 1 and
    unchanged values and dtypes, None in place of unreadable cells; `columns` : the parameter of `InputFrame`;
    `types` : column → the type that a JSON client sends; `readings` : how each column of the data is read;
    `left_out` : columns of the data that are not used.
    """

    raw: Frame
    columns: list[JSON]
    types: dict[str, str]
    readings: dict[str, ColumnReading] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def reading(self) -> dict[str, JSON]:
        """Return how each column is read, and how many of its values the models see."""
        used = set(self.raw.columns)
        return {
            name: {**reading.to_json(), "used": reading.values if name in used else 0}
            for name, reading in self.readings.items()
        }

    @property
    def step(self) -> portable.InputFrame:
        """A new transformer from raw to engine columns."""
        return portable.InputFrame(self.columns)


def quote_names(names: Any) -> str:
    """Return `names` quoted for a message, the first 20 of them."""
    shown = [f"“{name}”" for name in list(names)[:_MAX_NAMES_SHOWN]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def with_unique_names(frame: Frame, reporter: EventReporter) -> Frame:
    """Return `frame` with unique string names and index 0 … n_rows - 1; the original is not changed.

    Raises `PlanFailed` when there are no columns or rows.
    """
    if not isinstance(frame, pd.DataFrame):
        raise PlanFailed("user", "The data are not a table; give a DataFrame with named columns.")
    if not frame.shape[1] or not frame.shape[0]:
        raise PlanFailed("user", "The data are empty; give a table with rows and columns.")
    names = portable.unique_names(frame.columns)
    given = list(frame.columns)
    renamed = [n for n, g in zip(names, given, strict=True) if not isinstance(g, str) or g != n]
    result = frame.set_axis(names, axis=1)
    result = result.reset_index(drop=True)
    if renamed:
        reporter.report_data_change(
            "columns_renamed",
            f"Column names were made unique texts: {quote_names(renamed)}.",
            renamed,
        )
    return result


def find_target(frame: Frame, target: str | None) -> str:
    """Return the name of the target column in a result of `with_unique_names`.

    Raises `PlanFailed` when there is no such column.
    """
    if target is None:
        raise PlanFailed("user", "No target is given; name the column to predict.")
    if str(target) not in frame.columns:
        raise PlanFailed(
            "user",
            f"The target “{target}” is not a column of the data; it has: "
            f"{quote_names(list(frame.columns))}.",
        )
    return str(target)


def read_features(
    frame: Frame,
    ignore: list[str],
    reserved: set[str],
    reporter: EventReporter,
    settings: ReadingSettings = NO_SETTINGS,
    readings: dict[str, ColumnReading] | None = None,
) -> Table:
    """Decide how to read each feature column of `frame`, a result of `with_unique_names` without target.

    `ignore` : columns to leave out; `reserved` : names that engine columns must not have; `settings` : types,
    formats and words for missing values that a person has set; `readings` : how the columns are read, where that was
    decided on more rows than these. Raises `PlanFailed` when nothing is left to learn
    from.
    """
    unknown = [name for name in ignore if name not in frame.columns]
    if unknown:
        raise PlanFailed(
            "user",
            f"ignore_features names {quote_names(unknown)}, which the data do not have; they have: "
            f"{quote_names(list(frame.columns))}.",
        )
    readings = read_columns(frame, settings) if readings is None else readings
    if ignore:
        frame = frame.drop(columns=ignore)
        reporter.report_data_change(
            "columns_ignored", f"Left out as asked: {quote_names(ignore)}.", ignore
        )
    reader = _FeatureReader(reporter, set(reserved), settings)
    for name in frame.columns:
        reader.read(frame[name], readings[name])
    reader.report()
    if not reader.columns:
        raise PlanFailed(
            "user",
            "No column is left to learn from: besides the target, every column is empty, constant or an "
            "identifier; add columns with values.",
        )
    raw = pd.DataFrame(reader.raw, index=frame.index)
    left_out = [*ignore, *(name for name in frame.columns if name not in reader.raw)]
    return Table(raw, reader.columns, reader.types, readings, left_out)


#: JSON types of kinds; a number may be an integer
_JSON_TYPES = {
    "boolean": "boolean",
    "ordinal": "string",
    "text": "string",
    "date": "datetime",
    "duration": "number",
}
#: column types that have a kind of another name
_KINDS = {"category": "text", "identifier": "text", "constant": "text", "empty": "text"}


class _FeatureReader:
    """Collects the decisions about all columns, and reports them."""

    def __init__(self, reporter: EventReporter, taken: set[str], settings: ReadingSettings) -> None:
        self.columns: list[JSON] = []
        self.types: dict[str, str] = {}
        self.raw: dict[str, Column] = {}
        self._reporter = reporter
        self._taken = taken
        self._settings = settings
        self._left_out: dict[str, list[str]] = {}
        self._reported: dict[str, list[JSON]] = {}
        self._mixed: list[str] = []
        self._nested: list[str] = []
        self._dates: dict[str, JSON] = {}
        self._durations: list[str] = []
        self._spelled: dict[str, JSON] = {}
        self._special: list[str] = []
        self._many: dict[str, int] = {}

    def read(self, series: Column, reading: ColumnReading) -> None:
        """Take one column, Series of shape (n_rows,) of any dtype, as its reading says."""
        name = reading.name
        if pd.api.types.is_complex_dtype(series.dtype):
            raise PlanFailed(
                "user",
                f"Column “{name}” holds complex numbers; split it into real columns or leave it out.",
            )
        for item in reading.reported:
            self._reported.setdefault(item["code"], []).append(item)
        if reading.set_by_person and reading.unreadable and not reading.values:
            raise PlanFailed(
                "user",
                f"Column “{name}” cannot be read as {reading.type}: none of its values is one, such as "
                f"“{reading.examples[0]['text']}” in row {reading.examples[0]['row']}.",
            )
        is_kept = reading.set_by_person or name in self._settings.kept
        if not reading.values or (reading.type in LEFT_OUT and not is_kept):
            kind = reading.type if reading.values else "empty"
            self._left_out.setdefault(kind, []).append(name)
            return
        kind = _KINDS.get(reading.type, reading.type)
        if reading.type in LEFT_OUT and pd.api.types.is_numeric_dtype(series.dtype):
            kind = "number"
        spelling = dict(reading.spelling)
        if kind == "text" and not _has_texts(series):
            spelling["numbers"] = True
        column: JSON = {
            "name": name,
            "safe": self._safe_name(name),
            "kind": kind,
            "column_type": reading.type,
            "parts": [],
            "spelling": spelling,
        }
        try:
            self.raw[name], dates = _readable(series, kind, spelling)
        except (TypeError, ValueError) as error:
            raise PlanFailed(
                "user", f"Column “{name}” cannot be read as {reading.type}: {error}."
            ) from error
        if kind == "text":
            self._text(name, series, reading)
        elif kind == "date":
            column["parts"] = _varying_parts(dates)
            self._dates[name] = {**spelling, "parts": column["parts"]}
        elif kind == "duration":
            self._durations.append(name)
        elif kind in ("number", "boolean") and _has_texts(series):
            self._spelled[name] = spelling
        self.columns.append(column)
        is_integer = kind == "number" and pd.api.types.is_integer_dtype(series.dtype)
        self.types[name] = "integer" if is_integer else _JSON_TYPES.get(kind, "number")

    def _safe_name(self, name: str) -> str:
        # xgboost refuses [ ] <; lightgbm refuses the special characters of JSON and turns blanks into _
        safe = re.sub(r"[^\w.\-]+", "_", name) or "column"
        if safe != re.sub(r"\s", "_", name):
            self._special.append(name)
        base, number = safe, 2
        while safe in self._taken:
            safe, number = f"{base}_{number}", number + 1
        self._taken.add(safe)
        # a date becomes several columns, whose names must be unique as well
        self._taken.update(f"{safe}_{part}" for part in DATE_PARTS)
        return safe

    def _text(self, name: str, series: Column, reading: ColumnReading) -> None:
        if reading.distinct >= _MANY_VALUES:
            self._many[name] = reading.distinct
        if pd.api.types.is_object_dtype(series.dtype):
            known = series[~portable.is_missing(series.to_numpy(dtype=object))]
            if any(isinstance(v, (list, tuple, dict, set, np.ndarray)) for v in known):
                self._nested.append(name)
            elif not all(isinstance(v, str) for v in known):
                self._mixed.append(name)

    def report(self) -> None:
        """Report the decisions, one event for each kind of change."""
        report_change = self._reporter.report_data_change
        for kind, code, why in (
            ("empty", "empty_columns_dropped", "they hold no value"),
            ("constant", "constant_columns_dropped", "every row has the same value"),
            (
                "identifier",
                "identifiers_dropped",
                "they are different in every row, as identifiers are",
            ),
        ):
            names = self._left_out.get(kind)
            if names:
                hint = " Name them in keep_features to use them." if kind == "identifier" else ""
                report_change(code, f"Left out because {why}: {quote_names(names)}.{hint}", names)
        for code, items in self._reported.items():
            message = " ".join(item["message"] for item in items[:_MAX_SENTENCES])
            more = len(items) - _MAX_SENTENCES
            counts = {item["column"]: item["count"] for item in items if "count" in item}
            report_change(
                code,
                message + (f" And {more} more columns." if more > 0 else ""),
                [item["column"] for item in items],
                **({"values": counts} if counts else {}),
            )
        if self._spelled:
            report_change(
                "texts_to_numbers",
                f"Texts are read as numbers: {quote_names(list(self._spelled))}.",
                self._spelled,
                spellings=self._spelled,
            )
        if self._mixed:
            report_change(
                "mixed_to_text",
                f"Mixed numbers and texts are read as text: {quote_names(self._mixed)}.",
                self._mixed,
            )
        if self._nested:
            report_change(
                "nested_to_text",
                f"Lists and objects are read as text: {quote_names(self._nested)}.",
                self._nested,
            )
        if self._dates:
            report_change(
                "dates_expanded",
                f"Dates are read as numbers (year, month, day, …): {quote_names(list(self._dates))}.",
                self._dates,
                dates=self._dates,
            )
        if self._durations:
            report_change(
                "durations_to_seconds",
                f"Durations are read as seconds: {quote_names(self._durations)}.",
                self._durations,
            )
        if self._special:
            report_change(
                "names_made_safe",
                "Special characters in names are replaced for the models; you keep using your "
                f"own names: {quote_names(self._special)}.",
                self._special,
            )
        if self._many:
            report_change(
                "many_categories_kept",
                f"Text columns with many different values are kept: {quote_names(list(self._many))}.",
                self._many,
                categories=self._many,
            )


def _has_texts(series: Column) -> bool:
    if pd.api.types.is_numeric_dtype(series.dtype):
        return False
    return any(isinstance(value, str) for value in series)


def _readable(series: Column, kind: str, spelling: JSON) -> tuple[Column, Any]:
    """Return a column with None in place of unreadable cells, and its dates where it holds dates."""
    if kind == "date":
        dates = portable.read_dates(series, spelling, strict=False)
        if dates.isna().all():
            raise ValueError("none of its values is one")
        unreadable = np.asarray(dates.isna())
        if not unreadable.any() or not pd.api.types.is_object_dtype(series.astype(object).dtype):
            return series, dates
        return series.astype(object).mask(pd.Series(unreadable, index=series.index), None), dates
    is_numeric = pd.api.types.is_numeric_dtype(series.dtype)
    if kind not in ("number", "boolean", "duration") or (is_numeric and kind != "boolean"):
        return series, None
    read = portable.read_seconds if kind == "duration" else portable.read_numbers
    unreadable = np.isnan(read(series, spelling, strict=False))
    if unreadable.all():
        raise ValueError("none of its values is one")
    if not unreadable.any():
        return series, None
    return series.astype(object).mask(pd.Series(unreadable, index=series.index), None), None


def _varying_parts(dates_: Any) -> list[str]:
    # a part that never varies (hour of plain days) has no information; the day count is kept, so that
    # a constant date still gives a column
    return [
        part
        for part in DATE_PARTS
        if part == "days" or len(np.unique(portable.date_part(dates_.dropna(), part))) > 1
    ]
