"""Good models with good settings, the most promising and cheapest first.

The order is that of general experience with tables: a linear model in no time, then boosters and forests.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from jupyter_pycaret_ops.common.protocol import JSON


@dataclass(frozen=True, slots=True)
class Entry:
    """A model with settings that differ from the engine's defaults; `at_most` : rows from which it is too slow."""

    model_id: str
    settings: JSON = field(default_factory=dict)
    at_most: int | None = None


_BOOSTED = [
    Entry("lightgbm", {"learning_rate": 0.05, "num_leaves": 15, "colsample_bytree": 0.7}),
    Entry("catboost", {"learning_rate": 0.08, "depth": 5}),
    Entry("et", {"n_estimators": 200, "max_features": 0.6}),
    Entry(
        "xgboost",
        {
            "learning_rate": 0.06,
            "max_depth": 4,
            "min_child_weight": 2.0,
            "subsample": 0.8,
            "colsample_bytree": 0.7,
        },
    ),
    Entry("rf", {"n_estimators": 200, "min_samples_leaf": 3}),
]
OF_LABELS: Sequence[Entry] = [
    Entry("lr"),
    *_BOOSTED,
    Entry("lr", {"C": 0.05}),
    Entry("gbc", at_most=20_000),
    Entry("lda"),
    Entry("knn", {"n_neighbors": 25, "weights": "distance"}, at_most=50_000),
    Entry("mlp", {"alpha": 0.1, "max_iter": 200}, at_most=20_000),
    Entry("nb"),
    Entry("qda", at_most=50_000),
]
OF_NUMBERS: Sequence[Entry] = [
    Entry("ridge"),
    *_BOOSTED,
    Entry("gbr", at_most=20_000),
    Entry("svm", {"C": 10.0, "epsilon": 0.05}, at_most=5_000),
    Entry("mlp", {"alpha": 0.1, "max_iter": 200}, at_most=20_000),
    Entry("lasso"),
    Entry("kr", {"kernel": "rbf", "alpha": 0.3, "gamma": 0.03}, at_most=3_000),
    Entry("knn", {"n_neighbors": 10, "weights": "distance"}, at_most=50_000),
    Entry("huber", at_most=20_000),
    Entry("br", at_most=50_000),
]
#: of the engine's models for series: those that are cheap and often good, first
SERIES_ORDER = (
    *("naive", "snaive", "theta", "exp_smooth", "ets", "stlf", "auto_arima", "arima"),
    *("ridge_cds_dt", "et_cds_dt", "lightgbm_cds_dt", "rf_cds_dt", "catboost_cds_dt"),
)


def entries(*, is_label: bool, ids: Collection[str], n_rows: int) -> list[Entry]:
    """Return the portfolio for `n_rows` rows, of the models `ids` only."""
    listed = OF_LABELS if is_label else OF_NUMBERS
    return [
        entry
        for entry in listed
        if entry.model_id in ids and (entry.at_most is None or n_rows <= entry.at_most)
    ]


def promising_first(ids: Sequence[str], *, is_label: bool | None) -> list[str]:
    """Return models in the order in which to try them when time is short: the portfolio's, then the given one.

    `is_label` : None for series.
    """
    if is_label is None:
        order: Sequence[str] = SERIES_ORDER
    else:
        order = [entry.model_id for entry in (OF_LABELS if is_label else OF_NUMBERS)]
    known = [model_id for model_id in dict.fromkeys(order) if model_id in ids]
    return [*known, *(model_id for model_id in ids if model_id not in known)]
