"""Time series: every model scored, forecasts that continue the series."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest

from jupyter_pycaret_ops.common.protocol import DataSpec, RunSpec
from jupyter_pycaret_ops.kernel import engine
from jupyter_pycaret_ops.kernel.engine import PlanFailed, portable
from jupyter_pycaret_ops.kernel.engine.scoring.forecasting import forecast_metrics
from jupyter_pycaret_ops.kernel.engine.seasonality import has_season
from jupyter_pycaret_ops.kernel.engine.series import season_of
from jupyter_pycaret_ops.kernel.engine.serving_frame import to_frame


@pytest.fixture
def forecast(recorder):
    """`forecast(frame, "sales", model_id="naive", index="day", …set-up)`."""

    def run(frame, target="y", plan="create", model_id=None, params=None, **setup):
        spec = RunSpec(
            run_id="r",
            attempt=1,
            task="time_series",
            plan=plan,
            data=DataSpec("frame"),
            target=target,
            model_id=model_id or ("naive" if plan == "create" else None),
            setup_params={"session_id": 1, **setup},
            plan_params=params or {},
        )
        return engine.run_plan(spec, frame, recorder)

    return run


def months(steps=72, noise=1.0):
    """A trend with a season of 12, from January 2018."""
    random = np.random.default_rng(0)
    at = np.arange(steps)
    values = 100 + at + 10 * np.sin(2 * np.pi * at / 12) + random.normal(0, noise, steps)
    return pd.DataFrame(
        {"month": pd.date_range("2018-01-01", periods=steps, freq="MS"), "y": values}
    )


def refused(run, *args, **kwargs):
    with pytest.raises(PlanFailed) as raised:
        run(*args, **kwargs)
    assert raised.value.kind == "user"
    return raised.value.message


def test_naive_forecast_repeats_last_value_with_times(forecast, recorder):
    frame = months()
    result = forecast(frame, horizon=6)
    (record,) = result.leaderboard
    assert set(record) >= {"MASE", "RMSSE", "MAE", "RMSE", "MAPE", "SMAPE", "R2"}
    assert len(record["folds"]) == 3
    pipeline = recorder.pipeline("naive")
    ahead = pipeline.predict(pd.DataFrame(index=range(4)))
    assert ahead == pytest.approx([frame["y"].iloc[-1]] * 4)
    assert pipeline.times([1, 2, 13]) == ["2024-01-01", "2024-02-01", "2025-01-01"]
    kept = list(csv.DictReader(io.StringIO(recorder.artifacts["forecast.csv"].decode())))
    assert [row["time"] for row in kept][:2] == ["2024-01-01", "2024-02-01"]
    assert len(kept) == 6
    assert recorder.schema["example"] == {}


@pytest.mark.parametrize("model_id", ["naive", "theta"])
def test_forecast_metrics_equal_those_of_sktime(forecast, model_id):
    """The engine's own are of the 5 % quantile where a model has one, and missing elsewhere."""
    from sktime.forecasting.model_evaluation import evaluate
    from sktime.performance_metrics import forecasting as measures
    from sktime.split import ExpandingWindowSplitter

    frame = months()
    record = forecast(frame, model_id=model_id, horizon=6).leaderboard[0]
    series = frame.set_index("month")["y"].to_period("M")[:-6]
    scoring = {
        "MASE": measures.MeanAbsoluteScaledError(sp=12),
        "RMSSE": measures.MeanSquaredScaledError(sp=12, square_root=True),
        "MAE": measures.MeanAbsoluteError(),
        "RMSE": measures.MeanSquaredError(square_root=True),
    }
    from sktime.forecasting.naive import NaiveForecaster
    from sktime.forecasting.theta import ThetaForecaster

    theirs = evaluate(
        NaiveForecaster() if model_id == "naive" else ThetaForecaster(sp=12),
        ExpandingWindowSplitter(fh=range(1, 7), initial_window=48, step_length=6),
        series,
        scoring=list(scoring.values()),
    )
    for metric, measure in scoring.items():
        column = theirs[f"test_{measure.name}"]
        assert record[metric] == pytest.approx(column.mean(), rel=1e-6), metric
        if metric == "MASE":
            assert record["folds"] == pytest.approx(list(column), rel=1e-6)


