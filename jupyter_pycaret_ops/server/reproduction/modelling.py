"""Code for set-up, models and leaderboard, in calls of PyCaret."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...common.custom_objects import CUSTOM_PIPELINE, custom_metric_ids
from ...common.engine_facts import DEFAULT_SEED, PARAM_ALIASES, SILENCING
from ...common.errors import Conflict
from ...common.task_types import TASK_TYPES
from . import composing, grouping, preparation, splitting
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
#: metrics beside PyCaret's, of labels and of numbers
_LABEL_METRICS = """\
    "Balanced Accuracy": (scores.balanced_accuracy_score, "pred", {}),
    "PR AUC": (scores.average_precision_score, "pred_proba", {"average": "weighted"}),
    "Log Loss": (scores.log_loss, "pred_proba", {}),
    "Brier": (scores.brier_score_loss, "pred_proba", {}),
"""
_NUMBER_METRICS = """\
    "MedAE": (scores.median_absolute_error, "pred", {}),
    "Max Error": (scores.max_error, "pred", {}),
    "Pinball": (scores.mean_pinball_loss, "pred", {}),
"""
#: of labels of which some folds lack one
_RARE_METRICS = """\
    "Balanced Accuracy": (scores.balanced_accuracy_score, "pred", {}),
    "PR AUC": (over_classes(scores.average_precision_score), "pred_proba", {}),
    "Log Loss": (scores.log_loss, "pred_proba", {"labels": CLASSES}),
    "Brier": (scores.brier_score_loss, "pred_proba", {"labels": CLASSES}),
"""
_RARE_CLASSES = '''\
from sklearn.metrics import roc_auc_score

CLASSES = sorted(experiment._fit_state["y"].unique())


def over_classes(score):
    """Return a mean over the classes that a fold has, weighted by their rows: some folds lack a class."""

    def scored(truth, values, sample_weight=None, **_):
        weights = np.ones(len(truth)) if sample_weight is None else sample_weight
        classes = np.unique(truth)
        curves = [score(truth == c, values[:, c], sample_weight=weights) for c in classes]
        return np.average(curves, weights=[weights[truth == c].sum() for c in classes])

    scored.__name__ = score.__name__
    return scored


metrics = experiment._get_metric_registry()
metrics["auc"].score_func = over_classes(roc_auc_score)
for name in ("recall", "precision", "f1"):
    metrics[name].score_func.kwargs_if_binary = {}  # a fold with two of the classes is no binary one


'''
_ADDED_METRICS = """\
from sklearn import metrics as scores

ADDED_METRICS = {{
{metrics}}}
for name, (score, target, arguments) in ADDED_METRICS.items():
    _ = experiment.add_metric(name, name, or_nan(score), target=target, args=arguments)"""


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
    if preparation.stops_early(facts) and not preparation.is_auto(facts):
        raise Conflict(
            "The run has no notebook: its boosters found their number of trees themselves, which PyCaret's do not."
        )
    if not _has_known_folds(facts):
        raise Conflict(
            "The run has no notebook: it ended before its rows were cut into folds by groups, time or a column, or the "
            "version of that time did not record how the table that it holds out is read."
        )
    setup_params = facts.snapshot.get("setup_params") or {}
    if setup_params.get(CUSTOM_PIPELINE):
        raise Conflict(
            "The run has no notebook: the steps of its custom_pipeline are objects of the notebook that started it."
        )
    if facts.run.metric in custom_metric_ids(setup_params):
        raise Conflict(
            f"The run has no notebook: its leaderboard is ordered by {facts.run.metric}, which PyCaret does not have."
        )
    if facts.run.plan not in _PLANS:
        raise Conflict(
            f"Runs of the plan {facts.run.plan} have no notebook. Plans with notebooks: "
            f"{', '.join(_PLANS)}."
        )


def _has_known_folds(facts: Facts) -> bool:
    """Return whether PyCaret cuts rows in the same way, or the run has recorded how it did."""
    validation = splitting.validation(facts)
    if "is_default" in validation:
        if splitting.is_held_out(facts) and facts.held_out is None:
            return False
        return bool(validation["is_default"]) or "spellings" in validation
    # a run that ended before its rows were split says what it was asked for
    given = facts.snapshot.get("setup_params") or {}
    return splitting.is_like_engine(facts, given) and not any(
        given.get(name) for name in splitting.COLUMNS
    )


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
    folds = splitting.validation(facts).get("folds")
    if folds is not None and (facts.run.plan == "automl" or splitting.has_own_folds(facts)):
        settings["fold"] = repr(folds)  # fewer by default, or as many as there are numbers
    reduced = facts.changed("folds_reduced")
    if reduced is not None:
        settings["fold"] = repr(reduced["folds"])
    experiment = facts.kind.experiment_class
    arguments = {"session_id": "SEED", "n_jobs": "1", **settings}
    if facts.has_target:
        arguments = {"target": "TARGET", **arguments}
    rare = _RARE_CLASSES if _has_rare_classes(facts) else ""
    scored = f"\n\n\n{rare}{_OR_NAN}\n\n{_added_metrics(facts)}" if facts.has_target else ""
    return (
        f"from pycaret.tasks import {experiment}\n\n"
        f"{call(f'experiment = {experiment}', arguments)}.fit(data){scored}"
    )


def _has_rare_classes(facts: Facts) -> bool:
    """Return whether some folds lack one of more than two classes, which PyCaret's own metrics do not cope with."""
    told = facts.changed("rare_classes")
    return preparation.is_auto(facts) and told is not None and told.get("labels", 3) > 2


