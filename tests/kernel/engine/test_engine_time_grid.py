"""Steps of a series: every known value at its own time, or the series is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from jupyter_pycaret_ops.kernel.engine import PlanFailed
from jupyter_pycaret_ops.kernel.engine.time_grid import MonthDay, find_grid, month_day


def times(*parts):
    return pd.DatetimeIndex(
        np.concatenate([np.asarray(part, dtype="datetime64[ns]") for part in parts])
    )


def test_times_off_the_grid_are_moved_to_the_nearest_step():
    first = pd.date_range("2024-01-01", periods=8, freq="15min")
    after = pd.date_range("2024-01-01 02:07", periods=8, freq="15min")
    grid = find_grid(times(first, after))
    assert (grid.freq, grid.n_snapped) == ("15min", 8)
    assert grid.max_shift_days * 24 * 60 == pytest.approx(7)
    assert list(grid.periods) == list(pd.period_range("2024-01-01", periods=16, freq="15min"))


def test_times_half_a_step_away_are_on_a_finer_step():
    first = pd.date_range("2024-01-01", periods=8, freq="h")
    after = pd.date_range("2024-01-01 08:30", periods=8, freq="h")
    grid = find_grid(times(first, after))
    assert (grid.freq, grid.n_snapped) == ("30min", 0)
    assert len(set(grid.periods)) == 16


def test_missing_steps_are_counted_by_matching():
    days = pd.date_range("2024-01-01", periods=60)
    grid = find_grid(days.delete([5, 6, 30]))
    assert grid.freq == "D"
    assert (
        len(pd.period_range(grid.periods[0], grid.periods[-1], freq="D")) - len(grid.periods) == 3
    )


def test_weeks_with_gaps_keep_their_weekday():
    weeks = pd.date_range("2024-01-03", periods=30, freq="W-WED").delete([4])
    grid = find_grid(weeks)
    assert {period.start_time.day_name() for period in grid.periods} == {"Wednesday"}


@pytest.mark.parametrize(("freq", "day"), [("BME", -1), ("BMS", 1)])
def test_business_days_of_months_are_steps_of_months(freq, day):
    days = pd.date_range("2024-01-01", periods=40, freq=freq).delete([7, 20])
    grid = find_grid(days)
    assert (grid.freq, grid.n_snapped) == ("M", 0)
    assert list(grid.periods) == list(days.to_period("M"))
    assert month_day(days) == MonthDay(day, is_business_day=True)


def test_ends_of_months_are_no_business_days():
    assert month_day(pd.date_range("2024-01-31", periods=12, freq="ME")) == MonthDay(-1)


def test_months_with_a_day_that_is_no_business_day_have_several_days():
    days = pd.date_range("2024-01-01", periods=12, freq="BME")
    assert month_day(days[:-1].append(days[-1:] - pd.Timedelta(days=1))) is None


def test_less_than_a_third_of_the_steps_is_refused_with_two_rows():
    odd = pd.DatetimeIndex(
        ["2024-01-01", "2024-01-02", "2024-01-04 07:13:11", "2024-03-05", "2024-03-09"]
    )
    with pytest.raises(PlanFailed) as error:
        find_grid(odd)
    assert "2024-01-04 07:13:11 and 2024-03-05 00:00:00" in error.value.message


@pytest.mark.parametrize("seed", range(20))
def test_no_known_value_is_dropped_or_moved_onto_another(seed):
    random = np.random.default_rng(seed)
    base = pd.date_range(
        "2024-01-01", periods=200, freq=str(random.choice(["7min", "h", "D", "2D"]))
    )
    kept = np.sort(random.choice(200, size=120, replace=False))
    chosen = base[kept]
    grid = find_grid(chosen)
    assert len(grid.periods) == len(chosen)
    assert not grid.periods.has_duplicates
    assert (grid.periods.start_time == chosen).all() or grid.n_snapped


def test_repeated_times_name_the_column_of_several_series(plan):
    day = pd.date_range("2024-01-01", periods=20).repeat(2).astype(str)
    frame = pd.DataFrame({"day": day, "shop": ["a", "b"] * 20, "y": np.arange(40.0)})
    with pytest.raises(PlanFailed) as error:
        plan(frame, "y", task="time_series", model_id="naive")
    assert "one for each value of “shop”" in error.value.message


def test_row_with_a_value_and_no_time_is_refused(plan):
    frame = pd.DataFrame(
        {"date": [*pd.date_range("2024-01-01", periods=40).astype(str), "Total"], "y": range(41)}
    )
    with pytest.raises(PlanFailed) as error:
        plan(frame, "y", task="time_series", model_id="naive")
    assert "Row 41 has the value 40" in error.value.message
    assert "“Total”" in error.value.message


def test_dates_that_cannot_be_read_are_never_taken_in_file_order(plan):
    dates = [*pd.date_range("2024-01-01", periods=30).astype(str), *["soon"] * 10]
    frame = pd.DataFrame({"date": dates, "y": np.arange(40.0) % 7})
    with pytest.raises(PlanFailed) as error:
        plan(frame, "y", task="time_series", model_id="naive")
    assert "“date” looks like dates" in error.value.message
    assert "“soon”" in error.value.message
