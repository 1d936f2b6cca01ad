"""Models made of models, in PyCaret's verbs."""

from __future__ import annotations

from typing import Any

from .run_facts import Facts

#: what the engine room puts behind a model's id
_ENDINGS = ("_tuned", "_bagged", "_boosted", "_calibrated")
_TEXTS = {
    "tune": "## Tuned\n\nThe setting that the run's search found best; the search itself is not repeated.",
    "automl": "## Tuned\n\nThe setting of the winner that the run's search found best; the search itself "
    "is not repeated.",
    "ensemble": "## Ensemble\n\nThe model many times over.",
    "blend": "## Blend\n\nThe models vote.",
    "stack": "## Stack\n\nA model learns from what the others say.",
    "calibrate": "## Calibrated\n\nProbabilities that say how often the model is right.",
}


def is_composed(row: dict[str, Any]) -> bool:
    """Whether a record of the leaderboard is of more than a model as it is."""
    return "params" in row and (
        row["model_id"] in ("blend", "stack") or row["model_id"].endswith(_ENDINGS)
    )


def text_of(facts: Facts) -> str:
    """What is said before them."""
    return _TEXTS.get(facts.run.plan, "## Composed")


def code_of(facts: Facts, row: dict[str, Any]) -> str:
    """The line that makes one of them."""
    return f"results[{row['model_id']!r}] = experiment.{_verb(facts, row)}"


def _verb(facts: Facts, row: dict[str, Any]) -> str:
    own, plan = dict(row["params"]), facts.plan_params
    if row["model_id"] == "blend":
        options = {"weights": plan.get("weights")}
        if facts.kind.answers == "labels":
            options["method"] = plan.get("method") or "auto"
        return _called("blend_models", own["models"], options)
    if row["model_id"] == "stack":
        return _called("stack_models", own["models"], {"meta_model": own.get("meta_model")})
    model_id, _, ending = row["model_id"].rpartition("_")
    if ending == "tuned":
        return _called("create_model", model_id, own)
    verb = "calibrate_model" if ending == "calibrated" else "ensemble_model"
    return _called(verb, model_id, own)


def _called(verb: str, first: Any, options: dict[str, Any]) -> str:
    given = {"round": 10, **{name: value for name, value in options.items() if value is not None}}
    listed = ", ".join(f"{name}={value!r}" for name, value in given.items() if name.isidentifier())
    return f"{verb}({first!r}, {listed})"
