"""Time series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from jupyter_pycaret_ops.common.engine_facts import DEFAULT_SEED
from jupyter_pycaret_ops.common.protocol import JSON, RunSpec
from jupyter_pycaret_ops.common.task_types import TIME_SERIES

from ...reading.columns import ReadingSettings, file_settings
from .. import features, input_schema, out_of_fold, plots, portable
from .. import series as reading
from ..error_messages import describe_error
from ..event_reporter import EventReporter
from ..experiments import ForecastExperiment
from ..interfaces import Column, Estimator, Frame, PlanFailed
from ..json_values import plain
from ..leaderboard import Scored
from ..limits import Limits
from ..notebook_objects import NO_OBJECTS, NotebookObjects
from ..parameters import Param
from ..prepared_task import PreparedTask
from ..reading_params import READING_PARAMS, reading_settings
from ..scoring.forecasting import ForecastScorer, fit_forecaster, forecast_metrics
from ..seasonality import has_season
from .base import Task

#: default number of steps to forecast for a series without a season
_DEFAULT_STEPS = 6
#: smallest number of steps to train a fold on
_MIN_WINDOW = 4
FORECAST = "forecast.csv"

_OWN_PARAMS = [
    Param(
        "index",
        {"type": ["string", "null"]},
        None,
        "The column of time; found automatically if none is named.",
    ),
    Param(
        "horizon",
        {"type": ["integer", "null"], "minimum": 1, "maximum": 10_000},
        None,
        "Steps to forecast; one season if none is given.",
    ),
    *READING_PARAMS,
]


@dataclass(kw_only=True)
class PreparedForecast(PreparedTask):
    """A prepared task with `series` and `table`, the exogenous columns, None where there are none."""

    experiment: ForecastExperiment
    series: reading.Series
    table: features.Table | None

    def final_pipeline(self, estimator: Estimator) -> Estimator:
        """Return a `portable.Forecaster`, fitted on all steps."""
        transformer = None if self.table is None else _exogenous_transformer(self.table)
        exogenous = None
        values = self.series.values
        if transformer is not None and self.table is not None:
            exogenous = transformer.fit(self.table.raw).transform(self.table.raw)
            exogenous = exogenous.set_axis(values.index, axis=0)
        fitted = fit_forecaster(estimator, values, exogenous, self.experiment.horizon)
        offset = (self.series.spelling or {}).get("offset")
        day = self.series.day
        return portable.Forecaster(
            fitted, transformer, values.index[-1], day.day, offset, day.is_business_day
        )

    def input_schema(self, pipeline: Estimator) -> JSON:
        """Describe the exogenous columns, one row for each step ahead."""
        if self.table is None:
            columns: JSON = {"columns": [], "example": {}}
        else:
            columns = {}
        described = input_schema.describe_input(
            self.table or features.Table(pd.DataFrame(index=range(1)), [], {}),
            task=self.task.id,
            target=self.target,
            labels=None,
            proba=False,
        )
        return {**described, **columns, "horizon": self.experiment.horizon}

    def reading(self) -> dict[str, JSON]:
        """See `PreparedTask.reading`."""
        series = self.series
        own = {
            name: {**reading.to_json(), "used": reading.values}
            for name, reading in series.readings.items()
        }
        own[series.name]["used"] = series.n_known
        return own | ({} if self.table is None else self.table.reading())

    def snapshot_facts(self) -> JSON:
        """Return how the table was read as a series, so that it can be repeated."""
        series = self.series
        return {
            "series": {
                "index": series.index,
                "spelling": series.spelling,
                "freq": series.freq,
                "season": self.experiment.season,
                "horizon": self.experiment.horizon,
                "folds": self.scorer.n_folds,
                "others": [] if self.table is None else list(self.table.raw.columns),
            }
        }

    def baseline_name(self) -> str:
        """Return what the naive forecaster answers."""
        return "Last value"

    def baseline_words(self) -> str:
        """Return what the naive forecaster does."""
        return "repeating the last value"

    @property
    def holdout_rows(self) -> int | None:
        """The number of steps that are held out: one horizon."""
        return self.experiment.horizon

    def score_holdout(self, fitted: Estimator) -> JSON | None:
        """Score the forecast of the last horizon; see `PreparedTask.score_holdout`."""
        experiment = self.experiment
        forecast = experiment.holdout_forecast(fitted)
        return plain(  # type: ignore[no-any-return]
            forecast_metrics(
                experiment.test.to_numpy(),
                np.ravel(forecast),
                experiment.train.to_numpy(),
                experiment.season,
            )
        )

    def store_outputs(self, model: Scored) -> None:
        """Store the forecasts of each fold; `row` is the place of a step in the series."""
        assert isinstance(self.scorer, ForecastScorer)
        values = self.scorer.series
        index = values.index
        times = index.to_timestamp() if isinstance(index, pd.PeriodIndex) else index
        out_of_fold.store(
            self.reporter,
            model,
            self.scorer.splits,
            rows=np.arange(len(values)),
            given=values.to_numpy(),
            labels=None,
            times=times.to_numpy(),
        )

    @property
    def n_rows(self) -> int:
        """The number of steps of the series."""
        return len(self.series.values)

    def save_extras(self, best: Scored, pipeline: Estimator | None) -> None:
        """Store the forecast of the next steps, unless it needs future values of exogenous columns."""
        if pipeline is None or self.table is not None:
            return
        horizon = self.experiment.horizon
        forecast = pd.DataFrame(
            {
                "time": pipeline.times(range(1, horizon + 1)),
                "forecast": pipeline.predict(pd.DataFrame(index=range(horizon))),
            }
        )
        content = forecast.to_csv(index=False).encode()
        self.reporter.store(FORECAST, "forecast", content, "text/csv", best.model_id)

    def draw(self, pipeline: Estimator, plot: str, left_s: float) -> JSON | None:
        """Draw with the engine on timestamps: its figures of periods cannot be written as JSON."""
        from pycaret.plots import time_series as engine_plots

        values = _with_timestamps(self.series.values)
        if plot in ("acf", "pacf"):
            return plots.as_json(getattr(engine_plots, plot)(values))
        if plot == "decomposition":
            season = self.experiment.season
            if season < 2:
                return None
            return plots.as_json(engine_plots.decomposition(values, period=season))
        forecast = _with_timestamps(self.experiment.holdout_forecast(pipeline))
        truth = _with_timestamps(self.experiment.test)
        if plot == "forecast":
            history = _with_timestamps(self.experiment.train)
            return plots.as_json(
                engine_plots.forecast(y_true=truth, y_pred=forecast, history=history)
            )
        return plots.as_json(engine_plots.residual_diagnostics(truth, forecast))


class TimeSeries(Task):
    """Forecast the next steps of a series."""

    type = TIME_SERIES
    baseline: ClassVar[str | None] = "naive"
    plots: ClassVar[dict[str, str]] = {
        "forecast": "Forecast of the steps held out",
        "decomposition": "Trend, season and rest",
        "acf": "Autocorrelation",
        "pacf": "Partial autocorrelation",
        "residuals": "Residuals",
    }

    def own_params(self) -> list[Param]:
        """Return `index`, `horizon` and the parameters that say how columns are read."""
        return _OWN_PARAMS

    def setup_params(self) -> list[Param]:
        """Return the set-up parameters, with the engine's `fh` as an alias of `horizon`."""
        return [
            Param(
                param.name,
                {"type": ["integer", "null"], "minimum": 1},
                None,
                "The same as horizon.",
            )
            if param.name == "fh"
            else param
            for param in super().setup_params()
        ]

    def toy_experiment(self, reporter: EventReporter) -> ForecastExperiment:
        """Return an experiment on four years of months with a season, which some models need."""
        index = pd.period_range("2020-01", periods=48, freq="M")
        data = pd.DataFrame({"y": [10.0 + i + (i % 12) for i in range(48)]}, index=index)
        settings = {"session_id": DEFAULT_SEED, "target": "y", "fh": 3}
        return ForecastExperiment(self.engine_class(), data, reporter, settings, 12)

    def prepare(
        self,
        spec: RunSpec,
        frame: Frame,
        reporter: EventReporter,
        limits: Limits,
        metric: str | None,
        own: NotebookObjects = NO_OBJECTS,
    ) -> PreparedForecast:
        """See `Task.prepare`."""
        settings = self._read_settings(spec)
        named = features.with_unique_names(frame, reporter)
        how = reading_settings(settings, named.columns, file=file_settings(spec.data))
        own_index = getattr(frame, "index", None)
        series = reading.read_series(
            named, own_index, spec.target, settings["index"], reporter, how
        )
        table = _read_exogenous(series, settings["ignore_features"], reporter, how)
        season = self._season_length(series, settings["seasonal_period"], reporter)
        horizon = self._horizon(series, settings, season)
        folds = _folds(len(series.values) - horizon, horizon, season, settings["fold"], reporter)
        reporter.checkpoint()
        settings = {**settings, "horizon": horizon, "fh": horizon, "seasonal_period": season}
        experiment = self._fit(series, table, settings, reporter)
        name, is_greater_better = self._metric(experiment, metric)
        sizes = {"train": experiment.n_rows, "test": horizon}
        reporter.report(
            "data.split",
            f"{sizes['train']} steps to train on, the last {horizon} held out, {folds} folds, "
            + (f"a season of {season} steps" if season > 1 else "no season"),
            {**sizes, "folds": folds, "season": season, "freq": series.freq},
        )
        return PreparedForecast(
            spec=spec,
            reporter=reporter,
            limits=limits,
            task=self,
            experiment=experiment,
            scorer=experiment.scorer(folds),
            settings=settings,
            metric=name,
            greater_is_better=is_greater_better,
            target=series.name,
            series=series,
            table=table,
        )

    def _season_length(
        self, series: reading.Series, given: int | None, reporter: EventReporter
    ) -> int:
        if given is not None:
            if 2 * given > len(series.values):
                raise PlanFailed(
                    "user",
                    f"seasonal_period {given} needs at least {2 * given} steps; there are "
                    f"{len(series.values)}.",
                )
            return given
        season = series.season
        if season > 1 and has_season(series.values.to_numpy(), season):
            reporter.report_data_change(
                "season_found", f"The series repeats every {season} steps.", season=season
            )
            return season
        return 1

    def _horizon(self, series: reading.Series, settings: JSON, season: int) -> int:
        steps = len(series.values)
        horizon = settings["horizon"] or settings["fh"]
        maximum = steps - _MIN_WINDOW - 1
        if horizon is None:
            horizon = min(season if season > 1 else _DEFAULT_STEPS, max(1, steps // 4))
        # a hold-out, and at least one fold of the same length before it
        if 2 * horizon > maximum:
            raise PlanFailed(
                "user",
                f"To forecast {horizon} steps, at least {2 * horizon + _MIN_WINDOW + 1} are needed; there "
                f"are {steps}. Give more rows or a horizon of at most {maximum // 2}.",
            )
        return int(horizon)

    def _fit(
        self,
        series: reading.Series,
        table: features.Table | None,
        settings: JSON,
        reporter: EventReporter,
    ) -> ForecastExperiment:
        data = series.values.to_frame()
        if table is not None:
            train = len(series.values) - settings["horizon"]
            exogenous = _exogenous_transformer(table).fit(table.raw[:train]).transform(table.raw)
            data = data.join(exogenous.set_axis(series.values.index, axis=0))
        own = {param.name for param in _OWN_PARAMS}
        engine_settings = {k: v for k, v in settings.items() if k not in own} | {
            "target": series.name,
            "seasonal_period": None,
        }
        season = settings["seasonal_period"]
        try:
            return ForecastExperiment(self.engine_class(), data, reporter, engine_settings, season)
        except Exception as error:
            raise PlanFailed(
                "engine", f"The series could not be set up for training: {describe_error(error)}"
            ) from error


def _read_exogenous(
    series: reading.Series, ignore: list[str], reporter: EventReporter, how: ReadingSettings
) -> features.Table | None:
    unknown = [name for name in ignore if name not in series.exogenous.columns]
    exogenous = series.exogenous.reset_index(drop=True)
    if unknown or exogenous.shape[1] > len(ignore):
        table = features.read_features(exogenous, ignore, {series.name}, reporter, how)
        reporter.report_data_change(
            "exogenous_columns",
            "Models that can take them also learn from "
            f"{features.quote_names(list(table.raw.columns))}; their values are needed for each step that is "
            "forecast. Name them in ignore_features to leave them out.",
            list(table.raw.columns),
        )
        return table
    return None


def _exogenous_transformer(table: features.Table) -> Estimator:
    """Return an unfitted transformer from exogenous columns to a float64 DataFrame without gaps."""
    from sklearn.compose import ColumnTransformer, make_column_selector
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    text = make_pipeline(
        SimpleImputer(strategy="most_frequent"),
        OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
    )
    numbers = SimpleImputer(strategy="mean", keep_empty_features=True)
    columns = ColumnTransformer(
        [
            ("numbers", numbers, make_column_selector(dtype_include="number")),
            ("text", text, make_column_selector(dtype_exclude="number")),
        ],
        verbose_feature_names_out=False,
    )
    return Pipeline([("input", table.step), ("columns", columns.set_output(transform="pandas"))])


def _folds(train: int, horizon: int, season: int, requested: int, reporter: EventReporter) -> int:
    """Return how many folds of `horizon` steps leave enough steps to train on, at most `requested`.

    Enough is more than two seasons, or `_MIN_WINDOW` steps without a season.
    """
    window = max(_MIN_WINDOW, 2 * season + 1 if season > 1 else 0)
    maximum = max(1, (train - window) // horizon)
    folds = min(int(requested), maximum)
    if folds < requested:
        reporter.report_data_change(
            "folds_reduced",
            f"Cross-validation uses {folds} folds instead of {requested}: each takes {horizon} of "
            f"{train} steps.",
            requested=requested,
            folds=folds,
        )
    return folds


def _with_timestamps(values: Column) -> Any:
    if isinstance(values.index, pd.PeriodIndex):
        return values.set_axis(values.index.to_timestamp(), axis=0)
    return values


TASK = TimeSeries()
