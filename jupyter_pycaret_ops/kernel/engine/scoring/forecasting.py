"""Cross-validation of forecasters: train on a beginning, score the steps after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..interfaces import Column, Estimator, Frame
from .base import Scores


@dataclass(slots=True)
class ForecastScorer:
    """The engine's folds and metrics, computed so that every model has them.

    Its own cross-validation asks for prediction intervals, which most models do not have, and its RMSE
    fails with the installed scikit-learn.

    `series` : Series of shape (n_steps,); `exogenous` : DataFrame (n_steps, n_columns) or None;
    `splits` : (train, test) positions of each fold; `season` : steps of a season, for MASE and RMSSE.
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

    @property
    def folds(self) -> int:
        """How many folds there are."""
        return len(self.splits)

    @property
    def nbytes(self) -> int:
        """Size of the data in memory."""
        return int(self.series.nbytes) * 2

    def score(self, estimator: Estimator, fold: int) -> Scores:
        """See `Scorer.score`."""
        train, test = self.splits[fold]
        known, truth = self.series.iloc[train], self.series.iloc[test]
        exogenous = self.exogenous
        model = fit_forecaster(
            estimator, known, None if exogenous is None else exogenous.iloc[train], len(test)
        )
        forecast = model.predict(
            fh=range(1, len(test) + 1), X=None if exogenous is None else exogenous.iloc[test]
        )
        return Scores(errors(truth.to_numpy(), np.ravel(forecast), known.to_numpy(), self.season))


def fit_forecaster(estimator: Estimator, series: Column, exogenous: Any, steps: int) -> Estimator:
    """A fitted copy of a sktime forecaster, told that it will be asked for 1 … `steps`."""
    return estimator.clone().fit(series, X=exogenous, fh=list(range(1, steps + 1)))


def errors(truth: Any, forecast: Any, known: Any, season: int) -> dict[str, float]:
    """The metrics of one fold, arrays of shape (n_steps,); `known` is what was trained on.

    MASE and RMSSE scale by the error of repeating the last season (Hyndman & Koehler 2006); like
    sktime's, which the engine uses, SMAPE is a share and not a percentage.
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