def test_relative_metrics_equal_those_of_the_libraries():
    from sklearn.metrics import mean_absolute_percentage_error, r2_score
    from sktime.performance_metrics.forecasting import (
        mean_absolute_percentage_error as of_sktime,
    )

    random = np.random.default_rng(5)
    truth, said = random.uniform(5, 9, 12), random.uniform(5, 9, 12)
    found = forecast_metrics(truth, said, np.arange(40.0), 4)
    assert found["MAPE"] == pytest.approx(mean_absolute_percentage_error(truth, said))
    assert found["SMAPE"] == pytest.approx(of_sktime(truth, said, symmetric=True))
    assert found["R2"] == pytest.approx(r2_score(truth, said))


def test_rmse_is_a_root():
    found = forecast_metrics(np.array([1.0, 5.0]), np.array([1.0, 1.0]), np.arange(10.0), 1)
    assert found["RMSE"] == pytest.approx(np.sqrt(8))
    assert np.isnan(forecast_metrics(np.array([2.0]), np.array([1.0]), np.arange(5.0), 1)["R2"])
    with pytest.raises(ValueError, match="no numbers"):
        forecast_metrics(np.array([2.0]), np.array([np.nan]), np.arange(5.0), 1)


def test_every_default_forecaster_is_scored(forecast, recorder):
    quick = ["naive", "snaive", "ets", "exp_smooth", "theta", "croston", "polytrend", "stlf"]
    reduced = ["lr_cds_dt", "rf_cds_dt", "lightgbm_cds_dt", "huber_cds_dt"]
    result = forecast(
        months(), plan="compare", params={"include": [*quick, *reduced]}, horizon=6, fold=2
    )
    assert recorder.payloads("model.failed") == []
    board = result.leaderboard
    assert len(board) == len(quick) + len(reduced)
    assert all(record["MASE"] is not None for record in board)
    values = [record["MASE"] for record in board]
    assert values == sorted(values)
    # a season and a trend that a naive forecast does not see
    assert board[0]["model_id"] not in {"naive", "croston"}


def test_season_of_series_with_trend_reaches_the_models(forecast, recorder):
    forecast(months(), model_id="ets")
    assert recorder.change("season_found")["season"] == 12
    assert recorder.payloads("data.split")[0]["season"] == 12
    assert recorder.pipeline("ets").forecaster.sp == 12


def test_series_without_season_has_none(forecast, recorder):
    random = np.random.default_rng(3)
    frame = pd.DataFrame(
        {"day": pd.date_range("2024-01-01", periods=60), "y": random.normal(size=60)}
    )
    forecast(frame)
    assert recorder.payloads("data.split")[0]["season"] == 1


@pytest.mark.parametrize(
    ("freq", "season"),
    [
        ("D", 7),
        ("B", 5),
        ("W-SUN", 52),
        ("M", 12),
        ("Q-DEC", 4),
        ("Y-DEC", 1),
        ("h", 24),
        ("15min", 96),
        ("2h", 12),
        ("min", 60),
        (None, 1),
    ],
)
def test_season_of_frequency(freq, season):
    assert season_of(freq) == season


def test_has_season_detects_autocorrelation():
    at = np.arange(96)
    assert has_season(np.sin(2 * np.pi * at / 12) + 0.5 * at, 12)
    assert not has_season(0.5 * at, 12)
    assert not has_season(np.sin(2 * np.pi * at[:20] / 12), 12)
    assert not has_season(np.random.default_rng(1).normal(size=96), 12)


