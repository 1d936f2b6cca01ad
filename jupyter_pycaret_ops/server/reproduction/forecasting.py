"""A forecast in sktime and PyCaret: the table made a series, its models scored on the run's own folds.

PyCaret's own cross-validation of forecasts asks for intervals, which most models do not have, and scores the
5 % quantile of those that do; so the folds are gone through here.
"""

from __future__ import annotations

import json
from typing import Any

from ...common.engine_facts import SILENCING
from . import composing, preparing
from .cells import Cell, assigned, code, markdown
from .run_facts import Facts

_STEPS = """\
# even steps, in the order of time
table = table[table.index.notna()].sort_index()
table = table.reindex(pd.period_range(table.index[0], table.index[-1], freq=FREQ))"""
_SERIES = """\
numbers = pd.to_numeric(table[TARGET].astype(object), errors="coerce").astype("float64")
numbers = numbers.replace([np.inf, -np.inf], np.nan).reset_index(drop=True)
# what is missing is filled in between its neighbours
series = numbers.interpolate(limit_direction="both").set_axis(table.index).rename(TARGET)"""
_OTHERS = """\
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

# the other columns as numbers without gaps
words = make_pipeline(
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
        ("text", words, make_column_selector(dtype_exclude="number")),
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
# what its constructor is told of a season does not reach its models
experiment._auto_detect_seasonality = lambda series: (SEASON > 1, SEASON, [SEASON])
experiment.fit(data)"""
_SCORES = '''\
def scores(truth, forecast, known):
    """MASE and RMSSE are in units of the error of repeating the last season."""
    misses = truth - forecast
    season = SEASON if len(known) > SEASON else 1
    naive = known[season:] - known[:-season]
    return {
        "MASE": np.mean(np.abs(misses)) / np.mean(np.abs(naive)),
        "RMSSE": np.sqrt(np.mean(misses**2) / np.mean(naive**2)),
        "MAE": np.mean(np.abs(misses)),
        "RMSE": np.sqrt(np.mean(misses**2)),
        "MAPE": np.mean(np.abs(misses / truth)),
        "SMAPE": np.mean(2 * np.abs(misses) / (np.abs(truth) + np.abs(forecast))),
        "R2": 1 - np.sum(misses**2) / np.sum((truth - truth.mean()) ** 2),
    }
'''
_FOLDS = """\
train, known = experiment.y_train, experiment.X_train
registry = experiment._fit_state["model_registry"]
results = {}
for row_id, (model_id, parameters) in MODELS.items():
    container = registry[model_id]
    forecaster = container.class_def(**{**container.args, **parameters})
    regressor = getattr(forecaster, "regressor", None)
    library = type(regressor).__module__.partition(".")[0]
    if library in QUIET:
        regressor.set_params(**QUIET[library])
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
            # the mean is over the other folds
            print(f"{row_id}, fold {len(folds) + 1}: {error}")
            folds.append({})
    results[row_id] = pd.DataFrame(folds)"""
_BOARD = """\
leaderboard = pd.DataFrame({row_id: folds.mean() for row_id, folds in results.items()}).T
leaderboard = leaderboard.sort_values(METRIC, ascending={ascending}, kind="stable")
leaderboard.insert(0, "name", [NAMES.get(row_id, row_id) for row_id in leaderboard.index])
leaderboard.round(4)"""
_FINAL = """\
container = experiment._fit_state["model_registry"][MODEL]
best = container.class_def(**{**container.args, **PARAMETERS})
best.fit(data[TARGET], X=data.drop(columns=[TARGET]) if data.shape[1] > 1 else None, fh=range(1, HORIZON + 1))
best"""


def names(facts: Facts) -> str:
    """Assignments that stand on top."""
    series = _series(facts)
    told: dict[str, Any] = {
        "TARGET": facts.snapshot.get("target"),
        "FREQ": series["freq"],
        "SEASON": series["season"],
        "HORIZON": series["horizon"],
        "FOLDS": series["folds"],
        "SEED": facts.snapshot.get("seed"),
    }
    if series["index"] is not None:
        told = {"TIME": series["index"], **told}
    return assigned({name: repr(value) for name, value in told.items()})


