"""What an engine offers, small enough to be read: the shape of `engine.describe()`."""

from __future__ import annotations

from typing import Any


def _param(name: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "description": f"The {name}.", "default": None, "schema": schema}


SETUP = [
    _param("fold", type="integer", minimum=2),
    _param("session_id", type=["integer", "null"]),
    _param("normalize", type="boolean"),
    _param("train_size", type="number", exclusiveMinimum=0, exclusiveMaximum=1),
    _param("ignore_features", type="array", items={"type": "string"}),
    _param("column_types", type="object", additionalProperties={"type": "string"}),
]
PLANS = [
    {"id": "setup", "name": "Set up", "needs_model": False, "params": []},
    {
        "id": "create",
        "name": "Create",
        "needs_model": True,
        "takes_model_params": True,
        "params": [_param("time_limit", type="number", exclusiveMinimum=0)],
    },
    {
        "id": "compare",
        "name": "Compare",
        "needs_model": False,
        "params": [
            _param("include", type="array", items={"type": "string"}),
            _param("exclude", type="array", items={"type": "string"}),
            _param("sort", type="string"),
            _param("n_select", type="integer", minimum=1),
            _param("time_limit", type="number", exclusiveMinimum=0),
        ],
    },
]


def _model(model_id: str, name: str, **more: Any) -> dict[str, Any]:
    return {"id": model_id, "name": name, "is_available": True, "params": [], **more}


def _task(task_id: str, models: list[Any], **more: Any) -> dict[str, Any]:
    return {
        "id": task_id,
        "name": task_id.replace("_", " ").capitalize(),
        "is_available": True,
        "extra": None,
        "models": models,
        "metrics": [],
        "setup_params": SETUP,
        "plans": PLANS,
        "plots": [{"id": "auc", "name": "AUC"}],
        **more,
    }


DESCRIPTION: dict[str, Any] = {
    "versions": {"pycaret": "4.0.0", "python": "3.11.7"},
    "tasks": [
        _task(
            "classification",
            [
                _model("lr", "Logistic regression", params=[_param("C", type="number", minimum=0)]),
                _model("dt", "Decision tree"),
                _model("catboost", "CatBoost", is_available=False, extra="boosting"),
            ],
            metrics=[
                {"id": "Accuracy", "name": "Accuracy", "greater_is_better": True},
                {"id": "LogLoss", "name": "Log loss", "greater_is_better": False},
            ],
        ),
        _task(
            "regression",
            [_model("lr", "Linear regression")],
            metrics=[
                {"id": "R2", "name": "R2", "greater_is_better": True},
                {"id": "MAE", "name": "MAE", "greater_is_better": False},
            ],
        ),
        _task(
            "clustering",
            [_model("kmeans", "K-means")],
            metrics=[{"id": "Silhouette", "name": "Silhouette", "greater_is_better": True}],
        ),
        _task("anomaly", [], is_available=False, extra="anomaly", plans=[]),
        _task("time_series", [], is_available=False, extra="timeseries", plans=[]),
    ],
}
