"""Cross-validation of forecasters: fit on the first steps, score the steps after them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..interfaces import Column, Estimator, Frame
from .base import Scores


@dataclass(slots=True)
class ForecastScorer:
    """Scores forecasters with the engine's folds and metrics, computed so that every model has them.

    The engine's own cross-validation needs prediction intervals, which most models do not have, and its
    RMSE fails with the installed scikit-learn.

    `series` : float64 Series of shape (n_steps,); `exogenous` : DataFrame of shape
    (n_steps, n_columns) or None; `splits` : for each fold the positions to train and to test on, two int
    arrays; `season` : steps of a season, for MASE and RMSSE.
    """

    #: metric → greater is better
    METRICS: ClassVar[dict[str, bool]] = {
        "MASE": False,
        "RMSSE": False,
        "MAE": False,
        "RMSE": False,
        "MAPE": False,
        "SMAPE": False,
        "R2": True,
    }
    series: Column
    exogenous: Frame | None
    splits: Sequence[tuple[Any, Any]]
    season: int

    #: a forecast is a number, and all steps count the same
    n_classes: ClassVar[None] = None
    weights: ClassVar[None] = None

    @property
    def truth(self) -> Any:
        """The training part, float64 array of shape (n_steps,)."""
        return self.series.to_numpy()

    def score_answers(self, answers: Any, fold: int) -> Scores:
        """See `AnswerScorer.score_answers`."""
        train, test = self.splits[fold]
        known, truth = self.series.iloc[train].to_numpy(), self.series.iloc[test].to_numpy()
        return Scores(forecast_metrics(truth, answers[:, 0], known, self.season), answers)

    @property
    def n_folds(self) -> int:
        """The number of folds."""
        return len(self.splits)

    @property
    def nbytes(self) -> int:
        """Size of the data in memory, in bytes."""
        return int(self.series.nbytes) * 2

    def score(self, estimator: Estimator, fold: int) -> Scores:
        """See `Scorer.score`; `outputs` are the forecasts of the fold, float64 array of shape (n_steps, 1)."""
        train, test = self.splits[fold]
        known, truth = self.series.iloc[train], self.series.iloc[test]
        exogenous = self.exogenous
        model = fit_forecaster(
            estimator, known, None if exogenous is None else exogenous.iloc[train], len(test)
        )
        forecast = model.predict(
            fh=range(1, len(test) + 1), X=None if exogenous is None else exogenous.iloc[test]
        )
        forecast = np.ravel(forecast)
        metrics = forecast_metrics(truth.to_numpy(), forecast, known.to_numpy(), self.season)
        return Scores(metrics, forecast.astype("float64").reshape(-1, 1))


def fit_forecaster(estimator: Estimator, series: Column, exogenous: Any, steps: int) -> Estimator:
    """Return a copy of a sktime forecaster, fitted to forecast the steps 1 … `steps`.

    `series` : float64 Series of shape (n_steps,); `exogenous` : DataFrame of shape
    (n_steps, n_columns) or None.
    """
    return estimator.clone().fit(series, X=exogenous, fh=list(range(1, steps + 1)))


def forecast_metrics(truth: Any, forecast: Any, known: Any, season: int) -> dict[str, float]:
    """Return the metrics of one fold, NaN where one is not defined.

    `truth`, `forecast` : float64 arrays of shape (n_steps,); `known` : float64 array of shape
    (n_train,), the steps trained on. MASE and RMSSE scale by the error of repeating the last season (Hyndman & Koehler 2006); as
    in sktime, which the engine uses, SMAPE is a fraction and not a percentage.
    """
    residuals = truth - forecast
    if not np.isfinite(residuals).all():
        raise ValueError("the forecast holds values that are no numbers")
    season = season if len(known) > season else 1
    naive = known[season:] - known[:-season]
    scale, squared = np.mean(np.abs(naive)), np.mean(naive**2)
    spread = np.sum((truth - truth.mean()) ** 2)
    size = np.abs(truth) + np.abs(forecast)
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "MASE": _or_nan(np.mean(np.abs(residuals)) / scale),
            "RMSSE": _or_nan(np.sqrt(np.mean(residuals**2) / squared)),
            "MAE": _or_nan(np.mean(np.abs(residuals))),
            "RMSE": _or_nan(np.sqrt(np.mean(residuals**2))),
            "MAPE": _or_nan(np.mean(np.abs(residuals / truth))),
            "SMAPE": _or_nan(np.mean(np.where(size > 0, 2 * np.abs(residuals) / size, 0.0))),
            "R2": _or_nan(1 - np.sum(residuals**2) / spread),
        }


def _or_nan(value: Any) -> float:
    return float(value) if np.isfinite(value) else float("nan")
