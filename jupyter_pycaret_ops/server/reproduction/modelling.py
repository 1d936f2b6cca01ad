"""Code for set-up, models and leaderboard, in calls of PyCaret."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...common.engine_facts import DEFAULT_SEED, PARAM_ALIASES, SILENCING
from ...common.errors import Conflict
from ...common.protocol import HOLDOUT_PARAM
from ...common.task_types import TASK_TYPES
from . import composing, grouping, preparation
from .cells import assignments, call
from .run_facts import Facts

_PLANS = (
    *("setup", "create", "compare", "tune", "ensemble"),
    *("blend", "stack", "calibrate", "finalize", "automl"),
)
#: set-up parameters that PyCaret has beside the seed; other cells apply the others
_SPLIT_PARAMS = {"train_size", "fold"}
_ENGINE_PARAMS = {
    *_SPLIT_PARAMS,
    *("normalize", "transformation", "remove_outliers", "feature_selection"),
}
#: parameters of plans, not of models
_LIMITS = {"time_limit", "model_time_limit"}
_OR_NAN = '''\
def or_nan(score):
    """Return NaN for a metric that cannot be computed, where PyCaret returns 0."""

    def scored(*args, **kwargs):
        try:
            return score(*args, **kwargs)
        except Exception:
            kwargs.pop("sample_weight", None)
            try:
                return score(*args, **kwargs)
            except Exception:
                return np.nan

    scored.__name__ = score.__name__
    return scored


for metric in experiment._get_metric_registry().values():
    metric.score_func = or_nan(metric.score_func)'''
#: metrics beside PyCaret's: scikit-learn's function and the arguments of `add_metric`
_ADDED_METRICS = {
    "Balanced Accuracy": ("balanced_accuracy_score", {}),
    "PR AUC": (
        "average_precision_score",
        {"target": "'pred_proba'", "args": "{'average': 'weighted'}"},
    ),
    "Log Loss": ("log_loss", {"target": "'pred_proba'", "greater_is_better": "False"}),
    "Brier": ("brier_score_loss", {"target": "'pred_proba'", "greater_is_better": "False"}),
    "MedAE": ("median_absolute_error", {"greater_is_better": "False"}),
    "Max Error": ("max_error", {"greater_is_better": "False"}),
    "Pinball": ("mean_pinball_loss", {"greater_is_better": "False"}),
}


def check(facts: Facts) -> None:
    """Raise Conflict when the run cannot be repeated with plain PyCaret."""
    if facts.task_type is None:
        raise Conflict(
            f"Runs of the task {facts.task} have no notebook. Tasks with notebooks: "
            f"{', '.join(TASK_TYPES)}."
        )
    if facts.task_type.rows_are_steps and "series" not in facts.snapshot:
        raise Conflict(
            "The run has no notebook: it ended before its table was converted to a series."
        )
    if not _has_engine_folds(facts):
        raise Conflict(
            "The run has no notebook: its folds are by groups, time or a column, rows have weights, or a table of its own "
            "is held out."
        )
    if facts.run.metric in ((facts.snapshot.get("setup_params") or {}).get("custom_metrics") or []):
        raise Conflict(
            f"The run has no notebook: its leaderboard is ordered by {facts.run.metric}, which PyCaret does not have."
        )
    if facts.run.plan not in _PLANS:
        raise Conflict(
            f"Runs of the plan {facts.run.plan} have no notebook. Plans with notebooks: "
            f"{', '.join(_PLANS)}."
        )


def _has_engine_folds(facts: Facts) -> bool:
    """Return whether PyCaret cuts rows in the same way; runs of before had no other, and some ended before they did."""
    validation = facts.snapshot.get("validation") or {}
    given = facts.snapshot.get("setup_params") or {}
    own = (
        "fold_strategy",
        "fold_groups",
        "fold_time",
        "fold_column",
        "sample_weight",
        HOLDOUT_PARAM,
    )
    return bool(validation.get("is_default", not any(given.get(name) for name in own)))


def names(facts: Facts) -> str:
    """Return the assignments of the first code cell."""
    seed = facts.snapshot.get("seed")
    constants = {"SEED": repr(DEFAULT_SEED if seed is None else seed)}
    if facts.has_target:
        constants = {"TARGET": repr(facts.snapshot.get("target")), **constants}
    return assignments(constants)


def setup(facts: Facts) -> str:
    """Return the code that fits the experiment."""
    given = facts.snapshot.get("setup_params") or {}
    passed = _SPLIT_PARAMS if preparation.is_auto(facts) else _ENGINE_PARAMS
    settings = {name: repr(value) for name, value in given.items() if name in passed}
    reduced = facts.changed("folds_reduced")
    if reduced is not None:
        settings["fold"] = repr(reduced["folds"])
    experiment = facts.kind.experiment_class
    arguments = {"session_id": "SEED", "n_jobs": "1", **settings}
    if facts.has_target:
        arguments = {"target": "TARGET", **arguments}
    scored = f"\n\n\n{_OR_NAN}{_added_metric(facts)}" if facts.has_target else ""
    return (
        f"from pycaret.tasks import {experiment}\n\n"
        f"{call(f'experiment = {experiment}', arguments)}.fit(data){scored}"
    )


def _added_metric(facts: Facts) -> str:
    """Return the code that adds the metric of the leaderboard where PyCaret does not have it."""
    name = facts.run.metric
    if name not in _ADDED_METRICS:
        return ""
    function, options = _ADDED_METRICS[name]
    arguments = {"id": repr(function), "name": repr(name), "score_func": f"or_nan({function})"}
    return (
        f"\n\nfrom sklearn.metrics import {function}\n\n"
        f"{call('_ = experiment.add_metric', {**arguments, **options})}"
    )


def models(facts: Facts) -> list[tuple[str, str]]:
    """Return text and code of each cell after the set-up."""
    plan = facts.run.plan
    if plan == "setup":
        return []
    records = _records(facts)
    single = [record["model_id"] for record in records if not composing.is_composed(record)]
    parameters = _parameters(facts, single)
    listed = "".join(f"    {i!r}: {given!r},\n" for i, given in parameters.items() if given)
    constants = {
        "MODELS": repr(single) if records else "list(experiment.models().index)",
        "PARAMETERS": f"{{\n{listed}}}" if listed else "{}",
    }
    method = "cross-validated on the same folds" if facts.has_target else "fitted on all rows"
    cells = [(f"## Models\n\nEach model is {method}.", f"{assignments(constants)}\n\n{_FIT}")]
    composed = [record for record in records if composing.is_composed(record)]
    if composed:
        lines = "\n".join(composing.code_of(facts, record) for record in composed)
        cells.append((composing.text_of(facts), lines))
    if plan == "finalize":
        final = _FINAL if facts.has_target else "best = results[MODELS[0]].pipeline\nbest"
        return [*cells, ("## Final fit on all rows", final)]
    return [*cells, ("## Leaderboard", _leaderboard(facts))]


def _parameters(facts: Facts, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the parameters of each model."""
    plan = facts.plan_params
    shared = {own: plan[name] for name, own in PARAM_ALIASES.items() if plan.get(name) is not None}
    given = dict.fromkeys(ids, shared)
    if facts.run.plan in ("create", "finalize"):
        own = {n: v for n, v in plan.items() if n not in _LIMITS and n not in PARAM_ALIASES}
        given = {str(facts.run.model_id): {**shared, **own}}
    return {i: {**SILENCING.get(i, {}), **given.get(i, {})} for i in ids or SILENCING}