@pytest.mark.parametrize(
    ("dates", "second"),
    [
        (pd.date_range("2024-01-31", periods=30, freq="ME"), "2026-08-31"),
        (pd.date_range("2024-01-15", periods=30, freq="MS") + pd.Timedelta(days=14), "2026-09-15"),
        (pd.date_range("2024-01-01", periods=30, freq="QS"), "2031-10-01"),
        (pd.date_range("2024-03-31", periods=30, freq="QE"), "2031-12-31"),
        (pd.date_range("2024-02-29", periods=30, freq="QE-FEB"), "2031-11-30"),
        (pd.date_range("2024-01-01", periods=30, freq="BME"), "2026-08-31"),
        (pd.date_range("2024-01-01", periods=30, freq="BMS"), "2026-08-03"),
        (pd.date_range("2024-01-01", periods=30, freq="BQE"), "2031-12-31"),
        (pd.date_range("2024-01-01", periods=30, freq="BQE-FEB"), "2031-11-28"),
        (pd.date_range("2024-01-01", periods=30, freq="BQS-JAN"), "2031-10-01"),
        (pd.date_range("1990-01-01", periods=30, freq="BYE"), "2021-12-31"),
        (pd.date_range("1990-01-01", periods=30, freq="BYS"), "2021-01-01"),
        (pd.date_range("2024-01-01", periods=30, freq="B"), "2024-02-13"),
        (pd.date_range("2024-01-07", periods=30, freq="W"), "2024-08-11"),
        (pd.date_range("2024-01-03", periods=30, freq="W-WED"), "2024-08-07"),
        (pd.date_range("2024-01-07", periods=30, freq="4W"), "2026-05-24"),
        (pd.date_range("2024-01-01", periods=30, freq="2D"), "2024-03-03"),
        (pd.date_range("2024-01-01", periods=30, freq="h"), "2024-01-02T07:00:00"),
        (pd.date_range("2024-01-01", periods=30, freq="15min"), "2024-01-01T07:45:00"),
        (pd.date_range("2024-01-01 00:07", periods=30, freq="15min"), "2024-01-01T07:52:00"),
        (pd.date_range("1990-01-01", periods=30, freq="YS"), "2021-01-01"),
        (pd.date_range("1990-12-31", periods=30, freq="YE"), "2021-12-31"),
    ],
    ids=lambda value: getattr(value, "freqstr", None),
)
def test_frequency_is_inferred(forecast, recorder, dates, second):
    frame = pd.DataFrame({"t": dates.astype(str), "y": np.arange(30) % 4 + 1.0})
    forecast(frame, horizon=2)
    assert recorder.pipeline("naive").times([2]) == [second]


def test_forecaster_that_was_stored_without_business_days_answers_its_times():
    stored = portable.Forecaster.__new__(portable.Forecaster)
    stored.__dict__.update(last=pd.Period("2024-01", "M"), day=-1, offset=None)
    assert stored.times([1, 2]) == ["2024-02-29", "2024-03-31"]


def test_numeric_years_are_time_when_named(forecast, recorder):
    frame = pd.DataFrame({"year": range(1990, 2020), "y": np.arange(30) % 4 + 1.0})
    forecast(frame, index="year", horizon=2)
    assert recorder.pipeline("naive").times([1]) == ["2020-01-01"]


def test_unordered_rows_with_gaps_are_sorted_and_filled(forecast, recorder):
    frame = months(60).drop(index=[10, 11]).sample(frac=1, random_state=1)
    frame.loc[20, "y"] = np.nan
    forecast(frame)
    assert recorder.change("rows_sorted")
    assert recorder.change("steps_added")["steps"] == 2
    assert recorder.change("gaps_filled")["rows"] == 3
    assert recorder.change("time_found")["columns"] == ["month"]


def test_rows_without_time_are_evenly_spaced_steps(forecast, recorder):
    frame = pd.DataFrame({"y": np.arange(30) % 5 + 1.0})
    forecast(frame, target=None, horizon=3)
    assert recorder.change("time_missing")
    assert recorder.change("target_found")["columns"] == ["y"]
    assert recorder.pipeline("naive").times([1, 2]) == [30, 31]


def test_time_index_of_dataframe_is_used(forecast, recorder):
    frame = months().set_index("month")
    forecast(frame)
    assert recorder.pipeline("naive").times([1]) == ["2024-01-01"]


