"""Read a table as a series: find the column of time and the frequency, and fill missing steps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from . import dates, features, portable
from .event_reporter import EventReporter
from .interfaces import Column, Frame, PlanFailed

#: a series with a larger share of missing steps is refused as not evenly spaced
MAX_GAP_SHARE = 0.3
MIN_ROWS = 8
#: largest relative deviation of the time between two rows from the median
_MAX_DEVIATION = 0.1
_WEEKDAYS = 5
#: steps of a season, by the first letters of a pandas frequency
_SEASONS = {"D": 7, "B": 5, "W": 52, "M": 12, "Q": 4, "h": 24, "min": 60, "s": 60}
_MINUTES_OF_DAY = 24 * 60
#: from this frequency in minutes on, the season is a day and not an hour
_COARSE_MINUTES = 5
#: median days between two rows → frequency
_BY_DAYS = (
    (0.9, 1.1, "D"),
    (6.5, 7.5, "W"),
    (27.5, 31.5, "M"),
    (89, 93, "Q"),
    (360, 370, "Y"),
)


@dataclass(slots=True)
class Series:
    """An evenly spaced series.

    `values` : float64 Series of shape (n_steps,) without missing values, with a PeriodIndex, or a
    RangeIndex where there is no time. `exogenous` : DataFrame of shape (n_steps, n_columns) with the
    other columns of the same rows, unchanged, missing in added steps. `freq` : pandas frequency, None
    without time. `index` and `form` : the column of time and its date format (`"%Y"` for years), None
    where time is the index of the DataFrame, or there is none.
    """

    name: str
    values: Column
    exogenous: Frame
    freq: str | None
    index: str | None = None
    form: str | None = None

    @property
    def season(self) -> int:
        """The number of steps of the season that the frequency suggests; 1 for none."""
        return season_of(self.freq)


def read_series(
    frame: Frame, target: str | None, index: str | None, reporter: EventReporter
) -> Series:
    """Read the series in `frame`, DataFrame of shape (n_rows, n_columns).

    `index` names the column of time; if None, it is searched for. Raises `PlanFailed` when the times
    cannot be read, repeat or are not evenly spaced, or when the target has no numbers.
    """
    own_index = frame.index if hasattr(frame, "index") else None
    named = features.with_unique_names(frame, reporter)
    times, named, column, form = _times(named, own_index, target, index, reporter)
    name = _target(named, target, reporter)
    numbers = _numbers(named[name], name)
    exogenous = named.drop(columns=[name])
    if times is None:
        values = pd.Series(numbers, index=pd.RangeIndex(len(numbers)), name=name)
        freq = None
    else:
        values, exogenous, freq = _regularize(numbers, exogenous, times, name, reporter)
    values = _interpolate_gaps(values, name, reporter)
    if len(values) < MIN_ROWS:
        raise PlanFailed("user", f"The series has {len(values)} steps; give at least {MIN_ROWS}.")
    if len(np.unique(values.to_numpy())) == 1:
        raise PlanFailed(
            "user", f"“{name}” is {values.iloc[0]:g} at every step; there is nothing to forecast."
        )
    return Series(name, values, exogenous, freq, column, form)


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


def _times(
    frame: Frame, own_index: Any, target: str | None, index: str | None, reporter: EventReporter
) -> tuple[Any, Frame, str | None, str | None]:
    """Return the DatetimeIndex of the rows (or None), the frame without it, its column and date format."""
    if index is None and isinstance(own_index, (pd.DatetimeIndex, pd.PeriodIndex)):
        return _as_datetimes(own_index), frame, None, None
    if index is not None and str(index) not in frame.columns:
        raise PlanFailed(
            "user",
            f"index names “{index}”, which is no column of the data; it has: "
            f"{features.quote_names(list(frame.columns))}.",
        )
    column = str(index) if index is not None else _find_times(frame, target)
    if column is None:
        reporter.report_data_change(
            "time_missing",
            "No column of dates was found: the rows are taken as evenly spaced, in their order. Name the "
            "column of time in index if there is one.",
        )
        return None, frame, None, None
    if index is None:
        reporter.report_data_change(
            "time_found", f"“{column}” is taken as the time of the rows.", [column]
        )
    times, form = _read_times(frame[column], column)
    return times, frame.drop(columns=[column]), column, form


def _as_datetimes(index: Any) -> Any:
    if isinstance(index, pd.PeriodIndex):
        return index.to_timestamp()
    return index if index.tz is None else index.tz_convert("UTC").tz_localize(None)


def _find_times(frame: Frame, target: str | None) -> str | None:
    for name in frame.columns:
        if name == target:
            continue
        column = frame[name]
        if pd.api.types.is_datetime64_any_dtype(column.dtype) or isinstance(
            column.dtype, pd.PeriodDtype
        ):
            return str(name)
        if pd.api.types.is_numeric_dtype(column.dtype) or column.isna().all():
            continue
        known = column.dropna()
        if all(isinstance(value, str) for value in known) and dates.detect_format(
            known.unique().tolist()
        ):
            return str(name)
        if pd.api.types.infer_dtype(known, skipna=True) in {"date", "datetime"}:
            return str(name)
    return None


def _read_times(column: Column, name: str) -> tuple[Any, str | None]:
    form, written = None, None
    if not pd.api.types.is_datetime64_any_dtype(column.dtype) and not isinstance(
        column.dtype, pd.PeriodDtype
    ):
        if pd.api.types.is_numeric_dtype(column.dtype):
            column, written = _years(column, name), "%Y"
        known = column.dropna()
        form = dates.detect_format([str(value) for value in known.unique()])
    try:
        return portable.read_dates(column, form), written or form
    except ValueError as error:
        raise PlanFailed(
            "user",
            f"“{name}” cannot be read as time: {error}. Write dates as 2024-01-31, or leave index "
            "out when the rows are evenly spaced.",
        ) from error


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


def _numbers(column: Column, name: str) -> Any:
    numbers = pd.to_numeric(column.astype(object), errors="coerce").to_numpy(
        dtype="float64", na_value=np.nan, copy=True
    )
    unread = np.isnan(numbers) & ~portable.is_missing(column.to_numpy(dtype=object))
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
    freq = _frequency(times)
    periods = times.to_period(freq)
    if periods.has_duplicates:
        repeated = periods[periods.duplicated()][0]
        raise PlanFailed(
            "user",
            f"More than one row falls on {repeated}; a series has one value for each step. Aggregate the "
            "rows first, or keep one series in the table.",
        )
    steps = pd.period_range(periods[0], periods[-1], freq=freq)
    missing = len(steps) - len(periods)
    if missing > MAX_GAP_SHARE * len(steps):
        raise PlanFailed(
            "user",
            f"The times are not evenly spaced: {missing} of {len(steps)} steps of “{freq}” are missing. "
            "Give evenly spaced rows, or leave index out to use the order of the rows.",
        )
    if missing:
        reporter.report_data_change(
            "steps_added",
            f"{missing} of {len(steps)} steps are missing in the table and were added without values.",
            steps=missing,
        )
    exogenous = exogenous.set_axis(periods, axis=0).reindex(steps)
    return pd.Series(numbers, index=periods, name=name).reindex(steps), exogenous, freq


def _frequency(times: Any) -> str:
    """Return the pandas period frequency of sorted times, a DatetimeIndex of shape (n_rows,)."""
    unique = times.unique()
    if len(unique) < 3:
        raise PlanFailed("user", "There are fewer than three different times; give more rows.")
    found = pd.infer_freq(unique)
    if found is not None:
        return _period_frequency(found)
    gaps = np.diff(unique.to_numpy()).astype("timedelta64[s]").astype(float) / 86400
    median = float(np.median(gaps))
    if 0.9 <= median <= 1.1 and (unique.dayofweek < _WEEKDAYS).all():
        return "B"
    for low, high, freq in _BY_DAYS:
        if low <= median <= high:
            return f"W-{unique[-1].strftime('%a').upper()}" if freq == "W" else freq
    if np.mean(np.abs(gaps - median) <= _MAX_DEVIATION * median) < 1 - MAX_GAP_SHARE:
        raise PlanFailed(
            "user",
            "The times are not evenly spaced: they are between "
            f"{_format_days(gaps.min())} and {_format_days(gaps.max())} apart. Give evenly spaced rows, or leave "
            "the column of time out to use the order of the rows.",
        )
    seconds = max(1, round(median * 86400))
    for size, letter in ((3600, "h"), (60, "min"), (1, "s")):
        if seconds % size == 0:
            return f"{seconds // size}{letter}" if seconds != size else letter
    return "D"


def _period_frequency(freq: str) -> str:
    """Return the period frequency of an offset: `MS`, `ME` and `BME` → `M`, `QS-JAN` → `Q`, …."""
    step, unit = _split_frequency(freq)
    letter = re.sub(r"^B?([MQYA])(S|E)?$", r"\1", unit).replace("A", "Y")
    if letter not in {"M", "Q", "Y"}:
        return freq
    return letter if step == 1 else f"{step}{letter}"


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