def preparing_code(facts: Facts) -> str:
    """The cell that makes `data` of `table`: the series, and what may explain it."""
    series = _series(facts)
    parts = [preparing.imports(facts), *_time(facts)]
    if series["freq"] is not None:
        parts.append(_STEPS)
    parts.append(_SERIES)
    if series["others"]:
        parts.append(f"table = table[[TARGET, *{series['others']!r}]]")
        parts += [*preparing.columns_of(facts), _OTHERS]
    else:
        parts.append("data = series.to_frame()")
    return "\n\n".join(part.strip("\n") for part in [*parts, "data.tail()"] if part)


def cells_after(facts: Facts) -> list[Cell]:
    """Set-up, models and leaderboard."""
    run = facts.run
    cells = [markdown(_about(facts)), code(_SETUP)]
    if run.plan == "setup":
        return cells
    if run.plan == "finalize":
        told = {"MODEL": repr(run.model_id), "PARAMETERS": repr(_own(facts))}
        return [*cells, markdown("## On all steps"), code(f"{assigned(told)}\n\n{_FINAL}")]
    listed = "".join(f"    {row!r}: {made!r},\n" for row, made in _models(facts).items())
    cells += [
        markdown("## Models\n\nEach forecasts the steps of the run's own folds."),
        code(f"MODELS = {{\n{listed}}}\n{_quiet()}\n\n\n{_SCORES}\n\n{_FOLDS}"),
    ]
    called = {row["model_id"]: row.get("name") or row["model_id"] for row in run.leaderboard}
    told = {"METRIC": repr(run.metric), "NAMES": repr(called)}
    board = _BOARD.replace("{ascending}", repr(not run.greater_is_better))
    return [*cells, markdown("## Leaderboard"), code(f"{assigned(told)}\n\n{board}")]


def _quiet() -> str:
    """What keeps libraries from writing to the screen and the folder, as an assignment."""
    lines = [f"    {json.dumps(name)}: {dict(given)!r},\n" for name, given in SILENCING.items()]
    return f"QUIET = {{\n{''.join(lines)}}}".replace("'", '"')


def _series(facts: Facts) -> dict[str, Any]:
    found: dict[str, Any] = facts.snapshot["series"]
    return found


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
    form = f", format={series['form']!r}" if series["form"] else ""
    column = "table[TIME]"
    if series["form"] == "%Y":
        column = 'table[TIME].astype("Int64").astype(str)'
    read = (
        f"times = pd.to_datetime({column}{form}, utc=True).dt.tz_localize(None)\n"
        "table = table.drop(columns=[TIME]).set_axis(pd.PeriodIndex(times.dt.to_period(FREQ)), axis=0)"
    )
    if facts.run.data["kind"] == "frame":
        read = (
            "times = table[TIME]\n"
            "if not isinstance(times.dtype, pd.PeriodDtype):\n"
            f"    times = pd.to_datetime({column}{form}, utc=True).dt.tz_localize(None).dt.to_period(FREQ)\n"
            "table = table.drop(columns=[TIME]).set_axis(pd.PeriodIndex(times).asfreq(FREQ), axis=0)"
        )
    return [renamed, read]


def _about(facts: Facts) -> str:
    series = _series(facts)
    season = series["season"]
    told = (
        f"The series repeats every {season} steps." if season > 1 else "The series has no season."
    )
    return f"## Set-up\n\nOne thread and a fixed seed, as in the run; the last horizon is held out. {told}"


def _models(facts: Facts) -> dict[str, tuple[str, dict[str, Any]]]:
    """Row of the board → model and its parameters."""
    made = {}
    for row in facts.run.leaderboard:
        row_id = str(row["model_id"])
        if composing.is_composed(row):
            made[row_id] = (row_id.removesuffix("_tuned"), dict(row["params"]))
        else:
            made[row_id] = (row_id, _own(facts) if row_id == facts.run.model_id else {})
    return made


def _own(facts: Facts) -> dict[str, Any]:
    if facts.run.plan not in ("create", "finalize"):
        return {}
    return {
        name: value
        for name, value in facts.plan_params.items()
        if name not in ("time_limit", "model_time_limit")
    }
