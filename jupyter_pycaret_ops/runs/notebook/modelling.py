"""Set-up, models and leaderboard in PyCaret's own words."""

from __future__ import annotations

from typing import Any

from ...errors import Conflict
from .cells import assigned, call
from .facts import Facts

_EXPERIMENTS = {
    "classification": "ClassificationExperiment",
    "regression": "RegressionExperiment",
}
_PLANS = ("setup", "create", "compare")
#: set-up parameters of ours, which the notebook has heeded before
_OURS = {"ignore_features"}
#: of plans, not of models
_LIMITS = {"time_limit", "model_time_limit"}
#: the seed of the engine room where nobody names one
_SEED = 42
#: what keeps a library from writing to the screen and the folder; scores do not depend on it
_QUIET: dict[str, dict[str, Any]] = {
    "lightgbm": {"verbosity": -1},
    "xgboost": {"verbosity": 0},
    "catboost": {"verbose": False, "allow_writing_files": False},
}
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
    if facts.task not in _EXPERIMENTS:
        raise Conflict(
            f"There is no notebook for runs of the task {facts.task} yet; there is for "
            f"{' and '.join(_EXPERIMENTS)}."
        )
    if facts.run.plan not in _PLANS:
        raise Conflict(
            f"There is no notebook for runs of the plan {facts.run.plan} yet; there is for "
            f"{', '.join(_PLANS)}."
        )


def names(facts: Facts) -> str:
    """Assignments that stand on top."""
    seed = facts.snapshot.get("seed")
    return assigned(
        {
            "TARGET": repr(facts.snapshot.get("target")),
            "SEED": repr(_SEED if seed is None else seed),
        }
    )


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
    experiment = _EXPERIMENTS[facts.task]
    arguments = {"target": "TARGET", "session_id": "SEED", "n_jobs": "1", **settings}
    return (
        f"from pycaret.tasks import {experiment}\n\n"
        f"{call(f'experiment = {experiment}', arguments)}.fit(data)\n\n\n{_OR_NAN}"
    )


def models(facts: Facts) -> list[tuple[str, str]]:
    """What comes after the set-up: text and code of each cell."""
    if facts.run.plan == "setup":
        return []
    ids = _ids(facts)
    parameters = {i: dict(_QUIET[i]) for i in ids or _QUIET if i in _QUIET}
    if facts.run.plan == "create" and facts.run.model_id is not None:
        mine = {n: v for n, v in _plan_params(facts).items() if n not in _LIMITS}
        parameters[facts.run.model_id] = {**parameters.get(facts.run.model_id, {}), **mine}
    listed = "".join(f"    {i!r}: {given!r},\n" for i, given in parameters.items() if given)
    told = {
        "MODELS": repr(ids) if ids else "list(experiment.models().index)",
        "PARAMETERS": f"{{\n{listed}}}" if listed else "{}",
    }
    return [
        ("## Models\n\nEach is cross-validated on the same folds.", f"{assigned(told)}\n\n{_FIT}"),
        ("## Leaderboard", _board(facts)),
    ]


_FIT = """\
folds, pipelines = {}, {}
for model_id in MODELS:
    result = experiment.create_model(model_id, round=10, **PARAMETERS.get(model_id, {}))
    folds[model_id] = result.metrics[result.metrics.index.str.startswith("Fold")]
    pipelines[model_id] = result.pipeline"""


def _board(facts: Facts) -> str:
    run = facts.run
    called = {row["model_id"]: row.get("name") or row["model_id"] for row in run.leaderboard}
    order = f'METRIC, ascending={not run.greater_is_better}, kind="stable"'
    return f"""\
{assigned({"METRIC": repr(run.metric), "NAMES": repr(called)})}

leaderboard = pd.DataFrame({{model_id: scores.mean() for model_id, scores in folds.items()}}).T
leaderboard = leaderboard.sort_values({order})
best = pipelines[leaderboard.index[0]]
leaderboard.insert(0, "name", [NAMES.get(model_id, model_id) for model_id in leaderboard.index])
leaderboard.round(4)"""


def _plan_params(facts: Facts) -> dict[str, Any]:
    return facts.snapshot.get("plan_params") or {}


def _ids(facts: Facts) -> list[str]:
    """The models that were scored; where there are none, those that were asked for, or an empty list."""
    scored = [str(row["model_id"]) for row in facts.run.leaderboard]
    if scored:
        return scored
    if facts.run.plan == "create":
        return [str(facts.run.model_id)]
    wanted = _plan_params(facts).get("include") or []
    unwanted = set(_plan_params(facts).get("exclude") or [])
    return [str(i) for i in wanted if i not in unwanted]
