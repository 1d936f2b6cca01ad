"""Code for time series: the table becomes a series, and models are scored on the folds of the run.

PyCaret's cross-validation of forecasts needs prediction intervals, which most models do not have, and scores
the 5 % quantile of those that do. So the notebook loops over the folds.
"""

from __future__ import annotations

import json
from typing import Any

from ...common.engine_facts import SILENCING
from . import composing, preparing
from .cells import Cell, assignments, code, dates_of, markdown
from .run_facts import Facts

_STEPS = """\
# one row per step, in order of time
table = table[table.index.notna()].sort_index()
table = table.reindex(pd.period_range(table.index[0], table.index[-1], freq=FREQ))"""
_SERIES = """\
numbers = pd.to_numeric(table[TARGET].astype(object), errors="coerce").astype("float64")
numbers = numbers.replace([np.inf, -np.inf], np.nan).reset_index(drop=True)
# missing values are interpolated
series = numbers.interpolate(limit_direction="both").set_axis(table.index).rename(TARGET)"""
_OTHERS = """\
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

# the other columns as numbers without missing values
text_columns = make_pipeline(
    SimpleImputer(strategy="most_frequent"),
    OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
)
others = ColumnTransformer(
    [
        (
            "numbers",
            SimpleImputer(strategy="mean", keep_empty_features=True),
            make_column_selector(dtype_include="number"),
        ),
        ("text", text_columns, make_column_selector(dtype_exclude="number")),
    ],
    verbose_feature_names_out=False,
).set_output(transform="pandas")
others = others.fit(data[:-HORIZON]).transform(data)
data = series.to_frame().join(others)"""
_SETUP = """\
from pycaret.tasks import TimeSeriesExperiment

experiment = TimeSeriesExperiment(
    target=TARGET, fh=HORIZON, fold=FOLDS, session_id=SEED, n_jobs=1
)
# a season passed to the constructor does not reach the models
experiment._auto_detect_seasonality = lambda series: (SEASON > 1, SEASON, [SEASON])
experiment.fit(data)"""
_SCORES = '''\
def scores(truth, forecast, known):
    """Return the metrics; MASE and RMSSE are relative to the error of repeating the last season."""
    errors = truth - forecast
    season = SEASON if len(known) > SEASON else 1
    naive = known[season:] - known[:-season]
    return {
        "MASE": np.mean(np.abs(errors)) / np.mean(np.abs(naive)),
        "RMSSE": np.sqrt(np.mean(errors**2) / np.mean(naive**2)),
        "MAE": np.mean(np.abs(errors)),
        "RMSE": np.sqrt(np.mean(errors**2)),
        "MAPE": np.mean(np.abs(errors / truth)),
        "SMAPE": np.mean(2 * np.abs(errors) / (np.abs(truth) + np.abs(forecast))),
        "R2": 1 - np.sum(errors**2) / np.sum((truth - truth.mean()) ** 2),
    }
'''
_FOLDS = '''\
from sktime.forecasting.compose import EnsembleForecaster

train, known = experiment.y_train, experiment.X_train
registry = experiment._fit_state["model_registry"]


def make(model_id, parameters):
    """Return a forecaster of PyCaret's by its id, or the weighted mean of several."""
    if model_id == "ensemble":
        members = [
            (f"{place} {one['model_id']}", make(one["model_id"].removesuffix("_tuned"), one["params"]))
            for place, one in enumerate(parameters["members"], 1)
        ]
        weights = [one["weight"] for one in parameters["members"]]
        return EnsembleForecaster(members, aggfunc="mean", weights=weights)
    container = registry[model_id]
    forecaster = container.class_def(**{**container.args, **parameters})
    regressor = getattr(forecaster, "regressor", None)
    library = type(regressor).__module__.partition(".")[0]
    if library in QUIET:
        regressor.set_params(**QUIET[library])
    return forecaster


results = {}
for model_key, (model_id, parameters) in MODELS.items():
    forecaster = make(model_id, parameters)
    folds = []
    for before, after in experiment._fit_state["fold_generator"].split(train):
        steps = list(range(1, len(after) + 1))
        X_before = None if known is None else known.iloc[before]
        X_after = None if known is None else known.iloc[after]
        y_before, y_after = train.iloc[before], train.iloc[after]
        try:
            fitted = forecaster.clone().fit(y_before, X=X_before, fh=steps)
            forecast = np.ravel(fitted.predict(fh=steps, X=X_after))
            folds.append(scores(y_after.to_numpy(), forecast, y_before.to_numpy()))
        except Exception as error:
            # the mean is of the other folds
            print(f"{model_key}, fold {len(folds) + 1}: {error}")
            folds.append({})
    results[model_key] = pd.DataFrame(folds)'''
_BOARD = """\
leaderboard = pd.DataFrame({model_key: folds.mean() for model_key, folds in results.items()}).T
leaderboard = leaderboard.sort_values(METRIC, ascending={ascending}, kind="stable")
leaderboard.insert(0, "name", [NAMES.get(model_key, model_key) for model_key in leaderboard.index])
leaderboard.round(4)"""
_FINAL = """\
container = experiment._fit_state["model_registry"][MODEL]
best = container.class_def(**{**container.args, **PARAMETERS})
best.fit(data[TARGET], X=data.drop(columns=[TARGET]) if data.shape[1] > 1 else None, fh=range(1, HORIZON + 1))
best"""


