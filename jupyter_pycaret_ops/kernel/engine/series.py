"""Read a table as a series: find the column of time and the frequency, and fill missing steps."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from jupyter_pycaret_ops.common.protocol import JSON
from jupyter_pycaret_ops.common.tables.column_reading import ColumnReading, name_words
from jupyter_pycaret_ops.common.tables.spellings import is_missing_word, parse_date, trimmed

from ..reading.columns import ReadingSettings, read_columns
from . import features, portable
from .event_reporter import EventReporter
from .interfaces import Column, Frame, PlanFailed
from .time_grid import FIRST_DAY, MonthDay, find_grid, month_day

MIN_ROWS = 8
#: words of a name that make `2018` or `201801` a time
_TIME_WORDS = frozenset(
    {"year", "years", "month", "months", "date", "day", "time", "period", "quarter"}
)
#: steps of a season, by the first letters of a pandas frequency
_SEASONS = {"D": 7, "B": 5, "W": 52, "M": 12, "Q": 4, "h": 24, "min": 60, "s": 60}
_MINUTES_OF_DAY = 24 * 60
#: from this frequency in minutes on, the season is a day and not an hour
_COARSE_MINUTES = 5


@dataclass(slots=True)
class Series:
    """An evenly spaced series.

    `values` : float64 Series of shape (n_steps,) without missing values, with a PeriodIndex, or a
    RangeIndex where there is no time. `exogenous` : DataFrame of shape (n_steps, n_columns) with the
    other columns of the same rows, unchanged, missing in added steps. `freq` : pandas frequency, None
    without time. `index` and `spelling` : the column of time and how its texts are read, None where time is
    the index of the DataFrame, or there is none. `readings` : how target and time were read.
    """

    name: str
    values: Column
    exogenous: Frame
    freq: str | None
    index: str | None = None
    spelling: JSON | None = None
    readings: dict[str, ColumnReading] = field(default_factory=dict)
    #: day of the month of steps of months
    day: MonthDay = FIRST_DAY
    #: known values, before missing steps were filled
    n_known: int = 0

    @property
    def season(self) -> int:
        """The number of steps of the season that the frequency suggests; 1 for none."""
        return season_of(self.freq)


def read_series(
    named: Frame,
    own_index: Any,
    target: str | None,
    index: str | None,
    reporter: EventReporter,
    settings: ReadingSettings = features.NO_SETTINGS,
) -> Series:
    """Read the series in `named`, a result of `with_unique_names`; `own_index` is the index it had.

    `index` names the column of time; if None, it is searched for. Raises `PlanFailed` when the times
    cannot be read, repeat or are not evenly spaced, or when the target has no numbers.
    """
    time = _times(named, own_index, target, index, reporter, settings)
    named, times = time.others, time.times
    name = _target(named, target, reporter)
    reading = read_columns(named[[name]], settings, target=name)[name]
    numbers = _numbers(named[name], name, reading)
    _refuse_values_without_time(numbers, time)
    exogenous = named.drop(columns=[name])
    if times is None:
        values = pd.Series(numbers, index=pd.RangeIndex(len(numbers)), name=name)
        freq, day = None, FIRST_DAY
    else:
        known_times = times.dropna()
        day = (month_day(known_times) if len(known_times) else None) or FIRST_DAY
        values, exogenous, freq = _regularize(numbers, exogenous, times, name, reporter)
    n_known = int(values.notna().sum())
    values = _interpolate_gaps(values, name, reporter)
    if len(values) < MIN_ROWS:
        raise PlanFailed("user", f"The series has {len(values)} steps; give at least {MIN_ROWS}.")
    if len(np.unique(values.to_numpy())) == 1:
        raise PlanFailed(
            "user", f"“{name}” is {values.iloc[0]:g} at every step; there is nothing to forecast."
        )
    readings = {name: reading} | ({} if time.reading is None else {time.reading.name: time.reading})
    return Series(name, values, exogenous, freq, time.column, time.spelling, readings, day, n_known)


def season_of(freq: str | None) -> int:
    """Return the number of steps of a season: a week of days, a year of months, a day of hours."""
    if freq is None:
        return 1
    step, unit = _split_frequency(freq)
    if unit == "min" and step >= _COARSE_MINUTES:
        return _MINUTES_OF_DAY // step if _MINUTES_OF_DAY % step == 0 else 1
    season = _SEASONS.get(unit, 1)
    return season // step if season % step == 0 else 1


def _format_days(days: float) -> str:
    return str(pd.Timedelta(days=days).round("s")).removesuffix(" 00:00:00")


def _split_frequency(freq: str) -> tuple[int, str]:
    """Return number and unit of a pandas frequency: `"15min"` → 15, `"min"`; `"W-SUN"` → 1, `"W"`."""
    match = re.match(r"(\d*)([A-Za-z]+)", freq)
    assert match is not None
    return int(match[1] or 1), match[2]


@dataclass(slots=True)
class _Time:
    """The times of the rows, DatetimeIndex of shape (n_rows,) or None, and the table without their column."""

    times: Any
    others: Frame
    column: str | None = None
    spelling: JSON | None = None
    #: the column as it stands in the table
    raw: Column | None = None
    reading: ColumnReading | None = None


def _times(
    frame: Frame,
    own_index: Any,
    target: str | None,
    index: str | None,
    reporter: EventReporter,
    settings: ReadingSettings,
) -> _Time:
    if index is None and isinstance(own_index, (pd.DatetimeIndex, pd.PeriodIndex)):
        return _Time(_as_datetimes(own_index), frame)
    if index is not None and str(index) not in frame.columns:
        raise PlanFailed(
            "user",
            f"index names “{index}”, which is no column of the data; it has: "
            f"{features.quote_names(list(frame.columns))}.",
        )
    column, reading = (
        (str(index), None) if index is not None else _find_times(frame, target, settings)
    )
    if column is None:
        reporter.report_data_change(
            "time_missing",
            "No column of dates was found: the rows are taken as evenly spaced, in their order. Name the "
            "column of time in index if there is one.",
        )
        return _Time(None, frame)
    if index is None:
        reporter.report_data_change(
            "time_found", f"“{column}” is taken as the time of the rows.", [column]
        )
    raw = frame[column]
    if reading is None:
        reading = read_columns(frame[[column]], settings, time=column)[column]
    if pd.api.types.is_numeric_dtype(raw.dtype) and reading.type != "date":
        years = _years(raw, column)
        return _Time(
            portable.read_dates(years, {}),
            frame.drop(columns=[column]),
            column,
            {"year": True},
            raw,
        )
    if reading.type != "date":
        example = raw[~portable.is_missing(raw.to_numpy(dtype=object))].iloc[:1].tolist()
        raise PlanFailed(
            "user",
            f"“{column}” cannot be read as time: {example[0] if example else 'a missing value'!r} is no date. "
            "Write dates as 2024-01-31, name their format in date_features, or leave index out when the rows "
            "are evenly spaced.",
        )
    for item in reading.reported:
        if item["code"] != "unreadable":
            reporter.report_data_change(item["code"], item["message"], [column])
    if any(item["code"] == "offsets" for item in reading.reported):
        # summer and winter of one place: its own clock is the calendar
        reading.spelling["offset"] = None
    times = portable.read_dates(raw, reading.spelling, strict=False)
    return _Time(times, frame.drop(columns=[column]), column, reading.spelling, raw, reading)


def _refuse_values_without_time(numbers: Any, time: _Time) -> None:
    """Raise `PlanFailed` for the first row that has a value and no readable time."""
    if time.raw is None:
        return
    rows = np.flatnonzero(np.asarray(time.times.isna()) & ~np.isnan(numbers))
    if len(rows):
        row = int(rows[0])
        cell = time.raw.iloc[row]
        said = f"“{cell}”" if isinstance(cell, str) and cell else "empty"
        raise PlanFailed(
            "user",
            f"Row {row + 1} has the value {numbers[row]:g} and no date: “{time.column}” is {said}. "
            "Remove the row, or correct its date.",
        )


def _as_datetimes(index: Any) -> Any:
    if isinstance(index, pd.PeriodIndex):
        return index.to_timestamp()
    return index if index.tz is None else index.tz_convert("UTC").tz_localize(None)


def _find_times(
    frame: Frame, target: str | None, settings: ReadingSettings
) -> tuple[str | None, ColumnReading | None]:
    """Return the first column of dates, and its reading as the time of the rows, where it was read as such.

    Raises `PlanFailed` for a column that looks like dates and cannot be read.
    """
    doubtful: str | None = None
    for name in frame.columns:
        if name == target:
            continue
        is_named = bool(name_words(str(name)) & _TIME_WORDS)
        reading = read_columns(frame[[name]], settings, time=name if is_named else None)[name]
        if reading.type == "date":
            return str(name), reading if is_named else None
        if doubtful is None and looks_like_dates(frame[name]):
            doubtful = str(name)
    if doubtful is not None:
        text = next(
            v for v in frame[doubtful] if isinstance(v, str) and parse_date(trimmed(v)) is None
        )
        raise PlanFailed(
            "user",
            f"“{doubtful}” looks like dates, but cells such as “{text}” are none. Correct them, name the format "
            "in date_features, or leave the column out with ignore_features.",
        )
    return None, None


def looks_like_dates(column: Column) -> bool:
    """Return whether at least half of the texts of a column are dates."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return False
    texts = [trimmed(value) for value in column.dropna().unique() if isinstance(value, str)]
    return bool(texts) and 2 * sum(parse_date(text) is not None for text in texts) >= len(texts)


