"""Facts about the engine for several processes: sample sets, seed, thread limits, parameter names."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from .task_types import CLASSIFICATION, REGRESSION

#: sample sets of scikit-learn → id of the task that they suit
SAMPLE_SETS: Mapping[str, str] = MappingProxyType(
    {
        "iris": CLASSIFICATION.id,
        "wine": CLASSIFICATION.id,
        "breast_cancer": CLASSIFICATION.id,
        "diabetes": REGRESSION.id,
    }
)
#: the column to predict in each of them
SAMPLE_TARGET = "target"

#: the seed of a run without one; without any seed, concurrent runs would influence each other
DEFAULT_SEED = 42

#: environment of training processes: libraries read their number of threads from it when they load. One
#: thread each: more was slower on tables of usual size, and starts processes that survive a crash
SINGLE_THREADED: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(
        (
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "MKL_NUM_THREADS",
            "NUMEXPR_NUM_THREADS",
            "VECLIB_MAXIMUM_THREADS",
            "NUMBA_NUM_THREADS",
        ),
        "1",
    )
)

#: library → parameters that keep its C code from writing to screen and disk; they do not change scores
SILENCING: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "lightgbm": {"verbosity": -1},
        "xgboost": {"verbosity": 0},
        "catboost": {"verbose": False, "allow_writing_files": False},
    }
)

#: parameter of a task → its name in models: the engine overrides the arguments of its own functions with
#: its defaults, and drops what a model does not take
PARAM_ALIASES: Mapping[str, str] = MappingProxyType(
    {"num_clusters": "n_clusters", "fraction": "contamination"}
)