def names(facts: Facts) -> str:
    """Return the assignments of the first code cell."""
    series = _series(facts)
    constants: dict[str, Any] = {
        "TARGET": facts.snapshot.get("target"),
        "FREQ": series["freq"],
        "SEASON": series["season"],
        "HORIZON": series["horizon"],
        "FOLDS": series["folds"],
        "SEED": facts.snapshot.get("seed"),
    }
    if series["index"] is not None:
        constants = {"TIME": series["index"], **constants}
    return assignments({name: repr(value) for name, value in constants.items()})


def preparing_code(facts: Facts) -> str:
    """Return the code that computes `data` from `table`: the series and its exogenous columns."""
    series = _series(facts)
    helpers = [preparing.DATES_OF] if series["index"] is not None else []
    parts = [preparing.imports(facts), *helpers, *_time(facts)]
    if series["freq"] is not None:
        parts.append(_STEPS)
    parts.append(_SERIES)
    if series["others"]:
        parts.append(f"table = table[[TARGET, *{series['others']!r}]]")
        others = [part for part in preparing.columns_of(facts) if part not in helpers]
        parts += [*others, _OTHERS]
    else:
        parts.append("data = series.to_frame()")
    return "\n\n".join(part.strip("\n") for part in [*parts, "data.tail()"] if part)


def cells_after(facts: Facts) -> list[Cell]:
    """Return the cells with set-up, models and leaderboard."""
    run = facts.run
    cells = [markdown(_about(facts)), code(_SETUP)]
    if run.plan == "setup":
        return cells
    if run.plan == "finalize":
        constants = {"MODEL": repr(run.model_id), "PARAMETERS": repr(_model_params(facts))}
        return [
            *cells,
            markdown("## Final fit on all steps"),
            code(f"{assignments(constants)}\n\n{_FINAL}"),
        ]
    listed = "".join(f"    {key!r}: {model!r},\n" for key, model in _models(facts).items())
    cells += [
        markdown("## Models\n\nEach model forecasts the steps of the folds of the run."),
        code(f"MODELS = {{\n{listed}}}\n{_quiet()}\n\n\n{_SCORES}\n\n{_FOLDS}"),
    ]
    model_names = {
        record["model_id"]: record.get("name") or record["model_id"] for record in run.leaderboard
    }
    constants = {"METRIC": repr(run.metric), "NAMES": repr(model_names)}
    board = _BOARD.replace("{ascending}", repr(not run.greater_is_better))
    return [*cells, markdown("## Leaderboard"), code(f"{assignments(constants)}\n\n{board}")]


def _quiet() -> str:
    """Return an assignment of the parameters that keep libraries from writing to the screen and to files."""
    lines = [f"    {json.dumps(name)}: {dict(given)!r},\n" for name, given in SILENCING.items()]
    return f"QUIET = {{\n{''.join(lines)}}}".replace("'", '"')


def _series(facts: Facts) -> dict[str, Any]:
    series: dict[str, Any] = facts.snapshot["series"]
    return series


def _time(facts: Facts) -> list[str]:
    series = _series(facts)
    renamed = "table.columns = unique(table.columns)" if facts.changed("columns_renamed") else ""
    if series["freq"] is None:
        return [renamed, "table = table.reset_index(drop=True)"]
    if series["index"] is None:
        stamps = "times = table.index if isinstance(table.index, pd.PeriodIndex) else pd.DatetimeIndex(table.index)"
        periods = (
            "if not isinstance(times, pd.PeriodIndex):\n"
            "    times = (times if times.tz is None else times.tz_convert(None)).to_period(FREQ)\n"
            "table = table.set_axis(times.asfreq(FREQ), axis=0)"
        )
        return [renamed, stamps, periods]
    stamps = _stamps(series)
    read = (
        f"times = {stamps}\n"
        "table = table.drop(columns=[TIME]).set_axis(pd.PeriodIndex(times.dt.to_period(FREQ)), axis=0)"
    )
    if facts.run.data["kind"] == "frame":
        read = (
            "times = table[TIME]\n"
            "if not isinstance(times.dtype, pd.PeriodDtype):\n"
            f"    times = {stamps}.dt.to_period(FREQ)\n"
            "table = table.drop(columns=[TIME]).set_axis(pd.PeriodIndex(times).asfreq(FREQ), axis=0)"
        )
    return [renamed, read]


def _stamps(series: dict[str, Any]) -> str:
    """Return the code that reads the column of time; runs of version 0.1.0 have a `form` in their snapshot."""
    spelling = series.get("spelling") or {}
    form = series.get("form") or spelling.get("format")
    if form == "%Y" or spelling == {"year": True}:
        return 'dates(table[TIME].astype("Int64").astype(str), "%Y")'
    return dates_of("table[TIME]", {**spelling, "format": form, "form": None})


def _about(facts: Facts) -> str:
    series = _series(facts)
    season = series["season"]
    season_text = f"The season has {season} steps." if season > 1 else "The series has no season."
    return f"## Set-up\n\nOne thread and the seed of the run; the last horizon is held out. {season_text}"


def _models(facts: Facts) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return id in the leaderboard -> id and parameters of the model."""
    models = {}
    for record in facts.run.leaderboard:
        model_key = str(record["model_id"])
        if composing.is_composed(record):
            models[model_key] = (model_key.removesuffix("_tuned"), dict(record["params"]))
        else:
            models[model_key] = (
                model_key,
                _model_params(facts) if model_key == facts.run.model_id else {},
            )
    return models


def _model_params(facts: Facts) -> dict[str, Any]:
    if facts.run.plan not in ("create", "finalize"):
        return {}
    return {
        name: value
        for name, value in facts.plan_params.items()
        if name not in ("time_limit", "model_time_limit")
    }