def _years(column: Column, name: str) -> Column:
    """Return years as texts of January 1st, object Series; raises `PlanFailed` for other numbers."""
    numbers = column.dropna()
    if len(numbers) and ((numbers % 1 == 0) & numbers.between(1000, 3000)).all():
        return column.map(lambda year: f"{int(year):04d}-01-01", na_action="ignore").astype(object)
    raise PlanFailed(
        "user",
        f"“{name}” holds numbers that are not years; give a column of dates as index, or leave it out "
        "when the rows are evenly spaced.",
    )


def _target(frame: Frame, target: str | None, reporter: EventReporter) -> str:
    if target is not None:
        return features.find_target(frame, target)
    if frame.shape[1] == 1:
        name = str(frame.columns[0])
        reporter.report_data_change("target_found", f"“{name}” is the column to forecast.", [name])
        return name
    return features.find_target(frame, None)


def _numbers(column: Column, name: str, reading: ColumnReading) -> Any:
    own = reading.spelling.get("missing_words")
    words = None if own is None else frozenset(own)
    spelling = reading.spelling if reading.type == "number" else {"missing_words": own}
    numbers = portable.read_numbers(column.astype(object), spelling, strict=False)
    values = column.to_numpy(dtype=object)
    unread = np.isnan(numbers) & np.array(
        [
            isinstance(v, str) and not is_missing_word(trimmed(v), is_text=False, words=words)
            for v in values
        ]
    )
    if unread.any():
        raise PlanFailed(
            "user",
            f"“{name}” has text such as “{column[unread].iloc[0]}” in {int(unread.sum())} rows; a "
            "forecast needs numbers: choose a numeric column or correct these rows.",
        )
    if np.isnan(numbers).all():
        raise PlanFailed("user", f"“{name}” has no value in any row; choose another column.")
    numbers[np.isinf(numbers)] = np.nan
    return numbers


