"""Time series experiments."""

from __future__ import annotations

from typing import Any, ClassVar

from jupyter_pycaret_ops.common.engine_facts import SILENCING
from jupyter_pycaret_ops.common.protocol import JSON

from ..event_reporter import EventReporter
from ..interfaces import Column, Estimator, Frame
from ..scoring.forecasting import ForecastScorer, fit_forecaster
from .base import Experiment


class ForecastExperiment(Experiment):
    """An experiment that forecasts the column `settings["target"]`.

    `data` : DataFrame of shape (n_steps, n_columns) with evenly spaced steps; the other columns are
    exogenous variables. `season` is the number of steps of a season, 1 for none. The engine's own test
    misses the season of a series with a trend, and the season that its constructor is given does not
    reach its models.
    """

    _EXCLUDED: ClassVar[frozenset[str]] = frozenset({"ensemble_forecaster"})

    def __init__(
        self, task_class: Any, data: Frame, reporter: EventReporter, settings: JSON, season: int
    ) -> None:
        self.season = season
        super().__init__(task_class, data, reporter, settings)

    def _fit(self, engine: Any, data: Frame) -> Any:
        season = self.season
        engine._auto_detect_seasonality = lambda _series: (season > 1, season, [season])
        return engine.fit(data)

    @property
    def metrics(self) -> dict[str, bool]:
        """The engine's metrics without the coverage of intervals: metric → whether greater is better."""
        return ForecastScorer.METRICS

    @property
    def metric_names(self) -> dict[str, str]:
        """Metric → its full name."""
        return {
            "MASE": "Mean absolute scaled error",
            "RMSSE": "Root mean squared scaled error",
            "MAE": "Mean absolute error",
            "RMSE": "Root mean squared error",
            "MAPE": "Mean absolute percentage error",
            "SMAPE": "Symmetric mean absolute percentage error",
            "R2": "R²",
        }

    @property
    def default_models(self) -> list[str]:
        """Ids of all models but BATS and TBATS, which take minutes for a hundred steps."""
        return [model_id for model_id, entry in self.registry.items() if entry.is_turbo]

    @property
    def n_rows(self) -> int:
        """The number of steps of the training part."""
        return len(self.train)

    @property
    def train(self) -> Column:
        """The training part: all but the last `horizon` steps, float64 Series of shape (n_rows,)."""
        return self.engine._fit_state["y_train"]

    @property
    def test(self) -> Column:
        """The hold-out: the last `horizon` steps, float64 Series of shape (horizon,)."""
        return self.engine._fit_state["y_test"]

    @property
    def horizon(self) -> int:
        """The number of steps to forecast, which is also the size of the hold-out."""
        return len(self.test)

    def _silence_output(self, estimator: Estimator) -> Estimator:
        """Silence the regressor inside a reduced forecaster, which has no registry entry of its own."""
        regressor = getattr(estimator, "regressor", None)
        library = type(regressor).__module__.partition(".")[0]
        if regressor is not None and library in SILENCING:
            regressor.set_params(**SILENCING[library])
        return estimator

    def scorer(self, folds: int) -> ForecastScorer:
        """Return the scorer with expanding windows over the training part."""
        state = self.engine._fit_state
        splitter = self.engine._build_ts_fold_generator(
            y_train=self.train, fh=state["fh"], fold=folds, fold_strategy="expanding"
        )
        splits = [(train, test) for train, test in splitter.split(self.train)]
        return ForecastScorer(self.train, state["X_train"], splits, self.season)

    def fit_for_plots(self, estimator: Estimator) -> Estimator:
        """Return the forecaster, fitted on the training part."""
        state = self.engine._fit_state
        return fit_forecaster(estimator, self.train, state["X_train"], self.horizon)

    def holdout_forecast(self, fitted: Estimator) -> Column:
        """Return the forecast of the hold-out, float64 Series of shape (horizon,)."""
        forecast = fitted.predict(fh=range(1, self.horizon + 1), X=self.engine._fit_state["X_test"])
        return forecast.iloc[:, 0] if forecast.ndim > 1 else forecast
