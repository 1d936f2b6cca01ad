"""The set-up parameters of the installed engine that have an effect."""

from __future__ import annotations

import inspect
from typing import Any

from jupyter_pycaret_ops.common.engine_facts import DEFAULT_SEED
from jupyter_pycaret_ops.common.protocol import JSON

from .parameters import Param

#: constructor parameters that we set, or that this engine ignores or fails on:
#: `preprocess=False` and `fold_strategy` do nothing, `use_gpu` empties the model registry
_NOT_OFFERED = frozenset(
    {
        "target",
        "n_jobs",
        "logger",
        "log_experiment",
        "verbose",
        "preprocess",
        "fold_strategy",
        "use_gpu",
    }
)
_SEED: JSON = {"type": ["integer", "null"], "minimum": 0, "maximum": 2**32 - 1}
_SHARE: JSON = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
_SCHEMAS: dict[str, tuple[JSON, str]] = {
    "session_id": (_SEED, f"Random seed; {DEFAULT_SEED} by default."),
    "train_size": (_SHARE, "Share of the rows to train on; the rest is the hold-out."),
    "fold": (
        {"type": "integer", "minimum": 2, "maximum": 100},
        "Folds of the cross-validation; fewer are used when a class has fewer rows.",
    ),
    "normalize": ({"type": "boolean"}, "Scale numbers to mean 0 and variance 1."),
    "transformation": ({"type": "boolean"}, "Make numbers more Gaussian (Yeo-Johnson)."),
    "remove_outliers": ({"type": "boolean"}, "Leave out the 5 % most unusual training rows."),
    "feature_selection": ({"type": "boolean"}, "Keep the more important half of the columns."),
    "fh": ({"type": "integer", "minimum": 1}, "Steps to forecast."),
    "seasonal_period": (
        {"type": ["integer", "null"], "minimum": 1},
        "Steps of one season; found from the data by default.",
    ),
}
IGNORE_FEATURES = Param(
    "ignore_features",
    {"type": "array", "items": {"type": "string"}},
    [],
    "Columns to leave out, such as identifiers.",
)
_GROUPS = {
    **dict.fromkeys(("train_size", "fold"), "validation"),
    **dict.fromkeys(
        ("normalize", "transformation", "remove_outliers", "feature_selection"), "preparation"
    ),
}
_TYPES_OF_DEFAULTS = {bool: "boolean", int: "integer", float: "number", str: "string"}


def engine_params(engine_class: Any) -> list[Param]:
    """Return the constructor parameters of an experiment class that have an effect."""
    found = []
    for name, parameter in inspect.signature(engine_class).parameters.items():
        if name in _NOT_OFFERED:
            continue
        default = DEFAULT_SEED if name == "session_id" else parameter.default
        if name in _SCHEMAS:
            schema, description = _SCHEMAS[name]
        else:  # new in a later engine: typed by its default
            json_type = _TYPES_OF_DEFAULTS.get(type(default))
            schema, description = ({"type": json_type} if json_type else {}), ""
        found.append(Param(name, schema, default, description, _GROUPS.get(name, "")))
    return found
