"""Code for composed models: tuned, calibrated and ensembles, in calls of PyCaret."""

from __future__ import annotations

from typing import Any

from .run_facts import Facts

#: suffixes that the engine appends to the id of a model
_SUFFIXES = ("_tuned", "_bagged", "_boosted", "_calibrated")
_TEXTS = {
    "tune": "## Tuned\n\nThe best parameters of the run's search. The search is not repeated.",
    "automl": "## Tuned\n\nThe best parameters of the run's search. The search is not repeated. Its leaderboard has "
    "scores that are corrected for having chosen the best of many; those below are not.",
    "ensemble": "## Ensemble\n\nSeveral copies of the model.",
    "blend": "## Blend\n\nThe models vote.",
    "stack": "## Stack\n\nA meta-model learns from the predictions of the others.",
    "calibrate": "## Calibrated\n\nProbabilities match how often the model is right.",
}


def is_composed(record: dict[str, Any]) -> bool:
    """Return whether a record of the leaderboard is of a composed model."""
    return "params" in record and (
        record["model_id"] in ("blend", "stack", "ensemble")
        or record["model_id"].endswith(_SUFFIXES)
    )


def text_of(facts: Facts) -> str:
    """Return the text before the composed models."""
    return _TEXTS.get(facts.run.plan, "## Composed")


def code_of(facts: Facts, record: dict[str, Any]) -> str:
    """Return the line of code that creates a composed model."""
    return f"results[{record['model_id']!r}] = experiment.{_function_call(facts, record)}"


def _function_call(facts: Facts, record: dict[str, Any]) -> str:
    own, plan = dict(record["params"]), facts.plan_params
    if record["model_id"] == "blend":
        options = {"weights": plan.get("weights")}
        if facts.kind.answers == "labels":
            options["method"] = plan.get("method") or "auto"
        return _call("blend_models", own["models"], options)
    if record["model_id"] == "stack":
        return _call("stack_models", own["models"], {"meta_model": own.get("meta_model")})
    if record["model_id"] == "ensemble":
        return f"create_model({_ensemble(facts, own['members'])}, round=10)"
    model_id, _, suffix = record["model_id"].rpartition("_")
    if suffix == "tuned":
        return _call("create_model", model_id, own)
    function = "calibrate_model" if suffix == "calibrated" else "ensemble_model"
    return _call(function, model_id, own)


def _ensemble(facts: Facts, members: list[dict[str, Any]]) -> str:
    """Return the expression of an ensemble: the weighted mean of what its members answer."""
    is_label = facts.kind.answers == "labels"
    listed = ", ".join(
        f"({f'{place} ' + one['model_id']!r}, make({one['model_id'].removesuffix('_tuned')!r}, {one['params']!r}))"
        for place, one in enumerate(members, 1)
    )
    weights = [one["weight"] for one in members]
    name, voting = ("VotingClassifier", 'voting="soft", ') if is_label else ("VotingRegressor", "")
    return f"{name}([{listed}], {voting}weights={weights!r})"


def _call(function: str, first: Any, options: dict[str, Any]) -> str:
    given = {"round": 10, **{name: value for name, value in options.items() if value is not None}}
    listed = ", ".join(f"{name}={value!r}" for name, value in given.items() if name.isidentifier())
    return f"{function}({first!r}, {listed})"
