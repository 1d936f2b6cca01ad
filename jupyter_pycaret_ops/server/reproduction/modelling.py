"""Set-up, models and leaderboard in PyCaret's own words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...common.engine_facts import DEFAULT_SEED, PARAM_ALIASES, SILENCING
from ...common.errors import Conflict
from ...common.task_types import TASK_TYPES
from . import composing, grouping
from .cells import assigned, call
from .run_facts import Facts

_PLANS = (
    *("setup", "create", "compare", "tune", "ensemble"),
    *("blend", "stack", "calibrate", "finalize", "automl"),
)
#: set-up parameters of ours, which the notebook has heeded before
_OURS = {"ignore_features"}
#: of plans, not of models
_LIMITS = {"time_limit", "model_time_limit"}
_OR_NAN = '''\
def or_nan(score):
    """A metric that cannot be computed is not a number; PyCaret would write 0."""

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


def check(facts: Facts) -> None:
    """Raise Conflict where plain PyCaret has no words for the run yet."""
    if facts.task_type is None:
        raise Conflict(
            f"There is no notebook for runs of the task {facts.task}; there is for "
            f"{', '.join(TASK_TYPES)}."
        )
    if facts.task_type.rows_are_steps and "series" not in facts.snapshot:
        raise Conflict(
            "The run ended before its table was made a series; there is nothing to tell."
        )
    if facts.run.plan not in _PLANS:
        raise Conflict(
            f"There is no notebook for runs of the plan {facts.run.plan} yet; there is for "
            f"{', '.join(_PLANS)}."
        )


def names(facts: Facts) -> str:
    """Assignments that stand on top."""
    seed = facts.snapshot.get("seed")
    told = {"SEED": repr(DEFAULT_SEED if seed is None else seed)}
    if facts.has_target:
        told = {"TARGET": repr(facts.snapshot.get("target")), **told}
    return assigned(told)


def setup(facts: Facts) -> str:
    """The experiment, fitted."""
    given = facts.snapshot.get("setup_params") or {}
    settings = {
        name: repr(value)
        for name, value in given.items()
        if name not in _OURS and name != "session_id"
    }
    reduced = facts.changed("folds_reduced")
    if reduced is not None:
        settings["fold"] = repr(reduced["folds"])
    experiment = facts.kind.experiment_class
    arguments = {"session_id": "SEED", "n_jobs": "1", **settings}
    if facts.has_target:
        arguments = {"target": "TARGET", **arguments}
    scored = f"\n\n\n{_OR_NAN}" if facts.has_target else ""
    return (
        f"from pycaret.tasks import {experiment}\n\n"
        f"{call(f'experiment = {experiment}', arguments)}.fit(data){scored}"
    )


def models(facts: Facts) -> list[tuple[str, str]]:
    """What comes after the set-up: text and code of each cell."""
    plan = facts.run.plan
    if plan == "setup":
        return []
    rows = _rows(facts)
    single = [row["model_id"] for row in rows if not composing.is_composed(row)]
    parameters = _parameters(facts, single)
    listed = "".join(f"    {i!r}: {given!r},\n" for i, given in parameters.items() if given)
    told = {
        "MODELS": repr(single) if rows else "list(experiment.models().index)",
        "PARAMETERS": f"{{\n{listed}}}" if listed else "{}",
    }
    how = "cross-validated on the same folds" if facts.has_target else "fitted on all rows"
    cells = [(f"## Models\n\nEach is {how}.", f"{assigned(told)}\n\n{_FIT}")]
    composed = [row for row in rows if composing.is_composed(row)]
    if composed:
        lines = "\n".join(composing.code_of(facts, row) for row in composed)
        cells.append((composing.text_of(facts), lines))
    if plan == "finalize":
        final = _FINAL if facts.has_target else "best = results[MODELS[0]].pipeline\nbest"
        return [*cells, ("## On all rows", final)]
    return [*cells, ("## Leaderboard", _board(facts))]


def _parameters(facts: Facts, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What each model is made with."""
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


def _board(facts: Facts) -> str:
    run = facts.run
    called = {row["model_id"]: row.get("name") or row["model_id"] for row in run.leaderboard}
    order = f'METRIC, ascending={not run.greater_is_better}, kind="stable"'
    return f"""\
{assigned({"METRIC": repr(run.metric), "NAMES": repr(called)})}

{grouping.BOARDS.get(facts.kind.answers, _FOLDS)}
leaderboard = leaderboard.sort_values({order})
best = results[leaderboard.index[0]].pipeline
leaderboard.insert(0, "name", [NAMES.get(model_id, model_id) for model_id in leaderboard.index])
leaderboard.round(4)"""


def _rows(facts: Facts) -> list[dict[str, Any]]:
    """The models that were scored; where there are none, those that were asked for, or an empty list."""
    if facts.run.leaderboard:
        return facts.run.leaderboard
    if facts.run.model_id is not None:
        return [{"model_id": facts.run.model_id}]
    wanted = facts.plan_params.get("include") or []
    unwanted = set(facts.plan_params.get("exclude") or [])
    return [{"model_id": str(i)} for i in wanted if i not in unwanted]
