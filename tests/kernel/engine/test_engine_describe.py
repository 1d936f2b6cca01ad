"""Description of the engine, conversion to JSON and parameter schemas."""

from __future__ import annotations

import json
from enum import StrEnum

import numpy as np
import pandas as pd
import pytest

from jupyter_pycaret_ops.common.task_types import TASK_TYPES
from jupyter_pycaret_ops.kernel import engine
from jupyter_pycaret_ops.kernel.engine.json_values import plain
from jupyter_pycaret_ops.kernel.engine.parameters import validation_error


@pytest.fixture(scope="module")
def described():
    return engine.describe()


def task(described, task_id):
    (found,) = [t for t in described["tasks"] if t["id"] == task_id]
    return found


def test_description_is_plain_json_with_all_tasks(described):
    json.dumps(described, allow_nan=False)
    assert [t["id"] for t in described["tasks"]] == [
        "classification",
        "regression",
        "clustering",
        "anomaly",
        "time_series",
    ]


_PLANS = {
    "classification": "setup create compare tune ensemble blend stack calibrate finalize automl",
    "regression": "setup create compare tune ensemble blend stack finalize automl",
    "clustering": "setup create compare finalize",
    "anomaly": "setup create compare finalize",
    "time_series": "setup create compare tune finalize automl",
}
_MODELS = {
    "classification": {"lr", "xgboost", "lightgbm", "catboost"},
    "regression": {"lr", "xgboost", "lightgbm", "catboost"},
    "clustering": {"kmeans", "dbscan"},
    "anomaly": {"iforest", "cof"},
    "time_series": {"naive", "auto_arima", "lr_cds_dt"},
}


@pytest.mark.parametrize("task_id", _PLANS)
def test_available_task_is_described_completely(described, task_id):
    found = task(described, task_id)
    assert [p["id"] for p in found["plans"]] == _PLANS[task_id].split()
    assert {p["id"] for p in found["plans"] if p["needs_model"]} == set(_PLANS[task_id].split()) & {
        "create",
        "tune",
        "ensemble",
        "calibrate",
        "finalize",
    }
    assert found["is_available"]
    ids = {m["id"]: m for m in found["models"]}
    assert set(ids) >= _MODELS[task_id]
    assert all(ids[model_id]["is_available"] for model_id in _MODELS[task_id])
    for key in ("plans", "models", "metrics", "setup_params", "plots"):
        assert found[key]
    assert TASK_TYPES[task_id].default_metric in [m["id"] for m in found["metrics"]]


def test_slow_models_are_not_default_models(described):
    models = {m["id"]: m["turbo"] for m in task(described, "classification")["models"]}
    assert [model_id for model_id, turbo in models.items() if not turbo] == ["rbfsvm", "gpc", "mlp"]
    models = {m["id"]: m["turbo"] for m in task(described, "time_series")["models"]}
    assert [model_id for model_id, turbo in models.items() if not turbo] == ["bats", "tbats"]
    assert "ensemble_forecaster" not in models


def test_model_with_missing_library_names_its_extra(described):
    for model in task(described, "classification")["models"]:
        assert model["is_available"] == (model["extra"] is None)
        assert bool(model["params"]) == model["is_available"]


def test_default_matches_its_own_schema(described):
    for found in described["tasks"]:
        plan_params = [param for p in found["plans"] for param in p["params"]]
        for param in plan_params + found["setup_params"]:
            assert validation_error(param["default"], param["schema"]) is None, param


def test_parameter_without_effect_is_not_described(described):
    names = {p["name"] for p in task(described, "classification")["setup_params"]}
    assert not {"preprocess", "n_jobs", "logger", "target", "use_gpu"} & names
    assert {"session_id", "fold", "train_size", "normalize", "ignore_features"} <= names


def test_metric_ids_are_columns_of_the_leaderboard(described):
    metrics = {m["id"]: m["greater_is_better"] for m in task(described, "regression")["metrics"]}
    assert metrics == {
        "MAE": False,
        "MSE": False,
        "RMSE": False,
        "R2": True,
        "RMSLE": False,
        "MAPE": False,
        "MedAE": False,
        "Max Error": False,
        "Pinball": False,
    }


def test_described_model_can_be_created_with_its_parameters(described):
    for model in task(described, "classification")["models"]:
        assert "n_jobs" not in [p["name"] for p in model["params"]]


class Word(StrEnum):
    ONE = "one"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), None),
        (float("inf"), None),
        (np.float32(1.5), 1.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (pd.NA, None),
        (pd.NaT, None),
        (pd.Timestamp("2024-01-02"), "2024-01-02T00:00:00"),
        (np.array([1.0, np.nan]), [1.0, None]),
        ({1: (np.nan,)}, {"1": [None]}),
        (Word.ONE, "one"),
        ({3}, [3]),
        (pd.Series([1, 2]), [1, 2]),
        (range, "<class 'range'>"),
    ],
    ids=str,
)
def test_plain_converts_values_to_json(value, expected):
    result = plain(value)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("value", "schema", "is_fine"),
    [
        (True, {"type": "integer"}, False),
        (3.0, {"type": "integer"}, True),
        (3.5, {"type": "integer"}, False),
        (None, {"type": ["integer", "null"]}, True),
        ("a", {"enum": ["a", "b"]}, True),
        ("c", {"enum": ["a", "b"]}, False),
        (5, {"type": "number", "maximum": 4}, False),
        ([1, "x"], {"type": "array", "items": {"type": "integer"}}, False),
        ([], {"type": "array", "minItems": 1}, False),
        (1, {"anyOf": [{"type": "string"}, {"type": "integer"}]}, True),
        (1, {}, True),
    ],
    ids=str,
)
def test_validation_error_checks_value_against_schema(value, schema, is_fine):
    assert (validation_error(value, schema) is None) == is_fine