_FIT = """\
results = {}
for model_id in MODELS:
    results[model_id] = experiment.create_model(model_id, round=10, **PARAMETERS.get(model_id, {}))"""
_FOLDS = """\
means = {}
for model_id, result in results.items():
    folds = result.metrics[result.metrics.index.str.startswith("Fold")]
    means[model_id] = folds.mean()
leaderboard = pd.DataFrame(means).T"""
_FINAL = """\
best = experiment.finalize_model(results[MODELS[0]].pipeline).pipeline
best"""


def _leaderboard(facts: Facts) -> str:
    run = facts.run
    model_names = {
        record["model_id"]: record.get("name") or record["model_id"] for record in run.leaderboard
    }
    order = f'METRIC, ascending={not run.greater_is_better}, kind="stable"'
    return f"""\
{assignments({"METRIC": repr(run.metric), "NAMES": repr(model_names)})}

{grouping.LEADERBOARDS.get(facts.kind.answers, _FOLDS)}
leaderboard = leaderboard.sort_values({order})
best = results[leaderboard.index[0]].pipeline
leaderboard.insert(0, "name", [NAMES.get(model_id, model_id) for model_id in leaderboard.index])
leaderboard.round(4)"""


def _records(facts: Facts) -> list[dict[str, Any]]:
    """Return the records of the scored models, else of those in the request; an empty list if it has none."""
    if facts.run.leaderboard:
        return facts.run.leaderboard
    if facts.run.model_id is not None:
        return [{"model_id": facts.run.model_id}]
    included = facts.plan_params.get("include") or []
    excluded = set(facts.plan_params.get("exclude") or [])
    return [{"model_id": str(i)} for i in included if i not in excluded]
