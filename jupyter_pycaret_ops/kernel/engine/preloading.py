"""Preload the engine in a spare kernel: import and use once what a first run needs."""

from __future__ import annotations

from jupyter_pycaret_ops.common.protocol import DataSpec, RunSpec
from jupyter_pycaret_ops.common.task_types import TASK_TYPES

from .interfaces import NullReporter, PlanResult
from .plan_execution import run_plan


def preload() -> None:
    """See `engine.preload`: runs a small compare of each supervised task, from raw columns to the pickle."""
    import pandas as pd

    from .global_state import isolated, load_engine

    load_engine()  # first: what it imports adds no warning filters
    from .trials import fork_server

    rows = 40
    frame = pd.DataFrame(
        {
            "number": [float(i % 7) for i in range(rows)],
            "text": [("a", "b", "c")[i % 3] for i in range(rows)],
            "day": pd.date_range("2024-01-01", periods=rows),
            "label": [("no", "yes")[i % 2] for i in range(rows)],
            "value": [float(i) + i % 5 for i in range(rows)],
        }
    )
    for task in TASK_TYPES.values():
        if task.is_supervised:
            _fit(task.id, "label" if task.answers == "labels" else "value", frame)
        load_engine(task.id)
    with isolated():
        import sklearn.datasets  # noqa: F401 - 0.1 s, for runs on its sample sets

        fork_server.start()  # newer Pythons warn about forks with threads; see `fork_server`


def _fit(task: str, target: str, frame: object) -> PlanResult:
    spec = RunSpec(
        run_id="preload",
        attempt=1,
        task=task,
        plan="compare",
        data=DataSpec("frame"),
        target=target,
        setup_params={"fold": 2},
        # one of each family that imports further libraries
        plan_params={"include": ["lr", "dt", "knn"]},
    )
    return run_plan(spec, frame, NullReporter())