def _regularize(
    numbers: Any, exogenous: Frame, times: Any, name: str, reporter: EventReporter
) -> tuple[Column, Frame, str]:
    """Return values and exogenous columns at evenly spaced periods, and the frequency.

    `numbers` : float64 array of shape (n_rows,); `times` : DatetimeIndex of shape (n_rows,).
    """
    known = ~np.asarray(times.isna())
    if not known.all():
        n_dropped = int((~known).sum())
        reporter.report_data_change(
            "rows_without_time_dropped",
            f"{n_dropped} rows have no time and were left out.",
            rows=n_dropped,
        )
        numbers, exogenous, times = numbers[known], exogenous[known], times[known]
    order = np.argsort(np.asarray(times), kind="stable")
    if (order != np.arange(len(order))).any():
        reporter.report_data_change("rows_sorted", "The rows were put in the order of time.")
        numbers, exogenous, times = numbers[order], exogenous.iloc[order], times[order]
    _refuse_repeated(times, exogenous)
    grid = find_grid(times)
    if grid.n_snapped:
        reporter.report_data_change(
            "times_snapped",
            f"{grid.n_snapped} times are not on the steps of “{grid.freq}” and were moved to the nearest step, "
            f"by at most {_format_days(grid.max_shift_days)}.",
            rows=grid.n_snapped,
        )
    steps = pd.period_range(grid.periods[0], grid.periods[-1], freq=grid.freq)
    missing = int((~steps.isin(grid.periods)).sum())
    if missing:
        reporter.report_data_change(
            "steps_added",
            f"{missing} of {len(steps)} steps are missing in the table and were added without values.",
            steps=missing,
        )
    exogenous = exogenous.set_axis(grid.periods, axis=0).reindex(steps)
    return pd.Series(numbers, index=grid.periods, name=name).reindex(steps), exogenous, grid.freq


def _refuse_repeated(times: Any, exogenous: Frame) -> None:
    """Raise `PlanFailed` where several rows have the same time."""
    if not times.has_duplicates:
        return
    repeated = times[times.duplicated()][0]
    levels = [
        name
        for name in exogenous.columns
        if not pd.api.types.is_numeric_dtype(exogenous[name].dtype)
        and 1 < exogenous[name].nunique() <= max(2, len(times) // 2)
    ]
    hint = (
        f"The table seems to hold several series, one for each value of “{levels[0]}”: keep one of them, or add "
        "them up."
        if levels
        else "Aggregate the rows first, or keep one series in the table."
    )
    raise PlanFailed(
        "user",
        f"More than one row falls on {repeated}; a series has one value for each step. {hint}",
    )


def _interpolate_gaps(values: Column, name: str, reporter: EventReporter) -> Column:
    missing = int(values.isna().sum())
    if not missing:
        return values
    # by position: interpolation does not support a PeriodIndex
    flat = values.reset_index(drop=True).interpolate(limit_direction="both")
    reporter.report_data_change(
        "gaps_filled",
        f"{missing} of {len(values)} values of “{name}” were missing and were interpolated from "
        "their neighbours.",
        [name],
        rows=missing,
    )
    return pd.Series(flat.to_numpy(), index=values.index, name=values.name)