def test_exogenous_columns_are_used_and_required(forecast, recorder):
    frame = months()
    frame["price"] = np.linspace(1, 3, len(frame))
    frame["promotion"] = np.where(np.arange(len(frame)) % 3, "no", "yes")
    frame["y"] = 50 * frame["price"] + 20 * (frame["promotion"] == "yes")
    forecast(frame, model_id="lr_cds_dt", horizon=4)
    assert recorder.change("exogenous_columns")["columns"] == ["price", "promotion"]
    schema = recorder.schema
    assert [c["name"] for c in schema["columns"]] == ["price", "promotion"]
    pipeline = recorder.pipeline("lr_cds_dt")
    rows = [[3.1, "yes"], [3.1, "no"], [3.2, "yes"]]
    sent = to_frame(schema, rows)
    ahead = pipeline.predict(sent)
    assert len(ahead) == 3
    together = pipeline.predict_steps([1, 2, 3, 1, 2], to_frame(schema, [*rows, *rows[:2]]))
    assert together == pytest.approx([*ahead, *ahead[:2]])
    assert "forecast.csv" not in recorder.artifacts


def test_steps_of_several_requests_are_predicted_separately(forecast, recorder):
    forecast(months(), model_id="theta")
    pipeline = recorder.pipeline("theta")
    ahead = pipeline.predict(pd.DataFrame(index=range(3)))
    rows = pd.DataFrame(index=range(5))
    assert pipeline.predict_steps([1, 2, 3, 1, 2], rows) == pytest.approx([*ahead, *ahead[:2]])


def test_folds_and_horizon_are_limited_by_the_data(forecast, recorder):
    frame = months(24)
    forecast(frame, horizon=5, fold=5)
    assert recorder.change("folds_reduced")["folds"] == 3
    assert "at most 9" in refused(forecast, frame, horizon=12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.assign(y="lots"), "a forecast needs numbers"),
        (lambda f: f.assign(y=np.nan), "no value in any row"),
        (lambda f: f.assign(y=7.0), "nothing to forecast"),
        (lambda f: pd.concat([f, f]), "More than one row falls on 2018-01"),
        (lambda f: f.assign(month=["soon"] * len(f)), "cannot be read as time"),
        (lambda f: f.head(5), "at least 8"),
        (lambda f: f.iloc[np.cumsum(np.arange(11))], "not evenly spaced"),
    ],
    ids=["text", "empty", "constant", "twice", "no dates", "short", "irregular"],
)
def test_series_that_cannot_be_forecast_is_refused_with_advice(forecast, change, message):
    assert message in refused(forecast, change(months()), index="month", horizon=2)


def test_unknown_column_names_are_refused(forecast):
    assert "“day”, which is no column" in refused(forecast, months(), index="day")
    assert "seasonal_period 40" in refused(forecast, months(), seasonal_period=40)
    assert "bogus" in refused(forecast, months(), bogus=1)


def test_forecaster_is_tuned(forecast, recorder):
    result = forecast(months(), plan="tune", model_id="exp_smooth", params={"n_iter": 3}, fold=2)
    assert {r["model_id"] for r in result.leaderboard} >= {"exp_smooth"}
    assert recorder.payloads("model.tuned")[0]["tried"]


@pytest.mark.usefixtures("drawn")
def test_plots_are_json_with_timestamps(forecast, recorder):
    forecast(months(), model_id="theta", horizon=6)
    drawn = {
        n.removeprefix("plot-").removesuffix(".json") for n in recorder.artifacts if "plot-" in n
    }
    assert drawn == {"forecast", "decomposition", "acf", "pacf", "residuals"}
    figure = json.loads(recorder.artifacts["plot-forecast.json"])
    stamps = [str(x) for trace in figure["data"] for x in trace["x"]]
    assert any(stamp.startswith("2023-07") for stamp in stamps)


@pytest.mark.usefixtures("drawn")
def test_forecast_leaves_global_state_unchanged(forecast, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    before = np.random.get_state()[1].tolist()
    forecast(months(), model_id="lightgbm_cds_dt", horizon=3, fold=2)
    forecast(months(), model_id="catboost_cds_dt", horizon=3, fold=2)
    assert np.random.get_state()[1].tolist() == before
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")
