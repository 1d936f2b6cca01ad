"""Find the steps of a series: every known time is used at its own step, or the series is refused."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .interfaces import PlanFailed

#: share of the steps that must have a value
MIN_KNOWN_SHARE = 1 / 3
_WEEKDAYS = 5
_DAY_S = 86_400
#: days between two rows that are months, quarters or years: (at least, at most, months)
_MONTHS = (
    (27.0, 32.0, 1),
    (58.0, 63.0, 2),
    (88.0, 93.0, 3),
    (119.0, 124.0, 4),
    (180.0, 185.0, 6),
    (360.0, 370.0, 12),
)
_UNITS = ((_DAY_S, "D"), (3600, "h"), (60, "min"), (1, "s"))


@dataclass(frozen=True, slots=True)
class Grid:
    """Evenly spaced steps: `periods` is the PeriodIndex of shape (n_rows,) of the rows, without repetition."""

    freq: str
    periods: Any
    #: rows that were moved to the nearest step, and the longest way
    n_snapped: int = 0
    max_shift_days: float = 0.0


@dataclass(frozen=True, slots=True)
class MonthDay:
    """The day of its month that each time is on."""

    #: -1 for the last one
    day: int = 1
    #: whether it is the first or last one of Monday to Friday
    is_business_day: bool = False


FIRST_DAY = MonthDay()


def month_day(times: Any) -> MonthDay | None:
    """Return the day of its month that all times have, a DatetimeIndex of shape (n_rows,); None for several days."""
    if times.is_month_end.all():
        return MonthDay(-1)
    if len(set(times.day)) == 1:
        return MonthDay(int(times[0].day))
    months = times.to_period("M")
    if months.has_duplicates:
        return None
    days, first, last = (
        moments.to_numpy().astype("datetime64[D]")
        for moments in (times, months.start_time, months.end_time)
    )
    if (days == np.busday_offset(last, 0, roll="backward")).all():
        return MonthDay(-1, is_business_day=True)
    if (days == np.busday_offset(first, 0, roll="forward")).all():
        return MonthDay(1, is_business_day=True)
    return None


def find_grid(times: Any) -> Grid:
    """Return the steps of sorted, distinct times, a DatetimeIndex of shape (n_rows,).

    Raises `PlanFailed` when there is no step on which all times lie, or less than a third of its steps have a row.
    """
    if len(times) < 3:
        raise PlanFailed("user", "There are fewer than three different times; give more rows.")
    gaps_s = np.diff(times.to_numpy()).astype("timedelta64[ms]").astype(float) / 1000
    for find in (_calendar, _business_days, _weeks, _exact, _snapped, _finest):
        grid = find(times, gaps_s)
        if grid is not None:
            return grid
    raise _not_even(times, gaps_s)


def _grid(times: Any, freq: str) -> Grid | None:
    """Return the grid of a frequency on which all times lie, None where too few of its steps have a row."""
    periods = times.to_period(freq)
    if periods.has_duplicates:
        return None
    steps = pd.period_range(periods[0], periods[-1], freq=freq)
    if len(periods) < MIN_KNOWN_SHARE * len(steps) or not periods.isin(steps).all():
        return None
    return Grid(freq, periods)


def _calendar(times: Any, gaps_s: Any) -> Grid | None:
    """Months, quarters and years: on one day of the month, or the first or last business day."""
    median = float(np.median(gaps_s)) / _DAY_S
    if not any(low <= median <= high for low, high, _ in _MONTHS):
        return None
    found = month_day(times)
    if found is None:
        return None
    is_last = found.day == -1
    months = np.asarray(times.year) * 12 + np.asarray(times.month)
    step = math.gcd(*(int(gap) for gap in np.diff(months)))
    if step == 0:
        return None
    first = int(times[0].month)
    freq = f"{step}M" if step > 1 else "M"
    if step == 3 and first % 3 == (0 if is_last else 1):
        freq = "Q"
    elif step == 12 and first == (12 if is_last else 1):
        freq = "Y"
    return _grid(times, freq)


def _business_days(times: Any, gaps_s: Any) -> Grid | None:
    is_daily = float(np.median(gaps_s)) == _DAY_S and (gaps_s % _DAY_S == 0).all()
    if not is_daily or not (times.dayofweek < _WEEKDAYS).all() or len(times) <= _WEEKDAYS:
        return None
    return _grid(times, "B")


def _weeks(times: Any, gaps_s: Any) -> Grid | None:
    """Weeks that begin on the weekday of the times."""
    if (gaps_s % (7 * _DAY_S)).any() or (times != times.normalize()).any():
        return None
    step = math.gcd(*(int(gap) // (7 * _DAY_S) for gap in gaps_s))
    end = (times[0] - pd.Timedelta(days=1)).strftime("%a").upper()
    return _grid(times, f"{step if step > 1 else ''}W-{end}")


def _exact(times: Any, gaps_s: Any) -> Grid | None:
    """The most frequent time between two rows, where all times lie on it."""
    step = float(np.median(gaps_s))
    if step < 1 or step != int(step) or (gaps_s % step).any():
        return None
    return _grid(times, _frequency(int(step)))


def _snapped(times: Any, gaps_s: Any) -> Grid | None:
    """The most frequent time between two rows; times less than half of it away are moved to their step."""
    step = float(round(float(np.median(gaps_s))))
    if step < 1:
        return None
    offsets = np.concatenate([[0.0], np.cumsum(gaps_s)])
    places = np.round(offsets / step)
    shifts = np.abs(offsets - places * step)
    if (shifts >= step / 2).any() or (np.diff(places) < 1).any():
        return None
    moved = times[0] + pd.to_timedelta(places * step, unit="s")
    grid = _grid(pd.DatetimeIndex(moved), _frequency(int(step)))
    if grid is None:
        return None
    return Grid(grid.freq, grid.periods, int((shifts > 0).sum()), float(shifts.max()) / _DAY_S)


def _finest(times: Any, gaps_s: Any) -> Grid | None:
    """The longest step on which all times lie."""
    if (gaps_s != np.floor(gaps_s)).any():
        return None
    step = math.gcd(*(int(gap) for gap in gaps_s))
    return _grid(times, _frequency(step)) if step else None


def _frequency(seconds: int) -> str:
    """Return the pandas frequency of a number of seconds: 900 → `15min`."""
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    return unit if seconds == size else f"{seconds // size}{unit}"


def _not_even(times: Any, gaps_s: Any) -> PlanFailed:
    median = float(np.median(gaps_s))
    place = int(np.argmax(np.abs(gaps_s - median)))
    return PlanFailed(
        "user",
        f"The times are not evenly spaced: most are {_text(median)} apart, but {times[place]} and "
        f"{times[place + 1]} are {_text(gaps_s[place])} apart. Give evenly spaced rows, or leave the column of time "
        "out to use the order of the rows.",
    )


def _text(seconds: float) -> str:
    return str(pd.Timedelta(seconds=seconds).round("s")).removesuffix(" 00:00:00")