def _added_metrics(facts: Facts) -> str:
    metrics = _LABEL_METRICS if facts.kind.answers == "labels" else _NUMBER_METRICS
    if _has_rare_classes(facts):
        metrics = _RARE_METRICS
    return _ADDED_METRICS.format(metrics=metrics)


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
        if any(record["model_id"] == "ensemble" for record in composed):
            lines = f"from sklearn.ensemble import VotingClassifier, VotingRegressor\n\n{lines}"
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
{decisions}leaderboard = pd.DataFrame(means).T"""
#: a model without probabilities has its curves from decision values; PyCaret leaves them out
_DECISIONS = '''\


def curves(model, features, truth):
    """Return AUC and PR AUC from decision values, of more than two classes one against the rest."""
    values, average = model.decision_function(features), "macro"
    if values.ndim == 2:
        truth, average = label_binarize(truth, classes=range(values.shape[1])), "weighted"
    given = {"average": average{weights}}
    return {
        "AUC": scores.roc_auc_score(truth, values, **given),
        "PR AUC": scores.average_precision_score(truth, values, **given),
    }


for model_id, result in results.items():
    model = result.pipeline
    if hasattr(model, "decision_function") and not hasattr(model, "predict_proba"):
        folds, rows = {folds}, (state["X_train"], state["y_train"])
        found = cross_validate(clone(model), *rows, cv=folds, scoring=curves{fitting})
        for name in ("AUC", "PR AUC"):
            means[model_id][name] = found[f"test_{name}"].mean()
'''
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

{grouping.LEADERBOARDS.get(facts.kind.answers) or _folds(facts)}
leaderboard = leaderboard.sort_values({order})
best = results[leaderboard.index[0]].pipeline
leaderboard.insert(0, "name", [NAMES.get(model_id, model_id) for model_id in leaderboard.index])
leaderboard.round(4)"""


def _folds(facts: Facts) -> str:
    has_decisions = preparation.is_auto(facts) and facts.kind.answers == "labels"
    if not has_decisions:
        return _FOLDS.replace("{decisions}", "")
    imports = (
        "from sklearn.model_selection import cross_validate\n"
        "from sklearn.preprocessing import label_binarize\n\n"
    )
    folds = "FOLDS" if splitting.has_own_folds(facts) else 'state["fold_generator"]'
    decisions = _DECISIONS.replace("{folds}", folds)
    is_weighted = splitting.has_weights(facts)
    for name, weights in splitting.CURVE_WEIGHTS.items():
        decisions = decisions.replace(f"{{{name}}}", weights if is_weighted else "")
    return imports + _FOLDS.replace("{decisions}", decisions)


def _records(facts: Facts) -> list[dict[str, Any]]:
    """Return the records of the scored models, else of those in the request; an empty list if it has none."""
    if facts.run.leaderboard:
        return facts.run.leaderboard
    if facts.run.model_id is not None:
        return [{"model_id": facts.run.model_id}]
    included = facts.plan_params.get("include") or []
    excluded = set(facts.plan_params.get("exclude") or [])
    return [{"model_id": str(i)} for i in included if i not in excluded]
